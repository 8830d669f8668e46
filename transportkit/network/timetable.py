"""The times to close idle connections, without a thread or a task that waits for them."""

import heapq
import itertools
import math
import threading
import weakref
from typing import Generic, TypeVar

from ..wire.forking import renew_in_child

P = TypeVar("P")


class Timetable(Generic[P]):
    """The pools that have idle connections, by when the first of those has been idle too long.

    There is one for all the pools whose connections the same thread or event loop may close, so
    that a request through any of them finds what is due.

    Attributes:
        due: the earliest time at which there is something to do.
    """

    def __init__(self) -> None:
        self.due: float = math.inf
        self.renew()
        renew_in_child(self.renew)

    def renew(self) -> None:
        """Forget all, as in a child process."""
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._entries: list[tuple[float, int, weakref.ref[P]]] = []
        self.due = math.inf

    def add(self, when: float, pool: P) -> None:
        """Remember when to look after a pool."""
        with self._lock:
            heapq.heappush(self._entries, (when, next(self._numbers), weakref.ref(pool)))
            self.due = self._entries[0][0]

    def take(self, now: float) -> P | None:
        """The pool that has been due the longest, which will add itself again; None without any."""
        pool = None
        with self._lock:
            while pool is None and self._entries and self._entries[0][0] <= now:
                pool = heapq.heappop(self._entries)[2]()
            self.due = self._entries[0][0] if self._entries else math.inf
        return pool
