"""The protocol by hand, for what no client would send."""
import base64
import hashlib
import hmac
import os
import socket
import struct


def framed(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def startup(version=196608, **parameters):
    body = struct.pack("!i", version)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    return framed(b"", body + b"\0")


def query(sql):
    return framed(b"Q", sql.encode() + b"\0")


class Wire:
    def __init__(self, tarn, timeout=10):
        self.socket = socket.create_connection(tarn.address("postgres"), timeout=timeout)
        self.tarn = tarn

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError(f"closed after {data!r}")
            data += piece
        return data

    def message(self):
        kind = self.exactly(1)
        (size,) = struct.unpack("!i", self.exactly(4))
        return kind, self.exactly(size - 4)

    def until_ready(self):
        messages = []
        while not messages or messages[-1][0] != b"Z":
            messages.append(self.message())
        return messages

    def error(self):
        """The next message is an error: its fields."""
        kind, body = self.message()
        assert kind == b"E", (kind, body)
        return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}

    def closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def sign_in(self, user=None, password=None):
        """SCRAM-SHA-256 (RFC 5802). Returns the messages up to ReadyForQuery."""
        self.send(startup(user=user or self.tarn.access_key, database="lake"))
        assert self.message()[0] == b"R"
        bare = "n=,r=" + base64.b64encode(os.urandom(18)).decode()
        first = ("n,," + bare).encode()
        self.send(framed(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first))
        kind, body = self.message()
        assert kind == b"R", body
        challenge = body[4:].decode()
        parts = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", (password or self.tarn.secret_key).encode(),
                                     base64.b64decode(parts["s"]), int(parts["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = "c=biws,r=" + parts["r"]
        signature = hmac.digest(hashlib.sha256(key).digest(), f"{bare},{challenge},{final}".encode(), "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature))).decode()
        self.send(framed(b"p", f"{final},p={proof}".encode()))
        return self.until_ready()
