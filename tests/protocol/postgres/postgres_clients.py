"""Connecting to the PostgreSQL door as root."""
import psycopg2


def parameters(tarn, **more):
    host, port = tarn.address("postgres")
    return dict(dict(host=host, port=port, user=tarn.access_key, password=tarn.secret_key, dbname="lake",
                     connect_timeout=10), **more)


def connect(tarn, **more):
    return psycopg2.connect(**parameters(tarn, **more))
