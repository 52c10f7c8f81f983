"""boto3 at the S3 door, as root."""
import boto3
from botocore.config import Config


def make_client(tarn, **config):
    return boto3.client("s3", endpoint_url=tarn.endpoint, region_name="us-east-1",
                        aws_access_key_id=tarn.access_key, aws_secret_access_key=tarn.secret_key,
                        config=Config(retries={"max_attempts": 0}, max_pool_connections=64,
                                      s3={"addressing_style": "path"}, **config))
