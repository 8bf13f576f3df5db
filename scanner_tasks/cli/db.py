"""``s3scan db …``: the schema. On the database's own endpoint, not through RDS Proxy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from scanner_tasks.cli.screen import AsJson, print_json

if TYPE_CHECKING:
    from alembic.config import Config

app = typer.Typer(help="The database's schema.", no_args_is_help=True, rich_markup_mode=None)

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
