"""The exchanges that wait to be recorded, within bounds.

Once it was full, a backlog has to drain to its low-water mark before requests go on: threads that
take turns would be slow. A lower mark would stop an event loop for longer. Nothing here waits or
locks: that is for the recorder.
"""

from collections import deque

from .exchange import Exchange

# The bounds: exchanges, including the one that is being written, and bytes of their bodies.
_MAX_EXCHANGES = 1000
_MAX_BYTES = 16 * 1024 * 1024
_LOW_WATER_MARK = 31 / 32


class Backlog:
    """A queue of exchanges, whose first one stays while it is written.

    Attributes:
        bytes: of their bodies, as they were when they came.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Exchange, int]] = deque()
        self._is_full = False
        self.bytes: int = 0

    def first(self) -> Exchange | None:
        """The one that came first; None if there is none."""
        return self._waiting[0][0] if self._waiting else None

    def has_room(self, exchange: Exchange) -> bool:
        """True if an exchange fits; one that is larger than all may be fits alone."""
        if not self._waiting:
            return True
        is_within = len(self._waiting) < _MAX_EXCHANGES
        is_within = is_within and self.bytes + _size_of(exchange) <= _MAX_BYTES
        return is_within and not self._is_full

    def mark_full(self) -> None:
        """Have no room until it has drained: a smaller one does not overtake one that waits."""
        self._is_full = True

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange behind the others."""
        size = _size_of(exchange)
        self._waiting.append((exchange, size))
        self.bytes += size

    def remove_first(self) -> bool:
        """Remove the one that came first; True if this has drained what was full."""
        self.bytes -= self._waiting.popleft()[1]
        is_low = len(self._waiting) <= _MAX_EXCHANGES * _LOW_WATER_MARK
        has_drained = self._is_full and is_low and self.bytes <= _MAX_BYTES * _LOW_WATER_MARK
        if has_drained:
            self._is_full = False
        return has_drained

    def reopen(self) -> None:
        """Have room again, without the first one: it may be why nobody writes them any more."""
        if self._waiting:
            self.remove_first()
        self._is_full = False


def _size_of(exchange: Exchange) -> int:
    return exchange._record.sent.length + exchange._record.received.length
