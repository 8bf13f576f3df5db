"""An entry of an allow list made from a finding: the fingerprints of the places that were kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner_tasks.core.allow_list import allow_table
from scanner_tasks.core.errors import FindingNotFound
from scanner_tasks.core.rights import Permission
from scanner_tasks.store.engine import transaction
from scanner_tasks.store.findings import find_finding

if TYPE_CHECKING:
    from uuid import UUID

    from scanner_tasks.core.model import Finding
    from scanner_tasks.flow.parts import Api


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowEntry:
    """Values that may stand wherever this rule finds them."""

    finding: Finding
    #: Of the values at the places that were kept, each once, in order.
    fingerprints: tuple[str, ...]
    #: False when the finding has more places than were kept: values of those are not in the entry.
    is_complete: bool

    def toml(self, name: str) -> str:
        """The entry as text for a pack."""
        return allow_table(name, [self.finding.rule_id], self.fingerprints)


def allow_entry(finding_id: UUID, *, job_id: UUID | None = None, using: Api) -> AllowEntry:
    """Of the finding as the youngest job that has it left it, or the given job. Raises FindingNotFound."""
    with transaction(using.engine) as connection:
        found = find_finding(connection, finding_id, job_id=job_id)
    if found is None or not using.caller.may(Permission.READ, found[0].bucket):
        raise FindingNotFound(finding_id)
    finding, _ = found
    return AllowEntry(
        finding=finding,
        fingerprints=tuple(dict.fromkeys(place.fingerprint for place in finding.occurrences)),
        is_complete=finding.count <= len(finding.occurrences),
    )
