"""The one place that makes boto3 clients, from explicit arguments.

A client is made with a session of its own: sessions are not safe to share between threads, clients are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialResolver

from scanner_tasks.aws.credentials import Provider

if TYPE_CHECKING:
    from scanner_tasks.aws.credentials import Credentials


def make_client(
    service: str,
    *,
    region: str,
    endpoint_url: str | None = None,
    pool_size: int = 25,
    connect_timeout_s: float = 5.0,
    read_timeout_s: float = 30.0,
    attempts: int = 3,
) -> Any:
    """A boto3 client of ``service``.

    Args:
        service: boto3's name, such as ``sqs`` or ``stepfunctions``.
        region: AWS Region.
        endpoint_url: another endpoint (the emulator, an S3-compatible store); None for AWS.
        pool_size: connections kept; at least the threads that use the client at the same time.
        connect_timeout_s: seconds to connect.
        read_timeout_s: longest silence of the server.
        attempts: how often botocore tries a request, in its ``standard`` mode. Never ``adaptive``: its rate limit is
            shared by all threads of a client and survives the trouble (60 reads took 64 s instead of 9).
    """
    return _create(
        botocore.session.get_session(),
        service,
        region,
        endpoint_url,
        _config(pool_size, connect_timeout_s, read_timeout_s, attempts),
    )


def make_signing_client(
    service: str,
    *,
    region: str,
    endpoint_url: str | None,
    credentials: Credentials | None,
    pool_size: int = 25,
    attempts: int = 3,
) -> Any:
    """A boto3 client as ``make_client`` makes it, which signs with ``credentials``; None finds the process's own.

    Times come as text, and buckets are addressed by path where an endpoint is given.
    """
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    if credentials:
        session.register_component("credential_provider", CredentialResolver([Provider(credentials)]))
    config = _config(pool_size, connect_timeout_s=3.0, read_timeout_s=20.0, attempts=attempts)
    if service == "s3" and endpoint_url:
        config = config.merge(Config(s3={"addressing_style": "path"}))
    return _create(session, service, region, endpoint_url, config)


def make_s3_client(
    *,
    region: str,
    endpoint_url: str | None = None,
    pool_size: int = 25,
    connect_timeout_s: float = 5.0,
    read_timeout_s: float = 20.0,
    credentials: Credentials | None = None,
    anonymous: bool = False,
) -> Any:
    """A boto3 client for ``Boto3Requests``.

    It tries each request once, because its user repeats requests and bodies itself; hands timestamps back as text,
    because parsing them is more than half the cost of a listing and texts compare as well; addresses buckets by
    path where an endpoint is given; and leaves checksums of bodies out (docs/reading-s3.md says why). Without
    ``credentials`` it finds the process's own; ``anonymous`` signs nothing.
    """
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    if credentials:
        session.register_component("credential_provider", CredentialResolver([Provider(credentials)]))
    config = _config(pool_size, connect_timeout_s, read_timeout_s, attempts=1).merge(
        Config(
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            signature_version=UNSIGNED if anonymous else None,
        )
    )
    return _create(session, "s3", region, endpoint_url, config)


def _config(pool_size: int, connect_timeout_s: float, read_timeout_s: float, attempts: int) -> Config:
    return Config(
        max_pool_connections=pool_size,
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
    )


def _create(session: Any, service: str, region: str, endpoint_url: str | None, config: Config) -> Any:
    return boto3.Session(botocore_session=session, region_name=region).client(
        service, endpoint_url=endpoint_url, config=config
    )
