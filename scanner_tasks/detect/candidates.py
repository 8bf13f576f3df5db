"""Every match of every rule's pattern in a window, from every start: no candidate hides behind another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner_tasks.detect.compiled import CompiledRule
    from scanner_tasks.detect.filter import Filter

#: Text is searched in pieces of so many bytes, each of them once, when it is first asked for.
_BLOCK: Final = 256


class Candidate(NamedTuple):
    """A match, and where its value stands."""

    begin: int
    start: int
    end: int


class Candidates:
    """What may be a value in a text. Occurrences that stand close together share what was searched.

    A match that begins less than the rule's width, and a byte, before the text's end is cut off there: ask for none
    such, unless the text really ends.
    """

    __slots__ = ("_blocks", "_filter", "_rules", "_text", "_widest")

    def __init__(self, rules: Sequence[CompiledRule], chosen: Filter | None, text: bytes) -> None:
        self._rules = rules
        self._filter = chosen
        self._text = text
        self._widest = max((rule.width for rule in rules), default=0)
        self._blocks: dict[int, list[Candidate]] = {}

    def begun(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Start and end of the value of each match that begins at ``first`` or later, and before ``last``."""
        numbers = range(first // _BLOCK, -(-last // _BLOCK))
        missing = [number for number in numbers if number not in self._blocks]
        while missing:
            size = next((n for n, number in enumerate(missing) if number != missing[0] + n), len(missing))
            self._search(missing[0], missing[0] + size)
            del missing[:size]
        for number in numbers:
            for begin, start, end in self._blocks[number]:
                if first <= begin < last:
                    yield start, end

    def _search(self, first: int, last: int) -> None:
        """Searches blocks from the first to the one before the last."""
        blocks = self._blocks
        for number in range(first, last):
            blocks[number] = []
        text, begin, stop = self._text, first * _BLOCK, min(last * _BLOCK, len(self._text))
        if self._filter is None:
            possible: Sequence[int] = range(len(self._rules))
        else:
            # With the byte before, so that the beginning of the region looks like none.
            possible = self._filter.possible(text[max(0, begin - 1) : stop + self._widest + 1])
        for number in possible:
            rule = self._rules[number]
            # What begins before `stop` ends before this, and sees the byte behind it.
            end = min(len(text), stop + rule.width + 1)
            search, at = rule.regex.search, begin
            while (found := search(text, at, end)) is not None and (at := found[0][0]) < stop:
                start, value_end, _ = rule.span(found)
                blocks[at // _BLOCK].append(Candidate(at, start, value_end))
                at += 1
