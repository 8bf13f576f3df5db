"""``s3scan serve``: a job's report as a live page, for this machine alone."""

from __future__ import annotations

import getpass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scanner_tasks.cli.screen import AsJson, JobId, print_json, uuid_of

if TYPE_CHECKING:
    from scanner_tasks.serve.ask import Ask


def serve(
    job_id: JobId,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    against: Annotated[
        str | None, typer.Option(metavar="JOB_ID", help="An earlier job: what is new, fixed, moved since.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Findings in the page; it says when there are more.")] = 50_000,
    allow_file: Annotated[
        Path | None, typer.Option(help="The pack (.toml) that the page's allow button adds to.")
    ] = None,
    is_open: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    for_s: Annotated[float, typer.Option(min=0, help="End after so many seconds; 0 goes on until Ctrl-C.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Serve a job's report live: it follows the scan, and findings can be judged in it.

    It asks the API's own endpoints, in this process, or those at S3SCAN_API. Only this machine reaches it, and only
    with the token in the address that is printed.

    Example: s3scan serve 0b0e7f1c-8f0c-4d5e-9a53-0f6a2c1d7e11 --open
    """
    import threading  # noqa: PLC0415
    import webbrowser  # noqa: PLC0415

    from scanner_tasks import bootstrap, settings  # noqa: PLC0415
    from scanner_tasks.report.shapes import about  # noqa: PLC0415
    from scanner_tasks.report.why import why  # noqa: PLC0415
    from scanner_tasks.rules.allow_file import check_file  # noqa: PLC0415
    from scanner_tasks.serve.ask import told  # noqa: PLC0415
    from scanner_tasks.serve.live import Live  # noqa: PLC0415
    from scanner_tasks.serve.server import PageServer  # noqa: PLC0415

    if allow_file:
        check_file(allow_file)
    ask = _api()
    wanted, former = uuid_of(job_id), uuid_of(against) if against else None
    for one in filter(None, (wanted, former)):
        told(ask, f"/jobs/{one}")
    rules = bootstrap.load_rules(settings.load()).ruleset.rules
    live = Live(ask=ask, job_id=wanted, about=about(rules), explain=why(rules), against=former, limit=limit)
    try:
        server = PageServer(live, port=port, user=getpass.getuser(), allow_file=allow_file)
    except OSError as error:
        from scanner_tasks.core.errors import InvalidInput  # noqa: PLC0415

        raise InvalidInput(f"--port {port}: {error.strerror}; give another one, or 0.") from error
    with server:
        if as_json:
            print_json({"url": server.url, "job_id": wanted})
        else:
            print(f"Open {server.url}\nCtrl-C ends it.", flush=True)
        if for_s:
            timer = threading.Timer(for_s, server.shutdown)
            timer.daemon = True
            timer.start()
        if is_open:
            webbrowser.open(server.url)
        server.serve_forever(poll_interval=0.1)


def _api() -> Ask:
    """The API at S3SCAN_API, or its handler in this process."""
    from scanner_tasks.cli.remote import Remote, address  # noqa: PLC0415

    if address():
        return Remote(address()).ask
    from api_lambda.handler import answer_for  # noqa: PLC0415
    from scanner_tasks import bootstrap  # noqa: PLC0415
    from scanner_tasks.serve.ask import in_process  # noqa: PLC0415

    # Whoever has the database's credentials needs no role; the audit log names him.
    return in_process(partial(answer_for, bootstrap.api().caller))
