"""Buckets and their configuration."""
import boto3
import pytest
from botocore.exceptions import ClientError

from tarn_server import TarnServer


def code_of(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"]


def test_life_of_a_bucket(s3):
    s3.create_bucket(Bucket="life-of-a-bucket")
    assert code_of(s3.delete_bucket, Bucket="no-such-bucket-x") == "NoSuchBucket"
    assert "life-of-a-bucket" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket="life-of-a-bucket")["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="life-of-a-bucket")["LocationConstraint"] is None
    s3.put_object(Bucket="life-of-a-bucket", Key="k", Body=b"")
    assert code_of(s3.delete_bucket, Bucket="life-of-a-bucket") == "BucketNotEmpty"
    s3.delete_object(Bucket="life-of-a-bucket", Key="k")
    s3.delete_bucket(Bucket="life-of-a-bucket")
    assert code_of(s3.head_bucket, Bucket="life-of-a-bucket") == "404"


def test_ones_own_bucket_again(s3):
    """Amazon's first region answers as if it were made just now, and scripts count on it; what is in it stays."""
    s3.create_bucket(Bucket="made-at-each-start")
    s3.put_object(Bucket="made-at-each-start", Key="k", Body=b"kept")
    assert s3.create_bucket(Bucket="made-at-each-start")["Location"] == "/made-at-each-start"
    assert s3.get_object(Bucket="made-at-each-start", Key="k")["Body"].read() == b"kept"
    s3.delete_object(Bucket="made-at-each-start", Key="k")
    s3.delete_bucket(Bucket="made-at-each-start")
    # In any other region it is an error there, and here.
    with TarnServer(args=["--region", "eu-central-1"]) as server:
        other = boto3.client("s3", endpoint_url=server.endpoint, region_name="eu-central-1", aws_access_key_id=server.access_key,
                             aws_secret_access_key=server.secret_key)
        where = {"LocationConstraint": "eu-central-1"}
        other.create_bucket(Bucket="made-once", CreateBucketConfiguration=where)
        assert code_of(other.create_bucket, Bucket="made-once", CreateBucketConfiguration=where) == "BucketAlreadyOwnedByYou"


def test_region_in_the_body(s3):
    s3.create_bucket(Bucket="made-elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.delete_bucket(Bucket="made-elsewhere")


@pytest.mark.parametrize("name", ["ab", "A-Upper", "under_score", "dot..dot", "-dash", "dash-", "192.168.1.1", "x" * 64,
                                  "xn--puny", "a b"])
def test_names_that_are_none(tarn, name):
    from s3_requests import send_signed
    assert send_signed(tarn, "PUT", "/" + name.replace(" ", "%20")).code == "InvalidBucketName"


def test_configuration_that_was_never_made(s3, bucket):
    for call, code in [(s3.get_bucket_policy, "NoSuchBucketPolicy"), (s3.get_bucket_tagging, "NoSuchTagSet"),
                       (s3.get_bucket_cors, "NoSuchCORSConfiguration"),
                       (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
                       (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
                       (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
                       (s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration"),
                       (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
                       (s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError")]:
        assert code_of(call, Bucket=bucket) == code
        assert code_of(call, Bucket="no-such-bucket-x") == "NoSuchBucket"
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.get_bucket_accelerate_configuration(Bucket=bucket)
    s3.get_bucket_notification_configuration(Bucket=bucket)
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert [g["Permission"] for g in acl["Grants"]] == ["FULL_CONTROL"] and acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]


def test_what_is_not_built_says_so(s3, bucket):
    for call, arguments, name in [
            (s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Enabled"}}, "PutBucketVersioning"),
            (s3.put_bucket_policy, {"Policy": "{}"}, "PutBucketPolicy"),
            (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": {"Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}, "PutBucketEncryption"),
            (s3.restore_object, {"Key": "k"}, "RestoreObject")]:
        with pytest.raises(ClientError) as error:
            call(Bucket=bucket, **arguments)
        assert error.value.response["Error"]["Code"] == "NotImplemented"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert name in error.value.response["Error"]["Message"]


def test_buckets_of_another_kind_are_refused(s3):
    for wish, code in [({"ObjectOwnership": "ObjectWriter"}, "NotImplemented"), ({"ObjectOwnership": "BucketOwnerPreferred"}, "NotImplemented"),
                       ({"GrantRead": "id=somebody"}, "InvalidBucketAclWithObjectOwnership"),
                       ({"ACL": "public-read"}, "InvalidBucketAclWithObjectOwnership")]:
        with pytest.raises(ClientError) as error:
            s3.create_bucket(Bucket="another-kind", **wish)
        assert error.value.response["Error"]["Code"] == code, wish
        with pytest.raises(ClientError):
            s3.head_bucket(Bucket="another-kind")
    s3.create_bucket(Bucket="another-kind", ObjectOwnership="BucketOwnerEnforced")
    s3.delete_bucket(Bucket="another-kind")


def test_bucket_tags(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "lake"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "lake"}]
    s3.delete_bucket_tagging(Bucket=bucket)
    assert code_of(s3.get_bucket_tagging, Bucket=bucket) == "NoSuchTagSet"


def test_other_services_are_told_so(tarn):
    glue = boto3.client("glue", endpoint_url=tarn.endpoint, region_name="us-east-1",
                        aws_access_key_id=tarn.access_key, aws_secret_access_key=tarn.secret_key)
    assert code_of(glue.get_tables, DatabaseName="x") == "UnknownOperationException"
