"""Load from outside the program, by wrk."""
import pathlib
import re
import subprocess
import tempfile

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

KEYS = 256

SCRIPT = """
local requests = {}
local at = 0
local body = string.rep("x", %d)
function init(args)
%s
end
function request()
    at = at %% #requests + 1
    return requests[at]
end
"""


class UnsignedS3(S3SigV4Auth):
    """A PUT's body is not part of the signature, so that one signature serves many sends."""

    def payload(self, request):
        return "UNSIGNED-PAYLOAD"


def signed_headers(server, method, key):
    request = AWSRequest(method, f"{server.endpoint}/bench/{key}", headers={"Host": server.ready["aws"]})
    credentials = Credentials(server.access_key, server.secret_key)
    UnsignedS3(credentials, "s3", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def s3_load(server, method, size, connections, seconds):
    """Requests a second that were answered with 2xx; anything else is an error."""
    client = boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
                          aws_secret_access_key=server.secret_key, region_name="us-east-1",
                          config=Config(s3={"addressing_style": "path"}))
    if "bench" not in [b["Name"] for b in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket="bench")
    lines = []
    for i in range(KEYS):
        key = f"object-{i:04d}"
        if method == "GET":
            client.put_object(Bucket="bench", Key=key, Body=b"x" * size)
        headers = signed_headers(server, method, key)
        pairs = ", ".join(f'["{name}"]="{value}"' for name, value in headers.items())
        body = "body" if method == "PUT" else "nil"
        lines.append(f'    requests[{i + 1}] = wrk.format("{method}", "/bench/{key}", {{{pairs}}}, {body})')
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "load.lua"
        script.write_text(SCRIPT % (size, "\n".join(lines)))
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), server.endpoint],
                             check=True, capture_output=True, text=True).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if wrong:
        raise RuntimeError(f"{wrong.group(1)} requests failed\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
