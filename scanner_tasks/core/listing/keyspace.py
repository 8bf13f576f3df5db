"""Keys as points of a line: where half of a stretch lies, how much of it is behind us, what stands behind a prefix.

S3 orders keys by their UTF-8 bytes, which is the order of their code points, which is Python's order of ``str``. A cut
is any text, a key or not: ``(low, cut]`` and ``(cut, high]`` hold together exactly what ``(low, high]`` holds.

How keys fill the line is guessed from the token that stands where two of them begin to differ: in ``00f3…`` sixteen
characters come next, in ``dt=2026-01-03`` ten, elsewhere those that keys of this bucket were seen to have. A wrong
guess makes one part larger than the other, nothing else.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

_DIGITS: Final = "0123456789"
_LOWER_HEX, _UPPER_HEX = _DIGITS + "abcdef", _DIGITS + "ABCDEF"
_ALPHANUMERIC: Final = _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz"
_TOKEN: Final = re.compile(r"[0-9A-Za-z]*")
#: Characters behind the first difference that take part in a guess: enough for a page in a billion.
_DEPTH: Final = 12
_FIRST_SURROGATE, _BEHIND_SURROGATES, _LAST = 0xD800, 0xE000, 0x10FFFF


def shared(one: str, other: str) -> int:
    """How many characters the two begin with in common.

    Examples:
        >>> shared("dt=2026-01", "dt=2027"), shared("a", "")
        (6, 0)
    """
    # Doubling and halving compares in C; keys share dozens of characters.
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def behind(prefix: str) -> str | None:
    r"""The least text behind all keys that begin with the prefix; None when there is none.

    Examples:
        >>> behind("dt=2026-01"), behind("a\U0010ffff"), behind("")
        ('dt=2026-02', 'b', None)
    """
    for length in range(len(prefix), 0, -1):
        following = ord(prefix[length - 1]) + 1
        if following == _FIRST_SURROGATE:  # halves of surrogate pairs are no characters
            following = _BEHIND_SURROGATES
        if following <= _LAST:
            return prefix[: length - 1] + chr(following)
    return None


@dataclass(frozen=True, slots=True)
class Scale:
    """A guess of how keys between two texts are spread."""

    #: What all of them begin with.
    prefix: str
    #: Characters that may come next, ascending.
    alphabet: str

    def value(self, key: str | None) -> int:
        """Where a key stands; the end for None, and for what stands behind all that begins with the prefix."""
        base = len(self.alphabet)
        if key is None or not key.startswith(self.prefix):
            return base**_DEPTH
        start = len(self.prefix)
        value = 0
        for place in range(start, start + _DEPTH):
            rank = bisect_left(self.alphabet, key[place]) if place < len(key) else 0
            # Only at the first place may a character stand behind the alphabet: further on it must not carry over.
            value = value * base + (rank if place == start else min(rank, base - 1))
        return value

    def text(self, value: int) -> str:
        """The text that stands there, as short as it can be."""
        base = len(self.alphabet)
        places = []
        for _ in range(_DEPTH):
            value, rank = divmod(value, base)
            places.append(self.alphabet[rank])
        return self.prefix + "".join(reversed(places)).rstrip(self.alphabet[0])


def scale(low: str, high: str | None, *, like: str, prefix: str = "", seen: str = "") -> Scale:
    """How keys behind ``low`` up to ``high`` are spread, as far as a key and the characters ``seen`` tell.

    Args:
        low: a key or a cut.
        high: None for the end of ``prefix``.
        like: a key in the neighbourhood.
        prefix: what all keys of the listing begin with.
        seen: characters of keys of the listing, ascending.

    Examples:
        >>> scale("dt=2026-01-03", "dt=2029", like="dt=2026-01-03")
        Scale(prefix='dt=202', alphabet='0123456789')
        >>> scale("8", None, like="00f3a9c2").alphabet
        '0123456789abcdef'

    Up to the end of all that begins with some text, only what comes behind that text matters:

        >>> scale("dt=2026-01-03", "dt=2026.", like="dt=2026-01-03")
        Scale(prefix='dt=2026-', alphabet='0123456789')
    """
    place = len(prefix) if high is None else max(len(prefix), shared(low, high))
    if high is not None and high == behind(low[: place + 1]):
        place += 1
    return Scale(low[:place], _alphabet(like, place, seen))


def _alphabet(key: str, place: int, seen: str) -> str:
    """Characters that may stand at this place of a key."""
    start = place
    while start and key[start - 1 : start].isalnum() and key[start - 1].isascii():
        start -= 1
    token = _TOKEN.match(key, start)
    text = token[0] if token else ""
    if len(text) <= place - start or not text:  # what stands here is no letter and no digit
        return seen or _ALPHANUMERIC
    if text.isdigit():
        return _DIGITS
    if any(c in _DIGITS for c in text):
        if not text.strip(_LOWER_HEX):
            return _LOWER_HEX
        if not text.strip(_UPPER_HEX):
            return _UPPER_HEX
    return "".join(c for c in seen if c in _ALPHANUMERIC) or _ALPHANUMERIC


def middle(low: str, high: str | None, how: Scale) -> str | None:
    """A text about half-way, strictly between the two; None when there is none on this scale.

    Examples:
        >>> middle("0000000999", "0001", scale("0000000999", "0001", like="0000000999"))
        '00005004995'
        >>> middle("a", "a0", scale("a", "a0", like="abc"))
    """
    first, last = how.value(low), how.value(high)
    if last - first < 2:  # noqa: PLR2004 (nothing between neighbours)
        return None
    text = how.text((first + last) // 2)
    return text if low < text and (high is None or text < high) else None
