"""The API as a Lambda function behind an API Gateway HTTP API (payload format 2.0).

Every request goes the same way: who asks, may he at all, is it a repeat, and only then the endpoint.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from api_lambda import callers, idempotency, problems
from api_lambda.common import api
from api_lambda.openapi import takes_key
from api_lambda.permissions import Endpoint, find_endpoint
from api_lambda.routes import app, unknown_path
from scanner_tasks import bootstrap, log, tracing
from scanner_tasks.core.errors import InvalidInput, ScannerError
from scanner_tasks.core.names import check_bucket
from scanner_tasks.flow import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Response

    from scanner_tasks.core.rights import Caller

    Result = dict[str, Any]

#: Findings are nobody's to keep on the way, and JSON is never to be taken for a page.
_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
#: What the audit log tells of a change that was not done. Mistakes in the request itself are none of its business.
_TOLD = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT})
_log = log.get_logger()


def handler(event: dict[str, Any], context: Any) -> Result:
    """Answer one HTTP request; never raises, so that no client sees Lambda's own error page."""
    return answer_for(None, event, context)


def answer_for(caller: Caller | None, event: dict[str, Any], context: Any) -> Result:
    """As ``handler``, on behalf of a caller whom this process knows already; None asks the request who it is."""
    request_id = getattr(context, "aws_request_id", None)
    with suppress(InvalidInput):  # the routes tell what is wrong
        bootstrap.trace()
    with log.context(request_id=request_id), tracing.span("request", parent=event.get("headers")) as span:
        try:
            headers = _lowered(event)
            who = caller or callers.caller_of(event, headers)
            token = callers.current.set(who.of_request(request_id))
            try:
                answer = _answer(event, headers, context)
            finally:
                callers.current.reset(token)
        except Exception as error:  # noqa: BLE001 (the last line of defence: logged there)
            answer = problems.as_result(problems.of_error(error))
        span.note(status=answer["statusCode"])
    answer["headers"] = {**answer.get("headers", {}), **_ALWAYS}
    return answer


def _answer(event: dict[str, Any], headers: Mapping[str, str], context: Any) -> Result:
    asked = APIGatewayProxyEventV2(event)
    method, path = asked.http_method.upper(), asked.path
    endpoint = find_endpoint(method, path)
    if endpoint is None:
        return problems.as_result(unknown_path(method, path))
    try:
        endpoint.require(callers.current.get())
        answer = _do(event, headers, endpoint, context)
    except ScannerError as error:
        answer = problems.as_result(problems.of_error(error))
    _note(endpoint, event, answer)
    return answer


def _do(event: dict[str, Any], headers: Mapping[str, str], endpoint: Endpoint, context: Any) -> Result:
    refusal = _unreadable(event, headers)
    if refusal:
        return problems.as_result(refusal)
    # What is left is JSON or nothing, however the header spells it; Powertools knows one spelling.
    told = {**event, "headers": {**headers, "content-type": "application/json"}}
    key = headers.get(idempotency.HEADER) if takes_key(endpoint) else None
    return idempotency.once(event, key, lambda: app.resolve(told, context))


def _note(endpoint: Endpoint, event: Mapping[str, Any], answer: Result) -> None:
    """Keep in the audit log what somebody was refused; what was done is there already, by the flow that did it."""
    status = answer["statusCode"]
    if status not in _TOLD or (status != HTTPStatus.FORBIDDEN and not endpoint.changes) or endpoint.path == "/detect":
        return
    try:
        audit.note_refusal(
            endpoint.name,
            outcome=json.loads(answer["body"])["type"].rpartition(":")[2],
            bucket=_bucket(event),
            job_id=_uuid(endpoint.values.get("job_id")),
            target=endpoint.values.get("finding_id") or endpoint.values.get("message_id"),
            using=api(),
        )
    except Exception:  # noqa: BLE001 (the refusal itself must be told)
        _log.warning("refusal_not_noted", exc_info=True)


def _bucket(event: Mapping[str, Any]) -> str | None:
    """The bucket that the request names, if it names one."""
    try:
        told = json.loads(event["body"])["bucket"] if event.get("body") else event["queryStringParameters"]["bucket"]
        return check_bucket(told)
    except (ValueError, KeyError, TypeError, RecursionError, InvalidInput):
        return None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _unreadable(event: Mapping[str, Any], headers: Mapping[str, str]) -> Response[str] | None:
    """The problem with a body that is not JSON text, before any route reads it."""
    body = event.get("body")
    if not body:
        return None
    media_type = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
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
