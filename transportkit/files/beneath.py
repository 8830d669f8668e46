"""Open a file beneath a directory, and never one outside of it, whatever is moved meanwhile.

A path that is checked first and then opened can be made to lead elsewhere in between. So the
way down from the root is walked one directory at a time, each opened from the descriptor of
the one above it, and the system follows no symlink. The file at the end lies beneath the root.

Only if a symlink is in the way, or the path does not start with the root, the way is walked
from `/` instead. Symlinks are then followed by hand, and a descriptor is kept of every
directory that was passed; `..` goes back to the one before. The file lies beneath the root if
one of those directories *is* the root, by device and inode.

Where directories have no descriptors (Windows), the file is opened by its path, and the opened
file is checked to lie beneath the root. An attacker who swaps directories there and back again,
twice and at the right moments, is not noticed.

A weak spot everywhere: a hard link beneath the root is beneath the root.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Self

from .regular import Descriptor, Opened, open_regular, os_error

# As many symlinks in one path as Linux follows (path_resolution(7)).
_MOST_LINKS = 40

# A system that lacks one of these flags has no need of it, or no dir_fd either.
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
# Passing through a directory needs no right to list it: O_PATH, where there is one.
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_HAS_DIR_FD = {os.open, os.stat, os.readlink} <= os.supports_dir_fd

# All of them mean that nothing has this name.
_NOTHING_THERE = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EINVAL,
    errno.EILSEQ,
}
# The errors for opening a socket, or a device that has no driver.
_NO_FILE = {errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP}
# A symlink where none is followed: POSIX, Linux with O_DIRECTORY, FreeBSD.
_IN_THE_WAY = {errno.ELOOP, errno.ENOTDIR, errno.EMLINK}


def open_beneath(root: str, path: str) -> Opened:
    """Open a regular file for reading if it lies beneath a directory, with symlinks followed.

    It never blocks on a FIFO, and opens no device.

    Arguments:
        root: an absolute path; a symlink is followed.
        path: an absolute path. A slash at its end stands for a directory.

    Raises:
        FileNotFoundError: nothing is there, or it does not lie beneath the root.
        IsADirectoryError: a directory beneath the root.
        PermissionError: beneath the root, but unreadable or not a regular file.
        OSError: any other error of the system, such as too many open files.
    """
    try:
        if not _HAS_DIR_FD:
            return _open_and_check(root, path)
        names = _names_below(root, path)
        if names is not None:
            try:
                return _walk_down(root, names)
            except OSError as error:
                if error.errno not in _IN_THE_WAY:
                    raise
        return _follow_links(root, path)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            raise os_error(errno.ENOENT) from None
        if error.errno in _NO_FILE:
            raise os_error(errno.EACCES) from None
        raise


def _names_below(root: str, path: str) -> list[str] | None:
    """The names on the way from the root, if a path starts with the root and never goes back."""
    top = root if root == "/" else root + "/"
    if not path.startswith(top):
        return [""] if path == root else None
    names = path[len(top) :].split("/")
    if ".." in names or "." in names or "" in names[:-1]:
        return None
    return names


def _walk_down(root: str, names: list[str]) -> Opened:
    """Open the file that these names lead to from the root, if no symlink is in the way."""
    directory = Descriptor(root, _DIRECTORY)
    try:
        for name in names[:-1]:
            above = directory
            directory = Descriptor(name, _DIRECTORY | _NOFOLLOW, above)
            above.close()
        if not names[-1]:
            raise os_error(errno.EISDIR)
        return open_regular(names[-1], directory)
    finally:
        directory.close()


def _follow_links(root: str, path: str) -> Opened:
    """Open the file that a path leads to, if the way there passes through the root."""
    waiting = path.split("/")[::-1]
    links = 0
    with _Way(root) as way:
        try:
            way.start()
            while waiting:
                name = waiting.pop()
                if name == "..":
                    way.go_up()
                elif name in ("", "."):
                    continue
                elif (target := _target(name, way.end)) is not None:
                    links += 1
                    if links > _MOST_LINKS:
                        raise os_error(errno.ELOOP)
                    if target.startswith("/"):
                        way.start()
                    waiting += target.split("/")[::-1]
                elif waiting or _is_directory(name, way.end):
                    way.go_down(name)
                else:
                    way.require_root()
                    return open_regular(name, way.end)
            raise os_error(errno.EISDIR)
        except (PermissionError, IsADirectoryError):
            # Outside, nothing is there, locked or not.
            way.require_root()
            raise


class _Way:
    """The directories that were passed on the way from `/`.

    They stay open, and so does the root: no other directory can get the inode of one of them.
    """

    def __init__(self, root: str) -> None:
        try:
            self._root = Descriptor(root, _DIRECTORY)
        except PermissionError:
            # Nothing can be shown to lie beneath it.
            raise os_error(errno.ENOENT) from None
        self._passed: list[Descriptor] = []

    @property
    def end(self) -> Descriptor:
        return self._passed[-1]

    def start(self) -> None:
        self._leave(keeping=0)
        self._passed.append(Descriptor("/", _DIRECTORY))

    def go_down(self, name: str) -> None:
        self._passed.append(Descriptor(name, _DIRECTORY | _NOFOLLOW, self.end))

    def go_up(self) -> None:
        self._leave(keeping=max(1, len(self._passed) - 1))

    def require_root(self) -> None:
        """Raise an error if the way does not lead through the root."""
        root = os.fstat(self._root.number)
        if not any(os.path.samestat(root, os.fstat(each.number)) for each in self._passed):
            raise os_error(errno.ENOENT)

    def _leave(self, keeping: int) -> None:
        while len(self._passed) > keeping:
            self._passed.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._leave(keeping=0)
        self._root.close()


def _target(name: str, directory: Descriptor) -> str | None:
    """The target of a symlink; None if it is not one."""
    try:
        return os.readlink(name, dir_fd=directory.number)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return None


def _is_directory(name: str, directory: Descriptor) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=directory.number, follow_symlinks=False).st_mode)


def _open_and_check(root: str, path: str) -> Opened:
    """Open the file that a path leads to, if what was opened lies beneath the root."""
    real = os.path.realpath(path)
    _require_beneath(root, real)
    if path.endswith(os.sep) and not Path(real).is_dir():
        raise os_error(errno.ENOTDIR)
    descriptor, status = open_regular(real)
    try:
        _require_beneath(root, os.path.realpath(real))
        _require_same(status, Path(real).lstat())
    except BaseException:
        descriptor.close()
        raise
    return descriptor, status


def _require_beneath(root: str, real: str) -> None:
    home = os.path.realpath(root)
    try:
        is_beneath = os.path.commonpath([home, real]) == os.path.commonpath([home])
    except ValueError:  # on another drive
        is_beneath = False
    if not is_beneath:
        raise os_error(errno.ENOENT)


def _require_same(one: os.stat_result, other: os.stat_result) -> None:
    if not os.path.samestat(one, other):
        raise os_error(errno.ENOENT)
