"""TLS at every door by one setting: 1.2 and 1.3 only, read again without a restart, a broken certificate changes nothing."""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import boto3
import botocore.config
import pytest

from lake_api import until
from authority import Authority
from tarn_server import TarnServer, binary

DOORS = ("aws", "http", "mqtt", "postgres")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(tarn_binary, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    install(authority.issue("first"), folder)
    server = TarnServer(args=["--tls-certificate", folder / "certificate.pem", "--tls-key", folder / "key.pem"])
    server.served = folder
    try:
        yield server.start()
    finally:
        server.close()


def install(pair, folder):
    for source, name in zip(pair, ("certificate.pem", "key.pem")):
        shutil.copy(source, folder / ("new-" + name))
        os.replace(folder / ("new-" + name), folder / name)


def s_client(server, door, *options):
    """(worked, all that openssl said)."""
    more = ["-starttls", "postgres"] if door == "postgres" else []
    done = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % server.address(door), *more, *options], input=b"", timeout=60,
                          capture_output=True)
    return done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")


def name_served(server, door):
    _, said = s_client(server, door)
    return said.split("subject=")[1].splitlines()[0].split("CN")[1].strip(" =") if "subject=" in said else None


OLD = ("-tls1_1", "-tls1", "-ssl3")
WEAK = ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA", "NULL", "aNULL", "3DES")


@pytest.mark.parametrize("door,old,weak", [
    pytest.param("http", OLD, WEAK, id="http"),
    *(pytest.param(door, OLD[:1], WEAK[:1], id=door) for door in ("aws", "mqtt", "postgres")),
    *(pytest.param(door, OLD, WEAK, id=door + "-all", marks=pytest.mark.long) for door in ("aws", "mqtt", "postgres"))])
def test_two_versions_and_no_other(tls, authority, door, old, weak):
    for version, name in (("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")):
        good, said = s_client(tls, door, version, "-CAfile", str(authority.ca), "-verify_return_error", "-verify_ip", "127.0.0.1")
        assert good and name in said and "Verify return code: 0" in said, said[-2000:]
    for version in old:
        # At security level 0 the client would speak it: what refuses is the server.
        good, said = s_client(tls, door, version, "-cipher", "ALL:@SECLEVEL=0")
        assert not good, (version, said[-500:])
    for cipher in weak:
        good, said = s_client(tls, door, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
        assert not good, (cipher, said[-500:])


def test_a_hello_of_tls_1_1_is_answered_by_an_alert(tls):
    """By hand, because the machine's own library may not speak it at all."""
    hello = bytes.fromhex("0302") + b"r" * 32 + b"\0" + bytes.fromhex("0004c009c0130100")
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    record = b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake
    for door in ("aws", "http", "mqtt"):
        with socket.create_connection(tls.address(door), timeout=60) as connection:
            connection.sendall(record)
            assert connection.recv(7) == bytes.fromhex("15030200020246"), "fatal alert: protocol_version"


def test_clients(tls, authority):
    host, port = tls.address("aws")
    s3 = boto3.client("s3", endpoint_url=f"https://{host}:{port}", aws_access_key_id=tls.access_key, aws_secret_access_key=tls.secret_key,
                      region_name="us-east-1", verify=str(authority.ca),
                      config=botocore.config.Config(s3={"addressing_style": "path"}))
    s3.create_bucket(Bucket="over-tls")
    s3.put_object(Bucket="over-tls", Key="k", Body=b"x" * 300_000)
    assert len(s3.get_object(Bucket="over-tls", Key="k")["Body"].read()) == 300_000

    host, port = tls.address("postgres")
    for database in (f"host=localhost port={port} sslmode=verify-full sslrootcert={authority.ca}",
                     f"host={host} port={port} sslmode=verify-full sslrootcert={authority.ca} channel_binding=require"):
        done = subprocess.run(["psql", f"{database} dbname=lake user={tls.access_key}", "-Atc", "select 40 + 2"], capture_output=True,
                              env={**os.environ, "PGPASSWORD": tls.secret_key}, timeout=60)
        assert done.stdout == b"42\n", done.stderr
    done = subprocess.run(["psql", f"host=localhost port={port} dbname=lake user={tls.access_key} sslmode=verify-full sslrootcert=system",
                           "-Atc", "select 1"], capture_output=True, env={**os.environ, "PGPASSWORD": tls.secret_key}, timeout=60)
    assert done.returncode != 0, "the test's authority is nobody's else"

    host, port = tls.address("mqtt")
    if shutil.which("mosquitto_pub"):
        done = subprocess.run(["mosquitto_pub", "-h", "localhost", "-p", str(port), "--cafile", str(authority.ca), "-u", tls.access_key, "-P",
                               tls.secret_key, "-t", "over/tls", "-m", "hello", "-q", "1", "-V", "mqttv5"], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
    if shutil.which("aws"):
        host, port = tls.address("aws")
        done = subprocess.run(["aws", "--endpoint-url", f"https://localhost:{port}", "--ca-bundle", str(authority.ca), "s3", "ls", "s3://over-tls"],
                              capture_output=True, env=tls.client_env(), timeout=60)
        assert done.returncode == 0 and b"300000" in done.stdout, done.stderr


def test_security_headers(tls, authority):
    host, port = tls.address("http")
    for path in ("/", "/sign-in", "/api/v1/status"):
        done = subprocess.run(["curl", "-sS", "-D-", "-o/dev/null", "--cacert", str(authority.ca), f"https://localhost:{port}{path}"],
                              capture_output=True, timeout=60, text=True)
        headers = dict(line.lower().split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
        assert headers["x-content-type-options"] == "nosniff", done.stdout
        if path.startswith("/api"):
            assert headers["cache-control"] == "no-store"
            continue
        assert "default-src 'none'" in headers["content-security-policy"] and "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "deny" and headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin" and "camera=()" in headers["permissions-policy"]
    token = json.dumps({"user": tls.access_key, "password": tls.secret_key})
    done = subprocess.run(["curl", "-sS", "-D-", "-o/dev/null", "--cacert", str(authority.ca), "-d", token,
                           f"https://localhost:{port}/api/v1/session"], capture_output=True, timeout=60, text=True)
    cookie = [line for line in done.stdout.splitlines() if line.lower().startswith("set-cookie")][0]
    assert "; Secure" in cookie and "; HttpOnly" in cookie and "SameSite=Strict" in cookie


def open_tls(server, authority):
    context = ssl.create_default_context(cafile=str(authority.ca))
    return context.wrap_socket(socket.create_connection(server.address("http"), timeout=60), server_hostname="127.0.0.1")


def answers(connection):
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_new_certificate_is_taken_while_connections_go_on(tls, authority):
    old = open_tls(tls, authority)
    assert answers(old)
    install(authority.issue("second"), tls.served)
    for door in DOORS:
        until(lambda: name_served(tls, door) == "second")
    assert answers(old), "what is open stays open"
    host, port = tls.address("postgres")
    done = subprocess.run(["psql", f"host={host} port={port} dbname=lake user={tls.access_key} sslmode=verify-full sslrootcert={authority.ca} "
                           "channel_binding=require", "-Atc", "select 1"], capture_output=True,
                          env={**os.environ, "PGPASSWORD": tls.secret_key}, timeout=60)
    assert done.stdout == b"1\n", done.stderr
    assert "a new TLS certificate is in use" in tls.log_text()


def test_a_broken_certificate_keeps_the_old(tls, authority):
    before = name_served(tls, "http")
    other = authority.issue("third")
    for break_it, word in ((lambda: (tls.served / "certificate.pem").write_text("no certificate"), "no PEM certificate"),
                           (lambda: shutil.copy(other[0], tls.served / "certificate.pem"), "no PEM key of that certificate"),
                           (lambda: (tls.served / "key.pem").unlink(), "can't be read")):
        said = tls.log_text().count(word)
        break_it()
        until(lambda: tls.log_text().count(word) > said)
        assert name_served(tls, "http") == before
        assert answers(open_tls(tls, authority))
    time.sleep(2.5)
    assert tls.log_text().count("can't be read") == 1, "told once"
    # SIGHUP asks for it at once, and says the same.
    tls.process.send_signal(signal.SIGHUP)
    until(lambda: "the TLS certificate stays as it was" in tls.log_text())
    install(other, tls.served)
    until(lambda: name_served(tls, "http") == "third")
    tls.process.send_signal(signal.SIGHUP)
    until(lambda: "the TLS certificate was read again" in tls.log_text())
    assert tls.alive() and answers(open_tls(tls, authority))


def test_elsewhere_than_loopback_nothing_is_readable(tarn_binary, tmp_path):
    done = subprocess.run([str(binary()), "serve", "--data", str(tmp_path / "data"), "--listen", "0.0.0.0", "--port", "aws=0,http=0,postgres=0,mqtt=0"],
                          capture_output=True, timeout=60, text=True)
    assert done.returncode == 2 and "not loopback" in done.stderr, done.stderr


def test_no_core_file(tls):
    assert os.stat(f"/proc/{tls.process.pid}").st_uid == 0
    limits = open(f"/proc/{tls.process.pid}/limits").read()
    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"], line
