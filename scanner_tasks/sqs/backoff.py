"""How long to pause after failures."""

from __future__ import annotations

import random

FIRST_S = 0.2
LONGEST_S = 20.0


def pause_s(failures: int, *, longest_s: float = LONGEST_S) -> float:
    """Seconds after this many failures in a row: doubling, with jitter of half, never over ``longest_s``.

    Examples:
        >>> 0.2 <= pause_s(1) <= 0.4
        True
        >>> 10 <= pause_s(100) <= 20
        True
        >>> pause_s(0)
        0.0
    """
    if failures <= 0:
        return 0.0
    whole = min(longest_s, FIRST_S * 2.0 ** min(failures, 16))
    return whole * random.uniform(0.5, 1)  # noqa: S311 (spreads load; no secret)
