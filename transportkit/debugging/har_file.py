"""The two files of a recording: `x.har`, always whole, and `x.har.part`, which is appended to.

Each entry is a line of JSON in the `.part`. The HAR is made from it by copying, in the same
memory whatever its size, to another file that is then renamed: at the end, and each time the
number of entries has doubled, so that all copying together costs no more than twice the last.

The `.part` is there while somebody records, with a lock on it, or after a recording was killed.
Nothing here knows about entries.
"""

import errno
import json
import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from ..wire.arguments import file_path
from ..wire.atomic import acquire, release, replace
from ..wire.logs import Log

_logger = Log("transportkit.debugging")

_CHUNK_BYTES = 1024 * 1024


def part_of(path: Path) -> Path:
    """The path of the entries while a HAR is recorded."""
    return path.with_name(f"{path.name}.part")


class HARFile:
    """A HAR that grows.

    A `.part` that a killed process left is moved aside first.

    Arguments:
        path: the path of the HAR.

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
        # In a thread of its own, or as the program ends, it could not be imported any more.
        self._head = _head()
        self._descriptor = self._open()

    def _open(self) -> int:
        while os.fstat(descriptor := _acquire(self._part)).st_size:
            release(descriptor, self._move_aside)
        return descriptor

    def _move_aside(self) -> None:
        number = 1
        aside = self.path
        while aside.exists() or part_of(aside).exists():
            aside = self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")
            number += 1
        self._part.rename(part_of(aside))
        _logger.warning(
            "%s is from a recording that never ended: it is '%s' now, from which "
            "HARRecorder.recover(%r) makes a HAR",
            self._part,
            part_of(aside),
            str(aside),
        )

    def append(self, line: bytes) -> None:
        """Add an entry, and replace the HAR if it is time to.

        Raises:
            OSError: one of the two failed. Everything from before is still there.
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
            replace(self.path, _har(self._head, self._chunks()))

    def finish(self) -> None:
        """Make the HAR of all entries, and remove the `.part`.

        Raises:
            OSError: it cannot be written; then the `.part` stays, to be recovered.
        """
        try:
            replace(self.path, _har(self._head, self._chunks()))
        except BaseException:
            release(self._descriptor)
            # The number may be another file's from now on.
            self._descriptor = -1
            raise
        release(self._descriptor, partial(self._part.unlink, missing_ok=True))

    def _chunks(self) -> Iterator[bytes]:
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        left = self._size
        while left:
            chunk = os.read(self._descriptor, min(left, _CHUNK_BYTES))
            if not chunk:
                raise OSError(errno.EIO, "somebody has truncated it", str(self._part))
            left -= len(chunk)
            # Lines of JSON have no newlines in them, and a list has no comma at its end.
            yield (chunk if left else chunk.removesuffix(b"\n")).replace(b"\n", b",\n")


def recover(path: str | os.PathLike[str]) -> int:
    """Make a HAR of the `.part` that a killed process left; returns the number of entries.

    Raises:
        TypeError, ValueError: as `file_path`; or somebody records there now.
        FileNotFoundError: there is no `.part`.
        OSError: it cannot be read, or the HAR not be written; then the `.part` stays.
    """
    target = file_path(path).resolve()
    part = part_of(target)
    descriptor = _acquire(part, create=False)
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            entries = sum(map(_is_whole, file))
            file.seek(0)
            # Without any, a HAR that is there is from another recording.
            if entries or not target.exists():
                replace(target, _har(_head(), _separated(filter(_is_whole, file))))
    except BaseException:
        release(descriptor)
        raise
    release(descriptor, part.unlink)
    return entries


def _separated(lines: Iterable[bytes]) -> Iterator[bytes]:
    separator = b""
    for line in lines:
        yield separator + line.rstrip(b"\n")
        separator = b",\n"


def _is_whole(line: bytes) -> bool:
    # The last one may be truncated, and a power cut leaves zeros.
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _acquire(part: Path, *, create: bool = True) -> int:
    """A descriptor of the `.part`, locked."""
    try:
        return acquire(part, wait=False, create=create)
    except BlockingIOError:
        raise ValueError(
            f"'{part}' is being written by another HARRecorder: use that one, or another path"
        ) from None


def _har(head: bytes, entries: Iterable[bytes]) -> Iterator[bytes]:
    """A whole HAR of entries with commas between them."""
    yield head
    yield from entries
    yield b"\n]}}\n"


def _head() -> bytes:
    """The beginning of a HAR."""
    # Nothing else needs it, and it takes some time to import.
    from importlib.metadata import PackageNotFoundError, version

    try:
        creator = {"name": "transportkit", "version": version("transportkit")}
    except PackageNotFoundError:
        creator = {"name": "transportkit", "version": "unknown"}
    # Firefox does not read a file without pages.
    log = {"version": "1.2", "creator": creator, "pages": []}
    return f'{{"log": {json.dumps(log)[:-1]}, "entries": [\n'.encode()
