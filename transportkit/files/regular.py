"""Open a regular file, and nothing else that has a name in a directory.

Opening a FIFO without a writer blocks, and wakes its writer if there is one; a device may start
to move. So a name is looked at before it is opened, and what was opened once more.
"""

import errno
import os
import stat
from collections.abc import Iterator
from functools import partial


class Descriptor:
    """An open file of the system, which is closed at the latest when nobody has this any more.

    A signal handler may raise between any two steps of Python's. So the number is never between
    two of them: what opens also keeps it, and what forgets it also closes, each in one call.

    Arguments:
        path: of the file.
        flags: as for `os.open`.
        dir_fd: the directory that a relative path begins at. Default: the current one.

    Raises:
        OSError: it cannot be opened.
    """

    # Of the class, for one whose making was interrupted.
    _closing: Iterator[None] = iter(())

    def __init__(
        self, path: str | os.PathLike[str], flags: int, dir_fd: "Descriptor | None" = None
    ) -> None:
        self._numbers: list[int] = []
        self._closing = map(os.close, self._numbers)
        number = None if dir_fd is None else dir_fd.number
        self._numbers.extend(map(partial(os.open, dir_fd=number), (path,), (flags,)))

    @property
    def number(self) -> int:
        """The number that the system knows it by."""
        return self._numbers[0]

    def close(self) -> None:
        """Close it, if it is open."""
        next(self._closing, None)

    def __del__(self) -> None:
        next(self._closing, None)


Opened = tuple[Descriptor, os.stat_result]
"""A descriptor, and what `fstat` says of it."""

# A system that lacks one of these flags has no need of it, or no dir_fd either. A FIFO without a
# writer would block, a terminal would become ours.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def open_regular(name: str, directory: Descriptor | None = None) -> Opened:
    """Open a regular file for reading; a symlink is not followed.

    Arguments:
        name: of the file.
        directory: the one that it is in. Default: None, `name` is a path.

    Raises:
        IsADirectoryError: it is a directory.
        PermissionError: it is unreadable, or something else that is not a regular file.
        OSError: `errno.ELOOP` for a symlink, and any other error of the system.
    """
    number = None if directory is None else directory.number
    _require_regular(os.stat(name, dir_fd=number, follow_symlinks=False))
    descriptor = Descriptor(name, _FLAGS, directory)
    try:
        return descriptor, _status_of_regular(descriptor.number)
    except BaseException:
        descriptor.close()
        raise


def _status_of_regular(descriptor: int) -> os.stat_result:
    status = os.fstat(descriptor)
    _require_regular(status)
    if not status.st_size and os.read(descriptor, 1):
        # It has just grown, or is one of /proc: those look regular, but state no size.
        os.lseek(descriptor, 0, os.SEEK_SET)
        status = os.fstat(descriptor)
        if not status.st_size:
            raise os_error(errno.EACCES)
    return status


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISLNK(status.st_mode):
        raise os_error(errno.ELOOP)
    raise os_error(errno.EISDIR if stat.S_ISDIR(status.st_mode) else errno.EACCES)


def os_error(number: int) -> OSError:
    """The error that the system would raise, by its number."""
    return OSError(number, os.strerror(number))
