"""Malformed, tampered and hostile requests: refused with S3's own words, and the server stays up."""
import base64
import hashlib
import hmac
import datetime
import socket
import time

import pytest

from s3_requests import Answer, presigned_path, send, send_signed, signed_headers


@pytest.fixture(autouse=True)
def still_up(tarn, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    yield
    assert tarn.alive()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def raw(tarn, message, seconds=20):
    """Sends bytes, returns all that comes back."""
    with socket.create_connection(tarn.address("aws"), timeout=seconds) as connection:
        connection.sendall(message)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return answer
            answer += piece


def test_anonymous(tarn, bucket):
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        answer = send(tarn, method, f"/{bucket}/k", body=b"x" if method == "PUT" else b"")
        assert answer.status == 403 and answer.code == ("" if method == "HEAD" else "AccessDenied")
    answer = send(tarn, "GET", f"/{bucket}/k")
    assert answer.headers["content-type"] == "application/xml" and answer.headers["x-amz-request-id"]
    assert b"<Resource>/" in answer.body and b"<RequestId>" in answer.body


def test_wrong_keys(tarn, bucket):
    path = f"/{bucket}/k"
    assert send_signed(tarn, "GET", path, credentials=("AKIAUNKNOWNUNKNOWN00", "x")).code == "InvalidAccessKeyId"
    assert send_signed(tarn, "GET", path, credentials=(tarn.access_key, "wrong")).code == "SignatureDoesNotMatch"
    assert send_signed(tarn, "HEAD", path, credentials=(tarn.access_key, "wrong")).status == 403


def test_tampering(tarn, bucket):
    path = f"/{bucket}/new"
    good = signed_headers(tarn, "PUT", path, {"x-amz-meta-a": "1", "Content-Type": "a/b"}, b"body")
    cases = [("PUT", path, dict(good, **{"x-amz-meta-a": "2"}), b"body", "SignatureDoesNotMatch"),
             ("PUT", path, {k: v for k, v in good.items() if k != "x-amz-meta-a"}, b"body", "SignatureDoesNotMatch"),
             ("PUT", path, good, b"BODY", "XAmzContentSHA256Mismatch"),
             ("PUT", path + "2", good, b"body", "SignatureDoesNotMatch"),
             ("PUT", path + "?tagging", good, b"body", "SignatureDoesNotMatch"),
             ("DELETE", path, good, b"", "SignatureDoesNotMatch"),
             ("PUT", path, dict(good, **{"x-amz-copy-source": f"/{bucket}/k"}), b"body", "AccessDenied"),
             ("PUT", path, dict(good, **{"X-Amz-Date": "20200101T000000Z"}), b"body", None)]
    for method, where, headers, body, code in cases:
        answer = send(tarn, method, where, headers, body)
        assert answer.status in (400, 403), (method, where, answer.body)
        assert code is None or answer.code == code, (method, where, answer.body)
    assert send_signed(tarn, "HEAD", path).status == 404
    assert send(tarn, "PUT", path, good, b"body").status == 200


def test_authorization_headers_that_are_none(tarn, bucket):
    good = signed_headers(tarn, "GET", f"/{bucket}/k")
    authorization = good["Authorization"]
    for bad in ["", "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x", "AWS AKIA:signature",
                authorization.replace("Signature=", "Signature=zz"), authorization.replace("/s3/", "/iam/"),
                authorization.split(", Signature")[0], authorization.replace("host;", ""),
                authorization + "x" * 5000]:
        answer = send(tarn, "GET", f"/{bucket}/k", dict(good, Authorization=bad))
        assert answer.status in (400, 403), (bad, answer.body)


def test_old_and_future_dates(tarn, bucket):
    """Signed correctly, at another time than now."""
    for hours in (-1, 1):
        at = datetime.datetime.utcnow() + datetime.timedelta(hours=hours)
        stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
        host = "%s:%d" % tarn.address("aws")
        payload = hashlib.sha256(b"").hexdigest()
        canonical = f"GET\n/{bucket}/k\n\nhost:{host}\nx-amz-content-sha256:{payload}\nx-amz-date:{stamp}\n\nhost;x-amz-content-sha256;x-amz-date\n{payload}"
        scope = f"{day}/us-east-1/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = ("AWS4" + tarn.secret_key).encode()
        for piece in (day, "us-east-1", "s3", "aws4_request"):
            key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        answer = send(tarn, "GET", f"/{bucket}/k", {
            "Host": host, "x-amz-date": stamp, "x-amz-content-sha256": payload,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={tarn.access_key}/{scope}, "
                             f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"})
        assert answer.status == 403 and answer.code == "RequestTimeTooSkewed", answer.body


def test_presigned(tarn, bucket):
    good = presigned_path(tarn, "GET", f"/{bucket}/k")
    assert send(tarn, "GET", good).body == b"hello"
    assert send(tarn, "PUT", good, body=b"x").code == "SignatureDoesNotMatch"
    assert send(tarn, "GET", good.replace("/k?", "/k2?")).code == "SignatureDoesNotMatch"
    assert send(tarn, "GET", good.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")).code == "SignatureDoesNotMatch"
    assert send(tarn, "GET", good + "&response-content-type=a%2Fb").code == "SignatureDoesNotMatch"
    assert send(tarn, "GET", presigned_path(tarn, "GET", f"/{bucket}/k", 700_000)).code == "AuthorizationQueryParametersError"
    copy = presigned_path(tarn, "PUT", f"/{bucket}/stolen")
    assert send(tarn, "PUT", copy, {"x-amz-copy-source": f"/{bucket}/k"}).status == 403
    short = presigned_path(tarn, "GET", f"/{bucket}/k", 1)
    time.sleep(2.1)
    answer = send(tarn, "GET", short)
    assert answer.status == 403 and answer.code == "AccessDenied"


def test_huge_heads(tarn, bucket):
    path = f"/{bucket}/k"
    for headers in ({"x-amz-meta-a": "x" * 200_000}, {f"x-h{i}": "v" for i in range(5000)}):
        try:
            answer = send(tarn, "GET", path, headers)
        except (ConnectionError, BrokenPipeError):
            continue  # it answered and closed before we had sent it all
        assert 400 <= answer.status < 500
    try:
        assert 400 <= send(tarn, "GET", "/" + "x" * 200_000).status < 500
    except (ConnectionError, BrokenPipeError):
        pass


def test_what_is_no_http(tarn):
    for message in (b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"get / http/1.1\r\n\r\n",
                    b"GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: x\r\n\r\n0\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"):
        answer = raw(tarn, message)
        assert answer == b"" or answer.split()[1].startswith((b"4", b"5")), (message, answer)


def test_paths_that_are_none(tarn, bucket):
    for path in (f"/{bucket}/%zz", f"/{bucket}/%00", f"/{bucket}/%ff", "//key"):
        assert send_signed(tarn, "GET", path).status in (400, 403), path


def test_xml_that_is_none(tarn, bucket):
    deep = "<a>" * 50_000
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>'
    outside = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&a;</Key></Object></Delete>'
    many = "<Delete>" + "<Object><Key>x</Key></Object>" * 1001 + "</Delete>"
    for text in ("", "x", "<Delete>", "<Delete/>", "<Other/>", deep, laughs, outside, many,
                 "<Delete><Object><Key>a&#0;b</Key></Object></Delete>"):
        body = text.encode()
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        answer = send_signed(tarn, "POST", f"/{bucket}?delete", {"Content-MD5": md5}, body)
        assert answer.code == "MalformedXML", (text[:60], answer.body)
    assert send_signed(tarn, "PUT", "/new-bucket-x", body=b"<oops").code == "MalformedXML"
    answer = send_signed(tarn, "POST", f"/{bucket}?delete", {}, b"<Delete><Object><Key>k</Key></Object></Delete>")
    assert answer.code == "InvalidRequest"  # no digest
    answer = send_signed(tarn, "POST", f"/{bucket}?delete", {"Content-MD5": md5},
                         b"<Delete><Object><Key>k</Key></Object></Delete>")
    assert answer.code == "BadDigest"


class Chunked:
    """An aws-chunked upload, signed by hand so that it can be broken at will."""

    def __init__(self, tarn, path, size, payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD", extra=None):
        self.tarn, self.path = tarn, path
        now = datetime.datetime.utcnow()
        self.stamp, self.day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        self.scope = f"{self.day}/us-east-1/s3/aws4_request"
        self.key = ("AWS4" + tarn.secret_key).encode()
        for piece in (self.day, "us-east-1", "s3", "aws4_request"):
            self.key = hmac.new(self.key, piece.encode(), hashlib.sha256).digest()
        self.headers = {"host": "%s:%d" % tarn.address("aws"), "x-amz-content-sha256": payload, "x-amz-date": self.stamp,
                        "x-amz-decoded-content-length": str(size), "content-encoding": "aws-chunked", **(extra or {})}
        names = ";".join(sorted(self.headers))
        lines = "".join(f"{n}:{self.headers[n]}\n" for n in sorted(self.headers))
        canonical = f"PUT\n{path}\n\n{lines}\n{names}\n{payload}"
        self.signature = self._sign("AWS4-HMAC-SHA256", hashlib.sha256(canonical.encode()).hexdigest(), seed=True)
        self.headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={tarn.access_key}/{self.scope}, "
                                         f"SignedHeaders={names}, Signature={self.signature}")

    def _sign(self, algorithm, rest, seed=False):
        text = f"{algorithm}\n{self.stamp}\n{self.scope}\n" + ("" if seed else f"{self.signature}\n") + rest
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def chunk(self, data):
        empty = hashlib.sha256(b"").hexdigest()
        self.signature = self._sign("AWS4-HMAC-SHA256-PAYLOAD", f"{empty}\n{hashlib.sha256(data).hexdigest()}")
        return b"%x;chunk-signature=%s\r\n%s\r\n" % (len(data), self.signature.encode(), data)

    def send(self, body):
        return send(self.tarn, "PUT", self.path, self.headers, body)


def test_chunked_bodies(tarn, s3, bucket):
    path = f"/{bucket}/chunked"

    def fresh(size=70_000, **how):
        return Chunked(tarn, path, size, **how)
    data = b"d" * 70_000
    upload = fresh()
    good = upload.chunk(data[:65536]) + upload.chunk(data[65536:]) + upload.chunk(b"")
    assert upload.send(good).status == 200
    assert s3.get_object(Bucket=bucket, Key="chunked")["Body"].read() == data
    s3.delete_object(Bucket=bucket, Key="chunked")

    breakers = {
        "data": lambda w: w.replace(b"dddd", b"dddx", 1), "truncated": lambda w: w[:40_000],
        "no last chunk": lambda w: w[:-(len(upload.chunk(b"")))], "signature": lambda w: w.replace(b"chunk-signature=", b"chunk-signature=0", 1),
        "size": lambda w: w.replace(b"10000;", b"fffffffffffffffff;", 1), "no hex": lambda w: b"zz" + w[2:],
        "swapped": None, "extra": lambda w: w + b"more", "bare": lambda w: data}
    for name, breaker in breakers.items():
        upload = fresh()
        first, second, last = upload.chunk(data[:65536]), upload.chunk(data[65536:]), upload.chunk(b"")
        wire = second + first + last if breaker is None else breaker(first + second + last)
        answer = upload.send(wire)
        assert answer.status in (400, 403), (name, answer.status, answer.body)
        assert send_signed(tarn, "HEAD", path).status == 404, name
    upload = fresh(size=69_999)
    assert upload.send(upload.chunk(data) + upload.chunk(b"")).status == 400
    upload = fresh(size=70_001)
    assert upload.send(upload.chunk(data) + upload.chunk(b"")).code == "IncompleteBody"


def test_unsigned_trailer(tarn, s3, bucket):
    data = b"trailing"
    right = base64.b64encode(__import__("zlib").crc32(data).to_bytes(4, "big")).decode()
    for value, status in [(right, 200), ("AAAAAA==", 400), ("no", 400), (None, 400)]:
        upload = Chunked(tarn, f"/{bucket}/t", len(data), "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                         {"x-amz-trailer": "x-amz-checksum-crc32"})
        trailer = f"x-amz-checksum-crc32:{value}\r\n".encode() if value else b""
        answer = upload.send(b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(data), data, trailer))
        assert answer.status == status, (value, answer.body)
    assert s3.get_object(Bucket=bucket, Key="t")["Body"].read() == data


def test_bodies_that_end_early(tarn, bucket):
    headers = signed_headers(tarn, "PUT", f"/{bucket}/cut", {}, b"x" * 100_000)
    head = f"PUT /{bucket}/cut HTTP/1.1\r\nHost: {tarn.ready['aws']}\r\nContent-Length: 100000\r\n"
    head += "".join(f"{k}: {v}\r\n" for k, v in headers.items() if k.lower() not in ("host", "content-length")) + "\r\n"
    raw(tarn, head.encode() + b"x" * 50_000)
    assert send_signed(tarn, "HEAD", f"/{bucket}/cut").status == 404


def test_digests(tarn, bucket):
    path = f"/{bucket}/d"
    for header, value, code in [("Content-MD5", "x", "InvalidDigest"), ("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"),
                                ("x-amz-checksum-sha256", "x", "InvalidRequest"), ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
                                ("x-amz-checksum-sha512", "AAAA", "NotImplemented"),
                                ("x-amz-sdk-checksum-algorithm", "CRC32", "InvalidRequest")]:
        assert send_signed(tarn, "PUT", path, {header: value}, b"hello").code == code, header
    assert send_signed(tarn, "HEAD", path).status == 404


def test_methods(tarn, bucket):
    assert send_signed(tarn, "PATCH", f"/{bucket}/k").code == "MethodNotAllowed"
    assert send_signed(tarn, "DELETE", f"/{bucket}?versioning").code == "MethodNotAllowed"
    assert send_signed(tarn, "DELETE", "/").code == "MethodNotAllowed"
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for answer in (send(tarn, "POST", f"/{bucket}", form), send_signed(tarn, "POST", f"/{bucket}", form)):
        assert answer.code == "NotImplemented" and answer.status == 501


def test_expect_continue(tarn, bucket):
    """A refusal comes before the body is asked for."""
    head = f"PUT /{bucket}/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(tarn.address("aws"), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 403")


def test_keep_alive_after_errors(tarn, bucket):
    import http.client
    host, port = tarn.address("aws")
    connection = http.client.HTTPConnection(host, port, timeout=10)
    for _ in range(5):
        path = f"/{bucket}/none"
        connection.request("GET", path, headers=signed_headers(tarn, "GET", path))
        assert Answer(connection.getresponse()).code == "NoSuchKey"
        path = f"/{bucket}/k"
        connection.request("GET", path, headers=signed_headers(tarn, "GET", path))
        assert Answer(connection.getresponse()).body == b"hello"
    connection.close()


def test_a_date_of_the_senders_own(tarn):
    """botocore writes a Date that its caller set in mail's form, and signs that one alone."""
    headers = signed_headers(tarn, "GET", "/", {"Date": "any"})
    assert headers["Date"].endswith((" -0000", " GMT")) and "X-Amz-Date" not in headers
    assert send(tarn, "GET", "/", headers).status == 200
    late = dict(headers, Date=headers["Date"].replace(" 20", " 19", 1))
    assert send(tarn, "GET", "/", late).status in (400, 403)
    assert send_signed(tarn, "GET", "/", {"Expect": ""}).status == 200
