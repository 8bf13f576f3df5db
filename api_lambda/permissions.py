"""Every endpoint and what its caller needs: the first gate, and where 404 and 405 come from.

An endpoint that is not here is not reached. The gate lets through whoever holds the permission on some bucket; the flow
behind it asks about the bucket at hand, and leaves out of every list what the caller may not see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.errors import NotAllowed
from scanner_tasks.core.rights import Permission, Role, roles_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner_tasks.core.rights import Caller


class Anyone(StrEnum):
    """Needs that belong to no bucket."""

    #: Whoever is let in at all.
    KNOWN = "known"
    #: Whoever holds any role.
    ANY_ROLE = "any role"


NEEDS: Final[Mapping[tuple[str, str], Permission | Anyone]] = {
    ("GET", "/openapi.json"): Anyone.KNOWN,
    ("GET", "/fleet"): Anyone.ANY_ROLE,
    ("GET", "/rules"): Anyone.ANY_ROLE,
    ("GET", "/rules/{rule_id}"): Anyone.ANY_ROLE,
    ("POST", "/detect"): Anyone.ANY_ROLE,
    ("POST", "/scan"): Permission.SCAN,
    ("POST", "/scans"): Permission.SCAN,
    ("GET", "/buckets"): Permission.READ,
    ("POST", "/watches"): Permission.SCAN,
    ("GET", "/watches"): Permission.READ,
    ("GET", "/watches/{bucket}"): Permission.READ,
    ("DELETE", "/watches/{bucket}"): Permission.SCAN,
    ("POST", "/schedules"): Permission.SCAN,
    ("GET", "/schedules"): Permission.READ,
    ("GET", "/schedules/{name}"): Permission.READ,
    ("DELETE", "/schedules/{name}"): Permission.SCAN,
    ("POST", "/schedules/{name}/pause"): Permission.SCAN,
    ("POST", "/schedules/{name}/resume"): Permission.SCAN,
    ("POST", "/schedules/{name}/run-now"): Permission.SCAN,
    ("GET", "/jobs"): Permission.READ,
    ("GET", "/jobs/{job_id}"): Permission.READ,
    ("DELETE", "/jobs/{job_id}"): Permission.DELETE,
    ("GET", "/jobs/{job_id}/coverage"): Permission.READ,
    ("GET", "/jobs/{job_id}/compare/{base_id}"): Permission.READ,
    ("POST", "/jobs/{job_id}/pause"): Permission.CONTROL,
    ("POST", "/jobs/{job_id}/resume"): Permission.CONTROL,
    ("POST", "/jobs/{job_id}/cancel"): Permission.CONTROL,
    ("POST", "/jobs/{job_id}/retry-failed"): Permission.CONTROL,
    ("GET", "/results"): Permission.READ,
    ("GET", "/results/{finding_id}/explain"): Permission.READ,
    ("GET", "/findings/{finding_id}/explain"): Permission.READ,
    ("GET", "/findings/{finding_id}/allow-list"): Permission.READ,
    ("POST", "/triage"): Permission.TRIAGE,
    ("GET", "/triage/{finding_id}"): Permission.READ,
    ("GET", "/dlq"): Permission.READ,
    ("GET", "/dlq/{message_id}"): Permission.READ,
    ("POST", "/dlq/{message_id}/retry"): Permission.CONTROL,
    ("POST", "/dlq/{message_id}/discard"): Permission.CONTROL,
    ("GET", "/audit"): Permission.AUDIT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """The endpoint that a request means."""

    method: str
    #: As in NEEDS.
    path: str
    need: Permission | Anyone
    #: What stands in the path, by name.
    values: Mapping[str, str]

    @property
    def name(self) -> str:
        """As the audit log names it."""
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET" and self.path != "/detect"

    def require(self, caller: Caller) -> None:
        """Raise NotAllowed when the caller lacks what it needs on every bucket there is."""
        if isinstance(self.need, Permission):
            if not caller.holds(self.need):
                raise NotAllowed(self.need, None, roles_with(self.need))
        elif self.need is Anyone.ANY_ROLE and not caller.grants:
            raise NotAllowed(Permission.READ, None, tuple(Role))


_PATTERNS = [
    (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))), method, path) for method, path in NEEDS
]


def find_endpoint(method: str, path: str) -> Endpoint | None:
    """The endpoint, None when there is none.

    Examples:
        >>> find_endpoint("POST", "/jobs/7/pause").values
        {'job_id': '7'}
        >>> find_endpoint("POST", "/jobs/7/8/pause"), find_endpoint("GET", "/scan")
        (None, None)
    """
    for pattern, its_method, template in _PATTERNS:
        if its_method == method and (found := pattern.fullmatch(path)):
            return Endpoint(method=method, path=template, need=NEEDS[method, template], values=found.groupdict())
    return None


def allowed_methods(path: str) -> tuple[str, ...]:
    """Methods that this path takes.

    Examples:
        >>> allowed_methods("/jobs/7"), allowed_methods("/no")
        (('GET', 'DELETE'), ())
    """
    return tuple(method for pattern, method, _ in _PATTERNS if pattern.fullmatch(path))
