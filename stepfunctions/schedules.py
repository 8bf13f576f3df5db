"""The Lambda function that EventBridge calls each minute, beside settle: begins the jobs that are due."""

from __future__ import annotations

from typing import Any

from scanner_tasks import bootstrap, log
from scanner_tasks.core.errors import ScannerError
from scanner_tasks.flow import schedules

_log = log.get_logger()


class SchedulesFailed(Exception):
    """What a failed run says to its caller: no internals."""


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Begin what is due; gives the counts of it. The event is not read. Runs may overlap, repeat or die anywhere."""
    try:
        return dict(schedules.run_due(using=bootstrap.api()))
    except ScannerError as error:
        _log.warning("schedules_interrupted", exc_info=error)
        raise
    except Exception as error:  # noqa: BLE001 (a bug: logged whole, told without internals)
        _log.exception("schedules_failed")
        raise SchedulesFailed(
            f"Schedules were not looked at ({type(error).__name__}); the function's log tells more under "
            "schedules_failed."
        ) from None
