"""Requests made by hand, for what no client library would send."""
import http.client
import urllib.parse

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed_headers(tarn, method, path, headers=None, body=b"", credentials=None):
    """The headers of a signed request; `path` may have a query."""
    access, secret = credentials or (tarn.access_key, tarn.secret_key)
    request = AWSRequest(method, tarn.endpoint + path, data=body, headers=dict(headers or {}))
    S3SigV4Auth(Credentials(access, secret), "s3", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def presigned_path(tarn, method, path, seconds=60):
    request = AWSRequest(method, tarn.endpoint + path)
    S3SigV4QueryAuth(Credentials(tarn.access_key, tarn.secret_key), "s3", "us-east-1", expires=seconds).add_auth(request)
    url = urllib.parse.urlsplit(request.url)
    return f"{url.path}?{url.query}"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    @property
    def code(self):
        text = self.body.decode(errors="replace")
        return text.split("<Code>")[1].split("</Code>")[0] if "<Code>" in text else ""


def send(tarn, method, path, headers=None, body=b""):
    """As it is, unsigned."""
    host, port = tarn.address("aws")
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def send_signed(tarn, method, path, headers=None, body=b"", credentials=None):
    return send(tarn, method, path, signed_headers(tarn, method, path, headers, body, credentials), body)
