"""Who guesses at the console's sign-in is slowed down; who brings the right secret with each request is not."""
import base64
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "console"))
from headless_browser import Browser, missing  # noqa: E402
from tarn_server import TarnServer  # noqa: E402


def sign_in(server, user, password):
    """(status, error, seconds to wait)"""
    request = urllib.request.Request(f"http://{server.ready['http']}/api/v1/session", method="POST",
                                     data=json.dumps({"user": user, "password": password}).encode(), headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, {}, 0
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())["error"], int(refused.headers.get("Retry-After", 0))


def test_guesses_are_slowed_down():
    with TarnServer() as server:
        for _ in range(30):  # signing in costs no try
            assert sign_in(server, server.access_key, server.secret_key)[0] == 200
        begun, answers = time.monotonic(), [sign_in(server, "root", f"guess {i}") for i in range(60)]
        let_through = sum(1 for status, _, _ in answers if status == 401)
        assert 20 <= let_through <= 21 + (time.monotonic() - begun) / 3, answers
        status, error, wait = answers[-1]
        assert (status, error["code"], error["reason"]) == (429, "exhausted", "too_many_sign_ins") and 1 <= wait <= 3
        # The right secret would tell that it is right.
        assert sign_in(server, server.access_key, server.secret_key)[0] == 429
        # Who brings the secret with each request goes on.
        pair = base64.b64encode(f"{server.access_key}:{server.secret_key}".encode()).decode()
        with urllib.request.urlopen(urllib.request.Request(f"http://{server.ready['http']}/api/v1/status",
                                                           headers={"Authorization": f"Basic {pair}"}), timeout=30) as reply:
            assert reply.status == 200
        deadline = time.monotonic() + 30
        while sign_in(server, server.access_key, server.secret_key)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.5)


@pytest.mark.skipif(missing() is not None, reason=missing() or "")
def test_the_page_says_when_to_try_again():
    with TarnServer() as server, Browser() as browser:
        for i in range(24):
            sign_in(server, "root", f"guess {i}")
        browser.open(f"http://{server.ready['http']}/")
        browser.fill("Access key or user", "root")
        browser.fill("Secret", "a guess")
        browser.click("button", "Sign in")
        browser.see_text("Too many sign-ins from your address failed: try again in")
