"""HTTP load from outside the program, by wrk: its requests are signed beforehand, so that what is measured is the server."""
import hashlib
import hmac
import os
import pathlib
import re
import resource
import subprocess
import tempfile
import time
import urllib.parse

KEYS = 256
UNSIGNED = "UNSIGNED-PAYLOAD"

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


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Signer:
    """Signature Version 4 with the day's key derived once: a million keys are signed in seconds. A PUT's body is not part of the
    signature, so that one signature serves many sends."""

    def __init__(self, server):
        self.host = server.ready["aws"]
        self.access_key = server.access_key
        self.time = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.scope = f"{self.time[:8]}/us-east-1/s3/aws4_request"
        key = ("AWS4" + server.secret_key).encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        self.key = key

    def headers(self, method, path, query=""):
        """`path` without characters that need encoding; `query` encoded and sorted."""
        canonical = (f"{method}\n{path}\n{query}\nhost:{self.host}\nx-amz-content-sha256:{UNSIGNED}\nx-amz-date:{self.time}\n\n"
                     f"host;x-amz-content-sha256;x-amz-date\n{UNSIGNED}")
        text = f"AWS4-HMAC-SHA256\n{self.time}\n{self.scope}\n{sha256(canonical)}"
        signature = hmac.digest(self.key, text.encode(), "sha256").hex()
        return {"Host": self.host, "x-amz-date": self.time, "x-amz-content-sha256": UNSIGNED,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope}, "
                                 f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"}

    def request(self, method, path, query=None, length=None):
        """The head of a request as bytes."""
        query = urllib.parse.urlencode(sorted((query or {}).items()), quote_via=urllib.parse.quote, safe="")
        fields = self.headers(method, path, query)
        if length is not None:
            fields["Content-Length"] = str(length)
        target = path + ("?" + query if query else "")
        return (f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n").encode()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wrk(endpoint, script, connections, seconds):
    """(requests a second, bytes a second, wrk's own CPU seconds); an answer that is not 2xx is an error."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        before = children_cpu()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", file.name, endpoint],
                             check=True, capture_output=True, text=True).stdout
        own = children_cpu() - before
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", out)
    if wrong:
        raise RuntimeError(f"requests failed: {wrong.group(0)}\n{out}")
    size, unit = re.search(r"Transfer/sec:\s+([\d.]+)([KMG]?)B", out).groups()
    rate = float(size) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[unit]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), rate, own


def script_of(signer, method, keys, size):
    lines = []
    for i, key in enumerate(keys):
        path = f"/bench/{key}"
        pairs = ", ".join(f'["{name}"]="{value}"' for name, value in signer.headers(method, path).items())
        body = "body" if method == "PUT" else "nil"
        lines.append(f'    requests[{i + 1}] = wrk.format("{method}", "{path}", {{{pairs}}}, {body})')
    return SCRIPT % (size if method == "PUT" else 0, "\n".join(lines))


def keys_of(count=KEYS):
    return [f"object-{i:04d}" for i in range(count)]


def client_of(server):
    import boto3
    from botocore.config import Config
    return boto3.client("s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key,
                        region_name="us-east-1", config=Config(s3={"addressing_style": "path"}, read_timeout=300))


def make_bucket(server):
    client = client_of(server)
    if "bench" not in [b["Name"] for b in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket="bench")
    return client


def s3_load(server, method, size, connections, seconds):
    """Requests a second that were answered with 2xx."""
    client = make_bucket(server)
    if method == "GET":
        for key in keys_of():
            client.put_object(Bucket="bench", Key=key, Body=b"x" * size)
    return wrk(server.endpoint, script_of(Signer(server), method, keys_of(), size), connections, seconds)[0]
