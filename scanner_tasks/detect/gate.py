"""What may still keep a sound value from being counted: ignore words, too little entropy, other objects, allow lists.

Two answers differ: a *refused* value is no value of the rule, an *allowed* one is, and its owner says that it may stand
there. Allowed occurrences are neither counted nor kept; how many there were is told.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from scanner_tasks.core.errors import RuleError
from scanner_tasks.detect.regex import Regex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scanner_tasks.core.redact import Fingerprinter
    from scanner_tasks.detect.ruleset import Rule

#: Bytes on each side of a match in which one of a rule's ``contains`` must stand.
CONTAINS_BYTES: Final = 400
#: Bytes on each side of a match that count as its line, unless the line ends sooner.
LINE_BYTES: Final = 500
TARGETS: Final = ("value", "match", "line")


@dataclass(frozen=True, kw_only=True, eq=False)
class AllowList:
    """Values that may stand where they stand. Equal lists have equal digests."""

    name: str
    #: ``key-id:hex`` as ``core.redact.Fingerprinter`` makes it of the normalised value.
    values: tuple[str, ...] = ()
    #: RE2 patterns, searched in the target.
    regexes: tuple[str, ...] = ()
    #: What the regexes are searched in: one of TARGETS.
    target: str = "value"
    #: Texts that the value may hold, in lower case; case does not matter.
    words: tuple[str, ...] = ()
    #: RE2 patterns, searched in the object's key and in the path within it.
    paths: tuple[str, ...] = ()
    #: True when every kind that is given must speak for the value, not just one.
    needs_all: bool = False

    @cached_property
    def digest(self) -> str:
        """Hash of everything but the name."""
        parts = (sorted(self.values), self.regexes, self.target, self.words, self.paths, self.needs_all)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AllowList) and (self.name, self.digest) == (other.name, other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)


class Marks:
    """The keys that allow lists may have been made with: the present one and former ones, by key id."""

    def __init__(self, fingerprinters: Iterable[Fingerprinter]) -> None:
        self._by_id = {each.key_id: each for each in fingerprinters}

    def check(self, lists: Iterable[AllowList]) -> None:
        """RuleError when a list holds values of a key that is not here: they would silently allow nothing."""
        for each in lists:
            for value in each.values:
                if (key_id := value.partition(":")[0]) not in self._by_id:
                    raise RuleError(
                        f"allow list {each.name!r}: its values were made with key {key_id!r}, which is not here: give "
                        "it in S3SCAN_FORMER_FINGERPRINT_KEYS, or make the list again with `s3scan rules allow`"
                    )

    def of(self, normalised: bytes, key_ids: Iterable[str]) -> list[str]:
        """The value's marks under these keys."""
        return [self._by_id[key_id].fingerprint(normalised) for key_id in key_ids]


class Screen:
    """A rule's own conditions that stand in the text: what does not meet them is refused."""

    def __init__(self, rule: Rule) -> None:
        self._ignore = tuple(word.encode() for word in rule.ignore)
        self._contains = tuple(word.lower().encode() for word in rule.contains)
        self._entropy = rule.entropy
        #: Bytes around a match that are read.
        self.reach = CONTAINS_BYTES if rule.contains else 0

    def refusal(self, text: bytes, match: tuple[int, int], start: int, end: int) -> str:
        """Why the value is none, in words that hold nothing of it; empty when it stands."""
        value = text[start:end]
        for word in self._ignore:
            if word in value:
                return "it holds a word that the rule ignores"
        if self._entropy and (measured := entropy(value)) <= self._entropy:
            return f"its entropy is {measured:.2f} bits a character, and more than {self._entropy:g} is needed"
        if self._contains:
            near = text[max(0, match[0] - CONTAINS_BYTES) : match[1] + CONTAINS_BYTES].lower()
            if not any(word in near for word in self._contains):
                return f"none of the texts that the rule needs stands within {CONTAINS_BYTES} bytes"
        return ""


def make_screen(rule: Rule) -> Screen | None:
    """The rule's screen; None for a rule that has no such condition."""
    return Screen(rule) if rule.ignore or rule.contains or rule.entropy else None


class Gate:
    """A rule's paths and allow lists: what depends on the object and on keys, not on the text alone."""

    def __init__(self, rule: Rule, normalise: Callable[[bytes], bytes]) -> None:
        self._paths = tuple(Regex(path) for path in rule.paths)
        self._lists = tuple(_Compiled(each) for each in rule.allow)
        self._normalise = normalise
        #: Bytes around a match that are read.
        self.reach = LINE_BYTES if any(each.target == "line" for each in rule.allow) else 0

    def concerns(self, name: str, path: str) -> bool:
        """Whether the rule looks into this object at all."""
        return not self._paths or any(
            pattern.search(told.encode("utf-8", "replace")) for pattern in self._paths for told in (name, path) if told
        )

    def allowed_by(  # noqa: PLR0917 (what a match is)
        self, text: bytes, match: tuple[int, int], start: int, end: int, marks: Marks, names: Sequence[str]
    ) -> str:
        """Name of the list that allows the value; empty if none does."""
        value = text[start:end]
        for each in self._lists:
            if each.allows(text, match, value, lambda ids: marks.of(self._normalise(value), ids), names):
                return each.list.name
        return ""


def make_gate(rule: Rule, normalise: Callable[[bytes], bytes]) -> Gate | None:
    """The rule's gate; None where every value passes."""
    return Gate(rule, normalise) if rule.paths or rule.allow else None


class _Compiled:
    """An allow list made ready."""

    def __init__(self, allow: AllowList) -> None:
        self.list = allow
        self._values = frozenset(allow.values)
        self._key_ids = tuple(dict.fromkeys(value.partition(":")[0] for value in allow.values))
        self._regexes = tuple(Regex(pattern) for pattern in allow.regexes)
        self._paths = tuple(Regex(pattern) for pattern in allow.paths)
        self._words = tuple(word.lower().encode() for word in allow.words)

    def allows(
        self,
        text: bytes,
        match: tuple[int, int],
        value: bytes,
        marks: Callable[[Iterable[str]], list[str]],
        names: Sequence[str],
    ) -> bool:
        """Whether the list speaks for the value: one of its kinds does, or all that it has."""
        said: list[bool] = []
        if self._paths:
            said.append(any(p.search(name.encode("utf-8", "replace")) for p in self._paths for name in names if name))
        if self._words:
            lower = value.lower()
            said.append(any(word in lower for word in self._words))
        if self._regexes:
            region = _target(self.list.target, text, match, value)
            said.append(any(pattern.search(region) for pattern in self._regexes))
        if self._values:
            said.append(not self._values.isdisjoint(marks(self._key_ids)))
        return all(said) if self.list.needs_all and said else any(said)


def _target(target: str, text: bytes, match: tuple[int, int], value: bytes) -> bytes:
    if target == "value":
        return value
    first, last = match
    if target == "match":
        return text[first:last]
    first = max(text.rfind(b"\n", max(0, first - LINE_BYTES), first) + 1, first - LINE_BYTES, 0)
    end = text.find(b"\n", last, last + LINE_BYTES)
    return text[first : last + LINE_BYTES if end < 0 else end]


def entropy(value: bytes) -> float:
    """Shannon's entropy in bits for each character.

    Examples:
        >>> entropy(b"aaaa"), entropy(b"abcd"), entropy(b"")
        (0.0, 2.0, 0.0)
    """
    characters = value.decode("utf-8", "replace")
    size = len(characters)
    return -sum(n / size * math.log2(n / size) for n in Counter(characters).values()) + 0.0 if size else 0.0
