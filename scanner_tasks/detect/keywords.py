"""Words near a value that speak for it or against it."""

from __future__ import annotations

import re2

#: A long number and then a word between keyword and value: the keyword belongs to that number, not to ours.
_ANOTHER_VALUE = re2.compile(r"[0-9]{5}[^0-9]*[A-Za-z]{2}")


class Keywords:
    """The keywords of a rule: case, separators (``social_security``, ``socialSecurity``) and plural do not matter.

    Examples:
        >>> words = Keywords(("ssn", "social security"))
        >>> words.last_end("customer_ssn: "), words.last_end("mySocialSecurityNumber="), words.last_end("assn ")
        (12, 16, -1)
    """

    def __init__(self, words: tuple[str, ...]) -> None:
        whole = [word for word in words if not word.endswith("*")]
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
        if begun := [_spaced(word.removesuffix("*")) for word in words if word.endswith("*")]:
            parts.append(f"(?:^|[^A-Za-z0-9])((?:{'|'.join(begun)})[A-Za-z0-9]{{0,64}})")
        self._patterns = [re2.compile(part) for part in parts]

    def last_end(self, text: str) -> int:
        """Where the last keyword in the text ends, in characters; -1 without one."""
        last = -1
        for pattern in self._patterns:
            at = 0
            while found := pattern.search(text, at):
                end = found.end(1)
                last = max(last, end)
                at = max(end, at + 1)
        return last

    def first_start(self, text: str) -> int:
        """Where the first keyword in the text begins, in characters; -1 without one."""
        starts = [found.start(1) for pattern in self._patterns if (found := pattern.search(text))]
        return min(starts, default=-1)


class Labels:
    """Words that name the value directly before it as something else: ``order #``, ``invoice no: ``, ``SKU-``.

    Examples:
        >>> labels = Labels(("order", "invoice"))
        >>> labels.end_with("your orderId: "), labels.end_with("Invoice no. #"), labels.end_with("in order to pay ")
        (True, True, False)
    """

    def __init__(self, words: tuple[str, ...]) -> None:
        any_word = "|".join(_spaced(word) for word in words)
        kind = "id|ids|no|num|nr|number|code|ref|key"
        self._pattern = re2.compile(
            rf"(?:^|[^A-Za-z])(?i:(?:{any_word})s?(?:[ _.\-]{{0,2}}(?:{kind}))?)[^A-Za-z0-9]{{0,6}}$"
        )

    def end_with(self, text: str) -> bool:
        """True if such a word ends the text, but for its separators."""
        return self._pattern.search(text) is not None


def speaks_of_another(between: str) -> bool:
    """True if a long number and another word stand between a keyword and a value.

    Examples:
        >>> speaks_of_another("536228726, routing: "), speaks_of_another(" of the applicant: ")
        (True, False)
    """
    return _ANOTHER_VALUE.search(between) is not None


def _spaced(word: str) -> str:
    return r"[ _.\-]{0,2}".join(re2.escape(part) for part in word.split(" "))


def _capital(word: str) -> str:
    return "".join(re2.escape(part[:1].upper() + part[1:].lower()) for part in word.split(" "))
