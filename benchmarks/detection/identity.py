"""Numbers of persons and firms in the USA, as the SSA and the IRS issue them and as people write them."""

from __future__ import annotations

from random import Random

from benchmarks.detection.chance import UPPER, chars, digits, patterned
from benchmarks.detection.labels import Piece, Status

#: Published in advertisements, forms and manuals: never expected.
PUBLISHED_SSN = ("078051120", "219099999", "123456789", "111111111", "123121234", "457555462", "987654320")
#: Dashed most often, as in every set that was looked at.
SSN_FORMS = {"dashed": "{}-{}-{}", "spaced": "{} {} {}", "plain": "{}{}{}", "dotted": "{}.{}.{}"}
EIN_PREFIXES = (10, 12, 20, 26, 27, 30, 32, 35, 36, 37, 38, 39, 40, 44, 45, 46, 47, 48, 50, 53, 54, 57, 58, 59, 61, 62)
ITIN_GROUPS = (*range(50, 66), *range(70, 89), 90, 91, 92, *range(94, 100))
#: Driving licences by State, from the AAMVA's published formats.
LICENCES = {
    "CA": "%#######", "NY": "### ### ###", "FL": "%###-###-##-###-#", "IL": "%###-####-####", "TX": "########",
    "NJ": "%#### ##### #####", "MI": "%### ### ### ###", "WA": "WDL%%%%###%%", "OH": "%%######", "PA": "## ### ###",
    "MA": "S########", "VA": "%########", "CO": "##-###-####", "WI": "%###-####-####-##", "MD": "%-###-###-###-###",
}  # fmt: skip


def ssn_digits(r: Random) -> str:
    """Nine digits that the SSA may have issued (areas 001-899 but 666, no zero groups), not published as an example."""
    while True:
        area = r.choice([n for n in range(1, 900) if n != 666])  # noqa: PLR2004
        number = f"{area:03}{r.randrange(1, 100):02}{r.randrange(1, 10000):04}"
        if number not in PUBLISHED_SSN and len(set(number)) > 2:  # noqa: PLR2004
            return number


def ssn(r: Random, how: str = "") -> Piece:
    """A Social Security number; ``how``: dashed (default), spaced, plain, dotted, bare (plain, without a word near)."""
    kind = how or "dashed"
    form = SSN_FORMS["plain" if kind == "bare" else kind]
    number = ssn_digits(r)
    text = form.format(number[:3], number[3:5], number[5:])
    return Piece(text, "us.ssn", kind, Status.GRADED if kind == "bare" else Status.VALUE)


def itin(r: Random, how: str = "") -> Piece:
    """An ITIN: 9xx, and a group of the IRS's ranges."""
    parts = f"9{digits(r, 2)}", f"{r.choice(ITIN_GROUPS)}", digits(r, 4)
    return Piece(SSN_FORMS[how or "dashed"].format(*parts), "us.itin", how or "dashed", Status.VALUE)


def ein(r: Random, how: str = "") -> Piece:
    """An EIN with a prefix of the IRS's list."""
    text = f"{r.choice(EIN_PREFIXES)}{'' if how == 'plain' else '-'}{digits(r, 7)}"
    return Piece(text, "us.ein", how or "dashed", Status.VALUE)


def passport(r: Random, _: str = "") -> Piece:
    """A US passport number: nine digits, or a letter and eight (next generation)."""
    text = r.choice((digits(r, 9), chars(r, "ACEHXYZ", 1) + digits(r, 8)))
    return Piece(text, "us.passport", "letter" if text[0] in UPPER else "digits", Status.VALUE)


def drivers_license(r: Random, _: str = "") -> Piece:
    """A driving licence of one of the States."""
    state = r.choice(list(LICENCES))
    return Piece(patterned(r, LICENCES[state]), "us.drivers_license", state, Status.VALUE)
