"""`HARRecorder`: files that are whole at any moment, and nothing lost that could be kept."""

import json
import logging
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import h2.connection
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import faulty, har, http2
from support.faulty import faulty_origin
from support.flavours import Flavour
from support.library import httpx
from support.recorder import Waits
from support.servers import Origin
from support.transportkit import HARRecorder, RetryPolicy

from transportkit.debugging import backlog, har_entry, har_file
from transportkit.debugging import har as har_module
from transportkit.debugging.bodies import BodyCapture
from transportkit.debugging.exchange import Exchange, Record
from transportkit.debugging.har_file import HARFile
from transportkit.wire import atomic
from transportkit.wire.atomic import release

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def exchange(number: int = 0, body: bytes = b"") -> Exchange:
    received = BodyCapture(len(body))
    received.add(body)
    received.is_ended = True
    url = httpx.URL(f"https://example.com/{number}")
    # What is no text is not masked either, which would take most of the time.
    headers = [(b"Content-Type", b"image/png")]
    return Exchange(
        Record("GET", url, [], 1e9, status=200, response_headers=headers, received=received)
    )


def numbers(entries: list[dict[str, Any]]) -> list[int]:
    return [int(entry["request"]["url"].rpartition("/")[2]) for entry in entries]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchanges.har"


def part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def lines(path: Path) -> int:
    return part(path).read_bytes().count(b"\n")


class TestARecording:
    def test_is_a_har_when_it_is_closed(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            for number in range(5):
                recorder(exchange(number))
        assert numbers(har.read(path)) == [0, 1, 2, 3, 4]
        assert list(path.parent.iterdir()) == [path]

    def test_of_nothing_is_a_har_too(self, path: Path) -> None:
        HARRecorder(path).close()
        assert har.read(path) == []
        assert list(path.parent.iterdir()) == [path]

    def test_says_by_whom_it_is(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metadata, "version", {"transportkit": "1.2.3"}.__getitem__)
        HARRecorder(path).close()
        creator = {"name": "transportkit", "version": "1.2.3"}
        assert json.loads(path.read_text())["log"]["creator"] == creator

        def not_installed(name: str) -> str:
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", not_installed)
        HARRecorder(path).close()
        assert json.loads(path.read_text())["log"]["creator"]["version"] == "unknown"

    def test_is_for_its_owners_eyes_alone(self, path: Path) -> None:
        path.touch(0o644)
        with HARRecorder(path) as recorder:
            recorder(exchange())
            assert stat.S_IMODE(part(path).stat().st_mode) == 0o600
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_leaves_no_thread(self, path: Path) -> None:
        before = threading.active_count()
        with HARRecorder(path) as recorder:
            # None is there before it is needed.
            assert threading.active_count() == before
            recorder(exchange())
            assert threading.active_count() == before + 1
        assert threading.active_count() == before

    def test_touches_no_file_where_requests_are_made(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads = set()
        line_of, append, finish = har_entry.line_of, HARFile.append, HARFile.finish

        def here(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:
                threads.add(threading.current_thread())
                return function(*arguments)

            return call

        monkeypatch.setattr(har_module, "line_of", here(line_of))
        monkeypatch.setattr(HARFile, "append", here(append))
        monkeypatch.setattr(HARFile, "finish", here(finish))
        with HARRecorder(path) as recorder:
            recorder(exchange())
        assert len(threads) == 1
        assert threading.current_thread() not in threads

    def test_follows_a_symlink_and_leaves_it_one(self, path: Path) -> None:
        link = path.with_name("link.har")
        link.symlink_to(path)
        with HARRecorder(link) as recorder:
            recorder(exchange())
        assert link.is_symlink()
        assert len(har.read(path)) == 1

    def test_stays_where_it_is_when_the_program_moves(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(path.parent)
        (path.parent / "elsewhere").mkdir()
        with HARRecorder(path.name) as recorder:
            monkeypatch.chdir("elsewhere")
            recorder(exchange())
        assert len(har.read(path)) == 1

    def test_replaces_an_older_one(self, path: Path) -> None:
        for number in (1, 2):
            with HARRecorder(path) as recorder:
                recorder(exchange(number))
        assert numbers(har.read(path)) == [2]

    @pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
    def test_takes_from_many_threads(self, path: Path, count: int) -> None:
        with HARRecorder(path) as recorder, ThreadPoolExecutor(8) as pool:
            for _ in pool.map(recorder, map(exchange, range(count))):
                pass
        assert sorted(numbers(har.read(path))) == list(range(count))

    @pytest.mark.parametrize("count", [100, pytest.param(3000, marks=pytest.mark.slow)])
    def test_of_many_is_whole(self, path: Path, count: int) -> None:
        with HARRecorder(path) as recorder:
            for number in range(count):
                recorder(exchange(number))
        assert numbers(har.read(path)) == list(range(count))
        assert [entry.response.status for entry in har.load(path)] == [200] * count

    @pytest.mark.parametrize("most", [10, pytest.param(40, marks=pytest.mark.slow)])
    @pytest.mark.parametrize(("limit", "each"), [("_MAX_EXCHANGES", 1), ("_MAX_BYTES", 8192)])
    def test_takes_no_more_memory_for_more_exchanges(
        self, limit: str, each: int, most: int, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backlog, limit, most * each)
        monkeypatch.setattr(har_file, "_CHUNK_BYTES", 8192)

        def peak(entries: int) -> int:
            tracemalloc.start()
            try:
                with HARRecorder(path) as recorder:
                    for number in range(entries):
                        recorder(exchange(number, body=b"x" * 8192))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        peak(1)
        few, many = peak(2 * most), peak(20 * most)
        assert many < 1.5 * few
        assert path.stat().st_size > 20 * most * 8192

    def test_says_what_it_is(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            assert repr(recorder) == f"<HARRecorder of {str(path)!r}>"


class TestReaders:
    """While it is recorded."""

    def test_find_a_whole_file_when_the_entries_have_doubled(self, path: Path) -> None:
        file = HARFile(path)
        found = []
        for number in range(1, 20):
            file.append(b'{"number": %d}\n' % number)
            log = json.loads(path.read_text())["log"]
            assert [entry["number"] for entry in log["entries"]] == list(
                range(1, len(log["entries"]) + 1)
            )
            found.append(len(log["entries"]))
        assert found == [1, 2, 2, 4, 4, 4, 4, *[8] * 8, *[16] * 4]
        assert lines(path) == 19
        file.finish()
        assert len(json.loads(path.read_text())["log"]["entries"]) == 19

    @pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
    def test_find_a_whole_file_at_any_moment(self, path: Path, count: int) -> None:
        done = threading.Event()
        HARRecorder(path).close()

        def read() -> set[int]:
            found, is_last = set(), False
            while not is_last:
                is_last = done.is_set()
                found.add(len(json.loads(path.read_bytes())["log"]["entries"]))
            return found

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            with HARRecorder(path) as recorder:
                for number in range(count):
                    recorder(exchange(number))
            done.set()
            found = set().union(*(reader.result() for reader in readers))
        assert {count} <= found <= {0, *(2**exponent for exponent in range(10)), count}

    def test_find_each_entry_in_the_part_at_once(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            waits = Waits(recorder)
            for number in range(3):
                recorder(exchange(number))
                waits.until_written()
                assert lines(path) == number + 1
            entries = [json.loads(line) for line in part(path).read_bytes().splitlines()]
            assert numbers(entries) == [0, 1, 2]

    @given(st.lists(st.integers(0, 400), min_size=1, max_size=40))
    def test_find_what_was_copied_in_pieces_of_any_size(self, sizes: list[int]) -> None:
        with pytest.MonkeyPatch.context() as patch, directory() as path:
            patch.setattr(har_file, "_CHUNK_BYTES", 64)
            file = HARFile(path)
            for size in sizes:
                file.append(json.dumps({"text": "x" * size}).encode() + b"\n")
            file.finish()
            entries = json.loads(path.read_text())["log"]["entries"]
            assert [len(entry["text"]) for entry in entries] == sizes


@contextmanager
def directory() -> Iterator[Path]:
    """For tests that run many times: the path of a HAR in a new directory."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        yield Path(name, "exchanges.har")


class SlowFile:
    """Stands in for `HARFile.append`: writes as many entries as it is told to."""

    def __init__(self) -> None:
        self.turns = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.append = HARFile.append

    def __call__(self, file: HARFile, line: bytes) -> None:
        self.begun.release()
        assert self.turns.acquire(timeout=60)
        self.append(file, line)

    def go_on(self, entries: int = 1) -> None:
        self.turns.release(entries)

    def wait_for_entries(self, entries: int) -> None:
        """Return when so many more have come to be written."""
        for _ in range(entries):
            assert self.begun.acquire(timeout=60)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowFile:
    slow = SlowFile()

    def append(file: HARFile, line: bytes) -> None:
        slow(file, line)

    monkeypatch.setattr(HARFile, "append", append)
    return slow


class TestTheQueue:
    def test_makes_no_burst_wait(self, path: Path, slow: SlowFile) -> None:
        """Of 600 answers with 22 KB of text, which take seconds."""
        with HARRecorder(path) as recorder:
            for number in range(600):
                recorder(exchange(number, b"x" * 22_000))
            assert not path.exists()
            slow.go_on(600)
        assert numbers(har.read(path)) == list(range(600))

    @pytest.mark.parametrize(
        ("limit", "value", "held"),
        [("_MAX_EXCHANGES", 64, 64), ("_MAX_BYTES", 6400, 64), ("_MAX_BYTES", 6499, 64)],
    )
    def test_makes_requests_wait_when_it_is_full(
        self,
        limit: str,
        value: int,
        held: int,
        path: Path,
        slow: SlowFile,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(backlog, limit, value)
        with HARRecorder(path) as recorder, ThreadPoolExecutor(2) as pool:
            waits = Waits(recorder)
            for number in range(held):
                recorder(exchange(number, b"x" * 100))
            late = pool.submit(recorder, exchange(held, b"x" * 100))
            waits.until_threads(1)
            slow.go_on()
            slow.wait_for_entries(2)
            # There would be room for this one, but not for many.
            later = pool.submit(recorder, exchange(held))
            waits.until_threads(2)
            assert not late.done()
            assert not later.done()
            slow.go_on()
            late.result(60)
            later.result(60)
            # Most are waiting still.
            assert lines(path) == 2
            slow.go_on(held)
        assert sorted(numbers(har.read(path))) == [*range(held), held, held]

    def test_takes_one_that_is_larger_than_all_may_be_when_it_is_alone(
        self, path: Path, slow: SlowFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backlog, "_MAX_BYTES", 100)
        with HARRecorder(path) as recorder, ThreadPoolExecutor(1) as pool:
            waits = Waits(recorder)
            recorder(exchange(0, b"x" * 200))
            late = pool.submit(recorder, exchange(1, b"x" * 200))
            waits.until_threads(1)
            assert not late.done()
            slow.go_on()
            late.result(60)
            slow.go_on()
        assert numbers(har.read(path)) == [0, 1]

    def test_counts_what_is_sent_too(
        self, path: Path, slow: SlowFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backlog, "_MAX_BYTES", 100)
        sent = BodyCapture(60)
        sent.add(b"x" * 1000)
        uploads = [
            Exchange(Record("PUT", httpx.URL(f"https://example.com/{number}"), sent=sent))
            for number in range(2)
        ]
        with HARRecorder(path) as recorder, ThreadPoolExecutor(1) as pool:
            waits = Waits(recorder)
            recorder(uploads[0])
            late = pool.submit(recorder, uploads[1])
            waits.until_threads(1)
            slow.go_on(2)
            late.result(60)
        assert numbers(har.read(path)) == [0, 1]

    def test_keeps_count_of_a_body_that_is_sent_after_the_answer(self, path: Path) -> None:
        late = exchange()
        with HARRecorder(path) as recorder:
            waits = Waits(recorder)
            recorder(late)
            late._record.sent.limit = 10
            late._record.sent.add(b"late")
            waits.until_written()
            assert recorder._backlog.bytes == 0

    def test_lets_go_of_who_waits_when_it_is_closed(
        self, path: Path, slow: SlowFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backlog, "_MAX_EXCHANGES", 2)
        recorder = HARRecorder(path)
        waits = Waits(recorder)
        recorder(exchange(0))
        recorder(exchange(1))
        with ThreadPoolExecutor(3) as pool:
            late = pool.submit(recorder, exchange(2))
            waits.until_threads(1)
            closing = [pool.submit(recorder.close) for _ in range(2)]
            with pytest.raises(RuntimeError, match="is closed"):
                late.result(60)
            slow.go_on(2)
            for each in closing:
                each.result(60)
        assert numbers(har.read(path)) == [0, 1]


class TestAfterClosing:
    def test_there_is_no_more_recording(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            recorder(exchange(1))
        with pytest.raises(RuntimeError, match=r"<HARRecorder of '.*'> is closed: make another"):
            recorder(exchange(2))
        assert numbers(har.read(path)) == [1]

    def test_another_closing_changes_nothing(self, path: Path) -> None:
        recorder = HARRecorder(path)
        recorder.close()
        path.unlink()
        recorder.close()
        assert not path.exists()

    async def test_requests_go_on(
        self, flavour: Flavour, origin: Origin, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        recorder = HARRecorder(path)
        transport = flavour.DebuggingTransport(None, recorder)
        async with flavour.client(transport=transport) as client:
            assert (await client.get(origin.http)).status_code == 200
            recorder.close()
            assert (await client.get(origin.http)).status_code == 200
        assert "is closed" in caplog.text
        assert len(har.read(path)) == 1


class TestAPath:
    @pytest.mark.parametrize("path", [None, 3, b"exchanges.har"])
    def test_is_a_path(self, path: Any) -> None:
        with pytest.raises(TypeError, match=r"^path must be a string or a pathlib.Path, not "):
            HARRecorder(path)

    def test_needs_a_directory(self, path: Path) -> None:
        missing = path.parent / "missing" / path.name
        for call in (HARRecorder, HARRecorder.recover):
            with pytest.raises(ValueError, match=r"there is no directory '.*missing': make it"):
                call(missing)

    def test_is_not_expanded(self) -> None:
        with pytest.raises(ValueError, match=r"Path\('~/x.har'\).expanduser\(\)"):
            HARRecorder("~/x.har")

    def test_has_no_null_character(self) -> None:
        for call in (HARRecorder, HARRecorder.recover):
            with pytest.raises(ValueError, match=r"^path='a\\x00b' has a null character in it"):
                call("a\0b")

    def test_is_no_directory(self, path: Path) -> None:
        with pytest.raises(ValueError, match="is not a regular file"):
            HARRecorder(path.parent)

    def test_is_one_recorders_at_a_time(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            for call in (HARRecorder, HARRecorder.recover):
                with pytest.raises(ValueError, match="being written by another HARRecorder"):
                    call(path)
            recorder(exchange())
        assert len(har.read(path)) == 1

    @pytest.mark.slow
    def test_is_one_processes_at_a_time(self, path: Path) -> None:
        with (
            recording(path, "wait"),
            pytest.raises(ValueError, match="being written by another HARRecorder"),
        ):
            HARRecorder(path)

    def test_that_was_let_go_in_the_meantime_can_be_had(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, lock = HARFile(path), atomic._lock

        def let_go_before(descriptor: int, *, wait: bool) -> None:
            # The first time what is locked is the file that the other one has just removed.
            monkeypatch.setattr(atomic, "_lock", lock)
            first.finish()
            lock(descriptor, wait=wait)

        monkeypatch.setattr(atomic, "_lock", let_go_before)
        with HARRecorder(path) as recorder:
            waits = Waits(recorder)
            recorder(exchange(1))
            waits.until_written()
            assert lines(path) == 1
        assert numbers(har.read(path)) == [1]


@contextmanager
def recording(path: Path, ending: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has recorded three exchanges, and now ends as it is told."""
    command = [sys.executable, "-W", "error", "-m", "support.recorder", str(path), ending]
    tests = Path(har.__file__).parents[1]
    running = subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True, cwd=tests)
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        yield running
    finally:
        running.kill()
        running.communicate()


class TestAProgramThatEndsWithoutClosing:
    @pytest.mark.parametrize(
        "ending",
        [
            "return",
            *(pytest.param(each, marks=pytest.mark.slow) for each in ("raise", "exit", "thread")),
        ],
    )
    def test_writes_the_har_at_its_exit(self, path: Path, ending: str) -> None:
        with recording(path, ending) as running:
            errors = running.communicate("go\n", timeout=60)[1]
        assert ("ZeroDivisionError" in errors) is (ending == "raise")
        assert "HARRecorder" not in errors
        assert numbers(har.read(path)) == [0, 1, 2]
        assert not part(path).exists()

    @pytest.mark.parametrize("ending", [pytest.param("_exit", marks=pytest.mark.slow), "wait"])
    def test_or_leaves_what_can_be_recovered(self, path: Path, ending: str) -> None:
        with recording(path, ending) as running:
            if ending == "wait":
                running.send_signal(signal.SIGKILL)
            running.communicate("go\n", timeout=60)
        assert numbers(har.read(path)) == [0, 1]
        assert HARRecorder.recover(path) == 3
        assert numbers(har.read(path)) == [0, 1, 2]
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.slow
    def test_and_is_killed_while_it_records_loses_a_torn_line_at_most(self, path: Path) -> None:
        with recording(path, "go on") as running:
            assert running.stdin is not None
            running.stdin.write("go\n")
            running.stdin.flush()
            assert running.stdout is not None
            assert running.stdout.readline() == "going on\n"
            running.send_signal(signal.SIGKILL)
            running.communicate()
        har.read(path)
        found = lines(path)
        assert found > 100
        assert HARRecorder.recover(path) in (found, found + 1)
        entries = numbers(har.read(path))
        assert entries == list(range(len(entries)))

    @pytest.mark.slow
    def test_and_forks_records_what_it_does_itself(self, path: Path) -> None:
        with recording(path, "fork") as running:
            errors = running.communicate("go\n", timeout=60)[1]
        assert errors.count("is of the process that forked this one") == 1
        assert numbers(har.read(path)) == [0, 1, 2, 3]


class TestAForkedChild:
    def test_records_nothing_and_closes_nothing(
        self, path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorder = HARRecorder(path)
        recorder(exchange(1))
        with monkeypatch.context() as patch:
            # As in a fork in TestAProgramThatEndsWithoutClosing, whose child nobody watches.
            patch.setattr(recorder, "_is_inherited", True)
            for number in (2, 3):
                recorder(exchange(number))
            recorder.close()
        recorder(exchange(4))
        recorder.close()
        assert numbers(har.read(path)) == [1, 4]
        assert len(caplog.messages) == 1
        assert "is of the process that forked this one" in caplog.text


class TestRecovering:
    def test_needs_something_to_recover(self, path: Path) -> None:
        HARRecorder(path).close()
        with pytest.raises(FileNotFoundError, match=r"\.part"):
            HARRecorder.recover(path)
        assert har.read(path) == []

    @given(st.data())
    def test_loses_a_torn_last_line_at_most(self, data: st.DataObject) -> None:
        with directory() as path:
            content = b"".join(har_entry.line_of(exchange(number)) for number in range(3))
            cut = data.draw(st.integers(0, len(content)))
            part(path).write_bytes(content[:cut])
            # Without its newline a line is whole, too.
            whole = content[: cut + 1].count(b"\n") if cut else 0
            assert HARRecorder.recover(path) == whole
            assert numbers(har.read(path)) == list(range(whole))
            assert not part(path).exists()

    @pytest.mark.parametrize("broken", [b"\0" * 4096, b"\n", b"3\n", b'{"a"\n', b"\xff\n"])
    def test_loses_what_is_no_entry(self, path: Path, broken: bytes) -> None:
        first, second = (har_entry.line_of(exchange(number)) for number in (1, 2))
        if not broken.endswith(b"\n"):
            second = b""
        part(path).write_bytes(first + broken + second)
        assert HARRecorder.recover(path) == (2 if second else 1)
        assert numbers(har.read(path)) == ([1, 2] if second else [1])

    def test_of_nothing_leaves_an_older_har(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            recorder(exchange(1))
        part(path).touch()
        assert HARRecorder.recover(path) == 0
        assert numbers(har.read(path)) == [1]
        assert not part(path).exists()

    def test_can_be_tried_again_when_it_failed(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        part(path).write_bytes(har_entry.line_of(exchange(1)))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", no_space)
            with pytest.raises(OSError, match="No space left"):
                HARRecorder.recover(path)
        assert list(path.parent.iterdir()) == [part(path)]
        assert HARRecorder.recover(path) == 1

    def test_is_not_needed_before_another_recording(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        for number in (1, 2, 3):
            part(path).write_bytes(har_entry.line_of(exchange(number)))
            with HARRecorder(path) as recorder:
                recorder(exchange(9))
        assert numbers(har.read(path)) == [9]
        for number, message in zip((1, 2, 3), caplog.messages, strict=True):
            aside = path.with_name(f"exchanges.{number}.har")
            assert f"HARRecorder.recover({str(aside)!r}) makes a HAR" in message
            assert HARRecorder.recover(aside) == 1
            assert numbers(har.read(aside)) == [number]

    def test_does_not_wait_for_what_was_written_to_the_side(self, path: Path) -> None:
        new = path.with_name(f"{path.name}.new")
        new.write_text("half a")
        HARRecorder(path).close()
        assert har.read(path) == []
        assert not new.exists()


def no_space(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """No file can become larger: the system itself says so, after half a line."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class TestAFullDisk:
    def test_loses_entries_and_nothing_else(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        body = b"x" * 225_000
        with HARRecorder(path) as recorder:
            waits = Waits(recorder)
            with little_space(1_000_000):
                for number in range(6):
                    recorder(exchange(number, body))
                waits.until_written()
            for number in range(6, 9):
                recorder(exchange(number))
        assert [number for number in numbers(har.read(path)) if number not in {3, 4, 5}] == [
            0, 1, 2, 6, 7, 8,
        ]  # fmt: skip
        assert len(caplog.messages) == 1
        assert "File too large" in caplog.text

    def test_that_tears_a_line_and_a_kill_lose_that_line(self, path: Path) -> None:
        file = HARFile(path)
        first, second = (har_entry.line_of(exchange(n, b"x" * 225_000)) for n in (1, 2))
        file.append(first)
        with little_space(400_000), pytest.raises(OSError, match="File too large"):
            file.append(second)
        file.append(har_entry.line_of(exchange(3)))
        release(file._descriptor)
        assert part(path).stat().st_size == 400_000
        assert HARRecorder.recover(path) == 2
        assert numbers(har.read(path)) == [1, 3]

    def test_at_the_end_is_an_error_and_loses_nothing(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorder = HARRecorder(path)
        waits = Waits(recorder)
        for number in range(3):
            recorder(exchange(number))
        waits.until_written()
        monkeypatch.setattr(os, "fsync", no_space)
        with pytest.raises(OSError, match="No space left"):
            recorder.close()
        recorder.close()
        monkeypatch.undo()
        assert HARRecorder.recover(path) == 3
        assert numbers(har.read(path)) == [0, 1, 2]

    def test_at_the_end_of_a_with_is_an_error_too(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(OSError, match="No space left"), HARRecorder(path):
            monkeypatch.setattr(os, "fsync", no_space)
        assert part(path).exists()

    def test_at_the_end_hides_no_other_error(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail() -> None:
            with HARRecorder(path):
                monkeypatch.setattr(os, "fsync", no_space)
                raise KeyError("mine")

        with pytest.raises(KeyError) as caught:
            fail()
        (note,) = caught.value.__notes__
        assert note.startswith("Closing <HARRecorder of ")
        assert "No space left on device" in note


class TestWhatCannotBeWritten:
    def test_is_logged_once_and_the_rest_is_recorded(
        self, path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        line_of = har_entry.line_of

        def fail(exchange: Exchange) -> bytes:
            if not exchange.url.endswith("/1"):
                raise ValueError("password=tiger")
            return line_of(exchange)

        monkeypatch.setattr(har_module, "line_of", fail)
        with HARRecorder(path) as recorder:
            for number in (0, 1, 2):
                recorder(exchange(number))
        assert numbers(har.read(path)) == [1]
        assert caplog.record_tuples == [
            (
                "transportkit.debugging",
                logging.ERROR,
                f"{recorder!r} has lost an entry: ValueError",
            )
        ]

    def test_is_not_what_somebody_has_removed(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            waits = Waits(recorder)
            recorder(exchange(0))
            waits.until_written()
            part(path).unlink()
            recorder(exchange(1))
        assert list(path.parent.iterdir()) == [path]

    def test_is_what_somebody_has_cut_off(self, path: Path) -> None:
        with HARRecorder(path) as recorder:
            waits = Waits(recorder)
            recorder(exchange(0))
            waits.until_written()
            os.truncate(part(path), 10)
            with pytest.raises(OSError, match="somebody has truncated it"):
                recorder.close()
        # It is what it was before.
        assert numbers(har.read(path)) == [0]


def no_wait(state: object) -> float:
    return 0


def answer_in_pieces(http: h2.connection.H2Connection, request: http2.H2Request) -> bool:
    http.send_headers(request.stream, [(":status", "200"), ("content-type", "text/plain")])
    http.send_data(request.stream, b"hello ")
    http.send_data(request.stream, b"world", end_stream=True)
    return True


class TestOnTheWire:
    async def test_redirects_retries_and_failures_are_entries_of_their_own(
        self, flavour: Flavour, path: Path
    ) -> None:
        picture = b"\x89PNG\x00\xff"
        script = (
            faulty.answer(302, {"Location": "/there?token=tiger", "Set-Cookie": "a=tiger"}),
            faulty.answer(200, {"Content-Type": "image/png"}, picture),
            faulty.answer(503, {"Content-Type": "text/plain"}, b"busy"),
            faulty.answer(200, {"Content-Type": "text/plain"}, b"fine"),
            faulty.reset_after_request,
            faulty.half_a_chunk(200),
        )
        recorder = HARRecorder(path)
        transport = flavour.RetryTransport(
            flavour.DebuggingTransport(None, recorder, bodies=4096), RetryPolicy(wait=no_wait)
        )
        with faulty_origin(*script) as origin, faulty_origin(listening=False) as nobody, recorder:
            async with flavour.client(transport=transport, follow_redirects=True) as client:
                assert (await client.get(origin.url)).content == picture
                assert (await client.get(origin.url)).text == "fine"
                with pytest.raises(httpx.TransportError):
                    await client.post(origin.url, data={"city": "K\u00f6ln", "password": "tiger"})
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get(origin.url)
                with pytest.raises(httpx.ConnectError):
                    await client.get(nobody.url, extensions={"retry": None})
        entries = har.read(path)
        statuses = [302, 200, 503, 200, 0, 200, 0]
        assert [entry["response"]["status"] for entry in entries] == statuses
        assert [entry.status for entry in har.load(path)] == statuses
        assert ["_error" in entry["response"] for entry in entries] == [False] * 4 + [True] * 3
        redirect, redirected, busy, again, reset, broken, refused = entries
        assert redirect["response"]["redirectURL"] == "/there?token=****"
        assert redirected["request"]["url"] == f"{origin.url}/there?token=****"
        assert redirected["response"]["content"]["encoding"] == "base64"
        assert (busy["response"]["content"]["text"], again["response"]["content"]["text"]) == (
            "busy",
            "fine",
        )
        params = {field["name"]: field["value"] for field in reset["request"]["postData"]["params"]}
        assert params == {"city": "K\u00f6ln", "password": "****"}
        assert broken["response"]["_error"].startswith("RemoteProtocolError: ")
        assert refused["response"]["_error"].startswith("ConnectError")
        assert (refused["timings"]["connect"] >= 0, refused["timings"]["send"]) == (True, 0)
        assert (redirect["timings"]["connect"] >= 0, redirect["timings"]["ssl"]) == (True, -1)
        assert redirected["timings"]["connect"] == -1
        assert redirect["serverIPAddress"] == "127.0.0.1"
        assert redirect["connection"] == origin.url.rpartition(":")[2]
        assert "tiger" not in json.dumps(entries)

    async def test_around_a_retry_transport_an_entry_has_all_attempts(
        self, flavour: Flavour, path: Path
    ) -> None:
        inner = flavour.RetryTransport(policy=RetryPolicy(wait=no_wait))
        with (
            faulty_origin(faulty.answer(503), faulty.reset_after_request) as origin,
            HARRecorder(path) as recorder,
        ):
            transport = flavour.DebuggingTransport(inner, recorder)
            async with flavour.client(transport=transport) as client:
                await client.get(origin.url)
        (entry,) = har.read(path)
        assert entry["response"]["status"] == 200
        first, second, *_ = entry["_attempts"]
        assert first == {"outcome": 503, "waited": 0}
        assert "Error" in second["outcome"]

    async def test_http2_has_streams(
        self, flavour: Flavour, path: Path, certificates: Path
    ) -> None:
        recorder = HARRecorder(path)
        transport = flavour.DebuggingTransport(None, recorder, bodies=4096, http2=True)
        with http2.h2_origin(certificates, answer_in_pieces) as (_, url), recorder:
            async with flavour.client(transport=transport) as client:
                for _ in range(2):
                    assert (await client.get(url)).text == "hello world"
        entries = har.read(path)
        assert [entry["response"]["httpVersion"] for entry in entries] == ["HTTP/2"] * 2
        assert [entry["_streamId"] for entry in entries] == [1, 3]
        assert [entry["response"]["content"]["text"] for entry in entries] == ["hello world"] * 2
        assert [entry["timings"]["ssl"] > 0 for entry in entries] == [True, False]
        assert all(entry.secure for entry in har.load(path))
        assert entries[0]["_tlsVersion"].startswith("TLSv1.")


class TestThePicture:
    """In the README."""

    def test_is_of_a_har_that_everybody_reads(self) -> None:
        entries = har.read(EXAMPLES / "waterfall.har")
        assert len(entries) == len(har.load(EXAMPLES / "waterfall.har")) == 8

    def test_is_what_the_script_draws(self) -> None:
        command = [sys.executable, str(EXAMPLES / "waterfall.py")]
        drawn = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
        assert drawn == (EXAMPLES / "waterfall.svg").read_bytes()
