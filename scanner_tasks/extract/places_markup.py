"""Element paths of XML and HTML: ``/customers/customer[3]/ssn``, ``/user[2]/@mail``.

Of children of one name the second and later tell their number; a first that is told without may have followers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Self

from scanner_tasks.extract import escapes
from scanner_tasks.extract.places import NAME_CHARS, Document

_NAMES = (
    ".xml", ".html", ".htm", ".xhtml", ".svg", ".rss", ".plist", ".xsd", ".wsdl", ".kml", ".gpx", ".fodt", ".fods",
)  # fmt: skip
_HTML_NAMES = (".html", ".htm")
_START = re.compile(r"(?:<\?xml\b|<!DOCTYPE\b|<!--|<[A-Za-z_][\w:.-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)
_HTML = re.compile(r"<!DOCTYPE html|<(?:html|head|body|table|div|p|span)\b", re.IGNORECASE)
#: A tag's beginning up to its name's end; what ends it is looked for from there.
_TAG = re.compile(rb"<(?:(!--)|(!\[CDATA\[)|([?!])|(/?)([A-Za-z_][\w:.-]*))")
_REST = re.compile(rb"(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>")
_ATTRIBUTE = re.compile(rb"([A-Za-z_][\w:.-]*)\s*=\s*(?:\"[^\"]*|'[^']*|[^\s\"'<>]*)$")
_VOID = frozenset(b"area base br col embed hr img input link meta param source track wbr".split())
#: HTML elements that the next of their kind ends.
_ITEMS = frozenset(b"li p td th tr option dt dd thead tbody".split())
_RAW = frozenset((b"script", b"style"))
_MOST_LEVELS = 200
#: Names of one element's children that are counted.
_MOST_NAMES = 50
_MOST_ATTRIBUTE = 4096


def is_markup(head: str, name: str) -> bool:
    """Whether a text that begins so is XML or HTML."""
    start = head.lstrip()
    return bool(_START.match(start)) or (start.startswith("<") and name.endswith(_NAMES))


def is_html(head: str, name: str) -> bool:
    """Whether markup that begins so is HTML, whose tags need not be closed."""
    return name.endswith(_HTML_NAMES) or (bool(_HTML.search(head[:1000])) and "<?xml" not in head[:100])


class MarkupPosition:
    """Where in a document one stands: each open element's name, its number, and its children of each name so far."""

    def __init__(self, *, is_html: bool, levels: list[tuple[bytes, int, dict[bytes, int]]] | None = None) -> None:
        self._is_html = is_html
        self._levels = levels or [(b"", 0, {})]
        #: Of a script: what ends it.
        self._raw = b""

    def copy(self) -> Self:  # noqa: D102
        copied = type(self)(
            is_html=self._is_html, levels=[(name, n, dict(children)) for name, n, children in self._levels]
        )
        copied._raw = self._raw  # noqa: SLF001
        return copied

    def walk(self, data: bytes, at: int) -> int | None:  # noqa: D102
        done = 0
        while True:
            if self._raw:
                end = data.lower().find(self._raw, done)
                if end < 0 or end > at:
                    return at if end > at else min(at, max(done, len(data) - len(self._raw)))
                self._raw, done = b"", end
            found = _TAG.search(data, done)
            if found is None:
                opens = data.rfind(b"<", max(done, len(data) - NAME_CHARS))
                return min(at, len(data) if opens < 0 else opens)
            end = self._end(data, found)
            if end < 0 or end > at:
                return min(at, found.start())
            if found[5]:
                self._take(found[5], closes=bool(found[4]), is_empty=data[end - 2 : end - 1] == b"/")
            done = end
            if len(self._levels) > _MOST_LEVELS:
                return None

    def path(self, rest: bytes = b"") -> str:  # noqa: D102
        told = [_told(name, number) for name, number, _ in self._levels[1:]]
        found = _TAG.match(rest)
        if found and found[5] and not found[4]:
            name = self._name(found[5])
            told.append(_told(name, self._levels[-1][2].get(name, 0) + 1))
            if attribute := _ATTRIBUTE.search(rest[-_MOST_ATTRIBUTE:]):
                told.append("@" + attribute[1].decode("utf-8", "replace")[:NAME_CHARS])
        return "/" + "/".join(told)

    @staticmethod
    def _end(data: bytes, found: re.Match[bytes]) -> int:
        """Behind the token; -1 where its end has not come yet."""
        if found[1] or found[2]:
            mark = b"-->" if found[1] else b"]]>"
            end = data.find(mark, found.end())
            return end + 3 if end >= 0 else -1
        rest = _REST.match(data, found.end())
        return rest.end() if rest else data.find(b">", found.end()) + 1 or -1

    def _name(self, name: bytes) -> bytes:
        return name.lower() if self._is_html else name

    def _take(self, written: bytes, *, closes: bool, is_empty: bool) -> None:
        name, levels = self._name(written), self._levels
        if closes:
            at = next((n for n in range(len(levels) - 1, 0, -1) if levels[n][0] == name), 0)
            if at:
                del levels[at:]
            return
        if self._is_html and name in _ITEMS and levels[-1][0] == name:
            levels.pop()
        children = levels[-1][2]
        if name in children or len(children) < _MOST_NAMES:
            children[name] = children.get(name, 0) + 1
        if is_empty or (self._is_html and name in _VOID):
            return
        levels.append((name, children.get(name, 0), {}))
        if self._is_html and name in _RAW:
            self._raw = b"</" + name


def _told(name: bytes, number: int) -> str:
    told = name.decode("utf-8", "replace")[:NAME_CHARS]
    return f"{told}[{number}]" if number > 1 else told


class MarkupDocument(Document):
    """One XML or HTML document."""

    ends = escapes.ENDS

    def __init__(self, root: str, inside: Callable[[str], str], *, is_html: bool) -> None:
        super().__init__(root, inside, MarkupPosition(is_html=is_html))

    def shown(self, data: bytes) -> bytes:  # noqa: D102
        return escapes.markup_unescaped(data)
