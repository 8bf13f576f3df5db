"""An entry of the audit log: who did what. It names ids and buckets, never keys or values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

#: The outcome of what was done; anything else is the kind of problem that it met.
DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One thing that somebody did, or was refused."""

    entry_no: int
    at: datetime
    #: An ARN, ``token:NAME``, ``os:USER``, ``celery``, ``system``.
    caller: str
    #: api, cli, task or system.
    via: str
    #: Such as ``job.start``, ``finding.triage``; of what was refused, the route: ``POST /scan``.
    action: str
    #: ``done``, or the kind of problem such as ``not_allowed``.
    outcome: str
    bucket: str | None
    job_id: UUID | None
    #: Id of a finding, a dead letter, …
    target: str | None
    #: The API request's, as in its log.
    request_id: str | None
