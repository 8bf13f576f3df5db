"""Why an attempt at a batch failed, kept for whoever looks at its dead letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.log import describe, get_logger
from scanner_tasks.store.dead_letters import add_batch_error
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.core.model import ClaimedBatch
    from scanner_tasks.flow.parts import Worker

log = get_logger()

#: Frames of each error, the innermost ones, and characters of the whole: a thousand dead letters are a few megabytes.
_MAX_FRAMES, _MAX_ERROR, _MAX_TRACEBACK = 20, 300, 6000


def keep_error(batch: ClaimedBatch, error: Exception, *, using: Worker) -> None:
    """Best effort: what made the attempt fail is the error worth raising."""
    try:
        with transaction(using.engine) as connection:
            add_batch_error(connection, batch, error=error_line(error), traceback=traceback_text(error))
    except Exception:
        log.warning("error_not_kept", attempt=batch.attempt, exc_info=True)


def error_line(error: BaseException) -> str:
    """One line that equal errors share: the class, and the message of an error of our own (others quote values).

    Examples:
        >>> error_line(ValueError("an object's content"))
        'ValueError'
    """
    told = describe(error)[0]
    words = [
        told["type"].removeprefix("builtins.").rpartition(".")[2],
        *(f"[{told[n]}]" for n in ("code",) if n in told),
    ]
    line = " ".join(words)
    return (f"{line}: {told['message']}" if "message" in told else line)[:_MAX_ERROR]


def traceback_text(error: BaseException) -> str:
    """Each error of the chain with its frames, the outermost error first; no values."""
    lines: list[str] = []
    for told in describe(error):
        if lines:
            lines.append("caused by")
        lines.append(": ".join(str(told[name]) for name in ("type", "code", "message") if name in told))
        lines += [f"  {frame}" for frame in told["frames"][-_MAX_FRAMES:]]
    return "\n".join(lines)[:_MAX_TRACEBACK]
