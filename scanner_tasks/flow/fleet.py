"""What is running just now: whether the fleet is paused, and how many workers are alive."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scanner_tasks.store import fleet, workers
from scanner_tasks.store.engine import transaction

if TYPE_CHECKING:
    from scanner_tasks.flow.parts import Api
    from scanner_tasks.store.workers import AliveWorkers


@dataclass(frozen=True, kw_only=True, slots=True)
class FleetView:
    """The fleet as it is now."""

    paused: bool
    #: By version.
    workers: tuple[AliveWorkers, ...]


def read_fleet(*, using: Api) -> FleetView:
    """The fleet as it is now."""
    with transaction(using.engine) as connection:
        return FleetView(paused=fleet.is_paused(connection), workers=workers.alive(connection))


def fleet_to_json(view: FleetView) -> dict[str, Any]:
    """As the API and the commands tell it."""
    return {
        "paused": view.paused,
        **{name: sum(getattr(one, name) for one in view.workers) for name in ("workers", "slots", "busy")},
        "seen_at": max((one.seen_at for one in view.workers), default=None),
        "versions": [asdict(one) for one in view.workers],
    }
