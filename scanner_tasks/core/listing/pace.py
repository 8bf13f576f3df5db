"""How many requests may be on their way at once, when S3 asks to slow down: half as many, then one more at a time."""

from __future__ import annotations


class Pace:
    """A number of requests at a time. Not shared between threads.

    Args:
        most: requests at a time while nobody complains.

    Examples:
        >>> pace = Pace(16)
        >>> pace.answered(slow_downs=3)
        >>> pace.answered(slow_downs=1)  # sent before the first complaint was heard: nothing new
        >>> pace.limit
        8
        >>> for _ in range(14 + 8):
        ...     pace.answered(slow_downs=0)
        >>> pace.limit
        9
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = most
        #: Answers to come that were asked for before the last complaint was heard.
        self._old = 0
        self._well = 0

    def answered(self, *, slow_downs: int) -> None:
        """An answer came, after so many requests to slow down."""
        if self._old:
            self._old -= 1
            return
        if slow_downs:
            self._old, self._well = self.limit - 1, 0
            self.limit = max(1, self.limit // 2)
            return
        self._well += 1
        if self._well >= self.limit:
            self._well = 0
            self.limit = min(self._most, self.limit + 1)
