"""`ConsoleLog`: what a person reads, and what never reaches a terminal."""

import gzip
import io
import logging
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import Attempt, ConsoleLog, CurlLog, DebuggingTransport, Exchange

from transportkit.debugging.bodies import BodyCapture
from transportkit.debugging.console import duration, escaped, size
from transportkit.debugging.exchange import Record

URL = "https://example.com/a?page=2"


def record(**given: Any) -> Record:
    """A GET that took 48 ms in four phases."""
    steps = {
        "connection.connect_tcp.started": 0.0001,
        "connection.start_tls.started": 0.0031,
        "http11.send_request_headers.started": 0.0141,
        "http11.send_request_body.complete": 0.0143,
        "http11.receive_response_headers.complete": 0.0443,
    }
    return Record(
        **{
            "method": "GET",
            "url": httpx.URL(URL),
            "events": list(steps.items()),
            "ended": 0.0483,
            "status": 200,
            "reason": "OK",
            "http_version": "HTTP/1.1",
            **given,
        }
    )


def body(content: bytes, limit: int = 4096) -> BodyCapture:
    captured = BodyCapture(limit)
    captured.add(content)
    captured.is_ended = True
    return captured


def lines(*records: Record, **options: Any) -> list[str]:
    """What is written of exchanges that follow on each other."""
    written: list[str] = []
    log = ConsoleLog(written.append, **options)
    for seen in records:
        log.started(Exchange(seen))
        log(Exchange(seen))
    return "\n".join(written).splitlines()


TIMES = "(connect 3, tls 11, wait 30, receive 4)"


class TestTheLines:
    def test_tell_what_was_asked_and_answered(self) -> None:
        assert lines(record(received=body(b"x" * 12_345, limit=0))) == [
            f">>> GET {URL}",
            f"<<< 200 OK http/1.1 12.3 KB in 48 ms {TIMES}",
        ]

    def test_tell_an_error(self) -> None:
        failed = record(status=None, reason="", http_version=None, error="ReadTimeout: timed out")
        assert lines(failed)[1] == f"!!! ReadTimeout: timed out in 48 ms {TIMES}"

    def test_tell_an_error_after_the_head(self) -> None:
        failed = record(error="ReadError: broken", received=body(b"half"))
        assert lines(failed)[1] == (
            f"!!! ReadError: broken after 200 OK http/1.1 4 B in 48 ms {TIMES}"
        )

    def test_tell_of_attempts(self) -> None:
        again = record(attempts=(Attempt(503, 1.0), Attempt(200, 0.0)))
        assert lines(again)[1].endswith(f"{TIMES} after 2 attempts")

    def test_tell_of_no_attempts_where_nothing_was_repeated(self) -> None:
        once = record(status=404, reason="", attempts=(Attempt(404, 0.0),))
        assert lines(once)[1].endswith(TIMES)

    def test_name_the_proxy_that_took_the_request(self) -> None:
        through = record(proxy="http://scott:tiger@proxy.example:8080")
        assert lines(through)[1].endswith(f"{TIMES} via http://****@proxy.example:8080")

    @pytest.mark.parametrize(
        ("target", "shown"),
        [
            (b"*", "GET * of https://example.com"),
            (b"/b?token=tiger", "GET https://example.com/b?token=****"),
            (b"http://h/c?d", "GET http://h/c?d"),
        ],
    )
    def test_name_the_target_that_was_given(self, target: bytes, shown: str) -> None:
        assert lines(record(target=target))[0] == f">>> {shown}"

    def test_tell_of_nothing_that_is_not_known(self) -> None:
        unknown = record(events=[], http_version=None, status=599, reason="", ended=0.0004)
        assert lines(unknown)[1] == "<<< 599 0 B in 0.4 ms"

    def test_name_the_request_that_does_not_stand_before(self) -> None:
        written: list[str] = []
        log = ConsoleLog(written.append)
        one, other = (
            Exchange(record(url=httpx.URL(f"https://example.com/{name}")))
            for name in ("one", "other")
        )
        log.started(one)
        log.started(other)
        log(other)
        log(one)
        assert [" for " in line for line in written] == [False, False, False, True]
        assert written[3].endswith(" for GET https://example.com/one")

    def test_show_no_secrets(self) -> None:
        secret = record(
            url=httpx.URL("https://scott:tiger@example.com/?token=tiger"),
            request_headers=[(b"Authorization", b"Bearer tiger")],
            response_headers=[(b"Set-Cookie", b"sid=tiger")],
            sent=body(b'{"password": "tiger"}'),
            received=body(b"token=tiger&page=2"),
            error="ReadError: https://scott:tiger@example.com/",
        )
        text = "\n".join(lines(secret, headers=True))
        assert "tiger" not in text
        assert "page=2" in text


class TestALogger:
    @pytest.mark.parametrize("adapter", [False, True])
    @pytest.mark.parametrize("observer", [ConsoleLog, CurlLog])
    def test_that_drops_everything_is_asked_for_nothing(
        self, observer: type[ConsoleLog] | type[CurlLog], adapter: bool
    ) -> None:
        written: list[str] = []

        class Keep(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                written.append(record.getMessage())

        def debug(level: int) -> Any:
            logger = logging.Logger("test", level)  # noqa: LOG001 - one that nobody else gets
            logger.addHandler(Keep())
            return (logging.LoggerAdapter(logger) if adapter else logger).debug

        unreadable: Any = object()
        observer(debug(logging.INFO))(unreadable)
        assert written == []
        observer(debug(logging.DEBUG))(Exchange(record()))
        assert len(written) == 1

    def test_that_drops_everything_is_not_told_of_a_start(self) -> None:
        logger = logging.Logger("test", logging.INFO)  # noqa: LOG001 - one that nobody else gets
        told: list[Exchange] = []

        class Starting(ConsoleLog):
            def started(self, exchange: Exchange) -> None:
                told.append(exchange)

        answer = httpx.MockTransport(lambda request: httpx.Response(200))
        for write in (logger.debug, logger.info, len):
            transport = DebuggingTransport(answer, Starting(write))
            with httpx.Client(transport=transport) as client:
                client.get(URL)
        assert len(told) == 2


class TestDetails:
    seen = record(
        request_headers=[(b"Accept", b"*/*")],
        response_headers=[(b"Content-Type", b"text/plain"), (b"X-Page", b"2")],
        sent=body(b'{"a": 1}'),
        received=body(b"one\ntwo\twords\r\n"),
    )

    def test_are_indented(self) -> None:
        assert lines(self.seen, headers=True) == [
            f">>> GET {URL}",
            "    Accept: */*",
            f"<<< 200 OK http/1.1 15 B in 48 ms {TIMES}",
            '    > {"a": 1}',
            "    Content-Type: text/plain",
            "    X-Page: 2",
            "    one",
            "    two\twords",
        ]

    def test_are_bodies_only_when_headers_are_not_asked_for(self) -> None:
        assert lines(self.seen)[2:] == ['    > {"a": 1}', "    one", "    two\twords"]

    def test_say_that_a_body_is_binary(self) -> None:
        binary = record(received=body(b"\x89PNG\0" * 300, limit=100))
        assert lines(binary)[2:] == ["    (binary, 1,500 bytes)"]

    @pytest.mark.parametrize("content_type", [b"application/json", b"text/plain; charset=latin-1"])
    def test_say_that_a_body_is_binary_that_is_said_to_be_text(self, content_type: bytes) -> None:
        headers = [(b"Content-Type", content_type)]
        content = gzip.compress(b'{"a": 1}')
        packed = record(response_headers=headers, received=body(content))
        assert lines(packed)[2:] == [f"    (binary, {len(content)} bytes)"]

    def test_say_that_a_body_with_null_characters_is_binary(self) -> None:
        headers = [(b"Content-Type", b"text/plain")]
        seen = record(response_headers=headers, received=body(b"a\0b"))
        assert lines(seen)[2:] == ["    (binary, 3 bytes)"]
        headers = [(b"Content-Type", b"text/plain; charset=utf-16-le")]
        seen = record(response_headers=headers, received=body("wörd".encode("utf-16-le")))
        assert lines(seen)[2:] == ["    wörd"]

    def test_say_that_a_body_goes_on(self) -> None:
        cut = record(received=body(b"abc" * 1000, limit=4))
        assert lines(cut)[2:] == ["    abca", "    (the beginning of 3,000 bytes)"]


class TestATerminal:
    @pytest.mark.parametrize("place", ["reason", "header", "body", "error", "version"])
    def test_gets_nothing_to_act_upon(self, place: str) -> None:
        evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eabc\r\n\u2028\x00"
        seen = record(
            reason=evil if place == "reason" else "OK",
            http_version=evil if place == "version" else None,
            error=f"ReadError: {evil}" if place == "error" else None,
            response_headers=[(b"X", evil.encode())] if place == "header" else [],
            received=body(evil.encode() if place == "body" else b""),
        )
        for line in lines(seen, headers=True):
            assert all(unicodedata.category(character)[0] != "C" for character in line), line
            assert "owned" not in line or "\\x1b" in line

    @given(st.text())
    def test_gets_a_line_for_a_line(self, text: str) -> None:
        shown = escaped(text)
        assert len(shown.splitlines()) <= 1
        assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cs"} for each in shown)
        assert escaped(shown) == shown

    def stdout(
        self, monkeypatch: pytest.MonkeyPatch, is_terminal: bool, encoding: str = "utf-8"
    ) -> io.BytesIO:
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding, write_through=True)
        monkeypatch.setattr(stream, "isatty", lambda: is_terminal, raising=False)
        monkeypatch.setattr(sys, "stdout", stream)
        return written

    @pytest.mark.parametrize(
        ("environment", "color", "is_terminal", "expected"),
        [
            ({}, None, True, True),
            ({}, None, False, False),
            ({"NO_COLOR": "1"}, None, True, False),
            ({"NO_COLOR": ""}, None, True, True),
            ({"TERM": "dumb"}, None, True, False),
            ({"NO_COLOR": "1"}, True, False, True),
            ({}, False, True, False),
        ],
    )
    def test_gets_colors_when_it_is_one(
        self,
        environment: dict[str, str],
        color: bool | None,
        is_terminal: bool,
        expected: bool,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for name in ("NO_COLOR", "TERM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        written = self.stdout(monkeypatch, is_terminal)
        ConsoleLog(color=color)(Exchange(record(received=body(b"abc"))))
        assert (b"\x1b[32m<<< 200 OK" in written.getvalue()) == expected
        assert (b"\x1b[2mabc\x1b[0m" in written.getvalue()) == expected

    @pytest.mark.parametrize(
        ("status", "error", "color"),
        [(200, None, 32), (302, None, 32), (404, None, 33), (200, "ReadError", 31)],
    )
    def test_gets_the_color_of_what_happened(
        self, status: int, error: str | None, color: int
    ) -> None:
        (_, line) = lines(record(status=status, error=error), color=True)
        assert line.startswith(f"\x1b[{color}m")
        assert line.endswith("\x1b[0m")

    def test_gets_no_colors_through_another_function(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        self.stdout(monkeypatch, is_terminal=True)
        assert "\x1b" not in "".join(lines(record()))

    def test_may_not_have_every_character(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written = self.stdout(monkeypatch, is_terminal=False, encoding="ascii")
        ConsoleLog()(Exchange(record(received=body("wörd".encode()))))
        assert written.getvalue().splitlines()[1] == rb"    w\xf6rd"

    def test_may_not_be_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdout", None)
        ConsoleLog()(Exchange(record()))


class TestWriting:
    def test_to_a_logger_takes_any_url(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        answer = httpx.MockTransport(lambda request: httpx.Response(200, text="100%d %s"))
        log = ConsoleLog(logging.getLogger("seen").debug)
        transport = DebuggingTransport(answer, log, bodies=99)
        with httpx.Client(transport=transport) as client:
            client.get("https://example.com/%25s%20%d")
        messages = [each.getMessage() for each in caplog.records if each.name == "seen"]
        assert messages[0].startswith(">>> GET https://example.com/%25s%20%")
        assert messages[1].endswith("\n    100%d %s")
        assert len(messages) == 2

    @pytest.mark.parametrize("write", [None, "print", sys.stderr])
    def test_needs_a_function(self, write: Any) -> None:
        with pytest.raises(TypeError, match=r"^write must be a function of one text, not "):
            ConsoleLog(write)

    def test_needs_flags_that_are_flags(self) -> None:
        with pytest.raises(TypeError, match=r"^color must be True, False or None, not 'never'$"):
            ConsoleLog(color="never")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^headers must be True or False, not 'no'$"):
            ConsoleLog(headers="no")  # type: ignore[arg-type]


@given(st.integers(0, 10**16))
def test_a_size_is_short(count: int) -> None:
    number, unit = size(count).split(" ")
    scale = {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]
    assert float(number) * scale == pytest.approx(count, rel=0.06)
    assert float(number) < 1000 or unit == "TB"


@given(st.floats(0, 1e6))
def test_a_duration_is_short(seconds: float) -> None:
    number, unit = duration(seconds).split(" ")
    scale = {"ms": 1e-3, "s": 1}[unit]
    assert float(number) * scale == pytest.approx(seconds, rel=0.5, abs=0.0001)


def test_a_compressed_body_of_nothing_has_no_lines() -> None:
    empty = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(b""))
    lines: list[str] = []
    observer = ConsoleLog(lines.append)
    transport = DebuggingTransport(httpx.MockTransport(lambda _: empty), observer, bodies=4096)
    with httpx.Client(transport=transport) as client:
        client.get("https://example.com/")
    assert len(lines) == 2
