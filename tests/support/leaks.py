"""What a process holds: descriptors and threads."""

import gc
import os
import threading
import time
from pathlib import Path

_DESCRIPTORS = Path("/proc/self/fd")
# Trio keeps idle worker threads for ten seconds, for whoever comes next.
_KEPT_THREADS = ("Trio thread",)


def held() -> set[str]:
    """Open descriptors (where the system lists them) and running threads."""
    threads = {
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if not thread.name.startswith(_KEPT_THREADS)
    }
    descriptors = set()
    names = os.listdir(_DESCRIPTORS) if _DESCRIPTORS.is_dir() else []  # noqa: PTH208 - see below
    for name in names:
        try:
            # Twice for each test: pathlib would take four times as long.
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except FileNotFoundError:  # the one that lists the others
            continue
        # Hypothesis and coverage open their own files when they please.
        if target.startswith(("socket:", "pipe:", "anon_inode:")):
            descriptors.add(f"descriptor {name} {target}")
    return threads | descriptors


def left_since(before: set[str]) -> set[str]:
    """What is held now and was not before, once the last closing has come through."""
    left = held() - before
    for _ in range(50):
        if not left:
            break
        gc.collect()
        time.sleep(0.005)
        left = held() - before
    return left
