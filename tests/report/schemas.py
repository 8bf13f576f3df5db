"""What the standards ask of the parts that we write, as JSON Schema: by hand, from the specifications' texts.

SARIF: "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", sections named beside each object. OCSF:
class Data Security Finding [2006]. Unlike the official schemas
these allow nothing that we do not write.
"""

from __future__ import annotations

from typing import Any


def record(needed: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with exactly these."""
    return {
        "type": "object",
        "properties": {**needed, **(more or {})},
        "required": list(needed),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
ANY_TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
FROM_1 = {"type": "integer", "minimum": 1}
URI = {"type": "string", "pattern": r"^[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+$"}
UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}


def many(item: dict[str, Any], least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least}


MESSAGE = record({"text": TEXT})  # 3.11
BAG = {"type": "object"}  # 3.8, property bags
REGION = {"oneOf": [record({"startLine": FROM_1, "startColumn": FROM_1}), record({"byteOffset": COUNT})]}  # 3.30
PHYSICAL = record({"artifactLocation": record({"uri": URI})}, {"region": REGION})  # 3.29
LOCATION = record(  # 3.28
    {"physicalLocation": PHYSICAL},
    {"message": MESSAGE, "logicalLocations": many(record({"fullyQualifiedName": TEXT}), 1)},
)
RULE = record(  # 3.49
    {"id": TEXT},
    {
        "name": TEXT,
        "shortDescription": MESSAGE,
        "defaultConfiguration": record({"level": LEVEL}),
        "properties": BAG,
    },
)
RESULT = record(  # 3.27
    {"message": MESSAGE},
    {
        "ruleId": TEXT,
        "ruleIndex": COUNT,
        "level": LEVEL,
        "guid": UUID,
        "locations": many(LOCATION),
        "partialFingerprints": {"type": "object", "additionalProperties": ANY_TEXT},
        "occurrenceCount": FROM_1,
        "properties": BAG,
    },
)
INVOCATION = record(  # 3.20
    {"executionSuccessful": {"type": "boolean"}},
    {"toolExecutionNotifications": many(record({"message": MESSAGE}, {"level": LEVEL}))},
)
RUN = record(  # 3.14
    {"tool": record({"driver": record({"name": TEXT}, {"version": TEXT, "rules": many(RULE)})})},
    {
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": many(INVOCATION),
        "results": many(RESULT),
    },
)
SARIF = record({"version": {"const": "2.1.0"}, "runs": many(RUN)}, {"$schema": {"type": "string", "format": "uri"}})

OCSF = record(
    {
        "activity_id": {"enum": [1, 2, 3]},
        "category_uid": {"const": 2},
        "class_uid": {"const": 2006},
        "type_uid": {"enum": [200601, 200602, 200603]},
        "time": {"type": "integer", "minimum": 1_000_000_000_000},
        "severity_id": {"enum": [1, 2, 3, 4, 5, 6, 99]},
        "metadata": record({"version": TEXT, "product": record({"vendor_name": TEXT}, {"name": TEXT})}),
        "finding_info": record(
            {"uid": UUID},
            {
                "title": TEXT,
                "desc": TEXT,
                "types": many(TEXT, 1),
                "created_time": COUNT,
                "analytic": record({"type_id": {"const": 1}}, {"type": TEXT, "uid": TEXT, "name": TEXT}),
            },
        ),
    },
    {
        "activity_name": TEXT,
        "category_name": {"const": "Findings"},
        "class_name": {"const": "Data Security Finding"},
        "type_name": TEXT,
        "severity": TEXT,
        "confidence_id": {"enum": [0, 1, 2, 3, 99]},
        "confidence": TEXT,
        "status_id": {"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
        "status": TEXT,
        "message": TEXT,
        "data_security": record(
            {}, {"data_lifecycle_state_id": {"const": 1}, "detection_pattern": TEXT, "pattern_match": ANY_TEXT}
        ),
        "file": record({"name": TEXT, "type_id": {"const": 1}}, {"path": TEXT}),
        "databucket": record({"type_id": {"const": 1}}, {"name": TEXT, "uid": TEXT, "type": TEXT}),
        "resources": many(record({}, {"name": TEXT, "uid": TEXT, "type": TEXT}), 1),
        "unmapped": {"type": "object"},
    },
)
