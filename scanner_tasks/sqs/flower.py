"""Flower on SQS: ``python -m scanner_tasks.sqs.flower -A your.app [Flower's options]``.

Flower 2.2.0 knows no SQS: ``/broker`` is 404, it crashes on a no-ack consumer without event loop (events.py repairs
that) and asks workers to enable events every five seconds; without remote control its revoke answers "Revoked" and does
nothing. Here

- ``/broker`` shows the depth of every predefined queue: lanes, dead letters, events;
- what needs remote control is not shown, and says why when it is called;
- its history is kept in S3 with ``--history=s3://bucket/prefix`` (flower_history.py);
- it listens on loopback only, unless authentication is configured (Flower's --basic_auth or --auth).

Workers send events with ``worker_send_task_events = True``; tasks and workers appear as their events arrive. One Flower
for each events queue: two would share the events between them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import sys
from typing import Any

import flower.app
import flower.command
from celery.bin.celery import celery as celery_command
from flower.api.control import ControlHandler, TaskRevoke
from flower.views import BaseHandler
from flower.views.workers import WorkerView
from tornado.web import HTTPError

from scanner_tasks.sqs import flower_history

log = logging.getLogger(__name__)

NO_CONTROL = (
    "This Celery application has no remote control (worker_enable_remote_control is off), "
    "so Flower cannot ask or tell its workers anything."
)
NO_TERMINATE = (
    "A task that runs in a thread cannot be ended. Revoke without terminate: a task that has not begun will not run."
)
USAGE = "usage: python -m scanner_tasks.sqs.flower -A APPLICATION [Flower's options, such as --port=5555]"
_AUTH_OPTIONS = ("basic_auth", "auth")
_DEPTH = {
    "messages_ready": "ApproximateNumberOfMessages",
    "messages_unacknowledged": "ApproximateNumberOfMessagesNotVisible",
    "messages_delayed": "ApproximateNumberOfMessagesDelayed",
}


class SqsBroker:
    """What Flower's broker page asks for."""

    def __init__(self, capp: Any) -> None:
        self._capp = capp

    async def queues(self, names: list[str]) -> list[dict[str, Any]]:
        """Depth of the predefined queues, or of ``names`` when none are predefined."""
        return await asyncio.get_running_loop().run_in_executor(None, self._read, names)

    def _read(self, names: list[str]) -> list[dict[str, Any]]:
        with self._capp.connection_for_read() as connection:
            channel = connection.default_channel
            return [_depth(channel, name) for name in channel.predefined_queues or names]


def _depth(channel: Any, name: str) -> dict[str, Any]:
    """One row of the page; a queue that cannot be read has no numbers."""
    try:
        attributes = channel.brief_client(name).get_queue_attributes(
            QueueUrl=channel._new_queue(name),  # noqa: SLF001
            AttributeNames=list(_DEPTH.values()),
        )["Attributes"]
    except Exception as error:  # noqa: BLE001 (one queue must not hide the others)
        log.warning("depth of SQS queue %s not known: %r", name, error)
        return {"name": name}
    depth = {column: int(attributes.get(attribute, 0)) for column, attribute in _DEPTH.items()}
    return {"name": name, "messages": sum(depth.values()), **depth}


class NoControl:
    """Takes the place of ``app.control`` where there is no remote control: nothing is sent, nobody answers."""

    def inspect(self, *_: Any, **__: Any) -> NoControl:
        """Every question is answered by no worker."""
        return self

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: {}


class SqsFlower(flower.app.Flower):  # type: ignore[misc]
    """Flower for a Celery application on SQS."""

    def __init__(self, *args: Any, capp: Any = None, **kwargs: Any) -> None:
        if not capp.conf.worker_enable_remote_control:
            capp.control = NoControl()
        super().__init__(*args, capp=capp, **kwargs)
        if isinstance(capp.control, NoControl):
            self.options.read_only = True  # no buttons that cannot work

    @property
    def broker_uri(self) -> str:
        """What the broker page names; the URL itself (sqs://localhost//) would mislead."""
        region = (self.capp.conf.broker_transport_options or {}).get("region")
        return f"Amazon SQS, {region}" if region else "Amazon SQS"


def _broker_of(handler: Any) -> SqsBroker:
    """Replaces BaseHandler.get_broker, which has no broker for sqs:// (404)."""
    return SqsBroker(handler.capp)


def _refuse_without_control(handler: Any) -> None:
    """Each request for remote control says why it does nothing; stock Flower answers 200 "Revoked"."""
    if isinstance(handler.capp.control, NoControl):
        raise HTTPError(403, NO_CONTROL)
    if isinstance(handler, TaskRevoke) and handler.get_argument("terminate", default="").lower() in ("true", "1"):
        raise HTTPError(403, NO_TERMINATE)


def _explain_worker_page(handler: Any) -> None:
    if isinstance(handler.capp.control, NoControl):
        raise HTTPError(404, f"{NO_CONTROL} The workers page has what they report by themselves.")


def repair() -> None:
    """Put the parts above in place; for this process only."""
    flower.command.Flower = SqsFlower
    BaseHandler.get_broker = _broker_of
    ControlHandler.prepare = _refuse_without_control
    WorkerView.prepare = _explain_worker_page


def flower_options(given: list[str], environment: dict[str, str] | os._Environ[str]) -> list[str]:
    """Flower's options with our defaults before them, so that the given ones win.

    ValueError when Flower would listen beyond loopback without authentication.

    Examples:
        >>> flower_options(["--port=5555"], {})
        ['--enable_events=false', '--address=127.0.0.1', '--port=5555']
        >>> flower_options(["--basic_auth=me:secret", "--address=0.0.0.0"], {})[-1]
        '--address=0.0.0.0'
    """
    options = {name.lstrip("-").replace("-", "_"): value for name, _, value in (arg.partition("=") for arg in given)}
    has_auth = any(options.get(name) or environment.get(f"FLOWER_{name.upper()}") for name in _AUTH_OPTIONS)
    address = options.get("address") or environment.get("FLOWER_ADDRESS") or "127.0.0.1"
    if not has_auth and not _is_loopback(address):
        raise ValueError(
            f"Flower would listen on {address} without authentication: give --basic_auth=USER:PASSWORD or --auth "
            "(or the variable FLOWER_BASIC_AUTH), or leave the address to loopback."
        )
    # enable_events would ask all workers to send events, by remote control, every five seconds.
    return ["--enable_events=false", f"--address={address}", *given]


def history_option(given: list[str], environment: dict[str, str] | os._Environ[str]) -> tuple[str | None, list[str]]:
    """Where the history is kept (``--history=s3://…`` or FLOWER_HISTORY), and the options without it.

    Examples:
        >>> history_option(["--history=s3://b/flower", "--port=1"], {})
        ('s3://b/flower', ['--port=1'])
        >>> history_option([], {"FLOWER_HISTORY": ""})
        (None, [])
    """
    named = [arg.partition("=")[2] for arg in given if arg.startswith("--history=")]
    rest = [arg for arg in given if not arg.startswith("--history=")]
    return (named[-1] if named else environment.get("FLOWER_HISTORY")) or None, rest


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def main(argv: list[str] | None = None) -> None:
    """The command."""
    given = sys.argv[1:] if argv is None else argv
    if len(given) < 2 or given[0] not in ("-A", "--app"):  # noqa: PLR2004 (the option and its value)
        sys.exit(USAGE)
    try:
        history, rest = history_option(given[2:], os.environ)
        options = flower_options(rest, os.environ)
        repair()
        if history:
            flower_history.put_in_place(history)
            options = ["--persistent=true", f"--state_save_interval={flower_history.SAVE_INTERVAL_MS}", *options]
    except ValueError as error:
        sys.exit(str(error))
    celery_command.add_command(flower.command.flower)
    sys.argv = ["celery", "-A", given[1], "flower", *options]
    try:
        celery_command(args=sys.argv[1:], prog_name="celery", auto_envvar_prefix="CELERY")
    except flower_history.HistoryUnavailable as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
