"""Give up responses that nobody will read, and keep their connections where little is left.

What is left of a body is read, within a bound in bytes and one in time. HTTP/2 is bounded in time
alone: bytes of its bodies that nobody reads get no flow-control credit (RFC 9113, section 5.2), and
in the end the connection stalls. Where the time was not enough, such a connection is retired.

A sync read can be ended from another thread only. One watchdog does that for all drains; where it
cannot be started, as at the end of the interpreter, the request's own timeouts have to do.
"""

import math
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import contextmanager, suppress

from .forking import renew_in_child
from .io import async_shield
from .library import Response, is_a

# A response about to be thrown away is read to its end within these bounds, or else closed.
DRAIN_BYTES = 64 * 1024
DRAIN_SECONDS = 0.5


class Watchdog:
    """Hangs up on sync drains whose time is over, in one thread for all of them.

    The thread starts with a drain, and ends when there was none for a while. A drain costs it
    nothing: it wakes when the first one may be over, which is nearly always over by then.
    """

    def __init__(self) -> None:
        self.renew()
        renew_in_child(self.renew)

    def renew(self) -> None:
        """Start afresh, as in a child process: it has the locks of its parent, not the threads."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._drained: dict[Response, float] = {}
        self._wakes_at = math.inf

    def watch(self, response: Response, deadline: float) -> None:
        """Hang up on a response at a time, by `time.monotonic`, unless it is let go before."""
        with self._changed:
            self._drained[response] = deadline
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="transportkit drains", daemon=True)
                with suppress(RuntimeError):  # No more threads, or none at the interpreter's exit.
                    thread.start()
                    self._thread = thread
            elif deadline < self._wakes_at:
                self._changed.notify()

    def let_go(self, response: Response) -> None:
        """Leave a response alone: from here on its connection may be another request's."""
        with self._changed:
            self._drained.pop(response, None)

    def _run(self) -> None:
        # The state may be renewed meanwhile, by those who act as if there had been a fork.
        changed, drained = self._changed, self._drained
        with changed:
            was_idle = False
            while drained or not was_idle:
                was_idle = not drained
                now = time.monotonic()
                for response in [each for each, end in drained.items() if end <= now]:
                    del drained[response]
                    _hang_up(response)
                self._wakes_at = min(drained.values(), default=now + DRAIN_SECONDS)
                changed.wait(self._wakes_at - now)
            if self._changed is changed:
                self._thread = None


_watchdog = Watchdog()


def drain(response: Response, seconds: float = DRAIN_SECONDS) -> None:
    """Give a response up, but keep its connection if little of the body is left.

    Arguments:
        response: one that nobody will read.
        seconds: the time that it may take.
    """
    if response.is_closed:
        return
    is_whole, is_empty, left = False, _is_empty(response), _most_bytes(response)
    deadline = time.monotonic() + seconds
    try:
        with transport_errors_suppressed():
            if isinstance(response.stream, Iterable) and (is_empty or seconds > 0):
                if not is_empty:
                    # A timeout would not do: it bounds each read, and a chunk may take many.
                    _watchdog.watch(response, deadline)
                for chunk in response.stream:
                    left -= len(chunk)
                    if left < 0 or time.monotonic() > deadline:
                        break
                else:
                    is_whole = True
    finally:
        if not is_empty:
            _watchdog.let_go(response)
        if not is_whole:
            _retire_http2(response)
        with transport_errors_suppressed():
            response.close()


async def async_drain(response: Response, seconds: float = DRAIN_SECONDS) -> None:
    """Give a response up, but keep its connection if little of the body is left.

    Arguments:
        response: one that nobody will read.
        seconds: the time that it may take.
    """
    import anyio

    if response.is_closed:
        return
    is_whole, left = False, _most_bytes(response)
    try:
        with transport_errors_suppressed():
            if isinstance(response.stream, AsyncIterable):
                chunks = aiter(response.stream)
                with anyio.move_on_after(seconds) as scope:
                    async for chunk in chunks:
                        left -= len(chunk)
                        if left < 0:
                            # A break would leave httpcore's nested generators suspended. This way
                            # they end where they would next read from the network.
                            scope.cancel()
                        if left < -2 * DRAIN_BYTES:
                            break
                    else:
                        is_whole = True
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
    finally:
        if not is_whole:
            _retire_http2(response)
        with async_shield(), transport_errors_suppressed():
            await response.aclose()


@contextmanager
def transport_errors_suppressed() -> Iterator[None]:
    """Ignore the errors of a connection that is being given up: it may be lost already."""
    try:
        yield
    except Exception as error:
        if not is_a(error, "TransportError"):
            raise


def _is_http2(response: Response) -> bool:
    return response.extensions.get("http_version") == b"HTTP/2"


def _is_empty(response: Response) -> bool:
    """True if nothing is left to wait for: the end of the head is the end of the response."""
    headers = response.headers
    says_so = headers.get("Content-Length", "") == "0" and "Transfer-Encoding" not in headers
    # The end of an HTTP/2 stream may be a frame of its own.
    return says_so and not _is_http2(response)


def _most_bytes(response: Response) -> float:
    return math.inf if _is_http2(response) else DRAIN_BYTES


def _retire_http2(response: Response) -> bool:
    """Let an HTTP/2 connection take no more requests; True if no others are in flight on it."""
    retire = response.extensions.get("retire")
    return retire is None or not _is_http2(response) or bool(retire())


def _hang_up(response: Response) -> None:
    # The other streams of an HTTP/2 connection are to end by themselves.
    if not _retire_http2(response):
        return
    stream = response.extensions.get("network_stream")
    peer = None if stream is None else stream.get_extra_info("socket")
    if isinstance(peer, socket.socket):
        with suppress(OSError):
            # Not its own method: after that of a TLS socket, a reader goes on with ciphertext.
            socket.socket.shutdown(peer, socket.SHUT_RDWR)
