"""What was acknowledged is there after kill -9, what was refused is not."""
import http.client
import os
import random
import threading

from botocore.exceptions import BotoCoreError, ClientError

from s3_clients import make_client
from s3_requests import signed_headers


def writer(tarn, number, acknowledged, attempted, rng):
    s3 = make_client(tarn)
    count = 0
    while True:
        key = f"{number}/{count}"
        body = rng.randbytes(rng.choice([10, 4096, 70_000, 300_000]))
        attempted[key] = body
        try:
            if count % 7 == 6 and count > 10:
                victim = f"{number}/{count - 5}"
                attempted.pop(victim)
                acknowledged.pop(victim, None)
                s3.delete_object(Bucket="crash", Key=victim)
                acknowledged[victim] = None
            s3.put_object(Bucket="crash", Key=key, Body=body)
        except (BotoCoreError, ClientError, OSError):
            return
        acknowledged[key] = body
        count += 1


def test_acknowledged_is_present_after_a_kill(own_tarn):
    seed = int(os.environ.get("TARN_SEED", random.randrange(1 << 32)))
    print(f"TARN_SEED={seed}")
    rng = random.Random(seed)
    make_client(own_tarn).create_bucket(Bucket="crash")
    acknowledged, attempted = {}, {}
    for round_ in range(int(os.environ.get("TARN_KILLS", 4))):
        threads = [threading.Thread(target=writer, args=(own_tarn, f"{round_}-{i}", acknowledged, attempted,
                                                         random.Random(rng.random()))) for i in range(4)]
        for thread in threads:
            thread.start()
        threading.Event().wait(rng.uniform(0.2, 1.2))
        own_tarn.kill()
        for thread in threads:
            thread.join()
        own_tarn.start()
        s3 = make_client(own_tarn)
        present = [o["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="crash")
                   for o in page.get("Contents", [])]
        for key, body in acknowledged.items():
            if body is None:
                assert key not in present, f"{key} came back"
            else:
                assert s3.get_object(Bucket="crash", Key=key)["Body"].read() == body, key
        for key in present:
            assert key in attempted or key not in acknowledged, f"{key} was never written"
            if key in attempted:
                assert s3.get_object(Bucket="crash", Key=key)["Body"].read() == attempted[key], key
    assert sum(body is not None for body in acknowledged.values()) > 20


def test_state_survives_restarts(own_tarn):
    s3 = make_client(own_tarn)
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="small", Body=b"s", Metadata={"a": "1"})
    big = os.urandom(6 << 20)
    upload = s3.create_multipart_upload(Bucket="kept", Key="parts")["UploadId"]
    etag = s3.upload_part(Bucket="kept", Key="parts", UploadId=upload, PartNumber=1, Body=big)["ETag"]
    for crash in (True, False):
        own_tarn.restart(crash=crash)
        s3 = make_client(own_tarn)
        assert s3.head_object(Bucket="kept", Key="small")["Metadata"] == {"a": "1"}
        assert s3.list_parts(Bucket="kept", Key="parts", UploadId=upload)["Parts"][0]["ETag"] == etag
    s3.complete_multipart_upload(Bucket="kept", Key="parts", UploadId=upload,
                                 MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    own_tarn.restart(crash=True)
    assert make_client(own_tarn).get_object(Bucket="kept", Key="parts")["Body"].read() == big


def put_until_told_to_close(tarn, number, acknowledged, cut_off):
    """The same small object again and again on one connection; what ends it but a closed connection goes to `cut_off`."""
    headers = signed_headers(tarn, "PUT", f"/stop/{number}", body=b"x")
    connection = http.client.HTTPConnection(*tarn.address("aws"), timeout=60)
    connection.connect()
    while True:
        try:
            connection.request("PUT", f"/stop/{number}", body=b"x", headers=headers)
            answer = connection.getresponse()
            answer.read()
        except http.client.RemoteDisconnected:
            return  # an idle connection is closed, which may cross the next request
        except (OSError, http.client.HTTPException) as error:
            cut_off.append(repr(error))
            return
        acknowledged[number] = answer.status
        if answer.getheader("Connection") == "close":
            return


def test_a_stop_answers_the_puts_that_wait_for_the_log(own_tarn):
    make_client(own_tarn).create_bucket(Bucket="stop")
    acknowledged, cut_off = {}, []
    threads = [threading.Thread(target=put_until_told_to_close, args=(own_tarn, i, acknowledged, cut_off)) for i in range(32)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 32:
        threading.Event().wait(0.01)
    assert own_tarn.stop(seconds=60) == 0
    for thread in threads:
        thread.join(60)
    assert [error for error in cut_off if "reset" not in error and "Broken pipe" not in error] == []
    assert set(acknowledged.values()) == {200}
    own_tarn.start()
    listed = make_client(own_tarn).list_objects_v2(Bucket="stop")
    assert listed["KeyCount"] == 32
