"""Versions are listed once each, by pages of any size: on the emulator, on FakeS3, in memory; through both backends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scanner_tasks.aws.lean.version_pages import version_page
from scanner_tasks.core.errors import BucketNotFound, Denied, Unavailable
from scanner_tasks.core.listing.plan import KeyRange
from scanner_tasks.core.ports import Objects, VersionPage
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow.list_bucket import Walk
from tests.aws.fake_s3 import Refuse

from .test_objects_contract import ODD_KEYS

#: Key → its contents, the oldest first; None is a delete marker.
HISTORY = {
    "many": [f"{n}".encode() for n in range(9)],
    "back": [b"old", None, b"new"],
    "gone": [b"one", b"two", None],
    "only a marker": [None],
    "sp ace+é//../%2F&<>": [b"a", b"b"],
    "z/one": [b"x"],
}
KEPT = [(key, content) for key, contents in HISTORY.items() for content in contents if content is not None]
NONCURRENT = [(key, content) for key, contents in HISTORY.items() for content in contents[:-1] if content is not None]


def all_pages(objects: Objects, bucket: str, size: int) -> list[VersionPage]:
    pages, after = [], None
    for _ in range(200):
        pages.append(objects.list_versions(bucket, prefix="", after=after, max_keys=size))
        after = pages[-1].marker
        if after is None:
            return pages
    raise AssertionError("the listing does not end")


def contents_of(objects: Objects, refs: list) -> list[tuple[str, bytes]]:
    found = []
    for ref in refs:
        with objects.open(ref) as body:
            found.append((ref.key, body.read(100)))
    return found


class VersionsContract:
    #: Keys that the store can list.
    odd_keys: Sequence[str] = tuple(ODD_KEYS)

    def make(self, history: dict[str, list[bytes | None]]) -> tuple[Objects, str]:
        """An adapter, and a bucket with versions that has seen this."""
        raise NotImplementedError

    def make_plain(self, contents: dict[str, bytes]) -> tuple[Objects, str]:
        """The same with a bucket that never had versions."""
        raise NotImplementedError

    @pytest.mark.parametrize("size", [1, 2, 4, 1000])
    def test_every_version_once_newest_first_and_read_as_it_was(self, size):
        objects, bucket = self.make(HISTORY)
        pages = all_pages(objects, bucket, size)
        refs = [ref for page in pages for ref in page.chosen("all")]
        newest_first = [(key, content) for key in sorted(HISTORY) for content in HISTORY[key][::-1] if content]
        assert contents_of(objects, refs) == newest_first
        assert len({(ref.key, ref.version_id) for ref in refs}) == len(KEPT)
        former = [ref for page in pages for ref in page.chosen("noncurrent")]
        assert sorted(contents_of(objects, former)) == sorted(NONCURRENT)
        keys = [key for page in pages for key in page.keys]
        assert keys == sorted(key for key, contents in HISTORY.items() for _ in contents), "delete markers have a place"

    def test_bucket_without_versions_gives_what_the_other_listing_gives(self):
        objects, bucket = self.make_plain(dict.fromkeys(self.odd_keys, b"x"))
        current = objects.list_page(bucket, prefix="", start_after=None).objects
        pages = all_pages(objects, bucket, 7)
        assert [ref for page in pages for ref in page.chosen("all")] == list(current)
        assert [ref for page in pages for ref in page.chosen("noncurrent")] == []

    @pytest.mark.parametrize("versions", ["all", "noncurrent"])
    def test_walk_through_many_connections_gives_each_version_once(self, versions):
        history = {f"{n // 7:03d}/{n}": [b"a", b"b"][: 1 + n % 2] for n in range(60)} | HISTORY
        objects, bucket = self.make(history)
        found: list = []
        with Walk(objects, bucket, "", [KeyRange(number=0)], connections=6, page_keys=4, versions=versions) as listing:
            for pages in listing.pages(wait_s=20):
                found += [ref for page in pages for ref in page.objects]
        assert listing.plan.is_done
        wanted = [
            (key, content)
            for key, contents in history.items()
            for content in (contents if versions == "all" else contents[:-1])
            if content is not None
        ]
        assert sorted(contents_of(objects, found)) == sorted(wanted)

    def test_missing_bucket_is_named(self):
        objects, _ = self.make({})
        with pytest.raises(BucketNotFound, match="no-such-bucket-of-ours"):
            objects.list_versions("no-such-bucket-of-ours", prefix="", after=None)


class TestInMemory(VersionsContract):
    def make(self, history):
        fake = FakeObjects({"bucket": {}})
        for key, contents in history.items():
            for n, content in enumerate(contents):
                fake.put_version("bucket", key, f"v{n}", content)
        return fake, "bucket"

    def make_plain(self, contents):
        return FakeObjects({"bucket": contents}), "bucket"


class OnFakeS3(VersionsContract):
    backend: str

    @pytest.fixture(autouse=True)
    def _server(self, fake_s3, reader):
        self.server, self.reader = fake_s3, reader(self.backend, fake_s3.endpoint_url, read_timeout_s=20.0)

    def make(self, history):
        bucket = self.server.bucket("bucket")
        for key, contents in history.items():
            for content in contents:
                if content is None:
                    bucket.objects.setdefault(key, []).append(None)
                else:
                    bucket.put(key, content)
        return self.reader, "bucket"

    def make_plain(self, contents):
        bucket = self.server.bucket("bucket")
        for key, content in contents.items():
            bucket.put(key, content).version_id = "null"
        return self.reader, "bucket"

    def test_null_version_that_something_newer_covers_is_read_by_that_name(self):
        objects, name = self.make_plain({"k": b"before versions"})
        self.server.buckets[name].put("k", b"after")
        (page,) = all_pages(objects, name, 1000)
        assert contents_of(objects, list(page.chosen("noncurrent"))) == [("k", b"before versions")]
        assert [ref.version_id for ref in page.chosen("all")] == ["v2", "null"]

    def test_refusal_names_the_permission(self):
        objects, name = self.make(HISTORY)
        self.server.script.append(Refuse(403, "AccessDenied"))
        with pytest.raises(Denied, match="s3:ListBucketVersions"):
            objects.list_versions(name, prefix="", after=None)


class TestBoto3OnFakeS3(OnFakeS3):
    backend = "boto3"


class TestLeanOnFakeS3(OnFakeS3):
    backend = "lean"


class OnEmulator(VersionsContract):
    backend: str
    #: It writes keys into XML as they are.
    odd_keys = ("a//b", "/lead", "x/../y", "sp ace+é.csv", "p%2Fq", "a&b=c;d", "<tag>&amp;", "\U0001f600")

    @pytest.fixture(autouse=True)
    def _clients(self, emulator, client, unique, reader):
        self.client, self.bucket = client("s3"), unique
        self.reader = reader(self.backend, emulator.endpoint_url, read_timeout_s=20.0)

    def make(self, history):
        self.client.create_bucket(Bucket=self.bucket)
        self.client.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        for key, contents in history.items():
            for content in contents:
                if content is None:
                    self.client.delete_object(Bucket=self.bucket, Key=key)
                else:
                    self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.reader, self.bucket

    def make_plain(self, contents):
        self.client.create_bucket(Bucket=self.bucket)
        for key, content in contents.items():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.reader, self.bucket


class TestBoto3OnEmulator(OnEmulator):
    backend = "boto3"


class TestLeanOnEmulator(OnEmulator):
    backend = "lean"


def test_page_that_says_there_is_more_and_not_where_is_refused():
    body = b"<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>"
    with pytest.raises(Unavailable, match="no marker"):
        version_page("b", body)
    with pytest.raises(Unavailable, match="not S3's XML"):
        version_page("b", b"<html></html>")
