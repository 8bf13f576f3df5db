"""Celery on SQS done right: a library that knows nothing of scanning.

    scanner_tasks.sqs.install()          # in celeryconfig.py: sqs:// now means the repaired transport
    scanner_tasks.sqs.install_steps(app) # where the application is made: what a worker adds

``docs/celery-on-sqs.md`` says what is repaired and how to use it elsewhere. Importing this module loads neither kombu's
SQS transport nor boto3.
"""

from __future__ import annotations

import importlib
from typing import Any

from kombu import transport as kombu_transport

__all__ = ["install", "install_steps"]


def install(alias: str = "sqs") -> None:
    """Make ``alias://`` broker URLs use the repaired transport, also where kombu has resolved the alias before."""
    kombu_transport.TRANSPORT_ALIASES[alias] = f"{__name__}.transport:Transport"
    kombu_transport._transport_cache.pop(alias, None)  # noqa: SLF001 (kombu/transport/__init__.py: resolved once)


def install_steps(app: Any) -> None:
    """Give a Celery application's workers the boot steps of this library; a repeat changes nothing.

    Refusal of a queue without redrive policy, visibility heartbeat, late polls at a stop, liveness file, care for
    messages that no task can run, events and logs without exceptions' texts, and remote control where it is on. Each
    reads its options from ``broker_transport_options``.
    """
    steps = (
        "redrive:RequireRedrive",
        "strangers:KeepStrangers",
        "visibility:VisibilityHeartbeat",
        "drain:EndPolls",
        "giveback:Remember",
        "liveness:Liveness",
        "control_step:KeepControlQueue",
    )
    importlib.import_module(f"{__name__}.discreet_log")  # listens for a worker's start
    app.events_cls = f"{__name__}.discreet:DiscreetEvents"
    app.control_cls = f"{__name__}.remote_control:SqsControl"
    app.steps["consumer"].update(f"{__name__}.{step}" for step in steps)
