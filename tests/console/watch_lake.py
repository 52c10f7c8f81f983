"""The lake that the tests of pipelines, alerts and models look at: tables by SQL, a check that can fail, a rule with a
webhook, a small forecast, and people who see different parts of it."""
import json

from console_lake import address, api, confirm, link, settle, sql, trouble, until  # noqa: F401: for the tests
from console_lake import ask as ask_bytes
from console_lake import apply as apply_text

LAKEFILE = """\
lake: kiosk
tables:
  levels:
    key: [shelf_id]
    sql: select shelf_id, units from readings
  daily_units:
    key: [day, store_id]
    sql: |
      select day, store_id, sum(units) as units, max(promo) as promo from sales group by day, store_id
    checks:
      unique(key): stop
      units >= 0: warn
  totals:
    sql: select sum(units) as total from daily_units
    checks:
      total < 1000000: stop
models:
  demand:
    forecast: {of: daily_units.units, per: [store_id], ahead: 7d}
    features: [promo]
    parameters: {trees: %(trees)s, max_depth: 4}
    retrain: {every: monday 03:00, promote_if: always}
alerts:
  runs_empty:
    when: select shelf_id, units from levels where units < 3
    while: select shelf_id, units from levels where units < 6
    one_per: [shelf_id]
    to:
      - {url: "%(url)s", secret: "%(secret)s", allow_private: true}
dashboards:
  stock:
    title: Stock
    embed: ["https://intranet.example"]
    charts:
      - {title: Shelves, number: count(*), from: levels}
roles:
  buyer:
    read:
      daily_units: all
  guard: {read: all, silence: [runs_empty]}
"""

TABLES = [
    "create table readings (shelf_id int, units int)",
    "insert into readings values (1, 40), (2, 50), (3, 60)",
    "create table sales (day date, store_id int, units int, promo int)",
    """insert into sales select current_date - 120 + d::int, s::int,
         round((20 + 8 * s) * (1 + 0.5 * sin(2 * pi() * d / 7)) * (case when (d // 5 + s) % 4 = 0 then 1.8 else 1 end))::int,
         (case when (d // 5 + s) % 4 = 0 then 1 else 0 end)::int
       from generate_series(0, 119) t(d), generate_series(1, 3) u(s)""",
]

WATCHING = ["tarn:ListRuns", "tarn:ListAlerts", "tarn:ListModels", "tarn:ListSources"]


def ask(server, method, path, body=None, key=None):
    """Status and answer."""
    response, data = ask_bytes(server, method, path, body, key)
    return response.status, json.loads(data) if data else None


def apply(server, receiver, trees=20):
    text = LAKEFILE % {"url": receiver.url, "secret": receiver.secret, "trees": trees}
    apply_text(server, text)


def add_user(server, name, role, actions):
    """Somebody with a role who may also do these actions; (access key id, secret)."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    api(server, "POST", "/api/v1/users", {"name": name, "roles": [role], "policies": {"watch": policy}})
    made = api(server, "POST", f"/api/v1/users/{name}/keys", {})
    return made["access_key_id"], made["secret_access_key"]


def make(server, receiver):
    for statement in TABLES:
        sql(server, statement)
    apply(server, receiver)
    server.keys = {"ann": add_user(server, "ann", "buyer", WATCHING), "gus": add_user(server, "gus", "guard", WATCHING)}
    settle(server)
