"""docs/api.md and the API say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.api.conftest import answer, event

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


def test_every_endpoint_and_parameter_is_documented(flows):
    text = DOCUMENT.read_text()
    for path, item in answer(event("openapi")).json["paths"].items():
        for method, operation in item.items():
            assert f"## {method.upper()} {path}: " in text
            for parameter in operation.get("parameters", []):
                assert parameter["name"] in text, (path, parameter["name"])
            for status in operation["responses"]:
                assert status < "400" or f"| {status} |" in text


def test_every_example_is_the_shape_that_is_sent(flows):
    from api_lambda import (  # noqa: PLC0415 (after the flows are there)
        audit_routes,
        bucket_shapes,
        compare_shapes,
        coverage_shapes,
        finding_shapes,
        fleet_routes,
        schedule_shapes,
        shapes,
        watch_shapes,
    )

    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)]
    kinds = (
        *(
            shapes.StartedScan,
            bucket_shapes.StartedScans,
            bucket_shapes.Buckets,
            watch_shapes.Watch,
            schedule_shapes.Schedule,
            shapes.Job,
            coverage_shapes.Coverage,
            compare_shapes.Comparison,
            shapes.Results,
            finding_shapes.Explanation,
            finding_shapes.Detected,
        ),
        *(shapes.DeadLetterDetails, fleet_routes.Fleet, audit_routes.AuditLog, shapes.Problem),
    )
    assert len(blocks) == len(kinds)
    for block, kind in zip(blocks, kinds, strict=True):
        assert set(block) == set(kind.model_fields)
        kind.model_validate(block)
