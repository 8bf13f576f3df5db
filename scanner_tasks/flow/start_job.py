"""A request to scan → a job row, its bucket's lane, and the execution that lists it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.access_rules import check_access
from scanner_tasks.core.budget import UNLIMITED, Budget
from scanner_tasks.core.errors import Denied, InvalidInput, Unavailable
from scanner_tasks.core.inventory import read_address
from scanner_tasks.core.lanes import choose_lane
from scanner_tasks.core.model import Job, JobSource, JobStatus
from scanner_tasks.core.names import check_bucket, check_key
from scanner_tasks.core.rights import Permission
from scanner_tasks.core.selection import EVERYTHING, Selection
from scanner_tasks.flow.base_job import find_base
from scanner_tasks.flow.control import fail_job
from scanner_tasks.flow.executions import start_first_execution
from scanner_tasks.flow.inventory import check_inventory
from scanner_tasks.store import audit, job_costs, jobs, rulesets
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scanner_tasks.core.bases import Base
    from scanner_tasks.core.rule_changes import RulesetParts
    from scanner_tasks.flow.parts import Api


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedJob:
    """What the caller of a scan gets back at once."""

    job_id: UUID
    status: JobStatus
    execution_arn: str | None
    #: The former job that it is compared with, if one was asked for.
    base: Base | None = None


def start_job(
    bucket: str,
    prefix: str = "",
    *,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    budget: Budget = UNLIMITED,
    base_job: str | UUID | None = None,
    inventory: str | None = None,
    then_list: bool = False,
    using: Api,
    job_id: UUID | None = None,
) -> StartedJob:
    """Begin to scan a bucket, or the keys below a prefix; returns before anything is listed.

    ``access`` says how the bucket is reached; endpoints and roles must be on the operator's lists. ``selection`` says
    which objects are scanned (core/selection_rules.py reads it), and at its ``budget`` the job pauses itself.
    ``base_job`` is a former job's id or ``last``: what is as that job left it is not read again (flow/base_job.py).
    ``inventory`` is the address of an S3 Inventory manifest: its report is read in the place of a listing, and with
    ``then_list`` a listing follows (flow/follow_up.py). A repeat with the same ``job_id`` begins nothing anew. Raises
    InvalidInput, BucketNotFound, Denied, NotAllowed, Unavailable, JobNotFound or Conflict; when the execution cannot be
    started, the job is ``failed`` with the reason and the error is raised.
    """
    check_bucket(bucket)
    check_key(prefix, "prefix")
    using.caller.require(Permission.SCAN, bucket)
    access = allowed_access(access, using=using)
    using.objects.through(access).check_bucket(bucket)
    if selection.versions != "current":
        if inventory is not None:
            raise InvalidInput(
                "versions: a job from an inventory's report scans current versions; leave one of them out."
            )
        using.objects.through(access).list_versions(bucket, prefix=prefix, after=None, max_keys=1)  # or why not
    if then_list and inventory is None:
        raise InvalidInput("inventory_then_list: a listing follows a report; name it as inventory, or leave it out.")
    if inventory is not None:
        using.caller.require(Permission.SCAN, read_address(inventory)[0])  # the report is read as an object is
        check_inventory(inventory, bucket=bucket, objects=using.objects.through(access))
    job = register_job(
        bucket,
        prefix,
        source=JobSource.LISTING if inventory is None else JobSource.INVENTORY,
        access=access,
        selection=selection,
        budget=budget,
        base_job=base_job,
        inventory=inventory,
        then_list=then_list,
        job_id=job_id or uuid4(),
        using=using,
    )
    arn = job.execution_arn
    if arn is None and not job.status.is_final:
        arn = begin_feeding(job, using=using)
    return StartedJob(job_id=job.job_id, status=job.status, execution_arn=arn, base=job.base)


def allowed_access(access: Access, *, using: Api) -> Access:
    """The access if the settings allow it; else InvalidInput."""
    settings = using.settings
    return check_access(access, endpoints=settings.allowed_endpoints, roles=settings.allowed_roles)


def register_job(
    bucket: str,
    prefix: str,
    *,
    source: JobSource,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    budget: Budget = UNLIMITED,
    base_job: str | UUID | None = None,
    inventory: str | None = None,
    then_list: bool = False,
    job_id: UUID,
    using: Api,
) -> Job:
    """Add the job's row and give its bucket a lane, the one it has already while another job is active on it."""
    parts = using.ruleset_parts()
    ruleset_hash = using.ruleset_hash() if parts is None else parts.ruleset_hash
    base = find_base(
        base_job,
        bucket=bucket,
        prefix=prefix,
        access=access,
        selection=selection,
        ruleset_hash=ruleset_hash,
        parts=parts,
        using=using,
    )
    with transaction(using.engine) as connection:
        return add_job(
            connection,
            bucket,
            prefix,
            source=source,
            access=access,
            selection=selection,
            budget=budget,
            ruleset_hash=ruleset_hash,
            parts=parts,
            base=base,
            inventory=inventory,
            then_list=then_list,
            job_id=job_id,
            using=using,
        )


def add_job(
    connection: Connection,
    bucket: str,
    prefix: str,
    *,
    source: JobSource,
    access: Access,
    selection: Selection,
    budget: Budget,
    ruleset_hash: str,
    parts: RulesetParts | None,
    base: Base | None = None,
    inventory: str | None = None,
    then_list: bool = False,
    job_id: UUID,
    using: Api,
) -> Job:
    """The job's row and its bucket's lane, within a transaction; a repeat with the same ``job_id`` adds nothing."""
    settings = using.settings
    jobs.lock_fleet(connection)
    if parts is not None:
        rulesets.keep_ruleset(connection, parts)
    lane = jobs.active_lane(connection, bucket) or choose_lane(
        bucket, jobs.lane_load(connection), settings.lane_names, settings.dedicated_lanes
    )
    added = jobs.add_job(
        connection,
        job_id=job_id,
        bucket=bucket,
        prefix=prefix,
        source=source,
        access=access,
        selection=selection,
        lane=lane,
        ruleset_hash=ruleset_hash,
        base=base,
        inventory=inventory,
        then_list=then_list,
    )
    job = jobs.get_job(connection, job_id)
    assert job is not None
    if added:
        audit.add_entry(connection, using.caller, "job.start", bucket=bucket, job_id=job_id)
    if added and not budget.is_unlimited:
        job_costs.set_budget(connection, job.job_no, budget)
    return job


def begin_feeding(job: Job, *, using: Api) -> str:
    """Start the job's first execution; its ARN. When that fails the job is failed, not orphaned."""
    try:
        return start_first_execution(job, using=using)
    except (Denied, Unavailable) as error:
        reason = f"Its execution could not be started: {error}"
        fail_job(job.job_id, cause=reason, using=using)
        raise type(error)(f"Job {job.job_id} failed. {reason}") from error
