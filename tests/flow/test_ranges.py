"""A large text is shared by several workers and found in as if one had read it, whatever happens to them."""

from __future__ import annotations

import gzip
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest

from scanner_tasks.core import lanes
from scanner_tasks.core.envelope import read_envelope
from scanner_tasks.core.model import Finding, JobStatus, ObjectRange, ObjectRef, Outcome
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.flow import control, redrive
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.flow.settle import settle
from scanner_tasks.store import batches
from scanner_tasks.store.dead_letters import LetterFilter
from scanner_tasks.store.engine import execute, transaction

from .conftest import System, run_message

ABOVE = 20_000
ROWS = "".join(f"{n:05d},Jäne Roe,{512_440_000 + n * 7919 % 9999:09d}\n" for n in range(1, 1600))
#: The header alone says what the third column is.
TEXT = f"id,name,ssn\n{ROWS}".encode()


@pytest.fixture
def system(make_system: Callable[..., System]) -> System:
    return make_system(ranges_above_bytes=ABOVE, range_bytes=8192)


def findings(system: System, job_id: UUID) -> dict[str, Finding]:
    page = get_results(job_id=job_id, bucket=None, key=None, rule=None, limit=1000, cursor=None, using=system.feeder)
    return {f"{f.key} {f.rule_id}": f for f in page.findings}


def accounts(system: System, job_id: UUID) -> list[tuple[str, str, str]]:
    with transaction(system.engine) as connection:
        query = "select object_key, status, detail from job_objects where job_id = :id order by object_key"
        return [(row.object_key, row.status, row.detail) for row in execute(connection, query, id=job_id)]


def split(system: System, **contents: bytes) -> tuple[UUID, list[str]]:
    """A job whose objects have been split: its id, and the messages of the ranges."""
    system.put(contents)
    job_id = system.start()
    system.feed(job_id)
    system.deliver(job_id)
    system.feed(job_id)
    return job_id, system.queues.bodies(system.job(job_id).job.lane)


def as_first_attempts(system: System, job_id: UUID) -> None:
    """Later ones are made in a process of its own, which has no share in these objects."""
    with transaction(system.engine) as connection:
        query = (
            "update job_batches set given_back = attempt where job_no = (select job_no from jobs where job_id = :id)"
        )
        execute(connection, query, id=job_id)


def number(body: str) -> int:
    return int(read_envelope(body).args[1])


def test_text_in_ranges_gives_what_it_gives_as_a_whole(system: System, make_system: Callable[..., System]) -> None:
    whole = make_system()
    contents = {
        "big.csv": TEXT,
        "big.csv.gz": gzip.compress(random.Random(1).randbytes(40_000)),
        "wide.txt": TEXT.decode()[:15_000].encode("utf-16"),
        "small.csv": b"name,ssn\nJane Roe,512-44-1234\n",
        "zip.csv": b"PK\x03\x04" + bytes(ABOVE),
    }
    for each in (system, whole):
        each.put(contents)
    view, expected = system.run(system.start()), whole.run(whole.start())
    assert view.progress.outcomes == expected.progress.outcomes
    assert view.progress.findings == expected.progress.findings
    assert view.progress.occurrences == expected.progress.occurrences > 2000
    assert view.progress.bytes_done == view.progress.bytes_listed
    found, other = findings(system, view.job.job_id), findings(whole, expected.job.job_id)
    assert {name: f.count for name, f in found.items()} == {name: f.count for name, f in other.items()}
    places = found["big.csv us.ssn"].occurrences
    assert [place.location.offset for place in places] == [
        place.location.offset for place in other["big.csv us.ssn"].occurrences
    ]
    assert [place.masked for place in places] == [place.masked for place in other["big.csv us.ssn"].occurrences]
    assert {place.location.line for place in places} == {0}
    assert {place.location.line for place in found["small.csv us.ssn"].occurrences} == {2}
    with transaction(system.engine) as connection:
        query = "select job_no from jobs where job_id = :id"
        job_no = execute(connection, query, id=view.job.job_id).scalar_one()
        query = "select count(*) as n from object_ranges where job_no = :n group by object_batch_no"
        assert sorted(row.n for row in execute(connection, query, n=job_no)) == sorted(
            -(-len(contents[key]) // 8192) for key in ("big.csv", "wide.txt")
        )


def test_object_is_processed_from_its_split_to_its_last_range(system: System) -> None:
    job_id, bodies = split(system, big=TEXT)
    assert len(bodies) == -(-len(TEXT) // 8192)
    assert list(system.executions.started) == [f"{job_id}-1", f"{job_id}-2"], "the first had ended: its ranges need one"
    for n, body in enumerate(bodies):
        view = system.job(job_id)
        assert (view.progress.listed, view.progress.processing, view.progress.scanned) == (1, 1, 0)
        assert view.progress.bytes_done == n * 8192
        assert view.eta_s is None or n
        assert accounts(system, job_id) == [("big", "processing", None)]
        assert run_message(body, system.worker) == "done"
    assert accounts(system, job_id) == [("big", "scanned", None)]
    assert findings(system, job_id)["big us.ssn"].count == 1599


def test_object_without_an_etag_is_read_in_one_go(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    real = system.objects._ref
    monkeypatch.setattr(system.objects, "_ref", lambda *place: replace(real(*place), etag=""))
    system.put({"big": TEXT})
    view = system.run(system.start())
    assert (view.progress.scanned, view.progress.batches) == (1, 1)


def test_ranges_delivered_thrice_and_shuffled_by_many_threads_count_once(system: System) -> None:
    job_id, bodies = split(system, one=TEXT, two=TEXT)
    bodies *= 3
    random.Random(3).shuffle(bodies)
    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(lambda body: run_message(body, system.worker), bodies))
    assert ends.count("done") == len(bodies) // 3
    assert ends.count("not_claimable") == len(bodies) * 2 // 3
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned) == (JobStatus.SUCCEEDED, 2)
    assert {f.count for f in findings(system, job_id).values()} == {1599}


def test_worker_killed_in_one_range_costs_nothing_and_its_late_end_records_nothing(system: System) -> None:
    job_id, bodies = split(system, big=TEXT)
    killed, entered, go_on = system.make_worker(lease_s=0.001), threading.Event(), threading.Event()
    killed.leases.renew = lambda: None  # type: ignore[method-assign]
    real = type(killed.objects).open

    def hang(objects: object, ref: ObjectRef, **some: int) -> object:
        if "first_byte" in some:
            entered.set()
            go_on.wait(20)
        return real(objects, ref, **some)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(type(killed.objects), "open", hang)
        late = pool.submit(run_message, bodies[-1], killed)
        assert entered.wait(20)
        patch.undo()
        for body in bodies[:-1]:
            assert run_message(body, system.worker) == "done"
        assert settle(using=system.feeder).returned == 1
        as_first_attempts(system, job_id)
        assert run_message(bodies[-1], system.worker) == "done"
        go_on.set()
        assert late.result(20) == "lost"
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned, view.progress.occurrences) == (JobStatus.SUCCEEDED, 1, 1599)


def test_stopping_worker_gives_its_range_back(system: System) -> None:
    job_id, bodies = split(system, big=TEXT)
    stopping = system.make_worker()
    stopping.stopping.set()
    assert run_message(bodies[0], stopping) == "given_back"
    assert run_message(bodies[0], system.worker) == "done"
    assert system.run(job_id).progress.scanned == 1


def test_object_that_changes_between_its_ranges_is_changed_since_listing(system: System) -> None:
    job_id, bodies = split(system, big=TEXT)
    assert run_message(bodies[0], system.worker) == "done"
    system.put({"big": TEXT.upper()})
    view = system.run(job_id)
    assert view.job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert view.progress.outcomes == {"failed(changed_since_listing)": 1}
    assert findings(system, job_id)["big us.ssn"].count > 100, "what the first range found is kept"
    ((_, _, detail),) = accounts(system, job_id)
    ranges = len(bodies)
    assert detail.startswith(f"{ranges - 1} of its {ranges} byte ranges are failed(changed_since_listing), the first")
    assert detail.endswith("from byte 8192 on. The object was overwritten after it was listed.")


def test_dead_range_is_retried_alone(system: System) -> None:
    job_id, bodies = split(system, big=TEXT)
    for body in bodies:
        if body != bodies[2]:
            assert run_message(body, system.worker) == "done"
    lane = system.job(job_id).job.lane
    while system.queues.receive(lane, 10, 3600):
        pass
    system.queues.send(lanes.DLQ, [OutgoingMessage(body=bodies[2], group=system.bucket)])
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.outcomes) == (
        JobStatus.SUCCEEDED_WITH_FAILURES,
        {"failed(dead_letter)": 1},
    )
    before = findings(system, job_id)["big us.ssn"].count
    (retried,) = redrive.retry_letters(LetterFilter(job_id=job_id), using=system.feeder, rate_per_s=1000)
    assert retried.result == "sent"
    assert system.job(job_id).progress.processing == 1
    assert system.deliver(job_id) == ["done"]
    settle(using=system.feeder)
    view = system.job(job_id)
    assert (view.job.status, view.progress.scanned) == (JobStatus.SUCCEEDED, 1)
    assert before < findings(system, job_id)["big us.ssn"].count == 1599


def test_failed_ranges_are_retried_and_no_others(system: System) -> None:
    job_id, bodies = split(system, big=TEXT)
    assert run_message(bodies[0], system.worker) == "done"
    system.objects.denied.add((system.bucket, "big"))
    system.run(job_id)
    assert system.job(job_id).progress.outcomes == {"failed(denied)": 1}
    system.objects.denied.clear()
    opened = control.retry_failed(job_id, using=system.feeder)
    assert (opened.batches, opened.objects) == (len(bodies) - 1, 1)
    as_first_attempts(system, job_id)
    view = system.run(job_id)
    assert (view.job.status, view.progress.occurrences) == (JobStatus.SUCCEEDED, 1599)


def test_range_that_killed_its_worker_is_scanned_in_a_process_of_its_own(system: System) -> None:
    wanted = ObjectRange(first_byte=4, last_byte=16, object_batch_no=0)
    with system.worker.children.one() as child:
        ref = ObjectRef(bucket="b", key="a", size_bytes=17, etag="e")
        result = child.scan(0, ref, wanted)
        assert result.outcome is Outcome.SCANNED
        assert [place.location.offset for found in result.findings for place in found.occurrences] == [5]
        longer = child.scan(0, replace(ref, size_bytes=99), replace(wanted, last_byte=60))
        assert longer.outcome is Outcome.FAILED_CHANGED_SINCE_LISTING, "what is not there is not passed over"
        assert child.scan(0, replace(ref, key="poison"), wanted).outcome is Outcome.FAILED_CRASHED
    job_id, bodies = split(system, poison=TEXT)
    with transaction(system.engine) as connection:  # the first attempt, of a worker that dies
        assert batches.claim_batch(connection, job_id=job_id, batch_no=number(bodies[1]), epoch=0, lease_s=0)
    settle(using=system.feeder)
    view = system.run(job_id)
    assert view.progress.outcomes == {"failed(crashed)": 1}
    assert findings(system, job_id)["poison us.ssn"].count > 900
