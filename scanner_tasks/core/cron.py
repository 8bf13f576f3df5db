"""When a schedule is due: cron expressions of five fields in a named time zone, as Debian's cron reads them.

Where clocks are put forward, a time that is passed over is due right after; where they are put back, one that comes
twice is due once (cronsim's rules, which are Debian's).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from scanner_tasks.core.errors import InvalidInput

_FIELDS = 5
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: Due times that are counted at most: two months of one that is due each minute.
_MOST_MISSED = 100_000


def check_name(name: str) -> str:
    """A schedule's name as given; InvalidInput says what one looks like.

    Examples:
        >>> check_name("weekly-exports")
        'weekly-exports'
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "name: give 1 to 63 characters, only a-z, 0-9 and hyphen, beginning and ending with a letter or digit."
        )
    return name


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, and when the next time is."""

    #: The latest due time that has passed.
    at: datetime
    #: Earlier ones that passed without a run.
    missed: int
    following: datetime


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression in a time zone, both known to be right."""

    expression: str
    time_zone: str = "UTC"

    def following(self, after: datetime, *, many: int = 1) -> list[datetime]:
        """The next due times after a moment, in UTC.

        Examples:
            >>> at = datetime(2026, 3, 28, 12, tzinfo=UTC)
            >>> [str(due) for due in Cron("30 2 * * *", "Europe/Berlin").following(at, many=2)]
            ['2026-03-29 01:00:00+00:00', '2026-03-30 00:30:00+00:00']
        """
        times = self._times(after)
        return [next(times) for _ in range(many)]

    def due(self, first: datetime, *, now: datetime) -> Due:
        """What is due at ``now`` of all times from ``first`` on, which has passed.

        Examples:
            >>> at = datetime(2026, 3, 1, 12, tzinfo=UTC)
            >>> due = Cron("0 * * * *").due(at, now=datetime(2026, 3, 1, 14, 30, tzinfo=UTC))
            >>> due.at.hour, due.missed, due.following.hour
            (14, 2, 15)
        """
        latest, missed = first, 0
        for time in self._times(first):
            if time > now or missed == _MOST_MISSED:
                return Due(latest, missed, time if time > now else next(self._times(now)))
            latest, missed = time, missed + 1
        raise AssertionError  # a cron that read_cron took is due again and again

    def _times(self, after: datetime) -> Iterator[datetime]:
        local = after.astimezone(ZoneInfo(self.time_zone))
        return (time.astimezone(UTC) for time in CronSim(self.expression, local))


def read_cron(expression: str, time_zone: str = "UTC") -> Cron:
    """A cron expression and a time zone as a caller gives them; InvalidInput says what is wrong.

    Examples:
        >>> read_cron("0  3 * * mon-fri", "Europe/Berlin")
        Cron(expression='0 3 * * MON-FRI', time_zone='Europe/Berlin')
        >>> read_cron("0 3 30 2 *")
        Traceback (most recent call last):
        ...
        scanner_tasks.core.errors.InvalidInput: cron: Bad day-of-month in '0 3 30 2 *'.
    """
    fields = expression.upper().split()
    if len(fields) != _FIELDS:
        raise InvalidInput(
            "cron: give five fields, minute, hour, day of the month, month, day of the week, such as `0 3 * * MON`."
        )
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("time_zone: give a name of the IANA time zones, such as UTC or Europe/Berlin.") from None
    text = " ".join(fields)
    try:
        next(CronSim(text, datetime(2026, 1, 1, tzinfo=zone)))
    except CronSimError as error:
        raise InvalidInput(f"cron: {error} in {' '.join(expression.split())[:100]!r}.") from None
    except StopIteration:
        raise InvalidInput("cron: it is never due; give another day or month.") from None
    return Cron(text, time_zone)
