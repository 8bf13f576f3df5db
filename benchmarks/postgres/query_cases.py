"""What bench_queries asks, each at a place of the first job that chance gives."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from benchmarks.postgres.clients import make_feeder
from benchmarks.postgres.filling import EVERYWHERE, SECOND_HALF
from scanner_tasks.core.model import Confidence, Severity
from scanner_tasks.flow.read_results import get_job
from scanner_tasks.store.engine import execute, transaction
from scanner_tasks.store.findings import FindingFilter, FindingPlace, read_findings

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy import Connection, Engine

PAGE = 100


class Cases:
    """What is asked, each at a place of the first job that chance gives."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.engine = engine
        self.chance = random.Random(seed)
        with transaction(engine) as connection:
            self.job_id: UUID = execute(connection, "select job_id from jobs where job_no = 1").scalar_one()
            self.last = execute(connection, "select max(batch_no) from findings where job_no = 1").scalar_one()
            self.shared_job = execute(connection, "select job_id from jobs where job_no = 41").scalar_one()

    def filters(self) -> dict[str, dict[str, Any]]:
        """Each filter of the first job that is timed."""
        return {
            "all": {},
            "rule": {"rule": EVERYWHERE},
            "severity, confidence": {"severities": (Severity.HIGH,), "confidences": (Confidence.MEDIUM,)},
            "prefix": {"prefix": "exports/"},
            "prefix, rule": {"prefix": "exports/", "rule": EVERYWHERE},
            "prefix, rule, severity, confidence": {
                "prefix": "exports/",
                "rule": EVERYWHERE,
                "severities": (Severity.HIGH, Severity.CRITICAL),
                "confidences": (Confidence.MEDIUM, Confidence.HIGH),
            },
            "none: rule that is nowhere": {"rule": "no.such"},
            "none: severity that is nowhere": {"severities": (Severity.LOW,)},
            "none: rule and prefix, both large": {"rule": SECOND_HALF, "prefix": "exports/2/"},
        }

    def place(self, connection: Connection) -> FindingPlace:
        """Anywhere in the first job, from its beginning to its end."""
        batch_no = self.chance.randrange(self.last)
        row = execute(
            connection,
            "select job_no, batch_no, position, rule_id from findings where job_no = 1 and batch_no = :n limit 1",
            n=batch_no,
        ).one()
        return FindingPlace(**row._mapping)  # noqa: SLF001 (SQLAlchemy's mapping view)

    def page(self, filters: dict[str, Any]) -> Callable[[], float]:
        """Times a page behind such a place."""

        def timed() -> float:
            with transaction(self.engine) as connection:
                after = self.place(connection) if not filters or "none" not in filters else None
                wanted = FindingFilter(job_id=self.job_id, **filters)
                began = time.perf_counter()
                read_findings(connection, wanted, after=after, limit=PAGE)
                return time.perf_counter() - began

        return timed

    def key(self) -> float:
        """Times the findings of one object."""
        with transaction(self.engine) as connection:
            place = self.place(connection)
            key = execute(
                connection,
                "select object_key from findings where job_no = 1 and batch_no = :n limit 1",
                n=place.batch_no,
            ).scalar_one()
            began = time.perf_counter()
            page = read_findings(connection, FindingFilter(job_id=self.job_id, key=key), after=None, limit=PAGE)
            assert page.found
            return time.perf_counter() - began

    def fingerprint(self) -> float:
        """Times the search for a value that stands somewhere, in all jobs."""
        with transaction(self.engine) as connection:
            place = self.place(connection)
            value = execute(
                connection,
                "select occurrences -> 0 ->> 'fingerprint' from findings where job_no = 1 and batch_no = :n limit 1",
                n=place.batch_no,
            ).scalar_one()
            began = time.perf_counter()
            page = read_findings(connection, FindingFilter(fingerprint=value), after=None, limit=PAGE)
            assert page.found
            return time.perf_counter() - began

    def shared_fingerprint(self) -> float:
        """Times the first page of a value that stands in SHARED objects."""
        with transaction(self.engine) as connection:
            began = time.perf_counter()
            page = read_findings(connection, FindingFilter(fingerprint="k1:5ead"), after=None, limit=PAGE)
            assert len(page.found) == PAGE
            return time.perf_counter() - began

    def every_job(self) -> float:
        """Times a filter over all jobs."""
        with transaction(self.engine) as connection:
            began = time.perf_counter()
            read_findings(connection, FindingFilter(severities=(Severity.CRITICAL,)), after=None, limit=PAGE)
            return time.perf_counter() - began

    def status(self, *, real_time: bool) -> Callable[[], float]:
        """Times a job's status."""
        using = make_feeder(self.engine)

        def timed() -> float:
            began = time.perf_counter()
            get_job(self.job_id, real_time=real_time, using=using)
            return time.perf_counter() - began

        return timed
