"""aws cli, rclone, s3cmd and curl, as they come with Debian."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import urllib.request

import pytest


def tool(name):
    """Debian's own, also where another one comes first in PATH."""
    path = pathlib.Path("/usr/bin") / name
    found = str(path) if path.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def run(command, env=None, fails=False, **how):
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, **how)
    assert (done.returncode != 0) == fails, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + (done.stderr if fails else "")


@pytest.fixture
def aws(tarn):
    def call(*arguments, **how):
        return run([tool("aws"), "--endpoint-url", tarn.endpoint, *map(str, arguments)], tarn.client_env(), **how)
    return call


@pytest.fixture
def tree(tmp_path):
    """A folder with files of many sizes and names."""
    root = tmp_path / "tree"
    for name, size in [("a.txt", 10), ("sub/b c.bin", 100_000), ("sub/deep/ü+.dat", 1_000_000), ("empty", 0)]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(size))
    return root


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in pathlib.Path(root).rglob("*") if p.is_file()}


def test_aws_cli(aws, tree, tmp_path):
    aws("s3", "mb", "s3://cli-bucket")
    assert "cli-bucket" in aws("s3", "ls")
    aws("s3", "cp", tree / "a.txt", "s3://cli-bucket/dir/a.txt")
    assert "a.txt" in aws("s3", "ls", "s3://cli-bucket/dir/")
    assert "PRE dir/" in aws("s3", "ls", "s3://cli-bucket")
    aws("s3", "cp", "s3://cli-bucket/dir/a.txt", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == (tree / "a.txt").read_bytes()
    aws("s3", "mv", "s3://cli-bucket/dir/a.txt", "s3://cli-bucket/moved.txt")
    assert "dir/" not in aws("s3", "ls", "s3://cli-bucket")
    url = aws("s3", "presign", "s3://cli-bucket/moved.txt", "--expires-in", "60").strip()
    assert urllib.request.urlopen(url).read() == (tree / "a.txt").read_bytes()
    aws("s3", "rm", "s3://cli-bucket/moved.txt")
    aws("s3", "sync", tree, "s3://cli-bucket/tree")
    assert aws("s3", "sync", tree, "s3://cli-bucket/tree") == ""
    (tree / "a.txt").write_text("changed")
    (tree / "empty").unlink()
    assert "delete" in aws("s3", "sync", tree, "s3://cli-bucket/tree", "--delete")
    aws("s3", "sync", "s3://cli-bucket/tree", tmp_path / "synced")
    assert contents(tmp_path / "synced") == contents(tree)
    aws("s3", "cp", "--recursive", "s3://cli-bucket/tree", "s3://cli-bucket/copy")
    assert len(aws("s3", "ls", "--recursive", "s3://cli-bucket/copy").splitlines()) == 3
    assert "BucketNotEmpty" in aws("s3", "rb", "s3://cli-bucket", fails=True)
    aws("s3", "rm", "--recursive", "s3://cli-bucket/tree")
    aws("s3", "rb", "--force", "s3://cli-bucket")
    assert "cli-bucket" not in aws("s3", "ls")


def test_aws_cli_200_mb(aws, tmp_path):
    aws("s3", "mb", "s3://cli-large")
    digest = hashlib.sha256()
    with open(tmp_path / "in", "wb") as file:
        for _ in range(200):
            piece = os.urandom(1_000_000)
            digest.update(piece)
            file.write(piece)
    aws("s3", "cp", "--no-progress", tmp_path / "in", "s3://cli-large/k")
    (tmp_path / "in").unlink()
    head = aws("s3api", "head-object", "--bucket", "cli-large", "--key", "k")
    assert '"ContentLength": 200000000' in head and "-24" in head
    aws("s3", "cp", "--no-progress", "s3://cli-large/k", tmp_path / "out")
    back = hashlib.sha256()
    with open(tmp_path / "out", "rb") as file:
        while piece := file.read(1 << 20):
            back.update(piece)
    assert back.hexdigest() == digest.hexdigest()
    aws("s3", "rb", "--force", "s3://cli-large")


def test_aws_cli_says_why(aws, tarn, tmp_path):
    assert "NoSuchBucket" in aws("s3", "ls", "s3://there-is-none-x", fails=True)
    env = dict(tarn.client_env(), AWS_ACCESS_KEY_ID=tarn.access_key, AWS_SECRET_ACCESS_KEY="wrong")
    assert "SignatureDoesNotMatch" in run([tool("aws"), "--endpoint-url", tarn.endpoint, "s3", "ls"], env, fails=True)


def test_rclone(tarn, tree, tmp_path):
    rclone = tool("rclone")
    env = dict(tarn.client_env(), RCLONE_CONFIG=str(tmp_path / "none.conf"), RCLONE_CONFIG_TARN_TYPE="s3",
               RCLONE_CONFIG_TARN_PROVIDER="Other", RCLONE_CONFIG_TARN_ENDPOINT=tarn.endpoint,
               RCLONE_CONFIG_TARN_ACCESS_KEY_ID=tarn.access_key, RCLONE_CONFIG_TARN_SECRET_ACCESS_KEY=tarn.secret_key,
               RCLONE_RETRIES="1", RCLONE_LOW_LEVEL_RETRIES="1")
    (tree / "large").write_bytes(os.urandom(12 << 20))
    run([rclone, "mkdir", "tarn:rclone-bucket"], env)
    run([rclone, "sync", "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M", str(tree), "tarn:rclone-bucket/x"], env)
    run([rclone, "check", "--download", str(tree), "tarn:rclone-bucket/x"], env)
    run([rclone, "check", str(tree), "tarn:rclone-bucket/x"], env)
    assert "large" in run([rclone, "lsf", "-R", "tarn:rclone-bucket"], env)
    (tree / "a.txt").unlink()
    run([rclone, "sync", str(tree), "tarn:rclone-bucket/x"], env)
    assert "a.txt" not in run([rclone, "lsf", "-R", "tarn:rclone-bucket"], env)
    run([rclone, "copy", "tarn:rclone-bucket/x", "tarn:rclone-bucket/y"], env)
    run([rclone, "copy", "tarn:rclone-bucket/y", str(tmp_path / "back")], env)
    assert contents(tmp_path / "back") == contents(tree)
    run([rclone, "moveto", "tarn:rclone-bucket/y/large", "tarn:rclone-bucket/z"], env)
    run([rclone, "purge", "tarn:rclone-bucket"], env)


def test_s3cmd(tarn, tree, tmp_path):
    host = tarn.ready["aws"]
    base = [tool("s3cmd"), "--config", os.devnull, f"--access_key={tarn.access_key}", f"--secret_key={tarn.secret_key}",
            f"--host={host}", f"--host-bucket={host}", "--no-ssl", "--region=us-east-1", "--no-progress"]

    def s3cmd(*arguments, **how):
        return run(base + list(map(str, arguments)), **how)
    (tree / "large").write_bytes(os.urandom(12 << 20))
    s3cmd("mb", "s3://s3cmd-bucket")
    s3cmd("put", "--multipart-chunk-size-mb=5", tree / "large", "s3://s3cmd-bucket/large")
    s3cmd("put", tree / "sub/b c.bin", "s3://s3cmd-bucket/b c.bin")
    s3cmd("get", "s3://s3cmd-bucket/large", tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == (tree / "large").read_bytes()
    assert "b c.bin" in s3cmd("ls", "s3://s3cmd-bucket")
    assert "MD5 sum" in s3cmd("info", "s3://s3cmd-bucket/b c.bin")
    s3cmd("sync", f"{tree}/", "s3://s3cmd-bucket/tree/")
    s3cmd("sync", "s3://s3cmd-bucket/tree/", f"{tmp_path}/back/")
    assert contents(tmp_path / "back") == contents(tree)
    s3cmd("cp", "s3://s3cmd-bucket/large", "s3://s3cmd-bucket/copy")
    s3cmd("mv", "s3://s3cmd-bucket/copy", "s3://s3cmd-bucket/moved")
    s3cmd("del", "--recursive", "--force", "s3://s3cmd-bucket")
    s3cmd("rb", "s3://s3cmd-bucket")


def test_curl_with_its_own_signature(tarn, s3, bucket, tmp_path):
    curl = [tool("curl"), "-sS", "--fail-with-body", "--aws-sigv4", "aws:amz:us-east-1:s3",
            "--user", f"{tarn.access_key}:{tarn.secret_key}"]
    (tmp_path / "f").write_bytes(b"by curl")
    run(curl + ["-H", "x-amz-content-sha256: " + hashlib.sha256(b"by curl").hexdigest(), "-T", str(tmp_path / "f"),
                f"{tarn.endpoint}/{bucket}/f"])
    assert s3.get_object(Bucket=bucket, Key="f")["Body"].read() == b"by curl"
    empty = hashlib.sha256(b"").hexdigest()
    assert run(curl + ["-H", f"x-amz-content-sha256: {empty}", f"{tarn.endpoint}/{bucket}/f"]) == "by curl"
