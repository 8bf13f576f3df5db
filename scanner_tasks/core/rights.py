"""Who may do what with which buckets: permissions, the roles that hold them, and a caller with his grants."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.buckets import matches
from scanner_tasks.core.errors import InvalidInput, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY_BUCKET = "*"
#: Patterns of one caller: they travel in statements, which RDS Proxy takes up to 16 KB.
MAX_PATTERNS = 100


class Permission(StrEnum):
    """What an endpoint needs, always with a bucket."""

    #: Jobs, findings, coverage, dead letters.
    READ = "read"
    #: Judge findings.
    TRIAGE = "triage"
    #: Start jobs, and estimate them.
    SCAN = "scan"
    #: Pause, resume, cancel, retry jobs; retry and discard dead letters.
    CONTROL = "control"
    #: Delete jobs with all they found.
    DELETE = "delete"
    #: Change buckets and objects: tag, quarantine, redact.
    ACT = "act"
    #: Read the audit log.
    AUDIT = "audit"


class Role(StrEnum):
    """A set of permissions, by what its holder is."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    SCANNER = "scanner"
    OPERATOR = "operator"
    ADMIN = "admin"


_READ = frozenset({Permission.READ})
_OPERATE = _READ | {Permission.SCAN, Permission.TRIAGE, Permission.CONTROL}
HELD: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: _READ,
    Role.REVIEWER: _READ | {Permission.TRIAGE},
    Role.SCANNER: _READ | {Permission.SCAN},
    Role.OPERATOR: _OPERATE,
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A role on buckets."""

    role: Role
    #: Names and patterns; ``*`` any characters, ``?`` one.
    buckets: tuple[str, ...] = (EVERY_BUCKET,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks, and what was granted to him; without a grant he may do nothing."""

    #: As the audit log names him: an ARN, ``token:ci``, ``os:ada``, ``system``.
    name: str
    grants: tuple[Grant, ...] = ()
    #: The way in: api, cli, task or system.
    via: str = "api"
    #: Of the request, where there is one.
    request_id: str | None = None

    def patterns(self, permission: Permission) -> tuple[str, ...] | None:
        """Buckets on which he holds it, as patterns; None is every bucket.

        Examples:
            >>> ada = Caller(name="ada", grants=(Grant(role=Role.SCANNER, buckets=("team-*",)),))
            >>> ada.patterns(Permission.READ), ada.patterns(Permission.DELETE), SYSTEM.patterns(Permission.READ)
            (('team-*',), (), None)
        """
        held = {p for grant in self.grants if permission in HELD[grant.role] for p in grant.buckets}
        if EVERY_BUCKET in held:
            return None
        if len(held) > MAX_PATTERNS:
            raise InvalidInput(f"The caller's grants name {len(held)} buckets: use patterns, at most {MAX_PATTERNS}.")
        return tuple(sorted(held))

    def may(self, permission: Permission, bucket: str | None) -> bool:
        """Whether he holds it on this bucket; None stands for what belongs to no bucket, which needs ``*``.

        Examples:
            >>> ada = Caller(name="ada", grants=(Grant(role=Role.SCANNER, buckets=("team-*",)),))
            >>> ada.may(Permission.SCAN, "team-a"), ada.may(Permission.SCAN, "pay"), ada.may(Permission.READ, None)
            (True, False, False)
        """
        patterns = self.patterns(permission)
        return patterns is None or (bucket is not None and matches(bucket, patterns))

    def require(self, permission: Permission, bucket: str | None) -> None:
        """Raise NotAllowed unless he may."""
        if not self.may(permission, bucket):
            raise NotAllowed(permission, bucket, roles_with(permission))

    def holds(self, permission: Permission) -> bool:
        """Whether he holds it on any bucket at all."""
        return self.patterns(permission) != ()

    def of_request(self, request_id: str | None) -> Caller:
        """The same caller in this request."""
        return replace(self, request_id=request_id)


def everything(name: str, *, via: str) -> Caller:
    """A caller who may do all."""
    return Caller(name=name, grants=(Grant(role=Role.ADMIN),), via=via)


#: What the scanner does by itself: settle, Feed, budgets.
SYSTEM = everything("system", via="system")


def roles_with(permission: Permission) -> tuple[str, ...]:
    """The roles that hold it, the least first.

    Examples:
        >>> roles_with(Permission.SCAN)
        ('scanner', 'operator', 'admin')
    """
    return tuple(str(role) for role in Role if permission in HELD[role])


def like_patterns(patterns: tuple[str, ...] | None) -> list[str] | None:
    """Patterns for SQL's LIKE with its default escape; None is every bucket.

    Examples:
        >>> like_patterns(("team-*", "a?b", "one"))
        ['team-%', 'a_b', 'one']
    """
    if patterns is None:
        return None
    # Names of buckets that only old accounts have may hold an underscore, which LIKE would read as any character.
    quoted = (p.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") for p in patterns)
    return [p.replace("*", "%").replace("?", "_") for p in quoted]
