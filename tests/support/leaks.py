"""What a process holds: descriptors and threads."""

# ruff: noqa: PTH112, PTH115, PTH208 - it is asked twice in each test

import gc
import os
import threading
import time

_DESCRIPTORS = "/proc/self/fd"
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
    for name in os.listdir(_DESCRIPTORS) if os.path.isdir(_DESCRIPTORS) else ():
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{name}")
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
