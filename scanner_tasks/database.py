"""The database as the settings say: pool, TLS, password or IAM tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import make_url

from scanner_tasks.core.errors import InvalidInput
from scanner_tasks.store.engine import make_engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from scanner_tasks.settings import Settings

_PORT = 5432


def database_engine(ours: Settings, *, pool_size: int | None = None) -> Engine:
    """A pool for DATABASE_URL; it connects when it is first used.

    Raises InvalidInput when IAM tokens shall be sent to a server whose name is not checked.
    """
    url = ours.database_url.get_secret_value()
    password = None
    if ours.database_iam:
        from scanner_tasks.aws.database_tokens import DatabaseTokens, rds_signer  # noqa: PLC0415 (boto3)

        if not ours.database_ca_file:
            raise InvalidInput("S3SCAN_DATABASE_IAM needs S3SCAN_DATABASE_CA_FILE: a token goes to no unknown server.")
        parts = make_url(url)
        password = DatabaseTokens(
            rds_signer(ours.aws_region), host=parts.host or "", port=parts.port or _PORT, user=parts.username or ""
        )
    return make_engine(
        url,
        pool_size=pool_size or ours.database_pool_size,
        pre_ping=ours.database_pool_pre_ping,
        recycle_s=ours.database_pool_recycle_s,
        ca_file=ours.database_ca_file,
        password=password,
    )
