"""Every error the project raises on purpose, as a tree.

    ScannerError
    ├── InvalidInput               the caller can mend it: HTTP 400, CLI exit 2
    │   └── InvalidCursor
    ├── NotFound                   HTTP 404
    │   ├── JobNotFound
    │   ├── BucketNotFound
    │   ├── DeadLetterNotFound
    │   ├── RuleNotFound
    │   ├── FindingNotFound
    │   ├── WatchNotFound
    │   └── ScheduleNotFound
    ├── Denied                     the role may not: HTTP 403
    │   └── NotAllowed             the caller may not
    ├── Unauthenticated            it is not known who asks: HTTP 401
    ├── Conflict                   the job's state does not allow it: HTTP 409
    ├── JobTimeout                 the job goes on, only the waiting has ended; a TimeoutError too
    ├── Unavailable                infrastructure: worth another try; a task that raises it goes back to SQS
    ├── StatementRefused           a defect of ours: Postgres refused a statement
    ├── SumsDisagree               a defect of ours: a job's sums do not add up
    ├── RuleError                  a rule file is wrong
    └── ObjectError                costs one object only; carries its outcome
        ├── ObjectGone, ObjectChanged, ObjectDenied, ObjectArchived
        └── ExtractError           corrupt, encrypted, or a budget ended it

Messages say what happened, to what, and what to do; they never hold object content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.core.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


class ScannerError(Exception):
    """Root of everything raised on purpose."""


class InvalidInput(ScannerError):
    """A value from outside is wrong; the message says what to change."""


class InvalidCursor(InvalidInput):
    """The cursor was not made by this query."""

    def __init__(self) -> None:
        super().__init__(
            "The cursor does not belong to this query: repeat the request without `cursor` to start again."
        )


class NotFound(ScannerError):
    """The thing named does not exist."""


class JobNotFound(NotFound):
    """No job has this id."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"No job {job_id}: list the jobs with GET /jobs.")
        self.job_id = job_id


class BucketNotFound(NotFound):
    """No such bucket, or not in this Region."""

    def __init__(self, bucket: str) -> None:
        super().__init__(f"No bucket {bucket!r}: check its name and Region.")
        self.bucket = bucket


class DeadLetterNotFound(NotFound):
    """No dead letter has this id."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"No dead letter {message_id[:100]!r}: list them with `s3scan dlq list` or GET /dlq.")
        self.message_id = message_id


class RuleNotFound(NotFound):
    """No rule has this id."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(f"No rule {rule_id[:100]!r}: see `s3scan rules list` or GET /rules.")


class FindingNotFound(NotFound):
    """No finding has this id."""

    def __init__(self, finding_id: object) -> None:
        super().__init__(f"No finding {finding_id}: list them with `s3scan results --json` or GET /results.")
        self.finding_id = finding_id


class WatchNotFound(NotFound):
    """Nobody watches this bucket."""

    def __init__(self, bucket: str) -> None:
        super().__init__(f"The bucket {bucket!r} is not watched: list those that are with `s3scan watches list`.")
        self.bucket = bucket


class ScheduleNotFound(NotFound):
    """No schedule has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No schedule {name[:100]!r}: list them with `s3scan schedules list` or GET /schedules.")
        self.name = name


class Denied(ScannerError):
    """The role lacks a permission; the message names it."""


class NotAllowed(Denied):
    """The caller holds no role that lets him do it; nothing is told about the bucket itself."""

    def __init__(self, permission: str, bucket: str | None, roles: Sequence[str]) -> None:
        where = "on every bucket (*)" if bucket is None else f"on the bucket {bucket[:100]!r}"
        needed = f"{', '.join(roles[:-1])} or {roles[-1]}" if roles[1:] else roles[0]
        super().__init__(
            f"You may not do this: it needs the permission {permission} {where}; ask for the role {needed}."
        )


class Unauthenticated(ScannerError):
    """The request does not say who asks, or not in a way that can be believed."""


class Conflict(ScannerError):
    """The job's state does not allow the request."""


class JobTimeout(ScannerError, TimeoutError):
    """The job had not ended when the caller's patience did; it goes on."""

    def __init__(self, job_id: object, status: object, timeout_s: float) -> None:
        super().__init__(f"Job {job_id} is {status} after {timeout_s:g} s; it goes on: wait again, or cancel it.")
        self.job_id = job_id


class Unavailable(ScannerError):
    """A service could not be reached or asked to slow down: try again later."""


class StatementRefused(ScannerError):
    """Postgres refused a statement of ours; the message names its SQLSTATE, never a value."""


class SumsDisagree(ScannerError):
    """An object of the job is counted twice, or not at all."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"The sums of job {job_id} do not agree: `s3scan db verify {job_id}` tells where.")
        self.job_id = job_id


class RuleError(ScannerError):
    """A rule file is wrong; the message names the file, the rule and the field."""


class ObjectError(ScannerError):
    """One object cannot be read as it should; ``outcome`` is what the ledger records for it."""

    outcome: Outcome = Outcome.FAILED_UNAVAILABLE


class ObjectGone(ObjectError):
    """The object was deleted after it was listed."""

    outcome = Outcome.FAILED_DELETED_SINCE_LISTING


class ObjectChanged(ObjectError):
    """The object's ETag is no longer the listed one."""

    outcome = Outcome.FAILED_CHANGED_SINCE_LISTING


class ObjectDenied(ObjectError):
    """S3 refused the read; the message names the missing permission."""

    outcome = Outcome.FAILED_DENIED


class ObjectArchived(ObjectError):
    """The object's storage class needs a restore first."""

    outcome = Outcome.SKIPPED_ARCHIVED_STORAGE_CLASS


class ExtractError(ObjectError):
    """The object's bytes could not be turned into text to their end."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome
