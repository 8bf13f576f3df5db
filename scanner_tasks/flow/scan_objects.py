"""A job over named keys, or versions of them: their rows are written here, Feed sends them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.errors import InvalidInput, ObjectError
from scanner_tasks.core.model import Job, JobSource, JobStatus, ObjectRef, PlannedObject
from scanner_tasks.core.names import check_bucket, check_key
from scanner_tasks.core.planning import cut_batches, plan_object
from scanner_tasks.core.rights import Permission
from scanner_tasks.flow.control import find_job
from scanner_tasks.flow.start_job import StartedJob, allowed_access, begin_feeding, register_job
from scanner_tasks.store import feeding
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from scanner_tasks.flow.parts import Api

_KEYS_AT_ONCE, _THREADS = 1000, 20
_VERSION = re.compile(r"[\w.~+/=-]{1,1024}", re.ASCII)


#: A key, and a version of it; None is the current one.
Named: TypeAlias = "tuple[str, str | None]"


def scan_objects(
    bucket: str, keys: Sequence[str | Mapping[str, str]], *, access: Access = OWN, using: Api, job_id: UUID
) -> StartedJob:
    """Scan exactly these keys, each once, whatever else the bucket holds.

    A key may be ``{"key": …, "version_id": …}``: that version is read, current or not. Each is
    looked up for its size and ETag; one that is not there, or not allowed, is in the ledger with that outcome.
    A repeat with the same ``job_id`` goes on behind the keys that are recorded already. Raises InvalidInput,
    BucketNotFound, Denied or Unavailable.
    """
    check_bucket(bucket)
    wanted = list(dict.fromkeys(_named(key) for key in keys))
    if not wanted:
        raise InvalidInput("keys: give at least one key, or use scan_prefix for a whole bucket.")
    using.caller.require(Permission.SCAN, bucket)
    access = allowed_access(access, using=using)
    using.objects.through(access).check_bucket(bucket)
    job = register_job(bucket, "", source=JobSource.KEYS, access=access, job_id=job_id, using=using)
    while job.status is JobStatus.LISTING:
        _record_keys(job, wanted, using=using)
        job = find_job(job_id, using=using)
    arn = job.execution_arn
    if arn is None and not job.status.is_final:
        arn = begin_feeding(job, using=using)
    return StartedJob(job_id=job_id, status=job.status, execution_arn=arn)


def _named(told: str | Mapping[str, str]) -> Named:
    if isinstance(told, str):
        return check_key(told, "keys"), None
    key, version_id = told.get("key"), told.get("version_id")
    if not isinstance(key, str) or not isinstance(version_id, str) or set(told) != {"key", "version_id"}:
        raise InvalidInput('keys: give each as text, or as {"key": "…", "version_id": "…"}.')
    if not _VERSION.fullmatch(version_id):
        raise InvalidInput("keys: a version_id is what S3 calls a version: up to 1,024 letters, digits and . _ -.")
    return check_key(key, "keys"), version_id


def _record_keys(job: Job, keys: Sequence[Named], *, using: Api) -> None:
    """Record the next keys; the job's cursor counts those that are recorded."""
    start = int(job.cursor or 0)
    some = list(islice(keys, start, start + _KEYS_AT_ONCE))
    objects = using.objects.through(job.access)
    policy = using.settings.policy

    def look_up(named: Named) -> PlannedObject:
        key, version_id = named
        try:
            return plan_object(objects.head(job.bucket, key, version_id), policy)
        except ObjectError as error:
            ref = ObjectRef(bucket=job.bucket, key=key, size_bytes=0, etag="", version_id=version_id)
            return PlannedObject(ref=ref, outcome=error.outcome)

    with ThreadPoolExecutor(_THREADS) as pool:
        planned = list(pool.map(look_up, some))
    batches = cut_batches(planned, policy)
    end = start + len(some)
    with transaction(using.engine) as connection:
        feeding.add_batches(connection, job, batches, cursor=str(end), is_last=end >= len(keys))
