"""The two files of a recording: `x.har`, always whole, and `x.har.part`, to which is appended.

Each entry is a line of JSON in the `.part`. The HAR is made from it by copying, whatever its
size in the same memory, to the side, and renamed: at the end, and each time the number of
entries has doubled, so that all copying together costs no more than twice the last one.

The `.part` is there while somebody records, who holds a lock on it, or when somebody did and
was killed. Nothing here knows what an entry is.
"""

import errno
import json
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from ..wire.arguments import file_path

if sys.platform == "win32":  # pragma: no cover - the tests run where there is flock
    import msvcrt

    # What is locked there cannot be read by others, so it is a place where nothing is.
    _FAR = 2**62

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _release(descriptor: int, last: Callable[[], object] = int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        os.close(descriptor)
        # What is open can be neither removed nor renamed there.
        last()

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(descriptor: int, last: Callable[[], object] = int) -> None:
        try:
            # Before others can have it.
            last()
        finally:
            # Closing is not enough: a child forked meanwhile has it open for ever.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


_logger = logging.getLogger("transportkit.debugging")

_BYTES_AT_A_TIME = 1024 * 1024
_FLAGS = os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
# What goes over the wire is private.
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR


def part_of(path: Path) -> Path:
    """Where the entries of a HAR are while it is recorded."""
    return path.with_name(f"{path.name}.part")


class HARFile:
    """A HAR that grows.

    What a killed process left in the `.part` is moved aside before.

    Arguments:
        path: where the HAR will be.

    Raises:
        TypeError, ValueError: as `file_path`; or somebody records there now.
        OSError: the `.part` cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = file_path(path).resolve()
        self._part = part_of(self.path)
        self._size = 0
        self._entries = 0
        self._entries_of_next = 1
        self._descriptor = self._open()

    def _open(self) -> int:
        while os.fstat(descriptor := _locked(self._part, _FLAGS)).st_size:
            _release(descriptor, self._move_aside)
        return descriptor

    def _move_aside(self) -> None:
        number = 1
        aside = self.path
        while aside.exists() or part_of(aside).exists():
            aside = self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")
            number += 1
        self._part.rename(part_of(aside))
        _logger.warning(
            "%s is of a recording that never ended: it is '%s' now, of which "
            "HARRecorder.recover(%r) makes a HAR",
            self._part,
            part_of(aside),
            str(aside),
        )

    def append(self, line: bytes) -> None:
        """Add an entry, and make the HAR anew if it is time to.

        Raises:
            OSError: one of the two failed. What was there before is there still.
        """
        # Over half a line, if there was no room for the last one.
        os.lseek(self._descriptor, self._size, os.SEEK_SET)
        left = memoryview(line)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self._size += len(line)
        self._entries += 1
        if self._entries >= self._entries_of_next:
            self._entries_of_next = 2 * self._entries
            _replace(self.path, self._chunks())

    def finish(self) -> None:
        """Make the HAR of all there is, and remove the `.part`.

        Raises:
            OSError: it cannot be written; then the `.part` stays, to be recovered.
        """
        try:
            _replace(self.path, self._chunks())
        except BaseException:
            _release(self._descriptor)
            raise
        _release(self._descriptor, partial(self._part.unlink, missing_ok=True))

    def _chunks(self) -> Iterator[bytes]:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        left = self._size
        while left:
            chunk = os.read(self._descriptor, min(left, _BYTES_AT_A_TIME))
            if not chunk:
                raise OSError(errno.EIO, "somebody has cut it off", str(self._part))
            left -= len(chunk)
            # Lines of JSON have no newlines in them, and a list no comma at its end.
            yield (chunk if left else chunk.removesuffix(b"\n")).replace(b"\n", b",\n")


def recover(path: str | os.PathLike[str]) -> int:
    """Make a HAR of the `.part` that a killed process left; how many entries it has.

    Raises:
        TypeError, ValueError: as `file_path`; or somebody records there now.
        FileNotFoundError: there is no `.part`.
        OSError: it cannot be read, or the HAR not be written; then the `.part` stays.
    """
    target = file_path(path).resolve()
    part = part_of(target)
    descriptor = _locked(part, _FLAGS & ~os.O_CREAT)
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            entries = sum(map(_is_whole, file))
            file.seek(0)
            # Without any, a HAR that is there is of another recording.
            if entries or not target.exists():
                _replace(target, _separated(filter(_is_whole, file)))
    except BaseException:
        _release(descriptor)
        raise
    _release(descriptor, part.unlink)
    return entries


def _separated(lines: Iterable[bytes]) -> Iterator[bytes]:
    separator = b""
    for line in lines:
        yield separator + line.rstrip(b"\n")
        separator = b",\n"


def _is_whole(line: bytes) -> bool:
    # The last one may have been cut off in its midst, and a power cut leaves zeros.
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _locked(part: Path, flags: int) -> int:
    """A descriptor of the `.part`, for oneself alone."""
    while True:
        descriptor = os.open(part, os.O_RDWR | flags, _OWNER_ONLY)
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            raise ValueError(
                f"'{part}' is being written by another HARRecorder: use that one, or another path"
            ) from None
        # Whoever had the lock before may have removed the file: then this one is nowhere.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), part.stat()):
                return descriptor
        _release(descriptor)


def _replace(path: Path, entries: Iterable[bytes]) -> None:
    """Write a HAR to the side, and rename it."""
    aside = path.with_name(f"{path.name}.new")
    # It is there if somebody was killed just here.
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_EXCL | _FLAGS, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_head())
            file.writelines(entries)
            file.write(b"\n]}}\n")
            file.flush()
            # Otherwise a power cut may leave the new name with nothing in it.
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _head() -> bytes:
    # Nobody else needs it, and it takes its time.
    from importlib.metadata import PackageNotFoundError, version

    try:
        creator = {"name": "transportkit", "version": version("transportkit")}
    except PackageNotFoundError:
        creator = {"name": "transportkit", "version": "unknown"}
    # Firefox reads no file without pages.
    log = {"version": "1.2", "creator": creator, "pages": []}
    return f'{{"log": {json.dumps(log)[:-1]}, "entries": [\n'.encode()
