"""The former job that a job is compared with, its base, as callers name it and as the ledger keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from scanner_tasks.core.errors import InvalidInput

#: The youngest finished job on the bucket whose prefix covers the new one's.
LAST: Final = "last"


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """A job's base. Its ids stay when the base itself is deleted."""

    #: Both None when ``last`` was asked for and no job was there.
    job_no: int | None = None
    job_id: UUID | None = None
    #: Why nothing can be taken over from it, so that every object is scanned; None when unchanged objects are.
    refusal: str | None = None
    #: What is done about rules that differ, where something is taken over all the same.
    note: str | None = None

    @property
    def reason(self) -> str | None:
        """What is to be said of it: why it is not used, or what is done about rules that differ."""
        return self.refusal or self.note


def read_base(told: str | UUID | None) -> UUID | Literal["last"] | None:
    """What a caller names as base: a job's id or ``last``; else InvalidInput.

    Examples:
        >>> read_base("last"), read_base(None)
        ('last', None)
        >>> read_base("yesterday")
        Traceback (most recent call last):
        ...
        scanner_tasks.core.errors.InvalidInput: base_job: give the id of a job, or last.
    """
    if told is None or isinstance(told, UUID):
        return told
    if told == LAST:
        return "last"
    try:
        return UUID(told)
    except ValueError:
        raise InvalidInput("base_job: give the id of a job, or last.") from None
