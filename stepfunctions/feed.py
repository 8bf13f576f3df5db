"""The Lambda functions of the listing state machine: one turn of Feed, and what Catch calls.

Events carry only ids and the number of the turn; the ledger knows the rest, so that a turn may be repeated at any time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from scanner_tasks import bootstrap, log, tracing
from scanner_tasks.core.errors import Conflict, Denied, InvalidInput, NotFound, ScannerError
from scanner_tasks.flow import control, feed

#: Another try would end the same way: told as data, because an emulator does not show the error's class to Retry.
_FATAL = (InvalidInput, NotFound, Denied, Conflict)
_REASON_MAX = 500

_log = log.get_logger()


class TurnFailed(Exception):
    """What a failed turn says to Step Functions: no internals, which end up in the job's status_reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnEvent:
    """What the state machine hands to a turn."""

    job_id: UUID
    execution_no: int
    turn: int

    @classmethod
    def parse(cls, event: object) -> TurnEvent:
        """Read it from JSON; InvalidInput names each field that is wrong."""
        given = event if isinstance(event, dict) else {}
        wrong = [name for name in ("execution_no", "turn") if type(given.get(name)) is not int or given[name] < 0]
        job_id = _uuid(given.get("job_id"))
        if wrong or job_id is None:
            names = ", ".join([*([] if job_id else ["job_id"]), *wrong])
            raise InvalidInput(
                f'The event of a turn is {{"job_id": UUID, "execution_no": number, "turn": number}}; wrong: {names}.'
            )
        return cls(job_id=job_id, execution_no=given["execution_no"], turn=given["turn"])


def handler(event: object, _context: object) -> dict[str, Any]:
    """One turn: lists for a bounded time and tops up the window; gives the next turn's event and what to do first.

    ``state`` is more (wait ``wait_s`` seconds, then the next turn), done, continued (another execution took over) or
    failed (``error`` goes to ``failed``). An error that another try may cure is raised, for the state machine's Retry.
    """
    asked = TurnEvent.parse(event)
    bootstrap.trace()
    with tracing.span("feed_turn", job_id=asked.job_id, turn=asked.turn) as span:
        return _turn(asked, span)


def _turn(asked: TurnEvent, span: tracing.Span) -> dict[str, Any]:
    following = {"job_id": str(asked.job_id), "execution_no": asked.execution_no, "turn": asked.turn + 1}
    try:
        turn = feed.feed(asked.job_id, execution_no=asked.execution_no, turn=asked.turn, using=bootstrap.feeder())
    except _FATAL as error:
        _log.warning("feed_refused", job_id=asked.job_id, turn=asked.turn, exc_info=error)
        span.note(state="failed", error=type(error).__name__)
        told = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return following | {"state": "failed", "error": {"Error": told["errorType"], "Cause": json.dumps(told)}}
    except ScannerError as error:
        _log.warning("feed_interrupted", job_id=asked.job_id, turn=asked.turn, exc_info=error)
        raise
    except Exception as error:  # noqa: BLE001 (a bug: logged whole, told without internals)
        _log.exception("feed_failed", job_id=asked.job_id, turn=asked.turn)
        raise TurnFailed(
            f"Turn {asked.turn} of execution {asked.execution_no} broke off ({type(error).__name__}); "
            "the function's log tells more under the event feed_failed."
        ) from None
    span.note(state=turn.state, listed=turn.listed, sent=turn.sent)
    return following | {"state": turn.state, "wait_s": turn.wait_s, "listed": turn.listed, "sent": turn.sent}


def failed(event: object, _context: object) -> dict[str, Any]:
    """Mark the job failed with the cause that the state machine caught; a job that is gone has nothing to mark."""
    given = event if isinstance(event, dict) else {}
    job_id = _uuid(given.get("job_id"))
    if job_id is None:
        raise InvalidInput('The event names no job: give {"job_id": UUID, "error": {"Error", "Cause"}}.')
    cause = reason_of(given.get("error"))
    try:
        control.fail_job(job_id, cause=cause, using=bootstrap.feeder())
    except NotFound as error:
        _log.warning("failed_job_is_gone", job_id=job_id, exc_info=error)
    except ScannerError as error:
        _log.warning("fail_job_interrupted", job_id=job_id, exc_info=error)
        raise
    except Exception as error:  # noqa: BLE001 (a bug: logged whole, told without internals)
        _log.exception("fail_job_failed", job_id=job_id)
        raise TurnFailed(f"The job could not be marked failed ({type(error).__name__}).") from None
    return {"job_id": str(job_id), "cause": cause}


def reason_of(error: object) -> str:
    """One sentence for the job's readers out of Step Functions' ``{"Error", "Cause"}``.

    Examples:
        >>> reason_of({"Error": "Denied", "Cause": '{"errorMessage": "s3:ListBucket is missing"}'})
        'Listing failed: s3:ListBucket is missing'
        >>> reason_of({"Error": "States.Timeout", "Cause": ""})
        'Listing failed: States.Timeout'
    """
    given = error if isinstance(error, dict) else {}
    cause = given.get("Cause")
    try:
        told = json.loads(cause) if isinstance(cause, str) else None
    except ValueError:
        told = None
    message = told.get("errorMessage") if isinstance(told, dict) else None
    words = message or given.get("Error") or "the feed function gave an answer that the state machine does not know"
    return f"Listing failed: {words}"[:_REASON_MAX]


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
