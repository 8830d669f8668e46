"""What a process holds: descriptors and threads."""

import gc
import os
import stat
import threading
import time

_DESCRIPTORS = "/proc/self/fd"
# Trio keeps idle worker threads for ten seconds, for whoever comes next; we keep ours for one.
_KEPT_THREADS = ("Trio thread", "transportkit drains")


def held() -> set[str]:
    """Open sockets, pipes and the like (where the system lists them), and running threads."""
    threads = {
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if not thread.name.startswith(_KEPT_THREADS)
    }
    descriptors = set()
    # Without pathlib and readlink: this is done twice in each test.
    for name in os.listdir(_DESCRIPTORS) if os.path.isdir(_DESCRIPTORS) else ():  # noqa: PTH112, PTH208
        try:
            status = os.fstat(int(name))
        except OSError:  # the one that lists the others
            continue
        # Hypothesis and coverage open files and directories of their own when they please.
        kind = stat.S_IFMT(status.st_mode)
        if kind not in {stat.S_IFREG, stat.S_IFDIR, stat.S_IFCHR}:
            descriptors.add(f"descriptor {name} of kind {kind:o}, {status.st_ino}")
    return threads | descriptors


def left_since(before: set[str]) -> set[str]:
    """What is held now and was not before, once the last closing has come through."""
    left = held() - before
    for _ in range(250):
        if not left:
            break
        gc.collect()
        time.sleep(0.001)
        left = held() - before
    return left
