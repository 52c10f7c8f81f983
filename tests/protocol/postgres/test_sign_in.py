"""Who gets in."""
import statistics
import subprocess
import time

import psycopg2
import pytest

from postgres_clients import connect
from tarn_server import TarnServer


def refusal(tarn, **changes):
    with pytest.raises(psycopg2.OperationalError) as raised:
        connect(tarn, **changes)
    return str(raised.value).splitlines()[0].split("FATAL:")[-1].strip()


def test_by_key_and_by_name(tarn):
    for user in (tarn.access_key, "root"):
        made = connect(tarn, user=user)
        cursor = made.cursor()
        cursor.execute("select 1")
        made.close()


def test_wrong_passwords_and_unknown_users_are_the_same(tarn):
    for user in ("root", "nobody", "AKIAAAAAAAAAAAAAAAAA"):
        assert refusal(tarn, user=user, password="wrong") == f'password authentication failed for user "{user}"'

    def apart():
        """How far the medians lie apart, of the larger one. By turns: a machine that slows down does it for both."""
        spent = {"root": [], "nobody": []}
        for _ in range(15):
            for user, times in spent.items():
                begun = time.monotonic()
                refusal(tarn, user=user, password="wrong")
                times.append(time.monotonic() - begun)
        known, unknown = (statistics.median(times) for times in spent.values())
        return abs(known - unknown) / max(known, unknown)
    assert min(apart() for _ in range(3)) < 0.5


def test_other_databases(tarn):
    assert refusal(tarn, dbname="postgres") == 'database "postgres" does not exist'


def test_unknown_settings(tarn):
    assert "nonsense" in refusal(tarn, options="-c nonsense=1")


def test_tls(tarn_binary, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem",
                    "-out", tmp_path / "certificate.pem"], check=True, capture_output=True)
    server = TarnServer(args=["--tls-certificate", tmp_path / "certificate.pem", "--tls-key", tmp_path / "key.pem"])
    try:
        server.start()
        for options in ({"sslmode": "require"}, {"sslmode": "require", "channel_binding": "require"},
                        {"sslmode": "verify-full", "sslrootcert": str(tmp_path / "certificate.pem")}):
            made = connect(server, **options)
            assert made.info.ssl_in_use
            made.cursor().execute("select 1")
            made.close()
        assert "password authentication failed" in refusal(server, sslmode="require", password="wrong")
    finally:
        server.close()


def test_no_tls_without_a_certificate(tarn):
    with pytest.raises(psycopg2.OperationalError, match="server does not support SSL"):
        connect(tarn, sslmode="require")


def test_stopping_tells_idle_clients(own_tarn):
    made = connect(own_tarn)
    made.autocommit = True
    cursor = made.cursor()
    cursor.execute("select 1")
    assert own_tarn.stop() == 0
    with pytest.raises(psycopg2.Error):
        cursor.execute("select 1")
    made.close()
