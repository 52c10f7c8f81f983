"""A console session ends when nobody used it for a while, and after its time in any case."""
import http.client
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tarn_server import TarnServer  # noqa: E402

IDLE, WHOLE = 12, 28


def call(server, method, path, body=None, cookie=""):
    connection = http.client.HTTPConnection(*server.ready["http"].split(":"), timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json", "Cookie": cookie})
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("Set-Cookie", "")
    finally:
        connection.close()


def sign_in(server):
    status, cookie = call(server, "POST", "/api/v1/session", {"user": server.access_key, "password": server.secret_key})
    assert status == 200 and f"Max-Age={WHOLE}" in cookie, cookie
    return cookie.split(";")[0]


def test_a_session_ends_by_itself():
    with TarnServer(args=["--session-idle-seconds", str(IDLE), "--session-seconds", str(WHOLE)]) as server:
        begun = time.monotonic()
        used, unused = sign_in(server), sign_in(server)
        while (now := time.monotonic()) < begun + IDLE + 4:
            status, _ = call(server, "GET", "/api/v1/status", cookie=used)
            assert status == 200, f"after {now - begun:.1f} s of use"
            time.sleep(1)
        assert call(server, "GET", "/api/v1/status", cookie=unused)[0] == 401
        while time.monotonic() < begun + WHOLE + 1:
            call(server, "GET", "/api/v1/status", cookie=used)
            time.sleep(1)
        assert call(server, "GET", "/api/v1/status", cookie=used)[0] == 401
