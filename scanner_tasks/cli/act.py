"""``s3scan act …``: plans of what is done about findings, their run, the log, the way back."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from scanner_tasks.cli.results import Confidences, Fingerprint, Key, Prefix, Rule, Severities, Triage
from scanner_tasks.cli.screen import AsJson, JobId, print_json, print_table, shown

if TYPE_CHECKING:
    from scanner_tasks.core.acting import Plan, Step

app = typer.Typer(
    help="Act on findings: tag, quarantine, redacted copies, public access. Off unless S3SCAN_ACTIONS is set.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
PlanId = Annotated[str, typer.Argument(metavar="PLAN_ID", help="What `act plan` printed.", show_default=False)]
By = Annotated[str | None, typer.Option(help="Who; the system's user if left out.")]


@app.command()
def plan(
    job_id: JobId,
    reason: Annotated[str, typer.Option(help="Why; kept with the plan.", show_default=False)],
    tag: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Add this tag to the objects; again for more.")
    ] = None,
    quarantine: Annotated[
        str | None, typer.Option(metavar="S3_URL", help="Move the objects to this bucket and prefix.")
    ] = None,
    redact: Annotated[
        str | None, typer.Option(metavar="S3_URL", help="Write redacted copies of text, CSV and JSON there.")
    ] = None,
    block_public: Annotated[bool, typer.Option("--block-public", help="Block public access to the bucket.")] = False,
    replace_by: Annotated[
        str | None, typer.Option(help="What a quarantined object leaves: marker, or delete.", show_default="marker")
    ] = None,
    key: Key = None,
    prefix: Prefix = None,
    rule: Rule = None,
    severity: Severities = None,
    confidence: Confidences = None,
    fingerprint: Fingerprint = None,
    triage: Triage = None,
    by: By = None,
    show: Annotated[int, typer.Option(min=0, help="Steps printed; 0 prints all.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Make a plan and print what it would do; nothing is done until `act run`.

    Exactly one action, for the objects of the job's findings that match the filters; open ones unless --triage says
    otherwise. An object that has changed since it was scanned is not touched.

    Example: s3scan act plan 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --tag s3scan=personal --reason "ticket 4711"
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.cli.screen import uuid_of  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.flow.acting import plan as planning  # noqa: PLC0415

    action, options = _action(tag, quarantine, redact, block_public=block_public)
    if replace_by is not None and action != "quarantine":
        raise InvalidInput("--replace-by: it goes with --quarantine.")
    given: dict[str, Any] = {"key": key, "prefix": prefix, "rule": rule, "fingerprint": fingerprint, "triage": triage}
    given |= {"severity": severity or None, "confidence": confidence or None}
    made = planning.make_plan(
        uuid_of(job_id),
        action,
        options | ({"replace_by": replace_by} if replace_by else {}),
        filters={name: value for name, value in given.items() if value is not None},
        who=by or getpass.getuser(),
        reason=reason,
        using=bootstrap.api(),
    )
    steps = list(_first(planning.steps_of(made.plan_id, using=bootstrap.api()), show))
    if as_json:
        print_json(plan_shape(made) | {"planned": [step_shape(step) for step in steps]})
        return
    print(f"Plan {made.plan_id}: {_words(made)}")
    _print_steps(steps)
    count = sum(made.steps.values())
    if len(steps) < count:
        print(f"and {count - len(steps):,} more: s3scan act log {made.plan_id} --limit 0")
    print(f"Nothing is done yet. To do it: s3scan act run {made.plan_id}")


@app.command()
def run(plan_id: PlanId, by: By = None, as_json: AsJson = False) -> None:
    """Send a plan's steps to the workers of the queue `actions`; again sends what is left.

    Example: s3scan act run 7d3f2a90-5a4e-4b9c-8a5c-1c2f0a3b4d5e
    """
    _send(plan_id, by, as_json=as_json, is_undo=False)


@app.command()
def undo(plan_id: PlanId, by: By = None, as_json: AsJson = False) -> None:
    """Undo what a plan's steps changed, where nobody changed it since; again sends what is left.

    Example: s3scan act undo 7d3f2a90-5a4e-4b9c-8a5c-1c2f0a3b4d5e
    """
    _send(plan_id, by, as_json=as_json, is_undo=True)


@app.command()
def log(
    plan_id: Annotated[str | None, typer.Argument(metavar="PLAN_ID", help="Its steps; without it, the plans.")] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB_ID", help="Only this job's plans.")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(help="Only steps in this state: planned, done, skipped, failed …; again for more."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Lines; 0 prints all of a plan's steps.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the plans, or every step of one: what was done, what not and why, what was undone.

    With --json, one plan or step a line; a step shows its state before.

    Example: s3scan act log 7d3f2a90-5a4e-4b9c-8a5c-1c2f0a3b4d5e --state failed
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.cli.screen import uuid_of  # noqa: PLC0415
    from scanner_tasks.core.acting import StepState  # noqa: PLC0415
    from scanner_tasks.flow.acting import plan as planning  # noqa: PLC0415
    from scanner_tasks.flow.read_results import one_of  # noqa: PLC0415

    using = bootstrap.api()
    if plan_id is None:
        plans = planning.list_plans(job_id=uuid_of(job) if job else None, limit=limit or 1000, using=using)
        if as_json:
            for one in plans:
                print_json(plan_shape(one))
            return
        rows = ((p.created_at, p.plan_id, p.action, p.bucket, p.created_by, _states(p), p.reason) for p in plans)
        print_table(["made", "plan", "action", "bucket", "by", "steps", "reason"], rows, empty="There are no plans.")
        return
    states = tuple(str(one) for one in one_of(StepState, state or [], "state"))
    steps = _first(planning.steps_of(_plan_id(plan_id), states=states, using=using), limit)
    if as_json:
        for step in steps:
            print_json(step_shape(step))
        return
    made = planning.find_plan(_plan_id(plan_id), using=using)[1]
    print(f"Plan {made.plan_id}: {_words(made)}")
    _print_steps(list(steps))


def _send(plan_id: str, by: str | None, *, as_json: bool, is_undo: bool) -> None:
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.flow.acting import run as running  # noqa: PLC0415

    sent = running.run_plan(_plan_id(plan_id), who=by or getpass.getuser(), is_undo=is_undo, using=bootstrap.feeder())
    if as_json:
        print_json({"plan_id": sent.plan.plan_id, "undo": is_undo, "steps": sent.steps, "messages": sent.messages})
    else:
        print(f"{sent.steps:,} steps sent in {sent.messages:,} messages. Follow them: s3scan act log {plan_id}")


def _plan_id(text: str) -> UUID:
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("PLAN_ID: give the UUID that `s3scan act plan` or `s3scan act log` prints.") from None


def _action(
    tag: list[str] | None, quarantine: str | None, redact: str | None, *, block_public: bool
) -> tuple[str, dict[str, Any]]:
    """The one action asked for, and its options."""
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    if sum(map(bool, (tag, quarantine, redact, block_public))) != 1:
        raise InvalidInput("Give exactly one of --tag, --quarantine, --redact, --block-public.")
    if tag:
        if not all("=" in one for one in tag):
            raise InvalidInput("--tag: give NAME=VALUE, such as --tag s3scan=personal.")
        return "tag", {"tags": dict(one.split("=", 1) for one in tag)}
    if block_public:
        return "block_public", {}
    url = quarantine or redact or ""
    if not url.startswith("s3://"):
        raise InvalidInput("Give the target as s3://bucket/prefix.")
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return ("quarantine" if quarantine else "redact"), {"target_bucket": bucket, "target_prefix": prefix}


def _first(steps: Any, count: int) -> Any:
    from itertools import islice  # noqa: PLC0415

    return islice(steps, count or None)


def _words(plan: Plan) -> str:
    options = plan.options
    to = f"s3://{options.get('target_bucket')}/{options.get('target_prefix')}"
    told = {
        "tag": "tag with " + ", ".join(f"{name}={value}" for name, value in options.get("tags", {}).items()),
        "quarantine": f"move to {to}, leaving {'a marker' if options.get('replace_by') == 'marker' else 'nothing'}",
        "redact": f"write redacted copies to {to}",
        "block_public": f"block public access to {plan.bucket}",
    }[plan.action]
    return f"{shown(told)}; {_states(plan)}"


def _states(plan: Plan) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in plan.steps.items())


def _print_steps(steps: list[Step]) -> None:
    rows = ((one.key or one.bucket, one.findings, one.state, one.reason, one.detail) for one in steps)
    print_table(["object", "findings#", "state", "reason", "detail"], rows, empty="No such steps.")


def plan_shape(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    names = ("plan_id", "job_id", "bucket", "action", "options", "filters", "created_by", "reason", "created_at")
    return {name: getattr(plan, name) for name in (*names, "run_by", "run_at", "undo_by", "undo_at", "steps")}


def step_shape(step: Step) -> dict[str, Any]:
    """A step as JSON."""
    names = ("step_no", "bucket", "key", "etag", "version_id", "size_bytes", "findings", "state", "reason", "detail")
    return {name: getattr(step, name) for name in (*names, "before", "after", "state_at")}
