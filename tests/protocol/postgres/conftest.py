"""Clients of the PostgreSQL door."""
import os
import pathlib
import subprocess
import sys

import pytest

from postgres_clients import connect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import postgres_server  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def needs_door(tarn):
    if "postgres" not in tarn.ready:
        pytest.skip("this program has no PostgreSQL door")


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL to compare with; None where its programs are not installed."""
    if not postgres_server.available():
        yield None
        return
    with postgres_server.PostgresServer() as server:
        yield server


@pytest.fixture
def connection(tarn):
    made = connect(tarn)
    yield made
    made.close()


@pytest.fixture
def table(tarn):
    """A schema with an empty table `t (n bigint, name text, amount numeric(10,2), made timestamp)`."""
    made = connect(tarn)
    made.autocommit = True
    cursor = made.cursor()
    schema = f"s{os.urandom(6).hex()}"
    cursor.execute(f"create schema {schema}")
    cursor.execute(f"create table {schema}.t (n bigint, name text, amount decimal(10,2), made timestamp)")
    yield f"{schema}.t"
    cursor.execute(f"drop table if exists {schema}.t")
    cursor.execute(f"drop schema {schema}")
    made.close()


@pytest.fixture
def psql(tarn):
    host, port = tarn.address("postgres")
    environment = dict(os.environ, PGHOST=host, PGPORT=str(port), PGUSER=tarn.access_key, PGPASSWORD=tarn.secret_key,
                       PGDATABASE="lake", PAGER="")

    def run(*arguments, stdin="", ok=True, **env):
        done = subprocess.run(["psql", "-X", *arguments], input=stdin, env=dict(environment, **env), text=True,
                              capture_output=True, timeout=60)
        if ok:
            assert done.returncode == 0, done.stdout + done.stderr
        return done
    return run
