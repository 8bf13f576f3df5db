"""A worker's log without the texts of exceptions: it tells where a task failed, not with what data.

Celery logs a failed task with its exception's text and traceback, and so do most libraries: botocore's messages name
objects, psycopg2's quote rows (``DETAIL: Key (email)=(…)``). With the option ``hide_exception_text`` every record of
the standard library's logging, whoever writes it, and what Python prints about an exception that nobody caught, has the
exceptions' types, their codes (SQLSTATE, AWS error code) and the files, lines and functions of their tracebacks.

    Task work.load[4c0e…] raised unexpected: IntegrityError
    work/tasks.py:14 load
    psycopg2.errors.UniqueViolation [23505]
    caused
    work/tasks.py:11 load
    sqlalchemy.exc.IntegrityError

Only this library's own lines keep the texts of SQS's errors, which name queues. botocore and urllib3 do not log below
INFO and ERROR: their lines hold addresses of objects.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import signals

from scanner_tasks.sqs.discreet import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

OURS = __package__
#: Libraries whose lines hold addresses, and the least level that does not.
LEVELS = {"botocore": logging.INFO, "boto3": logging.INFO, "urllib3": logging.ERROR}
_HIDDEN = "…"
#: Where packages, or the worker's own code, are installed: of no use to the reader.
_FOLDER = re.compile(rf"^(?:.*/site-packages/|{re.escape(str(Path.cwd()))}/)")
_make_record = logging.getLogRecordFactory()


def install() -> None:
    """From now on this process logs so; a repeat changes nothing."""
    logging.setLogRecordFactory(_make_discreet)
    sys.excepthook = _print_discreetly
    threading.excepthook = lambda args: _print_discreetly(args.exc_type, args.exc_value, args.exc_traceback)
    for name, level in LEVELS.items():
        logger = logging.getLogger(name)
        logger.setLevel(max(level, logger.level))


def _when_a_worker_begins(conf: Any = None, **_: Any) -> None:
    if conf is not None and (conf.broker_transport_options or {}).get("hide_exception_text"):
        install()


signals.celeryd_init.connect(_when_a_worker_begins)


def describe(error: BaseException) -> str:
    """The error's frames and type, after those of what caused it; no values.

    Examples:
        >>> describe(KeyError("a value"))
        'KeyError'
    """
    parts = []
    for one in _chain(error):
        frames = [
            f"{_FOLDER.sub('', frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(one.__traceback__)
        ]
        parts.append("\n".join([*frames, name_of(one)]))
    return "\ncaused\n".join(reversed(parts))


def name_of(error: BaseException) -> str:
    """The error's type, and its code where it has one.

    Examples:
        >>> name_of(OSError(2, "No such file", "customers/ann.csv"))
        'FileNotFoundError'
    """
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    response = getattr(error, "response", None)  # botocore
    code = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)  # psycopg
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        code = response["Error"].get("Code")
    return f"{name} [{code}]" if isinstance(code, str) and re.fullmatch(r"[\w.]{1,80}", code) else name


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _make_discreet(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = _make_record(*args, **kwargs)
    error = record.exc_info[1] if record.exc_info else None
    if record.exc_info:
        record.exc_text = describe(error) if isinstance(error, BaseException) else None
        record.exc_info = None  # whoever formats the record writes exc_text
    if record.name.partition(".")[0] == "celery" and isinstance(record.args, Mapping):
        record.args = _without_texts(record.args)
    elif not record.name.startswith(f"{OURS}."):
        record.msg = _plain(record.msg)
        if isinstance(record.args, Mapping):
            record.args = {name: _plain(value) for name, value in record.args.items()}
        elif isinstance(record.args, tuple):
            record.args = tuple(_plain(value) for value in record.args)
    return record


def _without_texts(context: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Celery's lines about tasks (``celery/app/trace.py``), which are texts already."""
    told = {name: _plain(value) for name, value in context.items()}
    if "exc" in told:
        told["exc"] = type_of(str(told["exc"]))
    for name in ("traceback", "args", "kwargs"):
        if name in told:
            told[name] = _HIDDEN
    return told


class _Name(str):
    """Looks the same in ``%s`` and ``%r``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _plain(value: object) -> object:
    return _Name(name_of(value)) if isinstance(value, BaseException) else value


def _print_discreetly(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):
        return
    print(f"Nobody caught this:\n{describe(error) if error else kind.__name__}", file=sys.stderr)  # noqa: T201
