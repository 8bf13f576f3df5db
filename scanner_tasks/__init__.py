"""Sensitive data in S3: Celery tasks on SQS that scan, and the ledger that says what became of every object.

    from scanner_tasks import start_scan, job, results

    started = start_scan("my-bucket", "exports/")
    job(started.job_id).wait()
    for finding in results(job_id=started.job_id, rule="us.ssn"):
        print(finding.key, finding.count)

Importing this loads neither Celery nor boto3; the first call does, and connects as the environment says (settings.py).
``docs/python.md`` shows more.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from celery import Signature

    from scanner_tasks.core.comparing import ChangedFinding, ChangedObject
    from scanner_tasks.core.model import Finding, JobStatus, Progress
    from scanner_tasks.core.triage import Mark
    from scanner_tasks.detect.whole import FoundValue
    from scanner_tasks.flow.allow_list import AllowEntry
    from scanner_tasks.flow.buckets import StartedJobs
    from scanner_tasks.flow.estimate import Estimated
    from scanner_tasks.flow.explain import Explained
    from scanner_tasks.flow.read_coverage import Coverage
    from scanner_tasks.flow.read_results import JobView
    from scanner_tasks.flow.redrive import Retried
    from scanner_tasks.flow.scan_local.run import LocalScan
    from scanner_tasks.flow.start_job import StartedJob
    from scanner_tasks.flow.triage import Marked
    from scanner_tasks.flow.watches import Watches
    from scanner_tasks.store.coverage import UnreadObject
    from scanner_tasks.store.dead_letters import DeadLetter, LetterFilter
    from scanner_tasks.store.schedules import Schedule
    from scanner_tasks.store.watches import Watch

__all__ = [
    "JobHandle",
    "add_schedule",
    "allow_entry",
    "dead_letters",
    "detect",
    "discard_dead_letters",
    "estimate",
    "explain",
    "job",
    "results",
    "retry_dead_letters",
    "scan_local",
    "scan_signature",
    "schedules",
    "start_scan",
    "start_scans",
    "triage_findings",
    "triage_history",
    "unwatch_bucket",
    "watch_bucket",
    "watches",
]

#: Findings that one query of ``results`` reads.
PAGE = 500


def start_scan(
    bucket: str,
    prefix: str = "",
    *,
    selection: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    base_job: UUID | str | None = None,
    inventory: str | None = None,
    inventory_then_list: bool = False,
    **access: str | bool | None,
) -> StartedJob:
    """Begin to scan a bucket, or the keys below a prefix; returns its ``job_id`` before anything is listed.

    ``selection`` says which objects are scanned: ``{"include_keys": ["*.csv"], "sample_percent": 5}``
    (docs/selection.md has every field). At its ``budget`` the job pauses itself: ``{"dollars": 5}``, ``objects``,
    ``bytes``. ``base_job`` is a former job's id or ``last``: objects that are as it left them are not read again.
    ``inventory`` is the address of an S3 Inventory manifest, read in the place of a listing (docs/incremental.md has
    both); with ``inventory_then_list`` a second job lists what is newer when the first has ended.
    ``access`` says how the bucket is reached, where the deployment's own way does not do: ``role_arn``,
    ``external_id``, ``endpoint_url``, ``region``, ``requester_pays``, ``anonymous`` (docs/reading-s3.md).

    Raises InvalidInput, BucketNotFound, Denied, Unavailable, JobNotFound or Conflict (``scanner_tasks.core.errors``).
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415 (boto3 and SQLAlchemy wait until they are needed)
    from scanner_tasks.core.access_rules import read_access  # noqa: PLC0415
    from scanner_tasks.core.budget import read_budget  # noqa: PLC0415
    from scanner_tasks.core.selection_rules import read_selection  # noqa: PLC0415
    from scanner_tasks.flow import start_job  # noqa: PLC0415

    return start_job.start_job(
        bucket,
        prefix,
        access=read_access(access),
        selection=read_selection(selection, now=datetime.now(UTC)),
        budget=read_budget(budget),
        base_job=base_job,
        inventory=inventory,
        then_list=inventory_then_list,
        using=bootstrap.api(),
    )


def estimate(
    bucket: str,
    prefix: str = "",
    *,
    selection: Mapping[str, Any] | None = None,
    most_s: float | None = None,
    most_objects: int | None = None,
    listed: Callable[[int], None] | None = None,
    **access: str | bool | None,
) -> Estimated:
    """What a scan would cost: lists the bucket as the job would, reads nothing (docs/estimate.md).

    ``most_s`` and ``most_objects`` end the listing early; ``listed`` is told how many objects are listed. Raises as
    ``start_scan``.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.access_rules import read_access  # noqa: PLC0415
    from scanner_tasks.core.selection_rules import read_selection  # noqa: PLC0415
    from scanner_tasks.flow import estimate as flow  # noqa: PLC0415

    return flow.estimate_scan(
        bucket,
        prefix,
        access=read_access(access),
        selection=read_selection(selection, now=datetime.now(UTC)),
        most_s=most_s,
        most_objects=most_objects,
        listed=listed,
        using=bootstrap.api(),
    )


def start_scans(
    buckets: Iterable[str],
    prefix: str = "",
    *,
    bucket_tags: Mapping[str, str] | None = None,
    selection: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    base_job: str | None = None,
    **access: str | bool | None,
) -> StartedJobs:
    """Begin a job on each bucket meant: names, patterns such as ``prod-*``; all of ``bucket_tags``.

    Look at ``not_started`` too: buckets that a pattern or tag meant and that cannot be scanned, with the reason. Raises
    as ``start_scan`` for a bucket that is named, before any job begins.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.access_rules import read_access  # noqa: PLC0415
    from scanner_tasks.core.budget import read_budget  # noqa: PLC0415
    from scanner_tasks.core.selection_rules import read_selection  # noqa: PLC0415
    from scanner_tasks.flow import buckets as flow  # noqa: PLC0415

    return flow.start_jobs(
        list(buckets),
        prefix,
        bucket_tags=bucket_tags,
        access=read_access(access),
        selection=read_selection(selection, now=datetime.now(UTC)),
        budget=read_budget(budget),
        base_job=base_job,
        using=bootstrap.api(),
    )


def watch_bucket(
    bucket: str,
    prefix: str = "",
    *,
    selection: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    **access: str | bool | None,
) -> Watch:
    """Scan from now on what S3's events of the bucket name, in one job for each day (docs/continuous.md).

    A repeat replaces prefix, selection, budget and access. Raises as ``start_scan``.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.access_rules import read_access  # noqa: PLC0415
    from scanner_tasks.core.budget import read_budget  # noqa: PLC0415
    from scanner_tasks.core.selection_rules import read_selection  # noqa: PLC0415
    from scanner_tasks.flow import watches as flow  # noqa: PLC0415

    return flow.watch_bucket(
        bucket,
        prefix,
        access=read_access(access),
        selection=read_selection(selection, now=datetime.now(UTC)),
        budget=read_budget(budget),
        using=bootstrap.api(),
    )


def unwatch_bucket(bucket: str) -> None:
    """Watch it no longer; its open job ends with what it has. Raises WatchNotFound."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import watches as flow  # noqa: PLC0415

    flow.unwatch_bucket(bucket, using=bootstrap.api())


def watches() -> Watches:
    """Every watch by its bucket; and, ``unwatched``, buckets whose events come though nobody watches them."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import watches as flow  # noqa: PLC0415

    return flow.list_watches(using=bootstrap.api())


def add_schedule(
    name: str,
    cron: str,
    buckets: Iterable[str],
    *,
    time_zone: str = "UTC",
    prefix: str = "",
    bucket_tags: Mapping[str, str] | None = None,
    selection: Mapping[str, Any] | None = None,
    budget: Mapping[str, Any] | None = None,
    base_job: str | None = None,
    **access: str | bool | None,
) -> Schedule:
    """Begin a job on each bucket meant whenever the cron expression says (docs/schedules.md).

    The rest is as for ``start_scans``; ages in a selection count from each run. What pauses, resumes, removes and
    runs it now is in ``scanner_tasks.flow.schedules``. Raises Conflict for a name that is taken, and what
    ``start_scans`` raises.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import schedules as flow  # noqa: PLC0415

    request = {
        "buckets": list(buckets),
        "prefix": prefix,
        "bucket_tags": dict(bucket_tags or {}),
        "selection": dict(selection or {}),
        "budget": dict(budget or {}),
        "base_job": base_job,
        "access": {part: value for part, value in access.items() if value},
    }
    return flow.add_schedule(name, cron, request, time_zone=time_zone, using=bootstrap.api())


def schedules() -> tuple[Schedule, ...]:
    """Every schedule with its youngest run, by name."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import schedules as flow  # noqa: PLC0415

    return flow.list_schedules(using=bootstrap.api())


def scan_local(
    target: str, *, state: str | None = None, resume: bool = False, threshold: str = "medium", **options: Any
) -> LocalScan:
    """A scan on this machine, without any set-up, ready to run: iterate over its ``findings()``, or over ``run()``.

    ``target`` is a file, a folder, ``-`` (standard input) or ``s3://bucket/prefix``. ``options`` are the fields of
    ``scanner_tasks.local_parts.Options``: ``rules``, ``builtin``, ``test_values``, ``processes``, ``profile``,
    ``endpoint_url``, ``region``, ``anonymous``, ``requester_pays``. ``state`` and ``resume``: docs/local-scan.md.

    Raises InvalidInput or RuleError; while it runs BucketNotFound, Denied or Unavailable.
    """
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415
    from scanner_tasks.local_parts import Options, local_scan  # noqa: PLC0415

    if threshold not in {*Confidence}:
        raise InvalidInput(f"threshold: one of {', '.join(Confidence)}.")
    options["rules"] = tuple(options.get("rules") or ())
    try:
        wanted = Options(threshold=Confidence(threshold), **options)
    except TypeError as error:
        raise InvalidInput(f"scan_local: {error}.") from None
    return local_scan(target, wanted, state=state, resume=resume)


def detect(
    text: str, *, name: str = "", threshold: str = "medium", test_values: bool = False, explain: bool = False
) -> list[FoundValue]:
    r"""Every value that the rules find in a text, in order of place; masked, nothing is stored or sent.

    ``name`` is the text's, for rules and allow lists with paths; ``threshold`` is the least confidence told;
    ``test_values`` tells values that are published as examples too; with ``explain`` each carries its evidence. The
    rules are the built-in ones and those of S3SCAN_RULES; they are made ready once for each process.

    Raises InvalidInput or RuleError.

    Examples:
        >>> [(found.rule_id, found.line, found.masked) for found in detect("name: Jane Roe\nssn: 536-22-8726")]
        [('us.ssn', 2, '***-**-8726')]
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415

    if threshold not in {*Confidence}:
        raise InvalidInput(f"threshold: one of {', '.join(Confidence)}.")
    detector = bootstrap.text_detector(Confidence(threshold), test_values=test_values)
    return detector.find_all(text, name=name, tell=explain)


#: The package of the same name calls it by this one.
_detect = detect


def scan_signature(
    bucket: str,
    prefix: str = "",
    *,
    lane: str = "scan-0",
    access: Mapping[str, Any] | None = None,
    selection: Mapping[str, Any] | None = None,
    base_job: str | None = None,
) -> Signature[str]:
    """The request to scan as a Celery signature, for any application whose broker has our queues.

    ``scan_signature("my-bucket").apply_async()`` sends it through the current application; it may stand in chains and
    groups. ``lane`` is any of the lanes: its worker begins a job on the bucket's own. The job's id is
    ``scanner_tasks.tasks.job_id_of(result.id)``, so that a message that is delivered twice starts one job.

    Examples:
        >>> request = scan_signature("my-bucket", "exports/", selection={"include_keys": ["*.csv"]})
        >>> request.task, request.args, request.options["queue"], request.options["MessageGroupId"]
        ('scanner_tasks.scan_prefix', ('my-bucket', 'exports/'), 'scan-0', 'my-bucket')
    """
    from celery import Signature  # noqa: PLC0415

    from scanner_tasks.core.envelope import TASK_PREFIX  # noqa: PLC0415
    from scanner_tasks.core.lanes import message_group  # noqa: PLC0415
    from scanner_tasks.core.names import check_bucket, check_key  # noqa: PLC0415

    given = {"access": access, "selection": selection, "base_job": base_job}
    return Signature(
        f"{TASK_PREFIX}scan_prefix",
        args=(check_bucket(bucket), check_key(prefix, "prefix")),
        kwargs={name: value for name, value in given.items() if value is not None},
        options={"queue": lane, "MessageGroupId": message_group(bucket)},
    )


def job(job_id: UUID | str, *, started_within_s: float = 0.0) -> JobHandle:
    """The job with this id. Raises JobNotFound, or InvalidInput when that is no id.

    A job that a Celery task starts is there once a worker has taken the task: it is waited for that many seconds.
    """
    from scanner_tasks.core.errors import JobNotFound  # noqa: PLC0415

    number, deadline = _uuid(job_id), time.monotonic() + started_within_s
    while True:
        try:
            return JobHandle(number)
        except JobNotFound:
            if (left_s := deadline - time.monotonic()) <= 0:
                raise
            time.sleep(min(0.5, left_s))


def results(
    *,
    job_id: UUID | str | None = None,
    bucket: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
    rule: str | None = None,
    severity: str | Iterable[str] = (),
    confidence: str | Iterable[str] = (),
    fingerprint: str | None = None,
    triage: str | None = None,
) -> Iterator[Finding]:
    """Every finding that matches all filters given, job by job, within a job in the order of keys and rules.

    ``severity`` and ``confidence`` take one word or several; ``fingerprint`` gives findings with a kept occurrence
    of that value; ``triage`` is open, false_positive, accepted or fixed. Lazy: pages are read as the iterator goes
    on, so a job of a billion objects needs no memory. Findings recorded behind its place meanwhile are found too.
    Raises JobNotFound or InvalidInput at the first ``next``.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import read_results  # noqa: PLC0415

    wanted: dict[str, Any] = {
        "job_id": None if job_id is None else _uuid(job_id),
        "bucket": bucket,
        "key": key,
        "prefix": prefix,
        "rule": rule,
        "severity": severity,
        "confidence": confidence,
        "fingerprint": fingerprint,
        "triage": triage,
    }
    cursor = None
    while True:
        page = read_results.get_results(**wanted, limit=PAGE, cursor=cursor, using=bootstrap.api())
        yield from page.findings
        cursor = page.next_cursor
        if cursor is None:
            return


def triage_findings(
    status: str, *, by: str, reason: str, dry_run: bool = False, **wanted: Any
) -> Iterator[Marked | Finding]:
    """Mark every finding that matches the filters of ``results``: open, false_positive, accepted or fixed.

    Lazy: each page of findings is marked when it is asked for; a dry run gives them and marks nothing. A mark holds in
    every job while the values found are among those that the marked finding held (docs/operations.md).
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import triage  # noqa: PLC0415
    from scanner_tasks.flow.read_results import finding_filter  # noqa: PLC0415

    if wanted.get("job_id") is not None:
        wanted["job_id"] = _uuid(wanted["job_id"])
    return triage.mark_all(
        finding_filter(**wanted), status=status, marked_by=by, reason=reason, dry_run=dry_run, using=bootstrap.api()
    )


def triage_history(finding_id: UUID | str) -> tuple[Mark, ...]:
    """Every mark of a finding with who, when and why, the newest first."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import triage  # noqa: PLC0415

    return triage.history(_uuid(finding_id), using=bootstrap.api())


def allow_entry(finding_id: UUID | str, *, job_id: UUID | str | None = None) -> AllowEntry:
    """An allow-list entry of a finding's values, for a rule pack: ``allow_entry(id).toml("our test people")``."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import allow_list  # noqa: PLC0415

    of_job = None if job_id is None else _uuid(job_id)
    return allow_list.allow_entry(_uuid(finding_id, "finding"), job_id=of_job, using=bootstrap.api())


def explain(finding: Finding | UUID | str, *, occurrence: int = 1, job_id: UUID | str | None = None) -> Explained:
    """Why a finding is one: which pattern, checks, keyword at which distance, and why not higher (``lines``).

    Takes a finding of ``results`` or a finding's id; an id alone means the youngest job that has it. ``occurrence``
    counts from 1. Raises FindingNotFound, or InvalidInput when fewer occurrences are kept.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.model import Finding as FoundFinding  # noqa: PLC0415
    from scanner_tasks.flow import explain as explaining  # noqa: PLC0415

    if isinstance(finding, FoundFinding):
        finding_id, of_job = finding.finding_id, finding.job_id
    else:
        finding_id, of_job = _uuid(finding, "finding"), None
    return explaining.explain_finding(
        finding_id,
        occurrence=occurrence,
        job_id=of_job if job_id is None else _uuid(job_id),
        using=bootstrap.api(),
    )


def dead_letters(
    *, job_id: UUID | str | None = None, bucket: str | None = None, error: str | None = None, state: str | None = "open"
) -> Iterator[DeadLetter]:
    """Dead letters that match all filters given, oldest first; lazy. ``state=None`` gives retried and discarded too."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import redrive  # noqa: PLC0415

    return redrive.every_letter(_letters(job_id, bucket, error, state), using=bootstrap.api())


def retry_dead_letters(
    *,
    job_id: UUID | str | None = None,
    bucket: str | None = None,
    error: str | None = None,
    rate_per_s: float = 50.0,
    dry_run: bool = False,
) -> Iterator[Retried]:
    """Send matching dead letters back to their lanes; a batch's job scans again. Lazy: each goes when it is asked for.

    Stopping half-way leaves the rest as they were, and a second retry of a letter changes nothing.
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import redrive  # noqa: PLC0415

    wanted = _letters(job_id, bucket, error, "open")
    return redrive.retry_letters(wanted, using=bootstrap.feeder(), rate_per_s=rate_per_s, dry_run=dry_run)


def discard_dead_letters(
    reason: str, *, job_id: UUID | str | None = None, bucket: str | None = None, error: str | None = None
) -> Iterator[str]:
    """Put matching dead letters away, their records kept with the reason; their ids. Lazy, as retry_dead_letters."""
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow import redrive  # noqa: PLC0415

    return redrive.discard_letters(_letters(job_id, bucket, error, "open"), reason=reason, using=bootstrap.api())


def _letters(job_id: UUID | str | None, bucket: str | None, error: str | None, state: str | None) -> LetterFilter:
    from scanner_tasks.store.dead_letters import LetterFilter  # noqa: PLC0415

    wanted = None if job_id is None else _uuid(job_id)
    return LetterFilter(job_id=wanted, bucket=bucket, error=error, state=state)


class JobHandle:
    """A job as it was when last read: ``refresh`` reads it again, ``wait`` until it has ended."""

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        self._view: JobView
        self.refresh()

    @property
    def bucket(self) -> str:
        """Its bucket."""
        return self._view.job.bucket

    @property
    def prefix(self) -> str:
        """The prefix that its keys begin with; "" is the whole bucket."""
        return self._view.job.prefix

    @property
    def created_at(self) -> datetime:
        """When it was begun."""
        return self._view.job.created_at

    @property
    def status(self) -> JobStatus:
        """listing, scanning, paused, succeeded, succeeded_with_failures, failed or cancelled."""
        return self._view.job.status

    @property
    def status_reason(self) -> str | None:
        """Why the job failed or was cancelled; None otherwise."""
        return self._view.job.status_reason

    @property
    def progress(self) -> Progress:
        """Objects by what became of them, bytes, findings."""
        return self._view.progress

    @property
    def has_ended(self) -> bool:
        """True when every object has its outcome and nothing more is done."""
        return self._view.job.finished_at is not None

    @property
    def is_incomplete(self) -> bool:
        """True when objects failed or were read in part, or the job failed or was cancelled: so far, while it goes on.

        More may be there than was found: ``progress.outcomes`` tells what is missing and why.
        """
        from scanner_tasks.core.progress import is_incomplete  # noqa: PLC0415

        return is_incomplete(self.status, self.progress)

    def coverage(self) -> Coverage:
        """What it read so far, counted live: objects and bytes by outcome and reason."""
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import read_coverage  # noqa: PLC0415

        return read_coverage.get_coverage(self.job_id, using=bootstrap.api())

    def unread(self, outcome: str | Iterable[str] = ()) -> Iterator[UnreadObject]:
        """Every object that was not read to its end, with its outcome, bytes read and reason; lazy.

        ``outcome`` takes ``partial``, ``skipped``, ``failed``, or one with its reason such as ``partial(bytes)``.
        """
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import read_coverage  # noqa: PLC0415

        cursor = None
        while True:
            page = read_coverage.get_unread(
                self.job_id, outcome=outcome, limit=PAGE, cursor=cursor, using=bootstrap.api()
            )
            yield from page.objects
            cursor = page.next_cursor
            if cursor is None:
                return

    def compare(self, base_id: UUID | str) -> Iterator[ChangedFinding]:
        """Findings that an older job of the bucket did not have, or had otherwise; lazy (docs/incremental.md)."""
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import compare  # noqa: PLC0415

        cursor, base = None, _uuid(base_id)
        while True:
            page = compare.compare_findings(self.job_id, base, limit=PAGE, cursor=cursor, using=bootstrap.api())
            yield from page.findings
            if (cursor := page.next_cursor) is None:
                return

    def compare_objects(self, base_id: UUID | str) -> Iterator[ChangedObject]:
        """Objects added, changed or deleted since an older job listed the bucket; lazy."""
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import compare  # noqa: PLC0415

        cursor, base = None, _uuid(base_id)
        while True:
            page = compare.compare_objects(self.job_id, base, limit=PAGE, cursor=cursor, using=bootstrap.api())
            yield from page.objects
            if (cursor := page.next_cursor) is None:
                return

    def refresh(self, *, real_time: bool = True) -> JobHandle:
        """Read the job again; counted live, or with ``real_time=False`` from a view at most a minute old."""
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import read_results  # noqa: PLC0415

        self._view = read_results.get_job(self.job_id, real_time=real_time, using=bootstrap.api())
        return self

    def wait(self, timeout_s: float | None = None, poll_s: float = 2.0) -> JobHandle:
        """Return when the job has ended, however it ended: look at ``status``.

        Raises JobTimeout (a TimeoutError) after ``timeout_s``; the job goes on then. A paused job is waited for.
        """
        from scanner_tasks.core.errors import JobTimeout  # noqa: PLC0415

        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.refresh(real_time=False).has_ended:
            left_s = poll_s if deadline is None else deadline - time.monotonic()
            if timeout_s is not None and left_s <= 0:
                raise JobTimeout(self.job_id, self.status, timeout_s)
            time.sleep(min(poll_s, left_s))
        return self

    def pause(self) -> JobHandle:
        """Stop it: what was sent becomes a no-op within seconds. Raises Conflict when it has ended."""
        return self._control("pause_job")

    def resume(self, budget: Mapping[str, Any] | None = None) -> JobHandle:
        """Let it go on exactly where it was paused, with another ``budget`` if one is given.

        Raises Conflict when it is not paused.
        """
        from scanner_tasks.core.budget import read_budget  # noqa: PLC0415

        return self._control("resume_job", budget=None if budget is None else read_budget(budget))

    def cancel(self, reason: str) -> JobHandle:
        """End it for good; what is left is skipped(cancelled). Raises Conflict when it has ended."""
        return self._control("cancel_job", reason=reason)

    def retry_failed(self) -> JobHandle:
        """Scan its failed objects again, and no others. Raises Conflict when it cannot be opened again."""
        return self._control("retry_failed")

    def delete(self) -> None:
        """Take it and all it found from its readers; its rows go in steps, marks on findings stay. No way back.

        Raises Conflict when it has not ended.
        """
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import retention  # noqa: PLC0415

        retention.delete_job(self.job_id, using=bootstrap.api())

    def _control(self, name: str, **arguments: Any) -> JobHandle:
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import control  # noqa: PLC0415

        getattr(control, name)(self.job_id, using=bootstrap.api(), **arguments)
        return self.refresh()

    def results(self, **wanted: Any) -> Iterator[Finding]:
        """The job's findings; filters as ``scanner_tasks.results``."""
        return results(job_id=self.job_id, **wanted)

    def __repr__(self) -> str:
        return f"JobHandle({str(self.job_id)!r}, status={str(self.status)!r})"


def _uuid(text: UUID | str, what: str = "job_id") -> UUID:
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    if isinstance(text, UUID):
        return text
    try:
        return UUID(text)
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput(f"{what}: give a UUID such as 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11.") from None
