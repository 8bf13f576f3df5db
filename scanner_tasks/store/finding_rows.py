"""A finding as a row: its id, its places as JSON that fits into a statement."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from scanner_tasks.core.identity import finding_id
from scanner_tasks.store.engine import literal_bytes
from scanner_tasks.store.evidence import pack
from scanner_tasks.store.text import to_text

if TYPE_CHECKING:
    from scanner_tasks.core.model import ClaimedBatch, ObjectRef, RuleFindings

#: Characters of the sentence beside an outcome.
MAX_DETAIL: Final = 500
#: MAX_STATEMENT_BYTES less a key of 1,024 NULs (four bytes each, store/text.py) and the rest of its row.
OCCURRENCES_BYTES: Final = 11_000
#: Of these, at most so many for the columns of a table.
_COLUMNS_BYTES: Final = 2_000


def finding_columns(batch: ClaimedBatch, ref: ObjectRef, found: RuleFindings) -> tuple[Any, ...]:
    """A finding's columns from ``finding_id`` on."""
    columns = _columns_json(found)
    return (
        str(finding_id(ref.bucket, ref.key, found.rule_id, batch.told_version(ref))),
        to_text(ref.key),
        str(found.severity),
        str(found.confidence),
        found.count,
        occurrences_json(found, room=OCCURRENCES_BYTES - literal_bytes(columns or "")),
        found.allowed,
        columns,
    )


def _columns_json(found: RuleFindings) -> str | None:
    """The columns that hold little else as JSON, as many as there is room for; None where there are none."""
    texts: list[str] = []
    for column in found.columns:
        text = json.dumps([to_json_text(column.name), column.rows, column.valid], ensure_ascii=False)
        if literal_bytes(", ".join([*texts, text])) > _COLUMNS_BYTES:
            break
        texts.append(text)
    return f"[{', '.join(texts)}]" if texts else None


def occurrences_json(found: RuleFindings, *, room: int = OCCURRENCES_BYTES) -> str:
    """The first places as JSON: as many as there is room for; the count beside them stays exact."""
    texts: list[str] = []
    size = 0
    for place in found.occurrences:
        text = json.dumps(_occurrence(asdict(place)), ensure_ascii=False)
        size += literal_bytes(text) + len(", ")
        if size > room:
            break
        texts.append(text)
    return f"[{', '.join(texts)}]"


def _occurrence(fields: dict[str, Any]) -> dict[str, Any]:
    location: dict[str, Any] = fields.pop("location")
    evidence = {"e": to_json_text(pack(fields.pop("evidence")))}
    path = {"path": to_json_text(told)} if (told := location.pop("path")) else {}
    return {name: to_json_text(value) for name, value in fields.items()} | location | path | evidence


def to_json_text(value: str) -> str:
    """Text that jsonb accepts: it has no NUL."""
    return value.replace("\0", "\ufffd")
