"""The rights document: which callers hold which roles on which buckets, and the hashes of local tokens.

    {"grants": [{"principals": ["arn:aws:iam::111122223333:role/security"], "role": "admin"},
                {"principals": ["token:ci"], "role": "scanner", "buckets": ["build-*"]}],
     "tokens": {"ci": "sha256:…"}}

A caller in AWS is known by the ARN that API Gateway vouches for. One who assumed a role is meant by the role's ARN,
with or without its path, or by the session's. ``*`` stands for any characters but ``/`` and ``:``, so that no session
name, which its holder chooses, can stand where a role's name is meant.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.rights import Caller, Grant, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Characters of a document.
MAX_DOCUMENT = 256 * 1024
TOKEN_PREFIX = "s3scan_"  # noqa: S105 (what a token begins with)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_PRINCIPAL = re.compile(
    r"\*"
    r"|token:[A-Za-z0-9._*-]{1,64}"
    r"|arn:aws[a-z-]*:iam::([0-9]{12}|\*):(root|(user|role)/[A-Za-z0-9+=,.@_/*-]{1,576})"
    r"|arn:aws[a-z-]*:sts::([0-9]{12}|\*):(assumed-role/[A-Za-z0-9+=,.@_*-]{1,64}/[A-Za-z0-9+=,.@_*-]{1,64}"
    r"|federated-user/[A-Za-z0-9+=,.@_*-]{1,64})"
)
_BUCKET = re.compile(r"[A-Za-z0-9._*?-]{1,255}")
_SESSION = re.compile(r"(arn:aws[a-z-]*):sts::([0-9]{12}):assumed-role/([^/]+)/(.+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    principals: tuple[re.Pattern[str], ...]
    grant: Grant


@dataclass(frozen=True, kw_only=True, slots=True)
class Rights:
    """A document, read."""

    entries: tuple[_Entry, ...] = ()
    #: Name → hash; not shown.
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    def caller(self, name: str) -> Caller:
        """This caller with what is granted to him, which may be nothing."""
        known_as = _names(name)
        grants = [
            entry.grant
            for entry in self.entries
            if any(pattern.fullmatch(one) for pattern in entry.principals for one in known_as)
        ]
        return Caller(name=name, grants=tuple(grants))

    def token_caller(self, token: str) -> Caller | None:
        """Who holds this token; None when nobody does. Compares with every hash, in constant time each."""
        given = hash_token(token)
        found = [name for name, kept in self.tokens.items() if hmac.compare_digest(given, kept)]
        return self.caller(f"token:{found[0]}") if found else None


def read_rights(text: str) -> Rights:
    """A document as JSON text; InvalidInput says what is wrong, without quoting a hash.

    Examples:
        >>> security = "arn:aws:iam::111122223333:role/path/sec"
        >>> rights = read_rights('{"grants": [{"principals": ["' + security + '"], "role": "admin"}]}')
        >>> rights.caller("arn:aws:sts::111122223333:assumed-role/sec/ada").grants
        (Grant(role=<Role.ADMIN: 'admin'>, buckets=('*',)),)
        >>> rights.caller("arn:aws:sts::111122223333:assumed-role/other/sec").grants
        ()
    """
    if len(text) > MAX_DOCUMENT:
        raise InvalidInput(f"rights: the document has over {MAX_DOCUMENT:,} characters.")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("rights: the document is not JSON.") from None
    _only(told, {"grants", "tokens"}, "rights")
    tokens = told.get("tokens", {})
    if not isinstance(tokens, dict):
        raise InvalidInput('rights.tokens: give an object such as {"ci": "sha256:…"}.')
    for name, kept in tokens.items():
        if not _NAME.fullmatch(name) or not isinstance(kept, str) or not _HASH.fullmatch(kept):
            raise InvalidInput("rights.tokens: a name of letters and digits, and what `s3scan rights token` printed.")
    grants = told.get("grants")
    if not isinstance(grants, list):
        raise InvalidInput("rights.grants: give a list of grants.")
    entries = tuple(_entry(one, f"rights.grants[{n}]") for n, one in enumerate(grants))
    return Rights(entries=entries, tokens=tokens)


def check_token_name(name: str) -> str:
    """The name if a token may have it; else InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput("A token's name has 1 to 64 letters, digits, dots, hyphens and underscores.")
    return name


def hash_token(token: str) -> str:
    """What a document keeps of a token, which is random and long: a plain hash cannot be turned back.

    Examples:
        >>> hash_token("s3scan_example")[:20]
        'sha256:c6c6390b6a252'
    """
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


def _entry(told: Any, where: str) -> _Entry:
    _only(told, {"principals", "role", "buckets"}, where)
    principals, role, buckets = told.get("principals"), told.get("role"), told.get("buckets", ["*"])
    if role not in {*Role}:
        raise InvalidInput(f"{where}.role: one of {', '.join(Role)}.")
    if not _are_texts(principals) or not all(_PRINCIPAL.fullmatch(one) for one in principals):
        raise InvalidInput(
            f"{where}.principals: a list of ARNs of IAM roles, users or sessions, token:NAME, or * for every caller."
        )
    if not _are_texts(buckets) or not all(_BUCKET.fullmatch(one) for one in buckets):
        raise InvalidInput(f"{where}.buckets: a list of names or patterns such as team-*; leave it out for all.")
    return _Entry(
        principals=tuple(_pattern(one) for one in principals), grant=Grant(role=Role(role), buckets=tuple(buckets))
    )


def _are_texts(told: Any) -> bool:
    return isinstance(told, list) and bool(told) and all(isinstance(one, str) for one in told)


def _only(told: Any, names: set[str], where: str) -> None:
    if not isinstance(told, dict) or set(told) - names:
        raise InvalidInput(f"{where}: it takes {', '.join(sorted(names))}; nothing else.")


def _pattern(principal: str) -> re.Pattern[str]:
    if principal == "*":
        return re.compile(".*")
    return re.compile(re.escape(_without_path(principal)).replace(r"\*", "[^:/]*"))


def _without_path(arn: str) -> str:
    """A role's ARN without its path, which sessions do not name."""
    head, role, rest = arn.partition(":role/")
    return head + role + rest.rpartition("/")[2]


def _names(caller: str) -> tuple[str, ...]:
    """What a caller is known as: himself, and the role that he assumed."""
    session = _SESSION.fullmatch(caller)
    if session is None:
        return (_without_path(caller),)
    partition, account, role, _ = session.groups()
    return (caller, f"{partition}:iam::{account}:role/{role}")
