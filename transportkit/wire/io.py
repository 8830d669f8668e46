"""The few primitives in which sync and async code differ, in pairs: `x` and `async_x`."""

import itertools
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import TypeVar

from .library import Response, is_a

T = TypeVar("T")

# A response about to be thrown away is read to its end within these bounds, or else closed.
DRAIN_BYTES = 64 * 1024
DRAIN_SECONDS = 0.5


def shield() -> AbstractContextManager[object]:
    """Nothing can cancel sync code: there is nothing to shield it from."""
    return nullcontext()


def async_shield() -> AbstractContextManager[object]:
    """Let what is inside run to its end although a cancel scope around it is cancelled.

    asyncio's own `Task.cancel()` knows no shields: it ends what is being awaited.
    """
    # anyio costs a third of this library's import time, and most programs never need it here.
    import anyio

    return anyio.CancelScope(shield=True)


def sleep(seconds: float) -> None:
    """Wait, letting other threads run."""
    time.sleep(seconds)


async def async_sleep(seconds: float) -> None:
    """Wait, letting other tasks run."""
    import anyio

    await anyio.sleep(seconds)


def run_in_thread(function: Callable[[], T]) -> T:
    """Call what does I/O on files: sync code waits for it where it is."""
    return function()


async def async_run_in_thread(function: Callable[[], T]) -> T:
    """Call what does I/O on files, in a worker thread; cancelling waits until it is done."""
    import anyio.to_thread

    return await anyio.to_thread.run_sync(function)


def piece_sizes() -> Iterator[int]:
    """How many bytes of a file to read at a time: what is quick, and still small."""
    return itertools.repeat(768 * 1024)


def async_piece_sizes() -> Iterator[int]:
    """How many bytes of a file to read at a time: more and more, as each costs a worker thread."""
    return itertools.chain((2**exponent for exponent in range(16, 22)), itertools.repeat(2**22))


@contextmanager
def transport_errors_suppressed() -> Iterator[None]:
    """Let go of a connection that may be lost already, which is what closing would do to it."""
    try:
        yield
    except Exception as error:
        if not is_a(error, "TransportError"):
            raise


def drain(response: Response, seconds: float = DRAIN_SECONDS) -> None:
    """Let go of a response, keeping its connection if little of the body is left.

    Arguments:
        response: one that nobody will read.
        seconds: how long it may take.
    """
    if response.is_closed:
        return
    left = DRAIN_BYTES
    deadline = time.monotonic() + seconds
    # A time-out would not do: httpcore looks for a whole chunk under one for each of its bytes.
    draining = threading.Lock()
    timer = threading.Timer(max(seconds, 0), _hang_up, (response, draining))
    try:
        with transport_errors_suppressed():
            # Closing an HTTP/2 stream costs no connection, hanging up would cost all of them.
            if isinstance(response.stream, Iterable) and not _is_http2(response):
                timer.start()
                for chunk in response.stream:
                    left -= len(chunk)
                    if left < 0 or time.monotonic() > deadline:
                        break
    finally:
        timer.cancel()
        # From here on the connection may be another request's.
        draining.acquire()
        with transport_errors_suppressed():
            response.close()


async def async_drain(response: Response, seconds: float = DRAIN_SECONDS) -> None:
    """Let go of a response, keeping its connection if little of the body is left.

    Arguments:
        response: one that nobody will read.
        seconds: how long it may take.
    """
    import anyio

    if response.is_closed:
        return
    left = DRAIN_BYTES
    try:
        with transport_errors_suppressed():
            if isinstance(response.stream, AsyncIterable) and not _is_http2(response):
                chunks = aiter(response.stream)
                with anyio.move_on_after(seconds) as scope:
                    async for chunk in chunks:
                        left -= len(chunk)
                        if left < 0:
                            # A break would leave httpcore's generators, one in another, suspended.
                            # They end where they would read on, once what was read is used up.
                            scope.cancel()
                        if left < -2 * DRAIN_BYTES:
                            break
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
    finally:
        with async_shield(), transport_errors_suppressed():
            await response.aclose()


def _is_http2(response: Response) -> bool:
    return response.extensions.get("http_version") == b"HTTP/2"


def _hang_up(response: Response, draining: threading.Lock) -> None:
    if not draining.acquire(blocking=False):
        return
    stream = response.extensions.get("network_stream")
    peer = None if stream is None else stream.get_extra_info("socket")
    if isinstance(peer, socket.socket):
        with suppress(OSError):
            # Not its own shutdown: that of a TLS socket lets a reader go on with what is encrypted.
            socket.socket.shutdown(peer, socket.SHUT_RDWR)
    draining.release()
