"""A poison object costs itself only: from the second attempt on, objects are scanned in a child process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import JobStatus, ObjectRef, Outcome
from scanner_tasks.flow.isolation import ObjectChild
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.flow.settle import settle
from scanner_tasks.store import batches
from scanner_tasks.store.engine import transaction

from .conftest import System
from .object_child import TEXT


@pytest.fixture
def child(make_system: Callable[..., System]) -> Iterator[ObjectChild]:
    with ObjectChild(make_system().child_command, object_max_s=20) as child:
        yield child


def ref(key: str) -> ObjectRef:
    return ObjectRef(bucket="b", key=key, size_bytes=len(TEXT), etag="")


def test_child_gives_the_same_result_as_the_worker_itself(child: ObjectChild) -> None:
    result = child.scan(4, ref("line\nbreak é"))
    assert (result.position, result.outcome, result.ruleset_hash) == (4, Outcome.SCANNED, "hash")
    (found,) = result.findings
    assert (found.rule_id, found.count, found.occurrences[0].location.column) == ("us.ssn", 1, 6)
    assert found.occurrences[0].masked in found.occurrences[0].context


def test_object_that_kills_its_process_fails_alone(child: ObjectChild) -> None:
    outcomes = [child.scan(n, ref(key)).outcome for n, key in enumerate(("a", "poison", "b", "poison", "c"))]
    scanned, crashed = Outcome.SCANNED, Outcome.FAILED_CRASHED
    assert outcomes == [scanned, crashed, scanned, crashed, scanned]


def test_object_that_never_ends_is_ended(child: ObjectChild) -> None:
    assert child.scan(0, ref("a")).outcome is Outcome.SCANNED
    child._limit_s = 0.3
    assert child.scan(1, ref("hang")).outcome is Outcome.FAILED_TIMED_OUT
    child._limit_s = 20
    assert child.scan(2, ref("b")).outcome is Outcome.SCANNED


def test_fault_of_the_infrastructure_is_not_the_objects(child: ObjectChild) -> None:
    with pytest.raises(Unavailable):
        child.scan(0, ref("no-credentials"))


def test_object_that_takes_all_memory_is_ended_and_the_next_is_scanned(child: ObjectChild) -> None:
    outcomes = [child.scan(n, ref(key)).outcome for n, key in enumerate(("memory", "b"))]
    assert outcomes == [Outcome.PARTIAL_BYTES, Outcome.SCANNED]


def test_risky_object_is_scanned_in_a_child_at_the_first_attempt(system: System) -> None:
    from tests.formats.making import pdf  # noqa: PLC0415

    system.put({"a": TEXT, "b.pdf": pdf(["x"]), "c": TEXT})
    job_id = system.start()
    view = system.run(job_id)
    assert view.progress.outcomes == {"scanned": 3}
    page = get_results(job_id=job_id, bucket=None, key="b.pdf", rule=None, limit=10, cursor=None, using=system.feeder)
    (finding,) = page.findings
    assert (finding.count, finding.occurrences[0].location.path) == (1, "page 2")


def test_risky_objects_wait_for_a_slot_and_are_given_back_when_the_worker_stops(system: System) -> None:
    from tests.formats.making import pdf  # noqa: PLC0415

    system.put({"b.pdf": pdf(["x"])})
    job_id = system.start()
    system.feed(job_id)
    worker = system.make_worker()
    while worker.child_slots.acquire(blocking=False):
        pass
    threading.Timer(0.2, worker.stopping.set).start()
    assert system.deliver(job_id, worker=worker) == ["given_back"]


def test_worker_that_died_costs_no_object_but_the_one_that_killed_it(system: System) -> None:
    system.put({f"{n:02d}": TEXT for n in range(9)} | {"poison": TEXT})
    job_id = system.start()
    system.feed(job_id)
    with transaction(system.engine) as connection:  # the first attempt, of a worker that dies
        assert batches.claim_batch(connection, job_id=job_id, batch_no=0, epoch=0, lease_s=0)
    assert settle(using=system.feeder).returned == 1
    view = system.run(job_id)
    assert view.job.status is JobStatus.SUCCEEDED_WITH_FAILURES
    assert view.progress.outcomes == {"scanned": 9, "failed(crashed)": 1}
    assert view.progress.findings == 9


def test_batch_whose_scan_hangs_is_renewed_no_more(system: System) -> None:
    system.put({"a": TEXT})
    job_id = system.start()
    worker = system.make_worker(lease_s=600, stuck_after_s=0)
    with transaction(system.engine) as connection:
        batch = batches.claim_batch(connection, job_id=job_id, batch_no=0, epoch=0, lease_s=0)
    assert batch is None
    system.feed(job_id)
    with transaction(system.engine) as connection:
        batch = batches.claim_batch(connection, job_id=job_id, batch_no=0, epoch=0, lease_s=0)
    assert batch
    with worker.leases.hold(batch):
        worker.leases.renew()
        assert settle(using=system.feeder).returned == 1
