"""The few primitives that sync and async code need in two forms, in pairs: `x`, `async_x`."""

import itertools
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from anyio import CancelScope
    from anyio.lowlevel import RunVar

T = TypeVar("T")


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


class TimeLimit(AbstractContextManager["TimeLimit"]):
    """No limit: sync code cannot be ended from outside. A stand-in for `anyio.CancelScope`.

    Attributes:
        cancelled_caught: True if the code inside was cancelled, as its time was over.
    """

    cancelled_caught: bool = False

    def __exit__(self, *exc_info: object) -> None:
        pass


_NO_LIMIT = TimeLimit()


def time_limit(seconds: float | None) -> TimeLimit:
    """Do nothing: what sync code waits for has timeouts of its own."""
    return _NO_LIMIT


def async_time_limit(seconds: float | None) -> "TimeLimit | CancelScope":
    """Cancel the code inside when its time is over; None for no limit."""
    if seconds is None:
        return _NO_LIMIT
    import anyio

    return anyio.move_on_after(seconds)


def result_of(answer: object) -> object:
    """The result of a callback of the user's."""
    return answer


async def async_result_of(answer: object) -> object:
    """The result of a callback of the user's, awaited if it has to be."""
    return await answer if isinstance(answer, Awaitable) else answer


def sleep(seconds: float) -> None:
    """Wait, letting other threads run."""
    time.sleep(seconds)


async def async_sleep(seconds: float) -> None:
    """Wait, letting other tasks run."""
    import anyio

    await anyio.sleep(seconds)


class Event(threading.Event):
    """A flag that one thread sets and another waits for."""


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
