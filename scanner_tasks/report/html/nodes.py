"""Elements as values: one description of a page, written as HTML for a file or as JSON for a script that builds them.

Text is escaped when it is written as HTML, and becomes text nodes in the browser when it is sent as JSON (``build`` in
live.js); names of elements and attributes come from this project's code alone.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Characters that change how text around them is shown, or are not shown: controls, marks of direction, separators.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Element:
    """An element; a text is a ``str``."""

    tag: str
    attributes: Mapping[str, str]
    children: tuple[Element | str, ...]


Node = Element | str


def el(tag: str, *children: Node, **attributes: str) -> Element:
    """An element; ``class_`` is its class, and ``aria_label`` its ``aria-label``.

    Examples:
        >>> to_html(el("p", "a < b", el("b", "c"), class_="note"))
        "<p class='note'>a &lt; b<b>c</b></p>"
    """
    told = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return Element(tag, told, children)


def shown(text: str) -> str:
    """The text with every character that would not be seen told by its number.

    Examples:
        >>> shown("a\u202eb")
        'a⟨U+202E⟩b'
    """
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def escaped(text: str) -> str:
    """A text as HTML."""
    return html.escape(shown(text))


def to_html(node: Node) -> str:
    """A node as HTML."""
    if isinstance(node, str):
        return escaped(node)
    told = "".join(
        f" {name}" if not value else f" {name}='{escaped(value)}'" for name, value in node.attributes.items()
    )
    if node.tag == "input":
        return f"<input{told}>"
    return f"<{node.tag}{told}>{''.join(map(to_html, node.children))}</{node.tag}>"


def to_json(node: Node) -> Any:
    """A node as JSON: a text, or tag, attributes and children.

    Examples:
        >>> to_json(el("p", "a", class_="note"))
        ['p', {'class': 'note'}, ['a']]
    """
    if isinstance(node, str):
        return shown(node)
    told = {name: shown(value) for name, value in node.attributes.items()}
    return [node.tag, told, [to_json(child) for child in node.children]]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> Element:
    """A table; numbers stand right."""
    listed = list(rows)
    numbers = {n for row in listed[:1] for n, value in enumerate(row) if isinstance(value, int)}
    body = (
        el(
            "tr",
            *(
                el("td", f"{value:,}", class_="n") if isinstance(value, int) else el("td", el("bdi", str(value)))
                for value in row
            ),
        )
        for row in listed
    )
    head = (
        el("th", name, scope="col", class_="n") if n in numbers else el("th", name, scope="col")
        for n, name in enumerate(heads)
    )
    return el(
        "div",
        el("table", el("caption", caption), el("thead", el("tr", *head)), el("tbody", *body)),
        class_="scroll",
    )
