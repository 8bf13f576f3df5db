"""Dead letters: look at them, send them back to their lanes, or put them away.

SQS gives a message up after three receives; settle moves it from the dead letter queue into the ledger, where its batch
is ``dead`` and its job can end. From there nothing is received from SQS any more, so that whatever dies half-way, the
letter is still there:

    a batch      1. one transaction: batch dead → planned, its job scans again, letter open → retried
                 2. send; 3. mark dispatched.   Died after 1 or 2: the batch is planned, and Feed sends it (again).
    other tasks  1. send; 2. letter open → retried.   Died after 1: the letter is open, and a retry sends it again.

A message that is sent twice changes nothing: a batch is claimed once, and a request's job has its id from the task's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from scanner_tasks.core.envelope import SCAN_BATCH, TASK_PREFIX, Envelope, read_envelope, scan_batch_message
from scanner_tasks.core.errors import Conflict, DeadLetterNotFound, InvalidInput, ScannerError
from scanner_tasks.core.lanes import OBJECT_EVENTS, message_group
from scanner_tasks.core.model import BatchState, JobStatus
from scanner_tasks.core.object_events import read_events
from scanner_tasks.core.ports import OutgoingMessage
from scanner_tasks.core.rights import Permission, like_patterns
from scanner_tasks.flow.control import fleet_is_paused
from scanner_tasks.log import get_logger
from scanner_tasks.store import audit, dead_letters, feeding, jobs, reopen
from scanner_tasks.store.dead_letters import LETTER_STATES, AttemptError, DeadLetter, LetterFilter, LetterGroup
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scanner_tasks.core.model import Job
    from scanner_tasks.flow.parts import Api, Feeder

__all__ = ["LETTER_STATES", "DeadLetter", "LetterDetails", "LetterFilter", "LetterGroup", "Retried"]

log = get_logger()

#: Letters that one query reads when many are retried, discarded or exported.
PAGE = 200
_MAX_REASON = 500

#: sent; planned: Feed sends it as soon as job, fleet and SQS let it; moot: its batch is not dead; refused.
Result = Literal["sent", "planned", "moot", "refused"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retried:
    """What a retry did with a letter, or would do."""

    message_id: str
    result: Result
    #: Why, for all but ``sent``.
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterDetails:
    """A letter with all that is known about why it died."""

    letter: DeadLetter
    #: The task's arguments; of keys that a request names, only how many.
    arguments: tuple[str, ...] | None
    #: Attempts at its batch that raised, the first one first; a worker that was killed left nothing.
    errors: tuple[AttemptError, ...]


def list_letters(wanted: LetterFilter, *, after: DeadLetter | None = None, limit: int, using: Api) -> list[DeadLetter]:
    """A page of letters behind ``after``, oldest first; from the ledger alone, nothing is received from SQS."""
    place = None if after is None else (after.arrived_at, after.message_id)
    with transaction(using.engine) as connection:
        return list(dead_letters.list_letters(connection, _scoped(wanted, using), after=place, limit=limit))


def every_letter(wanted: LetterFilter, *, using: Api) -> Iterator[DeadLetter]:
    """All letters that match, oldest first, page by page; one that arrives meanwhile may be left for the next time."""
    page = list_letters(wanted, limit=PAGE, using=using)
    while page:
        yield from page
        page = list_letters(wanted, after=page[-1], limit=PAGE, using=using)


def group_letters(wanted: LetterFilter, *, by: str, using: Api) -> tuple[LetterGroup, ...]:
    """How many letters there are for each ``error``, ``job``, ``bucket`` or ``task``, most first."""
    dead_letters.check_group(by)
    with transaction(using.engine) as connection:
        return dead_letters.group_letters(connection, _scoped(wanted, using), by=by)


def _scoped(wanted: LetterFilter, using: Api) -> LetterFilter:
    """Only letters that the caller may see."""
    scope = like_patterns(using.caller.patterns(Permission.READ))
    return replace(wanted, scope=None if scope is None else tuple(scope))


def find_letter(message_id: str, *, using: Api) -> DeadLetter:
    """The letter, in whatever state; DeadLetterNotFound when there is none."""
    found = list_letters(LetterFilter(message_id=message_id, state=None), limit=1, using=using)
    if not found:
        raise DeadLetterNotFound(message_id)
    return found[0]


def show_letter(message_id: str, *, using: Api) -> LetterDetails:
    """The letter, its arguments and the errors of its attempts; DeadLetterNotFound when there is none."""
    letter = find_letter(message_id, using=using)
    errors: tuple[AttemptError, ...] = ()
    if letter.job_no is not None and letter.batch_no is not None:
        with transaction(using.engine) as connection:
            errors = dead_letters.read_batch_errors(connection, letter.job_no, letter.batch_no)
    return LetterDetails(letter=letter, arguments=arguments(letter), errors=errors)


def arguments(letter: DeadLetter) -> tuple[str, ...] | None:
    """The task's arguments as they may be shown: a list of keys is told by its length; None for what is not ours."""
    envelope = _envelope(letter)
    if envelope is None:
        return None
    shown = [_shown(value) for value in envelope.args]
    return tuple(shown + [f"{name}={_shown(value)}" for name, value in envelope.kwargs.items()])


def _shown(value: Any) -> str:
    return f"<{len(value)} keys>" if isinstance(value, (list, dict)) else repr(value)[:200]


def forecast(letter: DeadLetter, *, using: Api) -> Retried:
    """What ``retry_letter`` would do with it just now."""
    if letter.state != "open":
        return Retried(message_id=letter.message_id, result="refused", reason=f"It is {letter.state}.")
    if letter.task != SCAN_BATCH:
        return _refusal(letter, using=using) or Retried(message_id=letter.message_id, result="sent")
    return _no_batch(letter) if letter.job_no is None else _forecast_batch(letter)


def _forecast_batch(letter: DeadLetter) -> Retried:
    result: Result = "sent"
    reason = None
    if letter.batch_state is not BatchState.DEAD:
        result, reason = "moot", "Its batch is not dead."
    elif letter.job_status is JobStatus.CANCELLED or (
        letter.job_status is JobStatus.FAILED and not letter.job_is_listed
    ):
        result, reason = "refused", f"Its job is {letter.job_status} and cannot go on."
    elif letter.job_status is JobStatus.PAUSED:
        result, reason = "planned", "Its job is paused."
    return Retried(message_id=letter.message_id, result=result, reason=reason)


def retry_letters(
    wanted: LetterFilter,
    *,
    using: Feeder,
    rate_per_s: float = 50.0,
    dry_run: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Retried]:
    """Retry every open letter that matches, at most ``rate_per_s`` a second; nothing is changed when ``dry_run``.

    Lazy: each letter is retried when its result is asked for, so that stopping half-way leaves the rest as they were.
    """
    if rate_per_s <= 0:
        raise InvalidInput("rate: give letters a second, more than 0.")
    return _retry_letters(replace(wanted, state="open"), using, rate_per_s, sleep, dry_run=dry_run)


def _retry_letters(
    wanted: LetterFilter, using: Feeder, rate_per_s: float, sleep: Callable[[float], None], *, dry_run: bool
) -> Iterator[Retried]:
    next_at = using.clock()
    for letter in every_letter(wanted, using=using):
        if dry_run:
            yield forecast(letter, using=using)
            continue
        wait_s = next_at - using.clock()
        if wait_s > 0:
            sleep(wait_s)
        next_at = max(next_at, using.clock()) + 1 / rate_per_s
        yield _retry(letter, using=using)


def retry_letter(message_id: str, *, using: Feeder) -> Retried:
    """Send one letter's message back to its lane. A repeat changes nothing: the letter is not open any more.

    Raises DeadLetterNotFound, or Conflict when it was discarded or its job cannot go on.
    """
    letter = find_letter(message_id, using=using)
    if letter.state in {"retried", "moot"}:
        return Retried(message_id=message_id, result="moot", reason=f"It is {letter.state} already.")
    done = _retry(letter, using=using)
    if done.result == "refused":
        raise Conflict(f"Dead letter {message_id} was not retried. {done.reason}")
    return done


def _retry(letter: DeadLetter, *, using: Feeder) -> Retried:
    if letter.state != "open":
        return Retried(message_id=letter.message_id, result="refused", reason=f"It is {letter.state}.")
    _require_control(letter, using=using)
    done = _retry_batch(letter, using=using) if letter.task == SCAN_BATCH else _retry_other(letter, using=using)
    log.info("dead_letter_retried", message_id=letter.message_id, result=done.result)
    return done


def _require_control(letter: DeadLetter, *, using: Api) -> None:
    using.caller.require(Permission.CONTROL, letter.bucket if letter.job_no is not None else None)


def _note(connection: Connection, action: str, letter: DeadLetter, *, using: Api) -> None:
    bucket = letter.bucket if letter.job_no is not None else None
    audit.add_entry(connection, using.caller, action, bucket=bucket, job_id=letter.job_id, target=letter.message_id)


def _retry_batch(letter: DeadLetter, *, using: Feeder) -> Retried:
    """Open the batch, then send it."""
    if letter.job_no is None or letter.job_id is None or letter.batch_no is None:
        return _no_batch(letter)
    try:
        with transaction(using.engine) as connection:
            opened = reopen.reopen_dead(connection, letter.job_no, letter.batch_no)
            # Two letters of one batch: the first opens it (and both are retried then), the second is moot.
            state, reason = ("retried", None) if opened.batches else ("moot", "Its batch was not dead.")
            if dead_letters.change_letter(connection, letter.message_id, state, reason=reason):
                _note(connection, "letter.retry", letter, using=using)
            job = jobs.get_job(connection, letter.job_id)
    except Conflict as error:
        return Retried(message_id=letter.message_id, result="refused", reason=str(error))
    assert job is not None
    if not opened.batches:
        return Retried(message_id=letter.message_id, result="moot", reason=reason)
    waits = _send_batch(job, letter.batch_no, using=using)
    return Retried(message_id=letter.message_id, result="planned" if waits else "sent", reason=waits)


def _send_batch(job: Job, batch_no: int, *, using: Feeder) -> str | None:
    """Send the planned batch under the job's current epoch; why it waits for Feed instead, None when it was sent."""
    if job.status is JobStatus.PAUSED:
        return "Its job is paused: it is sent when the job is resumed."
    if fleet_is_paused(using=using):
        return "The fleet is paused: it is sent when the fleet is resumed."
    body = scan_batch_message(job_id=job.job_id, batch_no=batch_no, epoch=job.epoch, lane=job.lane, bucket=job.bucket)
    try:
        unsent = using.queues.send(job.lane, [OutgoingMessage(body=body, group=message_group(job.bucket))])
    except ScannerError as error:
        return f"Feed sends it, when it can: {error}"
    if unsent:
        return "SQS did not take it: Feed sends it."
    with transaction(using.engine) as connection:
        # dispatch_from=0 leaves the job's low-water mark where it is.
        feeding.mark_dispatched(connection, job, [batch_no], dispatch_from=0, dispatch_rev=0)
    return None


def _retry_other(letter: DeadLetter, *, using: Feeder) -> Retried:
    """Send the body as it is back to the lane that it names, then close the letter."""
    refusal = _refusal(letter, using=using)
    if refusal:
        return refusal
    envelope = _envelope(letter)
    if envelope is None:  # S3's
        lane, group = OBJECT_EVENTS, letter.message_group or OBJECT_EVENTS
    else:
        assert envelope.lane is not None
        lane, group = envelope.lane, letter.message_group or envelope.message_group or _bucket_of(envelope)
    try:
        unsent = using.queues.send(lane, [OutgoingMessage(body=letter.body, group=message_group(group))])
    except ScannerError as error:
        return Retried(message_id=letter.message_id, result="refused", reason=f"It was not sent: {error}")
    if unsent:
        return Retried(message_id=letter.message_id, result="refused", reason="SQS did not take it: try again.")
    with transaction(using.engine) as connection:
        dead_letters.change_letter(connection, letter.message_id, "retried")
        _note(connection, "letter.retry", letter, using=using)
    return Retried(message_id=letter.message_id, result="sent")


def _refusal(letter: DeadLetter, *, using: Api) -> Retried | None:
    """Why a letter that carries no batch cannot be sent back."""
    envelope = _envelope(letter)
    if envelope is None and _is_of_s3(letter):
        return None
    if envelope is None:
        reason = "The message is none of ours, so its lane is not known: export or discard it."
    elif envelope.lane not in using.settings.task_queue_names:
        reason = "The lane that the message names does not exist: export or discard it."
    else:
        return None
    return Retried(message_id=letter.message_id, result="refused", reason=reason)


def _no_batch(letter: DeadLetter) -> Retried:
    reason = "It names no batch of this ledger: discard it."
    return Retried(message_id=letter.message_id, result="refused", reason=reason)


def _bucket_of(envelope: Envelope) -> str:
    """The bucket that a request names; its task's name where it names none: some group it must have."""
    given = envelope.kwargs.get("bucket", envelope.args[0] if envelope.args else None)
    return given if isinstance(given, str) and given else envelope.task.removeprefix(TASK_PREFIX)


def _envelope(letter: DeadLetter) -> Envelope | None:
    try:
        return read_envelope(letter.body)
    except InvalidInput:
        return None


def _is_of_s3(letter: DeadLetter) -> bool:
    """True for events of S3 that can be read: an outage made a dead letter of them."""
    try:
        return bool(read_events(letter.body))
    except InvalidInput:
        return False


def discard_letter(message_id: str, *, reason: str, using: Api) -> bool:
    """Put an open letter away; its record stays, with the reason. False when it was discarded already.

    Its batch stays dead: the objects are failed(dead_letter), and ``retry_failed`` still opens them. Raises
    DeadLetterNotFound, InvalidInput without a reason, or Conflict when the letter was retried.
    """
    reason = _checked_reason(reason)
    letter = find_letter(message_id, using=using)
    if letter.state == "discarded":
        return False
    _require_control(letter, using=using)
    with transaction(using.engine) as connection:
        changed = dead_letters.change_letter(connection, message_id, "discarded", reason=reason)
        if changed:
            _note(connection, "letter.discard", letter, using=using)
    if not changed:
        raise Conflict(f"Dead letter {message_id} is {letter.state}: only an open one can be discarded.")
    log.info("dead_letter_discarded", message_id=message_id)
    return True


def discard_letters(wanted: LetterFilter, *, reason: str, using: Api, dry_run: bool = False) -> Iterator[str]:
    """Put every open letter away that matches; their ids. Lazy, as ``retry_letters``."""
    reason = _checked_reason(reason)
    return _discard_letters(replace(wanted, state="open"), reason, using, dry_run=dry_run)


def _discard_letters(wanted: LetterFilter, reason: str, using: Api, *, dry_run: bool) -> Iterator[str]:
    for letter in every_letter(wanted, using=using):
        _require_control(letter, using=using)
        if not dry_run:
            with transaction(using.engine) as connection:
                if not dead_letters.change_letter(connection, letter.message_id, "discarded", reason=reason):
                    continue
                _note(connection, "letter.discard", letter, using=using)
            log.info("dead_letter_discarded", message_id=letter.message_id)
        yield letter.message_id


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > _MAX_REASON or not reason.isprintable():
        raise InvalidInput(f"reason: say in one line, at most {_MAX_REASON} characters, why it can go.")
    return reason
