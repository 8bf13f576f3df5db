"""The bytes of one object: read once from start to end, through cuts, stalls, drips and refusals of the service.

Neither backend repeats bodies, so this does. A read that breaks off at byte n goes on with ``Range: bytes=n-`` and
``If-Match``, so that two versions of an object are never put together.
"""

from __future__ import annotations

import contextlib
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from botocore.exceptions import ClientError, IncompleteReadError

from scanner_tasks.aws.faults import AWS_ERRORS, TooSlow, http_status
from scanner_tasks.aws.object_faults import object_error
from scanner_tasks.core.errors import ObjectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner_tasks.aws.s3_requests import S3Requests, Stream
    from scanner_tasks.aws.tries import Tries
    from scanner_tasks.core.model import ObjectRef

#: Most bytes asked of the socket at a time.
_PIECE = 1024**2
#: So many bytes in a row count as progress: a server that cuts, or drips, below it is given up after the tries.
_PROGRESS = 64 * 1024
_NO_SUCH_RANGE = 416


class S3Body:
    """A context manager; ``read`` raises the ObjectError that says what became of the object.

    Failures are counted in a row: a body of any length survives any number of cuts as long as tries bring bytes.

    Args:
        requests: sends the GETs.
        ref: the object; its ETag, or else the first answer's, holds every request to one version.
        tries: of this body.
        first_byte: where to begin, from 0.
        last_byte: the last one wanted; None is the object's end.
        slow_s: a connection that in so many seconds of waiting for it …
        slow_bytes: … brings fewer bytes is cut, and the body resumed on another.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        requests: S3Requests,
        ref: ObjectRef,
        tries: Tries,
        *,
        first_byte: int,
        last_byte: int | None,
        slow_s: float,
        slow_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = requests
        self._ref = ref
        self._tries = tries
        self._etag = ref.etag
        self._first_byte = first_byte
        self._last_byte = last_byte
        self._slow_s = slow_s
        self._slow_bytes = slow_bytes
        self._clock = clock
        self._stream: Stream | None = None
        self._length: int | None = None
        self._bytes_read = 0
        self._since_failure = 0
        self._waited_s = 0.0
        self._waited_bytes = 0

    @property
    def bytes_read(self) -> int:
        """Bytes handed out so far."""
        return self._bytes_read

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly ``size`` of them except at the end; b"" after it."""
        pieces: list[bytes] = []
        missing = size
        while missing > 0:
            piece = self._piece(min(missing, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Give up what is left; an unfinished body closes its connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with contextlib.suppress(*AWS_ERRORS):
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _piece(self, size: int) -> bytes:
        """Some of the next bytes, b"" at the end."""
        while self._length is None or self._bytes_read < self._length:
            try:
                if self._stream is None:
                    self._request()
                    continue  # it may be empty
                self._check_speed()
                began = self._clock()
                piece = self._stream.read1(size)
                if not piece and self._length is not None:
                    raise IncompleteReadError(actual_bytes=self._bytes_read, expected_bytes=self._length)
                self._count(len(piece), self._clock() - began)
            except AWS_ERRORS as error:
                self.close()
                self._since_failure = 0
                if not self._tries.again(error):
                    raise object_error(error, self._ref) from error
                continue
            if piece:
                return piece
            self._length = self._bytes_read  # it was not told in advance
        self._stream = None  # read to its end, its connection went back to the pool
        return b""

    def _count(self, size: int, waited_s: float) -> None:
        self._bytes_read += size
        self._since_failure += size
        if self._since_failure >= _PROGRESS:
            self._tries.progressed()
        self._waited_bytes += size
        self._waited_s += waited_s

    def _check_speed(self) -> None:
        if self._waited_s < self._slow_s:
            return
        if self._waited_bytes < self._slow_bytes:
            raise TooSlow(seconds=self._waited_s, size=self._waited_bytes)
        self._waited_s, self._waited_bytes = 0.0, 0

    def _request(self) -> None:
        """GET from where we stand; a range that begins behind the object's end is empty."""
        start = self._first_byte + self._bytes_read
        is_ranged = start > 0 or self._last_byte is not None
        byte_range = f"bytes={start}-{'' if self._last_byte is None else self._last_byte}" if is_ranged else None
        self._tries.begin()
        try:
            answer = self._requests.get(self._ref, if_match=self._etag, byte_range=byte_range)
        except ClientError as error:
            if http_status(error) == _NO_SUCH_RANGE and not self._bytes_read:
                self._length = 0
                return
            raise
        self._tries.went_well()
        self._stream = answer.stream
        self._waited_s, self._waited_bytes = 0.0, 0
        if is_ranged and not answer.content_range.startswith(f"bytes {start}-"):
            self.close()
            raise ObjectError("The store ignored a Range header, so only the whole object can be read, in one go.")
        # Without a listed ETag the first answer's holds the resumed reads to one version.
        self._etag = self._etag or answer.etag
        if answer.length is not None:
            self._length = self._bytes_read + answer.length
