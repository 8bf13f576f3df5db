"""One local scan: its objects as they are done, its sums, its state file."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING
from uuid import UUID, uuid4

from scanner_tasks.core.errors import InvalidInput, Unavailable
from scanner_tasks.core.identity import finding_id
from scanner_tasks.core.model import Finding, ObjectRef, Outcome, Progress
from scanner_tasks.core.planning import plan_object
from scanner_tasks.flow.scan_local.crew import Crew, Done
from scanner_tasks.flow.scan_local.files import Listed, listed, order_of, walk
from scanner_tasks.flow.scan_local.journal import Begun, Former, Journal, read_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from scanner_tasks.core.ports import Objects
    from scanner_tasks.detect.ruleset import Rule
    from scanner_tasks.flow.nursery import Nursery
    from scanner_tasks.flow.scan_local.target import Target
    from scanner_tasks.settings import Settings

_COPIED_BYTES = 1024**2


@dataclass(frozen=True, kw_only=True)
class Here:
    """What a local scan works with; ``scanner_tasks.local_parts`` builds it."""

    settings: Settings
    #: Forks the children that scan.
    nursery: Nursery
    #: Children at a time.
    size: int
    #: Of all that decides the result: target, rules, options; asked only where there is a state file.
    digest: Callable[[], str]
    #: The rules, to tell of them; read when asked for.
    rules: Callable[[], tuple[Rule, ...]]
    #: S3, for a target there.
    objects: Objects | None = None
    #: Holds what comes on a stream, for the children to read.
    copy: IO[bytes] | None = None
    #: Device and inode of files that the scan writes.
    own: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """An object with its outcome and what was found in it."""

    ref: ObjectRef
    outcome: Outcome
    detail: str | None
    findings: tuple[Finding, ...]


@dataclass
class _Sums:
    listed: int = 0
    bytes_listed: int = 0
    bytes_done: int = 0
    findings: int = 0
    occurrences: int = 0
    allowed: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)


class LocalScan:
    """Scans a target once; ``run`` does it, ``progress`` tells how far it is, also from another thread.

    Args:
        target: where the objects are.
        using: what it works with.
        state: the state file, if one is kept.
        resume: go on from the state file, where it is there.

    Raises:
        InvalidInput: the state file is of another scan, or cannot be written.
    """

    def __init__(self, target: Target, *, using: Here, state: str | None = None, resume: bool = False) -> None:
        self.target = target
        self._using = using
        self._sums = _Sums()
        #: True once everything is listed: the sums' totals are final.
        self.is_listed = False
        #: True once every object has its outcome.
        self.has_ended = False
        self._former = _former(state, using.digest()) if state and resume else None
        begun = self._former.begun if self._former else None
        self.scan_id = UUID(begun.scan) if begun else uuid4()
        self.began_at = datetime.fromtimestamp(begun.began if begun else time.time(), UTC)
        self._journal: Journal | None = None
        if state:
            first = begun or Begun(scan=str(self.scan_id), began=self.began_at.timestamp(), digest=using.digest())
            self._journal = Journal(state, first, self._former, order=self._order)
        self._crew = Crew(
            using.nursery,
            size=using.size,
            object_max_s=using.settings.object_max_s,
            memory_bytes=using.settings.child_memory_bytes,
        )

    @property
    def progress(self) -> Progress:
        """The sums so far, in the words of a job."""
        sums, by_kind, outcomes = self._sums, Counter[str](), dict(sorted(self._sums.outcomes.items()))
        for outcome, count in outcomes.items():
            by_kind[outcome.kind] += count
        return Progress(
            listed=sums.listed,
            scanned=by_kind["scanned"],
            partial=by_kind["partial"],
            skipped=by_kind["skipped"],
            failed=by_kind["failed"],
            outcomes={str(outcome): count for outcome, count in outcomes.items()},
            findings=sums.findings,
            occurrences=sums.occurrences,
            allowed=sums.allowed,
            bytes_listed=sums.bytes_listed,
            bytes_done=sums.bytes_done,
        )

    @property
    def is_incomplete(self) -> bool:
        """True when something was not read, or not to its end, that should have been; so far, while it goes on."""
        told = self.progress
        return bool(told.partial or told.failed) or not self.has_ended

    def findings(self) -> Iterator[Finding]:
        """Run it; every finding as its object is done."""
        for scanned in self.run():
            yield from scanned.findings

    def rules(self) -> tuple[Rule, ...]:
        """The rules that run."""
        return self._using.rules()

    def stop(self) -> None:
        """End ``run`` with what is done so far; a signal's handler may call it."""
        self._crew.stop()

    def run(self) -> Generator[Scanned]:
        """Every object in the order in which they are done, those of an earlier run first; to be iterated once.

        Raises what listing raises (BucketNotFound, Denied, Unavailable), behind what was done until then.
        """
        if self._former:
            yield from self._restored(self._former)
        if self._former and self._former.has_ended:
            self.is_listed = self.has_ended = True
            self._close(has_ended=True)
            return
        try:
            with closing(self._crew.run(self._listing, self._told)) as results:
                for done in results:
                    if self._journal:
                        self._journal.add(done)
                    yield self._scanned(done)
            self.has_ended = self.is_listed and sum(self._sums.outcomes.values()) == self._sums.listed
        finally:
            self._close(has_ended=self.has_ended)

    def _close(self, *, has_ended: bool) -> None:
        if self._journal:
            self._journal.close(has_ended=has_ended)
        self._using.nursery.close()

    def _restored(self, former: Former) -> Iterator[Scanned]:
        self._sums.listed += former.objects + len(former.done)
        self._sums.outcomes[Outcome.SCANNED] += former.objects
        self._sums.bytes_listed += former.size_bytes
        self._sums.bytes_done += former.size_bytes
        for done in former.done.values():
            self._sums.bytes_listed += done.listed.ref.size_bytes
            yield self._scanned(done)

    def _scanned(self, done: Done) -> Scanned:
        ref, result, sums = done.listed.ref, done.result, self._sums
        sums.outcomes[result.outcome] += 1
        sums.bytes_done += ref.size_bytes
        sums.findings += len(result.findings)
        sums.occurrences += sum(found.count for found in result.findings)
        sums.allowed += result.allowed
        now = datetime.now(UTC)
        findings = tuple(
            Finding(
                finding_id=finding_id(ref.bucket, ref.key, found.rule_id),
                job_id=self.scan_id,
                bucket=ref.bucket,
                key=ref.key,
                rule_id=found.rule_id,
                severity=found.severity,
                confidence=found.confidence,
                count=found.count,
                occurrences=found.occurrences,
                found_at=now,
                allowed=found.allowed,
                columns=found.columns,
            )
            for found in result.findings
        )
        return Scanned(ref=ref, outcome=result.outcome, detail=result.detail, findings=findings)

    def _told(self, one: Listed | None) -> None:
        """In the listing's thread."""
        if one is None:
            self.is_listed = True
        else:
            self._sums.bytes_listed += one.ref.size_bytes
            self._sums.listed += 1

    def _order(self, key: str) -> tuple[bytes, ...]:
        return (key.encode(),) if self.target.kind == "s3" else order_of(key)

    def _listing(self) -> Iterator[Listed]:
        for one in self._everything():
            if self._journal and self._former and self._journal.was_done(one.ref.key):
                continue
            if one.outcome is Outcome.PENDING:
                planned = plan_object(one.ref, self._using.settings.policy)
                yield Listed(ref=planned.ref, outcome=planned.outcome)
            else:
                yield one

    def _everything(self) -> Iterator[Listed]:
        target = self.target
        if target.kind == "s3":
            yield from self._bucket()
        elif target.kind == "folder":
            yield from walk(target.text, own=self._using.own)
        elif target.kind == "file":
            yield listed(target.text, os.stat(target.text))  # noqa: PTH116 (a text, as the user gave it)
        else:
            yield self._stream()

    def _bucket(self) -> Iterator[Listed]:
        assert self._using.objects is not None
        after = self._former.mark if self._former else None
        while True:
            page = self._using.objects.list_page(self.target.bucket, prefix=self.target.prefix, start_after=after)
            yield from (Listed(ref=ref) for ref in page.objects)
            if page.is_last or not page.objects:
                return
            after = page.objects[-1].key

    def _stream(self) -> Listed:
        """Put what comes on the stream where children can read it from its start."""
        copy = self._using.copy
        assert copy is not None
        # Not sys.stdin.buffer: its lock, held by a thread that waits for input, would end the process badly.
        source = os.dup(0) if self.target.text == "-" else os.open(self.target.text, os.O_RDONLY)
        try:
            while piece := os.read(source, _COPIED_BYTES):
                copy.write(piece)
            copy.flush()
        except OSError as error:
            raise Unavailable(f"{self.target.text}: it could not be read, or put aside: {error.strerror}.") from error
        finally:
            os.close(source)
        return listed(self.target.text, os.fstat(copy.fileno()))


def _former(state: str, digest: str) -> Former | None:
    if not os.path.exists(state):  # noqa: PTH110 (it is a text, as the user gave it)
        return None
    former = read_journal(state)
    if former.begun.digest != digest:
        raise InvalidInput(
            f"--resume: {state} is of another scan, or the rules, settings or options are others now; begin again "
            "without --resume."
        )
    return former
