"""curl's file: what its lines mean, and that it is replaced whole or not at all."""

import errno
import fcntl
import logging
import math
import os
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transportkit.https.curl_file import CurlFile, format_line, parse_line, parse_lines
from transportkit.https.rfc6797 import Entry
from transportkit.wire import atomic

NOW = 1_700_000_000
Y2031 = datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
A = Entry(Y2031, include_subdomains=False)
WIDE = Entry(Y2031, include_subdomains=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hsts.txt"


@pytest.mark.parametrize(
    ("line", "parsed"),
    [
        (b'example.com "20301231 23:59:59"', ("example.com", A)),
        (b'.example.com "20301231 23:59:59"\n', ("example.com", WIDE)),
        (b'  example.com\t "20301231 23:59:59"  \r\n', ("example.com", A)),
        (b'EXAMPLE.com. "20301231 23:59:59"', ("example.com", A)),
        ('.münchen.example "20301231 23:59:59"'.encode(), ("xn--mnchen-3ya.example", WIDE)),
        (b'a "unlimited"', ("a", Entry(math.inf, include_subdomains=False))),
        (b'a "336581208 01:46:39"', ("a", Entry(math.inf, include_subdomains=False))),
        (b'a "' + b"9" * 9999 + b' 01:46:39"', ("a", Entry(math.inf, include_subdomains=False))),
        (b'a "99991231 23:59:59"', ("a", Entry(253402300799, include_subdomains=False))),
        (b'a "20240229 00:00:00"', ("a", Entry(1709164800, include_subdomains=False))),
        (b'a "00010101 00:00:00"', ("a", Entry(-62135596800, include_subdomains=False))),
        # Broken.
        (b"example.com", None),
        (b"example.com 20301231 23:59:59", None),
        (b'example.com "20301231 23:59:59', None),
        (b'example.com "20301231 23:59:59" x', None),
        (b'example.com "20301231"', None),
        (b'example.com "tomorrow"', None),
        (b'example.com "20301331 23:59:59"', None),
        (b'example.com "20230229 00:00:00"', None),
        (b'example.com "20301231 24:00:00"', None),
        (b'example.com "00000101 00:00:00"', None),
        (b'"20301231 23:59:59"', None),
        (b'example.com example.org "20301231 23:59:59"', None),
        (b'127.0.0.1 "20301231 23:59:59"', None),
        (b'. "20301231 23:59:59"', None),
        (b'..example.com "20301231 23:59:59"', None),
        (b'*.example.com "20301231 23:59:59"', None),
        (b'm\xfcnchen.example "20301231 23:59:59"', None),
        ('example.com "\uff12\uff10\uff13\uff101231 23:59:59"'.encode(), None),
        (b"\x00\xff", None),
    ],
)
def test_a_line_means(line: bytes, parsed: tuple[str, Entry] | None) -> None:
    assert parse_line(line) == parsed


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (A, 'a.example "20301231 23:59:59"'),
        (WIDE, '.a.example "20301231 23:59:59"'),
        (Entry(Y2031 + 0.9, include_subdomains=False), 'a.example "20301231 23:59:59"'),
        (Entry(math.inf, include_subdomains=True), '.a.example "unlimited"'),
        (Entry(253402300800, include_subdomains=False), 'a.example "unlimited"'),
        (Entry(253402300799, include_subdomains=False), 'a.example "99991231 23:59:59"'),
    ],
)
def test_an_entry_is_written_as_curl_writes_it(entry: Entry, line: str) -> None:
    assert format_line("a.example", entry) == line


@given(st.integers(NOW, 253402300799) | st.just(math.inf), st.booleans())
def test_what_is_written_is_read(expires: float, subdomains: bool) -> None:
    entry = Entry(expires, subdomains)
    assert parse_line(format_line("a.example", entry).encode()) == ("a.example", entry)


@given(st.binary(max_size=200) | st.text(alphabet='.a0 "#\n\t2:', max_size=200).map(str.encode))
def test_no_content_is_too_odd(content: bytes) -> None:
    hosts, broken = parse_lines(content.splitlines(keepends=True), NOW)
    assert len(hosts) + len(broken) <= content.count(b"\n") + content.count(b"\r") + 1
    for name, entry in hosts.items():
        assert parse_line(format_line(name, entry).encode()) == (name, entry)


def test_comments_and_empty_lines_are_passed_over_and_broken_ones_counted() -> None:
    lines = [b"# \xff\n", b"\n", b" # x\n", b"x\n", b'a "unlimited"\n', b"\r\n", b"\xff"]
    hosts, broken = parse_lines(lines, NOW)
    assert list(hosts) == ["a"]
    assert broken == [4, 7]


@pytest.mark.parametrize(
    ("lines", "entry"),
    [
        ([b'a "20301231 23:59:59"', b'a "20291231 23:59:59"'], A),
        ([b'a "20291231 23:59:59"', b'a "20301231 23:59:59"'], A),
        ([b'.a "20291231 23:59:59"', b'a "20301231 23:59:59"'], WIDE),
        ([b'a "20301231 23:59:59"', b'.A. "20291231 23:59:59"'], WIDE),
        # One that has expired has nothing to say any more.
        ([b'a "20301231 23:59:59"', b'.a "20201231 23:59:59"'], A),
        ([b'.a "20201231 23:59:59"', b'a "20301231 23:59:59"'], A),
    ],
)
def test_of_a_host_that_is_there_twice_the_later_and_the_wider_holds(
    lines: list[bytes], entry: Entry
) -> None:
    assert parse_lines(lines, NOW) == ({"a": entry}, [])


def test_what_has_expired_is_left_out_and_not_called_broken() -> None:
    assert parse_lines([b'a "20201231 23:59:59"', b'b "20231114 22:13:20"'], NOW) == ({}, [])


def test_a_file_that_is_not_there_is_empty(path: Path) -> None:
    assert CurlFile(path).read(NOW) == {}
    assert not path.exists()


@pytest.mark.parametrize("as_path", [str, Path])
def test_it_reads_what_it_wrote_in_the_same_order(
    path: Path, as_path: Callable[[Path], Any]
) -> None:
    hosts = {"b.example": A, "a.example": WIDE, "c": Entry(math.inf, include_subdomains=False)}
    file = CurlFile(as_path(path))
    file.replace(hosts)
    assert list(file.read(NOW).items()) == list(hosts.items())
    assert path.read_text() == (
        "# Your HSTS cache. https://curl.se/docs/hsts.html\n"
        "# This file was written by transportkit. Edit at your own risk.\n"
        'b.example "20301231 23:59:59"\n'
        '.a.example "20301231 23:59:59"\n'
        'c "unlimited"\n'
    )


def test_a_relative_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = CurlFile("hsts.txt")
    monkeypatch.chdir("/")
    file.replace({"a": A})
    assert (tmp_path / "hsts.txt").exists()


class TestPermissions:
    def test_are_for_the_owner_alone(self, path: Path) -> None:
        file = CurlFile(path)
        umask = os.umask(0)
        try:
            with file.exclusively():
                file.replace({"a": A})
        finally:
            os.umask(umask)
        modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
        assert modes == {"hsts.txt": 0o600, "hsts.txt.lock": 0o600}

    def test_that_were_given_later_stay(self, path: Path) -> None:
        path.touch(0o600)
        path.chmod(0o640)
        CurlFile(path).replace({"a": A})
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


class TestSymbolicLinks:
    @pytest.mark.parametrize("is_there", [True, False])
    def test_stay_and_lead_to_the_new_file(self, tmp_path: Path, is_there: bool) -> None:
        (tmp_path / "real").mkdir()
        target, link = tmp_path / "real" / "hsts.txt", tmp_path / "link"
        if is_there:
            target.touch()
        link.symlink_to(target)
        file = CurlFile(link)
        with file.exclusively():
            file.replace({"a": A})
        assert link.is_symlink()
        assert CurlFile(target).read(NOW) == CurlFile(link).read(NOW) == {"a": A}
        # Those who come by the link and those who do not take turns by the same lock.
        assert {entry.name for entry in tmp_path.iterdir()} == {"real", "link"}
        assert {entry.name for entry in target.parent.iterdir()} == {"hsts.txt", "hsts.txt.lock"}


class TestWhenWritingFails:
    @pytest.fixture(params=["fsync", "replace", "interrupt"])
    def failure(
        self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[type[BaseException]]:
        def fail(*arguments: object) -> None:
            if request.param == "interrupt":
                raise KeyboardInterrupt
            raise OSError(errno.ENOSPC, "No space left on device")

        owner, name = (Path, "replace") if request.param == "replace" else (os, "fsync")
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, fail)
            yield KeyboardInterrupt if request.param == "interrupt" else OSError

    def test_the_file_is_as_it_was_and_nothing_lies_beside_it(
        self, path: Path, failure: type[BaseException]
    ) -> None:
        path.write_text("as it was")
        with pytest.raises(failure):
            CurlFile(path).replace({"a": A})
        assert path.read_text() == "as it was"
        assert list(path.parent.iterdir()) == [path]

    def test_the_lock_is_let_go(self, path: Path, failure: type[BaseException]) -> None:
        file = CurlFile(path)
        with pytest.raises(failure), file.exclusively():
            file.replace({"a": A})
        with file.exclusively():
            pass


class TestTakingTurns:
    def test_one_waits_for_the_other(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        waiting = threading.Event()
        lock = atomic._lock

        def announced(descriptor: int, *, wait: bool) -> None:
            if threading.current_thread() is other:
                waiting.set()
            lock(descriptor, wait=wait)

        def replace() -> None:
            with CurlFile(path).exclusively():
                said.append("other")

        other = threading.Thread(target=replace)
        monkeypatch.setattr(atomic, "_lock", announced)
        with CurlFile(path).exclusively():
            other.start()
            assert waiting.wait(10)
            said.append("one")
        other.join(10)
        assert said == ["one", "other"]

    def test_a_child_that_was_forked_meanwhile_does_not_hold_on(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copies: list[int] = []
        lock = atomic._lock

        def forked(descriptor: int, *, wait: bool) -> None:
            lock(descriptor, wait=wait)
            # What a child has of it. A real fork warns where there are threads.
            copies.append(os.dup(descriptor))

        monkeypatch.setattr(atomic, "_lock", forked)
        with CurlFile(path).exclusively():
            pass
        try:
            with path.with_name("hsts.txt.lock").open() as other:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(*copies)


class TestBrokenLines:
    def test_are_logged_once(self, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path.write_bytes(b'a "unlimited"\nbroken secret\nbroken\n')
        file = CurlFile(path)
        for _ in range(3):
            assert list(file.read(NOW)) == ["a"]
        assert [(record.name, record.levelno) for record in caplog.records] == [
            ("transportkit.https", logging.WARNING)
        ]
        assert "left out 2 broken lines, the first is line 2" in caplog.text
        assert str(path) in caplog.text
        # Nobody knows what a line holds that should not be there.
        assert "secret" not in caplog.text

    def test_are_logged_even_if_they_came_later(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = CurlFile(path)
        file.read(NOW)
        path.write_text("broken\n")
        file.read(NOW)
        assert len(caplog.records) == 1

    def test_of_which_there_are_none_are_not_logged(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        path.write_text('# comment\n\na "20201231 23:59:59"\n')
        CurlFile(path).read(NOW)
        assert caplog.records == []


class TestWrongPaths:
    @pytest.mark.parametrize("path", [b"hsts.txt", 7, True, ["hsts.txt"]])
    def test_of_the_wrong_type_are_refused(self, path: Any) -> None:
        text = f"^path must be a string or a pathlib.Path, not {type(path).__name__}$"
        with pytest.raises(TypeError, match=text):
            CurlFile(path)

    def test_a_path_of_bytes_inside_of_an_object_is_refused(self) -> None:
        class Bytes:
            def __fspath__(self) -> bytes:
                return b"hsts.txt"

        with pytest.raises(TypeError, match=r"^path must be a string"):
            CurlFile(Bytes())  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["", ".", "/", "/dev/null"])
    def test_something_that_is_no_file_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"^path='{name}' is no regular file: write"):
            CurlFile(name)

    def test_a_fifo_is_refused_instead_of_waited_for(self, path: Path) -> None:
        os.mkfifo(path)
        with pytest.raises(ValueError, match="is no regular file"):
            CurlFile(path)

    def test_a_directory_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=f"there is no directory '{tmp_path}/a': make it"):
            CurlFile(tmp_path / "a" / "hsts.txt")

    def test_a_tilde_is_a_name_like_any_other(self) -> None:
        with pytest.raises(ValueError, match=r"or write pathlib.Path\('~/h.txt'\).expanduser\(\)$"):
            CurlFile("~/h.txt")
