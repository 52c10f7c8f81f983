"""What a row filter and masks cost: the same answer asked by a user whose grants hide the rest, and by root who writes the filter and
the masks into the query. CPU time of the server, interleaved; also a table without restrictions, planning of many files, short statements.

    sql_governed.py [ROWS] [ROUNDS]
"""
import base64
import json
import os
import pathlib
import statistics
import sys
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))

import psycopg2  # noqa: E402
from tarn_server import TarnServer  # noqa: E402

FILTER = "region = 'north'"
# name -> (asked by the user, asked by root, goal: ratio of CPU time)
PAIRS = {
    "sum of a number": ("select sum(n) from facts", f"select sum(n) from facts where {FILTER}", 1.10),
    "sums of numbers": ("select sum(n), max(d), max(k) from facts", f"select sum(n), max(d), max(k) from facts where {FILTER}", 1.10),
    "filter on a number": ("select count(*) from facts where n % 7 = 3", f"select count(*) from facts where n % 7 = 3 and {FILTER}", 1.10),
    "group by a number": ("select k % 100, sum(n) from facts group by 1", f"select k % 100, sum(n) from facts where {FILTER} group by 1", 1.10),
    "point look-up": ("select n, d from facts where id = {id}", "select n, d from facts where id = {id} and " + FILTER, 1.10),
    "group by a text": ("select shop, count(*) from facts group by 1", f"select shop, count(*) from facts where {FILTER} group by 1", 2.0),
    "group by a masked text": ("select mail, count(*) from facts group by 1",
                               f"select left(mail, 1) || '***', count(*) from facts where {FILTER} group by 1", 2.0),
    "no restriction": ("select sum(n), max(d) from open_facts", "select sum(n), max(d) from open_facts", 1.02),
}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            pass
    return total / 1e9 if total else int(fields[0]) / 1e9


class Asker:
    def __init__(self, server, key):
        host, port = server.address("postgres")
        self.pid = server.process.pid
        made = psycopg2.connect(host=host, port=port, user=key[0], password=key[1], dbname="lake")
        made.autocommit = True
        self.cursor = made.cursor()

    def ask(self, sql, times=1):
        """(rows, milliseconds of the server's CPU, milliseconds on the clock) of one."""
        before, begun = cpu_seconds(self.pid), time.perf_counter()
        for _ in range(times):
            self.cursor.execute(sql)
            rows = self.cursor.fetchall()
        took = time.perf_counter() - begun  # before the threads are asked, which takes milliseconds
        return rows, (cpu_seconds(self.pid) - before) * 1000 / times, took * 1000 / times


def api(server, method, path, body):
    request = urllib.request.Request(f"http://{server.ready['http']}{path}", method=method, data=json.dumps(body).encode())
    signed = base64.b64encode(f"{server.access_key}:{server.secret_key}".encode()).decode()
    request.add_header("Authorization", "Basic " + signed)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def fill(server, root, rows):
    columns = ("i as id, (hash(i) % 1000000)::int as n, (hash(i, 1) % 1000000)::double / 7 as d, (hash(i, 2) % 5000)::int as k, "
               "case when hash(i, 3) % 10 < 9 then 'north' else 'south' end as region, 'shop ' || hash(i, 4) % 300 as shop, "
               "'someone' || hash(i, 5) % 1000 || '@example.com' as mail")
    root.cursor.execute(f"create table facts as select {columns} from range({rows}) t(i)")
    root.cursor.execute("create table open_facts as select * from facts")
    api(server, "PUT", "/api/v1/roles/part", {"grants": {
        "main.facts": {"rows": FILTER, "masks": {"mail": "left(mail, 1) || '***'"}}, "main.open_facts": {}, "main.files": {}}})
    api(server, "POST", "/api/v1/users", {"name": "part", "roles": ["part"]})
    made = api(server, "POST", "/api/v1/users/part/keys", {})
    return Asker(server, (made["access_key_id"], made["secret_access_key"]))


def compare(user, root, rows, rounds):
    out = []
    for name, (asked, by_root, goal) in PAIRS.items():
        asked, by_root = asked.format(id=rows // 2 + 1), by_root.format(id=rows // 2 + 1)
        times = 20 if "look-up" in name else 1
        told, wanted = user.ask(asked)[0], root.ask(by_root)[0]
        assert sorted(map(repr, told)) == sorted(map(repr, wanted)), name
        ours, peer, clock = [], [], []
        for _ in range(rounds):
            peer.append(root.ask(by_root, times)[1])
            _, cpu, wall = user.ask(asked, times)
            ours.append(cpu)
            clock.append(wall)
        ratio = statistics.median(ours) / statistics.median(peer)
        out.append((name, statistics.median(ours), statistics.median(peer), ratio, goal))
        print(f"{name:24} governed {statistics.median(ours):8.2f} ms CPU, root {statistics.median(peer):8.2f} ms CPU, ratio {ratio:.2f} "
              f"(goal {goal:.2f}), {min(clock):.2f} ms on the clock at best", flush=True)
    return out


def short_statements(root, times=300):
    for sql in ("select 1", "select n from open_facts where id = 7"):
        spent = sorted(root.ask(sql)[2] for _ in range(times))
        cpu = root.ask(sql, times)[1]
        print(f"{sql:40} p50 {spent[times // 2]:.2f} ms, least {spent[0]:.2f} ms, {cpu:.2f} ms CPU", flush=True)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    with TarnServer() as server:
        root = Asker(server, (server.access_key, server.secret_key))
        user = fill(server, root, rows)
        print(f"{rows} rows, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        compare(user, root, rows, rounds)
        short_statements(root)


if __name__ == "__main__":
    main()
