"""Clients that take their time: who begins and does not go on is sent away, and nobody else waits for them."""
import selectors
import socket
import subprocess
import time

import pytest

from abuse_doors import DOORS, TLS_DOORS, HEAD, Probe, memory_kb
from tarn_server import TarnServer


@pytest.fixture(scope="module")
def secure(tarn_binary, tmp_path_factory):
    """A server with a certificate: every door takes TLS and, on loopback, plain connections too."""
    folder = tmp_path_factory.mktemp("slow")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    server = TarnServer(folder=folder, args=["--tls-certificate", folder / "cert.pem", "--tls-key", folder / "key.pem"])
    try:
        yield server.start()
    finally:
        server.close()


@pytest.mark.long
def test_one_byte_a_second(secure):
    """Every way to begin slowly at once, ten clients each: all are gone in time, and the others were served meanwhile."""
    ways = [(door, what, bytes_) for door in DOORS + TLS_DOORS for what, bytes_ in door.slow.items() for _ in range(10)]
    before = memory_kb(secure)
    with Probe(secure) as probe, selectors.DefaultSelector() as selector:
        began, open_ = time.monotonic(), {}
        for door, what, bytes_ in ways:
            connection = door.connect(secure)
            if bytes_:
                connection.sendall(bytes_)
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
            open_[connection] = (door, what)
        took, drip = {}, time.monotonic()
        while open_ and time.monotonic() - began < 120:
            for key, _ in selector.select(0.2):
                try:
                    if key.fileobj.recv(65536):
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                door, what = open_.pop(key.fileobj)
                selector.unregister(key.fileobj)
                key.fileobj.close()
                took[door.name, what] = time.monotonic() - began
            if time.monotonic() - drip >= 1:
                drip = time.monotonic()
                for connection, (door, what) in list(open_.items()):
                    if what != "nothing":
                        try:
                            connection.send(b"a")
                        except OSError:
                            pass  # it is being closed: the next look sees it
        left = sorted({(door.name, what) for door, what in open_.values()})
        assert not left, f"still open after 120 s: {left}"
    late = {way: round(seconds) for way, seconds in took.items() if seconds > next(d for d in DOORS + TLS_DOORS if d.name == way[0]).seconds}
    print(f"{len(ways)} slow clients, gone after {min(took.values()):.0f} to {max(took.values()):.0f} s; others: median "
          f"{probe.at(0.5) * 1000:.0f} ms, slowest {probe.slowest * 1000:.0f} ms; memory {before} -> {memory_kb(secure)} kB")
    assert not late, late
    assert probe.slowest < 10


def slow_put(tarn, size):
    """A signed upload of `size` bytes, of which one comes."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest("PUT", f"{tarn.endpoint}/slow/k", headers={"Content-Length": str(size), "x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    S3SigV4Auth(Credentials(tarn.access_key, tarn.secret_key), "s3", "us-east-1").add_auth(request)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    connection = socket.create_connection(tarn.address("aws"), timeout=60)
    connection.sendall(f"PUT /slow/k HTTP/1.1\r\nHost: {tarn.ready['aws']}\r\n{head}\r\nx".encode())
    return connection


def test_slow_transfers_leave_room(own_tarn):
    """More uploads and downloads that hardly move than the server has threads for requests: others are served all the same."""
    import boto3
    s3 = boto3.client("s3", endpoint_url=own_tarn.endpoint, aws_access_key_id=own_tarn.access_key,
                      aws_secret_access_key=own_tarn.secret_key, region_name="us-east-1")
    s3.create_bucket(Bucket="slow")
    s3.put_object(Bucket="slow", Key="large", Body=bytes(16 << 20))
    url = s3.generate_presigned_url("get_object", {"Bucket": "slow", "Key": "large"})
    path = url[len(own_tarn.endpoint):]
    held = []
    try:
        with Probe(own_tarn) as probe:
            for _ in range(100):
                held.append(slow_put(own_tarn, 10 << 20))
                reader = socket.socket()
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                reader.connect(own_tarn.address("aws"))
                reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {own_tarn.ready['aws']}\r\n\r\n".encode())
                held.append(reader)
            rounds = len(probe.times)
            deadline = time.monotonic() + 20
            while len(probe.times) < rounds + 5 and time.monotonic() < deadline and not probe.failed:
                time.sleep(0.05)
            print(f"{len(held)} slow transfers; others: {len(probe.times) - rounds} rounds, slowest {probe.slowest * 1000:.0f} ms, "
                  f"memory {memory_kb(own_tarn)} kB")
            assert len(probe.times) >= rounds + 5, "others wait for the slow ones"
    finally:
        for connection in held:
            connection.close()


def test_half_closed(own_tarn):
    """A client that closes its direction in the middle of what it says: an answer or the end, at once."""
    for door in DOORS:
        for what, bytes_ in door.slow.items():
            with door.connect(own_tarn) as connection:
                connection.sendall(bytes_)
                connection.shutdown(socket.SHUT_WR)
                began = time.monotonic()
                while connection.recv(65536):
                    pass
                assert time.monotonic() - began < 5, (door.name, what)
    with DOORS[0].connect(own_tarn) as connection:  # the whole request was said: it gets its answer
        connection.sendall(HEAD + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")
