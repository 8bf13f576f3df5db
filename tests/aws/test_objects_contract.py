"""Both backends of ObjectReader, on the emulator and on FakeS3, and FakeObjects keep the same promises."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner_tasks.core.errors import BucketNotFound, ObjectArchived, ObjectChanged, ObjectGone
from scanner_tasks.core.ports import Objects
from scanner_tasks.fakes import FakeObjects

#: Every shape that a client library, a URL, an XML parser or a sort order has been seen to spoil.
ODD_KEYS = [
    "a//b", "/lead", "//", "trail/", "x/./y", "x/../y", "y", "x/y", "..", ".", "../up", "p%2Fq", "p/q",
    "sp ace+é.csv", "sp+ace é.csv", "a?b#c", "a&b=c;d", "new\nline", "return\rx", "tab\tx", "nul\0x", "\x01", "\x7f",
    "<tag>&amp;", "'\"", "back\\slash", "e\u0301", "é", "\U0001f600", "\ue000", "\uffff", "\U00010000",
    "k" * 1024, "é" * 512, "~*()!", "%", "%zz", "+", " ", " lead", "trail ",
]  # fmt: skip


class ObjectsContract:
    """What callers rely on; the subclasses say which one is tested."""

    def make(self, objects: dict[str, bytes]) -> tuple[Objects, str]:
        """An adapter, and a bucket that holds these objects."""
        raise NotImplementedError

    def overwrite(self, bucket: str, key: str, content: bytes | None) -> None:
        raise NotImplementedError

    def archive(self, bucket: str, key: str) -> None:
        raise NotImplementedError

    def tag(self, bucket: str, key: str, tags: dict[str, str]) -> None:
        raise NotImplementedError

    def test_every_odd_key_is_listed_once_in_byte_order_and_read_back_exactly(self):
        objects, bucket = self.make({key: f"content of {key!r}".encode() for key in ODD_KEYS})
        listed, after = [], None
        for _ in ODD_KEYS:
            page = objects.list_page(bucket, prefix="", start_after=after, max_keys=3)
            listed += page.objects
            if page.is_last:
                break
            after = page.objects[-1].key
        assert [ref.key for ref in listed] == sorted(ODD_KEYS, key=str.encode)
        for ref in listed:
            with objects.open(ref) as body:
                content = body.read(10_000)
            assert content == f"content of {ref.key!r}".encode()
            assert objects.head(bucket, ref.key) == ref
            assert ref.size_bytes == len(content)

    def test_a_listing_resumes_behind_every_odd_key_that_no_longer_exists(self):
        objects, bucket = self.make({"\x02": b"", "M": b"", "\U000fffff": b""})
        for key in ODD_KEYS:
            page = objects.list_page(bucket, prefix="", start_after=key)
            behind = [k for k in ("\x02", "M", "\U000fffff") if k.encode() > key.encode()]
            assert [r.key for r in page.objects] == behind, ascii(key)
            assert page.is_last

    def test_a_prefix_is_taken_literally(self):
        objects, bucket = self.make(dict.fromkeys(ODD_KEYS, b""))
        for prefix in ("a//", "x/../", "sp ace+", "/", "p%", "new\n", "é", "..", "a?"):
            page = objects.list_page(bucket, prefix=prefix, start_after=None)
            assert {r.key for r in page.objects} == {k for k in ODD_KEYS if k.startswith(prefix)}, prefix

    def test_an_empty_bucket_has_one_empty_page(self):
        objects, bucket = self.make({})
        page = objects.list_page(bucket, prefix="", start_after=None)
        assert page.objects == ()
        assert page.is_last

    def test_etags_have_no_quotes_and_the_storage_class_is_named(self):
        objects, bucket = self.make({"a": b"x"})
        (ref,) = objects.list_page(bucket, prefix="", start_after=None).objects
        assert ref.etag == "9dd4e461268c8034f5c8564e155c67a6"
        assert ref.storage_class == "STANDARD"
        assert ref.version_id is None

    def test_a_missing_bucket_is_named(self):
        objects, bucket = self.make({})
        objects.check_bucket(bucket)
        with pytest.raises(BucketNotFound, match="no-such-bucket-of-ours"):
            objects.check_bucket("no-such-bucket-of-ours")
        with pytest.raises(BucketNotFound):
            objects.list_page("no-such-bucket-of-ours", prefix="", start_after=None)

    def test_a_body_is_read_in_windows_to_its_end(self):
        content = bytes(range(256)) * 1200
        objects, bucket = self.make({"a": content})
        with objects.open(objects.head(bucket, "a")) as body:
            pieces = []
            while piece := body.read(100_000):
                pieces.append(piece)
                assert body.bytes_read == sum(map(len, pieces))
            assert body.read(1) == b""
        assert b"".join(pieces) == content
        assert [len(p) for p in pieces] == [100_000, 100_000, 100_000, 7_200]

    @pytest.mark.parametrize(
        ("first", "last"), [(0, None), (0, 0), (3, 7), (5, None), (9, None), (8, 500), (10, None), (70, 80)]
    )
    def test_a_range_has_exactly_its_bytes_and_ends_with_the_object(self, first, last):
        objects, bucket = self.make({"a": b"0123456789"})
        with objects.open(objects.head(bucket, "a"), first_byte=first, last_byte=last) as body:
            content = body.read(4) + body.read(100)
            assert body.bytes_read == len(content)
        assert content == b"0123456789"[first : None if last is None else last + 1]

    def test_an_empty_object_reads_as_nothing(self):
        objects, bucket = self.make({"a": b""})
        with objects.open(objects.head(bucket, "a")) as body:
            assert body.read(10) == b""

    def test_an_object_deleted_after_listing_is_gone(self):
        objects, bucket = self.make({"a": b"x"})
        ref = objects.head(bucket, "a")
        self.overwrite(bucket, "a", None)
        with objects.open(ref) as body, pytest.raises(ObjectGone):
            body.read(1)
        with pytest.raises(ObjectGone):
            objects.head(bucket, "a")

    def test_an_object_overwritten_after_listing_has_changed(self):
        objects, bucket = self.make({"a": b"x"})
        ref = objects.head(bucket, "a")
        self.overwrite(bucket, "a", b"y")
        with objects.open(ref) as body, pytest.raises(ObjectChanged):
            body.read(1)
        with objects.open(replace(ref, etag="")) as body:
            assert body.read(1) == b"y"

    def test_an_archived_object_is_listed_as_such_and_not_read(self):
        objects, bucket = self.make({"a": b"x"})
        self.archive(bucket, "a")
        (ref,) = objects.list_page(bucket, prefix="", start_after=None).objects
        assert ref.storage_class == "GLACIER"
        with objects.open(ref) as body, pytest.raises(ObjectArchived):
            body.read(1)

    def test_tags_are_told_as_they_are_of_the_object_that_is_there(self):
        tags = {"team": "payments", "é + /=@": "a&b <c>", "empty": ""}
        objects, bucket = self.make({"a//b c": b"x", "plain": b"x"})
        self.tag(bucket, "a//b c", tags)
        ref = objects.head(bucket, "a//b c")
        assert objects.tags(ref) == tags
        assert objects.tags(objects.head(bucket, "plain")) == {}
        self.overwrite(bucket, "a//b c", None)
        with pytest.raises(ObjectGone):
            objects.tags(ref)


class OnEmulator(ObjectsContract):
    backend: str

    @pytest.fixture(autouse=True)
    def _clients(self, emulator, client, unique, reader):
        self.client = client("s3")
        self.bucket = unique
        self.reader = reader(self.backend, emulator.endpoint_url, read_timeout_s=20.0)

    def make(self, objects):
        self.client.create_bucket(Bucket=self.bucket)
        for key, content in objects.items():
            self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.reader, self.bucket

    def overwrite(self, bucket, key, content):
        if content is None:
            self.client.delete_object(Bucket=bucket, Key=key)
        else:
            self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def archive(self, bucket, key):
        self.client.put_object(Bucket=bucket, Key=key, Body=b"x", StorageClass="GLACIER")

    def tag(self, bucket, key, tags):
        told = [{"Key": name, "Value": value} for name, value in tags.items()]
        self.client.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": told})


class TestBoto3OnEmulator(OnEmulator):
    backend = "boto3"


class TestLeanOnEmulator(OnEmulator):
    backend = "lean"


class OnFakeS3(ObjectsContract):
    backend: str

    @pytest.fixture(autouse=True)
    def _server(self, fake_s3, reader):
        self.server = fake_s3
        self.reader = reader(self.backend, fake_s3.endpoint_url)

    def make(self, objects):
        self.server.bucket("bucket", objects)
        return self.reader, "bucket"

    def overwrite(self, bucket, key, content):
        if content is None:
            self.server.buckets[bucket].objects[key].append(None)
        else:
            self.server.buckets[bucket].put(key, content)

    def archive(self, bucket, key):
        self.server.buckets[bucket].put(key, b"x", storage_class="GLACIER")

    def tag(self, bucket, key, tags):
        self.server.buckets[bucket].current(key).tags = tags


class TestBoto3OnFakeS3(OnFakeS3):
    backend = "boto3"


class TestLeanOnFakeS3(OnFakeS3):
    backend = "lean"


class TestFakeObjects(ObjectsContract):
    def make(self, objects):
        self.fake = FakeObjects({"bucket": objects})
        return self.fake, "bucket"

    def overwrite(self, bucket, key, content):
        if content is None:
            del self.fake.buckets[bucket][key]
        else:
            self.fake.buckets[bucket][key] = content

    def archive(self, bucket, key):
        self.fake.storage_classes[bucket, key] = "GLACIER"

    def tag(self, bucket, key, tags):
        self.fake.object_tags[bucket, key, None] = tags


@settings(deadline=None)
@given(keys=st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=12), size=st.integers(1, 5))
def test_pages_of_any_size_give_every_key_once_in_order(keys, size):
    objects = FakeObjects({"b": dict.fromkeys(keys, b"")})
    listed, after = [], None
    while not (page := objects.list_page("b", prefix="", start_after=after, max_keys=size)).is_last:
        listed += page.objects
        after = page.objects[-1].key
    listed += page.objects
    assert [r.key for r in listed] == sorted(keys, key=str.encode)
