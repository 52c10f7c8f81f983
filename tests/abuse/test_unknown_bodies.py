"""The API takes in the body of a request when it knows whose it is: before that, only what a signature is over, and little of it."""
import hashlib
import http.client
import json

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ANNOUNCED = 4 << 20
HASH = "x-amz-content-sha256"


def signed(tarn, body, stated=None, path="/api/v1/plan"):
    headers = {"content-type": "application/json", **({HASH: stated} if stated else {})}
    request = AWSRequest("POST", f"http://{tarn.ready['http']}{path}", headers=headers, data=body)
    SigV4Auth(Credentials(tarn.access_key, tarn.secret_key), "tarn", "us-east-1").add_auth(request)
    return dict(request.headers)


def answer_to_head(tarn, method, path, headers, announced=ANNOUNCED):
    """What comes while the body that the head announces has not been sent: None after 5 s of nothing."""
    connection = http.client.HTTPConnection(*tarn.address("http"), timeout=5)
    connection.putrequest(method, path)
    for name, value in {**headers, "content-length": str(announced)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    try:
        return connection.getresponse().status
    except TimeoutError:
        return None
    finally:
        connection.close()


def send(tarn, path, headers, body):
    connection = http.client.HTTPConnection(*tarn.address("http"), timeout=30)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}").get("error", {}).get("reason")
    finally:
        connection.close()


@pytest.mark.parametrize("headers", [
    {}, {"authorization": "Bearer nothing"}, {"authorization": "Basic bm9ib2R5Onh4eHh4eHh4"}, {"cookie": "tarn_session=none"},
    {"authorization": "Embed none"},
    {"authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/tarn/aws4_request, SignedHeaders=host, Signature=" + "0" * 64,
     HASH: "0" * 64}], ids=["nothing", "bearer", "basic", "cookie", "embed", "signature"])
def test_nobody_is_refused_by_the_head_alone(tarn, headers):
    for method, path in (("POST", "/api/v1/plan"), ("PUT", "/api/v1/secrets/a"), ("POST", "/api/v1/none")):
        status = answer_to_head(tarn, method, path, headers)
        assert status in (400, 401, 403), (path, status)


def test_who_may_not_is_refused_by_the_head_alone_too(tarn):
    body = b"x" * ANNOUNCED
    headers = signed(tarn, body, hashlib.sha256(body).hexdigest())
    assert answer_to_head(tarn, "POST", "/api/v1/plan", headers) is None, "who is signed in is listened to"
    headers["X-Amz-Date"] = "20200101T000000Z"
    assert answer_to_head(tarn, "POST", "/api/v1/plan", headers) in (400, 401, 403)


def test_a_sign_in_is_small(tarn):
    assert send(tarn, "/api/v1/session", {}, b'{"token": "%s"}' % (b"x" * 100_000)) == (413, "body_too_large")
    assert send(tarn, "/api/v1/session", {}, b'{"token": "%s"}' % (b"x" * 1000))[0] == 401


def test_a_signature_over_a_body_that_no_header_states(tarn):
    def plan(size):
        return json.dumps({"lakefile": "lake: a\n" + "#" * size}).encode()
    small, large = plan(1000), plan(100_000)
    assert send(tarn, "/api/v1/plan", signed(tarn, small), small)[0] == 200
    assert send(tarn, "/api/v1/plan", signed(tarn, large), large) == (413, "body_too_large")
    stated = hashlib.sha256(large).hexdigest()
    assert send(tarn, "/api/v1/plan", signed(tarn, large, stated), large)[0] == 200
    assert send(tarn, "/api/v1/plan", signed(tarn, large, stated), large[:-3] + b' "}') == (400, "XAmzContentSHA256Mismatch")
