"""CloudWatch's embedded metrics: a log line that CloudWatch Logs counts, without a request or a permission of its own.

    log.info("batch_scanned", objects=7, **embedded("S3Scan", {"ObjectsScanned": (7, "Count")}))

Lambda and ECS send a process's lines to CloudWatch Logs, which makes metrics of the fields that ``_aws`` names.
Anywhere else they are fields of a log line.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Metrics that one line may hold.
MAX_METRICS = 100


def embedded(namespace: str, metrics: Mapping[str, tuple[float, str]], *, now_s: float | None = None) -> dict[str, Any]:
    """Fields of a log line that CloudWatch takes for metrics: name → value and unit, without dimensions.

    Examples:
        >>> line = embedded("S3Scan", {"Findings": (3, "Count")}, now_s=1.5)
        >>> line["Findings"], line["_aws"]["Timestamp"], line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
        (3, 1500, [{'Name': 'Findings', 'Unit': 'Count'}])
    """
    if not 0 < len(metrics) <= MAX_METRICS:
        msg = f"1 to {MAX_METRICS} metrics go into one line, not {len(metrics)}"
        raise ValueError(msg)
    described = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    told = {
        "Timestamp": int((time.time() if now_s is None else now_s) * 1000),
        "CloudWatchMetrics": [{"Namespace": namespace, "Dimensions": [[]], "Metrics": described}],
    }
    return {"_aws": told} | {name: value for name, (value, _) in metrics.items()}
