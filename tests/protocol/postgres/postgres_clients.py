"""Connecting to the PostgreSQL door as root."""
import contextlib

import psycopg2


def parameters(tarn, **more):
    host, port = tarn.address("postgres")
    return dict(dict(host=host, port=port, user=tarn.access_key, password=tarn.secret_key, dbname="lake",
                     connect_timeout=10), **more)


def connect(tarn, **more):
    return psycopg2.connect(**parameters(tarn, **more))


@contextlib.contextmanager
def in_schema(schema, connections):
    """A cursor of each, in a new schema of that name; it goes with all that is in it, and the connections end."""
    for each in connections:
        each.autocommit = True
        each.cursor().execute(f"create schema {schema}; set search_path to {schema}")
    yield [each.cursor() for each in connections]
    for each in connections:
        each.rollback()
        each.autocommit = True
        each.cursor().execute(f"drop schema {schema} cascade")
        each.close()


def beside(tarn, postgres):
    """Connections to Tarn and, where there is one, to the PostgreSQL that it is compared with."""
    return [connect(tarn)] + ([psycopg2.connect(postgres.url)] if postgres else [])


def asked(cursor, sql, parameters=None):
    cursor.execute(sql, parameters)
    return cursor.fetchall()
