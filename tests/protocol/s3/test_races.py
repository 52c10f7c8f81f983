"""Many writers at once."""
import concurrent.futures
import os

from botocore.exceptions import ClientError

from s3_requests import send_signed

THREADS = 16


def at_once(job):
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(job, range(THREADS)))


def test_one_creator_wins(tarn, s3, bucket):
    for round_ in range(10):
        for size in (10, 200_000):
            key = f"k{round_}-{size}"
            answers = at_once(lambda i: send_signed(tarn, "PUT", f"/{bucket}/{key}", {"If-None-Match": "*"},
                                                    bytes([i]) * size).status)
            assert sorted(answers)[0] == 200 and answers.count(200) == 1, answers
            assert set(answers) <= {200, 409, 412}
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            assert body == bytes([answers.index(200)]) * size


def test_compare_and_swap_loses_no_increment(tarn, s3, bucket):
    s3.put_object(Bucket=bucket, Key="n", Body=b"0")

    def increment(_):
        for _ in range(5):
            while True:
                got = s3.get_object(Bucket=bucket, Key="n")
                value = int(got["Body"].read())
                answer = send_signed(tarn, "PUT", f"/{bucket}/n", {"If-Match": got["ETag"]}, str(value + 1).encode())
                if answer.status == 200:
                    break
                assert answer.status in (409, 412)
    at_once(increment)
    assert s3.get_object(Bucket=bucket, Key="n")["Body"].read() == str(5 * THREADS).encode()


def test_readers_see_one_version_or_the_other(s3, bucket):
    bodies = [bytes([i]) * 300_000 for i in range(4)]
    s3.put_object(Bucket=bucket, Key="k", Body=bodies[0])

    def work(i):
        for j in range(8):
            if i % 2:
                s3.put_object(Bucket=bucket, Key="k", Body=bodies[(i + j) % 4])
            else:
                assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() in bodies
        return True
    assert all(at_once(work))


def test_one_bucket_creator_at_most_fails_cleanly(s3):
    def create(_):
        try:
            s3.create_bucket(Bucket="race-for-a-bucket")
            return 200
        except ClientError as error:
            return error.response["Error"]["Code"]
    assert set(at_once(create)) <= {200, "BucketAlreadyOwnedByYou", "OperationAborted"}
    s3.delete_bucket(Bucket="race-for-a-bucket")


def test_parts_at_once(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    bodies = [os.urandom(5 << 20) for _ in range(4)]

    def part(i):
        n = i % 4
        return n, s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=n + 1, Body=bodies[n])["ETag"]
    etags = dict(at_once(part))
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={
        "Parts": [{"PartNumber": n + 1, "ETag": etags[n]} for n in range(4)]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"".join(bodies)
