"""A file that is read piece by piece, and closed exactly once, whoever does it and when."""

import os
import threading
from pathlib import Path

import pytest

from transportkit.files.reading import OpenFile
from transportkit.files.regular import Descriptor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_bytes(b"0123456789")
    return path


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_it_reads_the_positions_it_was_given(path: Path) -> None:
    file = OpenFile()
    descriptor = Descriptor(path, os.O_RDONLY)
    number = descriptor.number
    assert file.start(descriptor, range(3, 8), 2) == b"34"
    assert not file.is_at_end
    assert file.read(2) == b"56"
    assert is_open(number)
    assert file.read(99) == b"7"
    assert file.is_at_end
    assert not is_open(number)


@pytest.mark.parametrize("positions", [range(0), range(10)])
def test_it_is_closed_as_soon_as_all_is_read(path: Path, positions: range) -> None:
    file = OpenFile()
    descriptor = Descriptor(path, os.O_RDONLY)
    number = descriptor.number
    assert len(file.start(descriptor, positions, 99)) == len(positions)
    assert file.is_at_end
    assert not is_open(number)


def test_what_is_missing_at_the_end_is_an_error(path: Path) -> None:
    file = OpenFile()
    assert file.start(Descriptor(path, os.O_RDONLY), range(12), 99) == b"0123456789"
    for _ in range(2):
        with pytest.raises(OSError, match="has become shorter, 2 bytes are missing"):
            file.read(99)
    file.close()


def test_it_may_be_closed_before_between_and_twice(path: Path) -> None:
    file = OpenFile()
    descriptor = Descriptor(path, os.O_RDONLY)
    number = descriptor.number
    file.start(descriptor, range(10), 2)
    for _ in range(2):
        file.close()
        assert not is_open(number)
        with pytest.raises(OSError, match="has been closed"):
            file.read(2)
    OpenFile().close()


def test_without_a_file_there_is_nothing_to_read() -> None:
    with pytest.raises(OSError, match="has been closed"):
        OpenFile().read(1)


def test_what_is_started_after_closing_is_closed_at_once(path: Path) -> None:
    file = OpenFile()
    file.close()
    descriptor = Descriptor(path, os.O_RDONLY)
    number = descriptor.number
    assert file.start(descriptor, range(10), 2) == b"01"
    assert not is_open(number)
    with pytest.raises(OSError, match="has been closed"):
        file.read(2)


def test_what_cannot_be_started_is_closed(path: Path) -> None:
    file = OpenFile()
    descriptor = Descriptor(path, os.O_RDONLY)
    number = descriptor.number
    with pytest.raises(OSError, match="has become shorter, 1 bytes are missing"):
        file.start(descriptor, range(10, 11), 2)
    assert not is_open(number)
    assert file.is_at_end


def test_who_closes_it_while_another_thread_reads_does_not_wait_and_breaks_nothing(
    tmp_path: Path,
) -> None:
    # A FIFO, because a reader of one waits.
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    descriptor = Descriptor(fifo, os.O_RDONLY | os.O_NONBLOCK)
    number = descriptor.number
    writer = os.open(fifo, os.O_WRONLY)
    os.set_blocking(number, True)
    file = OpenFile()
    pieces: list[bytes] = []

    os.write(writer, b"-")
    assert file.start(descriptor, range(10), 1) == b"-"
    thread = threading.Thread(target=lambda: pieces.append(file.read(4)))
    thread.start()
    while not file._lock.locked():
        os.sched_yield()
    file.close()
    assert is_open(number)
    os.write(writer, b"0123")
    thread.join()
    assert pieces == [b"0123"]
    assert not is_open(number)
    os.close(writer)


def test_one_that_is_forgotten_is_closed_with_a_warning(path: Path) -> None:
    descriptor = Descriptor(path, os.O_RDONLY)
    number = descriptor.number
    with pytest.warns(ResourceWarning, match="neither read to its end nor closed"):
        OpenFile().start(descriptor, range(10), 2)
    assert not is_open(number)
