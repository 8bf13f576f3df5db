"""Names of people, told from names in programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Verdict = tuple[int, bool] | None

# NextToken, CustomerName: capitals inside a word, but for McDonald, MacLeod, DeVito, O'Brien and hyphens.
_CAMEL: Final = re.compile(rb"(?<![A-Za-z])(?!(?:Mc|Mac|De|Di|Le|La|Van|Fitz|Du)[A-Z])[A-Za-z]*[a-z][A-Z]")
_NO_NAMES: Final = frozenset(
    b"none null nil true false undefined string text str int integer number object array id name value key type any"
    b" unknown required optional empty default example test varchar char field column label title untitled this not the"
    b" a an is was has and or of in to for no yes please enter your first last full given family customer user"
    b" firstname lastname surname fullname username nickname qualified".split()
)


def person_name(value: bytes, _left: bytes, _right: bytes) -> Verdict:
    """Words that can be a name: none of a program's or a form's, no capitals inside but those of names.

    Examples:
        >>> person_name(b"Jane McDonald", b"", b""), person_name(b"DestinationBlock", b"", b"")
        ((13, False), None)
        >>> person_name(b"None", b"", b"") is None
        True
    """
    words = re.split(rb"[ ,.]+", value.lower())
    if _CAMEL.search(value) or not _NO_NAMES.isdisjoint(words):
        return None
    return len(value), False


#: Name in a rule's field ``validator`` → function.
CHECKS: Final[dict[str, Callable[[bytes, bytes, bytes], Verdict]]] = {"person_name": person_name}
