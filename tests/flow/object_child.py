"""The child process of the isolation tests: objects whose key says what they do to the process that scans them."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[2]))

from scanner_tasks import rules
from scanner_tasks.core.access import Access
from scanner_tasks.core.errors import Unavailable
from scanner_tasks.core.model import ObjectRef, Segment
from scanner_tasks.core.redact import Fingerprinter
from scanner_tasks.detect.engine import Detector
from scanner_tasks.extract.text import extract
from scanner_tasks.fakes import FakeBody, FakeObjects
from scanner_tasks.flow import scan_object
from scanner_tasks.flow.object_child import serve
from scanner_tasks.settings import Settings
from tests.formats.making import pdf
from tests.formats.test_tables import columnar

HOARD: list[bytes] = []
TEXT = b"ssn: 512-44-1234\n"


class Trapped(FakeObjects):
    is_reached = False

    def through(self, access: Access) -> Trapped:
        assert access == Access(role_arn="arn:aws:iam::111122223333:role/s3scan", external_id="ours")
        self.is_reached = True
        return self

    def open(self, ref: ObjectRef, **places: int | None) -> FakeBody:
        if "poison" in ref.key or ("theirs" in ref.key and not self.is_reached):
            os._exit(9)
        if "hang" in ref.key:
            time.sleep(3600)
        if "no-credentials" in ref.key:
            raise Unavailable("no credentials just now")
        if "memory" in ref.key:
            bytearray(140 << 20)
        if "hoard" in ref.key:
            HOARD.append(b"x" * (70 << 20))
        if "loop" in ref.key:
            resource.setrlimit(
                resource.RLIMIT_CPU, (int(time.process_time()) + 1, resource.getrlimit(resource.RLIMIT_CPU)[1])
            )
            while True:
                pass
        content = pdf(["first", "ssn: 512-44-1234"]) if "pdf" in ref.key else TEXT
        if "parquet" in ref.key:
            content = columnar("parquet")
        if "late" in ref.key:
            self.buckets = {ref.bucket: {ref.key: pdf(["ssn: 512-44-1234"] * 4)}}
            return super().open(replace(ref, etag=""), **places)
        self.buckets = {ref.bucket: {ref.key: content}}
        return super().open(ref if "replaced" in ref.key else replace(ref, etag=""), **places)


@dataclass(frozen=True)
class Parts:
    settings: Settings
    objects: Trapped
    detector: Detector
    scan_slots: threading.Semaphore
    ruleset_hash: Callable[[], str]
    clock: Callable[[], float]


def dying_late(read: Callable[[int], bytes], *, key: str, **more: Any) -> Iterator[Segment]:
    """The third page of some kills the process that reads it."""
    for number, segment in enumerate(extract(read, key=key, **more)):
        if "late" in key and number == 2:
            if "greedy" in key:
                HOARD.append(b"x" * (70 << 20))
            if "greedy" in key or "abort" in key:
                os.abort()
            os._exit(9)
        yield segment


if __name__ == "__main__":
    scan_object.extract = dying_late
    worker = Parts(
        settings=Settings(),
        objects=Trapped({}),
        detector=Detector(rules.load_builtin(), Fingerprinter(b"a key of the tests only", "k1")),
        scan_slots=threading.BoundedSemaphore(1),
        ruleset_hash=lambda: "hash",
        clock=time.monotonic,
    )
    serve(cast("Any", worker))
