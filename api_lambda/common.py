"""What endpoints share: their documented answers, common parameters, the real clients."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from api_lambda import problems
from api_lambda.callers import current
from api_lambda.shapes import Problem
from scanner_tasks import bootstrap, settings
from scanner_tasks.core.errors import InvalidInput, Unavailable
from scanner_tasks.core.model import Confidence
from scanner_tasks.flow.parts import for_caller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner_tasks.detect.engine import Detector
    from scanner_tasks.flow.parts import Api, Feeder
    from scanner_tasks.rules.load import Loaded

T = TypeVar("T")

PAGE_DEFAULT = 100
PAGE_MAX = 1000

DESCRIBED = {
    HTTPStatus.BAD_REQUEST: "The request is wrong; `detail` says what to change.",
    HTTPStatus.UNAUTHORIZED: "Nothing says who asks.",
    HTTPStatus.FORBIDDEN: "You, or the scanner, lack a permission; `detail` names it.",
    HTTPStatus.NOT_FOUND: "No such thing.",
    HTTPStatus.CONFLICT: "The state of the job or the dead letter does not allow it.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The `Idempotency-Key` came with another request before.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again after `Retry-After` seconds.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The scanner failed; its log tells more.",
}

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Entries of a page.", examples=[PAGE_DEFAULT])]
Cursor = Annotated[str | None, Query(max_length=4096, description="`next_cursor` of the page before.")]
JobId = Annotated[UUID, Path(description="What POST /scan gave.")]


def answers(shape: type[Any], status: HTTPStatus, description: str, *others: HTTPStatus) -> dict[int, Any]:
    """OpenAPI of an endpoint's answers: the good one, and the problems it may have."""
    good = {int(status): {"description": description, "content": {"application/json": {"model": shape}}}}
    always = (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
    return good | {
        int(problem): {"description": DESCRIBED[problem], "content": {problems.CONTENT_TYPE: {"model": Problem}}}
        for problem in sorted({*always, *others})
    }


def api() -> Api:
    """The real clients, on behalf of who asks. A wrong setting of this deployment is not the client's mistake."""
    return for_caller(_configured(bootstrap.api), current.get())


def feeder() -> Feeder:
    """As ``api``, with the queues."""
    return for_caller(_configured(bootstrap.feeder), current.get())


def loaded_rules() -> Loaded:
    """The rules as the settings name them, read now."""
    return _configured(lambda: bootstrap.load_rules(settings.load()))


def detector(threshold: str, *, test_values: bool) -> Detector:
    """The rules made ready for a text; made once for each pair of these."""
    return _configured(lambda: bootstrap.text_detector(Confidence(threshold), test_values=test_values))


def _configured(make: Callable[[], T]) -> T:
    try:
        return make()
    except Unavailable:
        raise
    except InvalidInput as error:
        raise problems.Misconfigured from error


def refuse_other_parameters(query: Mapping[str, Any] | None, *names: str) -> None:
    """Refuse a parameter that the endpoint does not know: a misspelt filter would silently find everything."""
    if set(query or {}) - set(names):
        takes = f"takes {', '.join(names)}" if names else "takes none"
        raise InvalidInput(f"The query holds an unknown parameter: this endpoint {takes}.")


def plain_text(value: str | None, name: str) -> str | None:
    """A string that PostgreSQL can hold."""
    if value and ("\0" in value or not value.isprintable()):
        raise InvalidInput(f"{name}: it holds characters that none of ours has; give it as you got it.")
    return value
