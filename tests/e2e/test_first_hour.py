"""docs/guides/first-hour.md, pasted block by block into a terminal as a newcomer does it: his own PostgreSQL, CSV and sensor. What the guide shows
is what the terminal shows, but for times. Only the addresses differ: this machine's usual ports may be taken."""
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

import postgres_server
from tarn_server import ROOT, TarnServer

sys.path.insert(0, str(ROOT / "tests" / "console"))

from console_lake import address, enter, until  # noqa: E402
from headless_browser import Browser, missing  # noqa: E402

GUIDE = ROOT / "docs" / "guides" / "first-hour.md"
pytestmark = pytest.mark.skipif(not postgres_server.available(), reason="no PostgreSQL programs here")


def blocks():
    """(kind, text) of what stands between ``` and ```, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def plain(text):
    """Lines without what changes from day to day: times, and the width of columns."""
    text = re.sub(r"\d{4}-\d\d-\d\d([ T][\d:.]+([+-]\d\d|Z))?", "<time>", text)
    return [" ".join(re.sub(r"-{3,}\+?|\+-+", "---", line).split()) for line in text.splitlines() if line.strip()]


class Terminal:
    """An interactive bash on a terminal of its own."""

    def __init__(self, home):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(HOME=str(home), PS1="", PS2="", TERM="dumb")
            os.chdir(ROOT)
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.count = 0
        self.paste("stty -echo; PS1= PS2=\n")

    def paste(self, text, answer=None):
        """Types it and answers what it printed, once its last command has ended; `answer` to what that asks."""
        os.write(self.fd, text.encode())
        asked = self._read(r"\[y/N\] ") if answer else ""
        self.count += 1
        os.write(self.fd, f"{answer or ''}printf '%s\\n' '--- end' '{self.count} '$? | paste -sd' '\n".encode())
        mark = rf"--- end {self.count} \d+\s"
        return asked + re.sub(mark, "", self._read(mark))

    def _read(self, pattern, seconds=60):
        shown, deadline = "", time.monotonic() + seconds
        while not re.search(pattern, shown):
            assert time.monotonic() < deadline, f"no {pattern} in {seconds} s; the terminal shows\n{shown}"
            if select.select([self.fd], [], [], 1)[0]:
                shown += os.read(self.fd, 65536).decode(errors="replace").replace("\r", "")
        return shown

    def close(self):
        os.close(self.fd)  # hangs up
        os.waitpid(self.pid, 0)


class Newcomer:
    """One who pastes; `here` says what stands on this machine for what the guide says."""

    def __init__(self, server, database, home):
        self.database, self.left = database, blocks()
        host, port = server.address("mqtt")
        self.here = {"$PWD/build/release/tarn": str(os.environ.get("TARN_BINARY", ROOT / "build" / "release" / "tarn")),
                     "http://127.0.0.1:8080": "http://" + server.ready["http"], "127.0.0.1:5432/shop": f"127.0.0.1:{database.port}/shop",
                     "-p 1883": f"-h {host} -p {port}"}
        self.terminal = Terminal(home)

    def text(self, kind):
        found, text = self.left.pop(0)
        assert found == kind, f"the guide has a block of {found} where {kind} was to come:\n{text}"
        for there, here in self.here.items():
            text = text.replace(there, here)
        return text

    def paste(self, answer=None):
        return self.terminal.paste(self.text("sh"), answer)

    def type(self, line):
        return self.terminal.paste(line + "\n")

    def as_owner(self):
        self.database.run(self.text("sql"))

    def paste_and_see(self, answer=None):
        """What the guide shows next is on the terminal; on a busy machine when its last line is typed again."""
        pasted = self.text("sh")
        shown, wanted, deadline = self.terminal.paste(pasted, answer), plain(self.text("text")), time.monotonic() + 30
        while unseen := [line for line in wanted if line not in plain(shown)]:
            assert time.monotonic() < deadline, f"not seen: {unseen}; the terminal shows\n{shown}"
            shown += self.type(pasted.splitlines()[-1])
        return shown


@pytest.fixture
def newcomer(tarn_binary, tmp_path):
    (tmp_path / "my-lake").mkdir()
    with postgres_server.PostgresServer({"wal_level": "replica"}) as database, TarnServer(tmp_path / "my-lake") as server:
        database.run("""
            create table customers (id int primary key, name text);
            create table orders (id bigint primary key, customer_id int references customers, placed_at timestamptz, amount numeric(10,2));
            insert into customers select i, 'customer ' || i from generate_series(1, 20) i;
            insert into orders select i, i % 20 + 1, now() - interval '1 day', i * 1.25 from generate_series(1, 500) i""")
        one = Newcomer(server, database, tmp_path)
        try:
            yield one, server
        finally:
            one.terminal.close()


def remedies(status):
    """The statements that `tarn status` asks for."""
    return set(re.findall(r"run:? ((?:ALTER|GRANT|CREATE) .*?)(?:, then restart the server)?(?:; |$)", status, re.MULTILINE))


def follows_changes(one):
    """The part in words: `follow: changes`, and what status prints done as it says."""
    one.type("sed -i 's/follow: {every: 1m}/follow: changes/; s/tables: .orders, customers./&\\n    limits: {retained_wal: 10GB}/' lake.yaml")
    assert "Applied." in one.type("tarn apply lake.yaml --yes")
    done, deadline = set(), time.monotonic() + 120
    until(lambda: "failed" in one.type("tarn status"), 30)
    while "failed" in (status := one.type("tarn status")):
        for statement in remedies(status) - done:
            one.database.run(statement)
            done.add(statement)
            if "wal_level" in statement:
                one.database.stop()
                one.database.start()
        assert time.monotonic() < deadline, f"{done} done, and still\n{status}"
        time.sleep(0.5)
    assert [word for word in ("wal_level", "REPLICATION", "CREATE PUBLICATION") if not any(word in each for each in done)] == []
    one.database.run("delete from orders where id = 500; update orders set amount = 7.77 where id = 499")
    until(lambda: "499 | 499" in plain(one.type('tarn sql "select count(*), min(id) filter (where amount = 7.77) from shop.orders"')), 60)


def test_the_first_hour_as_it_is_written(newcomer, tmp_path):
    one, server = newcomer
    one.text("sh")  # build and serve: done
    status = one.paste()
    assert "ready" in status and server.ready["postgres"] in status

    one.as_owner()
    assert "Applied." in one.paste_and_see(answer="y\n")
    count = one.text("sh")
    until(lambda: "500" in plain(one.terminal.paste(count)), 30)
    assert {statement.split()[1] for statement in one.text("sql").splitlines()} == {"system", "role"}
    follows_changes(one)

    one.paste_and_see()  # a CSV is tried
    one.paste_and_see()  # taken, with a row that does not fit
    assert "Applied." in one.paste()  # a sensor
    one.paste_and_see()
    refused = one.type("send plant/f2/temperature '{}'")
    assert "The connection was lost" in refused

    an_alert_and_a_dashboard(one, server, tmp_path)
    assert one.left == []


def an_alert_and_a_dashboard(one, server, folder):
    with open(folder / "receiver.log", "w") as log:
        port = str(postgres_server.port_for_later())
        one.here |= {"receiver.py 9000": f"receiver.py {port}", "127.0.0.1:9000": f"127.0.0.1:{port}"}
        receiver = subprocess.Popen(one.text("sh").split(), cwd=ROOT, stdout=log, stderr=log)
        try:
            assert "Applied." in one.paste()
            told = until(lambda: re.search(r"^204 (.*alert.opened.*)$", (folder / "receiver.log").read_text(), re.MULTILINE), 30)
            for part in one.text("text").strip().removeprefix("204 {").removesuffix("}").split("..."):
                assert part.strip(" ,}") in told[1]
            one.type("send plant/f1/temperature '{\"seq\": 3, \"read_at\": \"'$(date -uIs)'\", \"celsius\": -3}'")
        finally:
            receiver.terminate()
            receiver.wait()
    if missing() is None:
        with Browser() as browser:
            enter(server, browser, "/dashboards/freezers")
            browser.see("heading", "Freezers")
            browser.holds("main", "", "Warmest in the last hour")
            browser.open(address(server, "/alerts"))
            browser.holds("row", "", "f1")
            assert browser.problems() == []
