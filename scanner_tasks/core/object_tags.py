"""Tags that objects must have, or must not have, to be scanned, as a value: core/selection_rules.py reads it.

No listing tells an object's tags: each costs a request, which a worker sends before it reads the object
(flow/tag_check.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Stands for any value: S3 has no ``*`` in tags.
ANY: Final = "*"


@dataclass(frozen=True, kw_only=True, slots=True)
class TagCondition:
    """Entries ``NAME=VALUE`` or ``NAME=*``, a name ending at the first ``=``.

    One of ``include`` is there, if it holds any, and none of ``exclude`` is.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """False when every object fits, whatever its tags: then nobody need ask."""
        return bool(self.include or self.exclude)

    def fits(self, tags: Mapping[str, str]) -> bool:
        """True when an object with these tags is to be scanned.

        Examples:
            >>> wanted = TagCondition(include=("team=a", "team=b"), exclude=("public=*",))
            >>> wanted.fits({"team": "b"}), wanted.fits({}), wanted.fits({"team": "b", "public": "no"})
            (True, False, False)
        """
        if self.include and not any(_is_there(entry, tags) for entry in self.include):
            return False
        return not any(_is_there(entry, tags) for entry in self.exclude)

    def to_json(self) -> dict[str, list[str]]:
        """For a child process."""
        return {"include": list(self.include), "exclude": list(self.exclude)}


#: Every object fits.
ANY_TAGS: Final = TagCondition()


def from_json(told: Mapping[str, Sequence[str] | None]) -> TagCondition:
    """What ``TagCondition.to_json`` gave; a missing list is an empty one.

    Examples:
        >>> from_json({"include": ["team=a"], "exclude": None})
        TagCondition(include=('team=a',), exclude=())
    """
    return TagCondition(include=tuple(told.get("include") or ()), exclude=tuple(told.get("exclude") or ()))


def _is_there(entry: str, tags: Mapping[str, Any]) -> bool:
    name, _, value = entry.partition("=")
    return name in tags and value in {ANY, tags[name]}
