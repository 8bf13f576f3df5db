"""From a request to findings: every object has its outcome, whatever is delivered how often and in which order."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self
from uuid import uuid4

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.access import Access
from scanner_tasks.core.errors import BucketNotFound, Denied, InvalidInput, ObjectChanged, Unavailable
from scanner_tasks.core.model import JobStatus, ObjectRef, Outcome, Segment
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.fakes import FakeBody, FakeObjects
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.flow.scan_object import scan_object
from scanner_tasks.flow.scan_objects import scan_objects
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from tests.formats.making import pdf

from .conftest import System, run_message

SSN = b"name,ssn\nJane Roe,512-44-1234\n"
CLEAN = b"nothing to see here\n"


def findings(system: System, job_id) -> list[tuple[str, str, int]]:
    page = get_results(job_id=job_id, bucket=None, key=None, rule=None, limit=1000, cursor=None, using=system.feeder)
    return [(f.key, f.rule_id, f.count) for f in page.findings]


def test_job_finds_what_is_there_and_accounts_for_every_object(system: System) -> None:
    system.put({f"a/{n:04d}.csv": SSN if n % 10 == 0 else CLEAN for n in range(230)})
    system.put(
        {"a//odd": SSN, "/lead": SSN, "x/../y": SSN, "line\nbreak": SSN, "nul\0": SSN, "empty": b"", "dir/": b""}
    )
    view = system.run(system.start())
    assert view.job.status is JobStatus.SUCCEEDED
    assert view.progress.outcomes == {"scanned": 235, "skipped(empty)": 1, "skipped(folder_marker)": 1}
    assert view.progress.listed == view.progress.done == 237
    found = findings(system, view.job.job_id)
    assert len(found) == view.progress.findings == 23 + 5
    assert {key for key, _, _ in found} >= {"a//odd", "/lead", "x/../y", "line\nbreak", "nul\0"}


def test_prefix_limits_the_job(system: System) -> None:
    system.put({"in/a": SSN, "in/b": CLEAN, "out/a": SSN})
    view = system.run(system.start("in/"))
    assert findings(system, view.job.job_id) == [("in/a", "us.ssn", 1)]
    assert view.progress.listed == 2


def test_finding_holds_no_value_in_the_clear(system: System) -> None:
    system.put({"a.csv": SSN})
    view = system.run(system.start())
    page = get_results(
        job_id=view.job.job_id, bucket=None, key=None, rule=None, limit=9, cursor=None, using=system.feeder
    )
    (finding,) = page.findings
    (place,) = finding.occurrences
    assert (place.location.line, place.location.column, place.location.offset) == (2, 10, 18)
    assert "512-44" not in repr(finding)
    assert place.masked in place.context


def test_messages_delivered_thrice_and_shuffled_by_many_threads_count_once(system: System) -> None:
    system.put({f"{n:05d}": SSN if n % 3 == 0 else CLEAN for n in range(1500)})
    job_id = system.start()
    system.feed(job_id)
    bodies = system.queues.bodies(system.job(job_id).job.lane) * 3
    assert len(bodies) == 45
    random.Random(5).shuffle(bodies)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda body: run_message(body, system.worker), bodies))
    assert outcomes.count("done") == 15
    assert outcomes.count("not_claimable") == 30
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.findings) == (JobStatus.SUCCEEDED, 1500, 500)


def test_an_objects_own_failure_is_its_outcome_and_the_others_go_on(system: System) -> None:
    system.put({"deleted": CLEAN, "denied": CLEAN, "fine": SSN})
    job_id = system.start()
    system.feed(job_id)
    del system.objects.buckets[system.bucket]["deleted"]
    system.objects.denied.add((system.bucket, "denied"))
    system.deliver(job_id)
    settle(using=system.feeder)
    view = system.job(job_id)
    assert view.job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert view.progress.outcomes == {
        "scanned": 1,
        "failed(deleted_since_listing)": 1,
        "failed(denied)": 1,
    }
    assert findings(system, job_id) == [("fine", "us.ssn", 1)]


def test_an_object_that_was_overwritten_since_listing_is_read_once_more_as_it_is_now(system: System) -> None:
    system.put({"before": CLEAN, "emptied": CLEAN, "gone": SSN, "within": SSN * 100_000})
    job_id = system.start()
    system.feed(job_id)
    system.put({"before": SSN, "emptied": b""})
    real_open, opened = system.objects.open, []

    def overwrite_within(ref: ObjectRef, **places: int | None) -> FakeBody:
        body = real_open(ref, **places)
        opened.append(ref.key)
        if opened == ["before", "before", "emptied", "gone"]:
            system.put({"gone": CLEAN})
        if opened[-1] == "within" and opened.count("within") == 1:
            return Overwritten(system, body)
        return body

    system.objects.open = overwrite_within
    real_head = system.objects.head

    def head(bucket: str, key: str) -> ObjectRef:
        if key == "gone":
            del system.objects.buckets[bucket][key]
        return real_head(bucket, key)

    system.objects.head = head
    system.deliver(job_id)
    assert system.statuses(job_id) == {
        "before": "scanned",
        "emptied": "skipped",
        "gone": "failed",
        "within": "scanned",
    }
    assert system.job(job_id).progress.outcomes == {
        "scanned": 2,
        "skipped(empty)": 1,
        "failed(deleted_since_listing)": 1,
    }
    # What the first reading of "within" found is not there any more.
    assert sorted(findings(system, job_id)) == [("before", "us.ssn", 1), ("within", "us.ssn", 2)]


class Overwritten:
    """A body whose object is overwritten after the first bytes, so that the next read is refused."""

    def __init__(self, system: System, body: FakeBody) -> None:
        self.system = system
        self.body = body
        self.bytes_read = 0

    def read(self, size: int) -> bytes:
        if self.bytes_read:
            self.system.put({"within": SSN * 2})
            raise ObjectChanged("The object was overwritten after it was listed.")
        piece = self.body.read(size)
        self.bytes_read += len(piece)
        return piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_an_object_that_changes_again_while_it_is_read_again_has_that_outcome_and_all_bytes(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = ObjectRef(bucket=system.bucket, key="k", size_bytes=1, etag="listed")
    system.put({"k": SSN})
    contents = iter([SSN * 2, SSN * 3, SSN * 4])
    real_open = system.objects.open

    def open_then_overwrite(asked: ObjectRef, **places: int | None) -> FakeBody:
        system.put({"k": next(contents)})
        return real_open(asked, **places)

    monkeypatch.setattr(system.objects, "open", open_then_overwrite)
    result = scan_object(0, ref, using=system.worker)
    assert (result.outcome, result.bytes_read) == (Outcome.FAILED_CHANGED_SINCE_LISTING, 0)
    assert next(contents) == SSN * 4  # opened twice, not thrice


def test_a_job_reaches_its_bucket_as_it_was_told(make_system: Callable[..., System]) -> None:
    role = "arn:aws:iam::111122223333:role/s3scan"
    system = make_system(allowed_roles=["arn:aws:iam::*:role/s3scan"], ranges_above_bytes=20_000, range_bytes=8192)
    access = Access(role_arn=role, external_id="ours")
    contents = (
        {f"{n}.csv": SSN for n in range(3)}
        | {"large.csv": SSN + 30_000 * b"x\n"}
        | {"theirs.pdf": pdf(["first", "ssn: 512-44-1234"])}
    )
    system.objects.reached[access] = FakeObjects({system.bucket: contents})
    job_id = start_job(system.bucket, access=access, using=system.feeder).job_id
    view = system.run(job_id)
    assert view.job.access == access
    assert view.progress.outcomes == {"scanned": 5}
    assert view.progress.batches > 3  # ranges are batches
    assert {key for key, _, _ in findings(system, job_id)} == set(contents)
    named = scan_objects(system.bucket, ["1.csv"], access=access, using=system.feeder, job_id=uuid4())
    assert system.run(named.job_id).progress.findings == 1
    assert system.objects.buckets[system.bucket] == {}


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (Access(role_arn="arn:aws:iam::111122223333:role/scan"), "S3SCAN_ALLOWED_ROLES"),
        (Access(endpoint_url="http://169.254.169.254"), "S3SCAN_ALLOWED_ENDPOINTS"),
        (Access(region="us-east-1.evil.example/"), "region"),
    ],
)
def test_a_job_cannot_point_the_workers_where_the_operator_did_not_say(
    system: System, access: Access, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        start_job(system.bucket, access=access, using=system.feeder)
    with pytest.raises(InvalidInput, match=words):
        scan_objects(system.bucket, ["k"], access=access, using=system.feeder, job_id=uuid4())


def test_defect_in_detection_costs_one_object(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.put({"a": CLEAN, "b": b"trap\n", "c": SSN})
    real = type(system.worker.detector.begin()).feed

    def feed(self: object, segment: Segment) -> None:
        if b"trap" in segment.data:
            raise ZeroDivisionError
        real(self, segment)

    monkeypatch.setattr(type(system.worker.detector.begin()), "feed", feed)
    view = system.run(system.start())
    assert view.progress.outcomes == {"scanned": 2, "failed(crashed)": 1}


def test_infrastructure_fault_sends_the_batch_back_with_its_message(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put({"a": SSN})
    job_id = system.start()
    system.feed(job_id)
    (body,) = system.queues.bodies(system.job(job_id).job.lane)

    def no_credentials(_ref: object) -> None:
        raise Unavailable("no credentials just now")

    with monkeypatch.context() as patch:
        patch.setattr(system.objects, "open", no_credentials)
        with pytest.raises(Unavailable):
            run_message(body, system.worker)
    assert system.job(job_id).progress.processing == 0
    assert run_message(body, system.worker) == "done"


def test_stopping_worker_keeps_what_it_did_and_gives_back_the_rest(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.put({f"{n}": SSN for n in range(10)})
    job_id = system.start()
    system.feed(job_id)
    stopping = system.make_worker()
    real_open, opened = system.objects.open, []

    def open_third_then_stop(ref: object) -> object:
        opened.append(ref)
        if len(opened) == 3:
            stopping.stopping.set()
        return real_open(ref)

    with monkeypatch.context() as patch:
        patch.setattr(system.objects, "open", open_third_then_stop)
        assert system.deliver(job_id, worker=stopping) == ["given_back"]
    assert system.job(job_id).progress.scanned == 3
    settle(using=system.feeder)  # no execution knows of the batch: settle starts the next
    view = system.run(job_id)
    assert (view.progress.scanned, view.progress.findings) == (10, 10)
    assert len(opened) == 3


def test_killed_workers_batch_is_scanned_by_another_after_its_lease(system: System) -> None:
    system.put({f"{n}": SSN for n in range(5)})
    job_id = system.start()
    system.feed(job_id)
    killed, entered, go_on = system.make_worker(lease_s=0.001), threading.Event(), threading.Event()
    real = type(killed.detector.begin()).feed

    def hang(self: object, segment: Segment) -> None:
        entered.set()
        go_on.wait(20)
        real(self, segment)

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(type(killed.detector.begin()), "feed", hang)
        killed.leases.renew = lambda: None  # type: ignore[method-assign]
        (body,) = system.queues.bodies(system.job(job_id).job.lane)
        late = pool.submit(run_message, body, killed)
        assert entered.wait(20)
        patch.undo()
        assert settle(using=system.feeder).returned == 1
        assert run_message(body, system.worker) == "done"
        go_on.set()
        assert late.result(20) == "lost"
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.findings) == (JobStatus.SUCCEEDED, 5, 5)


def test_dead_letter_closes_its_batch_and_the_job_ends(system: System) -> None:
    system.put({f"{n}": SSN for n in range(7)})
    job_id = system.start()
    system.feed(job_id)
    lane = system.job(job_id).job.lane
    (message,) = system.queues.receive(lane, 10, 0)
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=message.body, group=system.bucket)])
    system.queues.send(lanes.DLQ, [OutgoingMessage(body="not one of ours", group="x")])
    assert settle(using=system.feeder).dead_letters == 2
    view = system.job(job_id)
    assert view.job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert view.progress.outcomes == {"failed(dead_letter)": 7}
    assert system.deliver(job_id) == ["not_claimable"]
    assert system.queues.depth(lanes.DLQ).visible == 0


def test_execution_that_cannot_start_fails_the_job_with_the_reason(system: System) -> None:
    system.executions.error = Denied("Not allowed: the role needs states:StartExecution.")
    job_id = uuid4()
    with pytest.raises(Denied, match=r"failed.*states:StartExecution"):
        start_job(system.bucket, using=system.feeder, job_id=job_id)
    view = system.job(job_id)
    assert view.job.status is JobStatus.FAILED
    assert "states:StartExecution" in (view.job.status_reason or "")
    assert view.job.finished_at


def test_starting_twice_with_one_id_starts_one_job(system: System) -> None:
    job_id = uuid4()
    first = start_job(system.bucket, using=system.feeder, job_id=job_id)
    second = start_job(system.bucket, using=system.feeder, job_id=job_id)
    assert first == second
    assert list(system.executions.started) == [f"{job_id}-1"]


def test_bucket_that_is_not_there_or_not_allowed_starts_nothing(system: System) -> None:
    with pytest.raises(BucketNotFound):
        start_job("no-such-bucket", using=system.feeder)
    with pytest.raises(InvalidInput):
        start_job("Not a bucket", using=system.feeder)
    system.objects.denied.add((system.bucket, None))
    with pytest.raises(Denied):
        start_job(system.bucket, using=system.feeder)
    assert not system.executions.started


def test_buckets_spread_over_the_lanes_and_keep_theirs(make_system: Callable[..., System]) -> None:
    one, other = make_system(), make_system()
    other.objects.buckets[other.bucket] = {}
    first, again = one.job(one.start()).job.lane, one.job(one.start()).job.lane
    assert first == again
    assert other.job(other.start()).job.lane != first


def test_named_keys_are_scanned_each_once_and_missing_ones_are_in_the_ledger(system: System) -> None:
    system.put({"a": SSN, "b": CLEAN, "not asked for": SSN})
    job_id = uuid4()
    keys = ["a", "b", "a", "gone"]
    scan_objects(system.bucket, keys, using=system.worker, job_id=job_id)
    scan_objects(system.bucket, keys, using=system.worker, job_id=job_id)
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 2, "failed(deleted_since_listing)": 1}
    assert findings(system, job_id) == [("a", "us.ssn", 1)]


def test_a_former_version_is_scanned_beside_the_current_object(system: System) -> None:
    system.put({"a": CLEAN, "b": CLEAN})
    system.objects.versions |= {(system.bucket, "a", "v1.old"): SSN, (system.bucket, "gone", "v1"): SSN}
    job_id = uuid4()
    named = ["a", *({"key": key, "version_id": "v1.old"} for key in ("a", "b"))]
    named += [{"key": "gone", "version_id": "v1"}]
    scan_objects(system.bucket, named, using=system.worker, job_id=job_id)
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 3, "failed(deleted_since_listing)": 1}
    assert findings(system, job_id) == [("a", "us.ssn", 1), ("gone", "us.ssn", 1)]


@pytest.mark.parametrize("named", [{"key": "a"}, {"key": "a", "version_id": "v 1"}, {"key": "a", "version_id": None}])
def test_a_version_that_is_none_is_refused(system: System, named: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="version_id"):
        scan_objects(system.bucket, [named], using=system.worker, job_id=uuid4())


def test_gzip_is_read_and_what_no_reader_opens_is_skipped_by_name(system: System) -> None:
    import gzip  # noqa: PLC0415

    cut = gzip.compress(SSN + random.Random(1).randbytes(20_000).hex().encode())
    packed = b"7z\xbc\xaf\x27\x1c\0\4" + bytes(200)
    system.put({"a.csv.gz": gzip.compress(SSN), "p.7z": packed, "cut.gz": cut[: len(cut) // 2]})
    view = system.run(system.start())
    assert view.progress.outcomes == {"scanned": 1, "skipped(unsupported)": 1, "partial(corrupt)": 1}
    assert ("a.csv.gz", "us.ssn", 1) in findings(system, view.job.job_id)
