"""How often a request is tried, and what is done between two tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner_tasks.aws.faults import SLOW_DOWN, Backoff, TooSlow, error_code, is_expired, is_transient

if TYPE_CHECKING:
    from scanner_tasks.aws.brakes import Brakes
    from scanner_tasks.aws.s3_requests import S3Requests


class Tries:
    """The tries of one request, or of one body's requests in a row. Not shared between threads.

    Before each try: ``begin``. After it ``went_well``, or ``again`` with the error, which waits as long as it should
    and is False when there is no use in another. Credentials that S3 calls expired are renewed once.
    """

    def __init__(self, bucket: str, requests: S3Requests, backoff: Backoff, brakes: Brakes) -> None:
        self._bucket = bucket
        self._requests = requests
        self._backoff = backoff
        self._brakes = brakes
        self._failures = 0
        self._slow = 0
        self._renewed = False
        self._sent_at = 0.0
        #: How often S3 asked to slow down.
        self.slow_downs = 0

    def begin(self) -> None:
        """Wait while S3 has asked this worker to slow down on the bucket."""
        delay_s = self._brakes.delay_s(self._bucket)
        if delay_s > 0:
            self._backoff.sleep(delay_s)
        self._sent_at = self._brakes.now()

    def went_well(self) -> None:
        """The request was answered."""
        self._brakes.went_well(self._bucket, sent_at=self._sent_at)

    def progressed(self) -> None:
        """A body went on: failures are counted from here."""
        self._failures = 0

    def again(self, error: BaseException) -> bool:
        """True when another try is worth while, after the wait that it needs."""
        if is_expired(error) and not self._renewed:
            self._renewed = True
            self._requests.renew()
            return True
        if isinstance(error, TooSlow):  # progress there was, so the row says nothing
            self._slow += 1
            return self._slow < self._backoff.attempts
        self._failures += 1
        if not is_transient(error):
            return False
        is_slow_down = error_code(error) in SLOW_DOWN
        if is_slow_down:
            self.slow_downs += 1
            self._brakes.slow_down(self._bucket, sent_at=self._sent_at)
        if self._failures >= self._backoff.attempts:
            return False
        if not is_slow_down:
            self._backoff.wait(self._failures)
        return True
