"""Objects through Debian's boto3."""
import base64
import datetime
import hashlib
import os

import pytest
from botocore.exceptions import ClientError


def code_of(error):
    return error.value.response["Error"]["Code"]


def status_of(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def with_headers(s3, operation, **headers):
    """A context in which `operation` sends headers that this boto3 has no parameter for."""
    class Context:
        def __enter__(self):
            self.handler = lambda params, **_: params["headers"].update(headers)
            s3.meta.events.register(f"before-call.s3.{operation}", self.handler)

        def __exit__(self, *_):
            s3.meta.events.unregister(f"before-call.s3.{operation}", self.handler)
    return Context()


@pytest.mark.parametrize("size", [0, 1, 100, 65535, 65536, 65537, 131072, 131073, 1 << 20, (3 << 20) + 1])
def test_bytes_come_back(s3, bucket, size):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    assert got["ContentLength"] == size
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == size


KEYS = ["plain", "a b", "a+b", "a%20b", "a=b&c?d#e", "ä/ö/ü€😀", "a//b", "/leading", "trailing/", "..", "../up", ".",
        "a/./b/../c", "quote\"'`", "<xml>&amp;", "back\\slash", "tab\tnew\nline", "~-_.!*()", "@:,;$", "x" * 1024,
        "ends with space ", "%", "%zz", "{}[]|^", "\u00a0nbsp", "日本語"]


def test_all_keys_are_kept_as_they_are(s3, bucket):
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in KEYS:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
    listed = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 5})
              for o in page["Contents"]]
    assert listed == sorted(KEYS, key=lambda k: k.encode())
    for key in KEYS:
        s3.copy_object(Bucket=bucket, Key="copied", CopySource={"Bucket": bucket, "Key": key})
        assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == key.encode(), key
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in KEYS if "\n" not in k]})
    assert {d["Key"] for d in gone["Deleted"]} == {k for k in KEYS if "\n" not in k}


def test_keys_that_are_none(s3, bucket):
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b"")
    assert code_of(error) == "KeyTooLongError"


def test_headers_and_metadata(s3, bucket):
    expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain; charset=utf-8", CacheControl="max-age=5",
                  ContentDisposition='attachment; filename="a.txt"', ContentEncoding="deflate, gzip", ContentLanguage="de",
                  Expires=expires, Metadata={"color": "red", "mixed-case": "AbC", "empty": ""})
    for answer in (s3.get_object(Bucket=bucket, Key="k"), s3.head_object(Bucket=bucket, Key="k")):
        assert answer["ContentType"] == "text/plain; charset=utf-8"
        assert answer["CacheControl"] == "max-age=5"
        assert answer["ContentDisposition"] == 'attachment; filename="a.txt"'
        assert answer["ContentEncoding"] == "deflate, gzip"
        assert answer["ContentLanguage"] == "de"
        assert answer["Expires"] == expires
        assert answer["Metadata"] == {"color": "red", "mixed-case": "AbC", "empty": ""}
    override = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="a/b", ResponseContentDisposition="inline")
    assert override["ContentType"] == "a/b" and override["ContentDisposition"] == "inline"
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"big": "x" * 2049})
    assert code_of(error) == "MetadataTooLarge"
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="plain")["ContentType"] == "binary/octet-stream"


def test_ranges(s3, bucket):
    body = os.urandom(200_000)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    for text, want in [("bytes=0-0", body[:1]), ("bytes=10-19", body[10:20]), ("bytes=199990-", body[199990:]),
                       ("bytes=-7", body[-7:]), ("bytes=100-999999", body[100:]), ("bytes=-999999", body)]:
        got = s3.get_object(Bucket=bucket, Key="k", Range=text)
        assert got["Body"].read() == want, text
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        first = len(body) - len(want) if text.startswith("bytes=-") else int(text[6:].split("-")[0])
        assert got["ContentRange"] == f"bytes {first}-{first + len(want) - 1}/{len(body)}"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=200000-")
    assert code_of(error) == "InvalidRange" and status_of(error) == 416
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=5-1")["Body"].read() == body
    head = s3.head_object(Bucket=bucket, Key="k", Range="bytes=0-9")
    assert head["ContentLength"] == 10


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    before, after = modified - datetime.timedelta(seconds=5), modified + datetime.timedelta(seconds=5)
    for good in [{"IfMatch": etag}, {"IfNoneMatch": '"x"'}, {"IfModifiedSince": before}, {"IfUnmodifiedSince": after},
                 {"IfMatch": etag, "IfUnmodifiedSince": before}, {"IfNoneMatch": '"x"', "IfModifiedSince": after}]:
        assert s3.get_object(Bucket=bucket, Key="k", **good)["Body"].read() == b"x", good
    for bad, status in [({"IfMatch": '"x"'}, 412), ({"IfNoneMatch": etag}, 304), ({"IfModifiedSince": after}, 304),
                        ({"IfUnmodifiedSince": before}, 412), ({"IfNoneMatch": etag, "IfModifiedSince": before}, 304)]:
        for call in (s3.get_object, s3.head_object):
            with pytest.raises(ClientError) as error:
                call(Bucket=bucket, Key="k", **bad)
            assert status_of(error) == status, bad


def test_conditional_writes(s3, bucket):
    with with_headers(s3, "PutObject", **{"If-None-Match": "*"}):
        etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"2")
        assert code_of(error) == "PreconditionFailed" and status_of(error) == 412
    with with_headers(s3, "PutObject", **{"If-Match": '"0123"'}):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"2")
        assert status_of(error) == 412
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="none", Body=b"2")
        assert status_of(error) == 404
    with with_headers(s3, "PutObject", **{"If-Match": etag}):
        s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"
    with with_headers(s3, "DeleteObject", **{"If-Match": etag}):
        with pytest.raises(ClientError) as error:
            s3.delete_object(Bucket=bucket, Key="k")
        assert status_of(error) == 412


def test_checksums(s3, bucket):
    body = b"hello world"
    sha = base64.b64encode(hashlib.sha256(body).digest()).decode()
    s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumSHA256=sha)
    assert s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumSHA256"] == sha
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
    assert attributes["Checksum"]["ChecksumSHA256"] == sha
    assert attributes["ObjectSize"] == len(body) and attributes["StorageClass"] == "STANDARD"
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="bad", Body=b"other", ChecksumSHA256=sha)
    assert code_of(error) == "BadDigest"
    for algorithm in ("CRC32", "SHA1", "SHA256"):  # CRC32C wants another package here
        s3.put_object(Bucket=bucket, Key="t", Body=body, ChecksumAlgorithm=algorithm)
        assert s3.get_object(Bucket=bucket, Key="t", ChecksumMode="ENABLED")["Body"].read() == body
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="bad", Body=b"x", ContentMD5=base64.b64encode(hashlib.md5(b"y").digest()).decode())
    assert code_of(error) == "BadDigest"
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=bucket, Key="bad")
    assert status_of(error) == 404


def test_delete(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_object(Bucket=bucket, Key="k")
    keys = [f"n/{i:04}" for i in range(1000)]
    for key in keys[::10]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys]})
    assert [d["Key"] for d in gone["Deleted"]] == keys
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}], "Quiet": True})
    assert "Deleted" not in quiet and "Errors" not in quiet
    versioned = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": "abc"}]})
    assert versioned["Errors"][0]["Code"] == "NoSuchVersion"


def test_copy(s3, bucket):
    s3.put_object(Bucket=bucket, Key="from", Body=b"x" * 100_000, Metadata={"a": "1"}, ContentType="text/plain")
    etag = s3.head_object(Bucket=bucket, Key="from")["ETag"]
    result = s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from")
    assert result["CopyObjectResult"]["ETag"] == etag
    head = s3.head_object(Bucket=bucket, Key="to")
    assert head["Metadata"] == {"a": "1"} and head["ContentType"] == "text/plain"
    s3.copy_object(Bucket=bucket, Key="from", CopySource=f"{bucket}/from", MetadataDirective="REPLACE",
                   Metadata={"b": "2"}, ContentType="text/csv")
    head = s3.head_object(Bucket=bucket, Key="from")
    assert head["Metadata"] == {"b": "2"} and head["ContentType"] == "text/csv"
    for bad, code in [(dict(CopySource=f"{bucket}/to", Key="to"), "InvalidRequest"),
                      (dict(CopySource=f"{bucket}/none", Key="x"), "NoSuchKey"),
                      (dict(CopySource="no-such-bucket-here/none", Key="x"), "NoSuchBucket"),
                      (dict(CopySource={"Bucket": bucket, "Key": "to", "VersionId": "v1"}, Key="x"), "NoSuchVersion"),
                      (dict(CopySource=f"{bucket}/to", Key="x", CopySourceIfMatch='"no"'), "PreconditionFailed"),
                      (dict(CopySource=f"{bucket}/to", Key="x", CopySourceIfNoneMatch=etag), "PreconditionFailed")]:
        with pytest.raises(ClientError) as error:
            s3.copy_object(Bucket=bucket, **bad)
        assert code_of(error) == code, bad
    s3.copy_object(Bucket=bucket, Key="x", CopySource=f"{bucket}/to", CopySourceIfMatch=etag)


def test_tags(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=lake&cost=a%20b")
    tags = {t["Key"]: t["Value"] for t in s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]}
    assert tags == {"team": "lake", "cost": "a b"}
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "x", "Value": "y"}]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_virtual_host_style(tarn, s3, bucket):
    from s3_requests import send, signed_headers
    s3.put_object(Bucket=bucket, Key="k", Body=b"by host")
    host = f"{bucket}.localhost:{tarn.address('aws')[1]}"
    headers = signed_headers(tarn, "GET", "/k", {"Host": host})
    assert send(tarn, "GET", "/k", headers).body == b"by host"
    listed = send(tarn, "GET", "/?list-type=2", signed_headers(tarn, "GET", "/?list-type=2", {"Host": host}))
    assert b"<Key>k</Key>" in listed.body
