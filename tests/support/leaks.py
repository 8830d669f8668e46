"""What a process holds: descriptors and threads."""

import gc
import os
import threading
import time

_DESCRIPTORS = "/proc/self/fd"
# Trio keeps idle worker threads for ten seconds, for whoever comes next; we keep ours for one.
_KEPT_THREADS = ("Trio thread", "transportkit drains")


def held() -> set[str]:
    """Open descriptors (where the system lists them) and running threads."""
    threads = {
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if not thread.name.startswith(_KEPT_THREADS)
    }
    descriptors = set()
    # Without pathlib: this is done twice in each test, and would take a quarter of a small one.
    for name in os.listdir(_DESCRIPTORS) if os.path.isdir(_DESCRIPTORS) else ():  # noqa: PTH112, PTH208
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{name}")  # noqa: PTH115
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
