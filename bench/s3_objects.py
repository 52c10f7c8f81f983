"""The S3 door beside its peers and limits: a bare group-commit log, nginx's sendfile, one core's MD5. Interleaved, medians."""
import hashlib
import os
import re
import selectors
import socket
import statistics
import time

import nginx
from load import Signer, cpu_seconds, keys_of, make_bucket, script_of, wrk

LARGE = 64 << 20
PREFIXES = 1000
LISTED = 1_000_000
FILL_CONNECTIONS, FILL_WINDOW = 16, 64


def small(runs, bare_log_rate, seconds=4):
    """Medians of 4 KiB objects over 64 connections: {name: figure}."""
    from tarn_server import TarnServer
    found = {name: [] for name in ("put", "bare log", "get", "nginx", "put cpu", "get cpu", "put client", "get client")}
    body = b"x" * 4096
    with TarnServer() as server, nginx.serving({f"bench/{key}": body for key in keys_of()}) as peer:
        client = make_bucket(server)
        for key in keys_of():
            client.put_object(Bucket="bench", Key=key, Body=body)
        signer, pid = Signer(server), server.ready["pid"]
        put, get = (script_of(signer, method, keys_of(), len(body)) for method in ("PUT", "GET"))
        for _ in range(runs):
            found["bare log"].append(bare_log_rate())
            for name, script in (("put", put), ("get", get)):
                cpu = cpu_seconds(pid)
                rate, _, own = wrk(server.endpoint, script, 64, seconds)
                found[name].append(rate)
                found[f"{name} cpu"].append((cpu_seconds(pid) - cpu) / (rate * seconds) * 1e6)
                found[f"{name} client"].append(own / (rate * seconds) * 1e6)
            if peer:
                found["nginx"].append(wrk(peer, get, 64, seconds)[0])
    return {name: statistics.median(values) for name, values in found.items() if values}


def put_large(server, signer, body):
    """Seconds from the first byte to the answer, on one connection."""
    host, port = server.address("aws")
    with socket.create_connection((host, port)) as sock:
        head = signer.request("PUT", "/bench/large", length=len(body))
        began = time.monotonic()
        sock.sendall(head)
        sock.sendall(body)
        answer = sock.recv(65536)
        took = time.monotonic() - began
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return took


def large(runs, seconds=4):
    """Medians of bytes a second of 64 MiB objects: {name: figure}."""
    from tarn_server import TarnServer
    found = {name: [] for name in ("put", "md5", "get", "nginx")}
    body = os.urandom(LARGE)
    with TarnServer() as server, nginx.serving({"bench/large": body}) as peer:
        make_bucket(server)
        signer = Signer(server)
        get = script_of(signer, "GET", ["large"], 0)
        for _ in range(runs):
            began = time.monotonic()
            hashlib.md5(body)
            found["md5"].append(LARGE / (time.monotonic() - began))
            found["put"].append(LARGE / put_large(server, signer, body))
            found["get"].append(wrk(server.endpoint, get, 2, seconds)[1])
            if peer:
                found["nginx"].append(wrk(peer, get, 2, seconds)[1])
    return {name: statistics.median(values) for name, values in found.items() if values}


class Filler:
    """Puts empty objects over a few connections, many requests on each before it waits."""

    def __init__(self, server, signer, paths):
        self.signer, self.paths, self.left = signer, iter(paths), 0
        self.selector = selectors.DefaultSelector()
        for _ in range(FILL_CONNECTIONS):
            sock = socket.create_connection(server.address("aws"))
            if self.send(sock):
                self.selector.register(sock, selectors.EVENT_READ, [0, b""])

    def send(self, sock):
        requests = [self.signer.request("PUT", path, length=0) for _, path in zip(range(FILL_WINDOW), self.paths)]
        if requests:
            sock.sendall(b"".join(requests))
            self.left += len(requests)
        return len(requests)

    def run(self):
        waits = {key.fd: FILL_WINDOW for key in self.selector.get_map().values()}
        while self.left:
            for key, _ in self.selector.select(30):
                data = key.data[1] + key.fileobj.recv(1 << 16)
                lines = re.findall(rb"HTTP/1\.1 (\d+)", data[:-8])
                assert all(status == b"200" for status in lines), data[:500]
                key.data[:] = [key.data[0] + len(lines), data[-8:]]
                self.left -= len(lines)
                waits[key.fd] -= len(lines)
                if waits[key.fd] <= 0 and self.left >= 0:
                    waits[key.fd] = self.send(key.fileobj)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def fetch(sock, request):
    """A whole answer's body."""
    sock.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(1 << 20)
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), data[:500]
    length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    pieces, size = [body], len(body)
    while size < length:
        pieces.append(sock.recv(1 << 20))
        size += len(pieces[-1])
    return b"".join(pieces)


def list_all(server, signer):
    """Seconds of all pages, the number of keys."""
    keys, token = 0, None
    with socket.create_connection(server.address("aws")) as sock:
        began = time.monotonic()
        while True:
            query = {"list-type": "2", "max-keys": "1000", **({"continuation-token": token} if token else {})}
            page = fetch(sock, signer.request("GET", "/bench", query))
            keys += page.count(b"<Key>")
            more = re.search(rb"<NextContinuationToken>(.*?)</NextContinuationToken>", page)
            if not more:
                return time.monotonic() - began, keys
            token = more.group(1).decode()


def list_prefixes(server, signer):
    with socket.create_connection(server.address("aws")) as sock:
        began = time.monotonic()
        page = fetch(sock, signer.request("GET", "/bench", {"list-type": "2", "delimiter": "/"}))
        took = time.monotonic() - began
    assert page.count(b"<CommonPrefixes>") == PREFIXES, page[:300]
    return took


def many(runs, count=LISTED):
    """A bucket of a million keys under a thousand prefixes: {name: seconds}."""
    from tarn_server import TarnServer
    found = {name: [] for name in ("all", "prefixes", "start", "start after a kill")}
    with TarnServer(start_seconds=120) as server:
        make_bucket(server)
        signer = Signer(server)
        Filler(server, signer, (f"/bench/p{i % PREFIXES:03d}/k{i:07d}" for i in range(count))).run()
        for name, crash in (("start after a kill", True), ("start", False)):
            for _ in range(runs):
                server.kill() if crash else server.stop(60)
                began = time.monotonic()
                server.start()
                found[name].append(time.monotonic() - began)
        signer = Signer(server)
        for _ in range(runs):
            took, keys = list_all(server, signer)
            assert keys == count, keys
            found["all"].append(took)
            found["prefixes"].append(list_prefixes(server, signer))
    return {name: statistics.median(values) for name, values in found.items()}
