"""A file that is read piece by piece, and closed exactly once.

A worker thread may still be reading when the task it reads for is gone: the cancel of
asyncio's own tasks does not wait for it. If its descriptor were closed meanwhile, the
number could already stand for another file when the thread comes to read. So a file in
use is closed by who uses it, as soon as it is free, whoever asked for it.
"""

import os
import threading
import warnings


class OpenFile:
    """Some of the bytes of a file, in order.

    `close` never waits, and can be called any number of times, by anyone, at any time: what
    is started later is closed at once.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._left = 0
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def is_at_end(self) -> bool:
        """Whether everything has been read."""
        return not self._left

    def start(self, descriptor: int, positions: range, size: int) -> bytes:
        """The first bytes at these positions, at most so many; closes when there are no more.

        Arguments:
            descriptor: belongs to this object from now on.
            positions: of all bytes that are to be read.
            size: how many bytes to read now, at most.

        Raises:
            OSError: what the system says, or the file has become too short.
        """
        try:
            if positions.start:
                os.lseek(descriptor, positions.start, os.SEEK_SET)
            piece = _read(descriptor, size, len(positions))
        except BaseException:
            os.close(descriptor)
            raise
        left = len(positions) - len(piece)
        if not left:
            os.close(descriptor)
            return piece
        self._left, self._descriptor = left, descriptor
        if self._is_closed:
            # Somebody gave up before there was anything to close.
            self.close()
        return piece

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; closes when there are no more.

        Raises:
            OSError: what the system says, or the file has become too short.
        """
        try:
            with self._lock:
                if self._descriptor is None or self._is_closed:
                    raise OSError("the file has been closed")
                piece = _read(self._descriptor, size, self._left)
                self._left -= len(piece)
                if not self._left:
                    self._is_closed = True
                return piece
        finally:
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close now, or as soon as nobody reads."""
        self._is_closed = True
        if self._lock.acquire(blocking=False):
            try:
                descriptor, self._descriptor = self._descriptor, None
                if descriptor is not None:
                    os.close(descriptor)
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


def _read(descriptor: int, size: int, left: int) -> bytes:
    piece = os.read(descriptor, min(size, left)) if left else b""
    if left and not piece:
        raise OSError(f"the file has become shorter, {left} bytes are missing")
    return piece
