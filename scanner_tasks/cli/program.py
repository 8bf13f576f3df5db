"""The commands put together, and what every one of them does with errors.

Exit status: 0 done; 1 it could not be done; 2 the command line or a setting is wrong; 3 the job is incomplete (``jobs
start --wait``, ``watch``, ``show``); 130 Ctrl-C; ``scan`` has its own (docs/local-scan.md). What went wrong is one line
on stderr, never a traceback.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import typer

from scanner_tasks.cli import (
    act,
    audit,
    buckets,
    completion,
    db,
    detect,
    dlq,
    estimate,
    explain,
    export,
    jobs,
    ops,
    report,
    results,
    rights,
    rules,
    scan,
    schedules,
    serve,
    triage,
    verify,
    watches,
    worker,
)
from scanner_tasks.cli.backend import database_only
from scanner_tasks.core.errors import InvalidInput, RuleError, ScannerError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="s3scan",
    help="Find personal, financial and secret data in S3. Settings come from the environment (docs/settings.md).",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
app.command(name="scan")(scan.scan)
app.add_typer(jobs.app, name="jobs")
app.command(name="buckets")(buckets.buckets)
app.add_typer(watches.app, name="watches")
app.add_typer(schedules.app, name="schedules")
app.command(name="estimate")(estimate.estimate)
app.command(name="results")(results.results)
app.add_typer(triage.app, name="triage")
app.command(name="explain")(explain.explain)
app.command(name="export")(export.export)
app.command(name="report")(report.report)
app.command(name="serve")(serve.serve)
app.add_typer(act.app, name="act")
app.command(name="verify")(verify.verify)
app.command(name="detect")(detect.detect)
app.add_typer(dlq.app, name="dlq")
app.command(name="audit")(audit.audit)
app.add_typer(rights.app, name="rights")
app.add_typer(ops.app, name="ops")
app.add_typer(worker.app, name="worker")
app.add_typer(rules.app, name="rules")
app.add_typer(db.app, name="db")
app.command(name="completion")(completion.completion)


def command() -> Any:
    """The program as a click command."""
    return typer.main.get_command(app)


#: Commands that work on the database or the queues themselves, whatever S3SCAN_API says.
_DATABASE_ONLY = (
    *(("db",), ("act",)),
    *(("ops", name) for name in ("pause-all", "resume-all", "limit-requests", "watch-queues", "throughput")),
)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; its exit status."""
    completion.answer_shells()
    try:
        if "--help" not in arguments:
            for words in _DATABASE_ONLY:
                if tuple(arguments[: len(words)]) == words:
                    database_only(" ".join(words))
        status = command().main(args=list(arguments), prog_name="s3scan", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (the top: whatever it is, no traceback for the user)
        return _explain(error)
    return status if isinstance(status, int) else 0


def _explain(error: Any) -> int:
    """Say in one line what is wrong, and with what status the program ends."""
    if isinstance(error, ScannerError):
        return _say(str(error), WRONG_USAGE if isinstance(error, (InvalidInput, RuleError)) else FAILED)
    if isinstance(error, OSError):
        return _say(f"{error.filename or 'the system'}: {error.strerror or 'it failed'}", FAILED)
    if hasattr(error, "format_message"):  # click's usage errors
        context = getattr(error, "ctx", None)
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)
            return WRONG_USAGE
        path = context.command_path if context else "s3scan"
        return _say(f"{error.format_message().rstrip('.')}. See `{path} --help`.", WRONG_USAGE)
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return _say(f"{kind}: a fault of the scanner, or of something that it needs.", FAILED)


def _say(message: str, status: int) -> int:
    print(f"s3scan: {' '.join(message.split())}", file=sys.stderr)
    return status
