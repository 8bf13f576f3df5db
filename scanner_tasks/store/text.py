"""Object keys as Postgres text, exactly: Postgres stores no NUL, S3 keys may hold one.

U+E000 (a private-use character) escapes: NUL is stored as U+E000 ``0``, U+E000 itself as U+E000 ``e``.
"""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ESCAPE = "\ue000"
#: No stored key holds it.
BREAK = "\ue000|"
#: The array of what ``joined`` tells: for beginning, rest, beginning.
KEYS_OF = f"string_to_array(%s || replace(%s, '{BREAK}', '{BREAK}' || %s), '{BREAK}')"


def to_text(key: str) -> str:
    r"""The form that is stored.

    Examples:
        >>> to_text("a//b"), ascii(to_text("a\0b"))
        ('a//b', "'a\\ue0000b'")
    """
    if "\0" not in key and _ESCAPE not in key:
        return key
    return key.replace(_ESCAPE, _ESCAPE + "e").replace("\0", _ESCAPE + "0")


def from_text(stored: str) -> str:
    r"""The key itself.

    Examples:
        >>> from_text(to_text("a\0\ue000e")) == "a\0\ue000e"
        True
    """
    if _ESCAPE not in stored:
        return stored
    return stored.replace(_ESCAPE + "0", "\0").replace(_ESCAPE + "e", _ESCAPE)


def joined(keys: Iterable[str]) -> tuple[str, str]:
    r"""What all stored forms begin with, and the rest of each in one text, with BREAK between two.

    No longer than the keys, though the beginning is sent twice (KEYS_OF): a key alone has none.

    Examples:
        >>> ascii(joined(["logs/1", "logs/2", "logs/"]))
        "('logs/', '1\\ue000|2\\ue000|')"
        >>> ascii(joined(["a", "\ue000|"])), joined(["alone"])
        ("('', 'a\\ue000|\\ue000e|')", ('', 'alone'))
    """
    stored = [to_text(key) for key in keys]
    begin = commonprefix(stored) if len(stored) > 1 else ""  # noqa: RUF071 (character by character: keys are no paths)
    return begin, BREAK.join([key[len(begin) :] for key in stored] if begin else stored)


def plain(text: str) -> str:
    r"""Text from outside as Postgres holds it: NUL and half a surrogate pair become U+FFFD.

    Examples:
        >>> ascii(plain("a\0b\ud800"))
        "'a\\ufffdb\\ufffd'"
    """
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
