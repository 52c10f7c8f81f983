"""Multipart uploads through Debian's boto3."""
import hashlib
import os

import pytest
from botocore.exceptions import ClientError

PART = 5 << 20


def code_of(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


class Upload:
    def __init__(self, s3, bucket, key, **arguments):
        self.s3, self.where = s3, dict(Bucket=bucket, Key=key)
        self.where["UploadId"] = s3.create_multipart_upload(**self.where, **arguments)["UploadId"]
        self.parts = {}

    def part(self, number, body):
        self.parts[number] = self.s3.upload_part(**self.where, PartNumber=number, Body=body)["ETag"]
        return self

    def complete(self, order=None):
        parts = [{"PartNumber": n, "ETag": self.parts[n]} for n in (order or sorted(self.parts))]
        return self.s3.complete_multipart_upload(**self.where, MultipartUpload={"Parts": parts})


def test_parts_in_any_order_and_sent_again(s3, bucket):
    one, two, three = os.urandom(PART), os.urandom(PART + 1), os.urandom(10)
    upload = Upload(s3, bucket, "k", ContentType="text/x", Metadata={"a": "1"})
    upload.part(3, three).part(1, two).part(2, two).part(1, one)
    listed = s3.list_parts(**upload.where)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [(1, len(one)), (2, len(two)), (3, 10)]
    done = upload.complete()
    digests = b"".join(hashlib.md5(p).digest() for p in (one, two, three))
    assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == one + two + three
    assert got["ContentType"] == "text/x" and got["Metadata"] == {"a": "1"}
    part = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert part["Body"].read() == two and part["PartsCount"] == 3
    assert s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={PART - 3}-{PART + 2}")["Body"].read() == one[-3:] + two[:3]
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_gaps_and_subsets(s3, bucket):
    upload = Upload(s3, bucket, "k")
    upload.part(7, b"7" * PART).part(20, b"20").part(10000, b"unused")
    upload.complete([7, 20])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"7" * PART + b"20"


def test_errors(s3, bucket):
    upload = Upload(s3, bucket, "k")
    upload.part(1, b"small").part(2, b"last")
    assert code_of(upload.complete) == "EntityTooSmall"
    assert code_of(upload.complete, order=[2, 1]) in ("InvalidPartOrder", "EntityTooSmall")
    upload.parts[3] = '"0123456789abcdef0123456789abcdef"'
    assert code_of(upload.complete, order=[3]) == "InvalidPart"
    for number in (0, 10001):
        assert code_of(s3.upload_part, **upload.where, PartNumber=number, Body=b"") == "InvalidArgument"
    other = dict(upload.where, UploadId="no-such-upload")
    assert code_of(s3.upload_part, **other, PartNumber=1, Body=b"") == "NoSuchUpload"
    assert code_of(s3.list_parts, **other) == "NoSuchUpload"
    assert code_of(s3.complete_multipart_upload, **other, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "x"}]}) == "NoSuchUpload"
    assert code_of(s3.complete_multipart_upload, **upload.where, MultipartUpload={"Parts": []}) == "MalformedXML"
    s3.abort_multipart_upload(**upload.where)
    assert code_of(s3.abort_multipart_upload, **upload.where) == "NoSuchUpload"
    assert code_of(s3.head_object, Bucket=bucket, Key="k") == "404"


def test_completing_twice_is_fine(s3, bucket):
    upload = Upload(s3, bucket, "k").part(1, b"x")
    assert upload.complete()["ETag"] == upload.complete()["ETag"]


def test_copied_parts(s3, bucket):
    source = os.urandom(PART * 2)
    s3.put_object(Bucket=bucket, Key="source", Body=source)
    upload = Upload(s3, bucket, "k")
    for number, (first, last) in enumerate([(0, PART - 1), (PART - 100, 2 * PART - 1)], 1):
        copied = s3.upload_part_copy(**upload.where, PartNumber=number, CopySource=f"{bucket}/source",
                                     CopySourceRange=f"bytes={first}-{last}")
        upload.parts[number] = copied["CopyPartResult"]["ETag"]
    copied = s3.upload_part_copy(**upload.where, PartNumber=3, CopySource=f"{bucket}/source")
    upload.parts[3] = copied["CopyPartResult"]["ETag"]
    upload.complete()
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == source[:PART] + source[PART - 100:] + source
    again = Upload(s3, bucket, "k2")
    for bad in ("bytes=0-", "bytes=5-1", "0-5", f"bytes=0-{PART * 2}"):
        assert code_of(s3.upload_part_copy, **again.where, PartNumber=1, CopySource=f"{bucket}/source",
                       CopySourceRange=bad) in ("InvalidArgument", "InvalidRange"), bad
    assert code_of(s3.upload_part_copy, **again.where, PartNumber=1, CopySource=f"{bucket}/source",
                   CopySourceIfMatch='"x"') == "PreconditionFailed"


def test_listing_uploads(s3, bucket):
    uploads = [Upload(s3, bucket, key) for key in ("a/1", "a/2", "b", "b", "c")]
    listed = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [u["Key"] for u in listed] == ["a/1", "a/2", "b", "b", "c"]
    assert {u["UploadId"] for u in listed} == {u.where["UploadId"] for u in uploads}
    folders = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in folders["CommonPrefixes"]] == ["a/"] and len(folders["Uploads"]) == 3
    seen, markers = [], {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=2, **markers)
        seen += [u["UploadId"] for u in page["Uploads"]]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert seen == [u["UploadId"] for u in listed]


def test_open_uploads_end_with_their_bucket(s3):
    s3.create_bucket(Bucket="left-in-a-hurry")
    upload = Upload(s3, "left-in-a-hurry", "k")
    upload.part(1, b"x" * 100_000)
    s3.put_object(Bucket="left-in-a-hurry", Key="there")
    assert code_of(s3.delete_bucket, Bucket="left-in-a-hurry") == "BucketNotEmpty"
    upload.part(2, b"y")  # a bucket that stays keeps them
    s3.delete_object(Bucket="left-in-a-hurry", Key="there")
    s3.delete_bucket(Bucket="left-in-a-hurry")
    s3.create_bucket(Bucket="left-in-a-hurry")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="left-in-a-hurry")
    assert code_of(s3.list_parts, **upload.where) == "NoSuchUpload"
    s3.delete_bucket(Bucket="left-in-a-hurry")


def test_list_parts_in_pages(s3, bucket):
    upload = Upload(s3, bucket, "k")
    for number in (1, 2, 5, 9):
        upload.part(number, b"x")
    first = s3.list_parts(**upload.where, MaxParts=3)
    assert [p["PartNumber"] for p in first["Parts"]] == [1, 2, 5] and first["IsTruncated"]
    rest = s3.list_parts(**upload.where, PartNumberMarker=first["NextPartNumberMarker"])
    assert [p["PartNumber"] for p in rest["Parts"]] == [9] and not rest["IsTruncated"]


def test_part_checksums(s3, bucket):
    where = dict(Bucket=bucket, Key="k")
    where["UploadId"] = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for number, body in enumerate([b"a" * PART, b"b"], 1):
        part = s3.upload_part(**where, PartNumber=number, Body=body, ChecksumAlgorithm="SHA256")
        parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]})
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ChecksumSHA256"].endswith("-2")
    attributes = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectParts", "Checksum"])
    assert attributes["ObjectParts"]["TotalPartsCount"] == 2
    assert [p["Size"] for p in attributes["ObjectParts"]["Parts"]] == [PART, 1]


def test_transfer_manager(s3, bucket, tmp_path):
    (tmp_path / "in").write_bytes(os.urandom(20_000_000))
    s3.upload_file(str(tmp_path / "in"), bucket, "k")
    s3.download_file(bucket, "k", str(tmp_path / "out"))
    assert (tmp_path / "in").read_bytes() == (tmp_path / "out").read_bytes()
    s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "k2")
    assert s3.head_object(Bucket=bucket, Key="k2")["ContentLength"] == 20_000_000
