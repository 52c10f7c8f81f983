"""ListObjects, v1 and v2, against a model of what S3 answers."""
import random

import pytest
from botocore.exceptions import ClientError


def model(keys, prefix="", delimiter="", after="", entries=1000):
    """(objects, common prefixes, truncated) of one page."""
    found, seen = [], set()
    for key in sorted(keys, key=lambda k: k.encode()):
        if not key.startswith(prefix):
            continue
        entry, folder = key, False
        if delimiter and delimiter in key[len(prefix):]:
            entry = prefix + key[len(prefix):].split(delimiter)[0] + delimiter
            folder = True
        if entry.encode() <= after.encode() or (folder and entry in seen):
            continue
        seen.add(entry)
        found.append((entry, folder))
    page = found[:entries]
    return [e for e, f in page if not f], [e for e, f in page if f], len(found) > entries


def walk(s3, bucket, version, **how):
    """All pages: (objects, common prefixes), checked for order and truncation as they come."""
    objects, prefixes, last = [], [], None
    while True:
        if version == 2:
            page = s3.list_objects_v2(Bucket=bucket, **how, **({"ContinuationToken": last} if last else {}))
            assert page["KeyCount"] == len(page.get("Contents", [])) + len(page.get("CommonPrefixes", []))
        else:
            page = s3.list_objects(Bucket=bucket, **how, **({"Marker": last} if last else {}))
        contents = [o["Key"] for o in page.get("Contents", [])]
        folders = [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        objects += contents
        prefixes += folders
        if not page["IsTruncated"]:
            return objects, prefixes
        assert len(contents) + len(folders) == how.get("MaxKeys", 1000)
        if version == 2:
            last = page["NextContinuationToken"]
        else:
            last = page.get("NextMarker") or contents[-1]


@pytest.fixture(scope="module")
def shelf(s3):
    """A bucket with awkward keys; read only."""
    name = "listing-shelf"
    s3.create_bucket(Bucket=name)
    keys = ["a", "a/", "a/b", "a/b/c", "a/b/d", "a0", "a/b0", "b/1", "b/2", "b//3", "c d/e", "ä/ö", "zz/zz/zz", "/x", "//"]
    keys += [f"many/{i:03}/{j}" for i in range(30) for j in range(4)]
    for key in keys:
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    yield name, keys
    s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": k} for k in keys], "Quiet": True})
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize("version", [1, 2])
def test_prefix_delimiter_and_pages(s3, shelf, version):
    bucket, keys = shelf
    rng = random.Random(version)
    cases = [("", "/", 1000), ("many/", "/", 7), ("many/0", "/", 3), ("", "", 10), ("a", "b", 2), ("none", "/", 5),
             ("a/b", "/", 1), ("b/", "/", 1), ("", "any/", 4), ("many/001/", "", 1), ("ä", "/", 1)]
    cases += [(rng.choice(["", "a", "many", "b/"]), rng.choice(["", "/", "0", "/0"]), rng.randint(1, 9)) for _ in range(15)]
    for prefix, delimiter, entries in cases:
        how = {"Prefix": prefix, "MaxKeys": entries}
        if delimiter:
            how["Delimiter"] = delimiter
        objects, prefixes, _ = model(keys, prefix, delimiter, entries=10_000)
        assert walk(s3, bucket, version, **how) == (objects, prefixes), (prefix, delimiter, entries)


def test_markers(s3, shelf):
    bucket, keys = shelf
    for after in ["a", "a/b", "b/", "many/", "many/015/", "zzz", "0"]:
        for delimiter in ["", "/"]:
            objects, prefixes, _ = model(keys, "", delimiter, after)
            how = {"Delimiter": delimiter} if delimiter else {}
            v1 = s3.list_objects(Bucket=bucket, Marker=after, **how)
            v2 = s3.list_objects_v2(Bucket=bucket, StartAfter=after, **how)
            for page in (v1, v2):
                assert [o["Key"] for o in page.get("Contents", [])] == objects, (after, delimiter)
                assert [p["Prefix"] for p in page.get("CommonPrefixes", [])] == prefixes, (after, delimiter)
            assert v1["Marker"] == after and v2["StartAfter"] == after


def test_what_a_page_tells(s3, shelf):
    bucket, keys = shelf
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    assert page["Name"] == bucket and page["MaxKeys"] == 1 and page["IsTruncated"] and page["KeyCount"] == 1
    entry = page["Contents"][0]
    assert entry["Size"] == 1 and entry["StorageClass"] == "STANDARD" and "Owner" not in entry
    assert entry["ETag"] == s3.head_object(Bucket=bucket, Key=entry["Key"])["ETag"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=1, FetchOwner=True)["Contents"][0]["Owner"]["ID"]
    assert s3.list_objects(Bucket=bucket, MaxKeys=1)["Contents"][0]["Owner"]["ID"]
    none = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert none["KeyCount"] == 0 and not none["IsTruncated"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=100_000)["KeyCount"] == len(keys)
    encoded = s3.list_objects_v2(Bucket=bucket, Prefix="ä", EncodingType="url")
    assert encoded["Contents"][0]["Key"] == "%C3%A4/%C3%B6"
    versions = s3.list_object_versions(Bucket=bucket, Prefix="a/b/")["Versions"]
    assert [(v["Key"], v["VersionId"], v["IsLatest"]) for v in versions] == [("a/b/c", "null", True), ("a/b/d", "null", True)]


def test_refusals(s3, shelf):
    bucket, _ = shelf
    for bad in [{"MaxKeys": -1}, {"ContinuationToken": "!"}, {"ContinuationToken": ""}, {"EncodingType": "hex"}]:
        with pytest.raises(ClientError) as error:
            s3.list_objects_v2(Bucket=bucket, **bad)
        assert error.value.response["Error"]["Code"] == "InvalidArgument", bad
    with pytest.raises(ClientError) as error:
        s3.list_objects_v2(Bucket="there-is-none")
    assert error.value.response["Error"]["Code"] == "NoSuchBucket"


def test_more_than_a_page(s3, bucket):
    keys = [f"{i:05}" for i in range(2100)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    first = s3.list_objects_v2(Bucket=bucket)
    assert first["KeyCount"] == 1000 and first["IsTruncated"]
    assert walk(s3, bucket, 2) == (keys, [])
    assert walk(s3, bucket, 1) == (keys, [])
