"""Jobs, findings and dead letters as JSON: the words of the HTTP API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.progress import is_incomplete, percent
from scanner_tasks.core.selection import limit_reached

if TYPE_CHECKING:
    from scanner_tasks.core.bases import Base
    from scanner_tasks.core.comparing import ChangedFinding, ChangedObject
    from scanner_tasks.core.model import Finding
    from scanner_tasks.core.triage import Mark
    from scanner_tasks.flow.buckets import BucketView
    from scanner_tasks.flow.explain import Explained
    from scanner_tasks.flow.read_results import JobView
    from scanner_tasks.flow.redrive import DeadLetter, LetterDetails
    from scanner_tasks.flow.start_job import StartedJob
    from scanner_tasks.flow.watches import Watches

_JOB = (
    *("job_id", "bucket", "prefix", "source", "status", "status_reason", "lane", "execution_arn", "created_at"),
    "listed_at",
)
_OBJECTS = ("listed", "pending", "processing", "done", "scanned", "partial", "skipped", "unchanged", "failed")
_LETTER = (
    *("message_id", "state", "state_reason", "error", "task", "job_id", "bucket", "batch_no", "lane", "receive_count"),
    *("sent_at", "arrived_at", "state_at"),
)


def job_shape(view: JobView) -> dict[str, Any]:
    """As GET /jobs/{job_id}."""
    job, counts = view.job, view.progress
    is_final = job.listed_at is not None
    return {
        **{name: getattr(job, name) for name in _JOB},
        "finished_at": job.finished_at,
        "access": job.access.to_show(),
        "selection": job.selection.to_json(),
        "budget": view.costs.budget.to_json(),
        "estimate": view.costs.estimate,
        "actual": view.costs.actual,
        "base_job": base_shape(job.base),
        "inventory": job.inventory,
        "schedule": job.schedule,
        "followed_by": job.followed_by,
        "limit_reached": limit_reached(job.selection, job.taken, counts.outcomes),
        "incomplete": is_incomplete(job.status, counts),
        "total_findings": counts.findings,
        "total_occurrences": counts.occurrences,
        "total_allowed": counts.allowed,
        "ruleset_hash": job.ruleset_hash,
        "other_ruleset_hashes": list(view.other_rulesets),
        "progress": {
            "percent": percent(counts, is_final=is_final),
            "total_is_final": is_final,
            "objects": {name: getattr(counts, name) for name in _OBJECTS},
            "outcomes": counts.outcomes,
            "bytes": {"listed": counts.bytes_listed, "done": counts.bytes_done},
            "batches": {"total": counts.batches, "open": counts.open_batches},
            "eta_s": view.eta_s,
            "real_time": view.real_time,
            "refreshed_at": counts.refreshed_at,
        },
    }


def base_shape(base: Base | None) -> dict[str, Any] | None:
    """As `base_job` of GET /jobs/{job_id}."""
    return {"job_id": base.job_id, "used": base.refusal is None, "reason": base.reason} if base else None


def started_shape(started: StartedJob) -> dict[str, Any]:
    """What `jobs start` says."""
    told = {name: getattr(started, name) for name in ("job_id", "status", "execution_arn")}
    return told | {"base_job": base_shape(started.base)}


def bucket_shape(view: BucketView) -> dict[str, Any]:
    """As one of GET /buckets."""
    posture, last = view.posture, view.last
    return {
        "bucket": view.bucket.name,
        "region": view.bucket.region,
        "created_at": view.bucket.created_at,
        "public": posture.public if posture else None,
        "encryption": posture.encryption if posture else None,
        "unknown": list(posture.unknown) if posture else [],
        "trouble": view.trouble,
        "last_scan": last and {name: getattr(last, name) for name in ("job_id", "status", "created_at", "finished_at")},
        "scanned_whole_at": last.whole_at if last else None,
    }


def watches_shape(told: Watches) -> dict[str, Any]:
    """As GET /watches."""
    from scanner_tasks.flow.watches import watch_to_json  # noqa: PLC0415

    unwatched = [asdict(one) for one in told.unwatched]
    return {"watches": [watch_to_json(watch) for watch in told.watches], "unwatched": unwatched}


def finding_shape(finding: Finding) -> dict[str, Any]:
    """As one of GET /results."""
    fields = asdict(finding)
    fields["rule"] = fields.pop("rule_id")
    for place in fields["occurrences"]:
        place.update(place.pop("location"))
    return fields


def mark_shape(mark: Mark) -> dict[str, Any]:
    """As POST /triage."""
    fields = asdict(mark)
    fields["by"] = fields.pop("marked_by")
    return fields


def explanation_shape(told: Explained) -> dict[str, Any]:
    """As GET /findings/{finding_id}/explain."""
    finding, at = told.finding, told.occurrence.location
    return {
        **{name: getattr(finding, name) for name in ("finding_id", "job_id", "bucket", "key", "severity", "count")},
        "allowed": finding.allowed,
        "rule": finding.rule_id,
        "rule_name": told.rule_name,
        "confidence": told.confidence,
        "occurrence": told.number,
        "occurrences_kept": len(finding.occurrences),
        "masked": told.occurrence.masked,
        "line": at.line,
        "column": at.column,
        "path": at.path,
        "parts": [asdict(part) for part in told.parts],
        "why_not_higher": told.why_not_higher,
        "why_severity": told.why_severity,
        "rules_are_current": told.rules_are_current,
        "lines": list(told.lines),
    }


def letter_shape(letter: DeadLetter, arguments: tuple[str, ...] | None) -> dict[str, Any]:
    """As one of GET /dlq."""
    return {**{name: getattr(letter, name) for name in _LETTER}, "arguments": arguments}


def details_shape(details: LetterDetails) -> dict[str, Any]:
    """As GET /dlq/{message_id}."""
    return {
        **letter_shape(details.letter, details.arguments),
        "errors": [asdict(error) for error in details.errors],
    }


def changed_finding_shape(one: ChangedFinding) -> dict[str, Any]:
    """As one of ``findings`` in GET /jobs/{job_id}/compare/{base_id}."""
    return {
        "change": one.change,
        "count_before": one.count_before,
        "moved_from": one.moved_from,
        "object_is": one.object_is,
        "finding": finding_shape(one.finding),
    }


def changed_object_shape(one: ChangedObject) -> dict[str, Any]:
    """As one of ``objects`` there."""
    return asdict(one) | {"outcome": str(one.outcome) if one.outcome else None}
