"""``s3scan ops fill-secrets``: random values for the secrets that Terraform makes empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json

#: Characters of a random password, after base64: 32 bytes.
_BYTES = 32


def _database() -> str:
    import json  # noqa: PLC0415

    return json.dumps({"username": "s3scan", "password": _token()})


def _flower() -> str:
    return f"s3scan:{_token()}"


def _token() -> str:
    import secrets  # noqa: PLC0415

    return secrets.token_urlsafe(_BYTES)


#: What a secret of each kind holds.
KINDS: dict[str, Callable[[], str]] = {"database": _database, "fingerprint": _token, "flower": _flower}


def fill_secrets(
    of: Annotated[
        list[str],
        typer.Argument(
            metavar="KIND=SECRET…", help="Kind (database, fingerprint, flower) and name or ARN.", show_default=False
        ),
    ],
    renew: Annotated[bool, typer.Option(help="Give a new value to those that have one, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give random values to the secrets that Terraform made; a secret that has one is left as it is.

    Values are made here and sent to Secrets Manager only: they are not shown, and no state file holds them. A renewed
    database secret needs `make migrate` afterwards, a renewed fingerprint key S3SCAN_FORMER_FINGERPRINT_KEYS.

    Example: s3scan ops fill-secrets database=s3scan/database fingerprint=s3scan/fingerprint-key
    """
    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.aws.clients import make_client  # noqa: PLC0415
    from scanner_tasks.aws.secrets import Secrets  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

    wanted = dict(given.partition("=")[::2] for given in of)
    wrong = sorted(kind for kind, arn in wanted.items() if kind not in KINDS or not arn)
    if wrong:
        raise InvalidInput(f"{', '.join(wrong)}: give KIND=SECRET, with a kind out of {', '.join(KINDS)}.")
    ours = settings.load()
    secrets = Secrets(make_client("secretsmanager", region=ours.aws_region, endpoint_url=ours.aws_endpoint_url))
    filled: dict[str, bool] = {}
    for kind, arn in wanted.items():
        filled[kind] = renew or not secrets.has_value(arn)
        if filled[kind]:
            secrets.put(arn, KINDS[kind]())
    if as_json:
        print_json({"filled": filled})
    else:
        for kind, is_filled in filled.items():
            print(f"{kind}: {'has a new value' if is_filled else 'had a value already'}.")
