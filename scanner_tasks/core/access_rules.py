"""What a job's caller may ask for: whoever may start a job may not point the workers anywhere.

Endpoints and roles must stand on the operator's lists, and a Region must be one, because it becomes a host's name.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scanner_tasks.core.access import NAMES, REGION_PATTERN, Access
from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: IAM's grammar of a role's ARN.
ROLE_PATTERN = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576}$"
#: STS's grammar of an external id.
EXTERNAL_ID_PATTERN = r"^[A-Za-z0-9+=,.@:/_-]{2,1224}$"
#: With an endpoint a Region is only signed: "auto".
_SIGNED_REGION_PATTERN = r"^[a-z0-9-]{1,32}$"
_FLAGS = frozenset({"requester_pays", "anonymous"})


def read_access(told: Mapping[str, Any] | None) -> Access:
    """An access as a caller names its parts; InvalidInput names what is not known or of the wrong type.

    Examples:
        >>> read_access({"region": "eu-west-1", "role_arn": None}).to_json()
        {'region': 'eu-west-1'}
    """
    for name, value in (told or {}).items():
        if name not in NAMES:
            raise InvalidInput(f"access: it takes {', '.join(NAMES)}; nothing else.")
        if value is not None and type(value) is not (bool if name in _FLAGS else str):
            raise InvalidInput(f"access.{name}: give {'true or false' if name in _FLAGS else 'a text'}.")
    return Access(**{name: value for name, value in (told or {}).items() if value is not None})


def check_access(access: Access, *, endpoints: Iterable[str], roles: Iterable[str]) -> Access:
    """The access with its endpoint in one spelling, if it is sound and allowed; else InvalidInput naming the field.

    Args:
        access: what the caller asks for.
        endpoints: URLs that jobs may name, as ``check_endpoint`` gives them.
        roles: ARNs of roles that jobs may name; ``*`` stands for any characters.

    Examples:
        >>> check_access(Access(role_arn="arn:aws:iam::111122223333:role/scan"), endpoints=[], roles=[])
        Traceback (most recent call last):
        ...
        scanner_tasks.core.errors.InvalidInput: role_arn: this role is not on S3SCAN_ALLOWED_ROLES; ask the operator.
    """
    endpoint = None if access.endpoint_url is None else check_endpoint(access.endpoint_url)
    if endpoint is not None and endpoint not in set(endpoints):
        raise InvalidInput("endpoint_url: this endpoint is not on S3SCAN_ALLOWED_ENDPOINTS; ask the operator.")
    if access.role_arn is not None:
        if not re.fullmatch(ROLE_PATTERN, access.role_arn):
            raise InvalidInput("role_arn: give the ARN of an IAM role: arn:aws:iam::111122223333:role/NAME.")
        if not any(fnmatchcase(access.role_arn, _literal(role)) for role in roles):
            raise InvalidInput("role_arn: this role is not on S3SCAN_ALLOWED_ROLES; ask the operator.")
    if access.external_id is not None and not re.fullmatch(EXTERNAL_ID_PATTERN, access.external_id):
        raise InvalidInput("external_id: 2 to 1,224 letters, digits and +=,.@:/_-.")
    if access.region is not None and not re.fullmatch(
        _SIGNED_REGION_PATTERN if endpoint else REGION_PATTERN, access.region
    ):
        raise InvalidInput("region: give an AWS Region such as eu-west-1.")
    _check_together(access)
    return Access(**{**asdict(access), "endpoint_url": endpoint})


def _check_together(access: Access) -> None:
    if access.external_id is not None and access.role_arn is None:
        raise InvalidInput("external_id: it belongs to a role; give role_arn too, or leave it out.")
    if access.role_arn is not None and access.endpoint_url is not None:
        raise InvalidInput("role_arn: a role opens AWS's own S3 only; leave out role_arn or endpoint_url.")
    if access.anonymous and access.role_arn is not None:
        raise InvalidInput("anonymous: unsigned requests have no role; leave out anonymous or role_arn.")
    if access.anonymous and access.requester_pays:
        raise InvalidInput("anonymous: S3 must know who pays; leave out anonymous or requester_pays.")


def check_endpoint(url: str) -> str:
    """``scheme://host[:port]`` in lower case; InvalidInput when it is anything but an HTTP(S) origin.

    Examples:
        >>> check_endpoint("HTTPS://minio.example:9000/")
        'https://minio.example:9000'
    """
    wrong = InvalidInput("endpoint_url: give http(s)://HOST or http(s)://HOST:PORT, nothing behind it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if (
        parts.scheme not in {"http", "https"}
        or not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", parts.hostname or "")
        or parts.path not in {"", "/"}
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
        or not url.isprintable()
    ):
        raise wrong
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port else "")


def _literal(role: str) -> str:
    """The pattern with only ``*`` special."""
    return role.replace("[", "[[]").replace("?", "[?]")
