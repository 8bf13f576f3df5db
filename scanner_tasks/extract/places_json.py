"""JSON paths, of one document or of a document a line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Self

from scanner_tasks.extract import escapes
from scanner_tasks.extract.places import MOST_LINE, NAME_CHARS, Document, PathAt, Places

_MOST_LEVELS = 200


def is_json(head: str, name: str) -> bool:
    """Whether a text that begins so is JSON."""
    text = head.lstrip()
    if not text.startswith(("{", "[")):
        return False
    if name.endswith((".json", ".jsonl", ".ndjson", ".geojson", ".ipynb", ".har")):
        return True
    return text[1:].lstrip().startswith(('"', "}") if text[0] == "{" else ('"', "{", "["))


def is_json_lines(head: str) -> bool:
    """Whether JSON that begins so is a document a line."""
    first, _, rest = head.lstrip().partition("\n")
    if not rest.lstrip().startswith("{"):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


#: A string that the end cuts is a token, too, without a group: what is in it is no structure.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(")?|([{}\[\],:])', re.DOTALL)
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")


class JsonPosition:
    """Where in a JSON text one stands: for each level the key, or the number of the element."""

    __slots__ = ("last", "levels")

    def __init__(self, levels: list[bytes | int | None] | None = None, last: bytes = b"") -> None:
        self.levels = levels or []
        self.last = last

    def copy(self) -> Self:  # noqa: D102
        return type(self)(list(self.levels), self.last)

    def walk(self, data: bytes, at: int) -> int | None:  # noqa: D102
        end = 0
        for found in _TOKEN.finditer(data):
            if found.end() > at or found.lastindex is None:
                break
            self.take(found[0])
            end = found.end()
            if len(self.levels) > _MOST_LEVELS:
                return None
        return end

    def take(self, token: bytes) -> None:
        """Go on by one token."""
        levels = self.levels
        if token == b"{":
            levels.append(None)
        elif token == b"[":
            levels.append(0)
        elif token in b"}]":
            if levels:
                levels.pop()
        elif token == b",":
            if levels:
                top = levels[-1]
                levels[-1] = top + 1 if isinstance(top, int) else None
        elif token == b":":
            if levels and not isinstance(levels[-1], int):
                levels[-1] = self.last
        else:
            self.last = token

    def path(self, rest: bytes = b"") -> str:
        """As ``$.customers[3].ssn``."""
        del rest
        told = ["$"]
        for level in self.levels:
            if isinstance(level, int):
                told.append(f"[{level}]")
            elif level is not None:
                told.append(_key(level))
        return "".join(told)


def _key(token: bytes) -> str:
    try:
        name = str(json.loads(token))
    except ValueError:
        name = token.decode("utf-8", "replace").strip('"')
    name = name[:NAME_CHARS]
    return f".{name}" if _PLAIN_KEY.fullmatch(name) else f"[{json.dumps(name, ensure_ascii=False)}]"


class JsonLines(Places):
    """A JSON document a line: the path within the line's."""

    ends = escapes.ENDS

    def __init__(self, root: str, inside: Callable[[str], str]) -> None:
        super().__init__(root, inside)
        self._begun: bytes | None = b""

    def of(self, data: bytes, line: int) -> PathAt:  # noqa: D102
        del line
        begun = self._begun

        def path_at(at: int) -> str:
            start = data.rfind(b"\n", 0, at) + 1
            end = data.find(b"\n", at)
            rest = data[start : None if end < 0 else end]
            if not start and begun is None:
                return self.root
            before = b"" if start or begun is None else begun
            position = JsonPosition()
            is_told = position.walk(before + rest, len(before) + at - start) is not None
            return self._inside(position.path()) if is_told else self.root

        end = data.rfind(b"\n") + 1
        if end:
            self._begun = data[end:]
        elif begun is not None:
            self._begun = begun + data
        if self._begun and len(self._begun) > MOST_LINE:
            self._begun = None
        return path_at

    def shown(self, data: bytes) -> bytes:  # noqa: D102
        return escapes.json_unescaped(data)


class JsonDocument(Document):
    """One JSON document."""

    ends = escapes.ENDS

    def __init__(self, root: str, inside: Callable[[str], str]) -> None:
        super().__init__(root, inside, JsonPosition())

    def shown(self, data: bytes) -> bytes:  # noqa: D102
        return escapes.json_unescaped(data)
