"""Structured logging: one JSON line for each event, a constant name with fields beside it.

    log = get_logger()
    log.info("batch_done", job_id=job_id, batch_no=7, findings=3)

Object keys, object content and secrets are not logged: a line names job, batch and position, and the ledger turns that
into a key for who may see it. As a second net, values of types that are not plain are written by their ``repr`` (a
``Secret`` shows only its mask), and of an exception only its type, its codes and its frames are written: database
drivers quote rows in their messages. Messages of the project's own errors hold no content and are kept.
"""

from __future__ import annotations

import enum
import json
import logging
import sys
import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO
from uuid import UUID

import structlog

from scanner_tasks.core.errors import InvalidInput, ScannerError

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from contextlib import AbstractContextManager

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_PLAIN = (str, int, float, bool, type(None))


def configure(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Write events of ``level`` and above to ``stream`` from now on (stderr when None, whatever that is by then)."""
    if level.upper() not in LEVELS:
        raise InvalidInput(f"The log level is one of {', '.join(LEVELS)}.")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_level,
            _add_time,
            _describe_exception,
            _write_plainly,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def get_logger(**fields: object) -> Any:
    """A logger whose every event carries ``fields``."""
    return structlog.get_logger(**fields)


def context(**fields: object) -> AbstractContextManager[None]:
    """Inside the ``with`` block every event of this thread carries ``fields``, whoever logs it."""
    return structlog.contextvars.bound_contextvars(**fields)


def _add_level(_: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["level"] = "error" if method == "exception" else method
    return event


def _add_time(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _describe_exception(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace ``exc_info`` by the chain of causes, the outermost first."""
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["errors"] = describe(error)
    return event


class JsonLines(logging.Formatter):
    """Lines of libraries that log by Python's own logging, Celery above all, in the same form: one JSON line each.

    Examples:
        >>> record = logging.LogRecord("celery", logging.INFO, "", 0, "Connected to %s", ("sqs",), None)
        >>> line = json.loads(JsonLines().format(record))
        >>> line["event"], line["logger"], line["level"], line["message"]
        ('library_log', 'celery', 'info', 'Connected to sqs')
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line; of an exception what ``describe`` tells, or whoever made the record (sqs/discreet_log.py)."""
        event: dict[str, Any] = {"event": "library_log", "logger": record.name, "level": record.levelname.lower()}
        at = datetime.fromtimestamp(record.created, UTC)
        event["at"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event["message"] = record.getMessage()
        if record.exc_text:
            event["traceback"] = record.exc_text
        elif record.exc_info and record.exc_info[1]:
            event["errors"] = describe(record.exc_info[1])
        return json.dumps(event, ensure_ascii=False)


def describe(error: BaseException) -> list[dict[str, Any]]:
    """The error and its causes, the outermost first, as a log line tells them: types, codes and frames, no values.

    Examples:
        >>> describe(KeyError("a value"))
        [{'type': 'builtins.KeyError', 'frames': []}]
    """
    return [_describe(e) for e in _chain(error)]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _describe(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if isinstance(error, ScannerError):
        told["message"] = str(error)
    response = getattr(error, "response", None)  # botocore
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        told["code"] = str(response["Error"].get("Code"))
    sqlstate = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)  # psycopg
    if isinstance(sqlstate, str):
        told["code"] = sqlstate
    told["frames"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    return told


def _write_plainly(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {str(name): _plain(value) for name, value in event.items()}


def _plain(value: object) -> object:
    """JSON's own types as they are; a subclass of them (it may be a masked one) and anything else by its repr."""
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if type(value) in _PLAIN:
        return value
    if isinstance(value, UUID | date | Decimal):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return repr(value)


configure()
