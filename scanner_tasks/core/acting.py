"""Acting on findings: what may be done to an object or bucket, how far a step is, and the decisions that need no S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

#: S3's own.
TAGS_MAX: Final = 10
TAG_KEY_MAX, TAG_VALUE_MAX = 128, 256
#: Steps that one message asks for.
STEPS_OF_A_MESSAGE: Final = 20
#: In the metadata of every object that an action writes: the plan and the step, so that a repeat knows its own work.
MARK: Final = "s3scan-step"


class Action(StrEnum):
    """What a plan does."""

    TAG = "tag"
    QUARANTINE = "quarantine"
    REDACT = "redact"
    BLOCK_PUBLIC = "block_public"


class StepState(StrEnum):
    """planned → running → done, skipped or failed; what changed something: → undoing → undone or undo_failed."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"
    UNDO_FAILED = "undo_failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is to be done, to what, and who wanted it."""

    plan_id: UUID
    job_id: UUID
    bucket: str
    action: Action
    #: As the action needs them: tags, target_bucket, target_prefix, replace_by.
    options: Mapping[str, Any]
    #: Filters that chose the findings.
    filters: Mapping[str, Any]
    created_by: str
    reason: str
    created_at: datetime
    run_by: str | None = None
    run_at: datetime | None = None
    undo_by: str | None = None
    undo_at: datetime | None = None
    #: Steps by state.
    steps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One object (or the bucket, with an empty key) of a plan."""

    step_no: int
    bucket: str
    key: str
    #: As the job scanned it: what has another one now is not touched.
    etag: str
    size_bytes: int
    version_id: str | None = None
    #: Findings that it is for.
    findings: int = 0
    state: StepState = StepState.PLANNED
    #: Count of claims; what ends a step names it, so that a late worker ends nothing.
    attempt: int = 0
    #: Why it was skipped or failed, in a word, and in a sentence.
    reason: str | None = None
    detail: str | None = None
    #: What undoing needs, kept before S3 is asked to change anything; None while nothing was changed.
    before: Mapping[str, Any] | None = None
    #: What it is now.
    after: Mapping[str, Any] | None = None
    state_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a step ends."""

    state: StepState
    reason: str | None = None
    detail: str | None = None
    after: Mapping[str, Any] | None = None


def done(detail: str | None = None, **after: Any) -> Ended:
    """It was done."""
    return Ended(state=StepState.DONE, detail=detail, after=after or None)


def skipped(reason: str, detail: str) -> Ended:
    """It was not done on purpose."""
    return Ended(state=StepState.SKIPPED, reason=reason, detail=detail)


def failed(reason: str, detail: str) -> Ended:
    """It could not be done."""
    return Ended(state=StepState.FAILED, reason=reason, detail=detail)


def merged_tags(present: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str] | None:
    """The object's tags with ours; None when that were more than ten.

    Examples:
        >>> merged_tags({"team": "a"}, {"s3scan": "pii"})
        {'team': 'a', 's3scan': 'pii'}
        >>> merged_tags({str(n): "" for n in range(10)}, {"s3scan": "pii"}) is None
        True
    """
    together = {**present, **ours}
    return together if len(together) <= TAGS_MAX else None


def unmerged_tags(present: Mapping[str, str], ours: Mapping[str, str], former: Mapping[str, str]) -> dict[str, str]:
    """The tags without ours: as they were before where they still have our value, everything else as it is now.

    Examples:
        >>> unmerged_tags({"s3scan": "pii", "new": "1"}, {"s3scan": "pii"}, {"team": "gone since"})
        {'new': '1'}
        >>> unmerged_tags({"s3scan": "pii"}, {"s3scan": "pii"}, {"s3scan": "old"})
        {'s3scan': 'old'}
    """
    told = dict(present)
    for name, value in ours.items():
        if told.get(name) == value:
            if name in former:
                told[name] = former[name]
            else:
                del told[name]
    return told


def step_mark(plan_id: UUID, step_no: int) -> str:
    """What MARK holds for a step."""
    return f"{plan_id}/{step_no}"
