"""The same data by other ways than SQL: files by S3, every reading route of the HTTP API, dashboards, alerts, kept results."""
import json
import pathlib
import re
import sys
import urllib.parse

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from governed_lake import GovernedLake, found_hidden
from tarn_server import ROOT

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from test_new_doors import apply, until  # noqa: E402

DOOR = (ROOT / "src" / "protocols" / "admin" / "door.cc").read_text()
GET_ROUTES = re.findall(r'\{"GET", "(/[^"]+)"', DOOR)
LAKEFILE = """\
lake: ward
tables:
  totals: {sql: "select region, sum(zqxcol_pay) as pay from clinic.patients group by region"}
alerts:
  paid: {when: "select id, name, region, zqxcol_pay from clinic.patients where zqxcol_pay > 0", one_per: [id]}
dashboards:
  ward:
    embed: [https://intranet.example]
    charts:
      - {title: Patients, number: count(*), from: clinic.patients}
      - {title: Pay, number: max(zqxcol_pay), from: clinic.patients}
      - {title: All, table: [id, name, region, email, balance], from: clinic.patients}
      - {title: Sql, sql: "select * from clinic.big order by n desc limit 5"}
      - {title: Totals, table: [region, pay], from: totals}
      - {title: Closed, sql: select * from clinic.closed}
"""


@pytest.fixture(scope="module")
def lake(tarn_binary):
    made = GovernedLake()
    try:
        apply(made.server, LAKEFILE)
        s3 = client(made)
        s3.create_bucket(Bucket="landing")
        s3.create_bucket(Bucket="own")
        s3.put_object(Bucket="landing", Key="clinic/2026/01/01/0_patients.csv", Body=b"735000101,zqxname1,zqxregion")
        made.kept = made.api("POST", "/api/v1/queries", {"sql": "select * from clinic.patients", "wait_ms": 5000})["id"]
        until(lambda: made.api("GET", "/api/v1/alerts/paid/events")["events"], 60)
        yield made
    finally:
        made.close()


def client(lake, who=None):
    key = lake.keys[who] if who else (lake.server.access_key, lake.server.secret_key)
    return boto3.client("s3", endpoint_url=lake.server.endpoint, aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        region_name="us-east-1", config=Config(signature_version="s3v4", retries={"max_attempts": 0}, s3={"addressing_style": "path"}))


FILES = {
    "get": lambda s3, key: s3.get_object(Bucket="lake", Key=key)["Body"].read(),
    "range": lambda s3, key: s3.get_object(Bucket="lake", Key=key, Range="bytes=-400")["Body"].read(),
    "part": lambda s3, key: s3.get_object(Bucket="lake", Key=key, PartNumber=1)["Body"].read(),
    "head": lambda s3, key: s3.head_object(Bucket="lake", Key=key),
    "copy": lambda s3, key: s3.copy_object(Bucket="own", Key="stolen", CopySource={"Bucket": "lake", "Key": key}),
    "copy onto itself": lambda s3, key: s3.copy_object(Bucket="lake", Key=key, CopySource={"Bucket": "lake", "Key": key},
                                                       MetadataDirective="REPLACE", Metadata={"a": "b"}),
    "copy a part": lambda s3, key: s3.upload_part_copy(
        Bucket="own", Key="stolen", PartNumber=1, CopySource={"Bucket": "lake", "Key": key},
        UploadId=s3.create_multipart_upload(Bucket="own", Key="stolen")["UploadId"]),
    "attributes": lambda s3, key: s3.get_object_attributes(Bucket="lake", Key=key, ObjectAttributes=["ObjectSize"]),
    "tags": lambda s3, key: s3.get_object_tagging(Bucket="lake", Key=key),
    "put": lambda s3, key: s3.put_object(Bucket="lake", Key=key, Body=b"x"),
    "delete": lambda s3, key: s3.delete_object(Bucket="lake", Key=key),
}


@pytest.mark.parametrize("how", FILES)
def test_files_of_tables_are_closed(lake, how):
    root, clerk = client(lake), client(lake, "clerk")
    keys = [item["Key"] for item in root.list_objects_v2(Bucket="lake")["Contents"]]
    # of each kind of file one of each table: data, manifests, manifest lists, metadata
    seen = {}
    for key in keys:
        if "/staff" not in key and "twin_" not in key and "/notes" not in key and "/strict" not in key:
            seen.setdefault((key.split("/")[0], key.split("/")[1], key.split("/")[2], key.rsplit(".", 1)[-1]), key)
    assert len(seen) > 20
    for key in seen.values():
        with pytest.raises(ClientError) as refused:
            FILES[how](clerk, key)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 501), f"{how} {key}: {refused.value}"
        assert not found_hidden(str(refused.value.response["Error"]), key, "clerk")


def test_presigned_by_who_may_not(lake):
    key = client(lake).list_objects_v2(Bucket="lake", Prefix="clinic/patients")["Contents"][0]["Key"]
    url = client(lake, "clerk").generate_presigned_url("get_object", Params={"Bucket": "lake", "Key": key})
    import urllib.error
    import urllib.request
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    assert refused.value.code == 403


def test_originals_of_a_source_are_closed_to_who_sees_a_part(lake):
    clerk = client(lake, "clerk")
    for key in ("clinic/2026/01/01/0_patients.csv", "clinic/2026/01/01/none"):
        with pytest.raises(ClientError, match="AccessDenied|403"):
            clerk.get_object(Bucket="landing", Key=key)
    with pytest.raises(ClientError, match="AccessDenied|403"):
        clerk.copy_object(Bucket="own", Key="stolen", CopySource={"Bucket": "landing", "Key": "clinic/2026/01/01/0_patients.csv"})
    client(lake).put_object(Bucket="landing", Key="other/1.csv", Body=b"x")
    assert clerk.get_object(Bucket="landing", Key="other/1.csv")["Body"].read() == b"x"


def paths(lake):
    tables = ("clinic/patients", "clinic/big", "clinic/visits", "clinic/orders", "clinic/closed", "clinic/dropbox", "clinic/payroll",
              "clinic/everyone", "main/regions", "main/totals", "twin_clerk/patients")
    others = {"dashboards": ["ward"], "alerts": ["paid"], "queries": [lake.kept], "users": ["clerk", "both"], "steps": ["totals", "paid"],
              "runs": ["totals/1"], "streams": ["source.x"], "models": ["x"], "sources": ["x"]}
    for pattern in GET_ROUTES:
        if "/catalog/{}/{}" in pattern:
            for table in tables:
                yield pattern.replace("{}/{}", table)
            continue
        kind = pattern.split("/")[3]
        for name in others.get(kind, ["x"]) if "{}" in pattern else [""]:
            yield pattern.replace("{}/{}", name).replace("{}", name, 1).replace("{}", "1")
    versions = [s["id"] for s in lake.api("GET", "/api/v1/catalog/clinic/patients/snapshots")["snapshots"]]
    for version in versions:
        for what in ("sample", "profile"):
            yield f"/api/v1/catalog/clinic/patients/{what}?snapshot={version}"
    for column in ("zqxcol_pay", "grade", "email", "region", "id", "nothing", 'x" from clinic.closed --', "*"):
        yield "/api/v1/catalog/clinic/patients/profile?column=" + urllib.parse.quote(column)
    yield f"/api/v1/queries/{lake.kept}/rows"
    yield f"/api/v1/queries/{lake.kept}/export?format=parquet"
    yield "/api/v1/events?dashboard=ward"


def test_no_reading_route_shows_what_is_hidden(lake):
    wrong, asked = [], 0
    for path in paths(lake):
        if "/events" in path and "?" in path or path == "/api/v1/events":
            continue  # does not end; it says only that something has changed
        try:
            status, text, _ = lake.call("GET", path, None, "clerk")
        except TimeoutError:
            raise AssertionError(f"{path} does not end") from None
        asked += 1
        # The lakefile is a text of the owner: who may read it reads the names in it.
        shown = re.sub(r"zqxcol_\w+|sum\(zqx\w*", "", text) if re.search("lakefile|spec|lineage|graph|steps|tables|/alerts|dashboards|catalog/main/totals", path) else text
        leaked = found_hidden(shown, path, "clerk")
        if leaked or status >= 500 and status != 501:
            wrong.append(f"{path}: {status} {leaked or text[:300]}")
    assert asked > 100 and not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong)


def test_a_dashboard_counts_what_its_viewer_sees(lake):
    charts = json.loads(lake.call("GET", "/api/v1/dashboards/ward", None, "clerk")[1])
    text = json.dumps(charts)
    assert not found_hidden(re.sub(r"zqxcol_\w+", "", text), "", "clerk")
    mine = [chart for chart in charts["charts"] if chart["title"] == "Patients"][0]
    assert "6" in json.dumps(mine["rows"] if "rows" in mine else mine), mine


def test_statements_kept_for_another_are_not_there(lake):
    for method, path in (("GET", ""), ("GET", "/rows"), ("GET", "/export"), ("DELETE", "")):
        status, text, _ = lake.call(method, f"/api/v1/queries/{lake.kept}{path}", None, "clerk")
        assert status == 404 and not found_hidden(text, "", "clerk"), text
