"""Whole columns of a table settled together: their sound cells are counted, and taken out of the way of the search."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.detect.cells import CELLS, JUDGED, MISSED, SOUND, WEAK, Cells
from scanner_tasks.detect.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner_tasks.detect.compiled import CompiledRule
    from scanner_tasks.detect.table import Column, Grid
    from scanner_tasks.detect.tally import Sum, Tally

#: Stands for each byte of a settled cell: no pattern of a rule with cells takes it.
_BLANK: Final = b"~"
_SAMPLES: Final = 8
#: Numbers of eight digits, or with something between two of their digits.
_NUMBER: Final = Regex(r"[0-9]{8}|[0-9][^0-9A-Za-z]{1,9}[0-9]")
#: With more of the rows near keywords than this share, each value is judged by itself.
_MOST_NEAR: Final = 0.3
_COLONS: Final = frozenset((b": ", b":"))


class Celled(NamedTuple):
    """A rule with values that fill cells, and how its search goes in the window."""

    compiled: CompiledRule
    tally: Tally
    #: Where its keywords may end.
    words: list[int] | None


class Settled(NamedTuple):
    """A window whose sound cells are counted."""

    #: The window with these blanked out.
    text: bytes
    #: The pieces of it, from where to where, in which a column's name may still vouch for what is weak; None for all.
    weak: list[tuple[int, int]] | None = None


def settle(grid: Grid, text: bytes, rules: Sequence[Celled], *, is_json: bool) -> Settled:
    """Counts the sound cells that begin where a rule's search stands or later.

    Only values of rules whose occurrences are full are counted: those of others are judged, and told, one by one.
    """
    if not rules:
        return Settled(text)
    # Several rules ask for these, or none.
    row_starts = cache(grid.row_starts)
    skipped = [_Skipped(rule, grid, text, row_starts) for rule in rules]
    blank: dict[int, list[bytes]] = {}
    left: set[int] | None = set()
    for number, raw in enumerate(grid.columns):
        place: Column = number
        label = b""
        if is_json:
            key = _key(grid, number)
            if key is None:
                continue
            place, label = key, b'"' + key + b'"' + grid.columns[number - 1][0] + b'"'
        cells: Cells | None = None
        for rule, skip in zip(rules, skipped, strict=True):
            told: list[int] = []
            if (
                _may_settle(rule, place)
                and _looks_like(rule.compiled, raw)
                and _is_unlabelled(rule, grid, number, label)
            ):
                cells = cells or Cells(raw, is_last=number == len(grid.columns) - 1)
                verdicts = CELLS[rule.compiled.rule.cells].verdicts(cells, after_tab=grid.delimiter == b"\t")
                if verdicts is not None and _another_is_vouched(rule, rules, place):
                    verdicts = _without_numbers(verdicts, raw)
                told = _count(rule, place, number, skip, verdicts, label) if verdicts is not None else []
            if rule.tally.has_column and rule.tally.is_vouched(rule.compiled, place):
                left = left | _judged(told) if told and left is not None else None
            if any(told):
                blank[number] = _blanked(blank.get(number, raw), told)
    whole = b"".join((text[: grid.start], grid.with_columns(blank), text[grid.end :])) if blank else text
    return Settled(whole, None if left is None else grid.outside(left, max(rule.compiled.width for rule in rules)))


def _another_is_vouched(rule: Celled, rules: Sequence[Celled], place: Column) -> bool:
    """Whether the column's name vouches for what is weak of another rule: that may stand in this rule's cells."""
    return any(
        other.tally.has_column and other.compiled.has_weak and other.tally.is_vouched(other.compiled, place)
        for other in rules
        if other is not rule
    )


def _without_numbers(told: list[int], cells: list[bytes]) -> list[int]:
    """The verdicts, but none on a cell in which any number stands that a rule with cells may take."""
    return [
        JUDGED if verdict and _NUMBER.search(cell) is not None else verdict
        for verdict, cell in zip(told, cells, strict=True)
    ]


def _judged(told: list[int]) -> set[int]:
    """The rows whose cells are to be judged by themselves."""
    return {row for row, verdict in enumerate(told) if verdict == JUDGED} if JUDGED in told else set()


def _blanked(cells: list[bytes], told: list[int]) -> list[bytes]:
    """The cells, those with a verdict blanked out."""
    # Many cells of a few lengths: each blank is made once.
    sizes = list(map(len, cells))
    blanks = {size: _BLANK * size for size in set(sizes)}
    blanked = list(map(blanks.__getitem__, sizes))
    if JUDGED in told:
        for row, verdict in enumerate(told):
            if not verdict:
                blanked[row] = cells[row]
    return blanked


def _key(grid: Grid, number: int) -> bytes | None:
    """The key of a column of JSON lines, if all of its cells are texts that have it."""
    if number < 3 or not number % 2:  # noqa: PLR2004  # {"key": "…": the first value is the fourth part
        return None
    keys, colons = grid.columns[number - 2], grid.columns[number - 1]
    key = keys[0]
    if colons[0] in _COLONS and colons.count(colons[0]) == keys.count(key) == len(keys) and key[-1:].isalnum():
        return key
    return None


def _may_settle(rule: Celled, place: Column) -> bool:
    columns = rule.tally.columns
    return isinstance(place, bytes) or columns is None or columns.of(place) != ""


def _looks_like(compiled: CompiledRule, raw: list[bytes]) -> bool:
    """Whether a few of the cells may be values: no more than a guess that saves time."""
    step = max(1, len(raw) // _SAMPLES)
    return any(CELLS[compiled.rule.cells].may_hold(cell) for cell in raw[::step])


def _is_unlabelled(rule: Celled, grid: Grid, number: int, label: bytes) -> bool:
    """Whether nothing before the cells can be a label that speaks against them."""
    compiled = rule.compiled
    if label:
        return not compiled.labelled_against(label)
    if grid.delimiter != b"\t" or not number:
        return True
    # A tab does not end a label as the other delimiters do.
    before = grid.columns[number - 1]
    return all(cell[-1:].isalnum() for cell in before) and not compiled.label_ends(b"\n".join(before))


class _Skipped:
    """The rows whose values a rule judges by itself: begun already, or near a keyword that may raise its confidence."""

    def __init__(self, rule: Celled, grid: Grid, text: bytes, row_starts: Callable[[], list[int]]) -> None:
        self._rule = rule
        self._row_starts = row_starts
        self._text = text
        # A value's match may begin one byte before its row.
        at = rule.tally.at
        self._begun = grid.begun(text, at) if at or grid.start else 0
        self._columns = grid.columns
        self._near: dict[int, list[tuple[int, int]]] | None = None

    def take_out(self, told: list[int], number: int, found: Sum, *, is_vouched: bool) -> list[int]:
        """The verdicts on the cells of a column, but for the rows to be skipped."""
        compiled = self._rule.compiled
        rows: list[int] = list(range(self._begun))
        # With the header's word no other can raise the confidence.
        rises = (
            compiled.word_shapes
            and not is_vouched
            and compiled.best not in {found.confidence, self._rule.tally.confidence}
        )
        if rises:
            near = self._rows_near(number)
            if near is None:
                return [JUDGED] * len(told)
            rows += near
        if rows:
            told = list(told)
            for row in rows:
                told[row] = JUDGED
        return told

    def _rows_near(self, number: int) -> list[int] | None:
        """The rows whose cells in a column stand near a keyword; None for too many, or where no keyword is known."""
        words = self._rule.words
        if words is None:
            return None
        if self._near is None:
            self._near = self._reaches(words)
        columns, starts = self._columns, self._row_starts() if self._near else []
        rows = []
        for row, reaches in self._near.items():
            start = starts[row] + sum([len(column[row]) for column in columns[:number]]) + number
            end = start + len(columns[number][row])
            # The value is the cell, but for its quotes.
            if any(first <= end and start <= last for first, last in reaches):
                rows.append(row)
        return rows if len(rows) <= _MOST_NEAR * len(columns[number]) else None

    def _reaches(self, words: list[int]) -> dict[int, list[tuple[int, int]]]:
        """For each row that a keyword reaches, where from and where to."""
        compiled, starts = self._rule.compiled, self._row_starts() if words else []
        near: dict[int, list[tuple[int, int]]] = {}
        for word in words:
            first_end, last_start = compiled.reach_of(self._text, word)
            first, last = first_end - compiled.width - 1, last_start + compiled.width + 1
            for row in range(max(0, bisect_right(starts, first) - 1), bisect_right(starts, last)):
                near.setdefault(row, []).append((first_end, last_start))
        return near


def _count(  # noqa: PLR0917 (of this module alone)
    rule: Celled, place: Column, number: int, skip: _Skipped, told: list[int], label: bytes
) -> list[int]:
    """Counts the cells of a column; the verdicts on those that need no further look."""
    compiled, tally = rule.compiled, rule.tally
    is_vouched = compiled.vouches(label) if label else tally.is_vouched(compiled, place)
    found = tally.sum_of(place, is_sure=compiled.misses is None or tally.is_vouched(compiled, place))
    left = {JUDGED} if is_vouched else {JUDGED, WEAK}
    if not tally.is_full(found):
        if compiled.misses is None:
            return []
        left |= {SOUND, WEAK}
    told = skip.take_out(told, number, found, is_vouched=is_vouched)
    if not (left - {JUDGED}).isdisjoint(told):
        told = [JUDGED if verdict in left else verdict for verdict in told]
    count = told.count(SOUND) + told.count(WEAK)
    rule_says = compiled.rule
    confidence = rule_says.keyword_confidence or rule_says.confidence if is_vouched else rule_says.confidence
    found.add(count, confidence)
    if missed := told.count(MISSED):
        tally.sum_of(place, is_sure=False).missed += missed
    if count:
        tally.by_column[place] += count
    return told
