"""Run by test_current_boto3.py under the current boto3, whose uploads carry CRC trailers by default.

usage: current_boto3_story.py ENDPOINT ACCESS_KEY SECRET_KEY
"""
import io
import os
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, access_key, secret_key = sys.argv[1:]


def client(**config):
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=access_key,
                        aws_secret_access_key=secret_key, config=Config(retries={"max_attempts": 1}, **config))


def status_of(call, **arguments):
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


class Unseekable(io.RawIOBase):
    """A body of unknown hash: sent in chunks with a trailer."""
    def __init__(self, data):
        self.data = io.BytesIO(data)

    def readable(self):
        return True

    def read(self, size=-1):
        return self.data.read(size)


s3 = client()
bucket = "current-boto3"
s3.create_bucket(Bucket=bucket)
for size in (0, 1, 65_536, 200_000, 3_000_000):
    body = os.urandom(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=body)
    assert put["ChecksumType"] == "FULL_OBJECT", put
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body
    s3.put_object(Bucket=bucket, Key="stream", Body=io.BytesIO(body))
    assert s3.get_object(Bucket=bucket, Key="stream")["Body"].read() == body
for algorithm in ("CRC32", "SHA1", "SHA256"):
    s3.put_object(Bucket=bucket, Key=algorithm, Body=b"x" * 100_000, ChecksumAlgorithm=algorithm)
    head = s3.head_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
    assert f"Checksum{algorithm}" in head, head
body = os.urandom(200_000)
s3.upload_fileobj(Unseekable(body), bucket, "unseekable")
assert s3.get_object(Bucket=bucket, Key="unseekable")["Body"].read() == body

plain = client(request_checksum_calculation="when_required", response_checksum_validation="when_required")
plain.put_object(Bucket=bucket, Key="plain", Body=b"y")
assert plain.get_object(Bucket=bucket, Key="plain")["Body"].read() == b"y"

large = os.urandom(17 << 20)
s3.upload_fileobj(io.BytesIO(large), bucket, "large", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20))
out = io.BytesIO()
s3.download_fileobj(bucket, "large", out)
assert out.getvalue() == large
head = s3.head_object(Bucket=bucket, Key="large", ChecksumMode="ENABLED")
assert head["ETag"].endswith('-4"'), head
s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copied", Config=TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=6 << 20))
assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == large

upload = s3.create_multipart_upload(Bucket=bucket, Key="full", ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT") \
    if "awscrt" in sys.modules else s3.create_multipart_upload(Bucket=bucket, Key="full", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
parts = []
for number, piece in enumerate((large[:5 << 20], large[5 << 20:]), 1):
    part = s3.upload_part(Bucket=bucket, Key="full", UploadId=upload["UploadId"], PartNumber=number, Body=piece, ChecksumAlgorithm="CRC32")
    parts.append({"PartNumber": number, "ETag": part["ETag"]})
done = s3.complete_multipart_upload(Bucket=bucket, Key="full", UploadId=upload["UploadId"], MultipartUpload={"Parts": parts},
                                    ChecksumType="FULL_OBJECT", MpuObjectSize=len(large))
assert done["ChecksumType"] == "FULL_OBJECT", done
import zlib  # noqa: E402
import base64  # noqa: E402
assert done["ChecksumCRC32"] == base64.b64encode(zlib.crc32(large).to_bytes(4, "big")).decode()

assert status_of(s3.put_object, Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*") == 200
assert status_of(s3.put_object, Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*") == 412
etag = s3.head_object(Bucket=bucket, Key="once")["ETag"]
assert status_of(s3.put_object, Bucket=bucket, Key="once", Body=b"3", IfMatch=etag) == 200
assert status_of(s3.put_object, Bucket=bucket, Key="once", Body=b"4", IfMatch=etag) == 412
assert status_of(s3.delete_object, Bucket=bucket, Key="once", IfMatch=etag) == 412

names = [b["Name"] for b in s3.list_buckets(Prefix="current-")["Buckets"]]
assert names == [bucket], names
page = s3.list_buckets(MaxBuckets=1)
assert len(page["Buckets"]) == 1
assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ChecksumType"] == "FULL_OBJECT"
url = client(signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "plain"})
import urllib.request  # noqa: E402
assert urllib.request.urlopen(url).read() == b"y"

keys = [{"Key": o["Key"]} for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
s3.delete_bucket(Bucket=bucket)
print(f"boto3 {boto3.__version__}: all of it worked")
