"""The API's own description: what Powertools makes of the endpoints, with what holds for all of them.

``python -m api_lambda.openapi > docs/openapi.json``
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from api_lambda.common import DESCRIBED
from api_lambda.permissions import Endpoint, find_endpoint
from api_lambda.problems import CONTENT_TYPE

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of the rights document."},
    "iam": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "In AWS: the request is signed (SigV4) for the service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request gets the same answer, and what it begins begins once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_STOCK = ("HTTPValidationError", "ValidationError", "ResponseValidationError")


def describe(app: APIGatewayHttpResolver) -> dict[str, Any]:
    """The OpenAPI 3.1 document, without Powertools' own validation answers, which ``problems`` replaces."""
    document: dict[str, Any] = json.loads(app.get_openapi_json_schema())
    for path, item in document["paths"].items():
        for method, operation in item.items():
            told = operation["responses"]
            told.pop("422", None)
            told["500"] = _problem(HTTPStatus.INTERNAL_SERVER_ERROR)
            endpoint = find_endpoint(method.upper(), path)
            if endpoint is not None and takes_key(endpoint):
                operation.setdefault("parameters", []).append(_KEY)
                told.setdefault("409", _problem(HTTPStatus.CONFLICT))
                told["422"] = _problem(HTTPStatus.UNPROCESSABLE_ENTITY)
            operation["responses"] = dict(sorted(told.items()))
    for stock in _STOCK:
        document["components"]["schemas"].pop(stock, None)
    document["components"]["securitySchemes"] = _SCHEMES
    document["security"] = [{name: []} for name in _SCHEMES]
    return document


def takes_key(endpoint: Endpoint) -> bool:
    """Whether it may be repeated with an Idempotency-Key."""
    return endpoint.method == "POST" and endpoint.changes


def _problem(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": DESCRIBED[status], "content": {CONTENT_TYPE: {"schema": schema}}}


def main() -> None:
    """Print the document."""
    from api_lambda.routes import app  # noqa: PLC0415 (it asks this module)

    json.dump(describe(app), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
