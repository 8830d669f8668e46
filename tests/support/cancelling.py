"""Cancel what waits for something, once it is known to wait."""

import types
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any

import anyio
import anyio.lowlevel

# So many turns of the loop whoever waits may still be on the way to where it waits; being late
# changes no test.
_A_MOMENT = 100


async def a_moment_after(is_time: Callable[[], bool]) -> None:
    """Wait until the servers' threads have come to where they are to be, and a moment longer."""
    with anyio.fail_after(30):
        while not is_time():  # noqa: ASYNC110 - what is waited for are threads of servers
            await anyio.sleep(0.001)
    for _ in range(_A_MOMENT):
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def cancelled_when(is_time: Callable[[], bool]) -> AsyncIterator[anyio.CancelScope]:
    """A scope that is cancelled a moment after `is_time()`."""
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            await a_moment_after(is_time)
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        yield group.cancel_scope


async def is_cancelled_at(step: int, work: Coroutine[Any, Any, object]) -> bool:
    """Await something, and cancel it where it waits for this time, from 1; False if it does not.

    However long each of them takes, these are all the places that can be cancelled.
    """
    with anyio.CancelScope() as scope:
        await _cancelled_at(step, work, scope)
    return scope.cancel_called


@types.coroutine
def _cancelled_at(
    step: int, work: Coroutine[Any, Any, object], scope: anyio.CancelScope
) -> Generator[Any, Any, None]:
    go_on: Callable[[], Any] = partial(work.send, None)
    for number in count(1):
        try:
            waiting = go_on()
        except StopIteration:
            return
        if number == step:
            scope.cancel()
        try:
            go_on = partial(work.send, (yield waiting))
        except BaseException as error:  # noqa: BLE001 - it is for what is awaited
            go_on = partial(work.throw, error)
