"""Jobs that begin again and again: looked at each minute, begun once for each due time.

    next_at 03:00, now 03:00:20. Two ticks at once: one holds the schedule's row, adds the run of 03:00 and moves
    next_at; the other finds next_at moved. The run is *starting*; whoever takes it begins its jobs, under ids that
    come from schedule, due time and bucket, and says what became of it. Died half-way: the run is taken again, and
    what is begun already is begun once.

Due times that passed while nothing looked are one run, the latest; the reason tells how many there were.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from scanner_tasks.core.access_rules import read_access
from scanner_tasks.core.bases import LAST
from scanner_tasks.core.buckets import is_pattern
from scanner_tasks.core.budget import read_budget
from scanner_tasks.core.cron import check_name, read_cron
from scanner_tasks.core.errors import Conflict, InvalidInput, ScannerError, ScheduleNotFound, Unavailable
from scanner_tasks.core.names import check_key
from scanner_tasks.core.rights import Permission
from scanner_tasks.core.selection_rules import read_selection
from scanner_tasks.flow.buckets import meant_buckets, start_jobs
from scanner_tasks.log import get_logger
from scanner_tasks.store import audit, schedules
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.schedules import Run, Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from scanner_tasks.flow.parts import Api

log = get_logger()

#: Of the ids of scheduled jobs (uuid5).
_NAMESPACE = UUID("6a3f0a52-3c0e-4a0b-9a1e-0d2f6b7c8d19")
#: Seconds in which a run's jobs begin, or another tick takes it: longer than the function lives.
LEASE_S = 150
#: Parts of a request, and what they are where nothing is said.
REQUEST = ("buckets", "prefix", "bucket_tags", "selection", "budget", "base_job", "access")
#: Next due times that are shown, and runs.
SHOWN_NEXT, SHOWN_RUNS = 3, 20


def add_schedule(name: str, cron: str, request: Mapping[str, Any], *, time_zone: str = "UTC", using: Api) -> Schedule:
    """Begin such jobs whenever the cron expression says; ``request`` has the parts of POST /scans.

    All is checked now, buckets too. A selection's ages (``30d``) count from each run. Buckets by pattern or tag need
    the permission on every bucket, since they mean others tomorrow. Raises Conflict for a name that is taken, and what
    ``start_jobs`` raises.
    """
    check_name(name)
    read = read_cron(cron, time_zone)
    given = {part: request[part] for part in REQUEST if request.get(part)}
    _check(given, using=using)
    now = datetime.now(UTC)
    with transaction(using.engine) as connection:
        added = schedules.add_schedule(
            connection,
            name,
            cron=read,
            request=given,
            next_at=read.following(now)[0],
            created_by=using.caller.name,
        )
        if added:
            audit.add_entry(connection, using.caller, "schedule.add", target=name, bucket=_one_bucket(given))
    if not added:
        raise Conflict(f"There is a schedule {name!r} already: remove it first, or choose another name.")
    log.info("schedule_added", schedule=name)
    return find_schedule(name, using=using)


def _check(given: Mapping[str, Any], *, using: Api) -> None:
    """Everything of the request, as a run will read it; its buckets can be listed now."""
    names = given.get("buckets") or []
    if not names:
        raise InvalidInput("buckets: give at least one, by name or pattern.")
    check_key(given.get("prefix", ""), "prefix")
    if given.get("base_job") not in {None, LAST}:
        raise InvalidInput("base_job: give last, the youngest finished job of each bucket, or leave it out.")
    read_selection(given.get("selection"), now=datetime.now(UTC))
    read_budget(given.get("budget"))
    if not _names_each(given):
        using.caller.require(Permission.SCAN, None)
    access = read_access(given.get("access"))
    meant_buckets(names, bucket_tags=given.get("bucket_tags"), access=access, using=using)


def _names_each(given: Mapping[str, Any]) -> bool:
    return not given.get("bucket_tags") and not any(is_pattern(name) for name in given["buckets"])


def _one_bucket(given: Mapping[str, Any]) -> str | None:
    return given["buckets"][0] if len(given["buckets"]) == 1 and _names_each(given) else None


def _may(schedule: Schedule, permission: Permission, *, using: Api) -> bool:
    if not _names_each(schedule.request):
        return using.caller.may(permission, None)
    return all(using.caller.may(permission, bucket) for bucket in schedule.request["buckets"])


def find_schedule(name: str, *, using: Api) -> Schedule:
    """The schedule; ScheduleNotFound when there is none, or the caller may not read all of its buckets."""
    with transaction(using.engine) as connection:
        schedule = schedules.get_schedule(connection, check_name(name))
    if schedule is None or not _may(schedule, Permission.READ, using=using):
        raise ScheduleNotFound(name)
    return schedule


def _own(name: str, *, using: Api) -> Schedule:
    """The schedule, if the caller may begin its jobs; else ScheduleNotFound or NotAllowed."""
    schedule = find_schedule(name, using=using)
    for bucket in schedule.request["buckets"] if _names_each(schedule.request) else [None]:
        using.caller.require(Permission.SCAN, bucket)
    return schedule


def list_schedules(*, using: Api) -> tuple[Schedule, ...]:
    """Every schedule whose buckets the caller may read, by name."""
    with transaction(using.engine) as connection:
        told = schedules.list_schedules(connection)
    return tuple(schedule for schedule in told if _may(schedule, Permission.READ, using=using))


def list_runs(name: str, *, limit: int = SHOWN_RUNS, using: Api) -> tuple[Run, ...]:
    """Its runs, the youngest first; raises ScheduleNotFound."""
    find_schedule(name, using=using)
    with transaction(using.engine) as connection:
        return schedules.list_runs(connection, name, limit=limit)


def remove_schedule(name: str, *, using: Api) -> Schedule:
    """Remove it; jobs that it began go on and stay. The schedule as it was. Raises ScheduleNotFound or NotAllowed."""
    schedule = _own(name, using=using)
    with transaction(using.engine) as connection:
        if not schedules.remove_schedule(connection, name):
            raise ScheduleNotFound(name)
        audit.add_entry(connection, using.caller, "schedule.remove", target=name)
    return schedule


def pause_schedule(name: str, *, using: Api) -> Schedule:
    """Begin nothing until it is resumed; jobs that go on are not touched. Raises Conflict when it is paused."""
    return _set_paused(name, paused=True, using=using)


def resume_schedule(name: str, *, using: Api) -> Schedule:
    """Go on with the next due time from now on; those meanwhile are not made up for. Raises Conflict."""
    return _set_paused(name, paused=False, using=using)


def _set_paused(name: str, *, paused: bool, using: Api) -> Schedule:
    schedule = _own(name, using=using)
    with transaction(using.engine) as connection:
        next_at = schedule.cron.following(datetime.now(UTC))[0]
        if not schedules.set_paused(connection, name, paused=paused, next_at=next_at):
            raise Conflict(f"The schedule {name!r} is {'paused' if paused else 'not paused'} already.")
        audit.add_entry(connection, using.caller, "schedule.pause" if paused else "schedule.resume", target=name)
    return find_schedule(name, using=using)


def run_now(name: str, *, using: Api) -> Run:
    """Begin its jobs now, besides its due times; the run. Raises Conflict while the former run goes on."""
    _own(name, using=using)
    with transaction(using.engine) as connection:
        schedule = schedules.lock_schedule(connection, name)
        if schedule is None:
            raise ScheduleNotFound(name)
        busy = _busy(connection, schedule)
        if busy:
            raise Conflict(f"Nothing was begun. {busy}")
        due_at = datetime.now(UTC)
        schedules.add_run(connection, name, due_at, state="starting", reason="By hand.")
        audit.add_entry(connection, using.caller, "schedule.run", target=name)
    _begin(name, due_at, is_late=False, using=using)
    return next(run for run in list_runs(name, using=using) if run.due_at == due_at)


def run_due(*, using: Api) -> dict[str, int]:
    """One tick: add the runs that are due, and begin the jobs of those that nobody works at. How many of each."""
    counts = {"due": 0, "begun": 0, "errors": 0}
    with transaction(using.engine) as connection:
        due = schedules.due_schedules(connection)
        schedules.forget_runs(connection)
    for name, now in due:
        try:
            counts["due"] += _add_run(name, now, using=using)
        except ScannerError:  # the others are due all the same
            counts["errors"] += 1
            log.warning("schedule_not_looked_at", schedule=name, exc_info=True)
    while True:
        with transaction(using.engine) as connection:
            taken = schedules.take_run(connection, lease_s=LEASE_S)
        if taken is None:
            break
        begun = _begin(taken[0], taken[1], is_late=taken[2], using=using)
        counts["begun" if begun else "errors"] += 1
    if any(counts.values()):
        log.info("schedules_run", **counts)
    return counts


def _add_run(name: str, now: datetime, *, using: Api) -> bool:
    """The run of the latest due time, and the next one; False when somebody else has done so."""
    with transaction(using.engine) as connection:
        schedule = schedules.lock_schedule(connection, name)
        if schedule is None or schedule.paused or schedule.next_at > now:
            return False
        due = schedule.cron.due(schedule.next_at, now=now)
        missed = f"{due.missed:,} earlier due times passed while nothing looked." if due.missed else None
        busy = _busy(connection, schedule)
        schedules.add_run(
            connection,
            name,
            due.at,
            state="skipped" if busy else "starting",
            reason=" ".join(filter(None, [missed, busy])) or None,
        )
        schedules.move_next(connection, name, due.following)
    if busy:
        log.warning("scheduled_run_skipped", schedule=name)
    return True


def _busy(connection: Connection, schedule: Schedule) -> str | None:
    """Why no other run may begin now."""
    if schedules.is_starting(connection, schedule.name):
        return "The former run is only just beginning."
    job = schedules.going_on(connection, schedule.name)
    return None if job is None else f"Job {job[0]} of the former run is {job[1]}: a run begins when it has ended."


def _begin(name: str, due_at: datetime, *, is_late: bool, using: Api) -> bool:
    """Begin the jobs of a run, and say what became of it; False when it is to be tried again."""
    with transaction(using.engine) as connection:
        schedule = schedules.get_schedule(connection, name)
    if schedule is None:
        return True
    given = schedule.request
    state, reason, job_ids, not_started = "started", None, list[UUID](), list[dict[str, str]]()
    try:
        begun = start_jobs(
            given["buckets"],
            given.get("prefix", ""),
            bucket_tags=given.get("bucket_tags"),
            access=read_access(given.get("access")),
            selection=read_selection(given.get("selection"), now=due_at),
            budget=read_budget(given.get("budget")),
            base_job=given.get("base_job"),
            job_id_of=lambda bucket: uuid5(_NAMESPACE, f"{name}\n{due_at.isoformat()}\n{bucket}"),
            using=using,
        )
        job_ids = [job.job_id for _, job in begun.jobs]
        not_started = [{"bucket": one.bucket, "reason": one.reason} for one in begun.not_started]
        if not job_ids:
            state, reason = "failed", "No job could begin."
    except Unavailable as error:
        if not is_late:
            log.warning("scheduled_run_waits", schedule=name, exc_info=True)
            return False
        state, reason = "failed", f"For an hour: {error}"
    except ScannerError as error:
        state, reason = "failed", str(error)
    if state == "failed":
        log.warning("scheduled_run_failed", schedule=name, reason=reason)
    with transaction(using.engine) as connection:
        schedules.end_run(
            connection, name, due_at, state=state, reason=reason, job_ids=job_ids, not_started=not_started
        )
    return True


def schedule_to_json(schedule: Schedule) -> dict[str, Any]:
    """A schedule as the API and the command tell it; an external id is not shown."""
    given = schedule.request
    after = max(schedule.next_at, datetime.now(UTC))
    following = [schedule.next_at, *schedule.cron.following(after, many=SHOWN_NEXT - 1)]
    return {
        "name": schedule.name,
        "cron": schedule.cron.expression,
        "time_zone": schedule.cron.time_zone,
        "buckets": list(given["buckets"]),
        "prefix": given.get("prefix", ""),
        "bucket_tags": dict(given.get("bucket_tags") or {}),
        "access": read_access(given.get("access")).to_show(),
        "selection": dict(given.get("selection") or {}),
        "budget": dict(given.get("budget") or {}),
        "base_job": given.get("base_job"),
        "paused": schedule.paused,
        "next_runs": [] if schedule.paused else following,
        "last_run": None if schedule.last_run is None else run_to_json(schedule.last_run),
        "created_by": schedule.created_by,
        "created_at": schedule.created_at,
    }


def run_to_json(run: Run) -> dict[str, Any]:
    """A run as the API and the command tell it."""
    return {
        "due_at": run.due_at,
        "state": run.state,
        "reason": run.reason,
        "job_ids": list(run.job_ids),
        "not_started": [dict(one) for one in run.not_started],
    }
