"""The parts of an occurrence's score as Postgres keeps them: one short text in place of a list of phrases.

    ("pattern", "validator us_ssn", "keyword ssn, 2 before", "confidence high")  ->  "p|v us_ssn|b2 ssn|Ch"

A phrase that has no short form is kept as it is behind a ``=``, so that nothing the engine says is ever lost. Findings
of earlier releases hold the list; both are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHORT: Final = {
    "pattern": "p",
    "weak pattern": "w",
    "doubtful neighbours or range": "d",
    "published test value": "t",
    "confidence low": "Cl",
    "confidence medium": "Cm",
    "confidence high": "Ch",
}
_LONG: Final = {short: phrase for phrase, short in _SHORT.items()}
_KEYWORD: Final = re.compile(r"keyword (.*), (0|[1-9][0-9]*) (before|after)", re.DOTALL)
_PACKED: Final = re.compile(r"([ba])([0-9]+) (.*)", re.DOTALL)
_PREFIXES: Final = {"v ": "validator ", "h ": "column header ", "n ": "no keyword within "}
#: Between two phrases; a phrase that holds one has it as ``\p``, and its backslashes doubled.
_BETWEEN: Final = "|"
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def pack(evidence: Sequence[str]) -> str:
    """The phrases as one text.

    Examples:
        >>> pack(("weak pattern", "validator us_ssn", "no keyword within 50", "confidence medium"))
        'w|v us_ssn|n 50|Cm'
    """
    return _BETWEEN.join(_packed(phrase).replace("\\", "\\\\").replace(_BETWEEN, r"\p") for phrase in evidence)


def unpack(packed: str) -> tuple[str, ...]:
    """The phrases again.

    Examples:
        >>> unpack("p|v us_ssn|b2 ssn|Ch")
        ('pattern', 'validator us_ssn', 'keyword ssn, 2 before', 'confidence high')
        >>> unpack("")
        ()
    """
    if not packed:
        return ()
    parts = (_ESCAPED.sub(lambda found: _BETWEEN if found[1] == "p" else found[1], p) for p in packed.split(_BETWEEN))
    return tuple(_unpacked(part) for part in parts)


def _packed(phrase: str) -> str:
    if phrase in _SHORT:
        return _SHORT[phrase]
    if found := _KEYWORD.fullmatch(phrase):
        return f"{found[3][0]}{found[2]} {found[1]}"
    for short, long in _PREFIXES.items():
        if phrase.startswith(long):
            return short + phrase.removeprefix(long)
    return f"={phrase}"


def _unpacked(part: str) -> str:
    if part in _LONG:
        return _LONG[part]
    if part.startswith("="):
        return part[1:]
    if found := _PACKED.fullmatch(part):
        return f"keyword {found[3]}, {found[2]} {'before' if found[1] == 'b' else 'after'}"
    return next((long + part[2:] for short, long in _PREFIXES.items() if part.startswith(short)), part)
