"""``s3scan triage …``: what is thought of findings."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from scanner_tasks.cli.backend import backend
from scanner_tasks.cli.results import Bucket, Confidences, Fingerprint, Job, Key, Prefix, Rule, Severities, Triage
from scanner_tasks.cli.screen import AsJson, moment, print_json, print_table, shown, uuid_of

app = typer.Typer(
    help="Judge findings: open, false_positive, accepted, fixed.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def mark(
    status: Annotated[
        str, typer.Argument(help="open, false_positive, accepted or fixed.", metavar="STATUS", show_default=False)
    ],
    reason: Annotated[str, typer.Option(help="Why; kept with the mark.", show_default=False)],
    by: Annotated[str | None, typer.Option(help="Who; the system's user if left out.")] = None,
    job: Job = None,
    bucket: Bucket = None,
    key: Key = None,
    prefix: Prefix = None,
    rule: Rule = None,
    severity: Severities = None,
    confidence: Confidences = None,
    fingerprint: Fingerprint = None,
    triage: Triage = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be marked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Mark every finding that matches the filters; at least one must be given.

    A mark holds in every job, earlier and later ones, while the values found are among those of the marked finding: a
    scan that finds another value there is open again.

    Example: s3scan triage mark false_positive --rule us.ssn --bucket my-bucket --prefix test/ --reason "test data"
    """
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    given: dict[str, Any] = {
        "job_id": None if job is None else uuid_of(job),
        "bucket": bucket,
        "key": key,
        "prefix": prefix,
        "rule": rule,
        "severity": severity or None,
        "confidence": confidence or None,
        "fingerprint": fingerprint,
        "triage": triage,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        raise InvalidInput("Give at least one filter, such as --bucket or --rule: without one every finding is marked.")
    count = 0
    who = by or getpass.getuser()
    for done in backend().mark(status=status, by=who, reason=reason, dry_run=dry_run, **wanted):
        count += 1
        finding = done["finding"]
        if as_json:
            print_json(done["mark"] or finding)
        else:
            print(f"{shown(finding['bucket'])} {shown(finding['key'])} {finding['rule']} {finding['triage']}")
    if not as_json:
        print(f"{count:,} findings {'would be' if dry_run else 'are'} {status} now.")


@app.command()
def history(
    finding_id: Annotated[
        str, typer.Argument(metavar="FINDING_ID", help="What `results --json` shows.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Show every mark of a finding: who, when and why, the newest first.

    With --json, one mark a line.

    Example: s3scan triage history 5b6f3a52-7f0e-5d0a-8a44-90f0c2a3b1de
    """
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    try:
        wanted = UUID(finding_id)
    except ValueError:
        raise InvalidInput("FINDING_ID: give the finding_id that `s3scan results --json` prints.") from None
    marks = backend().marks(wanted)
    if as_json:
        for one in marks:
            print_json(one)
        return
    print_table(
        ["when", "status", "by", "reason", "count#"],
        ((moment(one["marked_at"]), *(one[name] for name in ("status", "by", "reason", "count"))) for one in marks),
        empty="Nobody has judged it.",
    )


@app.command()
def allow(
    finding_id: Annotated[
        str, typer.Argument(metavar="FINDING_ID", help="What `results --json` shows.", show_default=False)
    ],
    file: Annotated[Path, typer.Argument(help="The pack (.toml) that the entry is added to.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why; the entry's name.", show_default=False)],
    job: Job = None,
    as_json: AsJson = False,
) -> None:
    """Allow a finding's values wherever its rule finds them: scans with the pack neither count nor keep them.

    Only fingerprints are written. Values at places beyond those that the finding keeps are not among them.

    Example: s3scan triage allow 5b6f3a52-7f0e-5d0a-8a44-90f0c2a3b1de allowed.toml --reason "our test people"
    """
    from scanner_tasks.rules.allow_file import add_allowed, check_file  # noqa: PLC0415

    check_file(file)
    entry = backend().allow_list(uuid_of(finding_id, "FINDING"), job_id=None if job is None else uuid_of(job))
    rule, fingerprints = entry["rule"], entry["fingerprints"]
    added = add_allowed(file, name=reason, rules=[rule], fingerprints=fingerprints)
    if as_json:
        said = {"file": str(file), "rule": rule, "fingerprints": len(fingerprints), "added": added}
        print_json(said | {"complete": entry["complete"]})
        return
    done = f"{added} of {len(fingerprints)} values added" if added else "all values are in it already"
    print(f"{file}: {done}, for {rule}.")
    if not entry["complete"]:
        print("The finding has more places than were kept: values of those others are not allowed.")
