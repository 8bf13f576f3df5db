"""``s3scan db …``: the schema, on the database's own endpoint and not through RDS Proxy; and whether sums are right."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from scanner_tasks.cli import db_owner
from scanner_tasks.cli.screen import AsJson, JobId, print_json, print_table, uuid_of

if TYPE_CHECKING:
    from alembic.config import Config

app = typer.Typer(
    help="The database's schema, and whether its sums are right.", no_args_is_help=True, rich_markup_mode=None
)
app.command(name="create-owner")(db_owner.create_owner)

MIGRATIONS = Path(__file__).resolve().parents[2] / "alembic"


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the schema to this release's; a repeat changes nothing. Releases beside it go on meanwhile.

    DATABASE_URL must name the database's own endpoint: a lock and a lock timeout pin a session of RDS Proxy.

    Example: s3scan db upgrade
    """
    from alembic import command  # noqa: PLC0415

    before, _ = _revisions()
    command.upgrade(_config(), "head")
    now, _ = _revisions()
    if as_json:
        print_json({"before": before, "revision": now})
    else:
        print(f"The schema is at {now}{f', was at {before}' if before != now else ' already'}.")


@app.command()
def check(as_json: AsJson = False) -> None:
    """Say whether the schema is this release's; the exit status is 1 when it is not.

    Example: s3scan db check
    """
    revision, newest = _revisions()
    if as_json:
        print_json({"revision": revision, "newest": newest, "is_current": revision == newest})
    elif revision == newest:
        print(f"The schema is at {revision}, as this release needs it.")
    else:
        typer.echo(
            f"s3scan: the schema is at {revision}, this release needs {newest}: run `s3scan db upgrade`.", err=True
        )
    if revision != newest:
        raise typer.Exit(1)


@app.command()
def size(as_json: AsJson = False) -> None:
    """Say how large the tables, partitions and indexes are, and what a million objects more would add.

    Objects and findings are those of jobs that are there; rows as the last vacuum counted them.

    Example: s3scan db size
    """
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.database import database_engine  # noqa: PLC0415
    from scanner_tasks.store.engine import transaction  # noqa: PLC0415
    from scanner_tasks.store.sizes import read_sizes  # noqa: PLC0415

    engine = database_engine(settings.load(), pool_size=1)
    try:
        with transaction(engine) as connection:
            sizes = read_sizes(connection)
    finally:
        engine.dispose()
    growth = {
        "objects": sizes.objects,
        "findings": sizes.findings,
        "bytes_per_object": sizes.bytes_per_object(),
        "bytes_per_finding": sizes.bytes_per_finding(),
        "bytes_per_million_objects": sizes.bytes_per_million_objects(),
    }
    if as_json:
        tables = [{**asdict(table), "bytes": table.bytes} for table in sizes.tables]
        print_json({"bytes": sizes.bytes, **growth, "tables": tables})
        return
    print_table(
        ["table", "rows#", "MB#", "heap#", "large values#", "indexes#", "largest index"],
        (
            (
                *(table.name, None if table.rows < 0 else table.rows, _mb(table.bytes), _mb(table.heap_bytes)),
                *(_mb(table.toast_bytes), _mb(table.index_bytes)),
                f"{table.indexes[0].name}: {_mb(table.indexes[0].bytes)}" if table.indexes else None,
            )
            for table in sizes.tables
        ),
        empty="The database holds no table of ours: run `s3scan db upgrade`.",
    )
    print(f"{_mb(sizes.bytes)} MB in all, {sizes.objects:,} objects and {sizes.findings:,} findings.")
    if (million := sizes.bytes_per_million_objects()) is not None:
        each, finding = sizes.bytes_per_object(), sizes.bytes_per_finding()
        of_findings = "" if finding is None else f", {finding:,.0f} bytes a finding"
        print(f"{each:,.1f} bytes an object{of_findings}: a million objects more like these add {_mb(million)} MB.")


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:,.1f}"


@app.command()
def verify(job_id: JobId, as_json: AsJson = False) -> None:
    """Prove that a job's sums are right: view, deltas and ledger are counted at one moment and compared.

    The exit status is 1 when they differ. The ledger is counted object by object: minutes for a hundred million. Works
    while the job goes on, and through RDS Proxy.

    Example: s3scan db verify 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.progress import sums_line  # noqa: PLC0415
    from scanner_tasks.flow.verify import verify_job  # noqa: PLC0415

    accounts = verify_job(uuid_of(job_id), using=bootstrap.api())
    if as_json:
        told = {name: getattr(accounts, name) for name in ("agree", "differing", "view", "deltas", "ledger", "faults")}
        print_json({"job_id": job_id} | told)
    else:
        rows = [
            (
                name.replace("_", " "),
                *(account[name] for account in (accounts.view, accounts.deltas, accounts.ledger)),
                "differ" if name in accounts.differing else "",
            )
            for name in accounts.ledger
        ]
        print_table(["", "view#", "deltas#", "ledger#", " "], rows, empty="")
        for fault, count in accounts.faults.items():
            print(f"{count:,} {fault}")
        if accounts.agree:
            print(f"The accounts agree: {sums_line(accounts.progress)}.")
    if not accounts.agree:
        typer.echo("s3scan: the accounts do not agree; that is a defect of the scanner.", err=True)
        raise typer.Exit(1)


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    from scanner_tasks.core.errors import NotFound  # noqa: PLC0415

    if not MIGRATIONS.is_dir():
        raise NotFound("The migrations are not here: run it in the worker's image, or in a checkout of the project.")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _revisions() -> tuple[str | None, str | None]:
    """The database's revision, None for an empty one, and the newest there is."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.database import database_engine  # noqa: PLC0415
    from scanner_tasks.store.engine import transaction  # noqa: PLC0415

    newest = ScriptDirectory.from_config(_config()).get_current_head()
    engine = database_engine(settings.load(), pool_size=1)
    try:
        with transaction(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision(), newest
    finally:
        engine.dispose()
