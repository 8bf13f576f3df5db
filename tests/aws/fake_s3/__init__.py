"""A small S3 for tests: reads with all their faults, over HTTP."""

from tests.aws.fake_s3.contents import Bucket, GeneratedBucket, Stored
from tests.aws.fake_s3.faults import Cut, Drip, Fault, Late, Refuse, Stall
from tests.aws.fake_s3.layouts import LAYOUTS, Layout
from tests.aws.fake_s3.server import KEYS, FakeS3, Request

__all__ = [
    "KEYS",
    "LAYOUTS",
    "Bucket",
    "Cut",
    "Drip",
    "FakeS3",
    "Fault",
    "GeneratedBucket",
    "Late",
    "Layout",
    "Refuse",
    "Request",
    "Stall",
    "Stored",
]
