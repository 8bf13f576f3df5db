"""Bare numbers that only their check digit speaks against, told apart all together: tables of numbers are full of them.

Each would be found, judged and refused by itself, with the same result. What stands alone between two plain delimiters
and is longer than any group of a grouped number leaves nothing to judge once its check digit fails:

    …, 4111111111111112 ,…    the rule's match is the number and the byte on either side of it, and no value
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import compress
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.detect.cards import issued_prefixes, passes_luhn

if TYPE_CHECKING:
    from collections.abc import Callable

#: Lengths of which ``cards.misses_check_digit`` tells candidates.
_DOUBTED: Final = (15, 16)
_SWAPPED: Final = bytes((1, *bytes(255)))
_DIGITS: Final = b"0123456789"
#: Behind a percent sign the first two digits may be an escaped character.
_DELIMITERS: Final = frozenset(c for c in range(0x80) if not chr(c).isalnum() and c != ord("%"))
#: Lengths of cards, but for the short ones: those may be a group of another number.
_LENGTHS: Final = range(14, 20)
#: Bytes read before an end: the longest number and the byte before it.
_TAIL: Final = 20


class Plain(NamedTuple):
    """What was told of the ends of possible matches."""

    #: The ends that are left to be searched, ascending.
    ends: list[int]
    #: Where the match begins that ends at one of these, and is the only one: no other begins before it and ends later.
    begins: dict[int, int]
    #: Where the matches begin that are no values.
    refused: frozenset[int]
    #: Of these, the ones that are cards but for their check digit.
    missed: list[int]


def plain_cards(text: bytes, ends: list[int], first: int, last: int) -> Plain:
    """The matches of payment cards' pattern, beginning from ``first`` to ``last``, that are surely no cards.

    Examples:
        >>> plain_cards(b"numbers: 4111111111111112 4111111111111111 .", [26, 43], 0, 44)
        Plain(ends=[43], begins={43: 25}, refused=frozenset({8}), missed=[8])
    """
    # Ends near the text's beginning are left; so is a match that the text's end may have cut.
    skipped = bisect_right(ends, _TAIL)
    chosen = ends[skipped : -1 if ends and ends[-1] == len(text) else None]
    tails = [text[end - _TAIL - 1 : end - 1] for end in chosen]
    heads = [tail.rstrip(_DIGITS) for tail in tails]
    sizes = list(map(len, heads))
    begins: dict[int, int] = {}
    gone: set[int] = set()
    refused: list[int] = []
    missed: list[int] = []
    for length in _LENGTHS:
        size = _TAIL - length
        if size not in sizes:
            continue
        which = [n for n, some in enumerate(sizes) if some == size and heads[n][-1] in _DELIMITERS]
        rows = [tails[n] for n in which]
        before = length + 2
        all_begins = [chosen[n] - before for n in which]
        passed = passes_luhn(b"".join(rows), _TAIL, range(size, _TAIL))
        begins |= {begin + before: begin for begin in compress(all_begins, passed)}
        failed = passed.translate(_SWAPPED)
        some = [begin for begin in compress(all_begins, failed) if first <= begin <= last]
        refused += some
        gone.update([begin + before for begin in some])
        if length in _DOUBTED:
            issued = issued_prefixes(length)
            fits = [row[size : size + 4] in issued for row in compress(rows, failed)]
            missed += [begin for begin in compress(compress(all_begins, failed), fits) if first <= begin <= last]
    return Plain([end for end in ends if end not in gone] if gone else ends, begins, frozenset(refused), missed)


#: Name in a rule's field ``cells``, if its validator has the same → what tells them.
PLAIN: Final[dict[str, Callable[[bytes, list[int], int, int], Plain]]] = {"payment_card": plain_cards}
