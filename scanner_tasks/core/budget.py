"""When a job pauses itself: at so many dollars, objects or bytes, whichever comes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.core.selection_rules import read_size


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """None is no limit. Looked at each minute: what workers do meanwhile comes on top."""

    dollars: float | None = None
    #: Objects that have their outcome by being read.
    objects: int | None = None
    #: Bytes read from S3.
    bytes: int | None = None

    @property
    def is_unlimited(self) -> bool:
        """True when nothing ends it."""
        return self == Budget()

    def to_json(self) -> dict[str, Any]:
        """Only what is said."""
        return {name: value for name, value in asdict(self).items() if value is not None}


UNLIMITED: Final = Budget()


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What a job has cost so far."""

    dollars: float
    objects: int
    bytes: int


def read_budget(told: Mapping[str, Any] | None) -> Budget:
    """A budget as a caller names its parts; InvalidInput says what is wrong.

    Examples:
        >>> read_budget({"dollars": 5, "bytes": "1GB"}).to_json()
        {'dollars': 5.0, 'bytes': 1073741824}
    """
    given = {name: value for name, value in (told or {}).items() if value is not None}
    for name in given:
        if name not in {"dollars", "objects", "bytes"}:
            raise InvalidInput("budget: it takes dollars, objects, bytes; nothing else.")
    dollars, objects = given.get("dollars"), given.get("objects")
    if dollars is not None and (type(dollars) not in {int, float} or not 0 < dollars < 1e9):  # noqa: PLR2004 (and no nan)
        raise InvalidInput("budget.dollars: give a number above 0.")
    if objects is not None and (type(objects) is not int or not 0 < objects < 2**63):
        raise InvalidInput("budget.objects: give a whole number above 0.")
    size = None if "bytes" not in given else read_size("budget.bytes", given["bytes"])
    if size == 0:
        raise InvalidInput("budget.bytes: give a number of bytes above 0, or such as 10GB.")
    return Budget(dollars=None if dollars is None else float(dollars), objects=objects, bytes=size)


def overrun(budget: Budget, spent: Spent) -> str | None:
    """Why the job pauses; None while it may go on.

    Examples:
        >>> overrun(Budget(dollars=2.0), Spent(dollars=2.5, objects=7, bytes=9))
        'budget: $2.50 of $2.00 are spent; resume it with a larger budget, or cancel it.'
        >>> overrun(Budget(objects=8), Spent(dollars=2.5, objects=7, bytes=9)) is None
        True
    """
    told = []
    if budget.dollars is not None and spent.dollars >= budget.dollars:
        told.append(f"${spent.dollars:,.2f} of ${budget.dollars:,.2f} are spent")
    if budget.objects is not None and spent.objects >= budget.objects:
        told.append(f"{spent.objects:,} of {budget.objects:,} objects are read")
    if budget.bytes is not None and spent.bytes >= budget.bytes:
        told.append(f"{spent.bytes:,} of {budget.bytes:,} bytes are read")
    return f"budget: {', '.join(told)}; resume it with a larger budget, or cancel it." if told else None
