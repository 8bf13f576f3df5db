"""The API as a Lambda function behind an API Gateway HTTP API (payload format 2.0)."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from api_lambda import problems
from api_lambda.routes import app
from scanner_tasks import log
from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Response


#: Findings are nobody's to keep on the way, and JSON is never to be taken for a page.
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP request; never raises, so that no client sees Lambda's own error page."""
    with log.context(request_id=getattr(context, "aws_request_id", None)):
        try:
            answer = _answer(event, context)
        except Exception as error:  # noqa: BLE001 (the last line of defence: logged there)
            answer = _as_result(problems.of_error(error))
    answer["headers"] = {**answer.get("headers", {}), **_ALWAYS}
    return answer


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    refusal = _unreadable(event)
    if refusal:
        return _as_result(refusal)
    # What is left is JSON or nothing, however the header spells it; Powertools knows one spelling.
    headers = {**_lowered(event), "content-type": "application/json"}
    return app.resolve({**event, "headers": headers}, context)


def _unreadable(event: Mapping[str, Any]) -> Response[str] | None:
    """The problem with a body that is not JSON text, before any route reads it."""
    body = event.get("body")
    if not body:
        return None
    media_type = _lowered(event).get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return problems.problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not JSON: send it with Content-Type: application/json."
        )
    if event.get("isBase64Encoded"):
        try:
            base64.b64decode(body).decode()
        except ValueError:
            return problems.of_error(InvalidInput("The body is not UTF-8 text; send JSON in UTF-8."))
    return None


def _lowered(event: Mapping[str, Any]) -> dict[str, str]:
    """Headers by lower-case name."""
    return {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}


def _as_result(response: Response[str]) -> dict[str, Any]:
    """A response as API Gateway takes it."""
    headers = {name: str(value) for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}
