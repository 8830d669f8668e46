"""Timeouts that shrink as time passes: a deadline for all that httpcore does."""

import time
from collections.abc import Iterator, Mapping

_OPERATIONS = ("connect", "read", "write", "pool")
# Zero would mean "do not block" to a socket, which is another error than a time-out.
_SHORTEST = 0.001
# A socket takes no more than some centuries.
_LONGEST = 1e9


class LiveTimeouts(Mapping[str, float | None]):
    """The `timeout` extension of a request, worked out at the moment it is asked for.

    httpcore asks at each operation, so each gets the smaller of the caller's value and
    what is left until the deadline. A peer that drips bytes is bounded by neither: every
    drop is an operation of its own.

    Arguments:
        deadline: when all has to be over, by `time.monotonic`.
        timeouts: the caller's values, seconds for each operation.
    """

    def __init__(self, deadline: float, timeouts: Mapping[str, float | None]) -> None:
        self._deadline = deadline
        self._timeouts = timeouts

    def __getitem__(self, operation: str) -> float | None:
        if operation not in _OPERATIONS:
            raise KeyError(operation)
        left = min(max(self._deadline - time.monotonic(), _SHORTEST), _LONGEST)
        own = self._timeouts.get(operation)
        return left if own is None else min(own, left)

    def __iter__(self) -> Iterator[str]:
        return iter(_OPERATIONS)

    def __len__(self) -> int:
        return len(_OPERATIONS)
