"""The bytes of one object: read once from start to end, through cuts, stalls and refusals of the service.

botocore repeats requests but never bodies, so this does both. A read that breaks off at byte n goes on with
``Range: bytes=n-`` and ``If-Match``, so that two versions of an object are never put together.
"""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import ClientError, IncompleteReadError

from scanner_tasks.aws.faults import AWS_ERRORS, Backoff, http_status, is_transient
from scanner_tasks.aws.object_faults import object_error
from scanner_tasks.core.errors import ObjectError
from scanner_tasks.core.model import ObjectRef

#: Bytes asked of the socket at a time: what a cut can cost, and the step that counts as progress.
_PIECE = 128 * 1024
_NO_SUCH_RANGE = 416


class S3Body:
    """A context manager; ``read`` raises the ObjectError that says what became of the object.

    Failures are counted in a row: a body of any length survives any number of cuts as long as each try brings bytes.
    ``first_byte`` and ``last_byte`` are places in the object, from 0, both inclusive; None is the object's end.
    """

    def __init__(
        self, client: Any, ref: ObjectRef, backoff: Backoff, *, first_byte: int = 0, last_byte: int | None = None
    ) -> None:
        self._client = client
        self._ref = ref
        self._backoff = backoff
        self._etag = ref.etag
        self._first_byte = first_byte
        self._last_byte = last_byte
        self._stream: Any = None
        self._length: int | None = None
        self._bytes_read = 0
        self._failures = 0

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
                piece: bytes = self._stream.read(size)
                if not piece and self._length is not None:
                    raise IncompleteReadError(actual_bytes=self._bytes_read, expected_bytes=self._length)
            except AWS_ERRORS as error:
                self.close()
                self._failures += 1
                if not is_transient(error) or self._failures >= self._backoff.attempts:
                    raise object_error(error) from error
                self._backoff.wait(self._failures, error)
                continue
            self._failures = 0
            self._bytes_read += len(piece)
            if piece:
                return piece
            self._length = self._bytes_read  # it was not told in advance
        self.close()
        return b""

    def _request(self) -> None:
        """GET from where we stand; a range that begins behind the object's end is empty."""
        arguments: dict[str, Any] = {"Bucket": self._ref.bucket, "Key": self._ref.key}
        if self._etag:
            arguments["IfMatch"] = f'"{self._etag}"'
        if self._ref.version_id:
            arguments["VersionId"] = self._ref.version_id
        start = self._first_byte + self._bytes_read
        if start or self._last_byte is not None:
            arguments["Range"] = f"bytes={start}-{'' if self._last_byte is None else self._last_byte}"
        try:
            answer = self._client.get_object(**arguments)
        except ClientError as error:
            if http_status(error) == _NO_SUCH_RANGE and not self._bytes_read:
                self._length = 0
                return
            raise
        self._stream = answer["Body"]
        if "Range" in arguments and not str(answer.get("ContentRange", "")).startswith(f"bytes {start}-"):
            self.close()
            raise ObjectError("The store ignored a Range header, so only the whole object can be read, in one go.")
        # Without a listed ETag the first answer's holds the resumed reads to one version.
        self._etag = self._etag or str(answer.get("ETag", "")).strip('"')
        if "ContentLength" in answer:
            self._length = self._bytes_read + int(answer["ContentLength"])
