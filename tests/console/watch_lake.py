"""The lake that the tests of pipelines, alerts and models look at: tables by SQL, a check that can fail, a rule with a
webhook, a small forecast, and people who see different parts of it."""
import base64
import http.client
import json
import time

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
    """Status and answer. `key`: (access key id, secret) of somebody else."""
    host, port = server.address("http")
    connection = http.client.HTTPConnection(host, port, timeout=60)
    pair = ":".join(key or (server.access_key, server.secret_key))
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def api(server, method, path, body=None, key=None):
    status, answer = ask(server, method, path, body, key)
    assert status < 300, f"{method} {path}: {status} {answer}"
    return answer


def sql(server, statement):
    return api(server, "POST", "/api/v1/sql", {"sql": statement})


def until(read, seconds=60):
    """What read() gives, once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := read()):
        assert time.monotonic() < deadline, f"did not come to be within {seconds} s"
        time.sleep(0.05)
    return found


def apply(server, receiver, trees=20):
    text = LAKEFILE % {"url": receiver.url, "secret": receiver.secret, "trees": trees}
    plan = api(server, "POST", "/api/v1/plan", {"lakefile": text})
    assert plan["problems"] == [], plan["problems"]
    api(server, "POST", "/api/v1/apply", {"lakefile": text, "plan": plan["plan"]})


def add_user(server, name, role, actions):
    """Somebody with a role who may also do these actions; (access key id, secret)."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    api(server, "POST", "/api/v1/users", {"name": name, "roles": [role], "policies": {"watch": policy}})
    made = api(server, "POST", f"/api/v1/users/{name}/keys", {})
    return made["access_key_id"], made["secret_access_key"]


def settle(server):
    until(lambda: api(server, "GET", "/api/v1/tables")["quiescent"])


def make(server, receiver):
    for statement in TABLES:
        sql(server, statement)
    apply(server, receiver)
    server.keys = {"ann": add_user(server, "ann", "buyer", WATCHING), "gus": add_user(server, "gus", "guard", WATCHING)}
    settle(server)


def address(server, path):
    return f"http://{server.ready['http']}{path}"


def link(server, path, **whom):
    return address(server, path + "#token=" + api(server, "POST", "/api/v1/sign-in-tokens", whom)["token"])


def trouble(problems):
    """Chromium writes refused requests into its console; they are no errors of the page."""
    return [one for one in problems if "Failed to load resource" not in one]


def confirm(browser):
    """The dialog's own button, whatever its word: it stands after Cancel."""
    browser.focus("button", "Cancel")
    browser.press("Tab")
    browser.press("Enter")
