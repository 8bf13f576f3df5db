"""Gzip as a stream: any number of members, bounded memory, and everything that can be had of a broken one."""

from __future__ import annotations

import zlib

from scanner_tasks.core.errors import ExtractError
from scanner_tasks.core.model import Outcome
from scanner_tasks.extract.budget import Read

_MEMBER = b"\x1f\x8b"
_INPUT_BYTES = 64 * 1024
#: zlib's sign for "with gzip's header and checksum".
_GZIP_WBITS = 31


class GzipReader:
    """Decompressed bytes of a gzip stream.

    NUL padding behind the last member is dropped. Anything else there is handed on as it is: ``gzip`` would pass over
    it, and so it would be a place to hide text in. A stream that is cut or corrupt gives what comes before the fault
    and then raises ``ExtractError(partial(corrupt))``.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._input = b""
        self._inflate = zlib.decompressobj(_GZIP_WBITS)
        self._is_trailer = False
        #: Input is given in such steps: single bytes once a larger step has met a fault, to find its place.
        self._step = _INPUT_BYTES

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; b"" at the end."""
        while True:
            if self._is_trailer:
                data, self._input = self._input[:size], self._input[size:]
                return data or self._read(size)
            if self._inflate.eof:
                if not self._next_member():
                    return b""
            elif data := self._inflate_some(size):
                return data

    def _inflate_some(self, size: int) -> bytes:
        """Some bytes of this member; b"" when there are none at this step."""
        # zlib keeps a few symbols to itself when it stops at ``size``: ask for them before more input.
        if not self._input:
            if data := self._inflate.decompress(b"", size):
                return data
            self._input = self._read(_INPUT_BYTES)
            if not self._input:
                raise _corrupt("ends in the middle")
        before = self._inflate.copy()
        step, rest = self._input[: self._step], self._input[self._step :]
        try:
            data = self._inflate.decompress(step, size)
        except zlib.error as error:
            if self._step == 1:
                raise _corrupt("is damaged") from error
            self._inflate, self._step = before, 1
            return b""
        self._input = (self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail) + rest
        return data

    def _next_member(self) -> bool:
        """Make ready for what follows a member; False at the end."""
        self._input = self._input.lstrip(b"\0")
        while len(self._input) < len(_MEMBER):
            more = self._read(_INPUT_BYTES)
            if not more:
                break
            self._input = (self._input + more).lstrip(b"\0")
        if not self._input:
            return False
        if self._input.startswith(_MEMBER):
            self._inflate = zlib.decompressobj(_GZIP_WBITS)
        else:
            self._is_trailer = True
        return True


def _corrupt(how: str) -> ExtractError:
    return ExtractError(f"The gzip stream {how}.", Outcome.PARTIAL_CORRUPT)
