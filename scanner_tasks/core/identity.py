"""The ids by which the same thing is known again, whoever tells of it: the ledger, a local scan, an export."""

from __future__ import annotations

from uuid import UUID, uuid5

#: Findings keep their id from job to job: the same rule in the same object is the same finding everywhere.
_NAMESPACE = UUID("6c1e8e0e-0c8a-5b35-9a53-3d0f6a1f2b77")


def finding_id(bucket: str, key: str, rule_id: str, version_id: str | None = None) -> UUID:
    """The finding's id: the same for one rule in one object, whichever job found it. Of a file the bucket is "".

    The version is named by jobs that scan versions, where a key is several objects.

    Examples:
        >>> str(finding_id("logs", "a.csv", "us.ssn"))
        'ee5c4c9c-4afd-5cb6-b48e-f53ec9dc1031'
    """
    version = f"\0{version_id}" if version_id else ""
    return uuid5(_NAMESPACE, f"{bucket}\0{key}\0{rule_id}{version}")
