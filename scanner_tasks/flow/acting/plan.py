"""A plan is made: which objects hold the findings wanted, and what would be done to them. Nothing is done to S3."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from scanner_tasks.core.access import OWN
from scanner_tasks.core.acting import TAG_KEY_MAX, TAG_VALUE_MAX, TAGS_MAX, Action, Plan, Step
from scanner_tasks.core.errors import InvalidInput, NotFound
from scanner_tasks.core.rights import Permission, like_patterns
from scanner_tasks.flow.control import find_job
from scanner_tasks.flow.read_results import finding_filter
from scanner_tasks.store import action_plans, audit
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import read_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner_tasks.flow.parts import Api
    from scanner_tasks.store.finding_query import FindingFilter, FindingPlace

_PAGE: Final = 500
_TAG: Final = re.compile(r"[\w +\-=.:/@]*")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_WHO, _MOST_WHY = 200, 500


class PlanNotFound(NotFound):
    """No plan has this id."""

    def __init__(self, plan_id: object) -> None:
        super().__init__(f"No plan {plan_id}: list the plans with `s3scan act log`.")


def make_plan(
    job_id: UUID,
    action: str,
    options: Mapping[str, Any],
    *,
    filters: Mapping[str, Any],
    who: str,
    reason: str,
    using: Api,
) -> Plan:
    """Keep a plan for the objects of a job's findings that match the filters (open ones, unless they say otherwise).

    Raises JobNotFound, or InvalidInput: an option is missing or wrong, or nothing matches.
    """
    for name, text, most in (("by", who, _MOST_WHO), ("reason", reason, _MOST_WHY)):
        if not text.strip() or len(text) > most:
            raise InvalidInput(f"{name}: give 1 to {most} characters.")
    job = find_job(job_id, using=using)
    using.caller.require(Permission.ACT, job.bucket)
    if job.access != OWN:
        raise InvalidInput(
            "The job reached its bucket by a role or endpoint of its own; only our own buckets are acted on."
        )
    if job.selection.versions != "current" and Action(action) is not Action.BLOCK_PUBLIC:
        raise InvalidInput(
            "The job scanned versions; actions change what is current only: scan the current versions and act on that."
        )
    checked = _checked(Action(action), options, job.bucket)
    if "target_bucket" in checked:
        using.caller.require(Permission.ACT, checked["target_bucket"])
    wanted = finding_filter(job_id=job_id, **{"triage": "open", **filters})
    plan = Plan(
        plan_id=uuid4(),
        job_id=job_id,
        bucket=job.bucket,
        action=Action(action),
        options=checked,
        filters={"triage": "open", **filters},
        created_by=who,
        reason=reason,
        created_at=datetime.now(UTC),
    )
    with transaction(using.engine) as connection:
        plan_no = action_plans.add_plan(connection, plan)
    try:
        count = 0
        for steps in _steps(plan, wanted, using=using):
            with transaction(using.engine) as connection:
                action_plans.add_steps(connection, plan_no, steps)
            count += len(steps)
        if not count:
            raise InvalidInput("No finding matches: see `s3scan results` with the same filters.")  # noqa: TRY301
        with transaction(using.engine) as connection:
            audit.add_entry(
                connection,
                using.caller,
                "action.plan",
                bucket=job.bucket,
                job_id=job_id,
                target=f"{action} {plan.plan_id}",
            )
    except BaseException:  # half a plan is none
        with transaction(using.engine) as connection:
            action_plans.drop_plan(connection, plan_no)
        raise
    return find_plan(plan.plan_id, using=using)[1]


def find_plan(plan_id: UUID, *, using: Api) -> tuple[int, Plan]:
    """The plan with its number; raises PlanNotFound, also for one that the caller may not see."""
    with transaction(using.engine) as connection:
        found = action_plans.find_plan(connection, plan_id)
    if found is None or not using.caller.may(Permission.READ, found[1].bucket):
        raise PlanNotFound(plan_id)
    return found


def list_plans(*, job_id: UUID | None = None, limit: int = 50, using: Api) -> list[Plan]:
    """The youngest first, of those that the caller may see."""
    scope = like_patterns(using.caller.patterns(Permission.READ))
    with transaction(using.engine) as connection:
        return action_plans.list_plans(connection, job_id=job_id, scope=scope, limit=limit)


def steps_of(plan_id: UUID, *, states: tuple[str, ...] = (), using: Api) -> Iterator[Step]:
    """Every step in order, or those in these states; lazy. Raises PlanNotFound."""
    plan_no, plan = find_plan(plan_id, using=using)
    after = -1
    while True:
        with transaction(using.engine) as connection:
            page = action_plans.read_steps(connection, plan_no, plan.bucket, after=after, limit=_PAGE, states=states)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].step_no


def _steps(plan: Plan, wanted: FindingFilter, *, using: Api) -> Iterator[list[Step]]:
    """The plan's steps in pages: an object once, however many findings it has; a bucket once."""
    number, held, after = 0, None, None
    while True:
        with transaction(using.engine) as connection:
            page = read_findings(connection, wanted, after=after, limit=_PAGE)
            objects = action_plans.objects_at(connection, [place for place, _ in page.found])
        steps: list[Step] = []
        for place, _ in page.found:
            if plan.action is Action.BLOCK_PUBLIC:
                held = replace(held, findings=held.findings + 1) if held else _bucket_step(plan)
                continue
            key, etag, size, version = objects[_at(place)]
            if held and held.key == key:  # findings come in the order of keys
                held = replace(held, findings=held.findings + 1)
                continue
            if held:
                steps.append(held)
            held = Step(
                step_no=number,
                bucket=plan.bucket,
                key=key,
                etag=etag,
                size_bytes=size,
                version_id=version,
                findings=1,
            )
            number += 1
        after = page.after
        if after is None and held:
            steps.append(held)
        if steps:
            yield steps
        if after is None:
            return


def _bucket_step(plan: Plan) -> Step:
    return Step(step_no=0, bucket=plan.bucket, key="", etag="", size_bytes=0, findings=1)


def _at(place: FindingPlace) -> tuple[int, int, int]:
    return place.job_no, place.batch_no, place.position


def _checked(action: Action, given: Mapping[str, Any], bucket: str) -> dict[str, Any]:
    """The options that the action takes; InvalidInput for one that is missing or wrong."""
    if action is Action.TAG:
        return {"tags": _tags(given.get("tags") or {})}
    if action is Action.BLOCK_PUBLIC:
        return {}
    target, prefix = str(given.get("target_bucket") or ""), str(given.get("target_prefix") or "")
    if not _BUCKET.fullmatch(target):
        raise InvalidInput("to: give the bucket that copies go to, such as --to s3://quarantine/prefix/.")
    if action is Action.QUARANTINE:
        if target == bucket:
            raise InvalidInput("to: quarantine needs another bucket than the job's.")
        by = given.get("replace_by") or "marker"
        if by not in {"marker", "delete"}:
            raise InvalidInput("replace_by: give marker or delete.")
        return {"target_bucket": target, "target_prefix": prefix, "replace_by": by}
    if target == bucket and not prefix:
        raise InvalidInput("to: a redacted copy never takes the place of its object: give another bucket or a prefix.")
    return {"target_bucket": target, "target_prefix": prefix}


def _tags(given: Mapping[str, str]) -> dict[str, str]:
    if not 1 <= len(given) <= TAGS_MAX:
        raise InvalidInput("tags: give 1 to 10.")
    for name, value in given.items():
        if not 1 <= len(name) <= TAG_KEY_MAX or len(value) > TAG_VALUE_MAX or name.lower().startswith("aws:"):
            raise InvalidInput("tags: a name has 1 to 128 characters and does not begin with aws:, a value up to 256.")
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise InvalidInput("tags: S3 takes letters, digits, spaces and + - = . _ : / @ alone.")
    return dict(given)
