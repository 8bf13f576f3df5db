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
    #: True if only the name of its column can vouch for it.
    columnar: bool = False


_SEPARATED = re.compile(rb"[^0-9]")
_SEPARATORS = re.compile(rb"[^0-9]+")
_FIRST_UNASSIGNED_AREA: Final = b"900"
_SPACE_DIGIT_BEFORE = re.compile(rb"[0-9] \Z")
_GROUP_BEFORE = re.compile(rb"[0-9][ -]\Z")
_SPACE_DIGIT_AFTER = re.compile(rb" [0-9]")
_GROUPS_BEFORE = re.compile(rb"(?:[0-9]{2,5} ){2}\Z")
#: Letters and a hyphen before a number make it somebody's own number, unless they are its name.
_PREFIX_BEFORE = re.compile(rb"([A-Za-z]{1,16})[-_]\Z")
_SSN_BEFORE = re.compile(rb"(?:\A|[^0-9A-Za-z.\-])[0-9]{3}-[0-9]{2}-[0-9]{4}/\Z")
_SSN_AFTER = re.compile(rb"/[0-9]{3}-[0-9]{2}-[0-9]{4}(?:[^0-9A-Za-z]|\Z)")
_COUNTRY_CODE_BEFORE = re.compile(rb"\+[0-9]{1,3} \Z")
_SSN_NAMES: Final = frozenset((b"ssn", b"ss", b"social", b"security", b"socsec", b"no", b"number", b"nr", b"id"))


def us_ssn(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """Area, group and serial in range, and no part of something longer.

    Examples:
        >>> us_ssn(b"536-22-8726", b"ssn: ", b"")
        Accepted(length=11, weak=False, columnar=False)
        >>> us_ssn(b"536-22-8726", b"12-", b""), us_ssn(b"000-22-8726", b"", b"")
        (None, None)
    """
    digits = _SEPARATED.sub(b"", value)
    if _is_of_another(value, left):
        return None
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in {b"000", b"666"} or area >= _FIRST_UNASSIGNED_AREA or group == b"00" or serial == b"0000":
        return None
    if len(set(digits)) == 1:
        return None
    if _SSN_BEFORE.search(left):
        left = b" "  # the second of two with a slash between them
    doubt = neighbours(left, right)
    if doubt is None or (right[:1] == b"/" and right[1:2].isdigit() and not _SSN_AFTER.match(right)):
        return None
    if b" " in value and (_SPACE_DIGIT_BEFORE.search(left) or _SPACE_DIGIT_AFTER.match(right)):
        doubt = True
    return Accepted(len(value), doubt)


def _is_of_another(value: bytes, left: bytes) -> bool:
    """Whether letters before a number make it another's (``RMA-``), a country code does, or its separators differ."""
    if value.isdigit():
        return _COUNTRY_CODE_BEFORE.search(left) is not None
    prefix = _PREFIX_BEFORE.search(left)
    separators = _SEPARATORS.findall(value)
    return separators[0].strip() != separators[-1].strip() or (
        prefix is not None and prefix[1].lower() not in _SSN_NAMES
    )


def payment_card(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """The longest start of the value that is a card: grouping, issuer range, length and Luhn digit fit.

    Examples:
        >>> payment_card(b"4111 1111 1111 1111 12", b"", b"/28")
        Accepted(length=19, weak=False, columnar=False)
        >>> payment_card(b"4111111111111112", b"", b"") is None
        True
    """
    found = cards.card_prefix(value) or cards.loose_card(value)
    if found is None:
        return None
    length, certain = found
    right = value[length:] + right
    doubt = neighbours(left, right)
    if doubt is None or _in_iban(value[:length], left, right) or cards.is_tail(value[:length], left, right):
        return None
    doubt = doubt or not certain or cards.in_row_of_numbers(value[:length], left, right)
    return Accepted(length, doubt)


_IBAN_BEFORE = re.compile(rb"(?:[A-Z]{2}[0-9]{2})(?:[ ][0-9A-Z]{4}){0,6}[ ]\Z")


def _in_iban(value: bytes, left: bytes, right: bytes) -> bool:
    """Whether the groups of the value are some of an account number's."""
    begun = _IBAN_BEFORE.search(left) if b" " in value else None
    return begun is not None and banking.iban(begun[0] + value + right[:40].partition(b"\n")[0], b"", b"") is not None


def phone(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    """A North American number by its plan, or ``+`` with a country code and a length that exist.

    Examples:
        >>> phone(b"(415) 555-2671", b"", b"")
        Accepted(length=14, weak=False, columnar=False)
        >>> phone(b"415-555-2671", b"1234-", b"") is None
        True
    """
    certain = phones.number_certainty(value)
    if certain is None and (end := value.find(b" (", _LEAST_PHONE)) > 0 and phones.number_certainty(value[:end]):
        # The next number begins there.
        right, value, certain = value[end:] + right, value[:end], True
    if left[-1:] in {b"#", b"/"} and (value[:1] == b"+" or not left[-2:-1].isalnum()):
        left = b" "  # #415-555-2671, SIP/trunk/+14155552671
    if certain is None or (not certain and value.isdigit()) or not phones.is_laid_out(value):
        return _national_phone(value, left, right)
    if _PHONE_BEFORE.search(left) or left.endswith(b"COM+"):
        left = b" "  # the second of two numbers with a slash between them; EDIFACT
    doubt = neighbours(left, right)
    if doubt is None:
        return None
    if b" " in value and value[:1] != b"+" and _GROUPS_BEFORE.search(left):
        return None
    if _COUNTRY_BEFORE.search(left):
        return None  # the rest of a number that does not stand
    if value[:2] == b"00" and (
        _GROUP_BEFORE.search(left) or _SPACE_DIGIT_AFTER.match(right) or _in_iban(value, left, right)
    ):
        return None  # groups of a longer number, one of which begins with 00
    if b"-" not in value and b"(" not in value and value[:1] != b"+":
        doubt = doubt or bool(_SPACE_DIGIT_BEFORE.search(left) or _SPACE_DIGIT_AFTER.match(right))
    return Accepted(len(value), doubt or not certain)


_LEAST_PHONE: Final = 8
_PHONE_BEFORE = re.compile(rb"[0-9]{3}[ .-][0-9]{4} ?/ ?\Z")
_COUNTRY_BEFORE = re.compile(rb"\+1[ .-]?\Z")
#: A Social Security number, a date.
_GROUPS_OF_OTHERS = re.compile(rb"[0-9]{3}([ .-])[0-9]{2}\1[0-9]{4}|[0-9]{1,2}([ ./-])[0-9]{1,2}\2(?:19|20)[0-9]{2}")


def _national_phone(value: bytes, left: bytes, right: bytes) -> Accepted | None:
    if value[:1] == b"+" or not phones.is_national(value) or neighbours(left, right) is None:
        return None
    if _SPACE_DIGIT_AFTER.match(right) or _GROUPS_OF_OTHERS.fullmatch(value) or _in_iban(value, left, right):
        return None
    return Accepted(len(value), weak=True, columnar=not phones.is_labelled(value, left))


# What an address cannot begin after: then it is the rest of something that is none.
_CUT_SHORT = re.compile(rb"(?:[A-Za-z0-9%+-]|[A-Za-z0-9%+'.-]_{1,64}|[A-Za-z0-9_%+'-]\.)\Z")
_USERINFO = re.compile(rb"(?:://[^\s/@\"'<>,;|]*|//[^\s/@\"'<>,;|]+:)\Z")
#: What is written as addresses are, and names a message or a part of one.
_NAME_OF_MESSAGE = re.compile(
    rb"(?i)(?:message-id|in-reply-to|references|content-id)[\"']?[ \t]{0,2}[:=][^\n]*<[^<>\n]*\Z"
)
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
        Accepted(length=16, weak=False, columnar=False)
        >>> email(b"image@2x.png", b"", b""), email(b"git@github.com", b"", b":org/repo.git"), email(b"a@1", b"", b"")
        (None, None, None)
    """
    local, _, domain = value.rpartition(b"@")
    labels = domain.lower().split(b".")
    if len(labels) == 1 or (labels[0].isdigit() and labels[1].isdigit()):  # a version: package@1.2.3-rc.one
        return None
    if labels[-1] in _NOT_TOP_LEVEL or any(label[:1] == b"-" or label[-1:] == b"-" for label in labels):
        return None
    if left[-1:] == b"@" or (_CUT_SHORT.search(left) and not _escape_ends(left)):
        return None
    if local == b"git" and right[:1] in {b":", b"/"}:
        return None
    if _USERINFO.search(left) or (b"<" in left and _NAME_OF_MESSAGE.search(left)):
        return None
    return Accepted(len(value))


_KINDS_IN_KEY_ID: Final = 5
_SEQUENCE = re.compile(rb"01234567|12345678|ABCDEFGH|QWERTYUI|ABCDEFG0")
_ONE_RUN = re.compile(rb"(.)\1{4}")


def aws_access_key_id(value: bytes, _left: bytes, _right: bytes) -> Accepted | None:
    """Not a placeholder: few different letters, the alphabet, a run of one letter.

    Keys are given out in base 32; made-up ones, and keys replaced in published sets, hold any digit.

    Examples:
        >>> aws_access_key_id(b"AKIAXXXXXXXXXXXXXXXX", b"", b""), aws_access_key_id(b"AKIA0123456789ABCDEF", b"", b"")
        (None, None)
    """
    body = value[4:]
    if (
        len(set(body)) < _KINDS_IN_KEY_ID
        or (b"EXAMPLE" in body and not body.endswith(b"EXAMPLE"))
        or _SEQUENCE.search(body)
        or _ONE_RUN.search(body)
    ):
        return None
    return Accepted(len(value))


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


#: An element of X12 between its separators.
_ELEMENT_BEFORE = re.compile(rb"\*[0-9]{2}\*\Z")


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
        if c in b"$@" or (c in b"-.*+" and before.isdigit() and not (c == b"*" and _ELEMENT_BEFORE.search(left))):
            return None
        if c == b"+" and not before.isalpha():
            return None
        if left.endswith((b"\xc2\xa3", b"\xe2\x82\xac")):  # £ €
            return None
        doubt = c in b"#/_\\" or (c in b"-.+" and before.isalpha())
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
