"""MQTT QoS 1 from outside: one client process, many connections, packets made beforehand; beside Mosquitto on the same machine."""
import contextlib
import os
import pathlib
import resource
import selectors
import shutil
import socket
import struct
import sys
import tempfile
import time

import peer

CONNECTIONS = 32
WINDOW = 100  # publishes of one connection without PUBACK
PAYLOAD = b'{"seq":%d,"read_at":"2026-11-20T10:00:00Z","grams":1234.5,"celsius":4.5}'
CONNACK_BYTES, PUBACK_BYTES = 4, 4  # MQTT 3.1.1


def text(value):
    return struct.pack(">H", len(value)) + value


def packet(first, body):
    length, size = b"", len(body)
    while True:
        size, low = size >> 7, size & 0x7f
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def connect(address, user, password, name):
    """A server that is busy for a moment (CONNACK 3) is asked again."""
    for _ in range(100):
        sock, answer = try_connect(address, user, password, name)
        if answer == b"\x20\x02\x00\x00":
            return sock
        sock.close()
        assert answer == b"\x20\x02\x00\x03", answer
        time.sleep(0.1)
    raise AssertionError("the server stays busy")


def try_connect(address, user, password, name):
    sock = socket.create_connection(address)
    flags = 0xc2 if user else 0x02
    body = text(b"MQTT") + bytes([4, flags]) + struct.pack(">H", 0) + text(name)
    sock.sendall(packet(0x10, body + (text(user) + text(password) if user else b"")))
    return sock, sock.recv(CONNACK_BYTES, socket.MSG_WAITALL)


def window_of(connection):
    topic = b"stores/%d/shelves/%d" % (connection % 8, connection)
    return b"".join(packet(0x32, text(topic) + struct.pack(">H", n + 1) + PAYLOAD % n) for n in range(WINDOW))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def publish(address, pid, seconds, user=b"", password=b""):
    """Messages that got their PUBACK: a second of the clock, and a second of the server's CPU."""
    selector = selectors.DefaultSelector()
    sockets = []
    for i in range(CONNECTIONS):
        sock = connect(address, user, password, b"bench-%d" % i)
        sockets.append(sock)
        selector.register(sock, selectors.EVENT_READ, [window_of(i), 0])
    cpu, began = cpu_seconds(pid), time.monotonic()
    for sock in sockets:
        sock.sendall(selector.get_key(sock).data[0])
    acknowledged = 0
    while time.monotonic() - began < seconds:
        for key, _ in selector.select(1):
            read = len(key.fileobj.recv(65536))
            assert read, "the server closed a connection"
            key.data[1] += read
            if key.data[1] >= WINDOW * PUBACK_BYTES:
                key.data[1] -= WINDOW * PUBACK_BYTES
                acknowledged += WINDOW
                key.fileobj.sendall(key.data[0])
    elapsed, used = time.monotonic() - began, cpu_seconds(pid) - cpu
    for sock in sockets:
        sock.close()
    return acknowledged / elapsed, acknowledged / used


@contextlib.contextmanager
def mosquitto():
    """(address, pid) of a Mosquitto of its own, that keeps nothing on disk; None when it is not installed."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        yield None
        return
    port = peer.free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = pathlib.Path(folder) / "mosquitto.conf"
        conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 0\n"
                        "max_queued_messages 0\nlog_type error\n")
        with peer.running([program, "-c", str(conf)], port) as process:
            yield ("127.0.0.1", port), process.pid


def measure(runs, seconds=4):
    """(ours, Mosquitto's) as lists of (per second, per CPU second); the second is empty without Mosquitto."""
    from tarn_server import TarnServer
    ours, theirs = [], []
    with TarnServer() as server, mosquitto() as peer:
        for _ in range(runs):
            ours.append(publish(server.address("mqtt"), server.ready["pid"], seconds, server.access_key.encode(),
                                server.secret_key.encode()))
            if peer:
                theirs.append(publish(*peer, seconds))
    return ours, theirs


def crowd(count=10_000):
    """KiB of the server's memory for each of so many idle connections."""
    from tarn_server import TarnServer
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(count, most - 200) - 50  # the door takes 10,000, and the first ones are among them
    with TarnServer() as server:
        address, key = server.address("mqtt"), (server.access_key.encode(), server.secret_key.encode())
        first = [connect(address, *key, b"crowd-%d" % i) for i in range(50)]  # what the first ones need once
        before = resident_kib(server.ready["pid"])
        socks = [connect(address, *key, b"bench-%d" % i) for i in range(count)]
        used = resident_kib(server.ready["pid"]) - before
        for sock in first + socks:
            sock.close()
    return used / count, count


def resident_kib(pid):
    return int(pathlib.Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0])


def puback_waits(count=1000):
    """Milliseconds of one publish at a time, and of a bare 4 KiB write with fdatasync on the same disk, in turn."""
    from tarn_server import TarnServer
    ours, bare = [], []
    with TarnServer() as server, open(server.folder / "bare", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, (count + 1) * 4096)
        os.fdatasync(file.fileno())
        sock = connect(server.address("mqtt"), server.access_key.encode(), server.secret_key.encode(), b"bench-latency")
        for n in range(count):
            began = time.monotonic()
            sock.sendall(packet(0x32, text(b"stores/1/shelves/1") + struct.pack(">H", n + 1) + PAYLOAD % n))
            sock.recv(PUBACK_BYTES, socket.MSG_WAITALL)
            between = time.monotonic()
            os.pwrite(file.fileno(), b"x" * 4096, n * 4096)
            os.fdatasync(file.fileno())
            ours.append((between - began) * 1000)
            bare.append((time.monotonic() - between) * 1000)
        sock.close()
    return sorted(ours), sorted(bare)


def paced(address, user, password, rate, seconds, body=PAYLOAD):
    """Publishes at a rate, a hundred at a time, and reads the PUBACKs; the number that was acknowledged."""
    socks = [connect(address, user, password, b"paced-%d" % i) for i in range(CONNECTIONS)]
    windows = [b"".join(packet(0x32, text(b"stores/%d/shelves/%d" % (c % 8, c)) + struct.pack(">H", n + 1) + body % n)
                        for n in range(WINDOW)) for c in range(CONNECTIONS)]
    sent, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        turn = sent // WINDOW % CONNECTIONS
        if sent >= WINDOW * CONNECTIONS:  # this connection's window of the round before
            socks[turn].recv(WINDOW * PUBACK_BYTES, socket.MSG_WAITALL)
        socks[turn].sendall(windows[turn])
        sent += WINDOW
        time.sleep(max(0, sent / rate - (time.monotonic() - began)))
    return sent / (time.monotonic() - began)


LAKEFILE = """
lake: bench
timezone: UTC
sources:
  shelves:
    mqtt: stores/{store_id}/shelves/{shelf_id}
    columns: {seq: bigint, read_at: timestamptz, grams: double, celsius: double}
    commit: 50ms
"""


def count(cursor):
    cursor.execute("select count(*) from shelves")
    return cursor.fetchone()[0]


def landing(runs, seconds=4):
    """Readings that are rows of a table, per CPU second of the whole way; and the milliseconds from a PUBACK to the row."""
    from tarn_server import TarnServer
    rates, waits = [], []
    with tempfile.TemporaryDirectory() as folder:
        lakefile = pathlib.Path(folder) / "lake.yaml"
        lakefile.write_text(LAKEFILE)
        with TarnServer(args=["--lake", lakefile]) as server:
            database = server.connect()
            cursor = database.cursor()
            key = server.access_key.encode(), server.secret_key.encode()
            for _ in range(runs):
                before, cpu = count(cursor), cpu_seconds(server.ready["pid"])
                publish(server.address("mqtt"), server.ready["pid"], seconds, *key)
                rows = -1
                while (now := count(cursor)) != rows:  # until nothing comes any more
                    rows = now
                    time.sleep(0.5)
                rates.append((rows - before) / (cpu_seconds(server.ready["pid"]) - cpu))
            sock = connect(server.address("mqtt"), *key, b"bench-latency")
            for n in range(60):
                rows = count(cursor)
                sock.sendall(packet(0x32, text(b"stores/1/shelves/1") + struct.pack(">H", n + 1) + PAYLOAD % n))
                sock.recv(PUBACK_BYTES, socket.MSG_WAITALL)
                began = time.monotonic()
                while count(cursor) == rows:
                    pass
                waits.append((time.monotonic() - began) * 1000)
                time.sleep(0.1)
            sock.close()
            database.close()
    return rates, sorted(waits)


if __name__ == "__main__":  # mqtt.py HOST PORT USER PASSWORD RATE SECONDS: a publisher that is a process of its own
    host, port, user, password, rate, seconds = sys.argv[1:]
    print(paced((host, int(port)), user.encode(), password.encode(), float(rate), float(seconds), b'{"seq":%d,"grams":500}'))
