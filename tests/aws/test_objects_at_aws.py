"""Both backends against hosts named as AWS names them: TLS, a proxy, Regions, buckets with dots, a clock that is off.

FakeS3 serves TLS with a certificate made for the run, behind a proxy that takes every name for it.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from pathlib import Path

import botocore
import pytest

from scanner_tasks.aws.lean.addresses import aws_host
from scanner_tasks.core.access import Access
from scanner_tasks.core.errors import BucketNotFound, ObjectDenied, ObjectError, Unavailable
from scanner_tasks.core.model import ObjectRef, Outcome
from scanner_tasks.core.planning import Policy, plan_object
from tests.aws.fake_s3 import FakeS3
from tests.aws.test_objects_contract import ODD_KEYS
from tests.conftest import unavailable

NAMES = [f"{star}s3.{region}.amazonaws.com" for region in ("us-east-1", "eu-west-1") for star in ("", "*.")]


@pytest.fixture(scope="session")
def certificate(scratch: Path) -> Path:
    """A file with a key and a certificate for S3's names, which signs itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        unavailable("openssl", RuntimeError("it makes the test's certificate"))
    file = scratch / "s3.pem"
    names = ",".join(f"DNS:{name}" for name in [*NAMES, "s3.amazonaws.com", "*.s3.amazonaws.com"])
    command = f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    more = ["-addext", f"subjectAltName={names}", "-keyout", str(file), "-out", str(scratch / "s3.crt")]
    subprocess.run([*command.split(), *more], check=True, capture_output=True)
    file.write_text(file.read_text() + (scratch / "s3.crt").read_text())
    return file


@pytest.fixture(scope="module")
def tls_s3(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = FakeS3(tls=context)
    yield server
    server.stop()


class Proxy(socketserver.ThreadingTCPServer):
    """Takes CONNECT to any host, and connects to ``port``."""

    daemon_threads = True
    asked: list[str]
    port: int

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.server.asked.append(self.rfile.readline().decode().split()[1])
            while self.rfile.readline().strip():
                pass
            with socket.create_connection(("127.0.0.1", self.server.port)) as behind:
                self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
                back = threading.Thread(target=self.copy, args=(behind, self.request))
                back.start()
                self.copy(self.request, behind)
                back.join()

        @staticmethod
        def copy(source, target):
            try:
                while piece := source.recv(65536):
                    target.sendall(piece)
                target.shutdown(socket.SHUT_WR)
            except OSError:
                return


@pytest.fixture
def proxy(tls_s3, environment):
    proxy = Proxy(("127.0.0.1", 0), Proxy.Handler)
    proxy.asked, proxy.port = [], tls_s3.port
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
    yield proxy
    proxy.shutdown()
    thread.join()
    proxy.server_close()
    tls_s3.reset()


@pytest.fixture
def own(proxy, certificate, environment, backend, sources):
    environment.setenv("AWS_CA_BUNDLE", str(certificate))
    own = sources(backend, None, read_timeout_s=5.0).own()
    yield own
    own.close()


def read(objects, bucket, key):
    with objects.open(ObjectRef(bucket=bucket, key=key, size_bytes=4, etag="")) as body:
        return body.read(2000)


def test_odd_keys_stay_exact_where_the_bucket_is_part_of_the_host(own, tls_s3, proxy):
    tls_s3.bucket("the-bucket", {key: f"content of {key!r}".encode() for key in ODD_KEYS})
    listed = own.list_page("the-bucket", prefix="", start_after=None).objects
    assert [ref.key for ref in listed] == sorted(ODD_KEYS, key=str.encode)
    for key in ODD_KEYS:
        assert read(own, "the-bucket", key) == f"content of {key!r}".encode()
        assert own.head("the-bucket", key).key == key
    assert re.fullmatch(r"the-bucket\.s3(\.us-east-1)?\.amazonaws\.com:443", proxy.asked[0])


def test_what_was_restored_from_an_archive_is_told_by_listing_and_head_and_is_read(own, tls_s3):
    bucket = tls_s3.bucket("the-bucket", {"k": b"text"})
    for key, restored in (("cold", None), ("thawing", False), ("warm", True)):
        bucket.put(key, b"text", storage_class="GLACIER", restored=restored)
    listed = own.list_page("the-bucket", prefix="", start_after=None).objects
    assert [(ref.key, ref.is_restored) for ref in listed] == [
        ("cold", False), ("k", False), ("thawing", False), ("warm", True),
    ]  # fmt: skip
    assert [own.head("the-bucket", ref.key).is_restored for ref in listed] == [False, False, False, True]
    policy = Policy(object_max_bytes=100)
    read_ones = [ref.key for ref in listed if plan_object(ref, policy).outcome is Outcome.PENDING]
    assert read_ones == ["k", "warm"]
    assert read(own, "the-bucket", "warm") == b"text"


def test_a_bucket_with_dots_is_named_in_the_path_for_the_certificates_sake(own, tls_s3, proxy):
    tls_s3.bucket("logs.example", {"a//b": b"text"})
    assert read(own, "logs.example", "a//b") == b"text"
    assert re.fullmatch(r"s3(\.us-east-1)?\.amazonaws\.com:443", proxy.asked[0])


@pytest.mark.parametrize(("is_young", "bucket"), [(False, "far-away"), (True, "far-away"), (False, "far.away")])
def test_s3_is_followed_to_the_buckets_region_and_it_is_remembered(own, tls_s3, bucket, is_young):
    tls_s3.bucket(bucket, {"k": b"text"}, region="eu-west-1", is_young=is_young)
    assert read(own, bucket, "k") == b"text"
    sent = len(tls_s3.requests)
    assert own.list_page(bucket, prefix="", start_after=None).objects[0].key == "k"
    assert read(own, bucket, "k") == b"text"
    assert len(tls_s3.requests) == sent + 2
    assert tls_s3.requests[-1].headers["host"].endswith("s3.eu-west-1.amazonaws.com")


def test_a_head_that_is_told_nothing_finds_the_region_too(own, tls_s3):
    tls_s3.bucket("far-away", {"k": b"text"}, region="eu-west-1")
    assert own.head("far-away", "k").size_bytes == 4


def test_the_lean_backend_asks_again_why_a_head_was_refused(fake_s3, reader):
    fake_s3.bucket("elsewhere", {"k": b"text"}, region="eu-west-1")
    objects = reader("lean", fake_s3.endpoint_url)
    assert objects.head("elsewhere", "k").size_bytes == 4
    fake_s3.buckets["elsewhere"].current("k").denied = "i is not authorized to perform: kms:Decrypt on resource: x"
    with pytest.raises(ObjectDenied, match="kms:Decrypt"):
        objects.head("elsewhere", "k")


def test_a_named_region_is_asked_at_once(own, tls_s3):
    tls_s3.bucket("far-away", {"k": b"text"}, region="eu-west-1")
    there = own.through(Access(region="eu-west-1"))
    assert read(there, "far-away", "k") == b"text"
    assert len(tls_s3.requests) == 1
    there.close()


def test_a_bucket_that_is_nowhere_is_not_found(own, tls_s3):
    with pytest.raises(BucketNotFound):
        own.check_bucket("not-there")


def test_a_certificate_that_nobody_vouches_for_is_refused(proxy, tls_s3, backend, sources):
    tls_s3.bucket("the-bucket", {"k": b"text"})
    own = sources(backend, None, read_timeout_s=5.0).own()
    with pytest.raises(ObjectError, match="SSLError"):
        read(own, "the-bucket", "k")
    assert tls_s3.requests == []
    own.close()


def test_the_lean_backend_signs_with_s3s_time_when_its_own_is_wrong(fake_s3, sources, backend):
    fake_s3.bucket("bucket", {"k": b"text"})
    fake_s3.clock = lambda: time.time() + 3600
    own = sources(backend, fake_s3.endpoint_url, read_timeout_s=5.0).own()
    if backend == "boto3":
        with pytest.raises(Unavailable, match="RequestTimeTooSkewed"):
            read(own, "bucket", "k")
    else:
        assert read(own, "bucket", "k") == b"text"
        assert own.head("bucket", "k").size_bytes == 4
        assert len(fake_s3.requests) == 3
    own.close()


def test_hosts_end_as_botocores_table_of_partitions_says():
    told = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text())
    regions = {
        region: partition["outputs"]["dnsSuffix"]
        for partition in told["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    }
    assert len(regions) > 30
    assert {region: aws_host(region) for region in regions} == {
        region: f"s3.{region}.{suffix}" for region, suffix in regions.items()
    }
