"""A lake with secrets in it, two users who may see a part, and for each a copy in which that part is all there is.

What is hidden can be told from what is shown: hidden texts begin with `zqx`, hidden numbers with 735 and have nine digits, hidden days lie in 1735.
So whatever a user receives is searched for these; and whatever a user asks is asked of the copy too, by root, and must give
the same. `clinic.` in a statement stands for the lake as the user sees it; of_twin() puts the copy in its place.
"""
import base64
import http.client
import json
import re

import psycopg2

from tarn_server import TarnServer

COLUMNS = ("id int, name text, region text, zqxcol_secret text, zqxcol_pay bigint, email text, phone bigint, "
           "balance decimal(14,2), score double, visit timestamptz, day date, flag boolean, tags text[], "
           "info struct(street text, n int), attrs map(text, text), grade bigint")
NORTH = """
    ({i}, 'name{i}', 'north', 'zqxvsecret{i}', 73510010{i}, 'zqxvmail{i}', 73520010{i}, {i}0.50, {i}.25, '2026-01-0{i} 10:00:00+00',
     '2026-01-0{i}', {i} % 2 = 0, ['t{i}', 'u'], {{'street': 'street{i}', 'n': {i}}}, map {{'k': 'v{i}'}}, 73510060{i})"""
SOUTH = """
    (73500010{i}, 'zqxname{i}', 'zqxregion', 'zqxvsecret8{i}', 73510080{i}, 'zqxvmail8{i}', 73520080{i}, 73530080{i}.50, 73540080{i}.25,
     '1735-05-0{i} 10:00:00+00', '1735-05-0{i}', true, ['zqxvtag{i}'], {{'street': 'zqxvstreet{i}', 'n': 73550080{i}}},
     map {{'zqxvkey{i}': 'zqxvvalue{i}'}}, 73510070{i})"""

# Everything that the clerk may not see, in what spelling it may come. Hidden numbers have nine digits, so that no id is taken for one.
HIDDEN = re.compile(r"zqx|xqz|7a7178|enF4|(?<![\w.-])735\d{6}(?!\w)|\b1735(-0|, )", re.I)
# `both` sees id, name and region of every row, and all of the rows of the north but the pay.
HIDDEN_FOR_BOTH = re.compile(r"zqxcol_pay|zqxv(secret8|mail8|tag|street|key|value|h\d|note|drop|closed|comment)|7a717876"
                             r"|(?<![\w.-])(7351\d{5}|7352008\d\d|735[345789]\d{5})(?!\w)|\b1735(-0|, )", re.I)

GRANTS = {
    "clerk": {
        "clinic.patients": {"hide": ["zqxcol_secret", "zqxcol_pay", "grade"], "rows": "region = user.region",
                            "masks": {"email": "'***'", "phone": "0"}},
        "clinic.big": {"rows": "g = 1", "masks": {"label": "'m'"}},
        "clinic.visits": {"rows": "region = user.region"},
        "clinic.orders": {"rows": "region in (select region from regions where open)"},
        "clinic.everyone": {}, "clinic.names": {}, "clinic.payroll": {}, "clinic.staff": {},
        "clinic.dropbox": {"read": False, "write": ["insert"]}, "clinic.numbered": {"rows": "region = user.region"},
        "desk.*": {"write": ["insert", "update", "delete", "alter"]},
    },
    "reader": {"clinic.patients": {"columns": ["id", "name", "region"]},
               "clinic.big": {"columns": ["g", "n"], "rows": "g = 2"}},
    "keeper": {"clinic.patients": {"rows": "region = 'north'", "hide": ["zqxcol_pay", "grade"]},
               "clinic.big": {"rows": "g = 1"},
               "clinic.visits": {"rows": "region = 'north'"}, "clinic.everyone": {}, "clinic.names": {}, "clinic.staff": {},
               "clinic.orders": {"rows": "false"}, "clinic.numbered": {"rows": "false"},
               "desk.*": {"write": ["insert", "update", "delete", "alter"]}},
}
ALL_READS = ("tarn:ExecuteStatement", "tarn:Connect", "tarn:Get*", "tarn:List*", "tarn:SampleTable", "tarn:ProfileTable",
             "tarn:WatchDashboard", "tarn:EmbedDashboard")

SHOWN = "id, name, region, '***' as email, 0::bigint as phone, balance, score, visit, day, flag, tags, info, attrs"
CELLS = ("id, name, region, " + ", ".join(
    f"case when region = 'north' then {c} end as {c}" for c in
    ("zqxcol_secret", "email", "phone", "balance", "score", "visit", "day", "flag", "tags", "info", "attrs")))
TWINS = {
    "clerk": {"patients": f"select {SHOWN} from clinic.patients where region = 'north'",
              "big": "select g, n, 'm' as label, h from clinic.big where g = 1",
              "visits": "select * from clinic.visits where region = 'north'",
              "orders": "select * from clinic.orders where region = 'north'"},
    "both": {"patients": f"select {CELLS} from clinic.patients",
             "big": "select g, n, case when g = 1 then label end as label, case when g = 1 then h end as h from clinic.big",
             "visits": "select * from clinic.visits where region = 'north'",
             "orders": "select * from clinic.orders where false"},
}


def read(root, sql):
    root.execute(sql)
    return repr(root.fetchall())


class GovernedLake:
    def __init__(self):
        self.server = TarnServer().start()
        self.keys = {}
        root = self.root = self.connect()
        for name in ("clinic", "desk", "twin_clerk", "desk_clerk", "twin_both", "desk_both"):
            root.execute(f"create schema {name}")
        self._fill(root)
        for who, tables in TWINS.items():
            self._make_twin(root, who, tables)
        self.api("PUT", "/api/v1/roles/clerk", {"grants": GRANTS["clerk"]})
        for name in ("reader", "keeper"):
            self.api("PUT", f"/api/v1/roles/{name}", {"grants": GRANTS[name]})
        account = self.server.ready.get("account", "*")
        create = [{"Effect": "Allow", "Action": "tarn:CreateTable", "Resource": f"arn:aws:tarn:*:{account}:table/desk/*"},
                  {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
                  {"Effect": "Allow", "Action": list(ALL_READS), "Resource": "*"}]
        for name, roles in {"clerk": ["clerk"], "both": ["reader", "keeper"]}.items():
            self.api("POST", "/api/v1/users", {"name": name, "roles": roles, "attributes": {"region": "north"},
                                               "policies": {"p": {"Version": "2012-10-17", "Statement": create}}})
            made = self.api("POST", f"/api/v1/users/{name}/keys", {})
            self.keys[name] = (made["access_key_id"], made["secret_access_key"])

    @staticmethod
    def _fill(root):
        root.execute(f"create table clinic.patients ({COLUMNS})")
        root.execute("insert into clinic.patients values " + ",".join(SOUTH.format(i=i) for i in (1, 2, 3)))
        root.execute("insert into clinic.patients values " + ",".join(NORTH.format(i=i) + "," + SOUTH.format(i=i + 3) for i in (1, 2, 3)))
        root.execute("insert into clinic.patients values " + ",".join(NORTH.format(i=i) for i in (4, 5, 6, 7)))
        root.execute("delete from clinic.patients where id = 7")
        root.execute("update clinic.patients set name = 'name6' where id = 6")
        root.execute("create table clinic.big (g int, n int, label text, h text)")
        root.execute("insert into clinic.big select case when i % 2 = 0 then 1 else 2 end, case when i % 2 = 0 then i else 735600000 + i end, "
                     "'zqxvlabel' || (i % 50), case when i % 2 = 0 then 'h' || (i % 7) else 'zqxvh' || (i % 9) end from range(6000) t(i)")
        root.execute("create table clinic.visits (region text, n int, note text) partitioned by (region)")
        root.execute("insert into clinic.visits values ('north', 1, 'a'), ('north', 2, 'b'), ('zqxregion', 735700001, 'zqxvnote'), "
                     "('zqxother', 735700002, 'zqxvnote2')")
        root.execute("create table main.regions (region text, open boolean)")
        root.execute("insert into main.regions values ('north', true), ('zqxregion', false)")
        root.execute("create table clinic.orders (region text, n int)")
        root.execute("insert into clinic.orders values ('north', 1), ('zqxregion', 735800001), ('north', 3)")
        root.execute("create table clinic.staff (id int, name text)")
        root.execute("insert into clinic.staff values (1, 'name1'), (2, 'other'), (9, null)")
        root.execute("create table clinic.closed (n int, zqxcol_word text)")
        root.execute("insert into clinic.closed values (735900001, 'zqxvclosed')")
        root.execute("create table clinic.dropbox (n int, note text)")
        root.execute("insert into clinic.dropbox values (735900002, 'zqxvdrop')")
        # Rules that name what is hidden, and a numbered table.
        root.execute("alter table clinic.patients add constraint zqxcheck_pay check (zqxcol_pay > 735000000)")
        root.execute("alter table clinic.closed add constraint zqxkey_closed unique (n)")
        root.execute("alter table clinic.staff add constraint zqxref_closed foreign key (id) references clinic.closed (n)")
        root.execute("create table clinic.numbered (id serial, region text, constraint named check (region <> 'zqxregion9'))")
        root.execute("select setval('clinic.numbered_id_seq', 735900100)")
        root.execute("create view clinic.everyone as select id, name, region, balance, day from clinic.patients")
        root.execute("create view clinic.names as select name, count(*) as n from clinic.patients group by name")
        root.execute("create view clinic.payroll as select id, grade from clinic.patients")

    @staticmethod
    def _make_twin(root, who, tables):
        for name, sql in tables.items():
            # Some answers hang on the order of the rows, which nobody promised: the copy has the one that a scan mostly gives.
            scans = [read(root, sql) for _ in range(9)]
            usual = max(scans, key=scans.count)
            for _ in range(50):
                root.execute(f"create table twin_{who}.{name} as {sql}")
                if read(root, f"select * from twin_{who}.{name}") == usual:
                    break
                root.execute(f"drop table twin_{who}.{name}")
        root.execute(f"create table twin_{who}.staff as select * from clinic.staff")
        root.execute(f"create view twin_{who}.everyone as select id, name, region, balance, day from twin_{who}.patients")
        root.execute(f"create view twin_{who}.names as select name, count(*) as n from twin_{who}.patients group by name")
        for desk in ("desk", f"desk_{who}"):
            root.execute(f"create table if not exists {desk}.notes (n bigint, note text)")
            root.execute(f"create table if not exists {desk}.strict (n int not null, note text)")

    # -- doors --------------------------------------------------------------------------------------------------------

    def connect(self, who=None):
        host, port = self.server.address("postgres")
        user, secret = self.keys[who] if who else (self.server.access_key, self.server.secret_key)
        made = psycopg2.connect(host=host, port=port, user=user, password=secret, dbname="lake", connect_timeout=20)
        made.autocommit = True
        return made.cursor()

    def call(self, method, path, body=None, who=None, headers=None):
        """(status, text, headers)"""
        host, port = self.server.address("http")
        user, secret = self.keys[who] if who else (self.server.access_key, self.server.secret_key)
        connection = http.client.HTTPConnection(host, port, timeout=60)
        signed = base64.b64encode(f"{user}:{secret}".encode()).decode()
        connection.request(method, path, body=None if body is None else json.dumps(body),
                           headers={"Authorization": "Basic " + signed, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text, answer.headers

    def api(self, method, path, body=None, who=None):
        status, text, _ = self.call(method, path, body, who)
        assert status < 300, f"{method} {path}: {status} {text[:500]}"
        return json.loads(text) if text else None

    def close(self):
        self.server.close()


def of_twin(statement, who):
    """The statement as root asks it of the copy."""
    return re.sub(r"\bdesk\b", f"desk_{who}", re.sub(r"\bclinic\b", f"twin_{who}", statement))


def as_asked(text, who):
    """What root was told of the copy, in the user's names."""
    if isinstance(text, list):
        return [as_asked(one, who) for one in text]
    if not isinstance(text, str):
        return text
    return text.replace(f"twin_{who}", "clinic").replace(f"desk_{who}", "desk")


def found_hidden(said, statement, who):
    """What of `said` must not be there; None when it is clean. What the user wrote comes back in errors and in names."""
    hidden = HIDDEN if who == "clerk" else HIDDEN_FOR_BOTH
    said = re.sub(r"^LINE \d+: .*$", "", said, flags=re.M)
    for word in sorted(set(re.findall(r"[\w-]+", statement)), key=len, reverse=True):
        if hidden.search(word):
            said = re.sub(re.escape(word), "", said, flags=re.I)
    found = hidden.search(said)
    return said[max(0, found.start() - 60):found.end() + 60] if found else None
