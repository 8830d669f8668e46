"""The connections of a pool, and the requests that wait for one."""

import math
import select
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Origin = tuple[str, bytes, int | None]


class Connection(Generic[T]):
    """A place in a pool, and what is known of the connection that has it.

    Attributes:
        origin: the scheme, host and port that it leads to.
        holder: the thread whose requests are in flight.
        requests: the number of them.
        transport: sends the requests; None until the shell has made it.
        evicted: the connection to be closed before this one may connect.
        is_http2: whether it speaks HTTP/2; None before its first response.
        is_shared: true if more requests of its holder may join.
        is_retired: true if it takes no more requests and is closed after the last one.
        is_counted: true while it has a place, which it gives back once.
        expires: the time at which it has been idle for too long.
        facts: the extensions of its responses that tell who took the requests.
    """

    __slots__ = (
        "_fileno",
        "_has_input",
        "evicted",
        "expires",
        "facts",
        "holder",
        "is_counted",
        "is_http2",
        "is_retired",
        "is_shared",
        "origin",
        "requests",
        "transport",
    )

    def __init__(self, origin: Origin, holder: int, evicted: "Connection[T] | None") -> None:
        self.origin: Origin = origin
        self.holder: int = holder
        self.evicted: Connection[T] | None = evicted
        self.requests: int = 1
        self.transport: T | None = None
        self.is_shared: bool = False
        self.is_retired: bool = False
        self.is_counted: bool = True
        self.expires: float = math.inf
        self.forget()

    def is_idle(self) -> bool:
        """True if it has no request in flight."""
        return self.requests == 0

    def is_lost(self) -> bool:
        """True if it never came to life, or its socket has been closed."""
        return self.transport is None or self._fileno() < 0

    def is_dead(self) -> bool:
        """True if an HTTP/1.1 connection is closed, or has something to read before a request.

        It is asked for each request, and httpcore's `is_readable` costs forty times as much.
        """
        if self.is_http2 or self.requests > 1:
            return False
        # A loop may have closed it, and its number be that of another one.
        return self._fileno() < 0 or bool(self._has_input())

    def forget(self) -> None:
        """Forget what was known, as the connection will be made anew."""
        self.is_http2: bool | None = None
        self.facts: Mapping[str, object] = {}
        self.watch(None)

    def watch(self, peer: Any) -> None:  # noqa: ANN401 - asyncio's and trio's sockets are none
        """Know the socket, which may be closed already, or None while there is none."""
        # Without one nothing tells that it is closed, or has input: `int()` is 0.
        self._fileno: Callable[[], int] = int if peer is None else peer.fileno
        is_open = peer is not None and peer.fileno() >= 0
        self._has_input: Callable[[], object] = _input_of(peer) if is_open else bool


def _input_of(peer: Any) -> Callable[[], list[Any]]:  # noqa: ANN401 - the same as above
    """A function that returns something if a socket has something to read."""
    if not hasattr(select, "poll"):
        return lambda: select.select([peer], [], [], 0)[0]
    poll = select.poll()
    poll.register(peer, select.POLLIN)
    return partial(poll.poll, 0)


class Waiter(Generic[T]):
    """A request in the queue.

    Arguments:
        origin: the scheme, host and port that it goes to.
        holder: the thread that sends it.
        wake: is called, under the pool's lock, when `connection` has been set.

    Attributes:
        connection: the one that it was given.
    """

    __slots__ = ("connection", "holder", "origin", "wake")

    def __init__(self, origin: Origin, holder: int, wake: Callable[[], object]) -> None:
        self.origin: Origin = origin
        self.holder: int = holder
        self.wake: Callable[[], object] = wake
        self.connection: Connection[T] | None = None

    def serve(self, connection: Connection[T]) -> None:
        """Hand over a connection and wake the one who waits."""
        self.connection = connection
        self.wake()
