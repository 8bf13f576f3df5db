"""``s3scan dlq …``: dead letters, from the ledger into which settle moves them."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from scanner_tasks.cli.backend import backend, database_only
from scanner_tasks.cli.remote import address
from scanner_tasks.cli.screen import AsJson, moment, print_json, print_table, shown, uuid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scanner_tasks.flow.redrive import LetterFilter

app = typer.Typer(help="Dead letters: messages that failed three times.", no_args_is_help=True, rich_markup_mode=None)

LetterId = Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="As `dlq list` prints it.", show_default=False)]
SomeLetter = Annotated[
    str | None, typer.Argument(metavar="[MESSAGE_ID]", help="One letter; else name a group.", show_default=False)
]
Error = Annotated[
    str | None, typer.Option(help='Only with this error, as `dlq list --by error` prints it; "" for none.')
]
Job = Annotated[str | None, typer.Option(metavar="JOB_ID", help="Only of this job.")]
Bucket = Annotated[str | None, typer.Option(help="Only of this bucket.")]
Task = Annotated[str | None, typer.Option(help="Only of this task.")]
Everything = Annotated[bool, typer.Option("--all", help="Every open letter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.command(name="list")
def list_(
    by: Annotated[str | None, typer.Option(help="Count them by error, job, bucket or task instead.")] = None,
    error: Error = None,
    job: Job = None,
    bucket: Bucket = None,
    task: Task = None,
    state: Annotated[str, typer.Option(help="open, retried, discarded, moot, or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, help="Letters to print.")] = 50,
    after: Annotated[str | None, typer.Option(metavar="MESSAGE_ID", help="Go on behind this letter.")] = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, oldest first, or count them in groups. Nothing is received from SQS.

    Example: s3scan dlq list --by error
    """
    if by is not None:
        wanted = _wanted(error=error, job=job, bucket=bucket, task=task, state=state)
        groups = backend().letter_groups(by=by, **wanted)
        if as_json:
            for group in groups:
                print_json({by: group["name"], **{n: group[n] for n in ("letters", "first_at", "last_at")}})
            return
        rows = (
            (group["letters"], *(moment(group[n]) for n in ("first_at", "last_at")), group["name"] or "(none kept)")
            for group in groups
        )
        print_table(["letters#", "first", "last", by], rows, empty="There are no such letters.")
        return
    found = backend().letters(after=after, **_wanted(error=error, job=job, bucket=bucket, task=task, state=state))
    letters = list(islice(found, limit))
    if as_json:
        for letter in letters:
            print_json(letter)
        return
    print_table(
        ["message_id", "arrived", "task", "bucket", "job", "batch#", "error"],
        (_row(letter) for letter in letters),
        empty="There are no such letters.",
    )
    if len(letters) == limit:
        print(f"There may be more: --after {letters[-1]['message_id']}")


def _row(letter: Mapping[str, Any]) -> tuple[object, ...]:
    task = (letter["task"] or "(not ours)").rpartition(".")[2]
    place = (letter["bucket"], letter["job_id"], letter["batch_no"])
    return (letter["message_id"], moment(letter["arrived_at"]), task, *place, letter["error"] or "(none kept)")


def _wanted(*, error: str | None, job: str | None, bucket: str | None, task: str | None, state: str) -> dict[str, Any]:
    """The filters in the API's words."""
    wanted = _filter(error=error, job=job, bucket=bucket, task=task, state=state)
    return {"error": wanted.error, "job_id": wanted.job_id, "bucket": bucket, "task": task, "state": state}


@app.command()
def show(message_id: LetterId, as_json: AsJson = False) -> None:
    """Show one dead letter: its task and arguments, when it came, and the traceback of every attempt that raised.

    Example: s3scan dlq show 5fea7756-0ea4-451a-a703-a558b933e274
    """
    letter = backend().letter(message_id)
    if as_json:
        print_json(letter)
        return
    told = letter["arguments"]
    call = "(not ours)" if told is None else f"{letter['task']}({', '.join(told)})"
    state = f"{letter['state']}: {letter['state_reason']}" if letter["state_reason"] else letter["state"]
    lines = [("message", letter["message_id"]), ("state", state), ("task", call), ("bucket", letter["bucket"])]
    lines += [("job", str(letter["job_id"])), ("lane", letter["lane"])]
    print_table(
        ["", ""],
        [
            *lines,
            ("receives", letter["receive_count"]),
            ("first sent", moment(letter["sent_at"])),
            ("taken from SQS", moment(letter["arrived_at"])),
            ("error", letter["error"] or "none kept: its worker was killed or lost"),
        ],
        empty="",
    )
    for attempt in letter["errors"]:
        print(f"\nattempt {attempt['attempt']}, {shown(moment(attempt['failed_at']))}: {shown(attempt['error'])}")
        print("\n".join(shown(line) for line in attempt["traceback"].splitlines()))


@app.command()
def retry(
    message_id: SomeLetter = None,
    error: Error = None,
    job: Job = None,
    bucket: Bucket = None,
    task: Task = None,
    everything: Everything = False,
    rate: Annotated[float, typer.Option(help="Letters a second, at most.")] = 50.0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters back to their lanes: one, a group, or all. A batch's job scans again.

    Stop it whenever you like: what was not retried is still there, and a second retry changes nothing. The exit status
    is 1 when a letter was refused.

    Example: s3scan dlq retry --error "Unavailable: S3 is away" --rate 20 --dry-run
    """
    wanted = _selection(message_id, error=error, job=job, bucket=bucket, task=task, everything=everything)
    results: Iterable[dict[str, Any]]
    if message_id is not None and not dry_run:
        results = iter([backend().retry_letter(message_id)])
    elif address():
        results = _retried(wanted, rate=rate, dry_run=dry_run)
    else:
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import redrive  # noqa: PLC0415

        done_here = redrive.retry_letters(wanted, using=bootstrap.feeder(), rate_per_s=rate, dry_run=dry_run)
        results = map(asdict, done_here)
    counts: Counter[str] = Counter()
    for done in results:
        counts[done["result"]] += 1
        if as_json:
            print_json(done)
        elif done["reason"] or message_id:
            told = f" ({shown(done['reason'])})" if done["reason"] else ""
            print(f"{done['message_id']}: {done['result']}{told}", flush=True)
    if not as_json:
        told = ", ".join(f"{n:,} {result}" for result, n in sorted(counts.items())) or "no open letter matches"
        print(f"{'Would be: ' if dry_run else ''}{told}.")
    if counts["refused"]:
        raise typer.Exit(1)


@app.command()
def discard(
    message_id: SomeLetter = None,
    reason: Annotated[str, typer.Option(help="Why it can go; kept with the letter.", show_default=False)] = "",
    error: Error = None,
    job: Job = None,
    bucket: Bucket = None,
    task: Task = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters away with a reason; their records stay, their objects stay failed(dead_letter).

    Example: s3scan dlq discard 5fea7756-0ea4-451a-a703-a558b933e274 --reason "a test bucket, gone since"
    """
    wanted = _selection(message_id, error=error, job=job, bucket=bucket, task=task, everything=everything)
    discarded: Iterable[str]
    if address():
        discarded = _discarded(wanted, reason=reason, dry_run=dry_run)
    else:
        from scanner_tasks import bootstrap  # noqa: PLC0415
        from scanner_tasks.flow import redrive  # noqa: PLC0415

        using = bootstrap.api()
        if message_id is not None and not dry_run:
            discarded = iter([message_id] if redrive.discard_letter(message_id, reason=reason, using=using) else [])
        else:
            discarded = redrive.discard_letters(wanted, reason=reason, using=using, dry_run=dry_run)
    count = 0
    for name in discarded:
        count += 1
        if as_json:
            print_json({"message_id": name, "discarded": not dry_run})
    if not as_json:
        print(f"{count:,} letters {'would be' if dry_run else 'were'} discarded.")


def _open_letters(wanted: LetterFilter) -> list[str]:
    """Ids of the open letters that match, over the API; all before the first is touched, so that no page moves."""
    if wanted.message_id is not None:
        return [wanted.message_id]
    given = {name: getattr(wanted, name) for name in ("error", "job_id", "bucket", "task", "state")}
    return [letter["message_id"] for letter in backend().letters(**given)]


def _retried(wanted: LetterFilter, *, rate: float, dry_run: bool) -> Iterator[dict[str, Any]]:
    from scanner_tasks.core.errors import Conflict, InvalidInput  # noqa: PLC0415

    if rate <= 0:
        raise InvalidInput("rate: give letters a second, more than 0.")
    if dry_run:
        raise InvalidInput("--dry-run: the API does not foretell a retry; `dlq list` shows what would be sent.")
    for name in _open_letters(wanted):
        try:
            yield backend().retry_letter(name)
        except Conflict as error:
            reason = str(error).removeprefix(f"Dead letter {name} was not retried. ")
            yield {"message_id": name, "result": "refused", "reason": reason}
        time.sleep(1 / rate)


def _discarded(wanted: LetterFilter, *, reason: str, dry_run: bool) -> Iterator[str]:
    for name in _open_letters(wanted):
        if not dry_run:
            backend().discard_letter(name, reason=reason)
        yield name


@app.command()
def export(
    output: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    error: Error = None,
    job: Job = None,
    bucket: Bucket = None,
    task: Task = None,
    state: Annotated[str, typer.Option(help="open, retried, discarded, moot, or all.")] = "all",
    as_json: AsJson = False,  # noqa: ARG001 (the form is JSON anyway)
) -> None:
    """Write dead letters with their messages as JSON lines. A request's message names object keys: keep the file safe.

    Example: s3scan dlq export --state open --output letters.jsonl
    """
    import json  # noqa: PLC0415

    database_only("dlq export")
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.cli.shapes import letter_shape  # noqa: PLC0415
    from scanner_tasks.flow import redrive  # noqa: PLC0415

    wanted = _filter(error=error, job=job, bucket=bucket, task=task, state=state)
    with _open(output) as file:
        for letter in redrive.every_letter(wanted, using=bootstrap.api()):
            record = {**letter_shape(letter, redrive.arguments(letter)), "body": letter.body}
            print(json.dumps(record, ensure_ascii=False, default=str), file=file)


@contextmanager
def _open(output: Path | None) -> Iterator[TextIO | None]:
    """The file, readable by its owner alone; None is standard output."""
    if output is None:
        yield None
        return
    output.touch(mode=0o600)
    with output.open("w") as file:
        yield file


def _selection(
    message_id: str | None,
    *,
    error: str | None,
    job: str | None,
    bucket: str | None,
    task: str | None,
    everything: bool,
) -> LetterFilter:
    """What to act on: nothing by mistake, so either one letter, or a group, or --all."""
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    filters = [value for value in (error, job, bucket, task) if value is not None]
    if sum((message_id is not None, bool(filters), everything)) != 1:
        raise InvalidInput("Name one MESSAGE_ID, or a group by --error, --job, --bucket or --task, or --all.")
    return _filter(message_id=message_id, error=error, job=job, bucket=bucket, task=task, state="open")


def _filter(
    *,
    error: str | None,
    job: str | None,
    bucket: str | None,
    task: str | None,
    state: str,
    message_id: str | None = None,
) -> LetterFilter:
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.flow.redrive import LETTER_STATES, LetterFilter  # noqa: PLC0415

    if state not in {"all", *LETTER_STATES}:
        raise InvalidInput(f"--state: one of all, {', '.join(LETTER_STATES)}.")
    return LetterFilter(
        message_id=message_id,
        error=error,
        job_id=None if job is None else uuid_of(job),
        bucket=bucket,
        task=task,
        state=None if state == "all" else state,
    )
