"""Files that are whole at any time, and that have one writer at a time.

A file at `x` is never written in place. `replace` writes its successor to `x.new`, waits until
that is on the disk, and renames it to `x`. So a reader needs no lock: it opens either the old
file or the new one.

A writer holds a lock. It is not on `x` itself, which is another file after each replacement,
but on a lock file beside it, opened by `acquire` and let go by `release`:

| lock file | locked by                     | for how long      | others      | removed       |
|-----------|-------------------------------|-------------------|-------------|---------------|
| `x.lock`  | a store, to read and save `x` | one save          | wait        | never         |
| `x.part`  | a recorder, whose data it has | a whole recording | are refused | by its holder |

Others may have opened a lock file before its holder removed it, and would then hold a lock on
nothing. So `acquire` checks that what it has locked is still there, and else tries again.

The system takes the lock of a process that was killed. What that process left behind:

| killed               | `x`                                     | beside it                    |
|----------------------|-----------------------------------------|------------------------------|
| while writing        | as before                               | `x.new`, removed by the next |
| after the renaming   | new, or as before if the power went too | nothing, or `x.new`          |

The locks are advisory. A program that takes none, such as curl, finds the file whole, but what
it writes may be replaced by what we write.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":  # pragma: no cover - the tests run where there is flock
    import msvcrt

    # What is locked there cannot be read by others, so it is a place where nothing is.
    _FAR = 2**62

    def _lock(descriptor: int, *, wait: bool) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from None
        os.lseek(descriptor, 0, os.SEEK_SET)

    def release(descriptor: int, last: Callable[[], object] | None = None) -> None:
        """As below, but what is open can be neither removed nor renamed there."""
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        os.close(descriptor)
        if last is not None:
            last()

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(descriptor: int, last: Callable[[], object] | None = None) -> None:
        """Close a lock file, and let others lock it.

        Arguments:
            descriptor: what `acquire` returned.
            last: called before others can have it: removes or renames the file.
        """
        try:
            if last is not None:
                last()
        finally:
            # Closing is not enough: a child forked meanwhile has it open for ever.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


# The files hold what is private.
_OWNER_ONLY = stat.S_IRUSR | stat.S_IWUSR
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def acquire(path: Path, *, wait: bool, create: bool = True) -> int:
    """A descriptor of a lock file that is open for reading and writing, and locked.

    Arguments:
        path: of the lock file.
        wait: wait while others have it.
        create: make it if it is not there.

    Raises:
        BlockingIOError: others have it, and this was not to wait.
        OSError: it cannot be opened.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | _FLAGS | (os.O_CREAT if create else 0), _OWNER_ONLY)
        try:
            _lock(descriptor, wait=wait)
        except BaseException:
            os.close(descriptor)
            raise
        # Its last holder may have removed it meanwhile.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        release(descriptor)


def replace(path: Path, content: Iterable[bytes], *, keep_mode: bool = False) -> None:
    """Write a file anew, whole or not at all.

    It is for its owner's eyes alone. Call it with a lock held: its successor has one name.

    Arguments:
        path: of the file, which need not exist. A symbolic link is replaced.
        content: what it will hold, in pieces.
        keep_mode: let those read it, or write to it, who could do so before.

    Raises:
        OSError: it cannot be written; then it is as it was.
    """
    aside = path.with_name(f"{path.name}.new")
    # It is there if a process was killed just here.
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(content)
            file.flush()
            # Otherwise a power cut may leave the new name with nothing in it.
            os.fsync(file.fileno())
        if keep_mode:
            with suppress(FileNotFoundError):
                aside.chmod(stat.S_IMODE(path.stat().st_mode))
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
