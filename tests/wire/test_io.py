"""The primitives that differ between sync and async code."""

import itertools
import threading
import time

import anyio
import anyio.lowlevel
import pytest
from support.flavours import NAMES, Flavour

from transportkit.wire import io as _io

in_async = pytest.mark.parametrize("flavour", [Flavour(name) for name in NAMES[1:]], ids=NAMES[1:])


async def test_sleeping_takes_as_long_as_told(
    flavour: Flavour, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def async_sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(anyio, "sleep", async_sleep)
    for seconds in (0, 1.5):
        await flavour.call(_io.async_sleep if flavour.is_async else _io.sleep, seconds)
    assert slept == [0, 1.5]


async def test_files_are_worked_on_in_a_thread_where_it_would_hold_up_others(
    flavour: Flavour,
) -> None:
    def work() -> str:
        threads.append(threading.current_thread())
        return "done"

    threads: list[threading.Thread] = []
    run = _io.async_run_in_thread if flavour.is_async else _io.run_in_thread
    assert await flavour.call(run, work) == "done"
    assert (threads == [threading.current_thread()]) != flavour.is_async


async def test_an_error_of_a_thread_comes_out(flavour: Flavour) -> None:
    def work() -> None:
        raise LookupError("mine")

    run = _io.async_run_in_thread if flavour.is_async else _io.run_in_thread
    with pytest.raises(LookupError, match=r"^mine$"):
        await flavour.call(run, work)


def test_pieces_of_a_file_are_many_times_a_page_and_never_large() -> None:
    for sizes in (_io.piece_sizes(), _io.async_piece_sizes()):
        first = list(itertools.islice(sizes, 50))
        assert first == sorted(first)
        assert min(first) >= 2**16
        assert max(first) <= 2**22
        assert all(size % 4096 == 0 for size in first)


def test_nothing_shields_sync_code() -> None:
    with pytest.raises(KeyboardInterrupt), _io.shield():
        raise KeyboardInterrupt


@in_async
async def test_what_is_shielded_runs_to_its_end_though_it_is_cancelled(flavour: Flavour) -> None:
    steps: list[str] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        with _io.async_shield():
            await anyio.lowlevel.checkpoint()
            steps.append("shielded")
        await anyio.lowlevel.checkpoint()
        steps.append("not shielded")
    assert steps == ["shielded"]


@in_async
async def test_other_tasks_run_while_one_sleeps(flavour: Flavour) -> None:
    async with anyio.create_task_group() as tasks:

        async def other() -> None:
            tasks.cancel_scope.cancel()

        tasks.start_soon(other)
        await _io.async_sleep(3600)
    assert tasks.cancel_scope.cancelled_caught
