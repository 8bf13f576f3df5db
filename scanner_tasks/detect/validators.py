"""Checks that a pattern cannot express: checksums, issuer and area ranges, and neighbours that speak against a value.

A validator sees the value and up to NEIGHBOURHOOD bytes on both sides. It answers None (not a value), or how many bytes
of the value it accepts and whether a keyword must vouch for it. It never looks further, so that where a text is cut
into windows cannot change its answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.detect import (
    banking,
    cards,
    health,
    ids_americas,
    ids_asia_africa,
    ids_europe,
    ids_nordic_east,
    passwords,
    persons,
    phones,
    places,
    tokens,
    vehicles,
    wallets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes on each side of the value that a validator is shown.
NEIGHBOURHOOD: Final = 96


class Accepted(NamedTuple):
    """A value that stands up to its checks."""

    #: Bytes of the value, from its start, that belong to it.
    length: int
    #: True if it looks so ordinary that only a keyword near it makes it a finding.
    weak: bool = False


_SEPARATED = re.compile(rb"[^0-9]")
_FIRST_UNASSIGNED_AREA: Final = b"900"
_SPACE_DIGIT_BEFORE = re.compile(rb"[0-9][ \t]\Z")
_GROUP_BEFORE = re.compile(rb"[0-9][ \t-]\Z")
_SPACE_DIGIT_AFTER = re.compile(rb"[ \t][0-9]")


def us_ssn(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """Area, group and serial in range, and no part of something longer.

    Examples:
        >>> us_ssn(b"536-22-8726", b"ssn: ", b"")
        Accepted(length=11, weak=False)
        >>> us_ssn(b"536-22-8726", b"12-", b""), us_ssn(b"000-22-8726", b"", b"")
        (None, None)
    """
    digits = _SEPARATED.sub(b"", value)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in {b"000", b"666"} or area >= _FIRST_UNASSIGNED_AREA or group == b"00" or serial == b"0000":
        return None
    if len(set(digits)) == 1:
        return None
    doubt = neighbours(left, right)
    if doubt is None or (right[:1] == b"/" and right[1:2].isdigit()):
        return None
    if b" " in value and (_SPACE_DIGIT_BEFORE.search(left) or _SPACE_DIGIT_AFTER.match(right)):
        doubt = True
    return Accepted(len(value), doubt)


def payment_card(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """The longest start of the value that is a card: grouping, issuer range, length and Luhn digit fit.

    Examples:
        >>> payment_card(b"4111 1111 1111 1111 12", b"", b"/28")
        Accepted(length=19, weak=False)
        >>> payment_card(b"4111111111111112", b"", b"") is None
        True
    """
    found = cards.card_prefix(value)
    if found is None:
        return None
    length, certain = found
    right = value[length:] + right
    doubt = neighbours(left, right)
    if doubt is None:
        return None
    doubt = doubt or not certain or cards.in_row_of_numbers(value[:length], left, right)
    return Accepted(length, doubt)


def phone(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """A North American number by its plan, or ``+`` with a country code and a length that exist.

    Examples:
        >>> phone(b"(415) 555-2671", b"", b"")
        Accepted(length=14, weak=False)
        >>> phone(b"415-555-2671", b"1234-", b"") is None
        True
    """
    certain = phones.number_certainty(value)
    if certain is None:
        return None
    doubt = neighbours(left, right)
    if doubt is None or (value.isdigit() and not certain):
        return None
    if value[:2] == b"00" and (_GROUP_BEFORE.search(left) or _SPACE_DIGIT_AFTER.match(right)):
        return None  # groups of a longer number, one of which begins with 00
    if b"-" not in value and b"(" not in value and value[:1] != b"+":
        doubt = doubt or bool(_SPACE_DIGIT_BEFORE.search(left) or _SPACE_DIGIT_AFTER.match(right))
    return Accepted(len(value), doubt or not certain)


# What an address cannot begin after: then it is the rest of something that is none.
_CUT_SHORT = re.compile(rb"(?:[A-Za-z0-9_%+-]|[A-Za-z0-9_%+'-]\.)\Z")
_USERINFO = re.compile(rb"://[^\s/@\"'<>,;|]*\Z")
# Endings of files and systemd units that follow an @ in names such as image@2x.png and getty@tty1.service.
_NOT_TOP_LEVEL: Final = frozenset(
    b"png jpg jpeg gif svg webp ico bmp css scss less js mjs cjs jsx ts tsx vue json yaml yml toml xml html htm md txt"
    b" csv log lock map min gz tgz zip tar jar war whl exe dll so conf cfg ini service socket target timer mount"
    b" slice scope device path swap php py rb java class cpp hpp".split()
) - {b"py", b"rb", b"md", b"so", b"zip"}  # countries (and .zip) have these; versions before them are digits


def email(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """An address whose domain is one, and that is neither a file name, a Git remote nor a URL's user part.

    Examples:
        >>> email(b"jane@example.com", b"<", b">")
        Accepted(length=16, weak=False)
        >>> email(b"image@2x.png", b"", b""), email(b"git@github.com", b"", b":org/repo.git")
        (None, None)
    """
    local, _, domain = value.rpartition(b"@")
    labels = domain.lower().split(b".")
    if labels[0].isdigit() and labels[1].isdigit():  # a version: package@1.2.3-rc.one
        return None
    if labels[-1] in _NOT_TOP_LEVEL or any(label[:1] == b"-" or label[-1:] == b"-" for label in labels):
        return None
    if left[-1:] == b"@" or (_CUT_SHORT.search(left) and not _escape_ends(left)):
        return None
    if local == b"git" and right[:1] in {b":", b"/"}:
        return None
    if _USERINFO.search(left):
        return None
    return Accepted(len(value))


_KINDS_IN_KEY_ID: Final = 5


def aws_access_key_id(value: bytes, _left: bytes, _right: bytes) -> Accepted | None:
    """Not a placeholder of few different letters.

    Examples:
        >>> aws_access_key_id(b"AKIAXXXXXXXXXXXXXXXX", b"", b"") is None
        True
    """
    return Accepted(len(value)) if len(set(value[4:])) >= _KINDS_IN_KEY_ID else None


_KINDS_IN_SECRET: Final = 16
# Runs of one kind of character: chance gives 26 and almost never fewer than 16; words and paths have fewer.
_RUNS_IN_SECRET: Final = 16
_RUNS = re.compile(rb"[A-Z]+|[a-z]+|[0-9]+|[+/]+")
_UPPER, _LOWER, _DIGIT = (re.compile(c) for c in (rb"[A-Z]", rb"[a-z]", rb"[0-9]"))


def aws_secret_access_key(value: bytes, _left: bytes, _right: bytes) -> Accepted | None:
    """Upper and lower case, digits, and as mixed as chance makes them.

    Examples:
        >>> aws_secret_access_key(b"da39a3ee5e6b4b0d3255bfef95601890afd80709", b"", b"") is None
        True
    """
    plain = value.replace(b"\\/", b"/")
    mixed = _UPPER.search(plain) and _LOWER.search(plain) and _DIGIT.search(plain)
    if not mixed or len(set(plain)) < _KINDS_IN_SECRET or len(_RUNS.findall(plain)) < _RUNS_IN_SECRET:
        return None
    return Accepted(len(value))


_HEX_ESCAPE_AFTER = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPE_BEFORE = re.compile(rb"(?:\\[nrt]|%[0-9A-Fa-f]{2}|\\u[0-9a-f]{4})\Z")


def _escape_ends(left: bytes) -> bool:
    return _ESCAPE_BEFORE.search(left) is not None


def neighbours(left: bytes, right: bytes) -> bool | None:
    """What stands directly beside a number: False is fine, True is doubtful, None means part of something else.

    Examples:
        >>> neighbours(b"ssn=", b""), neighbours(b"REF-", b""), neighbours(b"0.", b"")
        (False, True, None)
    """
    doubt = False
    if left and not _escape_ends(left):
        c, before = left[-1:], left[-2:-1]
        if c in b"+$@*" or (c in b"-." and before.isdigit()):
            return None
        if left.endswith((b"\xc2\xa3", b"\xe2\x82\xac")):  # £ €
            return None
        doubt = c in b"#/_\\" or (c in b"-." and before.isalpha())
    if right:
        c, after = right[:1], right[1:2]
        if c == b"@" or (c == b"-" and after.isalnum()) or (c == b"." and after.isdigit()):
            return None
        if c == b"%" and not _HEX_ESCAPE_AFTER.match(right):
            return None
        doubt = doubt or (c == b"_" and after.isalnum())
    return doubt


_NOT_ALPHANUMERIC = re.compile(rb"[^0-9A-Za-z]+")


def _number(check: Callable[[bytes], bool]) -> Callable[[bytes, bytes, bytes], Accepted | None]:
    """A check of a compact number (capitals, no separators), and of what stands directly beside it."""

    def validate(value: bytes, left: bytes, right: bytes) -> Accepted | None:
        if not check(_NOT_ALPHANUMERIC.sub(b"", value).upper()):
            return None
        doubt = neighbours(left, right)
        return None if doubt is None else Accepted(len(value), doubt)

    validate.__doc__ = check.__doc__
    return validate


def _exact(check: Callable[[bytes], bool]) -> Callable[[bytes, bytes, bytes], Accepted | None]:
    """A check of a value whose letters have their case."""

    def validate(value: bytes, _left: bytes, _right: bytes) -> Accepted | None:
        return Accepted(len(value)) if check(value) else None

    validate.__doc__ = check.__doc__
    return validate


def _text(
    check: Callable[[bytes, bytes, bytes], tuple[int, bool] | None],
) -> Callable[[bytes, bytes, bytes], Accepted | None]:
    """A check that sees the neighbourhood itself."""

    def validate(value: bytes, left: bytes, right: bytes) -> Accepted | None:
        found = check(value, left, right)
        return None if found is None else Accepted(*found)

    validate.__doc__ = check.__doc__
    return validate


#: Name in a rule's field ``validator`` → function of value, left and right neighbourhood.
VALIDATORS: Final[dict[str, Callable[[bytes, bytes, bytes], Accepted | None]]] = {
    "aws_access_key_id": aws_access_key_id,
    "aws_secret_access_key": aws_secret_access_key,
    "email": email,
    "payment_card": payment_card,
    "phone": phone,
    "us_ssn": us_ssn,
    "iban": _text(banking.iban),
    **{
        name: _number(check)
        for family in (banking, health, ids_americas, ids_asia_africa, ids_europe, ids_nordic_east, vehicles)
        for name, check in family.CHECKS.items()
    },
    **{name: _exact(check) for name, check in wallets.CHECKS.items()},
    **{name: _text(check) for family in (passwords, persons, places, tokens) for name, check in family.CHECKS.items()},
}

#: Name of a validator whose check numbers pass by chance, one in ten → what tells the others by their check digit.
MISSES: Final[dict[str, Callable[[bytes], bool]]] = {"payment_card": cards.misses_check_digit}


def described(name: str) -> str:
    """What a validator wants, in a sentence.

    Examples:
        >>> described("us_ssn")
        'Area, group and serial in range, and no part of something longer.'
    """
    return (VALIDATORS[name].__doc__ or "").partition("\n")[0].replace("``", "`")
