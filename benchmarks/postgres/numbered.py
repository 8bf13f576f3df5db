"""A bucket of numbered objects, generated: what becomes of each is arithmetic, so the truth is known at any size."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import Any, Self

from scanner_tasks.core.errors import ObjectGone
from scanner_tasks.core.model import (
    Confidence,
    Location,
    ObjectRef,
    Occurrence,
    RuleFindings,
    Severity,
)
from scanner_tasks.core.ports import Page

_EMPTY, _GONE, _FOUND = 101, 53, 17
FINDING = RuleFindings(
    rule_id="us.ssn",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    count=3,
    occurrences=(
        Occurrence(
            masked="***-**-1234",
            context="ssn: ***-**-1234",
            location=Location(line=3, column=6, offset=40),
            fingerprint="k1:00",
        ),
    ),
)


class NumberedObjects:
    """A bucket of ``count`` objects whose number decides their fate: the truth is arithmetic."""

    def __init__(self, count: int) -> None:
        self.count = count

    def check_bucket(self, bucket: str) -> None:
        """Every bucket is there."""

    def list_page(self, bucket: str, *, prefix: str, start_after: str | None, max_keys: int = 1000) -> Page:
        """The keys behind ``start_after``."""
        del prefix
        first = bisect_right(range(self.count), start_after or "", key=lambda n: self._ref(bucket, n).key)
        last = min(first + max_keys, self.count)
        return Page(objects=tuple(self._ref(bucket, n) for n in range(first, last)), is_last=last == self.count)

    @staticmethod
    def _ref(bucket: str, number: int) -> ObjectRef:
        return ObjectRef(
            bucket=bucket,
            key=f"year=2026/month=11/part-{number:09d}",
            size_bytes=0 if number % _EMPTY == 0 else 100,
            etag=f"{number:032x}",
        )

    def through(self, access: object) -> Self:
        """However it is reached, it is the same bucket."""
        del access
        return self

    def open(self, ref: ObjectRef) -> _Body:
        """The object's body; its number says what becomes of it."""
        return _Body(int(ref.key[-9:]))

    def truth(self) -> Counter[str]:
        """Objects by outcome, and findings, that a job over the bucket must end with."""
        sums: Counter[str] = Counter(listed=self.count)
        for n in range(self.count):
            if n % _EMPTY == 0:
                sums["skipped"] += 1
            elif n % _GONE == 0:
                sums["failed"] += 1
            else:
                sums["scanned"] += 1
                sums["findings"] += n % _FOUND == 0
        return sums


class _Body:
    def __init__(self, number: int) -> None:
        self.number = number
        self.bytes_read = 0

    def read(self, size: int, /) -> bytes:
        if self.number % _GONE == 0:
            raise ObjectGone("The object was deleted after it was listed.")
        if self.bytes_read:
            return b""
        self.bytes_read = 100
        return (b"found" if self.number % _FOUND == 0 else b"clean").ljust(min(size, 100))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


class MarkDetector:
    """Finds the mark that ``_Body`` wrote: detection is not what is measured here."""

    def prepare(self) -> None:
        """Nothing to make ready."""

    def begin(self, name: str = "") -> MarkDetector._Detection:
        """A detection of one object."""
        del name
        return self._Detection()

    class _Detection:
        allowed = 0

        def __init__(self) -> None:
            self.found = False

        def feed(self, segment: Any) -> None:
            self.found |= segment.data.startswith(b"found")

        def finish(self) -> tuple[RuleFindings, ...]:
            return (FINDING,) if self.found else ()
