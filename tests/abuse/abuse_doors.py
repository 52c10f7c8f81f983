"""The doors as an attacker sees them, one line each: a new door joins all tests of this folder by a line in DOORS."""
import dataclasses
import socket
import ssl
import struct
import threading
import time
import urllib.request

import psycopg2


def pg_packet(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


PG_STARTUP = pg_packet(b"", struct.pack("!i", 196608) + b"user\0root\0database\0lake\0\0")
MQTT_CONNECT = b"\x10\x40\x00\x04MQTT\x05\xc2\x00\x3c\x00\x00\x04name"  # 64 bytes are announced
HEAD = b"GET /nothing HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY = b"PUT /a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
CHUNK = b"POST /a/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfff0\r\n"


@dataclasses.dataclass
class Door:
    """`slow`: what: bytes that begin well; another one a second, and the message never ends. `seconds`: by then the server
    must have hung up. `first`: a byte that opens a conversation, for connections that then say nothing."""
    name: str
    address: str
    slow: dict
    seconds: int = 45
    first: bytes = b""
    tls: bool = False

    def connect(self, tarn, timeout=60):
        return socket.create_connection(tarn.address(self.address), timeout=timeout)


DOORS = [
    Door("aws", "aws", {"nothing": b"", "head": HEAD, "body": BODY, "chunk": CHUNK}, seconds=90, first=b"G"),
    Door("http", "http", {"nothing": b"", "head": HEAD, "body": BODY, "chunk": CHUNK}, seconds=90, first=b"G"),
    Door("postgres", "postgres", {"nothing": b"", "start-up": PG_STARTUP[:8], "password": PG_STARTUP + b"p\0\0\0\x50SCRAM"}, first=b"\0"),
    Door("mqtt", "mqtt", {"nothing": b"", "connect": MQTT_CONNECT}, first=b"\x10"),
]
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # a handshake of 512 bytes that does not come
TLS_DOORS = [Door(f"{door.name} by TLS", door.address, {"handshake": TLS_HELLO}, tls=True) for door in DOORS if door.name != "postgres"]
TLS_DOORS.append(Door("postgres by TLS", "postgres", {"handshake": pg_packet(b"", struct.pack("!i", 80877103)) + TLS_HELLO}, tls=True))


def memory_kb(tarn, what="VmRSS"):
    with open(f"/proc/{tarn.process.pid}/status") as status:
        for line in status:
            if line.startswith(what + ":"):
                return int(line.split()[1])
    raise AssertionError(f"no {what} in /proc")


class Probe(threading.Thread):
    """A well-behaved client of every door, over and over: nothing of it may fail, and `slowest` says how long one round took."""

    def __init__(self, tarn, pause=0.05):
        super().__init__(daemon=True)
        self.tarn, self.pause, self.times, self.failed = tarn, pause, [], None
        self.ending = threading.Event()

    def run(self):
        try:
            host, port = self.tarn.address("postgres")
            cursor = psycopg2.connect(host=host, port=port, user=self.tarn.access_key, password=self.tarn.secret_key, dbname="lake").cursor()
            while not self.ending.wait(self.pause):
                began = time.monotonic()
                for door in ("aws", "http"):
                    with urllib.request.urlopen(f"http://{self.tarn.ready[door]}/healthz", timeout=30) if door == "http" else \
                            self.signed_get() as answer:
                        assert answer.status == 200
                cursor.execute("select 40 + 2")
                assert cursor.fetchall() == [(42,)]
                cursor.connection.rollback()
                self.times.append(time.monotonic() - began)
        except BaseException as error:  # noqa: BLE001
            self.failed = error

    def signed_get(self):
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        request = AWSRequest("GET", self.tarn.endpoint + "/")
        S3SigV4Auth(Credentials(self.tarn.access_key, self.tarn.secret_key), "s3", "us-east-1").add_auth(request)
        return urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers)), timeout=30)

    def __enter__(self):
        self.start()
        deadline = time.monotonic() + 60
        while not self.times and not self.failed:
            assert time.monotonic() < deadline, "the probe got no answer before the attack"
            time.sleep(0.02)
        return self

    def __exit__(self, kind, *_):
        self.ending.set()
        self.join(60)
        if kind is None:
            assert self.failed is None, f"another client was troubled: {self.failed!r}"
            assert self.tarn.alive()

    @property
    def slowest(self):
        return max(self.times)

    def at(self, share):
        times = sorted(self.times)
        return times[min(int(len(times) * share), len(times) - 1)]


def tls_wrap(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def until_closed(connection, seconds):
    """What the server said before it hung up; None when it did not within that time."""
    said = b""
    connection.settimeout(seconds)
    try:
        while piece := connection.recv(65536):
            said += piece
    except TimeoutError:
        return None
    except OSError:
        pass  # reset
    return said


