"""How far ahead of its workers a job may be dispatched.

What stands in a lane waits in line before every later job of that lane, so a job sends no more than its bucket can use
in the next minute: enough that workers never wait for Feed, little enough that a small job is not kept waiting.
"""

from __future__ import annotations

import math

#: Feed's next turn comes when about this share of the window has drained.
_REFILL_SHARE = 0.5


def bucket_window(*, batches_per_s: float, min_batches: int, window_s: float) -> int:
    """Batches of one bucket that may be ahead: its measured rate for ``window_s``, at least the minimum.

    Examples:
        >>> bucket_window(batches_per_s=0, min_batches=200, window_s=60)
        200
        >>> bucket_window(batches_per_s=10, min_batches=200, window_s=60)
        600
    """
    return max(min_batches, math.ceil(batches_per_s * window_s))


def room(*, window: int, active_jobs: int, ahead: int) -> int:
    """How many batches a job may send now: its equal share of the bucket's window, less what it has ahead already.

    Examples:
        >>> room(window=200, active_jobs=2, ahead=70)
        30
        >>> room(window=200, active_jobs=2, ahead=130)
        0
    """
    return max(0, max(1, window // max(1, active_jobs)) - ahead)


def wait_s(*, share: int, batches_per_s: float, longest_s: int) -> int:
    """Whole seconds until Feed should look again: when about half of the job's share has drained.

    Examples:
        >>> wait_s(share=200, batches_per_s=50, longest_s=10)
        2
        >>> wait_s(share=200, batches_per_s=0, longest_s=10)
        1
    """
    if batches_per_s <= 0:
        return 1  # nothing measured yet: a new job's first minute
    # The shorter first: a rate that has decayed to almost nothing gives more seconds than an integer can be made of.
    return max(1, math.floor(min(longest_s, share * _REFILL_SHARE / batches_per_s)))
