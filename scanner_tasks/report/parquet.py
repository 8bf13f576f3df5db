"""Findings as one Parquet file; needs pyarrow, which the extra ``columnar`` installs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.report.shapes import RuleAbout, macie_type, object_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner_tasks.core.model import Finding


def parquet(findings: Sequence[Finding], about: Callable[[str], RuleAbout]) -> bytes:
    """The file: a row for each finding, its places as a list of structs; compressed with zstd.

    Raises InvalidInput when pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 (an extra)
        from pyarrow import parquet as pq  # noqa: PLC0415
    except ImportError:
        raise InvalidInput("--format parquet: it needs pyarrow: pip install 's3scan[columnar]'.") from None
    place = pa.struct(
        [
            *((name, pa.string()) for name in ("masked", "context", "fingerprint", "path")),
            *((name, pa.int64()) for name in ("line", "column", "offset")),
            ("evidence", pa.list_(pa.string())),
        ]
    )
    texts = ("finding_id", "job_id", "object", "bucket", "key", "rule", "rule_name", "type", "severity", "confidence")
    schema = pa.schema(
        [
            *((name, pa.string()) for name in texts),
            ("count", pa.int64()),
            ("allowed", pa.int64()),
            ("triage", pa.string()),
            ("found_at", pa.timestamp("us", tz="UTC")),
            ("occurrences", pa.list_(place)),
        ]
    )
    table = pa.Table.from_pylist([_row(finding, about) for finding in findings], schema=schema)
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _row(finding: Finding, about: Callable[[str], RuleAbout]) -> dict[str, Any]:
    rule = about(finding.rule_id)
    return {
        "finding_id": str(finding.finding_id),
        "job_id": str(finding.job_id),
        "object": object_name(finding.bucket, finding.key, finding.version_id),
        "bucket": finding.bucket,
        "key": finding.key,
        "rule": finding.rule_id,
        "rule_name": rule.name,
        "type": macie_type([rule.category]),
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "count": finding.count,
        "allowed": finding.allowed,
        "triage": finding.triage.value,
        "found_at": finding.found_at,
        "occurrences": [
            {
                "masked": place.masked,
                "context": place.context,
                "fingerprint": place.fingerprint,
                "path": place.location.path,
                "line": place.location.line,
                "column": place.location.column,
                "offset": place.location.offset,
                "evidence": list(place.evidence),
            }
            for place in finding.occurrences
        ],
    }
