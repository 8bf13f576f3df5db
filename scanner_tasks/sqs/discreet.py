"""Events of failed tasks without the texts of their exceptions: Flower shows where a task failed, not with what data.

A message such as ``KeyError: 'customers/ann.csv'`` or a database error with its parameters carries what a task worked
on. With the option ``hide_exception_text`` an event names the exception's type, and its traceback keeps the frames
(file, line, function, source line) and the types. The worker's log is ``discreet_log.py``'s.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from celery.app.events import Events
from celery.events.dispatcher import EventDispatcher

_BEGIN = "Traceback (most recent call last):"
_BETWEEN = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
#: Where packages, or the worker's own code, are installed: of no use to the reader.
_FOLDER = re.compile(rf'File "(?:.*/site-packages/|{re.escape(str(Path.cwd()))}/)')
_TYPE = re.compile(r"[\w.<>]+(?=[:(]|$)")


class DiscreetDispatcher(EventDispatcher):  # type: ignore[misc]
    """Sends ``exception`` and ``traceback`` without texts."""

    def send(self, type: str, *args: Any, **fields: Any) -> Any:  # noqa: A002 (Celery's name)
        """As Celery's."""
        if self.app.conf.broker_transport_options.get("hide_exception_text"):
            if fields.get("exception"):
                fields["exception"] = type_of(str(fields["exception"]))
            if fields.get("traceback"):
                fields["traceback"] = without_texts(str(fields["traceback"]))
        return super().send(type, *args, **fields)


class DiscreetEvents(Events):  # type: ignore[misc]
    """``app.events`` with that dispatcher."""

    dispatcher_cls = f"{__name__}:DiscreetDispatcher"


def type_of(text: str) -> str:
    """The type at the beginning of an exception's repr or of a traceback's last line.

    Examples:
        >>> type_of("KeyError('customers/ann.csv')"), type_of("botocore.exceptions.ClientError: 123-45-6789")
        ('KeyError', 'botocore.exceptions.ClientError')
    """
    found = _TYPE.match(text)
    return found.group() if found else "…"


def without_texts(traceback: str) -> str:
    r"""A traceback's frames and types; whatever else a line may be is left out.

    Examples:
        >>> without_texts('Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: "ann"\nmore')
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError'
    """
    kept = []
    in_frames = False
    for line in traceback.splitlines():
        if line == _BEGIN:
            in_frames = True
            kept.append(line)
        elif in_frames:
            in_frames = line.startswith("  ")
            kept.append(_FOLDER.sub('File "', line) if in_frames else type_of(line))
        elif line in _BETWEEN:
            kept += ["", line, ""]
    return "\n".join(kept) or "…"
