"""Whole columns of a table settled together: their sound cells are counted, and taken out of the way of the search."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner_tasks.detect.cells import CELLS, JUDGED, MISSED, SOUND, WEAK, Cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.compiled import CompiledRule
    from scanner_tasks.detect.table import Column, Grid
    from scanner_tasks.detect.tally import Sum, Tally

#: Stands for each byte of a settled cell: no pattern of a rule with cells takes it.
_BLANK: Final = b"~"
_SAMPLES: Final = 8
#: With more of the rows near keywords than this share, each value is judged by itself.
_MOST_NEAR: Final = 0.3
_COLONS: Final = frozenset((b": ", b":"))


class Celled(NamedTuple):
    """A rule with values that fill cells, and how its search goes in the window."""

    compiled: CompiledRule
    tally: Tally
    #: Where its keywords may end.
    words: list[int] | None


def settle(grid: Grid, text: bytes, rules: Sequence[Celled], *, is_json: bool) -> bytes:
    """Counts the sound cells that begin where a rule's search stands or later; the text with these blanked out.

    Only values of rules whose occurrences are full are counted: those of others are judged, and told, one by one.
    """
    skipped = [_Skipped(rule, grid, text) for rule in rules]
    blank: dict[int, list[bytes]] = {}
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
            if not _may_settle(rule, place) or not _looks_like(rule.compiled, raw):
                continue
            if not _is_unlabelled(rule.compiled, grid, number, label):
                continue
            cells = cells or Cells(raw, is_last=number == len(grid.columns) - 1)
            told = CELLS[rule.compiled.rule.cells].verdicts(cells, after_tab=grid.delimiter == b"\t")
            if told is None:
                continue
            told = _count(rule, place, skip, told, label)
            if any(told):
                blank[number] = _blanked(blank.get(number, raw), told)
    if not blank:
        return text
    return b"".join((text[: grid.start], grid.with_columns(blank), text[grid.end :]))


def _blanked(cells: list[bytes], told: list[int]) -> list[bytes]:
    """The cells, those with a verdict blanked out."""
    # Many cells of a few lengths: each blank is made once.
    blanks = {size: _BLANK * size for size in set(map(len, cells))}
    if JUDGED not in told:
        return [blanks[size] for size in map(len, cells)]
    return [blanks[len(cell)] if verdict else cell for cell, verdict in zip(cells, told, strict=True)]


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


def _is_unlabelled(compiled: CompiledRule, grid: Grid, number: int, label: bytes) -> bool:
    """Whether nothing before the cells can be a label that speaks against them."""
    if label:
        return not compiled.labelled_against(label)
    if grid.delimiter != b"\t" or not number:
        return True
    # A tab does not end a label as the other delimiters do.
    before = grid.columns[number - 1]
    return all(cell[-1:].isalnum() for cell in before) and not compiled.label_ends(b"\n".join(before))


class _Skipped:
    """The rows whose values a rule judges by itself: begun already, or near a keyword that may raise its confidence."""

    def __init__(self, rule: Celled, grid: Grid, text: bytes) -> None:
        self._rule = rule
        self._grid = grid
        self._text = text
        # A value's match may begin one byte before its row.
        at = rule.tally.at
        self._begun = grid.begun(at) if at or grid.start else 0
        self._near: list[int] | None = None

    def take_out(self, told: list[int], found: Sum, *, is_vouched: bool) -> list[int]:
        """The verdicts, but for the rows to be skipped."""
        compiled = self._rule.compiled
        rows: list[int] = list(range(self._begun))
        # With the header's word no other can raise the confidence.
        rises = (
            compiled.keyword_pattern
            and not is_vouched
            and compiled.best not in {found.confidence, self._rule.tally.confidence}
        )
        if rises:
            near = self._rows_near()
            if near is None:
                return [JUDGED] * len(told)
            rows += near
        if rows:
            told = list(told)
            for row in rows:
                told[row] = JUDGED
        return told

    def _rows_near(self) -> list[int] | None:
        if self._near is None:
            words, compiled = self._rule.words, self._rule.compiled
            if words is None:
                return None
            starts = self._grid.row_starts() if words else []
            rows: set[int] = set()
            for word in words:
                first_end, last_start = compiled.reach_of(self._text, word)
                first = bisect_right(starts, first_end - compiled.width - 1) - 1
                last = bisect_right(starts, last_start + compiled.width + 1)
                rows.update(range(max(0, first), last))
                if len(rows) > _MOST_NEAR * len(starts):
                    return None
            self._near = sorted(rows)
        return self._near


def _count(rule: Celled, place: Column, skip: _Skipped, told: list[int], label: bytes) -> list[int]:
    """Counts the cells of a column; the verdicts on those that need no further look."""
    compiled, tally = rule.compiled, rule.tally
    is_vouched = compiled.vouches(label) if label else tally.is_vouched(compiled, place)
    found = tally.sum_of(place, is_sure=compiled.misses is None or tally.is_vouched(compiled, place))
    left = {JUDGED} if is_vouched else {JUDGED, WEAK}
    if not tally.is_full(found):
        if compiled.misses is None:
            return []
        left |= {SOUND, WEAK}
    told = skip.take_out(told, found, is_vouched=is_vouched)
    if len(left) > 1:
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
