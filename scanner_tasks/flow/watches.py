"""Watch a bucket: what S3 says has happened in it is scanned as it comes, in one job for each day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.budget import UNLIMITED, Budget
from scanner_tasks.core.errors import InvalidInput, WatchNotFound
from scanner_tasks.core.model import JobSource
from scanner_tasks.core.names import check_bucket, check_key
from scanner_tasks.core.rights import Permission
from scanner_tasks.core.selection import EVERYTHING, Selection
from scanner_tasks.flow.start_job import add_job, allowed_access
from scanner_tasks.log import get_logger
from scanner_tasks.store import audit, watches
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.watches import UnwatchedBucket, Watch

if TYPE_CHECKING:
    from scanner_tasks.core.model import Job
    from scanner_tasks.flow.parts import Api

log = get_logger()

#: What an event does not tell, or what a stream has no use for.
_NOT_FOR_EVENTS = (
    "modified_after",
    "modified_before",
    "storage_classes",
    "exclude_storage_classes",
    "limit_objects",
    "limit_bytes",
    "versions",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watches:
    """Every watch, and the buckets whose events come though nobody watches them."""

    watches: tuple[Watch, ...]
    unwatched: tuple[UnwatchedBucket, ...]


def watch_to_json(watch: Watch) -> dict[str, Any]:
    """A watch as the API and the command tell it; an external id is not shown."""
    return {
        "bucket": watch.bucket,
        "prefix": watch.prefix,
        "access": watch.access.to_show(),
        "selection": watch.selection.to_json(),
        "budget": watch.budget.to_json(),
        "job_id": watch.job_id,
        "job_status": watch.job_status,
        "events": {name: getattr(watch, name) for name in ("added", "repeated", "deleted", "ignored")},
        "last_event_at": watch.last_event_at,
        "created_at": watch.created_at,
    }


def watch_bucket(
    bucket: str,
    prefix: str = "",
    *,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    budget: Budget = UNLIMITED,
    using: Api,
) -> Watch:
    """Scan from now on what events of the bucket name; a repeat replaces prefix, access, selection and budget.

    Objects that are there already are a job's to scan. A bucket that cannot be listed is refused: its objects could not
    be read either. Raises InvalidInput, BucketNotFound, Denied, NotAllowed or Unavailable.
    """
    check_bucket(bucket)
    check_key(prefix, "prefix")
    using.caller.require(Permission.SCAN, bucket)
    given = selection.to_json()
    for name in _NOT_FOR_EVENTS:
        if name in given:
            raise InvalidInput(f"{name}: events do not tell it, or have no end; leave it out of a watch.")
    access = allowed_access(access, using=using)
    using.objects.through(access).check_bucket(bucket)
    with transaction(using.engine) as connection:
        former = watches.get_watch(connection, bucket, lock=True)
        watches.set_watch(connection, bucket, prefix=prefix, access=access, selection=selection, budget=budget)
        if former and former.job_no is not None:
            watches.close_job(connection, former.job_no)
        audit.add_entry(connection, using.caller, "watch.set", bucket=bucket)
        watch = watches.get_watch(connection, bucket)
    assert watch is not None
    log.info("bucket_watched", is_new=former is None)
    return watch


def unwatch_bucket(bucket: str, *, using: Api) -> None:
    """Take no more events of the bucket; its open job ends with what it has. Raises WatchNotFound or NotAllowed."""
    find_watch(bucket, using=using)
    using.caller.require(Permission.SCAN, bucket)
    with transaction(using.engine) as connection:
        watch = watches.get_watch(connection, bucket, lock=True)
        if watch is None or not watches.remove_watch(connection, bucket):
            raise WatchNotFound(bucket)
        if watch.job_no is not None:
            watches.close_job(connection, watch.job_no)
        audit.add_entry(connection, using.caller, "watch.remove", bucket=bucket)
    log.info("bucket_unwatched")


def find_watch(bucket: str, *, using: Api) -> Watch:
    """The bucket's watch; WatchNotFound when nobody watches it, or the caller may not read the bucket."""
    check_bucket(bucket)
    with transaction(using.engine) as connection:
        watch = watches.get_watch(connection, bucket)
    if watch is None or not using.caller.may(Permission.READ, bucket):
        raise WatchNotFound(bucket)
    return watch


def list_watches(*, using: Api) -> Watches:
    """Every watch by its bucket; and buckets that S3 tells of though nobody watches them. Those that he may read."""

    def may(bucket: str) -> bool:
        return using.caller.may(Permission.READ, bucket)

    with transaction(using.engine) as connection:
        told = watches.list_watches(connection)
        others = watches.unwatched(connection)
    return Watches(
        watches=tuple(watch for watch in told if may(watch.bucket)),
        unwatched=tuple(one for one in others if may(one.bucket)),
    )


def open_job(bucket: str, *, using: Api) -> None:
    """Make sure that the watch has a job that takes events; nothing happens when it has one, or is gone."""
    parts = using.ruleset_parts()  # it reads the rules: not while a row is held
    ruleset_hash = using.ruleset_hash() if parts is None else parts.ruleset_hash
    with transaction(using.engine) as connection:
        watch = watches.get_watch(connection, bucket, lock=True)
        if watch is None or (watch.job_no is not None and watches.takes_events(connection, watch.job_no)):
            return
        job = add_job(
            connection,
            bucket,
            watch.prefix,
            source=JobSource.EVENTS,
            access=watch.access,
            selection=watch.selection,
            budget=watch.budget,
            ruleset_hash=ruleset_hash,
            parts=parts,
            job_id=uuid4(),
            using=using,
        )
        watches.set_job(connection, bucket, job.job_no)
    log.info("continuous_job_opened", job_id=job.job_id)


def close_if_due(job: Job, *, using: Api) -> bool:
    """End what a continuous job takes, once its day is over or nobody watches for it; True when it was ended now."""
    with transaction(using.engine) as connection:
        return watches.close_job(connection, job.job_no, period_s=using.settings.watch_job_s)
