"""The HTTP API of a running server, asked as root or as somebody else; and waiting for what comes to be."""
import base64
import http.client
import json
import time
import typing


class Answer(typing.NamedTuple):
    status: int
    body: bytes
    headers: http.client.HTTPMessage

    def json(self):
        return json.loads(self.body) if self.body else None


def send(server, method, path, body=None, key=None, headers=None):
    """`body`: bytes as they are, else JSON. `key`: (access key id, secret); None is root, False nobody."""
    host, port = server.address("http")
    sent = dict(headers or {})
    if key is not False:
        pair = ":".join(key or (server.access_key, server.secret_key)).encode()
        sent["Authorization"] = "Basic " + base64.b64encode(pair).decode()
    connection = http.client.HTTPConnection(host, port, timeout=60)
    try:
        connection.request(method, path, body=body if body is None or isinstance(body, bytes) else json.dumps(body), headers=sent)
        response = connection.getresponse()
        return Answer(response.status, response.read(), response.headers)
    finally:
        connection.close()


def api(server, method, path, body=None, key=None):
    """The JSON of an answer that has to be a good one."""
    answer = send(server, method, path, body, key)
    assert answer.status < 300, f"{method} {path}: {answer.status} {answer.body[:600]}"
    return answer.json()


def until(read, seconds=90, what="it"):
    """What read() gives, once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := read()):
        assert time.monotonic() < deadline, f"{what} did not come to be within {seconds} s"
        time.sleep(0.03)
    return found
