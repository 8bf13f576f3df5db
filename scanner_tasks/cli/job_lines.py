"""What is printed of a job: the lines of ``jobs show``, and whether it is complete and its sums agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from scanner_tasks.cli.estimate import dollars, size_text
from scanner_tasks.cli.screen import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    Job = Mapping[str, Any]

_MOMENTS = (("created", "created_at"), ("listed", "listed_at"), ("finished", "finished_at"))


def coverage_word(job: Job) -> str:
    """Whether everything was read, so far or for good."""
    if job["incomplete"]:
        return "incomplete"
    return "complete" if job["finished_at"] else "complete so far"


def sums_of(job: Job) -> str:
    """The job's sums in one line."""
    from scanner_tasks.core.progress import sums_line  # noqa: PLC0415
    from scanner_tasks.serve.read import progress_of  # noqa: PLC0415

    return sums_line(progress_of(job))


def check_sums(job: Job) -> None:
    """Never print sums that do not add up without saying so: SumsDisagree."""
    from scanner_tasks.core.errors import SumsDisagree  # noqa: PLC0415
    from scanner_tasks.core.progress import sums_agree  # noqa: PLC0415
    from scanner_tasks.serve.read import progress_of  # noqa: PLC0415

    if not sums_agree(progress_of(job), has_ended=job["finished_at"] is not None):
        raise SumsDisagree(UUID(job["job_id"]))


def lines_of(job: Job) -> list[tuple[str, object]]:
    """Name and value of each line."""
    status, reason, counts = job["status"], job["status_reason"], job["progress"]["objects"]
    lines: list[tuple[str, object]] = [
        ("job", job["job_id"]),
        ("bucket", job["bucket"]),
        ("prefix", job["prefix"] or "(all keys)"),
        *([("schedule", job["schedule"])] if job["schedule"] else []),
        *([("source", "events of S3, as they come")] if job["source"] == "events" else []),
        *((name, value) for name, value in job["access"].items() if value),
        *((name, _told(value)) for name, value in job["selection"].items()),
        *_base_lines(job["base_job"]),
        *([("inventory", job["inventory"])] if job["inventory"] else []),
        *([("followed by", job["followed_by"])] if job["followed_by"] else []),
        ("status", f"{status}: {reason}" if reason else status),
        ("coverage", coverage_word(job)),
        ("lane", job["lane"]),
        *((name, moment(job[field])) for name, field in _MOMENTS),
        ("objects listed", counts["listed"]),
        ("  pending", counts["pending"]),
        ("  processing", counts["processing"]),
    ]
    lines += [(f"  {outcome}", n) for outcome, n in job["progress"]["outcomes"].items()]
    if job["limit_reached"]:
        lines.append(("limit", "reached: the bucket may hold more than was listed"))
    lines += [
        ("objects in sum", sums_of(job)),
        ("findings", job["total_findings"]),
        ("occurrences", job["total_occurrences"]),
    ]
    if job["total_allowed"]:
        lines.append(("  allowed besides", job["total_allowed"]))
    lines += _cost_lines(job)
    lines.append(("ruleset", job["ruleset_hash"]))
    if others := job["other_ruleset_hashes"]:
        lines.append(
            ("  also scanned with", f"{', '.join(others)}: workers had other rules than the API when the job began")
        )
    if job["progress"]["eta_s"] is not None:
        lines.append(("seconds left", round(job["progress"]["eta_s"])))
    return lines


def _cost_lines(job: Job) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = [(f"budget {name}", value) for name, value in job["budget"].items()]
    for what, told in (("estimated", job["estimate"]), ("actual", job["actual"])):
        if told:
            scanned = f"{told['objects']:,} objects, {size_text(told['bytes'])}, {told['cpu_s']:,.1f} vCPU seconds"
            macie = dollars(told["macie_dollars"])
            lines.append((f"cost {what}", f"{dollars(told['dollars'])} for {scanned}; Macie {macie}"))
    sample: dict[str, Any] = (job["actual"] or {}).get("sample") or {}
    for name in ("objects_with_findings", "findings", "occurrences") if sample else ():
        one = sample[name]
        total = f"about {one['estimate']:,} (95 %: {one['low']:,} to {one['high']:,})"
        lines.append((f"  of all, {name.replace('_', ' ')}", total))
    return lines


def _base_lines(base: Mapping[str, Any] | None) -> list[tuple[str, object]]:
    if base is None:
        return []
    lines: list[tuple[str, object]] = [("base job", base["job_id"] or "none")]
    return [*lines, ("  used" if base["used"] else "  not used", base["reason"])] if base["reason"] else lines


def _told(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
