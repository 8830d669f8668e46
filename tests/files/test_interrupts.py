"""A signal handler may raise at any moment: no descriptor is left, as none is by `open()`."""

import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support.library import httpx
from support.transportkit import FileSystemTransport, file_url

FOLDERS = ("transportkit/files/", "transportkit/httpx/files.", "transportkit/httpx2/files.")


class Interrupt(BaseException):
    """What a signal handler raises."""


@contextmanager
def interrupted(after: int) -> Iterator[list[int]]:
    """Raise once before one of the steps of Python's in the code for files.

    Arguments:
        after: how many steps are made before; what is left of them is yielded in a list.
    """
    left = [after]

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not any(folder in frame.f_code.co_filename for folder in FOLDERS):
            return None
        frame.f_trace_opcodes = True
        # What stands on no line, such as the entry of an exception handler, is no place for signals.
        if event == "opcode" and frame.f_lineno is not None:
            left[0] -= 1
            if left[0] == 0:
                raise Interrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield left
    finally:
        sys.settrace(before)


def numbers() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.fixture
def transport(tmp_path: Path) -> FileSystemTransport:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_bytes(b"x" * 800_000)
    (tmp_path / "link").symlink_to("sub/a.txt")
    return FileSystemTransport(tmp_path)


# A step in so many in the quick run, beginning with another one for each way to the file.
STRIDE = 23


@pytest.mark.filterwarnings("ignore:a response was neither read")
# What is raised in a finalizer goes no further, whoever has written it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["sub/a.txt", "link"])
@pytest.mark.parametrize("stride", [STRIDE, pytest.param(1, marks=pytest.mark.slow)])
def test_an_interrupt_at_any_step_leaves_no_descriptor(
    transport: FileSystemTransport, tmp_path: Path, name: str, stride: int
) -> None:
    request = httpx.Request("GET", file_url(tmp_path / name))

    def read() -> None:
        response = transport.handle_request(request)
        response.read()
        response.close()

    def interrupt_each() -> None:
        before, after, interrupts = numbers(), 1 + len(name) % stride, 0
        while True:
            with interrupted(after) as left:
                try:
                    read()
                except Interrupt:
                    interrupts += 1
            if left[0] > 0:
                break
            if numbers() != before:
                # Errors and their tracebacks may hold each other.
                gc.collect()
            assert numbers() == before, f"after {after} steps"
            after += stride
        assert interrupts > 500 / stride

    read()
    gc.collect()
    # A thread that is interrupted while it handles an error goes on handling it: each later
    # error of the thread would drag all of these along.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(interrupt_each).result()
