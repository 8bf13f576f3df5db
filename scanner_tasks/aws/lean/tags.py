"""The answer to GetObjectTagging as a mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn
from xml.parsers import expat

from scanner_tasks.core.errors import ObjectError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUFFER_BYTES: Final = 4096


def read_tags(body: bytes) -> dict[str, str]:
    """Values by name; raises ObjectError when the body is no set of tags.

    Examples:
        >>> read_tags(b"<Tagging><TagSet><Tag><Key>a&amp;b</Key><Value></Value></Tag></TagSet></Tagging>")
        {'a&b': ''}
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _BUFFER_BYTES
    parser.StartElementHandler = reader.begin
    parser.CharacterDataHandler = reader.add
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 (expat's own)
    except (expat.ExpatError, ValueError) as error:
        raise ObjectError("The store's answer is not S3's XML of tags: is the endpoint an S3 store?") from error
    return reader.tags


class _Reader:
    """Collects tags from expat's events."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self._is_begun = False
        self._text = ""
        self._parts: dict[str, str] = {}

    def begin(self, name: str, _attributes: Mapping[str, str]) -> None:
        if not self._is_begun and name != "Tagging":
            raise ValueError("no tags")
        self._is_begun = True
        self._text = ""

    def add(self, text: str) -> None:
        self._text += text

    def end(self, name: str) -> None:
        if name == "Tag":
            if self._parts.keys() != {"Key", "Value"}:
                raise ValueError("a tag without its name or its value")
            self.tags[self._parts["Key"]] = self._parts["Value"]
            self._parts = {}
        elif name in {"Key", "Value"}:
            self._parts[name] = self._text


def _refuse(*_: object) -> NoReturn:
    raise ValueError("a document type")
