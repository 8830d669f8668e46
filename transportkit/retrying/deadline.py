"""A deadline for everything that httpcore does: timeouts that shrink as time passes."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

_OPERATIONS = ("connect", "read", "write", "pool")
# Zero would mean "do not block" to a socket, which is not how a timeout ends.
_SHORTEST = 0.001
# A socket takes no timeout of more than some centuries.
_LONGEST = 1e9


class LiveTimeouts(Mapping[str, float | None]):
    """The `timeout` extension of a request, computed each time it is read.

    httpcore reads it at each operation, so each gets the smaller of the caller's value and
    what is left until the deadline. Neither bounds a peer that drips bytes, as every drop is
    an operation of its own. The deadline is switched off by `end`, as others may have copied the
    extensions by then.

    Arguments:
        deadline: when everything has to be over, by `time.monotonic`.
        timeouts: the caller's values, in seconds for each operation.
    """

    def __init__(self, deadline: float, timeouts: Mapping[str, float | None]) -> None:
        self._deadline: float | None = deadline
        self._timeouts = timeouts

    def end(self) -> None:
        """From now on, give the caller's values."""
        self._deadline = None

    def __getitem__(self, operation: str) -> float | None:
        if operation not in _OPERATIONS:
            raise KeyError(operation)
        own = self._timeouts.get(operation)
        if self._deadline is None:
            return own
        left = min(max(self._deadline - time.monotonic(), _SHORTEST), _LONGEST)
        return left if own is None else min(own, left)

    def __iter__(self) -> Iterator[str]:
        return iter(_OPERATIONS)

    def __len__(self) -> int:
        return len(_OPERATIONS)


def timeouts_of(extensions: Mapping[str, Any]) -> Mapping[str, float | None]:
    """The caller's timeouts. A request that no client built may have none."""
    given = extensions.get("timeout")
    return given if isinstance(given, Mapping) else {}
