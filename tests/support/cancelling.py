"""Cancel what waits for something, once it is known to wait."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

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
