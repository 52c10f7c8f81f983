"""A receiver of webhooks for tests and demos: checks signatures as Standard Webhooks has them and keeps what came.

    with WebhookReceiver() as receiver:
        receiver.url, receiver.secret       # what a lakefile's `to` names
        receiver.wait(1)[0]["type"]         # "alert.opened"
        receiver.answer = lambda m: 500     # from now on; or (status, {header: value}, body)

A message whose signature does not fit is answered 401 and stands in `refused`. The same webhook-id a second time is kept
in `messages` but not given twice by `take`, `bodies` and `wait`. Only the standard library is needed.
"""
import base64
import hashlib
import hmac
import http.server
import json
import os
import threading
import time

TOLERANCE_SECONDS = 300


def sign(secret, message_id, timestamp, body):
    """The value of webhook-signature for these bytes."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(code.digest()).decode()


def check(secret, headers, body, now=None):
    """None, or what is wrong with a message."""
    message_id, timestamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
    signatures = (headers.get("webhook-signature") or "").split()
    if not message_id or not timestamp or not signatures:
        return "a header is missing"
    if not timestamp.isdigit() or abs(int(timestamp) - (now or time.time())) > TOLERANCE_SECONDS:
        return "the time stamp is too far from now"
    expected = sign(secret, message_id, timestamp, body)
    if not any(hmac.compare_digest(expected, given) for given in signatures):
        return "the signature does not fit"
    return None


class Message:
    """One request as it came."""

    def __init__(self, path, headers, raw, arrived):
        self.path, self.headers, self.raw, self.arrived = path, headers, raw, arrived
        self.id = headers.get("webhook-id")
        self.status = None  # what it was answered

    @property
    def body(self):
        return json.loads(self.raw)


class WebhookReceiver:
    """`secret` None makes one. The port stays the same over stop() and start(); nothing listens in between."""

    def __init__(self, secret=None, port=0, host="127.0.0.1"):
        self.secret = secret or "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.host, self.port = host, port
        self.answer = lambda message: 204
        self.messages, self.refused = [], []
        self.changed = threading.Condition()
        self.taken = set()
        self.server = self.thread = None
        self.start()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def start(self):
        if self.server is None:
            self.server = http.server.ThreadingHTTPServer((self.host, self.port), self._handler())
            self.server.handle_error = lambda *_: None  # a sender that was killed is no news
            self.port = self.server.server_address[1]
            self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
            self.thread.start()
        return self

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    close = stop

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    # -- what came ----------------------------------------------------------------------------------------------------

    def accepted(self):
        """Each message that was answered 2xx, once per webhook-id, in the order of arrival."""
        seen, out = set(), []
        with self.changed:
            for message in self.messages:
                if 200 <= message.status < 300 and message.id not in seen:
                    seen.add(message.id)
                    out.append(message)
        return out

    def bodies(self):
        return [message.body for message in self.accepted()]

    def first(self):
        """The body of the first alert that opened; None until then."""
        return next((body for body in self.bodies() if body["type"] == "alert.opened"), None)

    def take(self):
        """The bodies that were not taken before."""
        fresh = [message for message in self.accepted() if message.id not in self.taken]
        self.taken.update(message.id for message in fresh)
        return [message.body for message in fresh]

    def wait(self, count, seconds=20):
        """The bodies, once there are so many."""
        return [message.body for message in self._wait(self.accepted, count, seconds)]

    def wait_requests(self, count, seconds=20):
        """All requests, refused and repeated ones too, once there are so many."""
        return self._wait(lambda: list(self.messages + self.refused), count, seconds)

    def _wait(self, read, count, seconds):
        deadline = time.monotonic() + seconds
        while True:
            found = read()
            if len(found) >= count:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{len(found)} of {count} webhook messages came in {seconds} s; refused: {self.refused}")
            with self.changed:
                self.changed.wait(min(left, 0.1))

    def _handler(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                message = Message(self.path, {k.lower(): v for k, v in self.headers.items()}, raw, time.time())
                wrong = check(receiver.secret, message.headers, raw)
                answer = 401 if wrong else receiver.answer(message)
                status, headers, body = answer if isinstance(answer, tuple) else (answer, {}, b"")
                message.status = status
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                with receiver.changed:
                    (receiver.refused if wrong else receiver.messages).append(message)
                    receiver.changed.notify_all()

            do_GET = do_PUT = do_POST

            def log_message(self, *_):
                pass

        return Handler


if __name__ == "__main__":  # python3 tests/webhook_receiver.py [PORT [SECRET]]: prints what arrives
    import sys
    given = sys.argv[1:]
    with WebhookReceiver(port=int(given[0]) if given else 0, secret=given[1] if len(given) > 1 else None) as hook:
        print(f"listening at {hook.url}, signatures by {hook.secret}", flush=True)
        seen = 0
        while True:  # Ctrl-C ends it
            for message in sorted(hook.wait_requests(seen + 1, seconds=10 ** 9), key=lambda each: each.arrived)[seen:]:
                seen += 1
                print(message.status or "401, the signature does not fit:", json.dumps(message.body), flush=True)
