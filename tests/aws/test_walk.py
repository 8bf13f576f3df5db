"""A walk through many connections gives each key once: on the emulator, on FakeS3 stored and generated, in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner_tasks.core.errors import BucketNotFound, Unavailable
from scanner_tasks.core.listing.plan import KeyRange
from scanner_tasks.core.ports import Objects, Page
from scanner_tasks.fakes import FakeObjects
from scanner_tasks.flow.list_bucket import Walk
from tests.aws.fake_s3 import LAYOUTS, FakeS3, Refuse

from .test_objects_contract import ODD_KEYS

#: So that a page holds few of them, and cuts are many.
PAGE_KEYS = 10
LAID_OUT = {name: [layout(120).key(n) for n in range(120)] for name, layout in LAYOUTS.items()}
SETS = {**LAID_OUT, "table of odd keys": sorted(ODD_KEYS), "nothing": [], "one": ["k"]}
#: The emulator takes a request for each key to be put.
FEW = {name: keys for name, keys in SETS.items() if name in {"hive-like", "odd keys", "table of odd keys", "nothing"}}


def walk(objects: Objects, bucket: str, prefix: str = "", *, connections: int = 8) -> tuple[list[str], Walk]:
    keys: list[str] = []
    with Walk(objects, bucket, prefix, [KeyRange(number=0)], connections=connections, page_keys=PAGE_KEYS) as listing:
        for pages in listing.pages(wait_s=20):
            keys += [ref.key for page in pages for ref in page.objects]
    return keys, listing


class WalkContract:
    def make(self, keys: list[str]) -> tuple[Objects, str]:
        """An adapter, and a bucket that holds these keys."""
        raise NotImplementedError

    def check(self, keys: list[str]) -> None:
        objects, bucket = self.make(keys)
        found, listing = walk(objects, bucket)
        assert sorted(found) == keys
        assert listing.plan.is_done
        for prefix in {key[:3] for key in keys[::40]}:
            below, _ = walk(objects, bucket, prefix)
            assert sorted(below) == [key for key in keys if key.startswith(prefix)]


class TestInMemory(WalkContract):
    def make(self, keys):
        return FakeObjects({"bucket": dict.fromkeys(keys, b"")}), "bucket"

    @pytest.mark.parametrize("name", SETS)
    def test_each_key_once(self, name):
        self.check(SETS[name])


class TestOnFakeS3(WalkContract):
    @pytest.fixture(autouse=True)
    def _server(self, fake_s3, reader):
        self.server, self.reader = fake_s3, reader("lean", fake_s3.endpoint_url, read_timeout_s=20.0)

    def make(self, keys):
        self.server.bucket("bucket", dict.fromkeys(keys, b""))
        return self.reader, "bucket"

    @pytest.mark.parametrize("name", SETS)
    def test_each_key_once(self, name):
        self.check(SETS[name])


class TestOnGeneratedKeys(TestOnFakeS3):
    def make(self, keys):
        name = next(name for name, laid_out in LAID_OUT.items() if laid_out == keys)
        self.server.generated("bucket", LAYOUTS[name](len(keys)))
        return self.reader, "bucket"

    @pytest.mark.parametrize("name", LAID_OUT)
    def test_each_key_once(self, name):
        self.check(LAID_OUT[name])


class TestOnEmulator(WalkContract):
    @pytest.fixture(autouse=True)
    def _clients(self, emulator, client, unique, reader):
        self.client, self.bucket = client("s3"), unique
        self.reader = reader("lean", emulator.endpoint_url, read_timeout_s=20.0)

    def make(self, keys):
        self.client.create_bucket(Bucket=self.bucket)
        for key in keys:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=b"")
        return self.reader, self.bucket

    @pytest.mark.parametrize("name", FEW)
    def test_each_key_once(self, name):
        self.check(FEW[name])


@pytest.mark.parametrize("name", LAID_OUT)
def test_generated_bucket_answers_as_a_stored_one(fake_s3: FakeS3, reader: Callable[..., Objects], name: str) -> None:
    keys = LAID_OUT[name]
    fake_s3.bucket("stored", dict.fromkeys(keys, b""))
    fake_s3.generated("generated", LAYOUTS[name](len(keys)))
    objects = reader("lean", fake_s3.endpoint_url)
    for after in (None, *keys[::17], keys[-1], keys[50][:5], "\U0010ffff"):
        for prefix in ("", keys[60][:4], keys[60], "none such"):
            pages = [
                objects.list_page(bucket, prefix=prefix, start_after=after, max_keys=7)
                for bucket in ("stored", "generated")
            ]
            assert [ref.key for ref in pages[0].objects] == [ref.key for ref in pages[1].objects]
            assert pages[0].is_last == pages[1].is_last


def test_slow_downs_lower_the_number_of_requests_at_a_time(fake_s3: FakeS3, reader: Callable[..., Objects]) -> None:
    fake_s3.bucket("bucket", {f"{n:04d}": b"" for n in range(600)})
    fake_s3.script.extend([None] * 45 + [Refuse(503, "SlowDown")] * 3)
    keys, listing = walk(reader("lean", fake_s3.endpoint_url, read_timeout_s=20.0), "bucket")
    assert sorted(keys) == [f"{n:04d}" for n in range(600)]
    assert listing.pace.limit < 8


def test_empty_page_that_leads_nowhere_is_an_error_not_a_walk_without_end() -> None:
    class Stuck(FakeObjects):
        def list_page(self, bucket: str, **asked: object) -> Page:
            return Page(objects=(), is_last=False)

    with pytest.raises(Unavailable, match="empty page"):
        walk(Stuck({"bucket": {}}), "bucket")


def test_bucket_that_goes_away_amid_the_walk_is_an_error(fake_s3: FakeS3, reader: Callable[..., Objects]) -> None:
    fake_s3.bucket("bucket", {f"{n:04d}": b"" for n in range(600)})
    objects = reader("lean", fake_s3.endpoint_url, read_timeout_s=20.0)
    with Walk(objects, "bucket", "", [KeyRange(number=0)], connections=4, page_keys=PAGE_KEYS) as listing:
        pages = listing.pages(wait_s=20)
        next(pages)
        fake_s3.buckets.clear()
        with pytest.raises(BucketNotFound):
            list(pages)
