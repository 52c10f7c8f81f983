"""Every kind of statement from many connections at once, cancelled and cut off: the server stays up, and nothing in it breaks."""
import contextlib
import os
import random
import threading
import time

import psycopg2
import pytest

from attacks import CHANGES, INSIDE, SELECTS, lines
from governed_lake import GovernedLake

MORE = [
    "select count(*) from information_schema.columns a join pg_catalog.pg_class b on a.table_name = b.relname, pg_catalog.pg_attribute",
    "select count(*) from clinic.big a, clinic.big b where a.n < b.n",
    "select * from clinic.big a, range(100) r(i)",
    "create table desk.made as select * from information_schema.columns",
    "drop table desk.made",
    "savepoint s",
    "release s",
    "rollback to s",
    "savepoint s;;create table desk.inside as select 1 as n;;insert into desk.inside values (2);;rollback to s;;select * from clinic.patients",
    "savepoint s;;select count(*) from clinic.big;;insert into desk.notes values (1, 'x');;rollback to s;;select * from desk.notes",
    "savepoint s;;select 1 / 0;;rollback to s;;select * from information_schema.columns",
]
CONNECTIONS = 6


@pytest.fixture(scope="module")
def lake(tarn_binary):
    made = GovernedLake()
    try:
        yield made
    finally:
        made.close()


class Client:
    """Asks until the end; what it does hangs on its seed alone."""

    def __init__(self, lake, seed, end):
        self.lake, self.end = lake, end
        self.random = random.Random(seed)
        self.statements = [statement for block in (SELECTS, INSIDE, CHANGES) for _, statement in lines(block)] + MORE
        self.connection, self.asked, self.broken = None, 0, []

    def run(self):
        while time.monotonic() < self.end and self.lake.server.process.poll() is None:
            if self.connection is None or self.random.random() < 0.02:
                self.connect()
            statement = self.random.choice(self.statements)
            try:
                self.ask(statement)
            except psycopg2.Error as error:
                if error.pgcode == "XX000" or "INTERNAL" in str(error):
                    self.broken.append(f"{statement}: {error}")
                with contextlib.suppress(psycopg2.Error):
                    self.connection.rollback()
                if self.connection.closed:
                    self.connection = None

    def connect(self):
        """A new connection; the old one is closed or, as often, cut off."""
        if self.connection is not None and self.random.random() < 0.5:
            self.connection.close()
        self.connection = self.lake.connect(self.random.choice(("clerk", "both", None))).connection
        self.connection.autocommit = self.random.random() < 0.5

    def ask(self, statement):
        in_portal = not self.connection.autocommit and self.random.random() < 0.3
        cursor = self.connection.cursor(f"c{self.asked}" if in_portal else None)
        if self.random.random() < 0.15:
            threading.Timer(self.random.random() * 0.03, self.cancel, [self.connection]).start()
        for one in statement.split(";;"):
            self.asked += 1
            cursor.execute(one.strip())
            if cursor.description:
                cursor.fetchmany(self.random.choice((1, 10, 1000)))
        if self.random.random() < 0.5:
            self.random.choice((self.connection.rollback, self.connection.commit))()

    @staticmethod
    def cancel(connection):
        with contextlib.suppress(psycopg2.Error):
            connection.cancel()


def all_at_once(lake, seed, seconds):
    end = time.monotonic() + seconds
    clients = [Client(lake, seed * 100 + number, end) for number in range(CONNECTIONS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lake.server.process.poll() is None, f"the server died:\n{lake.server.log_tail(30)}"
    assert not [broken for client in clients for broken in client.broken]
    assert all(client.asked > 20 for client in clients), [client.asked for client in clients]


def test_for_a_moment(lake):
    all_at_once(lake, seed=1, seconds=10)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 2 + int(os.environ.get("TARN_SEEDS", "6"))))
def test_for_minutes(lake, seed):
    all_at_once(lake, seed, seconds=120)
