"""A lake that follows a PostgreSQL server, for tests: the real program, a lakefile with one source `erp`, and questions to both."""
import json
import subprocess
import time

import postgres_server
from lake_api import api, send
from tarn_server import TarnServer, binary

SETTINGS = {"wal_level": "logical", "max_prepared_transactions": 20, "logical_decoding_work_mem": "'64kB'",
            "max_replication_slots": 10, "max_wal_senders": 10}


def source_server(programs=None, **settings):
    """`programs`: of another version than the installed one."""
    return postgres_server.PostgresServer(dict(SETTINGS, **settings), programs=programs)


class CaptureLake:
    def __init__(self, folder, url, tables=(), more=""):
        folder.mkdir(exist_ok=True, parents=True)
        self.lakefile = folder / "lake.yaml"
        self.declare(url, tables, more)
        (folder / "server").mkdir(exist_ok=True)
        self.server = TarnServer(folder=folder / "server", args=["--lake", self.lakefile], start_seconds=120)  # others work here, too
        self.server.start()

    def declare(self, url, tables=(), more=""):
        listed = f"    tables: [{', '.join(tables)}]\n" if tables else ""
        self.lakefile.write_text(f"lake: test\nsources:\n  erp:\n    postgres: \"{url}\"\n    follow: changes\n    commit: 100ms\n"
                                 f"{listed}{more}")

    def apply(self, url, tables=(), more=""):
        """The same lake with another declaration of the source."""
        self.declare(url, tables, more)
        self.apply_file()

    def apply_file(self):
        env = dict(self.server.client_env(), TARN_ENDPOINT="http://" + self.server.ready["http"])
        done = subprocess.run([str(binary()), "apply", str(self.lakefile), "--yes"], capture_output=True, text=True, env=env, timeout=60,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def close(self):
        self.server.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # -- questions ----------------------------------------------------------------------------------------------------

    def connect(self):
        import psycopg
        host, port = self.server.address("postgres")
        return psycopg.connect(host=host, port=port, user=self.server.access_key, password=self.server.secret_key, dbname="lake",
                               autocommit=True)

    def rows(self, sql):
        with self.connect() as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql):
        return self.rows(sql)[0][0]

    def source(self):
        answer = api(self.server, "GET", "/api/v1/sources")
        return next(one for one in answer["sources"] if one["name"] == "erp")

    def table(self, name):
        return next((one for one in self.source()["tables"] if one["table"] == f"erp.{name}"), {})

    def metrics(self):
        return send(self.server, "GET", "/metrics").body.decode()

    # -- waiting ------------------------------------------------------------------------------------------------------

    def until(self, what, seconds=30):
        """The first true answer of what(); errors of the lake count as no answer yet."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                got = what()
                if got:
                    return got
            except Exception as problem:  # not there yet
                got = problem
            assert time.monotonic() < deadline, f"{got!r}; {self.state()}\n{self.server.log_tail(60)}"
            time.sleep(0.05)

    def state(self):
        try:
            return json.dumps(self.source())[:3000]
        except Exception as problem:
            return repr(problem)

    def until_rows(self, sql, expected, seconds=30):
        """Until the lake answers so."""
        last = []

        def same():
            last[:] = [self.rows(sql)]
            return last[0] == expected
        try:
            self.until(same, seconds)
        except AssertionError as problem:
            raise AssertionError(f"{sql}: {last}, not {expected}: {problem}") from None

    def until_following(self, seconds=60):
        self.until(lambda: self.source()["state"] == "following", seconds)

    def until_error(self, *words, seconds=40):
        """Until the source's, or one of its tables', words hold all of these."""
        def said():
            source = self.source()
            texts = [source.get("last_error") or ""] + [
                " ".join(str(table.get(key) or "") for key in ("last_error", "paused", "note")) for table in source["tables"]]
            return next((text for text in texts if all(word in text for word in words)), None)
        return self.until(said, seconds)
