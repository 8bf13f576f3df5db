"""Buckets as the account shows them, and which of them a request means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.names import check_bucket

#: Buckets of one request, and entries that name them.
MAX_BUCKETS, MAX_NAMES = 1000, 100
_PATTERN = re.compile(r"[a-z0-9.*?-]{1,63}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """A bucket that the role can see."""

    name: str
    #: "" where the store has none, or does not tell.
    region: str = ""
    #: ISO 8601 in UTC; "" where untold.
    created_at: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """Who may read a bucket, and how its objects are encrypted. None is not known: ``unknown`` says what would tell."""

    #: True when its policy or its ACL lets everybody in and nothing blocks that.
    public: bool | None
    #: none, AES256, aws:kms or aws:kms:dsse: what new objects get.
    encryption: str | None
    #: Permissions that the role lacks to know more.
    unknown: tuple[str, ...] = ()


def is_public(
    *, policy: bool | None, acl: bool | None, blocks: Mapping[str, bool] | None, account: Mapping[str, bool] | None
) -> bool | None:
    """Whether everybody may read: None when what is not known would decide.

    Args:
        policy: S3 calls the bucket's policy public.
        acl: its ACL grants something to everybody, or to every AWS account.
        blocks: the bucket's public access block; empty when it has none, None when that is not known.
        account: the account's, in the same way.

    Examples:
        >>> is_public(policy=True, acl=False, blocks={}, account={})
        True
        >>> is_public(policy=True, acl=False, blocks={"RestrictPublicBuckets": True}, account=None)
        False
        >>> is_public(policy=True, acl=None, blocks={}, account=None) is None
        True
    """
    told = [_open(policy, "RestrictPublicBuckets", blocks, account), _open(acl, "IgnorePublicAcls", blocks, account)]
    if any(told):
        return True
    return None if None in told else False


def _open(grants: bool | None, name: str, *blocks: Mapping[str, bool] | None) -> bool | None:  # noqa: FBT001
    """True when it grants and nothing blocks it."""
    if grants is False or any(block and block.get(name) for block in blocks):
        return False
    return None if grants is None or None in blocks else True


def is_pattern(name: str) -> bool:
    """True for a name that may mean several buckets."""
    return "*" in name or "?" in name


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names and patterns of buckets as given, each once; InvalidInput says what is wrong.

    Examples:
        >>> check_names(["logs", "prod-*", "logs"])
        ('logs', 'prod-*')
    """
    if not 0 < len(names) <= MAX_NAMES:
        raise InvalidInput(f"buckets: give 1 to {MAX_NAMES} names or patterns such as prod-*; * is every bucket.")
    for name in names:
        if not is_pattern(name):
            check_bucket(name)
        elif not _PATTERN.fullmatch(name):
            raise InvalidInput("buckets: a pattern has a-z, 0-9, hyphen, dot, * for any characters and ? for one.")
    return tuple(dict.fromkeys(names))


def matches(name: str, patterns: Sequence[str]) -> bool:
    """True when one of the patterns is the whole name.

    Examples:
        >>> matches("prod-a", ["prod-*"]), matches("my-prod-a", ["prod-*"]), matches("prod.a", ["prod?a"])
        (True, False, True)
    """
    return any(re.fullmatch(re.escape(p).replace(r"\*", ".*").replace(r"\?", "."), name) for p in patterns)


def check_tags(told: Mapping[str, str] | None, what: str = "bucket_tags") -> dict[str, str]:
    """Tags that a bucket or object must have, ``*`` for any value; InvalidInput names ``what``."""
    for name, value in (told or {}).items():
        if not isinstance(name, str) or not isinstance(value, str) or not 0 < len(name) <= 128 or len(value) > 256:  # noqa: PLR2004 (S3's limits)
            raise InvalidInput(f"{what}: give names of 1 to 128 characters with values of at most 256, or * for any.")
    return dict(told or {})


def has_tags(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """True when every wanted tag is there with its value.

    Examples:
        >>> has_tags({"team": "a", "env": "prod"}, {"env": "prod", "team": "*"}), has_tags({}, {"env": "*"})
        (True, False)
    """
    return all(name in tags and value in {"*", tags[name]} for name, value in wanted.items())
