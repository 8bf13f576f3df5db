"""Every error as application/problem+json (RFC 9457): what is wrong, and what to change.

The error tree decides the status; what is not in the tree is a 500 that tells nothing but where to look.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response

from scanner_tasks import log
from scanner_tasks.core.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    ScannerError,
    Unauthenticated,
    Unavailable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
#: The nearest of these among an error's classes gives its status.
STATUSES: dict[type[ScannerError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Denied: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
#: What a status must come with.
_HEADERS = {
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_S)},
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="s3scan"'},
}
_TYPE_PREFIX = "urn:s3scan:problem:"

_log = log.get_logger()


class Misconfigured(Exception):
    """This deployment's own settings are wrong: nothing that the client could mend."""


def problem(
    status: HTTPStatus, detail: str, *, kind: str | None = None, headers: Mapping[str, str] | None = None
) -> Response[str]:
    """A problem response; ``kind`` ends its ``type`` and defaults to the status's phrase."""
    kind = kind or status.phrase.lower().replace(" ", "_")
    body = {"type": _TYPE_PREFIX + kind, "title": status.phrase, "status": int(status), "detail": detail}
    return Response(
        status_code=int(status), content_type=CONTENT_TYPE, body=json.dumps(body), headers={**(headers or {})}
    )


def as_result(response: Response[str]) -> dict[str, Any]:
    """A response as API Gateway takes it."""
    headers = {name: str(value) for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}


def of_error(error: BaseException) -> Response[str]:
    """The problem that an error is to the client. What the tree does not know is logged and told to nobody."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            status = STATUSES[kind]
            headers = _HEADERS.get(status)
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                _log.warning("api_unavailable", exc_info=error)
            return problem(status, str(error), kind=_snake(type(error).__name__), headers=headers)
    _log.error("api_failed", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The scanner failed, not your request: its log tells more under the event api_failed.",
    )


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Response[str]:
    """The problem that validation errors are: one sentence for each field, without what was sent."""
    kind = "invalid_input"
    return problem(HTTPStatus.BAD_REQUEST, "; ".join(dict.fromkeys(_sentence(e) for e in errors)) + ".", kind=kind)


#: pydantic's error type → what to change; ``{}`` takes pydantic's own limits.
_ADVICE = {
    "missing": "it is missing; add it",
    "extra_forbidden": "no such field; remove it or correct its name",
    "string_type": "give one string",
    "string_too_long": "give at most {max_length} characters",
    "string_too_short": "give at least {min_length} characters",
    "uuid_parsing": "give a UUID such as 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11",
    "uuid_type": "give one UUID",
    "int_parsing": "give a whole number",
    "int_type": "give one whole number",
    "int_from_float": "give a whole number",
    "greater_than_equal": "give {ge} or more",
    "less_than_equal": "give {le} or less",
    "list_type": "give a list of texts",
    "literal_error": "give {expected}",
    "too_long": "give at most {max_length} entries",
    "float_type": "give a number",
    "bool_parsing": "give true or false",
    "bool_type": "give true or false",
    "model_attributes_type": 'send a JSON object such as {{"bucket": "my-bucket"}}',
    "model_type": 'send a JSON object such as {{"bucket": "my-bucket"}}',
}
_OTHERWISE = "it is not valid; see GET /openapi.json"


def _sentence(error: Mapping[str, Any]) -> str:
    # loc is ("body" | "query" | "path", field, …); a field's name that the client made up is not repeated.
    where, *rest = [str(part) for part in error.get("loc", ())] or ["request"]
    known = error.get("type") != "extra_forbidden" and rest
    name = rest[-1] if known else where
    advice = _ADVICE.get(str(error.get("type")), _OTHERWISE)
    limits = dict(error.get("ctx") or {})
    if "expected" in limits:  # 'open', 'accepted' or 'fixed': our own words, told as everywhere
        limits["expected"] = str(limits["expected"]).replace(" or ", ", ").replace("'", "")
    return f"{name}: {advice.format(**limits)}"


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
