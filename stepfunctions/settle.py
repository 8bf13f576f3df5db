"""The Lambda function that EventBridge calls each minute: sweep, progress, completion, the backlog metric."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scanner_tasks import bootstrap, log, tracing
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.flow import settle

_log = log.get_logger()


class SettleFailed(Exception):
    """What a failed run says to its caller: no internals."""


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Settle once; gives the counts of what was done. The event is not read: every run sees to all jobs.

    A run that fails or overlaps another changes nothing twice; the next minute's run makes up for it.
    """
    try:
        bootstrap.trace()
        with tracing.span("settle"):
            report = asdict(settle.settle(using=bootstrap.feeder()))
    except ScannerError as error:
        _log.warning("settle_interrupted", exc_info=error)
        raise
    except Exception as error:  # noqa: BLE001 (a bug: logged whole, told without internals)
        _log.exception("settle_failed")
        raise SettleFailed(
            f"Settle broke off ({type(error).__name__}); the function's log tells more under the event settle_failed."
        ) from None
    _log.info("settled", **report)
    return report
