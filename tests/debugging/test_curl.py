"""`CurlLog`: what a real curl sends when it is given the command is what was sent before."""

import gzip
import io
import logging
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.library import httpx
from support.networks import socks_forwarding
from support.proxies import saying
from support.raw import raw_server
from support.servers import Origin
from support.transportkit import CurlLog, DebuggingTransport, Redaction

EVERY_BYTE = bytes(range(256))

# A shell and a curl for each.
FEW = settings(max_examples=40 if settings().max_examples >= 100 else 5)


class Arrived(NamedTuple):
    """A request as a server saw it: its headers sorted, as their order means nothing."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


@contextmanager
def server() -> Iterator[tuple[str, list[Arrived]]]:
    """A server that keeps what arrives."""
    arrived: list[Arrived] = []

    def talk(connection: socket.socket) -> None:
        http = h11.Connection(h11.SERVER)
        body, request = b"", None
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(connection.recv(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return
        assert request is not None
        headers = sorted((bytes(name), bytes(value)) for name, value in request.headers)
        arrived.append(Arrived(bytes(request.method), bytes(request.target), headers, body))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with raw_server(talk) as url:
        yield url, arrived


@pytest.fixture(autouse=True)
def home(tmp_path: Path, certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.curlrc` of the machine is not the tests' business."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("CURL_CA_BUNDLE", str(certificates / "ca.pem"))


def run(command: str, shell: str = "bash") -> bytes:
    """What a shell prints when the command is pasted into it."""
    # As a file: the pieces of a paste are not the arguments of a process.
    return subprocess.run(
        [shell], input=command.encode(), check=True, capture_output=True, timeout=60
    ).stdout


def command_for(
    request: httpx.Request, bodies: int = 10**7, secrets: bool = True, **options: Any
) -> str:
    """The command for a request that was really sent."""
    commands: list[str] = []
    log = CurlLog(commands.append, show_secrets=secrets)
    transport = DebuggingTransport(None, log, bodies=bodies, **options)
    with transport:
        transport.handle_request(request).read()
    (command,) = commands
    return command


def request(url: str, method: str = "GET", **arguments: Any) -> httpx.Request:
    with httpx.Client(trust_env=False, verify=False) as client:
        return client.build_request(method, url, **arguments)


def pieces() -> Iterator[bytes]:
    yield b"one, "
    yield b"two"


def bare(request: httpx.Request) -> httpx.Request:
    """Without the headers of a client."""
    host = request.headers["Host"]
    request.headers = httpx.Headers({"Host": host})
    return request


REQUESTS: dict[str, Any] = {
    "GET": {},
    "HEAD": {"method": "HEAD"},
    "OPTIONS": {"method": "OPTIONS"},
    "PURGE": {"method": "PURGE"},
    "strange method": {"method": "M-SEARCH'$x"},
    "DELETE": {"method": "DELETE"},
    "POST without a body": {"method": "POST"},
    "PUT without a body": {"method": "PUT"},
    "GET with a body": {"content": b"body"},
    "DELETE with a body": {"method": "DELETE", "json": [1]},
    "form": {"method": "POST", "data": {"a": "it's", "b": "ü & $x"}},
    "JSON": {"method": "POST", "json": {"who": "it's me", "ü": '"!`$x`'}},
    "PUT": {"method": "PUT", "content": "wörter, it's 100%"},
    "a file's name": {"method": "POST", "content": b"@/etc/passwd"},
    "a dash": {"method": "POST", "content": b"-n -e \0"},
    "lines": {"method": "POST", "content": b"one\ntwo\r\nthree\t!\\n'\n"},
    "trailing line": {"method": "POST", "content": b"line\n"},
    "escapes": {"method": "POST", "content": "\x1b[2J\u202e\u2028\x80".encode()},
    "every byte": {"method": "POST", "content": EVERY_BYTE},
    "every byte twice": {"method": "POST", "content": EVERY_BYTE[::-1] + EVERY_BYTE},
    "not UTF-8": {"method": "POST", "content": "ö'%s%n".encode("latin-1")},
    # Longer than an argument of a process can be.
    "big": {"method": "POST", "content": b"0123456789'%\n" * 10_500},
    "bigger": {"method": "POST", "content": b"x" * 1_500_000},
    "gzip": {
        "method": "POST",
        "content": gzip.compress(b"text"),
        "headers": {"Content-Encoding": "gzip"},
    },
    "multipart": {
        "method": "POST",
        "data": {"field": "it's"},
        "files": {"text": ("a.txt", b"text"), "binary": ("b.bin", EVERY_BYTE)},
    },
    "multipart text": {"method": "POST", "files": {"text": ("a'.txt", b"text\n")}},
    "generator": {"method": "POST", "content": pieces},
    "content type": {"method": "POST", "content": b"a", "headers": {"Content-Type": "x/y"}},
    "headers": {
        "headers": [
            ("X-Empty", ""),
            ("X-Quote", 'it\'s "$x" `y` \\ !z'),
            ("X-Twice", "1"),
            ("X-Twice", "2"),
            ("X-City", "Köln".encode("latin-1")),
            ("X-Land", "Österreich".encode()),
            ("X-Tab", "a\tb"),
            ("Cookie", "a=1; b=2"),
            ("Authorization", "Bearer abc"),
            ("Accept", "text/html"),
            ("User-Agent", "own/1.0"),
            ("Connection", "close"),
        ]
    },
    "host": {"headers": {"Host": "example.com"}},
    "query": {"params": {"a[]": "{1,2}", "it's": "$x !y `z` ü", "b": "a&b=c#d"}},
}
TARGETS = ["", "/", "/?", "/?a=[1-3]{x,y}", "/a/%2e%2e/b", "/%27%24%7B", "/it's/$x", "/a;b=c,d"]


def assert_arrives_again(sent: httpx.Request, arrived: list[Arrived], shell: str = "bash") -> None:
    command = command_for(sent)
    run(command, shell)
    first, second = arrived
    assert second == first, command


class TestTheRequestThatArrives:
    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(name, marks=pytest.mark.slow if name == "bigger" else ())
            for name in REQUESTS
        ],
    )
    def test_is_the_same(self, name: str) -> None:
        arguments = dict(REQUESTS[name])
        if arguments.get("content") is pieces:
            arguments["content"] = pieces()
        with server() as (url, arrived):
            assert_arrives_again(request(url, **arguments), arrived)

    @pytest.mark.parametrize("target", TARGETS)
    def test_is_the_same_for_any_target(self, target: str) -> None:
        with server() as (url, arrived):
            assert_arrives_again(request(url + target), arrived)

    @pytest.mark.parametrize(
        "content",
        [
            None,
            b"",
            b"content",
            EVERY_BYTE,
            pytest.param(b"x" * 2_000_000, marks=pytest.mark.slow, id="big"),
        ],
    )
    def test_has_no_headers_of_curl_s_own(self, content: bytes | None) -> None:
        with server() as (url, arrived):
            sent = bare(request(url, "POST", content=content))
            if content:
                sent.headers["Content-Length"] = str(len(content))
            assert_arrives_again(sent, arrived)

    @pytest.mark.parametrize(("size", "does"), [(1024, False), (1025, True)])
    def test_does_not_ask_whether_a_long_body_is_wanted(self, size: int, does: bool) -> None:
        with server() as (url, _):
            command = command_for(request(url, "POST", content=b"x" * size))
        assert ("Expect:" in command) is does

    def test_is_the_same_from_any_posix_shell(self) -> None:
        """Without control characters in it."""
        shell = shutil.which("dash") or "sh"
        for content in (b"it's", EVERY_BYTE, b"0123456789" * 14_000):
            with server() as (url, arrived):
                assert_arrives_again(request(url, "POST", content=content), arrived, shell)

    @FEW
    @given(content=st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
    def test_is_the_same_for_any_body(self, content: bytes) -> None:
        with server() as (url, arrived):
            assert_arrives_again(request(url, "POST", content=content), arrived)

    @FEW
    @given(
        value=st.text(
            st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=1, max_size=40
        )
    )
    def test_is_the_same_for_any_header_and_query(self, value: str) -> None:
        with server() as (url, arrived):
            text = "".join(each for each in value if each.isprintable()) or "x"
            sent = request(url, params={"q": value}, headers={"X": text.encode()})
            assert_arrives_again(sent, arrived)

    @pytest.mark.parametrize(
        "headers",
        [
            [("Accept", "*/*"), ("Accept", "text/html")],
            [("Accept", "*/*"), ("Accept", "*/*")],
            [("Accept", "text/html"), ("Accept", "*/*"), ("X-A", "")],
        ],
    )
    def test_has_both_of_two_headers(self, headers: list[tuple[str, str]]) -> None:
        with server() as (url, arrived):
            sent = bare(request(url))
            sent.headers = httpx.Headers([("Host", sent.headers["Host"]), *headers])
            assert_arrives_again(sent, arrived)

    @pytest.mark.parametrize(
        ("method", "target"),
        [("OPTIONS", b"*"), ("GET", b"/b?c={d}"), ("GET", b"/../b"), ("GET", b"http://h/a?it's")],
    )
    def test_has_the_target_that_was_given(self, method: str, target: bytes) -> None:
        with server() as (url, arrived):
            assert_arrives_again(
                request(url + "/a", method, extensions={"target": target}), arrived
            )
        assert arrived[0].target == target

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("target", [b"", b"/other?x"])
    def test_goes_through_the_same_proxy(self, method: str, target: bytes) -> None:
        extensions = {"target": target} if target else {}
        sent = request("http://h.example/a?b", method, extensions=extensions)
        with server() as (url, arrived):
            command = command_for(sent, proxy=url.replace("://", "://scott:tiger@"))
            run(command.replace("****@", "scott:tiger@"))
        assert "tiger" not in command
        first, second = arrived
        assert first == second, command
        # A proxy gets the absolute form, also of a target that was given.
        assert first.target == b"http://h.example" + (target or b"/a?b")

    def test_goes_through_the_same_socks_proxy(self) -> None:
        with server() as (url, arrived), raw_server(socks_forwarding) as socks:
            proxy = socks.replace("http:", "socks5:")
            command = command_for(request(url.replace("127.0.0.1", "localhost")), proxy=proxy)
            run(command)
        # The proxy looks the name up, for httpx too.
        assert f"-x 'socks5h:{proxy.partition(':')[2]}'" in command
        assert arrived[0] == arrived[1]

    def test_names_the_proxy_of_a_request_that_failed(self) -> None:
        commands: list[str] = []
        with raw_server(saying("502 No")) as proxy:
            transport = DebuggingTransport(None, CurlLog(commands.append), proxy=proxy)
            with transport, pytest.raises(httpx.ProxyError):
                transport.handle_request(request("https://h.example/"))
        assert f"-x '{proxy}'" in commands[0]

    def test_has_no_userinfo_and_no_fragment(self) -> None:
        with server() as (url, arrived):
            sent = request(url.replace("://", "://scott:tiger@") + "/a@b#fragment")
            command = command_for(sent)
            assert "scott" not in command
            assert "fragment" not in command
            run(command)
        assert arrived[0] == arrived[1]

    def test_may_have_a_host_of_ipv6(self) -> None:
        commands: list[str] = []
        answer = httpx.MockTransport(lambda request: httpx.Response(200))
        transport = DebuggingTransport(answer, CurlLog(commands.append))
        transport.handle_request(request("http://[::1]:8080/"))
        assert commands[0].startswith("curl 'http://[::1]:8080/' ")
        assert "--globoff" in commands[0]
        assert "Host" not in commands[0]


OVER_TLS: dict[str, Any] = {
    "HEAD": {"method": "HEAD"},
    "GET": {},
    "every byte": {"method": "PUT", "content": EVERY_BYTE},
    "JSON": {"method": "POST", "json": {"a": "it's"}},
    "large": {"method": "POST", "content": b"x" * 50_000},
    "generator": {"method": "POST", "content": pieces},
    "headers": {"headers": {"X-Empty": "", "TE": "trailers"}},
}


class TestOverHTTP2AndTLS:
    @pytest.mark.parametrize(
        ("arguments", "http2"),
        [
            pytest.param(
                arguments,
                http2,
                # Each of them once, and the other way only where all of it is run.
                marks=() if http2 == bool(number % 2) else pytest.mark.slow,
                id=f"{name}-{'HTTP/2' if http2 else 'HTTP/1.1'}",
            )
            for number, (name, arguments) in enumerate(OVER_TLS.items())
            for http2 in (False, True)
        ],
    )
    def test_the_request_that_arrives_is_the_same(
        self, arguments: dict[str, Any], http2: bool, origin: Origin
    ) -> None:
        arguments = dict(arguments)
        if arguments.get("content") is pieces:
            arguments["content"] = pieces()
        sent = request(origin.https + "/a?b=c", **arguments)
        commands: list[str] = []
        transport = DebuggingTransport(
            None, CurlLog(commands.append, show_secrets=True), bodies=10**6, http2=http2
        )
        with transport:
            response = transport.handle_request(sent)
            response.read()
        (command,) = commands
        assert ("--http2" in command, "--http1.1" in command) == (http2, not http2)
        printed = run(command)
        if sent.method == "HEAD":
            assert printed.startswith(b"HTTP/2 200" if http2 else b"HTTP/1.1 200")
            return
        seen, again = response.json(), httpx.Response(200, content=printed).json()
        assert again.pop("http_version") == seen.pop("http_version") == ("2" if http2 else "1.1")
        assert sorted(again.pop("headers")) == sorted(seen.pop("headers")), command
        assert again == seen

    @pytest.mark.parametrize("verify", [True, False])
    def test_certificates_are_verified_as_before(
        self, verify: bool, origin: Origin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command = command_for(request(origin.https + "/a"), verify=verify)
        assert (" -k" in command) is not verify
        if not verify:
            monkeypatch.setenv("CURL_CA_BUNDLE", os.devnull)
        assert b'"path": "/a"' in run(command)

    def test_the_socket_is_the_same(self, origin: Origin) -> None:
        command = command_for(request("http://localhost/a"), uds=origin.unix_socket)
        assert "--unix-socket" in command
        assert b'"path": "/a"' in run(command)

    def test_http2_in_clear_is_known_before(self) -> None:
        commands: list[str] = []
        extensions = {"http_version": b"HTTP/2"}
        answer = httpx.MockTransport(lambda _: httpx.Response(200, extensions=extensions))
        transport = DebuggingTransport(answer, CurlLog(commands.append))
        transport.handle_request(request("http://example.com/", headers={"Connection": "close"}))
        assert "--http2-prior-knowledge" in commands[0]
        assert "Connection" not in commands[0]

    def test_a_compressed_answer_can_be_read(self, origin: Origin) -> None:
        assert "--compressed" in command_for(request(origin.http))


SECRET = "tiger"


class TestSecrets:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"params": {"token": SECRET}},
            {"headers": {"Authorization": f"Bearer {SECRET}"}},
            {"headers": {"Cookie": f"sid={SECRET}"}},
            {"method": "POST", "data": {"password": SECRET}},
            {"method": "POST", "json": {"user": {"password": SECRET}}},
            {"method": "POST", "files": {"password": (None, SECRET), "b": EVERY_BYTE}},
            {
                "method": "POST",
                "content": gzip.compress(b'{"password": "tiger"}'),
                "headers": {"Content-Encoding": "gzip", "Content-Type": "application/json"},
            },
        ],
    )
    def test_are_masked_and_the_command_still_runs(self, arguments: dict[str, Any]) -> None:
        with server() as (url, arrived):
            sent = request(url.replace("://", f"://scott:{SECRET}@"), **arguments)
            command = command_for(sent, secrets=False)
            assert SECRET not in command
            run(command)
            first, second = arrived
            assert (second.method, b"****" in repr(second).encode()) == (first.method, True)
            assert SECRET.encode() not in second.body
            with_secrets = command_for(request(url, **arguments))
            if "Content-Encoding" not in sent.headers:
                assert SECRET in with_secrets

    def test_that_cannot_be_found_are_left_out(self) -> None:
        headers = {"Content-Encoding": "own", "Content-Type": "application/json"}
        with server() as (url, arrived):
            sent = request(url, "POST", content=b'{"password": "tiger"}', headers=headers)
            command = command_for(sent, secrets=False)
            assert command.startswith("# Its body cannot be decoded")
            run(command)
        assert arrived[1].body == b""

    def test_are_those_of_the_redaction(self) -> None:
        with server() as (url, _):
            redaction = Redaction(mask=["tenant"])
            sent = request(url, params={"tenant": "seven"})
            assert "seven" not in command_for(sent, secrets=False, redaction=redaction)

    def test_of_an_unpacked_body_are_masked_in_what_is_sent(self) -> None:
        content = gzip.compress(b'{"password": "tiger", "page": 2}')
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        with server() as (url, arrived):
            sent = request(url, "POST", content=content, headers=headers)
            run(command_for(sent, secrets=False))
        assert arrived[1].body == b'{"password": "****", "page": 2}'
        assert b"content-encoding" not in dict(arrived[1].headers)


class TestABody:
    def test_that_was_not_kept_is_said_to_be_missing(self) -> None:
        with server() as (url, arrived):
            command = command_for(request(url, "POST", content=b"content"), bodies=0)
            assert command.splitlines()[0] == "# Its body of 7 bytes was not captured: see bodies="
            run(command)
        assert (arrived[1].method, arrived[1].body) == (b"POST", b"")

    @pytest.mark.parametrize("secrets", [True, False])
    def test_that_is_cut_off_is_said_to_be_so(self, secrets: bool) -> None:
        with server() as (url, arrived):
            sent = request(url, "POST", content=b"content")
            command = command_for(sent, bodies=3, secrets=secrets)
            assert command.splitlines()[0] == "# Its body is truncated after 3 bytes: see bodies="
            run(command)
        assert arrived[1].body == b"con"

    def test_that_never_came_to_its_end_is_said_to_be_so(self) -> None:
        def broken() -> Iterator[bytes]:
            yield b"half"
            raise ZeroDivisionError

        commands: list[str] = []
        with server() as (url, _):
            transport = DebuggingTransport(None, CurlLog(commands.append), bodies=99)
            with transport, pytest.raises(ZeroDivisionError):
                transport.handle_request(request(url, "POST", content=broken()))
        assert commands[0].startswith("# Its body is truncated after 4 bytes")
        assert commands[0].endswith("--data-raw 'half'")

    def test_of_a_request_that_failed_is_there(self) -> None:
        commands: list[str] = []
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
            transport = DebuggingTransport(None, CurlLog(commands.append), bodies=99)
            with transport, pytest.raises(httpx.ConnectError):
                transport.handle_request(request(url, "POST", content=io.BytesIO(b"x").read()))
        assert commands[0].endswith("--data-raw 'x'")


class TestWriting:
    def test_is_printed(self, capsys: pytest.CaptureFixture[str]) -> None:
        answer = httpx.MockTransport(lambda request: httpx.Response(200))
        DebuggingTransport(answer, CurlLog()).handle_request(request("http://h/"))
        assert capsys.readouterr().out.startswith("curl 'http://h/' ")

    def test_to_a_logger_takes_any_url(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        answer = httpx.MockTransport(lambda request: httpx.Response(200))
        log = CurlLog(logging.getLogger("seen").debug)
        DebuggingTransport(answer, log).handle_request(request("http://h/%25d"))
        assert "'http://h/%25d'" in caplog.messages[-1]

    @pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "\u202e", "\r"])
    def test_does_nothing_to_a_terminal(self, text: str) -> None:
        commands: list[str] = []
        answer = httpx.MockTransport(lambda request: httpx.Response(200))
        transport = DebuggingTransport(answer, CurlLog(commands.append), bodies=99)
        transport.handle_request(request("http://h/", "POST", content=text))
        assert commands[0].isprintable()
        assert re.search(r"--data-raw \$'.*'$", commands[0])

    def test_needs_a_function(self) -> None:
        with pytest.raises(TypeError, match=r"^write must be a function of one text, not NoneType"):
            CurlLog(None)  # type: ignore[arg-type]

    def test_shows_no_secrets_for_a_no(self) -> None:
        with pytest.raises(TypeError, match=r"^show_secrets must be True or False, not 'no'$"):
            CurlLog(show_secrets="no")  # type: ignore[arg-type]


def test_there_is_a_curl_to_run() -> None:
    assert shutil.which("curl")
    assert os.access("/bin/sh", os.X_OK)
