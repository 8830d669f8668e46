"""The few primitives that sync and async code need in two forms, in pairs: `x`, `async_x`."""

import itertools
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from .library import Response, is_a

if TYPE_CHECKING:
    from anyio.lowlevel import RunVar

T = TypeVar("T")

# A response about to be thrown away is read to its end within these bounds, or else closed.
DRAIN_BYTES = 64 * 1024
DRAIN_SECONDS = 0.5


def shield() -> AbstractContextManager[object]:
    """Do nothing: sync code cannot be cancelled."""
    return nullcontext()


def async_shield() -> AbstractContextManager[object]:
    """Let the code inside run to its end even if a cancel scope around it is cancelled.

    asyncio's own `Task.cancel()` ignores shields and ends what is being awaited.
    """
    # anyio costs a third of this library's import time, and most programs never get here.
    import anyio

    return anyio.CancelScope(shield=True)


def sleep(seconds: float) -> None:
    """Wait, letting other threads run."""
    time.sleep(seconds)


async def async_sleep(seconds: float) -> None:
    """Wait, letting other tasks run."""
    import anyio

    await anyio.sleep(seconds)


class Event:
    """A flag that one thread sets and another waits for."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Let the one that waits go on."""
        self._event.set()

    def wait(self, seconds: float | None) -> None:
        """Wait until the flag is set, or this long; None for ever."""
        self._event.wait(seconds)


class AsyncEvent:
    """A flag that one task sets and another waits for."""

    def __init__(self) -> None:
        import anyio

        self._event = anyio.Event()

    def set(self) -> None:
        """Let the one that waits go on."""
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Wait until the flag is set, or this long; None for ever."""
        import anyio

        with anyio.move_on_after(seconds):
            await self._event.wait()


def one_for_all(make: Callable[[], T]) -> Callable[[], T]:
    """A function that returns the same object in all threads of the process."""
    return cache(make)


def async_one_for_all(make: Callable[[], T]) -> Callable[[], T]:
    """A function that returns the same object in all tasks of an event loop."""

    @cache
    def variable() -> "RunVar[T]":
        from anyio.lowlevel import RunVar

        return RunVar(make.__name__)

    def get() -> T:
        try:
            return variable().get()
        except LookupError:
            made = make()
            variable().set(made)
            return made

    return get


def run_in_thread(function: Callable[[], T]) -> T:
    """Call a function that does I/O on files, in this thread."""
    return function()


async def async_run_in_thread(function: Callable[[], T]) -> T:
    """Call a function that does I/O on files, in a worker thread.

    A cancellation waits until the function has returned.
    """
    import anyio.to_thread

    return await anyio.to_thread.run_sync(function)


def piece_sizes() -> Iterator[int]:
    """The numbers of bytes of a file to read at a time: fast, and still small."""
    return itertools.repeat(768 * 1024)


def async_piece_sizes() -> Iterator[int]:
    """The numbers of bytes of a file to read at a time: growing, as each costs a thread hop."""
    return itertools.chain((2**exponent for exponent in range(16, 22)), itertools.repeat(2**22))


@contextmanager
def transport_errors_suppressed() -> Iterator[None]:
    """Ignore the errors of a connection that is being given up: it may be lost already."""
    try:
        yield
    except Exception as error:
        if not is_a(error, "TransportError"):
            raise


def drain(response: Response, seconds: float = DRAIN_SECONDS) -> None:
    """Give a response up, but keep its connection if little of the body is left.

    Arguments:
        response: one that nobody will read.
        seconds: the time that it may take.
    """
    if response.is_closed:
        return
    left = DRAIN_BYTES
    deadline = time.monotonic() + seconds
    # A timeout would not do: httpcore applies it to each read, and a chunk may take many.
    draining = threading.Lock()
    timer = threading.Timer(max(seconds, 0), _hang_up, (response, draining))
    try:
        with transport_errors_suppressed():
            # Closing an HTTP/2 stream costs no connection; hanging up would end all of its streams.
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
    """Give a response up, but keep its connection if little of the body is left.

    Arguments:
        response: one that nobody will read.
        seconds: the time that it may take.
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
                            # A break would leave httpcore's nested generators suspended. This way
                            # they end where they would next read from the network.
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
            # Not its own method: after that of a TLS socket, a reader goes on with ciphertext.
            socket.socket.shutdown(peer, socket.SHUT_RDWR)
    draining.release()
