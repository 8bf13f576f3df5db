"""Several buckets at once: which a request means, a job for each, and the view of the whole account.

A bucket that a request names and that cannot be listed refuses the whole request. One that only a pattern meant gets
no job and is told with its reason: never does an empty result stand for a bucket that was not looked at.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.bases import LAST
from scanner_tasks.core.buckets import (
    MAX_BUCKETS,
    Bucket,
    Posture,
    check_names,
    check_tags,
    has_tags,
    is_pattern,
    matches,
)
from scanner_tasks.core.budget import UNLIMITED, Budget
from scanner_tasks.core.errors import BucketNotFound, Denied, InvalidInput, ScannerError, Unavailable
from scanner_tasks.core.names import check_key
from scanner_tasks.core.rights import Permission
from scanner_tasks.core.selection import EVERYTHING, Selection
from scanner_tasks.flow.start_job import StartedJob, allowed_access, start_job
from scanner_tasks.store.bucket_jobs import LastScan, last_scans
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from scanner_tasks.core.ports import Objects
    from scanner_tasks.flow.parts import Api

#: Buckets on which jobs begin at the same time: no more than a process has connections to Postgres. And buckets that S3
#: is asked about: those of another Region may be out of reach, and are waited for.
_THREADS, _S3_THREADS = 5, 20
A = TypeVar("A")


@dataclass(frozen=True, kw_only=True, slots=True)
class NotStarted:
    """A bucket that a pattern or a tag meant, and why no job began on it."""

    bucket: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """The buckets that a request means, and those that it would mean but that cannot be looked at."""

    buckets: tuple[str, ...]
    not_started: tuple[NotStarted, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedJobs:
    """What the caller of a scan of several buckets gets back at once."""

    jobs: tuple[tuple[str, StartedJob], ...]
    not_started: tuple[NotStarted, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketView:
    """A bucket as the account view shows it."""

    bucket: Bucket
    #: None when the bucket went away meanwhile, or S3 did not answer: ``trouble`` says so.
    posture: Posture | None
    last: LastScan | None
    trouble: str | None = None


def meant_buckets(
    names: Sequence[str],
    *,
    bucket_tags: Mapping[str, str] | None = None,
    access: Access = OWN,
    using: Api,
) -> Meant:
    """The buckets that names and patterns mean, those with all of the tags if any are given, by name.

    Every one of them can be listed. Raises BucketNotFound, Denied or Unavailable for a bucket that is named, or when
    none is left; InvalidInput when a pattern means none, or all together mean more than MAX_BUCKETS.
    """
    wanted, tags = check_names(names), check_tags(bucket_tags)
    objects = using.objects.through(allowed_access(access, using=using))
    named = [name for name in wanted if not is_pattern(name)]
    for name in named:
        using.caller.require(Permission.SCAN, name)
    patterns = [name for name in wanted if is_pattern(name)]
    seen = _scannable(objects, using=using) if patterns else []
    for pattern in patterns:
        if not any(matches(name, [pattern]) for name in seen):
            raise InvalidInput(f"buckets: none of the {len(seen)} buckets that you may scan matches {pattern!r}.")
    every = sorted({*named, *(name for name in seen if matches(name, patterns))})
    if len(every) > MAX_BUCKETS:
        raise InvalidInput(f"buckets: {len(every)} are meant; name at most {MAX_BUCKETS} at a time.")
    left_out: list[NotStarted] = []
    if tags:
        account = objects.account()
        told = _asked(account.tags, every, named)
        left_out += [NotStarted(bucket=name, reason=str(error)) for name, error in told.errors.items()]
        every = [name for name, found in told.answers.items() if has_tags(found, tags)]
        if not every and not left_out:
            raise InvalidInput("bucket_tags: no bucket of those meant has these tags.")
    listable = _asked(objects.check_bucket, every, named)
    left_out += [NotStarted(bucket=name, reason=str(error)) for name, error in listable.errors.items()]
    if not listable.answers:
        raise Denied(f"None of the buckets can be scanned; {left_out[0].bucket}: {left_out[0].reason}")
    return Meant(buckets=tuple(listable.answers), not_started=tuple(sorted(left_out, key=lambda one: one.bucket)))


def start_jobs(
    names: Sequence[str],
    prefix: str = "",
    *,
    bucket_tags: Mapping[str, str] | None = None,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    budget: Budget = UNLIMITED,
    base_job: str | None = None,
    job_id_of: Callable[[str], UUID | None] = lambda _: None,
    using: Api,
) -> StartedJobs:
    """Begin a job on each bucket meant, each with the ``budget`` for itself; ``job_id_of`` gives ids of a repeat.

    What ``meant_buckets`` raises, it raises before any job begins.
    """
    if base_job not in {None, LAST}:
        raise InvalidInput("base_job: give last, the youngest finished job of each bucket; an id is of one bucket.")
    check_key(prefix, "prefix")
    meant = meant_buckets(names, bucket_tags=bucket_tags, access=access, using=using)

    def start(bucket: str) -> StartedJob:
        return start_job(
            bucket,
            prefix,
            access=access,
            selection=selection,
            budget=budget,
            base_job=base_job,
            job_id=job_id_of(bucket),
            using=using,
        )

    begun = _asked(start, meant.buckets, (), threads=_THREADS)
    failed = [NotStarted(bucket=name, reason=str(error)) for name, error in begun.errors.items()]
    return StartedJobs(
        jobs=tuple(begun.answers.items()),
        not_started=tuple(sorted((*meant.not_started, *failed), key=lambda one: one.bucket)),
    )


def account_view(*, access: Access = OWN, after: str = "", limit: int, using: Api) -> tuple[BucketView, ...]:
    """Buckets that the role can see and the caller may read, by name behind ``after``.

    Each with who else may read it, and when it was last scanned.

    One call lists all; each of those shown costs five more. Raises Denied, Unavailable or InvalidInput.
    """
    access = allowed_access(access, using=using)
    account = using.objects.through(access).account()
    may_read = partial(using.caller.may, Permission.READ)
    shown = [bucket for bucket in account.buckets() if bucket.name > after and may_read(bucket.name)][:limit]
    told = _asked(account.posture, [bucket.name for bucket in shown], ())
    with transaction(using.engine) as connection:
        scans = last_scans(connection, [bucket.name for bucket in shown], endpoint_url=access.endpoint_url)
    return tuple(
        BucketView(
            bucket=bucket,
            posture=told.answers.get(bucket.name),
            last=scans.get(bucket.name),
            trouble=str(told.errors[bucket.name]) if bucket.name in told.errors else None,
        )
        for bucket in shown
    )


def _scannable(objects: Objects, *, using: Api) -> list[str]:
    """Buckets that the role can see, and the caller may scan."""
    return [one.name for one in objects.account().buckets() if using.caller.may(Permission.SCAN, one.name)]


@dataclass(frozen=True, slots=True)
class _Told(Generic[A]):
    answers: dict[str, A]
    errors: dict[str, ScannerError]


def _asked(
    ask: Callable[[str], A], names: Sequence[str], named: Sequence[str], *, threads: int = _S3_THREADS
) -> _Told[A]:
    """What each says, in order; an error of one in ``named`` is raised."""

    def one(name: str) -> A | ScannerError:
        try:
            return ask(name)
        except (BucketNotFound, Denied, Unavailable) as error:
            if name in named:
                raise
            return error

    with ThreadPoolExecutor(threads) as pool:
        told = dict(zip(names, pool.map(one, names), strict=True))
    errors = {name: answer for name, answer in told.items() if isinstance(answer, ScannerError)}
    return _Told({name: answer for name, answer in told.items() if not isinstance(answer, ScannerError)}, errors)
