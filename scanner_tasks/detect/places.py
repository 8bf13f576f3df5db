"""Dates and network addresses, told from versions and other numbers with points."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner_tasks.detect.checksums import is_day

if TYPE_CHECKING:
    from collections.abc import Callable

    Verdict = tuple[int, bool] | None

_MONTHS: Final = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
_WORD: Final = re.compile(rb"[A-Za-z]{3,9}")
_NUMBER: Final = re.compile(rb"[0-9]+")
_YEARS: Final = range(1900, 2030)
# What stands directly before a version: package==, v, ^ ~ < >, name-, "version": ".
_VERSION_BEFORE: Final = re.compile(
    rb"(?i)(?:[=<>~^!]=?[ ]?|(?:^|[^a-z])v(?:er(?:sion)?s?)?[ .:=\"'-]{0,4}|version[\"']?[ ]?[:=]?[ ]?[\"']?|release[ ]"
    rb"|[a-z0-9][-_/]|\.|rev[ .]|section |chapter |figure |table )\Z"
)
_ASSIGNED: Final = re.compile(
    rb"(?i)(?:ip|addr|address|host|server|gateway|dns|client|remote|src|dst|from|to)[a-z_]{0,8}[\"']?[ ]?=[ ]?\Z"
)
_SMALL: Final = 32
_LEAST_LARGE: Final = 2
_PRIVATE: Final = 10
#: Bytes before an address in which a word for a version, or a name that it is assigned to, may stand.
_LABEL_BYTES: Final = 24


def ipv4(value: bytes, left: bytes, right: bytes) -> Verdict:
    """Four octets of a host; not after ``v`` or ``==``.

    Nobody's: loopback, 0.0.0.0/8, multicast and what is reserved, so netmasks too. Private addresses and those kept for
    documentation are told: they stand in records of people, real or made up. Doubtful, so that a keyword must vouch:
    networks (the last octet is 0), and fewer than two octets above 31, as in versions and numbers of sections; one
    address in 150 is like that.

    Examples:
        >>> ipv4(b"203.0.113.9", b"from ", b""), ipv4(b"1.2.3.4", b"", b""), ipv4(b"203.0.113.9", b"pkg==", b"")
        ((11, False), (7, True), None)
    """
    octets = [int(part) for part in value.split(b".")]
    if max(octets) > 255 or octets[0] in {0, 127} or octets[0] >= 224:  # noqa: PLR2004
        return None
    if (right[:1] in {b".", b"-", b"_"} and right[1:2].isalnum()) or right[:1] in {b"%", b"+"}:
        return None
    left = left[-_LABEL_BYTES:]
    if not _ASSIGNED.search(left) and _VERSION_BEFORE.search(left):
        return None
    large = (octets[0] >= _SMALL) + (octets[1] >= _SMALL) + (octets[2] >= _SMALL) + (octets[3] >= _SMALL)
    # The first octet of a private address is always the same.
    least = 1 if octets[0] == _PRIVATE else _LEAST_LARGE
    return len(value), large < least or octets[3] == 0


def ipv6(value: bytes, _left: bytes, right: bytes) -> Verdict:
    """Eight groups or fewer with one ``::``; a global or local address.

    Examples:
        >>> ipv6(b"2001:db8::8a2e:370:7334", b"", b""), ipv6(b"12:34:56", b"", b""), ipv6(b"::1", b"", b"")
        ((23, False), None, None)
    """
    if value.count(b"::") > 1 or b":::" in value or right[:1] == b":":
        return None
    groups = [group for group in value.split(b":") if group]
    complete = len(groups) == 8 or (b"::" in value and 3 <= len(groups) < 8)  # noqa: PLR2004
    return (len(value), False) if complete and re.match(rb"[23fF][0-9A-Fa-f]{3}:", value) else None


def mac_address(value: bytes, left: bytes, right: bytes) -> Verdict:
    """Six pairs of hexadecimal digits; no broadcast, no null, no part of a longer fingerprint.

    Examples:
        >>> mac_address(b"00:1b:63:84:45:e6", b"", b""), mac_address(b"00:1b:63:84:45:e6", b"a1:", b"")
        ((17, False), None)
    """
    if left[-1:] in {b":", b"-"} or right[:1] in {b":", b"-"} or len(set(value.lower())) < 5:  # noqa: PLR2004
        return None
    return len(value), False


def date(value: bytes, _left: bytes, right: bytes) -> Verdict:
    """A day that exists, in the years 1900 to 2029, whatever order its parts stand in; no time after it.

    Examples:
        >>> date(b"1980-02-29", b"", b""), date(b"31/12/1979", b"", b""), date(b"May 5, 1980", b"", b"")
        ((10, False), (10, False), (11, False))
        >>> date(b"1980-13-13", b"", b"") is None
        True
    """
    numbers = [int(number) for number in _NUMBER.findall(value)]
    word = _WORD.search(value)
    if word:
        month = next((n for n, name in enumerate(_MONTHS, 1) if word[0].lower().startswith(name)), 0)
        fits = len(numbers) == 2 and is_day(month, min(numbers)) and max(numbers) in _YEARS  # noqa: PLR2004
        return (len(value), False) if fits else None
    if len(numbers) == 1:  # YYYYMMDD
        numbers = [numbers[0] // 10000, numbers[0] // 100 % 100, numbers[0] % 100]
    year, a, b = numbers if numbers[0] > 31 else (numbers[2], *numbers[:2])  # noqa: PLR2004
    if year in _YEARS and (is_day(a, b) or is_day(b, a)) and right[:1] != b"/":
        return len(value), False
    return None


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes, bytes, bytes], Verdict]]] = {
    "date": date,
    "ipv4": ipv4,
    "ipv6": ipv6,
    "mac_address": mac_address,
}
