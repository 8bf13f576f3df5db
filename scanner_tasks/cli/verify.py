"""``s3scan verify``: do AWS keys that were found still work? Only this command asks AWS, and only with its switch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.backend import database_only
from scanner_tasks.cli.screen import AsJson, print_json, print_table, uuid_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner_tasks.flow.verify_keys import Asker, Verified


def verify(
    target: Annotated[str, typer.Argument(metavar="JOB_ID|FILE", help="A job's id, or a file.", show_default=False)],
    ask_aws: Annotated[
        bool, typer.Option("--ask-aws", help="Sign a GetCallerIdentity with each key that is found; needed.")
    ] = False,
    rate: Annotated[float, typer.Option(min=0.01, max=10, help="Questions a second, at most.")] = 1.0,
    limit: Annotated[int, typer.Option(min=1, help="Different keys that are asked, at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Ask AWS whether keys that were found are live: STS GetCallerIdentity, which changes nothing.

    A key id is asked with the secret that stands near it in the same object. Secrets are in memory alone, while
    they are asked. The key's owner sees the call in CloudTrail: ask only for keys that you may use. States: live, dead,
    unknown (no answer), not_asked (with the reason).

    Example: s3scan verify 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --ask-aws
    """
    from functools import partial  # noqa: PLC0415

    from scanner_tasks import settings  # noqa: PLC0415
    from scanner_tasks.aws.key_check import check_key  # noqa: PLC0415
    from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415
    from scanner_tasks.flow.verify_keys import Asker  # noqa: PLC0415

    if not ask_aws:
        raise InvalidInput("This signs requests to AWS with keys of others: give --ask-aws if that is what you want.")
    ours = settings.load()
    check = partial(check_key, region=ours.aws_region, endpoint_url=ours.aws_endpoint_url)
    told = _verified(target, Asker(check, per_s=rate, limit=limit))
    if as_json:
        for one in told:
            print_json({name: getattr(one, name) for name in one.__slots__})
        return
    rows = ((one.name, one.line, one.masked, one.state, one.account, one.arn_type, one.reason) for one in told)
    print_table(["object", "line#", "key", "state", "account", "kind", "reason"], rows, empty="No AWS key was found.")


def _verified(target: str, asker: Asker) -> Iterator[Verified]:
    from scanner_tasks import bootstrap, settings  # noqa: PLC0415
    from scanner_tasks.core.model import Confidence  # noqa: PLC0415
    from scanner_tasks.flow.verify_keys import verify_job, verify_text  # noqa: PLC0415

    detector = bootstrap.text_detector(Confidence.MEDIUM, test_values=False)
    path = Path(target)
    if path.is_file():
        with path.open("rb") as file:
            yield from verify_text(file.read, target, asker=asker, detector=detector, settings=settings.load())
    else:
        database_only("verify JOB_ID")
        yield from verify_job(uuid_of(target), asker=asker, detector=detector, using=bootstrap.api())
