"""Which former job a new one is compared with, and whether anything can be taken over from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scanner_tasks.core.access import OWN, Access
from scanner_tasks.core.bases import LAST, Base, read_base
from scanner_tasks.core.errors import Conflict, InvalidInput
from scanner_tasks.core.model import JobSource
from scanner_tasks.core.rule_changes import RulesChange, change_of
from scanner_tasks.core.selection import EVERYTHING, Selection
from scanner_tasks.flow.control import find_job
from scanner_tasks.store import base_jobs, jobs, rulesets
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.core.model import Job
    from scanner_tasks.core.rule_changes import RulesetParts
    from scanner_tasks.flow.parts import Api


def find_base(
    told: str | UUID | None,
    *,
    bucket: str,
    prefix: str,
    access: Access = OWN,
    selection: Selection = EVERYTHING,
    ruleset_hash: str,
    parts: RulesetParts | None = None,
    using: Api,
) -> Base | None:
    """The base that a caller names by its id or as ``last``; None when none is named.

    Where the rules differ, the parts of both say what of the base's findings holds all the same (core/rule_changes.py):
    the base's ``note`` tells what is done, or its ``refusal`` why everything is scanned again. Raises InvalidInput,
    JobNotFound or Conflict.
    """
    wanted = read_base(told)
    if wanted is None:
        return None
    if wanted == LAST:
        with transaction(using.engine) as connection:
            wanted = base_jobs.last_job(
                connection,
                bucket,
                prefix,
                endpoint_url=access.endpoint_url,
                versions=selection.versions,
                selection=None if selection.is_everything else json.dumps(selection.to_json()),
            )
        if wanted is None:
            return Base(refusal="There is no finished job of this bucket and prefix yet: every object is scanned.")
    job = find_job(wanted, using=using)
    _check_fits(job, bucket, prefix, access, selection)
    refusal, note = _taken_over(job, selection, ruleset_hash=ruleset_hash, parts=parts, using=using)
    return Base(job_no=job.job_no, job_id=job.job_id, refusal=refusal, note=note)


def _check_fits(job: Job, bucket: str, prefix: str, access: Access, selection: Selection) -> None:
    """InvalidInput for a job that has no object in common with the one that begins, Conflict for one that goes on."""
    wanted = job.job_id
    if (job.bucket, job.access.endpoint_url) != (bucket, access.endpoint_url):
        raise InvalidInput(f"base_job: job {wanted} scanned another bucket; give one of this bucket, or last.")
    if not (prefix.startswith(job.prefix) or job.prefix.startswith(prefix)):
        raise InvalidInput(f"base_job: job {wanted} has no key in common with this prefix; give another, or last.")
    if job.selection.versions != selection.versions:
        raise InvalidInput(
            f"base_job: job {wanted} scanned {job.selection.versions} versions, this one {selection.versions};"
            " give one with the same versions, or last."
        )
    if not job.source.is_listed_by_feed:
        named = "keys that were named" if job.source is JobSource.KEYS else "what events named"
        raise InvalidInput(f"base_job: job {wanted} scanned {named}; give one that listed the bucket.")
    if job.finished_at is None:
        raise Conflict(f"base_job: job {wanted} is {job.status}; wait until it has ended.")


def _taken_over(
    base: Job, selection: Selection, *, ruleset_hash: str, parts: RulesetParts | None, using: Api
) -> tuple[str | None, str | None]:
    """Why nothing can be taken over from the base; else what is done about rules that differ."""
    if selection.tags:
        return (
            "An ETag says nothing of tags: all objects that fit include_tags and exclude_tags are scanned again.",
            None,
        )
    with transaction(using.engine) as connection:
        others = jobs.other_rulesets(connection, [base.job_no])
        change = RulesChange()
        if base.ruleset_hash != ruleset_hash:
            change = change_of(rulesets.read_ruleset(connection, base.ruleset_hash), parts)
    if change.refusal is None and others:
        return "Workers with other rules scanned some of it: every object is scanned again.", None
    is_noted = change.refusal is None and base.ruleset_hash != ruleset_hash
    return change.refusal, change.note if is_noted else None
