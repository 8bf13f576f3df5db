"""One pass of Hyperscan over a window tells which rules can match in it at all, and where such matches end.

The filter never decides: RE2 and the rule's judgement do, near the ends that it reports. Without the library, or for a
rule whose pattern it refuses, the engine searches the whole window with RE2 and finds the same.

Four databases: every rule's pattern but for what is weak in it, and every keyword; the patterns of the rules whose
values fill cells of tables, run once the sound cells are out of the way; both kinds whole, what is weak included, for
tables in whose header a keyword stands, and for contexts. What is weak needs a keyword, so that otherwise it is looked
for near keywords only.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import threading
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from scanner_tasks.detect.translate import Untranslatable, translate, translate_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner_tasks.detect.compiled import CompiledRule
    from scanner_tasks.detect.ruleset import Rule

_ENDS, _WORDS = range(2)
_MAIN, _CELLED, _WHOLE, _WHOLE_CELLED = range(4)
#: Longer repeats lose their bound where what is weak is included: the library refuses a larger one of these patterns.
_MOST_IN_WHOLE: Final = 4
#: For other patterns that it refuses, these are tried; for one longer than so many bytes the first of them at once.
_SMALLER: Final = (24, 8)
_LONG: Final = 3000
#: Number of the rule, ends or words, pattern.
_Pattern = tuple[int, int, bytes]
#: Begins what ``Filter.dump`` gives; raised with its layout.
_MAGIC: Final = b"s3scan filter 2\n"


class Seen(NamedTuple):
    """What the filter saw in one text, rule by rule."""

    #: Where matches may end, ascending; None for a rule that the filter does not know. What is weak has no end here.
    ends: list[list[int] | None]
    #: Where the rule's keywords end, or at most two bytes later, ascending; None where the filter does not know.
    words: list[list[int] | None]
    #: Whether all of the text is known to be ASCII.
    is_ascii: bool = False


class Filter:
    """Databases of every rule's pattern and keywords. Immutable: threads share it."""

    def __init__(self, hyperscan: Any, rules: Sequence[CompiledRule], saved: bytes = b"") -> None:
        """Compiles the rules, which takes seconds, or takes what ``dump`` gave for the same rules before."""
        self._hyperscan = hyperscan
        self._rules = len(rules)
        self._sources = [rule.regex.pattern for rule in rules]
        self._known = [False] * len(rules)
        self._words_known = [False] * len(rules)
        #: Rules whose ends are reported by a pass of their own, over text without its sound cells.
        self.celled: Final = frozenset(n for n, rule in enumerate(rules) if rule.rule.cells)
        self._patterns: list[list[_Pattern]] = [[], [], [], []]
        #: Places of the patterns that the library refused.
        self._refused: list[list[int]] = [[] for _ in self._patterns]
        for number, rule in enumerate(rules):
            self._add(number, rule)
        told = json.dumps([[(n, kind, p.decode()) for n, kind, p in some] for some in self._patterns])
        version = f"{getattr(hyperscan, '__version__', '')} {told}"
        #: What a dump must have been made of to be taken.
        self._digest: Final = hashlib.sha256(version.encode()).digest()
        self._databases = self._load(saved) or [self._compile(n) for n in range(len(self._patterns))]
        #: The rule of each pattern, -1 for keywords; the rules whose pattern the filter does not hold, those that need
        #: a keyword among them (it may be a column's header, far away).
        self._rule_of = [[n if kind == _ENDS else -1 for n, kind, _ in some] for some in self._patterns]
        self._unknown = [number for number, known in enumerate(self._known) if not known]
        self._local = threading.local()

    def _add(self, number: int, rule: CompiledRule) -> None:
        main, celled, whole, whole_celled = self._patterns
        if rule.rule.keyword_required and not rule.rule.cells:
            # Searched near its keywords only: its shape, often just digits, would match everywhere.
            main.append((number, _WORDS, _words(rule)))
            self._words_known[number] = True
            return
        try:
            patterns = [translate(rule.regex.pattern, weak=False)]
            if len(patterns[0]) > _LONG:
                patterns = translate_parts(rule.regex.pattern, most=_SMALLER[0])
        except Untranslatable:
            return
        for pattern in patterns:
            (celled if rule.rule.cells else main).append((number, _ENDS, pattern))
        self._known[number] = True
        if rule.has_weak or rule.rule.cells:
            # Rarely run, over values that a header vouches for: small rather than exact.
            (whole_celled if rule.rule.cells else whole).append(
                (number, _ENDS, translate(rule.regex.pattern, most=_MOST_IN_WHOLE))
            )
        if rule.word_shapes:
            main.append((number, _WORDS, _words(rule)))
            self._words_known[number] = True

    def _compile(self, which: int) -> Any:
        """A database of the patterns that the library takes: all of them, as a rule; else each is tried alone."""
        try:
            return self._build(self._patterns[which])
        except self._hyperscan.error:
            refused = []
            for place, pattern in enumerate(self._patterns[which]):
                taken = self._taken(which, pattern)
                if taken is None:
                    refused.append(place)
                else:
                    self._patterns[which][place] = taken
            self._leave_out(which, refused)
            return self._build(self._patterns[which])

    def _taken(self, which: int, pattern: _Pattern) -> _Pattern | None:
        """The pattern, or a smaller one that reports more ends, if the library takes either."""
        number, kind, _ = pattern
        tried = [pattern]
        if kind == _ENDS:
            weak = which in {_WHOLE, _WHOLE_CELLED}
            tried += [(number, kind, translate(self._sources[number], weak=weak, most=most)) for most in _SMALLER]
        for some in tried:
            try:
                self._build([some])
            except self._hyperscan.error:
                continue
            return some
        return None

    def _leave_out(self, which: int, refused: list[int]) -> None:
        """Do without these patterns of a database: what they stand for is searched everywhere."""
        self._refused[which] = refused
        for number, kind, _ in (self._patterns[which][place] for place in refused):
            if which not in {_WHOLE, _WHOLE_CELLED}:
                (self._words_known if kind == _WORDS else self._known)[number] = False
        left_out = set(refused)
        self._patterns[which] = [p for place, p in enumerate(self._patterns[which]) if place not in left_out]

    def _build(self, patterns: list[_Pattern]) -> Any:
        if not patterns:
            return None
        database = self._hyperscan.Database(mode=self._hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=[pattern for _, _, pattern in patterns],
            ids=list(range(len(patterns))),
            elements=len(patterns),
        )
        return database

    def dump(self) -> bytes:
        """The databases as bytes, for a later ``Filter`` of the same rules, and which patterns were refused.

        They serve the same library on the same kind of processor only, and the library trusts them: keep them where
        only the program itself writes.
        """
        parts = [json.dumps(self._refused).encode()]
        parts += [self._hyperscan.dumpb(database) if database is not None else b"" for database in self._databases]
        body = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return b"".join((_MAGIC, self._digest, hashlib.sha256(body).digest(), zlib.compress(body, 1)))

    def _load(self, saved: bytes) -> list[Any] | None:
        """The databases of a dump; None where it is not of these rules, or not whole."""
        edge = len(_MAGIC)
        if saved[:edge] != _MAGIC or saved[edge : edge + 32] != self._digest:
            return None
        try:
            body = zlib.decompress(saved[edge + 64 :])
            if hashlib.sha256(body).digest() != saved[edge + 32 : edge + 64]:
                return None
            parts, at = [], 0
            for _ in range(1 + len(self._patterns)):
                size = int.from_bytes(body[at : at + 8], "big")
                parts.append(body[at + 8 : at + 8 + size])
                at += 8 + size
            databases = [
                self._hyperscan.loadb(part, self._hyperscan.HS_MODE_BLOCK) if part else None for part in parts[1:]
            ]
        except (zlib.error, self._hyperscan.error):
            return None
        for which, refused in enumerate(json.loads(parts[0])):
            self._leave_out(which, refused)
        return databases

    def scan(self, text: bytes) -> Seen:
        """What can be in the text, but for ends of celled rules. Only reports are made under the interpreter's lock."""
        seen = Seen(
            [[] if known else None for known in self._known],
            [[] if known else None for known in self._words_known],
            text.isascii(),
        )
        self._scan(_MAIN, text, seen)
        return seen

    def scan_celled(self, text: bytes, seen: Seen) -> None:
        """Adds the ends of the celled rules."""
        self._scan(_CELLED, text, seen)

    def whole_ends(self, text: bytes, pieces: list[tuple[int, int]] | None = None) -> list[list[int] | None]:
        """The ends of every match of the celled rules, what is weak included; None for a rule that is not held.

        With ``pieces``, ascending, only of matches that lie in one of these; some ends that are none may be told too.
        """
        held = {number for number, _, _ in self._patterns[_WHOLE_CELLED]}
        seen = Seen([[] if number in held else None for number in range(self._rules)], [])
        for first, last in pieces or [(0, len(text))]:
            part = Seen([None if ends is None else [] for ends in seen.ends], [])
            self._scan(_WHOLE_CELLED, text[first:last], part)
            for ends, more in zip(seen.ends, part.ends, strict=True):
                if ends is not None and more:
                    ends += [first + end for end in more]
        return seen.ends

    def _scan(self, which: int, text: bytes, seen: Seen) -> None:
        database = self._databases[which]
        if database is None:
            return
        said: list[list[int]] = []
        for number, kind, _ in self._patterns[which]:
            target = seen.ends[number] if kind == _ENDS else seen.words[number]
            said.append([] if target is None else target)
        report = [target.append for target in said]

        # Kept in a variable: the library holds no reference to it while it scans.
        def on_match(pattern: int, _start: int, end: int, _flags: int, _context: object) -> None:
            report[pattern](end)

        database.scan(text, match_event_handler=on_match, scratch=self._scratch(which))
        for target in said:
            # A rule of two patterns may report an end twice.
            target.sort()

    def possible(self, text: bytes) -> list[int]:
        """Numbers of the rules that may match in the text at all, ascending: lighter than ``scan``."""
        present = set(self._unknown)
        for which in (_MAIN, _WHOLE, _WHOLE_CELLED):
            database = self._databases[which]
            if database is None:
                continue
            rule_of = self._rule_of[which]

            def on_match(
                pattern: int,
                _start: int,
                _end: int,
                _flags: int,
                _context: object,
                rule_of: list[int] = rule_of,
            ) -> None:
                present.add(rule_of[pattern])

            database.scan(text, match_event_handler=on_match, scratch=self._scratch(which))
        present.discard(-1)
        return sorted(present)

    def _scratch(self, which: int) -> Any:
        """This thread's scratch space: two scans must not share one. What ``loadb`` gives has none of its own."""
        scratches = getattr(self._local, "scratches", None)
        if scratches is None:
            scratches = self._local.scratches = {}
        if which not in scratches:
            scratches[which] = self._hyperscan.Scratch(self._databases[which])
        return scratches[which]


def _words(rule: CompiledRule) -> bytes:
    """The rule's keywords. What is beside them may be a part of a character: its classes are read as of bytes."""
    return b"|".join(
        before.encode() + translate(keyword) + after.encode() for before, keyword, after in rule.word_shapes
    )


#: Filters by their rules: compiling hundreds of patterns takes seconds, and a filter serves every detector and thread.
_made: dict[tuple[Rule, ...], Filter] = {}
_making = threading.Lock()
_KEPT = 8


def make_filter(rules: Sequence[CompiledRule], saved: bytes = b"") -> Filter | None:
    """The filter, or None where the library is not installed or can do nothing for these rules.

    Args:
        rules: The rules, in the order of their numbers.
        saved: What ``Filter.dump`` gave for the same rules; anything else is ignored.
    """
    try:
        # By name, so that what is deployed without the library (the Lambdas) does not depend on it.
        hyperscan = importlib.import_module("hyperscan")
    except ImportError:
        return None
    if not rules:
        return None
    key = tuple(rule.rule for rule in rules)
    with _making:
        if key not in _made:
            if len(_made) >= _KEPT:
                _made.clear()
            _made[key] = Filter(hyperscan, rules, saved)
        return _made[key]
