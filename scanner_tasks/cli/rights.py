"""``s3scan rights …``: tokens for the rights document, and what a document grants."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from scanner_tasks.cli.screen import AsJson, print_json, print_table

app = typer.Typer(help="Who may do what with the API.", no_args_is_help=True, rich_markup_mode=None)

_TOKEN_BYTES = 32


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Its name: token:NAME in the document's grants.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Make a token for a caller that IAM does not know: printed once, and kept nowhere; the document gets its hash.

    Example: s3scan rights token ci
    """
    from scanner_tasks.core.rights_rules import TOKEN_PREFIX, check_token_name, hash_token  # noqa: PLC0415

    check_token_name(name)
    made = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    if as_json:
        print_json({"name": name, "token": made, "hash": hash_token(made)})
        return
    print(made)
    print(f'In the rights document (docs/authorisation.md): "tokens": {{"{name}": "{hash_token(made)}"}}')


@app.command()
def show(
    principal: Annotated[
        str, typer.Argument(help="An ARN as IAM tells it, or token:NAME.", show_default=False, metavar="PRINCIPAL")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what the rights document grants to a caller.

    With --json, one permission a line, with the patterns of its buckets.

    Example: s3scan rights show arn:aws:sts::111122223333:assumed-role/security/ada
    """
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.core.rights import EVERY_BUCKET, Permission, everything  # noqa: PLC0415

    rights = bootstrap.rights()
    caller = rights.caller(principal) if rights else everything(principal, via="api")
    held = {permission: caller.patterns(permission) for permission in Permission}
    rows = [(p, [EVERY_BUCKET] if patterns is None else list(patterns)) for p, patterns in held.items()]
    if as_json:
        for permission, buckets in rows:
            print_json({"permission": str(permission), "buckets": buckets})
        return
    if rights is None:
        print("No rights document is set (S3SCAN_RIGHTS): whoever is let in may do all.")
    print_table(
        ["permission", "buckets"],
        ((permission, ", ".join(buckets)) for permission, buckets in rows if buckets),
        empty="Nothing is granted to this caller.",
    )
