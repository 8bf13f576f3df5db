"""Words near a value that speak for it or against it. Texts are UTF-8 bytes; positions are bytes."""

from __future__ import annotations

from typing import Final

import re2

from scanner_tasks.detect.regex import Regex

_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_ASCII: Final = bytes(range(0x80))
#: A long number and then a word between keyword and value: the keyword belongs to that number, not to ours.
_NEXT_LABEL: Final = Regex(r"^(?i:[ _]?(?:number|num|nbr|no|nr|id|code)){0,2}[A-Za-z0-9_]{0,12}[\"'\]]{0,2}[ ]?[=:#]")
_ANOTHER_VALUE: Final = Regex("(?s)[0-9][^0-9A-Za-z]{0,3}[0-9]{4}.*[A-Za-z]{2}")

_APART: Final = "(?:^|[^A-Za-z])"
#: Perhaps the plural, and no lower-case letter.
_NO_LETTER: Final = "[sS]?(?:$|[^a-z])"


class Keywords:
    """The keywords of a rule: case, separators (``social_security``, ``socialSecurity``) and plural do not matter.

    Examples:
        >>> words = Keywords(("ssn", "social security"))
        >>> words.last_end(b"customer_ssn: "), words.last_end(b"mySocialSecurityNumber="), words.last_end(b"assn ")
        (12, 16, -1)
    """

    def __init__(self, words: tuple[str, ...]) -> None:
        # Codes of formats, ``*TE*`` and ``:57A:``, are taken as they stand.
        signs = [re2.escape(word) for word in words if not word[0].isalnum()]
        lettered = [word for word in words if word[0].isalnum()]
        whole = [word for word in lettered if not word.endswith("*")]
        begun = [_spaced(word.removesuffix("*")) for word in lettered if word.endswith("*")]
        self._words = words
        self._plain = [(_plain(word), word) for word in words]
        cases = dict.fromkeys(case for word in whole for case in (_capital(word), _spaced(word.upper())))
        #: What stands before a keyword, the keyword, what stands behind it; the first and the last in classes of ASCII.
        self.shapes: list[tuple[str, str, str]] = [
            *[(_APART, f"(?i:{'|'.join(_spaced(word) for word in whole)})", _NO_LETTER)] * bool(whole),
            *[("", f"(?:{'|'.join(cases)})", _NO_LETTER)] * bool(whole),
            *[(_APART, f"(?:{'|'.join(begun)})", "")] * bool(begun),
            *[("", f"(?i:{'|'.join(signs)})", "")] * bool(signs),
        ]
        # One look that tells most texts apart: without any of these, nothing below can match.
        self._any = Regex("|".join(map("".join, self.shapes)))
        parts = []
        if whole:
            any_case = "|".join(_spaced(word) for word in whole)
            lower = "|".join(_spaced(word.lower()) for word in whole)
            capital = "|".join(f"{_capital(word)}|{_spaced(word.upper())}" for word in whole)
            parts += [
                f"(?:^|[^A-Za-z])((?i:{any_case})[sS]?)(?:$|[^A-Za-z])",
                f"(?:^|[^A-Za-z])((?:{lower})s?)[A-Z]",
                f"(?:^|[^A-Za-z]|[a-z])((?:{capital})s?)(?:$|[^a-z])",
            ]
        if signs:
            parts.append(f"((?i:{'|'.join(signs)}))")
        if begun:
            parts.append(f"(?:^|[^A-Za-z0-9])((?:{'|'.join(begun)})[A-Za-z0-9]{{0,64}})")
        self._exact = [Regex(part) for part in parts]

    def last(self, text: bytes) -> tuple[int, int]:
        """Where the last keyword in the text begins and ends; (-1, -1) without one."""
        last = (-1, -1)
        if self._any.search(text) is None:
            return last
        for pattern in self._exact:
            at = 0
            while found := pattern.search(text, at):
                start, end = found[1]
                if end > last[1]:
                    last = (start, end)
                at = max(end, at + 1)
        return last

    def last_end(self, text: bytes) -> int:
        """Where the last keyword in the text ends; -1 without one."""
        return self.last(text)[1]

    def first(self, text: bytes) -> tuple[int, int]:
        """Where the first keyword in the text, the longest that begins there, begins and ends; (-1, -1) without one."""
        if self._any.search(text) is None:
            return (-1, -1)
        begun = (found[1] for pattern in self._exact if (found := pattern.search(text)))
        return min(begun, key=lambda place: (place[0], -place[1]), default=(-1, -1))

    def first_start(self, text: bytes) -> int:
        """Where the first keyword in the text begins; -1 without one."""
        return self.first(text)[0]

    def first_word(self, text: bytes) -> str:
        """The first keyword in the text, as the rule has it; empty without one."""
        start, end = self.first(text)
        return self.name(text[start:end]) if start >= 0 else ""

    def name(self, found: bytes) -> str:
        """The rule's own spelling of a keyword found in a text: never what the text holds beside it.

        Examples:
            >>> [Keywords((word,)).name(text) for word, text in (("ss no", b"SS_No"), ("AKIA*", b"AKIA7"))]
            ['ss no', 'AKIA']
        """
        plain = _plain(found.decode("utf-8", "replace"))
        fitting = [word for begin, word in self._plain if plain.startswith(begin)]
        return max(fitting, key=len, default=self._words[0]).removesuffix("*")


class Labels:
    """Words that name the value directly before it as something else: ``order #``, ``invoice no. is``, ``SKU-``.

    Examples:
        >>> labels = Labels(("order", "invoice"))
        >>> labels.end_with(b"your orderId: "), labels.end_with(b"Invoice no. #"), labels.end_with(b"in order to pay ")
        (True, True, False)
    """

    def __init__(self, words: tuple[str, ...]) -> None:
        any_word = "|".join(_spaced(word) for word in words)
        kind = "id|ids|no|num|nr|number|code|ref|key"
        label = rf"(?:^|[^A-Za-z])(?i:(?:{any_word})s?(?:[ _.\-]{{0,2}}(?:{kind}))?)"
        self._pattern = Regex(rf"{label}(?: is| was)?[^A-Za-z0-9\n,;|]{{0,24}}$")
        self._any_line = Regex(rf"(?m:{label}$)")

    def end_with(self, text: bytes) -> bool:
        """True if such a word ends the text, but for its separators."""
        return self._pattern.search(text) is not None

    def end_any(self, lines: bytes) -> bool:
        """True if such a word ends any of the lines."""
        return self._any_line.search(lines) is not None


def labels_next(after: bytes) -> bool:
    """True if what follows a word behind a value makes it the label of the next value: ``", ssn='536…``.

    Examples:
        >>> labels_next(b"='536"), labels_next(b' Number": "x'), labels_next(b" of Jane")
        (True, True, False)
    """
    return _NEXT_LABEL.search(after) is not None


def speaks_of_another(between: bytes) -> bool:
    """True if a long number and another word stand between a keyword and a value.

    Examples:
        >>> [speaks_of_another(b) for b in (b"536-22-8726, routing: ", b" of Jane: ", b" ending 8726, whole: ")]
        [True, False, False]
    """
    return _ANOTHER_VALUE.search(between) is not None


def chars(text: bytes) -> int:
    """Number of code points that begin in the bytes.

    Examples:
        >>> chars("é!".encode())
        2
    """
    return len(text) if text.isascii() else len(text.translate(None, _CONTINUATION))


def not_ascii(text: bytes) -> int:
    """Number of bytes that are not ASCII.

    Examples:
        >>> not_ascii("é!".encode())
        2
    """
    return 0 if text.isascii() else len(text.translate(None, _ASCII))


def last_chars(text: bytes, count: int) -> bytes:
    """The last ``count`` code points, or all.

    Examples:
        >>> last_chars("aé!".encode(), 2).decode()
        'é!'
    """
    tail = text[-count:]
    if tail.isascii():
        return tail
    return text.decode("utf-8", "ignore")[-count:].encode()


def _plain(word: str) -> str:
    return "".join(c for c in word.lower() if c not in " _.-*")


def _spaced(word: str) -> str:
    return r"[ _.\-]{0,2}".join(re2.escape(part) for part in word.split(" "))


def _capital(word: str) -> str:
    return "".join(re2.escape(part[:1].upper() + part[1:].lower()) for part in word.split(" "))
