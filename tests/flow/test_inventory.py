"""A job from S3 Inventory: every row once, whatever dies; nothing of a report that is not whole."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import json
import time
from collections.abc import Callable
from urllib.parse import quote_plus
from uuid import UUID

import pytest

from scanner_tasks.core.errors import Denied, InvalidInput, JobNotFound, Unavailable
from scanner_tasks.core.model import JobStatus
from scanner_tasks.flow import follow_up, inventory
from scanner_tasks.flow.control import cancel_job
from scanner_tasks.flow.feed import feed
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.store import key_ranges
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.verify import read_accounts

from .conftest import System

TEXT, SSN = b"nothing to find here\n", b"ssn: 519-72-4836\n"
SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass"
ODD = {"a//b": SSN, "sp ace+plus%2F": SSN, 'é\n"q",': SSN, "empty": b"", "trail/": b""}
URL = "s3://reports/daily/2026-11-01T01-00Z/manifest.json"


def row(bucket: str, key: str, content: bytes, *, latest: str = "true", marker: str = "false") -> str:
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    values = [bucket, quote_plus(key), "v1", latest, marker, len(content), "2026-10-31T00:00:00.000Z", etag, "STANDARD"]
    return ",".join(f'"{value}"' for value in values) + "\n"


def publish(system: System, files: dict[str, bytes], *, form: str = "CSV", schema: str = SCHEMA) -> None:
    manifest = {
        "sourceBucket": system.bucket,
        "destinationBucket": "arn:aws:s3:::reports",
        "version": "2016-11-30",
        "creationTimestamp": "1793494800000",
        "fileFormat": form,
        "fileSchema": schema,
        "files": [
            {"key": key, "size": len(data), "MD5checksum": hashlib.md5(data, usedforsecurity=False).hexdigest()}
            for key, data in files.items()
        ],
    }
    text = json.dumps(manifest).encode()
    checksum = hashlib.md5(text, usedforsecurity=False).hexdigest().encode() + b"\n"
    folder = "daily/2026-11-01T01-00Z/manifest."
    system.objects.buckets["reports"] = {folder + "json": text, folder + "checksum": checksum, **files}


def csv_file(system: System, keys: list[str], extra: str = "") -> bytes:
    contents = system.objects.buckets[system.bucket]
    return gzip.compress((extra + "".join(row(system.bucket, key, contents[key]) for key in keys)).encode())


def start(system: System, prefix: str = "") -> UUID:
    return start_job(system.bucket, prefix, inventory=URL, using=system.feeder).job_id


@pytest.fixture
def two_files(system: System) -> System:
    system.put(ODD | {f"k/{n:04d}": SSN if n % 50 == 0 else TEXT for n in range(250)})
    keys = sorted(system.objects.buckets[system.bucket])
    former = row(system.bucket, "former", TEXT, latest="false") + row(system.bucket, "gone", b"", marker="true")
    publish(
        system, {"data/1.csv.gz": csv_file(system, keys[:120], former), "data/2.csv.gz": csv_file(system, keys[120:])}
    )
    return system


def test_every_row_is_an_object_once_though_each_turn_dies_behind_a_page(
    two_files: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = two_files
    monkeypatch.setattr(inventory, "_PAGE_ROWS", 70)
    system.feeder = system.make_feeder(feed_turn_s=1e-6)  # a page a turn: each begins where the ledger says
    job_id = start(system)
    while system.job(job_id).job.status is JobStatus.LISTING:
        feed(job_id, execution_no=1, turn=0, using=system.feeder)
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 253, "skipped(empty)": 1, "skipped(folder_marker)": 1}
    assert view.progress.findings == 8
    assert set(system.statuses(job_id)) == set(system.objects.buckets[system.bucket])
    with transaction(system.engine) as connection:
        assert read_accounts(connection, view.job.job_no).agree
    again = system.run(start_job(system.bucket, inventory=URL, base_job="last", using=system.feeder).job_id)
    assert (again.progress.unchanged, again.progress.findings) == (253, 8)


def test_prefix_and_changes_since_the_report(two_files: System) -> None:
    two_files.put({"k/0001": SSN, "k/0999": SSN})
    del two_files.objects.buckets[two_files.bucket]["k/0002"]
    view = two_files.run(start(two_files, "k/"))
    # Read as it is now, gone since, and not in the report.
    assert view.progress.outcomes == {"scanned": 249, "failed(deleted_since_listing)": 1}
    assert view.progress.findings == 6


@pytest.mark.parametrize("form", ["Parquet", "ORC"])
def test_columnar_reports_are_read(system: System, form: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    system.put(ODD)
    contents = system.objects.buckets[system.bucket]
    table = arrow.table(
        {
            "bucket": [system.bucket] * len(contents),
            "key": list(contents),
            "is_latest": [True] * len(contents),
            "size": [len(content) for content in contents.values()],
            "e_tag": [hashlib.md5(content, usedforsecurity=False).hexdigest() for content in contents.values()],
        }
    )
    out = io.BytesIO()
    writer = importlib.import_module(f"pyarrow.{form.lower()}")
    writer.write_table(table, out)
    publish(system, {"data/1": out.getvalue()}, form=form, schema="message s3.inventory { … }")
    view = system.run(start(system))
    assert (view.progress.scanned, view.progress.skipped, view.progress.findings) == (3, 2, 3)


@pytest.mark.parametrize("form", ["Parquet", "ORC"])
def test_columnar_file_that_is_none_fails_the_job(system: System, form: str) -> None:
    pytest.importorskip("pyarrow")
    publish(system, {"data/1": b"no such thing"}, form=form, schema="message s3.inventory { … }")
    with pytest.raises(InvalidInput, match=f"no {form}"):
        system.feed(start(system))


def test_columnar_report_without_the_extra_says_what_to_do(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(system, {"data/1": b"PAR1"}, form="Parquet")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InvalidInput, match="columnar"):
        start(system)


def test_what_is_no_whole_report_of_this_bucket_is_refused(two_files: System) -> None:
    system = two_files
    reports = system.objects.buckets["reports"]
    manifest, checksum = (f"daily/2026-11-01T01-00Z/manifest.{end}" for end in ("json", "checksum"))
    with pytest.raises(InvalidInput, match=r"manifest\.json"):
        start_job(system.bucket, inventory="s3://reports/daily", using=system.feeder)
    good = dict(reports)
    for changed, said in (
        ({checksum: b"0" * 32}, "checksum"),
        ({manifest: good[manifest].replace(system.bucket.encode(), b"another")}, "not what"),
    ):
        reports.update(good | changed)
        with pytest.raises(InvalidInput, match=said):
            start(system)
    publish(system, {}, schema="Bucket, Key")
    with pytest.raises(InvalidInput, match="lack Size"):
        start(system)
    del reports[checksum]
    system.objects.buckets["reports"] = {}
    with pytest.raises(InvalidInput, match="no manifest"):
        start(system)


@pytest.mark.parametrize("damage", ["bytes", "columns"])
def test_damaged_file_fails_the_job_and_is_never_an_empty_result(two_files: System, damage: str) -> None:
    system = two_files
    file = gzip.compress(b'"one","two"\n')
    if damage == "columns":
        publish(system, {"data/1.csv.gz": file})
    job_id = start(system)
    if damage == "bytes":
        system.objects.buckets["reports"]["data/2.csv.gz"] += b"x"
    with pytest.raises(InvalidInput, match="file"):
        system.feed(job_id)
    assert (
        system.job(job_id).job.status is JobStatus.LISTING
    )  # the state machine's Catch fails it (stepfunctions/feed.py)


def test_settle_starts_an_execution_for_a_report_that_nobody_reads_on(two_files: System) -> None:
    system = two_files
    job_id = start(system)
    with transaction(system.engine) as connection:
        execute(connection, "update jobs set feeding = false where job_id = :id", id=job_id)
    settle(using=system.feeder)
    assert system.job(job_id).job.execution_no == 2


def test_files_that_a_dead_turn_held_are_the_next_ones_and_every_row_is_there_once(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"k/{n:04d}" for n in range(600)]
    system.put({key: SSN if n % 50 == 0 else TEXT for n, key in enumerate(keys)})
    # Six files, whose keys lie between one another's.
    publish(system, {f"data/{n}.csv.gz": csv_file(system, keys[n::6]) for n in range(6)})
    monkeypatch.setattr(inventory, "_PAGE_ROWS", 40)
    monkeypatch.setattr(inventory, "PAGES_AT_ONCE", 2)
    system.feeder = system.make_feeder(list_lease_s=1.0)
    job_id = start(system)
    record, calls = key_ranges.record_pages, []

    def dies(*arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return record(*arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as dying:
        dying.setattr(key_ranges, "record_pages", dies)
        dying.setattr(key_ranges, "release_ranges", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            feed(job_id, execution_no=1, turn=0, using=system.feeder)
    before = system.job(job_id).progress.listed
    assert 0 < before < 600
    assert feed(job_id, execution_no=1, turn=1, using=system.feeder).listed == 0  # the leases still run
    deadline = time.monotonic() + 60
    while system.job(job_id).job.status is JobStatus.LISTING and time.monotonic() < deadline:
        feed(job_id, execution_no=1, turn=1, using=system.feeder)
    view = system.run(job_id)
    assert (view.progress.listed, view.progress.scanned, view.progress.findings) == (600, 600, 12)
    assert set(system.statuses(job_id)) == set(keys)
    with transaction(system.engine) as connection:
        assert read_accounts(connection, view.job.job_no).agree
    # A later job finds them all in the ledger, though no file's keys stand together.
    again = system.run(start_job(system.bucket, base_job=job_id, using=system.feeder).job_id)
    assert (again.progress.unchanged, again.progress.findings) == (600, 12)


def test_report_of_an_empty_bucket_is_an_empty_job(system: System) -> None:
    publish(system, {})
    view = system.run(start(system))
    assert (view.job.status, view.progress.listed) == (JobStatus.SUCCEEDED, 0)


def test_listing_that_follows_counts_each_object_that_is_there_once(two_files: System) -> None:
    system = two_files
    with pytest.raises(InvalidInput, match="follows a report"):
        start_job(system.bucket, then_list=True, using=system.feeder)
    system.put({"k/0001": SSN, "k/0999": SSN})
    del system.objects.buckets[system.bucket]["k/0002"]
    first = start_job(system.bucket, inventory=URL, then_list=True, using=system.feeder).job_id
    followed_by = system.job(first).job.followed_by
    assert followed_by is not None
    system.feed(first)
    settle(using=system.feeder)
    with pytest.raises(JobNotFound):
        system.job(followed_by)
    assert system.run(first).progress.outcomes["failed(deleted_since_listing)"] == 1
    for _ in range(2):  # it begins once
        settle(using=system.feeder)
    second = system.run(followed_by)
    # What was overwritten since the report was read by the first job as it is, under another ETag than the report's.
    assert second.progress.outcomes == {
        "scanned": 2,
        "unchanged": 251,
        "skipped(empty)": 1,
        "skipped(folder_marker)": 1,
    }
    assert second.progress.findings == 10
    assert set(system.statuses(followed_by)) == set(system.objects.buckets[system.bucket])
    with transaction(system.engine) as connection:
        assert read_accounts(connection, second.job.job_no).agree


def test_listing_that_cannot_follow_is_told(two_files: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system = two_files
    first = start_job(system.bucket, inventory=URL, then_list=True, using=system.feeder).job_id
    with monkeypatch.context() as unreachable:
        unreachable.setattr(follow_up, "start_job", raising(Unavailable("S3 does not answer.")))
        system.run(first)
        assert system.job(first).job.status_reason is None  # the next settle tries again
        unreachable.setattr(follow_up, "start_job", raising(Denied("s3:ListBucket is missing.")))
        settle(using=system.feeder)
    assert "s3:ListBucket" in str(system.job(first).job.status_reason)
    cancelled = start_job(system.bucket, inventory=URL, then_list=True, using=system.feeder).job_id
    cancel_job(cancelled, reason="no", using=system.feeder)
    assert follow_up.begin_follow_ups(using=system.feeder) == 0


def raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail
