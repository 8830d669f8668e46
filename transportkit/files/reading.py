"""Files that are read piece by piece and closed exactly once, and the bodies made of them.

A worker thread may still be reading when the task that it reads for is gone: cancelling one
of asyncio's own tasks does not wait for the thread. If the descriptor were closed meanwhile,
its number could already stand for another file when the thread reads. So a file in use is
closed by the thread that uses it, as soon as that is done, even if others asked for it.
"""

import os
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from functools import partial

from ..redaction.redaction import REDACTION
from ..wire.io import async_run_in_thread, async_shield, run_in_thread, shield
from ..wire.library import Request, library_of
from .regular import Descriptor


class OpenFile:
    """Some of the bytes of a file, in order.

    `close` never waits, and can be called any number of times, in any thread and at any time: a
    file that is started later is closed at once.
    """

    # Of the class, for one whose making was interrupted.
    _descriptor: Descriptor | None = None

    def __init__(self) -> None:
        self._left = 0
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def is_at_end(self) -> bool:
        """True if everything has been read."""
        return not self._left

    def start(self, descriptor: Descriptor, positions: range, size: int) -> bytes:
        """Read the first bytes, and close the file if there are no more.

        Arguments:
            descriptor: belongs to this object from now on.
            positions: of all bytes that are to be read.
            size: the number of bytes to read now, at most.

        Raises:
            OSError: an error of the system, or the file has become too short.
        """
        try:
            if positions.start:
                os.lseek(descriptor.number, positions.start, os.SEEK_SET)
            piece = _read(descriptor.number, size, len(positions))
        except BaseException:
            descriptor.close()
            raise
        left = len(positions) - len(piece)
        if not left:
            descriptor.close()
            return piece
        self._left, self._descriptor = left, descriptor
        if self._is_closed:
            # Its task was cancelled before there was anything to close.
            self.close()
        return piece

    def read(self, size: int) -> bytes:
        """Read the next bytes, at most so many, and close the file if there are no more.

        Raises:
            OSError: an error of the system, or the file has become too short.
        """
        try:
            with self._lock:
                if self._descriptor is None or self._is_closed:
                    raise OSError("the file has been closed")
                piece = _read(self._descriptor.number, size, self._left)
                self._left -= len(piece)
                if not self._left:
                    self._is_closed = True
                return piece
        finally:
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close the file now, or as soon as no thread reads it."""
        self._is_closed = True
        if self._lock.acquire(blocking=False):
            try:
                descriptor, self._descriptor = self._descriptor, None
                if descriptor is not None:
                    descriptor.close()
            finally:
                self._lock.release()

    def __del__(self) -> None:
        if self._descriptor is not None:
            warnings.warn(
                "a response was neither read to its end nor closed, and its file stayed open",
                ResourceWarning,
                source=self,
                stacklevel=1,
            )
            self.close()


class _Rest:
    """The rest of an open file, after the bytes that were read already.

    Arguments:
        file: what is left of it.
        first: the bytes before that.
        sizes: the number of bytes to read at a time, at most.
        request: what the response answers.
    """

    def __init__(
        self, file: OpenFile, first: bytes, sizes: Iterator[int], request: Request
    ) -> None:
        self._file = file
        self._first = first
        self._sizes = sizes
        self._request = request


class FileBody(_Rest):
    """The body of a response, read from a file as it is consumed."""

    def __iter__(self) -> Iterator[bytes]:
        piece, self._first = self._first, b""
        yield piece
        while not self._file.is_at_end:
            try:
                piece = run_in_thread(partial(self._file.read, next(self._sizes)))
            except OSError as error:
                raise read_error(error, self._request) from error
            yield piece

    def close(self) -> None:
        """Close the file."""
        if self._file.is_at_end:
            return
        try:
            with shield():
                run_in_thread(self._file.close)
        finally:
            # A task's own cancel() goes through the shield: then the thread never started.
            self._file.close()


class AsyncFileBody(_Rest):
    """The body of a response, read from a file in worker threads as it is consumed."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        piece, self._first = self._first, b""
        yield piece
        while not self._file.is_at_end:
            try:
                piece = await async_run_in_thread(partial(self._file.read, next(self._sizes)))
            except OSError as error:
                raise read_error(error, self._request) from error
            yield piece

    async def aclose(self) -> None:
        """Close the file."""
        if self._file.is_at_end:
            return
        try:
            with async_shield():
                await async_run_in_thread(self._file.close)
        finally:
            # A task's own cancel() goes through the shield: then the thread never started.
            self._file.close()


def read_error(error: OSError, request: Request) -> Exception:
    """The `httpx.ReadError` for what the system said."""
    message = f"reading {REDACTION.url(request.url)!r} failed: {error}"
    failure: Exception = library_of(request).ReadError(message, request=request)
    return failure


def _read(descriptor: int, size: int, left: int) -> bytes:
    piece = os.read(descriptor, min(size, left)) if left else b""
    if left and not piece:
        raise OSError(f"the file has become shorter, {left} bytes are missing")
    return piece
