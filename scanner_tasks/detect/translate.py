r"""A rule's pattern in the words of Hyperscan: on bytes, without groups, and matching at least what RE2 matches.

RE2 reads UTF-8, Hyperscan is given bytes, because text may be cut or damaged. So a class that takes code points
outside ASCII becomes their bytes; long repeats lose their upper bound, which Hyperscan would pay for state by state.
The promise: wherever RE2 finds a match that ends at byte e, the translated pattern reports the end e as well.
"""

from __future__ import annotations

import re
from typing import Final

#: A repeat above this loses its upper bound.
_MOST_COUNTED: Final = 40
_GREAT_LAZY: Final = 16
_REPEAT = re.compile(r"\{(\d+)(,?)(\d*)\}")
_GROUP = re.compile(r"\?(?:P?<\w+>|([imsU]*)(?:-[imsU]+)?:)")
_FLAGS = re.compile(r"\?([imsU]*)(?:-[imsU]+)?\)")
_CODE = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_ASCII: Final = 0x80
_WEAK: Final = "?P<weak>"
_NOTHING: Final = r"[^\x00-\xff]"
_CLASSES: Final = {
    "d": frozenset(range(0x30, 0x3A)),
    "s": frozenset(b"\t\n\f\r "),
    "w": frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"),
}
#: Letters of ASCII in a class of Unicode.
_UNICODE: Final = {"L": "A-Za-z", "Lu": "A-Z", "Ll": "a-z"}
_POSIX: Final = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "0-9A-Za-z",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
}
_CONTROL: Final = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "a": 7}
_ANY_WIDE: Final = r"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
#: More code points than this in a class are not spelled out.
_MOST_SPELLED: Final = 16
# Letters that ASCII letters fold to: the Kelvin sign and the long s.
_FOLDED: Final = {0x6B: 0x212A, 0x73: 0x17F}


class Untranslatable(ValueError):
    """Syntax that this reader does not know: the rule is searched without the filter."""


def translate(pattern: str, *, weak: bool = True, most: int = _MOST_COUNTED) -> bytes:
    r"""The RE2 pattern for Hyperscan, on bytes; Untranslatable for syntax beyond what rules use.

    Without ``weak``, what only its group ``weak`` matches is left out. Repeats of more than ``most`` lose their bound.

    Examples:
        >>> translate(r"(?:^|[^0-9])(?P<value>é|a{2,3}?)")
        b'(?:^|(?:[\\x00-\\x2f\\x3a-\\x7f]|[\\xc2-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}|[\\xf0-\\xf4][\\x80-\\xbf]{3}))(?:\\xc3\\xa9|a{2,3})'
        >>> translate("(?i:ab)")
        b'(?:[Aa][Bb])'
        >>> translate("a(?P<value>b)|(?P<weak>c)", weak=False)
        b'a(?:b)|[^\\x00-\\xff]'
    """
    return _Translator(pattern, weak=weak, most=most).read().encode("ascii")


def translate_parts(pattern: str, *, most: int) -> list[bytes]:
    """The pattern without what is weak, in one part or in two that report together what it would.

    An alternative with a lazy repeat of up to 16 or more (``password for … is``) makes a large pattern several times
    slower; by itself it costs little.

    Examples:
        >>> translate_parts("a(?:b|c(?:x|d[^e]{1,20}?e))f|z", most=4)[0]
        b'a(?:b|c(?:x))f|z'
    """
    plain = _Translator(pattern, weak=False, most=most, lazy=False)
    parts = [plain.read().encode("ascii")]
    if plain.dropped == 1:
        parts.append(_Translator(pattern, weak=False, most=most, lazy=True).read().encode("ascii"))
        return parts
    return [translate(pattern, weak=False, most=most)]


class _Translator:
    """Recursive descent over alternatives, sequences and repeats."""

    def __init__(self, pattern: str, *, weak: bool, most: int, lazy: bool | None = None) -> None:
        self._text = pattern
        self._at = 0
        self._folds = False
        self._lines = False
        self._weak = weak
        self._most = most
        #: Of alternatives, keep only those with a great lazy repeat, or only the others; None for all.
        self._lazy = lazy
        #: Great lazy repeats so far, and how often alternatives were dropped.
        self._repeats = 0
        self.dropped = 0

    def read(self) -> str:
        whole = self._alternatives()
        if self._at < len(self._text):
            raise Untranslatable(self._text[self._at])
        return whole

    def _alternatives(self) -> str:
        parts, lazy = [], []
        before = self._repeats
        while True:
            so_far = self._repeats
            parts.append(self._sequence())
            lazy.append(self._repeats > so_far)
            if self._peek() != "|":
                break
            self._at += 1
        if self._lazy is not None and any(lazy) and not all(lazy):
            parts = [part for part, is_lazy in zip(parts, lazy, strict=True) if is_lazy is self._lazy]
            self.dropped += 1
            if not self._lazy:
                # What holds these alternatives is not lazy now.
                self._repeats = before
        return "|".join(parts)

    def _sequence(self) -> str:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return "".join(parts)

    def _repeated(self, atom: str) -> str:
        c = self._peek()
        if c in ("*", "+", "?") and c:
            atom += c
            self._at += 1
        elif found := _REPEAT.match(self._text, self._at):
            self._repeats += int(found[3] or 0) >= _GREAT_LAZY and self._text.startswith("?", found.end())
            least, most = int(found[1]), int(found[3] or found[1]) if found[3] or not found[2] else None
            if most is None or most > self._most:
                atom += f"{{{min(least, self._most)},}}"
            else:
                atom += f"{{{least},{most}}}"
            self._at = found.end()
        else:
            return atom
        if self._peek() == "?":  # lazy: the ends are the same
            self._at += 1
        return atom

    def _atom(self) -> str:  # noqa: PLR0911
        c = self._text[self._at]
        if c == "(":
            return self._group()
        if c == "[":
            return self._class()
        if c == "\\":
            return self._escape()
        self._at += 1
        if c == "^":
            return "(?m:^)" if self._lines else "^"
        if c == "$":
            return "(?m:$)" if self._lines else r"\z"
        if c == ".":
            return _written(frozenset(range(_ASCII)), _ANY_WIDE)
        return self._literal(ord(c))

    def _literal(self, code: int) -> str:
        if not self._folds:
            return _escaped(code)
        return self._set(frozenset({code}) if code < _ASCII else frozenset(), [] if code < _ASCII else [(code, code)])

    def _group(self) -> str:
        self._at += 1
        if found := _FLAGS.match(self._text, self._at):
            self._set_flags(found[1])
            self._at = found.end()
            return ""
        before = self._folds, self._lines
        is_left_out = not self._weak and self._text.startswith(_WEAK, self._at)
        if found := _GROUP.match(self._text, self._at):
            self._set_flags(found[1] or "")
            self._at = found.end()
        elif self._peek() == "?":
            raise Untranslatable("(?")
        whole = self._alternatives()
        self._folds, self._lines = before
        if self._peek() != ")":
            raise Untranslatable("a group is not closed")
        self._at += 1
        return _NOTHING if is_left_out else f"(?:{whole})"

    def _set_flags(self, flags: str) -> None:
        # A flag that is switched off stays on here: that matches more, never less.
        self._folds = self._folds or "i" in flags
        self._lines = self._lines or "m" in flags

    def _escape(self) -> str:
        if found := _CODE.match(self._text, self._at):
            self._at = found.end()
            return self._literal(int(found[1] or found[2], 16))
        c = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if c == "p":
            return _written(self._unicode(), _ANY_WIDE)
        if c in ("b", "B", "A", "z"):
            return f"\\{c}"
        if c.lower() in _CLASSES:
            ascii_set = _CLASSES[c.lower()]
            return _written(ascii_set, "") if c.islower() else _written(_all_but(ascii_set), _ANY_WIDE)
        if c in _CONTROL:
            return _escaped(_CONTROL[c])
        if c.isalnum():
            raise Untranslatable(f"\\{c}")
        return self._literal(ord(c))

    def _unicode(self) -> frozenset[int]:
        """The ASCII members of the class whose name stands in braces."""
        end = self._text.find("}", self._at)
        name = self._text[self._at + 1 : end]
        if self._text[self._at : self._at + 1] != "{" or name not in _UNICODE:
            raise Untranslatable(f"\\p{name}")
        self._at = end + 1
        spelled = re.compile(f"[{_UNICODE[name]}]", re.IGNORECASE if self._folds else 0)
        return frozenset(code for code in range(_ASCII) if spelled.match(chr(code)))

    def _class(self) -> str:  # noqa: C901 (one grammar rule)
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        members: set[int] = set()
        wide: list[tuple[int, int]] = []
        anything_wide = False
        first = True
        while first or self._peek() != "]":
            first = False
            if not self._peek():
                raise Untranslatable("a class is not closed")
            if self._text.startswith("[:", self._at):
                end = self._text.index(":]", self._at)
                name = self._text[self._at + 2 : end]
                if name not in _POSIX:
                    raise Untranslatable(name)
                spelled = re.compile(f"[{_POSIX[name]}]")
                members |= {code for code in range(_ASCII) if spelled.match(chr(code))}
                self._at = end + 2
                continue
            if self._text.startswith("\\p", self._at):
                self._at += 2
                members |= self._unicode()
                anything_wide = True
                continue
            low = self._member()
            if isinstance(low, str):
                kind = _CLASSES[low.lower()]
                members |= kind if low.islower() else _all_but(kind)
                anything_wide = anything_wide or low.isupper()
                continue
            high = low
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                end_code = self._member()
                if isinstance(end_code, str):
                    raise Untranslatable("a range that ends in a class")
                high = end_code
            members |= set(range(low, min(high + 1, _ASCII)))
            if high >= _ASCII:
                wide.append((max(low, _ASCII), high))
        self._at += 1
        if negated:
            if self._folds:
                members |= _both_cases(members)
            return _written(_all_but(frozenset(members)), _ANY_WIDE)
        if anything_wide:
            return _written(frozenset(members | (_both_cases(members) if self._folds else set())), _ANY_WIDE)
        return self._set(frozenset(members), wide)

    def _member(self) -> int | str:
        if found := _CODE.match(self._text, self._at):
            self._at = found.end()
            return int(found[1] or found[2], 16)
        c = self._peek()
        self._at += 1
        if c != "\\":
            return ord(c)
        c = self._peek()
        self._at += 1
        if c.lower() in _CLASSES:
            return c
        if c in _CONTROL:
            return _CONTROL[c]
        if not c or c.isalnum():
            raise Untranslatable(f"\\{c}")
        return ord(c)

    def _set(self, members: frozenset[int], wide: list[tuple[int, int]]) -> str:
        if self._folds:
            members |= _both_cases(members)
            wide = wide + [(_FOLDED[code],) * 2 for code in members if code in _FOLDED]
            if any(high >= _ASCII and (low, high) not in ((0x212A,) * 2, (0x17F,) * 2) for low, high in wide):
                return _written(members, _ANY_WIDE)
        if sum(high - low + 1 for low, high in wide) > _MOST_SPELLED:
            return _written(members, _ANY_WIDE)
        return _written(members, "|".join(_escaped(code) for low, high in wide for code in range(low, high + 1)))

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]


def _both_cases(members: frozenset[int] | set[int]) -> set[int]:
    return {ord(other) for code in members for other in (chr(code).lower(), chr(code).upper()) if ord(other) < _ASCII}


def _all_but(members: frozenset[int]) -> frozenset[int]:
    return frozenset(range(_ASCII)) - members


def _written(members: frozenset[int], wide: str) -> str:
    """A class of ASCII members, or what is outside ASCII."""
    text = ""
    if members:
        parts, codes = [], sorted(members)
        start = last = codes[0]
        for code in [*codes[1:], -1]:
            if code == last + 1:
                last = code
                continue
            parts.append(_in_class(start) if start == last else f"{_in_class(start)}-{_in_class(last)}")
            start = last = code
        text = f"[{''.join(parts)}]"
    if not wide:
        return text or _NOTHING
    return f"(?:{text}|{wide})" if text else f"(?:{wide})"


def _in_class(code: int) -> str:
    c = chr(code)
    return c if c.isalnum() else f"\\x{code:02x}"


def _escaped(code: int) -> str:
    c = chr(code)
    if code < _ASCII:
        return c if c.isalnum() else f"\\x{code:02x}"
    return "".join(f"\\x{byte:02x}" for byte in c.encode())
