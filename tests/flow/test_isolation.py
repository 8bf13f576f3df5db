"""A poison object costs itself only: from the second attempt on, objects are scanned in a child process."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import JobStatus, ObjectRef, Outcome
from scanner_tasks.core.object_tags import ANY_TAGS, TagCondition
from scanner_tasks.core.selection import Selection
from scanner_tasks.flow.isolation import Children, ObjectChild
from scanner_tasks.flow.read_results import get_results
from scanner_tasks.flow.settle import settle
from scanner_tasks.flow.start_job import start_job
from scanner_tasks.local.ports import wait_until
from scanner_tasks.settings import Settings
from scanner_tasks.store import batches
from scanner_tasks.store.engine import transaction

from .conftest import CHILD_COMMAND, System
from .object_child import TEXT


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    children = Children(CHILD_COMMAND, object_max_s=20, memory_bytes=Settings().child_memory_bytes)
    yield children
    children.close()


@pytest.fixture
def child(children: Children) -> Iterator[ObjectChild]:
    with children.one() as child:
        yield child


def ref(key: str) -> ObjectRef:
    return ObjectRef(bucket="b", key=key, size_bytes=len(TEXT), etag="")


def test_child_gives_the_same_result_as_the_worker_itself(child: ObjectChild) -> None:
    result = child.scan(4, ref("line\nbreak é"))
    assert (result.position, result.outcome, result.ruleset_hash) == (4, Outcome.SCANNED, "hash")
    (found,) = result.findings
    assert (found.rule_id, found.count, found.occurrences[0].location.column) == ("us.ssn", 1, 6)
    assert found.occurrences[0].masked in found.occurrences[0].context


def test_child_asks_for_the_tags_of_an_object_that_was_overwritten(child: ObjectChild) -> None:
    overwritten = replace(ref("replaced"), etag="former")
    outcomes = [
        child.scan(4, overwritten, tags=tags).outcome
        for tags in (TagCondition(include=("team=a",)), TagCondition(exclude=("team=a",)), ANY_TAGS)
    ]
    assert outcomes == [Outcome.SKIPPED_EXCLUDED_TAG, Outcome.SCANNED, Outcome.SCANNED]


def test_object_that_kills_its_process_fails_alone(child: ObjectChild) -> None:
    outcomes = [child.scan(n, ref(key)).outcome for n, key in enumerate(("a", "poison", "b", "poison", "c"))]
    scanned, crashed = Outcome.SCANNED, Outcome.FAILED_CRASHED
    assert outcomes == [scanned, crashed, scanned, crashed, scanned]


def test_what_stands_before_the_place_where_its_process_died_is_found(child: ObjectChild) -> None:
    result = child.scan(3, ref("late.pdf"))
    assert (result.outcome, result.position) == (Outcome.FAILED_CRASHED, 3)
    assert [(found.rule_id, found.count) for found in result.findings] == [("us.ssn", 2)]
    assert "first 2 parts" in result.detail
    assert result.bytes_read > 0
    assert child.scan(4, ref("a")).outcome is Outcome.SCANNED


def test_library_that_aborts_without_memory_has_read_the_object_in_part(child: ObjectChild) -> None:
    result = child.scan(3, ref("greedy late.pdf"))
    assert (result.outcome, result.position) == (Outcome.PARTIAL_BYTES, 3)
    assert [(found.rule_id, found.count) for found in result.findings] == [("us.ssn", 2)]
    assert "more memory than one object may have" in result.detail
    assert f"Read: {result.bytes_read} of {len(TEXT)} bytes" in result.detail
    assert child.scan(4, ref("abort late.pdf")).outcome is Outcome.FAILED_CRASHED


def test_object_that_never_ends_is_ended(child: ObjectChild) -> None:
    assert child.scan(0, ref("a")).outcome is Outcome.SCANNED
    child._limit_s = 0.3
    assert child.scan(1, ref("hang")).outcome is Outcome.FAILED_TIMED_OUT
    child._limit_s = 20
    assert child.scan(2, ref("b")).outcome is Outcome.SCANNED


def test_parser_with_threads_of_its_own_fits_into_a_childs_memory(child: ObjectChild) -> None:
    assert child.scan(0, ref("a.parquet")).outcome is Outcome.SCANNED


def test_children_share_what_is_loaded_and_are_kept(children: Children) -> None:
    with children.one() as first:
        assert first.scan(0, ref("a")).outcome is Outcome.SCANNED
        pid = first._forked[0]
        with children.one() as second:  # a second at the same time is another process
            assert second.scan(0, ref("a")).outcome is Outcome.SCANNED
            assert second._forked[0] != pid
    with children.one() as second, children.one() as again:
        assert pid in {second._forked[0], again._forked[0]}


def test_child_that_keeps_much_memory_is_replaced(child: ObjectChild) -> None:
    assert child.scan(0, ref("a")).outcome is Outcome.SCANNED
    pid = child._forked[0]
    assert child.scan(1, ref("hoard")).outcome is Outcome.SCANNED
    assert child._forked is None
    assert child.scan(2, ref("a")).outcome is Outcome.SCANNED
    assert child._forked[0] != pid


def test_nursery_that_was_killed_is_replaced(children: Children, child: ObjectChild) -> None:
    assert child.scan(0, ref("a")).outcome is Outcome.SCANNED
    nursery = children._nursery
    nursery._control.shutdown(socket.SHUT_RDWR)
    child.end()
    assert child.scan(1, ref("a")).outcome is Outcome.SCANNED


def test_parser_that_loops_for_ever_ends_by_its_processor_time(child: ObjectChild) -> None:
    result = child.scan(0, ref("loop"))
    assert (result.outcome, "processor time" in result.detail) == (Outcome.FAILED_TIMED_OUT, True)
    assert child.scan(1, ref("b")).outcome is Outcome.SCANNED


def test_child_ends_with_its_worker_also_while_it_is_at_work(children: Children) -> None:
    pid, connection = children._nursery.fork()
    asked = {"position": 0, "ref": asdict(ref("hang")), "range": None, "access": None, "tags": {}, "parts": None}
    connection.sendall(json.dumps(asked).encode() + b"\n")

    def is_at_work() -> bool:
        told = [path.read_text() for path in Path(f"/proc/{pid}/fdinfo").iterdir()]
        return any(int(text.split("flags:")[1].split()[0], 8) & os.O_ASYNC for text in told)

    wait_until(is_at_work, what="the child", timeout_s=60)
    connection.close()
    assert children._nursery.reap(pid).status == -signal.SIGIO


def test_fault_of_the_infrastructure_is_not_the_objects(child: ObjectChild) -> None:
    with pytest.raises(Unavailable):
        child.scan(0, ref("no-credentials"))


def test_object_that_takes_all_memory_is_ended_and_the_next_is_scanned(child: ObjectChild) -> None:
    results = [child.scan(n, ref(key)) for n, key in enumerate(("memory", "b"))]
    assert [result.outcome for result in results] == [Outcome.PARTIAL_BYTES, Outcome.SCANNED]
    assert f"Read: 0 of {len(TEXT)} bytes, 0 bytes of text." in results[0].detail


def test_risky_object_is_scanned_in_a_child_at_the_first_attempt(system: System) -> None:
    from tests.formats.making import pdf  # noqa: PLC0415

    contents = {"a": TEXT, "b.pdf": pdf(["x"]), "c": TEXT, "replaced.pdf": pdf(["y"])}
    system.put(contents)
    system.objects.object_tags = {(system.bucket, key, None): {"team": "a"} for key in contents}
    job_id = start_job(system.bucket, selection=Selection(include_tags=("team=a",)), using=system.feeder).job_id
    view = system.run(job_id)
    # The child finds another object than was listed, and asks for the tags of that: it has none.
    assert view.progress.outcomes == {"scanned": 3, "skipped(excluded_tag)": 1}
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
