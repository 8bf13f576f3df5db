"""A list of allowed values as the text of a pack: fingerprints only, so that no value is written anywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def allow_table(name: str, rules: Sequence[str], fingerprints: Iterable[str]) -> str:
    """An ``[[allow]]`` table for a pack (docs/custom-rules.md), with an empty line before it.

    Examples:
        >>> print(allow_table("our test people", ["us.ssn"], ["k1:" + "0" * 32]).strip())
        [[allow]]
        name = "our test people"
        rules = ["us.ssn"]
        values = [
          "k1:00000000000000000000000000000000",
        ]
    """
    quoted = [json.dumps(text, ensure_ascii=False) for text in rules]
    lines = ["", "[[allow]]", f"name = {json.dumps(name, ensure_ascii=False)}", f"rules = [{', '.join(quoted)}]"]
    return "\n".join([*lines, "values = [", *(f'  "{mark}",' for mark in fingerprints), "]", ""])
