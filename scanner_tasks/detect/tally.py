"""What one rule has found so far in one object, and what a whole column says about the values in it.

Some numbers pass their check by chance: of random digits, one in ten. Where many candidates of a column, or of a text
without columns, miss their check digit, those that pass prove nothing. That is known when the text ends, not before;
so a rule that has a ``chance`` counts its values by column until then.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.model import Column, Confidence, Occurrence
from scanner_tasks.detect.compiled import RANK
from scanner_tasks.detect.table import MOST_COLUMNS, NOWHERE

if TYPE_CHECKING:
    from scanner_tasks.detect.compiled import Columns, CompiledRule
    from scanner_tasks.detect.table import Column as Place
    from scanner_tasks.detect.table import Table

#: With fewer candidates than this a column says nothing.
LEAST_CANDIDATES: Final = 20
#: Less than this share of the candidates passing makes them numbers that pass by chance.
_CHANCE_SHARE: Final = 0.3
#: From this share of a column's rows on, of at least so many, the column is one profile.
PROFILE_SHARE: Final = 0.95
LEAST_ROWS: Final = 20
#: Columns told with one finding.
MOST_PROFILES: Final = 20


def with_columns(occurrences: list[Occurrence], rule_id: str, columns: tuple[Column, ...]) -> tuple[Occurrence, ...]:
    """The occurrences; the first one's evidence tells the columns that hold almost nothing but values of the rule."""
    if not columns or not occurrences:
        return tuple(occurrences)
    told = tuple(
        f"column {column.name}: {100 * column.valid // column.rows} % valid {rule_id}, {column.rows:,} rows"
        for column in columns
    )
    first = occurrences[0]
    return (replace(first, evidence=(*first.evidence, *told)), *occurrences[1:])


class Sum:
    """Values that stand or fall together."""

    __slots__ = ("confidence", "count", "missed", "occurrences")

    def __init__(self) -> None:
        self.count = 0
        #: Candidates that only their check digit spoke against.
        self.missed = 0
        self.confidence: Confidence | None = None
        #: The first of them, in order of place.
        self.occurrences: list[Occurrence] = []

    def add(self, count: int, confidence: Confidence) -> None:
        """More values of a confidence."""
        self.count += count
        if count and (self.confidence is None or RANK[confidence] > RANK[self.confidence]):
            self.confidence = confidence

    @property
    def is_chance(self) -> bool:
        """Whether so many candidates fail that those which pass prove nothing."""
        return self.count + self.missed >= LEAST_CANDIDATES and self.count < _CHANCE_SHARE * (self.count + self.missed)


class Tally:
    """What one rule has found so far, and where its search stands in the window."""

    __slots__ = (
        "_kept",
        "_keys",
        "_sums",
        "allowed",
        "at",
        "by_column",
        "columns",
        "confidence",
        "count",
        "inside",
        "occurrences",
        "profiles",
        "sure",
    )

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.at = 0
        #: Occurrences beside the count that an allow list allows.
        self.allowed = 0
        #: What the header of the table at hand says to this rule.
        self.columns: Columns | None = None
        #: Of the texts that have ended.
        self.count = 0
        self.confidence: Confidence | None = None
        self.occurrences: list[Occurrence] = []
        self.profiles: list[Column] = []
        #: Of the text at hand: values that nothing can take back, and those that their column may.
        self.sure = Sum()
        self._sums: dict[Place, Sum] = {}
        #: Those that stand in encoded runs of the text at hand, and in parts that it joins.
        self.inside = (Sum(), Sum())
        #: Values of the text at hand by column, where it has columns.
        self.by_column: defaultdict[Place, int] = defaultdict(int)
        #: Whether a key of JSON lines vouches for its values.
        self._keys: dict[bytes, bool] = {}

    def is_vouched(self, compiled: CompiledRule, place: Place) -> bool:
        """Whether the name of a column vouches for its values."""
        if isinstance(place, bytes):
            vouches = self._keys.get(place)
            if vouches is None:
                vouches = compiled.vouches(b'"' + place + b'": "')
                if len(self._keys) < MOST_COLUMNS:
                    self._keys[place] = vouches
            return vouches
        return self.columns is not None and bool(self.columns.of(place))

    @property
    def has_column(self) -> bool:
        """Whether the header of the table at hand names a column of this rule's."""
        return self.columns is not None and self.columns.favours

    def is_full(self, some: Sum) -> bool:
        """Whether no more occurrences of a sum are kept."""
        return len(some.occurrences) + len(self.occurrences) >= self._kept

    def sum_of(self, place: Place, *, is_sure: bool) -> Sum:
        """The sum that a value belongs to; ``is_sure`` when its column cannot speak against it."""
        if is_sure:
            return self.sure
        some = self._sums.get(place)
        if some is None:
            place = place if len(self._sums) < MOST_COLUMNS else NOWHERE
            some = self._sums.setdefault(place, Sum())
        return some

    def doubted(self) -> frozenset[Place]:
        """Columns whose values pass by chance, as far as the text has been read."""
        return frozenset(place for place, some in self._sums.items() if some.is_chance)

    def end_text(self, table: Table | None, best: Confidence, threshold: Confidence) -> None:
        """The text ends: the columns are judged, and what stands is added up."""
        if not (self._sums or self.sure.count or any(some.count for some in self.inside)):
            # Most rules find nothing in most texts.
            self.at = 0
            self.columns = None
            return
        parts = [self.sure, *self.inside]
        for some in self._sums.values():
            if not some.is_chance:
                parts.append(some)
            elif RANK[threshold] == 0 and some.count:
                some.confidence = Confidence.LOW
                parts.append(some)
        for part in parts:
            self.count += part.count
            if part.confidence is not None and (
                self.confidence is None or RANK[part.confidence] > RANK[self.confidence]
            ):
                self.confidence = part.confidence
        if room := self._kept - len(self.occurrences):
            in_order = merge(*(part.occurrences for part in parts), key=attrgetter("location.offset"))
            self.occurrences += [occurrence for occurrence, _ in zip(in_order, range(room), strict=False)]
        if table is not None and self.by_column:
            self._profile(table, best)
        self.at = 0
        self.columns = None
        self.sure = Sum()
        self.inside = (Sum(), Sum())
        self._sums = {}
        self.by_column.clear()

    def _profile(self, table: Table, best: Confidence) -> None:
        doubted = self.doubted()
        for place, count in sorted(self.by_column.items(), key=lambda pair: (str(type(pair[0])), pair[0])):
            rows = table.filled[place]
            if rows < LEAST_ROWS or count < PROFILE_SHARE * rows or place in doubted:
                continue
            self.confidence = best
            if len(self.profiles) < MOST_PROFILES:
                self.profiles.append(Column(name=table.name(place), rows=rows, valid=min(count, rows)))
