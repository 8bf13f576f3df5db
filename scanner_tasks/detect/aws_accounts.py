"""The account that an AWS access key id names, without asking anybody.

Sixteen characters of base 32 stand behind the prefix. In ids made since spring 2019 the first six bytes that they spell
hold the account's number in 40 bits, behind a first bit that is set; in older ones it is not set, and what follows is
something else. First told by Tal Be'ery, "A short note on AWS KEY ID" (2023), whose example is the one below.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

_PREFIX, _LENGTH = 4, 20
#: Of the first 6 bytes: one bit that says "account within", 40 bits, 7 that are something else.
_BYTES: Final = 6
_NEW: Final = 1 << 47
_ACCOUNT: Final = 0x7FFF_FFFF_FF80


def account_of(key_id: str) -> str | None:
    """The twelve digits of the account; None for an id of before 2019, or none at all.

    Examples:
        >>> account_of("ASIAQNZGKIQY56JQ7WML")
        '029608264753'
        >>> account_of("AKIAIOSFODNN7EXAMPLE") is None
        True
    """
    if len(key_id) != _LENGTH:
        return None
    try:
        number = int.from_bytes(base64.b32decode(key_id[_PREFIX:])[:_BYTES], "big")
    except (binascii.Error, ValueError):
        return None
    return f"{(number & _ACCOUNT) >> 7:012d}" if number & _NEW else None


def told_of(rule_id: str, clear: bytes) -> tuple[str, ...]:
    """What the evidence says beside pattern and checks."""
    account = account_of(clear.decode("ascii", "replace")) if rule_id == "aws.access_key_id" else None
    return (f"AWS account {account}",) if account else ()
