"""A job with a ledger, made in one line."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from scanner_tasks.core.model import Job, JobSource, ObjectRef
from scanner_tasks.core.planning import Policy, plan_page
from scanner_tasks.store import feeding, jobs
from scanner_tasks.store.engine import transaction

_numbers = itertools.count()
MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def refs(bucket: str, count: int, *, size_bytes: int = 10) -> list[ObjectRef]:
    return [ObjectRef(bucket=bucket, key=f"k{n:05d}", size_bytes=size_bytes, etag=MD5) for n in range(count)]


@pytest.fixture
def bucket() -> str:
    return f"bucket-{next(_numbers)}"


@pytest.fixture
def new_job(engine: Engine, bucket: str) -> Callable[..., Job]:
    """Make a listed job over the given objects (250 by default: batches of 100, 100 and 50)."""

    def make(objects: list[ObjectRef] | None = None, *, listed: bool = True, of: str = bucket) -> Job:
        job_id = uuid4()
        with transaction(engine) as connection:
            jobs.add_job(
                connection,
                job_id=job_id,
                bucket=of,
                prefix="",
                source=JobSource.LISTING,
                lane="scan-0",
                ruleset_hash="r",
            )
            job = jobs.get_job(connection, job_id)
            assert job
            if listed:
                page = refs(of, 250) if objects is None else objects
                batches = plan_page(page, Policy(object_max_bytes=10**9))
                cursor = page[-1].key if page else None
                assert feeding.add_batches(connection, job, batches, cursor=cursor, is_last=True)
                job = jobs.get_job(connection, job_id)
                assert job
        return job

    return make
