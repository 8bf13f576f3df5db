"""``s3scan db create-owner``: the application's user, before the first migration."""

from __future__ import annotations

import os

from scanner_tasks.cli.screen import AsJson, print_json


def create_owner(as_json: AsJson = False) -> None:
    """Make the application's user in PostgreSQL, or give it another password, and make it the database's owner.

    DATABASE_URL names an administrator on the database's own endpoint (password in PGPASSWORD); the user comes from
    S3SCAN_OWNER, its password from S3SCAN_OWNER_PASSWORD. A repeat changes the password only. `make migrate` runs it.

    Example: s3scan db create-owner
    """
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.database import database_engine  # noqa: PLC0415
    from scanner_tasks.store.engine import transaction  # noqa: PLC0415
    from scanner_tasks.store.owner import make_owner  # noqa: PLC0415

    name, password = os.environ.get("S3SCAN_OWNER", ""), os.environ.get("S3SCAN_OWNER_PASSWORD", "")
    if not name or not password:
        raise InvalidInput("Set S3SCAN_OWNER and S3SCAN_OWNER_PASSWORD: the user to make, and its password.")
    engine = database_engine(settings.load(), pool_size=1)
    try:
        with transaction(engine) as connection:
            is_new = make_owner(connection, name=name, password=password)
    finally:
        engine.dispose()
    if as_json:
        print_json({"owner": name, "is_new": is_new})
    else:
        print(f"The user {name} was {'made' if is_new else 'there and has the new password'}; it owns the database.")
