"""One message: claim its batch, scan its objects, record all of it in one transaction."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Literal

import structlog

from scanner_tasks import tracing
from scanner_tasks.aws.embedded_metrics import embedded
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.extract.text import RiskyContentError
from scanner_tasks.flow.attempt_errors import keep_error
from scanner_tasks.flow.isolation import ObjectChild
from scanner_tasks.flow.nursery import give_back_memory
from scanner_tasks.flow.parts import reaching
from scanner_tasks.flow.patience import patiently
from scanner_tasks.flow.scan_object import scan_object
from scanner_tasks.flow.scan_range import can_be_split, scan_range, split
from scanner_tasks.flow.tag_check import TagCheck
from scanner_tasks.log import get_logger
from scanner_tasks.store import batches, job_costs, jobs
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.range_results import record_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from uuid import UUID

    from scanner_tasks.core.model import ClaimedBatch, ObjectRef, ObjectResult
    from scanner_tasks.flow.leases import Hold
    from scanner_tasks.flow.parts import Worker

log = get_logger()

#: Outcomes that workers record, each a metric of its own: ObjectsScanned …
_KINDS = ("scanned", "partial", "skipped", "unchanged", "failed")
#: How long a batch waits for a child's slot before it says that it is alive.
_LOOK_S = 1.0

#: done; not_claimable: another delivery has it or its time is over; lost: the claim was taken away; given_back: the
#: worker is stopping and the rest is planned again. All four acknowledge the message.
Result = Literal["done", "not_claimable", "lost", "given_back"]


def scan_batch(job_id: UUID, batch_no: int, epoch: int, *, using: Worker) -> Result:
    """Scan one batch; a message delivered twice, late or out of order changes nothing.

    Raises Unavailable for faults of the infrastructure: the batch is released and SQS delivers its message again, three
    times in all before it is a dead letter.
    """
    with (
        structlog.contextvars.bound_contextvars(job_id=job_id, batch_no=batch_no),
        tracing.span("batch", job_id=job_id, batch_no=batch_no) as span,
    ):
        # Also when the process is about to end: claimed and given back at once, the batch is another worker's without
        # waiting for its message, which would come back one receive poorer.
        with tracing.span("claim"):
            batch = _claim(job_id, batch_no, epoch, using=using)
        if batch is None:
            span.note(result="not_claimable")
            log.info("batch_not_claimable", epoch=epoch)
            return "not_claimable"
        span.note(attempt=batch.attempt)
        try:
            result = _scan(batch, using=using)
        except Exception as error:
            # A defect of ours, too: released, its message comes again and ends as a dead letter that tells the error.
            released = embedded(using.settings.metrics_namespace, {"BatchesReleased": (1, "Count")})
            log.warning("batch_released", attempt=batch.attempt, exc_info=True, **released)
            keep_error(batch, error, using=using)
            _release(batch, using=using)
            raise
        span.note(result=result)
        return result


def _claim(job_id: UUID, batch_no: int, epoch: int, *, using: Worker) -> ClaimedBatch | None:
    """Claim; a claim whose answer was lost in an outage is returned by the sweep when its lease has run out."""

    def claim() -> ClaimedBatch | None:
        with transaction(using.engine) as connection:
            return batches.claim_batch(
                connection, job_id=job_id, batch_no=batch_no, epoch=epoch, lease_s=using.leases.lease_s
            )

    longest_s = using.settings.outage_patience_s
    return patiently(claim, what="claim", longest_s=longest_s, stopping=using.stopping)


def _scan(batch: ClaimedBatch, *, using: Worker) -> Result:
    results: list[ObjectResult] = []
    began, using = using.clock(), reaching(using, batch.access)
    cpu_began = using.cpu_clock()
    with using.leases.hold(batch) as hold, ExitStack() as stack:
        check = TagCheck(batch, using.objects)
        if not check.refuses_all() and can_be_split(batch, using=using):
            return "done" if split(batch, using=using) else "lost"
        wanted = batch.object_range
        scan: Callable[[int, ObjectRef], ObjectResult] = partial(scan_object, tags=batch.tags, using=using)
        if wanted:
            scan = partial(scan_range, wanted=wanted, using=using)
        if batch.tries > 1:  # something of it may have killed a worker
            child = _child(stack, hold, using=using)
            # Without a child the loop ends before its first object.
            scan = partial(child.scan, wanted=wanted, access=batch.access, tags=batch.tags) if child else scan
        risky: list[tuple[int, ObjectRef]] = []
        for position, ref in batch.objects:
            if using.stopping.is_set() or hold.lost.is_set():
                break
            hold.touch()
            with _guarded(wanted.size_bytes if wanted else ref.size_bytes, using=using):
                scanned = check.refused(position, ref) or _traced(scan, position, ref)
            if scanned:
                results.append(scanned)
            else:
                risky.append((position, ref))
        results += _scan_risky(risky, batch, hold, using=using)
        if hold.lost.is_set():
            log.info("batch_lost", attempt=batch.attempt)
            return "lost"
        with tracing.span("record", objects=len(results)):
            is_ours = _record(batch, results, cpu_s=using.cpu_clock() - cpu_began, using=using)
    give_back_memory()
    is_whole = len(results) == len(batch.objects)
    result: Result = ("done" if is_whole else "given_back") if is_ours else "lost"
    log.info(
        "batch_scanned",
        result=result,
        attempt=batch.attempt,
        objects=len(results),
        findings=sum(len(r.findings) for r in results),
        bytes_read=sum(r.bytes_read for r in results),
        seconds=round(using.clock() - began, 3),
        **embedded(
            using.settings.metrics_namespace,
            _metrics(results if is_ours else (), seconds=using.clock() - began, waited_s=batch.waited_s),
        ),
    )
    return result


def _metrics(results: Sequence[ObjectResult], *, seconds: float, waited_s: float) -> dict[str, tuple[float, str]]:
    """What the dashboard counts of a batch; of one that another worker records nothing but its times."""
    kinds = Counter(result.outcome.kind for result in results)
    objects = {f"Objects{kind.capitalize()}": (kinds[kind], "Count") for kind in _KINDS}
    return {
        **objects,
        "BytesRead": (sum(result.bytes_read for result in results), "Bytes"),
        "Findings": (sum(len(result.findings) for result in results), "Count"),
        "BatchSeconds": (round(seconds, 3), "Seconds"),
        "LagSeconds": (round(waited_s, 3), "Seconds"),
    }


def _scan_risky(
    objects: Sequence[tuple[int, ObjectRef]], batch: ClaimedBatch, hold: Hold, *, using: Worker
) -> Iterator[ObjectResult]:
    """The objects that need a risky parser, in a child process; few of those run at a time."""
    if not objects:
        return
    with ExitStack() as stack:
        child = _child(stack, hold, using=using)
        if child is None:
            return
        for position, ref in objects:
            if using.stopping.is_set() or hold.lost.is_set():
                return
            hold.touch()
            with _guarded(ref.size_bytes, using=using):
                result = _traced(partial(child.scan, access=batch.access, tags=batch.tags), position, ref)
            if result:
                yield result


def _traced(scan: Callable[[int, ObjectRef], ObjectResult], position: int, ref: ObjectRef) -> ObjectResult | None:
    """Scan one object; None when it must be scanned in a process of its own."""
    with tracing.span("object", position=position) as span:
        try:
            result = scan(position, ref)
        except RiskyContentError:
            span.note(outcome="to a child")
            return None
        span.note(outcome=result.outcome, bytes_read=result.bytes_read, findings=len(result.findings))
        return result


def _child(stack: ExitStack, hold: Hold, *, using: Worker) -> ObjectChild | None:
    """A child process until the stack is left, once one is free; None when the batch is not to be scanned any more."""
    while not using.child_slots.acquire(timeout=_LOOK_S):
        hold.touch()
        if using.stopping.is_set() or hold.lost.is_set():
            return None
    stack.callback(using.child_slots.release)
    return stack.enter_context(using.children.one())


def _guarded(size_bytes: int, *, using: Worker) -> AbstractContextManager[None]:
    return using.guard.during(size_bytes) if using.guard else nullcontext()


def _record(batch: ClaimedBatch, results: Sequence[ObjectResult], *, cpu_s: float, using: Worker) -> bool:
    """Record, and repeat it when the connection breaks: a commit that did go through is recognised by its attempt."""
    # What was scanned with other rules is recorded and told, not refused: docs/decisions/0009.
    used = {result.ruleset_hash or using.ruleset_hash() for result in results}
    others = sorted(used - {batch.ruleset_hash}) if batch.ruleset_hash else []
    if others:
        log.warning("ruleset_differs", job_ruleset=batch.ruleset_hash, worker_rulesets=others)

    def record() -> bool:
        with transaction(using.engine) as connection:
            if batch.object_range:
                is_ours = record_range(
                    connection,
                    batch,
                    results,
                    kept=using.settings.occurrences_kept,
                    severity_at=using.detector.ruleset.severity_at,
                )
            else:
                is_ours = batches.record_results(connection, batch, results)
            if is_ours:
                read = sum(result.bytes_read for result in results)
                job_costs.add_work(connection, batch.job_no, cpu_s=cpu_s, bytes_read=read)
            for other in others if is_ours else ():
                jobs.add_ruleset(connection, batch.job_no, other)
            return is_ours

    longest_s = using.settings.outage_patience_s
    return patiently(record, what="record", longest_s=longest_s, stopping=using.stopping)


def _release(batch: ClaimedBatch, *, using: Worker) -> None:
    """Best effort: without it the lease runs out and settle plans the batch again."""
    try:
        with transaction(using.engine) as connection:
            batches.release_batch(connection, batch)
    except Unavailable:
        log.warning("batch_not_released", attempt=batch.attempt)
