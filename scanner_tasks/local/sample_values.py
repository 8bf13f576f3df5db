"""Made-up values that a detector must find, and look-alikes that it must not.

Nothing here is anybody's: numbers are drawn by chance, telephone numbers are of the range kept for fiction
(555-01xx), mail goes to the domains kept for examples. Values have the plainest shape of their kind; look-alikes break
a rule of the format (a check digit, an impossible area), so that neither leaves room for opinion.
"""

from __future__ import annotations

import string
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

T = TypeVar("T")

SSN = "us.ssn"
CARD = "payment.card"
ACCESS_KEY = "aws.access_key_id"
SECRET_KEY = "aws.secret_access_key"  # noqa: S105 (a rule's name)
EMAIL = "contact.email"
PHONE = "contact.phone"

_BASE32 = string.ascii_uppercase + "234567"
_ALNUM = string.ascii_letters + string.digits
_FIRST = ("ada", "boris", "carla", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas", "kira", "liam", "mona")
_LAST = ("abbott", "bauer", "castro", "dubois", "evans", "fischer", "garcia", "hansen", "ivanov", "jensen", "kowalski")
_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
_AREAS = (202, 206, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 718, 773, 808, 916, 954)
#: Prefix, number of digits, and the groups in which the number is printed on the card.
_ISSUERS = (("4", 16, (4, 4, 4, 4)), ("53", 16, (4, 4, 4, 4)), ("37", 15, (4, 6, 5)), ("6011", 16, (4, 4, 4, 4)))


def pick(rng: Random, items: tuple[T, ...]) -> T:
    """One of the items."""
    return items[rng.randrange(len(items))]


def characters(rng: Random, alphabet: str, count: int) -> str:
    """That many characters of the alphabet."""
    return "".join(alphabet[rng.randrange(len(alphabet))] for _ in range(count))


def name(rng: Random) -> str:
    """A person's name, now and then with a letter outside ASCII."""
    return f"{pick(rng, _FIRST)} {pick(rng, (*_LAST, 'müller', 'nuñez', '佐藤'))}".title()


def ssn(rng: Random) -> str:
    """A social security number of a possible area, group and serial."""
    area = rng.randrange(100, 600)
    return f"{area}-{rng.randrange(11, 99):02d}-{rng.randrange(1001, 9998):04d}"


def impossible_ssn(rng: Random) -> str:
    """The shape of one, with an area, group or serial that is never issued (and is no taxpayer number either)."""
    area, group, serial = rng.randrange(100, 600), rng.randrange(11, 49), rng.randrange(1001, 9998)
    return pick(
        rng,
        (
            f"000-{group}-{serial}",
            f"666-{group}-{serial}",
            f"{900 + area % 100}-{group}-{serial}",
            f"{area}-00-{serial}",
            f"{area}-{group}-0000",
        ),
    )


def luhn_digit(digits: str) -> int:
    """The check digit that makes ``digits`` pass the Luhn check.

    Examples:
        >>> luhn_digit("7992739871")
        3
    """
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 (digits of the product)
    return -total % 10


def card(rng: Random, *, wrong_by: int = 0) -> str:
    """A payment card number with its check digit, plain or in printed groups; ``wrong_by`` spoils the check digit."""
    prefix, length, groups = pick(rng, _ISSUERS)
    body = prefix + characters(rng, string.digits, length - len(prefix) - 1)
    digits = body + str((luhn_digit(body) + wrong_by) % 10)
    separator = pick(rng, ("", " ", "-"))
    if not separator:
        return digits
    parts, at = [], 0
    for size in groups:
        parts.append(digits[at : at + size])
        at += size
    return separator.join(parts)


def access_key(rng: Random) -> str:
    """The id of an AWS access key."""
    return "AKIA" + characters(rng, _BASE32, 16)


def secret_key(rng: Random) -> str:
    """The secret of an AWS access key: 40 characters, with capitals, small letters and digits among them."""
    while True:
        value = characters(rng, _ALNUM, 1) + characters(rng, _ALNUM + "/+", 38) + characters(rng, _ALNUM, 1)
        classes = (str.isupper, str.islower, str.isdigit)
        if all(sum(map(claim, value)) >= 4 for claim in classes):  # noqa: PLR2004 (what chance gives nearly always)
            return value


def email(rng: Random) -> str:
    """An address at a domain that is kept for examples."""
    return f"{pick(rng, _FIRST)}.{pick(rng, _LAST)}{rng.randrange(10, 9999)}@{pick(rng, _DOMAINS)}"


def phone(rng: Random) -> str:
    """A North American telephone number of the range that is kept for fiction."""
    area, line = pick(rng, _AREAS), f"01{rng.randrange(100):02d}"
    return pick(rng, (f"({area}) 555-{line}", f"+1 {area}-555-{line}"))


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A made-up point in time in the forms that files use."""

    iso: str
    milliseconds: int


def moment(rng: Random) -> Moment:
    """A moment of the year 2025."""
    month, day, hour, minute, second = (rng.randrange(low, high) for low, high in _CLOCK)
    iso = f"2025-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"
    return Moment(iso=iso, milliseconds=1_735_689_600_000 + rng.randrange(31_536_000_000))


_CLOCK = ((1, 13), (1, 29), (0, 24), (0, 60), (0, 60))


def uuid4(rng: Random) -> str:
    """A random UUID."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def look_alike(rng: Random) -> str:
    """A phrase of a kind that careless patterns take for data."""
    return pick(rng, _LOOK_ALIKES)(rng)


_LOOK_ALIKES: tuple[Callable[[Random], str], ...] = (
    lambda rng: f"order ORD-2025-{rng.randrange(10**7, 10**8)}",
    lambda rng: f"request {uuid4(rng)}",
    lambda rng: f"commit {rng.getrandbits(160):040x}",
    lambda rng: f"sha256 {rng.getrandbits(256):064x}",
    lambda rng: f"at {moment(rng).milliseconds} ms",
    lambda rng: f"version {rng.randrange(20)}.{rng.randrange(100)}.{rng.randrange(1000)}",
    lambda rng: f"voucher {card(rng, wrong_by=rng.randrange(1, 10))} void",
    lambda rng: f"sample {impossible_ssn(rng)} rejected",
    # Area codes and exchanges never begin with 0 or 1.
    lambda rng: f"part 1{rng.randrange(10, 99)}-0{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}",
    lambda rng: f"key AKIA{characters(rng, _BASE32, 9)} cut short",
    lambda rng: "aws_secret_access_key = ${AWS_SECRET}",  # noqa: ARG005 (one shape for all)
    lambda rng: f"thanks @{pick(rng, _FIRST)}, ratio {rng.random():.8f}",
)
