"""S3's requests with botocore's signer over urllib3, without boto3's layers between."""
