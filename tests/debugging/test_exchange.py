"""`Exchange` and `Body`: what is shown of a record, masked and in the clear."""

import dataclasses
import encodings.aliases
import gzip
import importlib.util
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import Attempt, Exchange, Redaction

from transportkit.debugging.bodies import Body, BodyCapture, decode, shown_body
from transportkit.debugging.exchange import Record

URL = httpx.URL("https://scott:tiger@example.com/a?page=2&token=abc")


def captured(content: bytes, limit: int = 4096, ended: bool = True) -> BodyCapture:
    """A body that came in pieces."""
    body = BodyCapture(limit)
    for start in range(0, len(content), 100):
        body.add(content[start : start + 100])
    body.is_ended = ended
    return body


def record(**given: Any) -> Record:
    return Record("GET", URL, **given)


class TestWhatIsSecret:
    exchange = Exchange(
        record(
            request_headers=[(b"Authorization", b"Bearer abc"), (b"X-Page", b"2")],
            response_headers=[(b"Set-Cookie", b"sid=abc; Path=/")],
            sent=captured(b'{"password": "tiger", "page": 2}'),
            received=captured(b'{"token": "abc", "page": 2}'),
            status=200,
            error="ReadError: GET https://scott:tiger@example.com/ failed",
            reason="token=abc",
            attempts=(
                Attempt(httpx.ReadError("no https://scott:tiger@h/"), 1.5),
                Attempt(503, 2.5),
            ),
        )
    )

    def test_is_masked(self) -> None:
        exchange = self.exchange
        assert exchange.url == "https://****@example.com/a?page=2&token=****"
        assert exchange.request_headers == (("Authorization", "Bearer ****"), ("X-Page", "2"))
        assert exchange.response_headers == (("Set-Cookie", "sid=****; Path=/"),)
        assert exchange.error is not None
        assert exchange.error.startswith("ReadError: GET https://****@example.com/ ")
        assert exchange.reason == "token=****"
        first, second = exchange.attempts
        # By its name and its text: a class of others may take anything in place of a text.
        assert repr(first.outcome) == "ReadError('no https://****@h/')"
        assert isinstance(first.outcome, Exception)
        assert second == Attempt(503, 2.5)

    def test_is_masked_in_bodies(self) -> None:
        sent = dataclasses.replace(self.exchange.request_body, content_type="application/json")
        assert sent.text == '{"password": "****", "page": 2}'
        assert self.exchange.response_body.text == '{"token": "****", "page": 2}'
        assert self.exchange.request_body.size == 32

    def test_is_there_when_asked_for(self) -> None:
        exchange = self.exchange.unmasked
        assert exchange.url == str(URL)
        assert exchange.request_headers[0] == ("Authorization", "Bearer abc")
        assert exchange.request_body.text == '{"password": "tiger", "page": 2}'
        assert exchange.error == "ReadError: GET https://scott:tiger@example.com/ failed"
        assert "tiger" in str(exchange.attempts[0].outcome)
        assert exchange.reason == "token=abc"
        assert exchange.unmasked.url == exchange.url

    def test_is_in_no_repr(self) -> None:
        shown = "<Exchange GET https://****@example.com/a?page=2&token=**** 200>"
        assert repr(self.exchange) == repr(self.exchange.unmasked) == shown

    def test_is_what_the_redaction_says(self) -> None:
        exchange = Exchange(record(), Redaction(mask=["page"], show=["token"]))
        assert exchange.url == "https://****@example.com/a?page=****&token=abc"

    def test_is_masked_in_an_error_that_cannot_be_made_again(self) -> None:
        class OwnError(Exception):
            def __init__(self, one: str, other: str) -> None:
                super().__init__(f"{one} {other}")

        exchange = Exchange(record(attempts=(Attempt(OwnError("token=abc", "x"), 0.0),)))
        (attempt,) = exchange.attempts
        assert repr(attempt.outcome) == "OwnError('token=**** x')"


class TestTheRest:
    def test_is_told_as_it_was_seen(self) -> None:
        seen = record(
            status=404,
            http_version="HTTP/2",
            server_address="[::1]:443",
            tls_version="TLSv1.3",
            stream_id=3,
            started_at=1_700_000_000.5,
            started=10.0,
            head=11.0,
            ended=13.0,
        )
        exchange = Exchange(seen)
        assert (exchange.method, exchange.status, exchange.reason) == ("GET", 404, "Not Found")
        assert (exchange.http_version, exchange.stream_id) == ("HTTP/2", 3)
        assert (exchange.server_address, exchange.tls_version) == ("[::1]:443", "TLSv1.3")
        assert exchange.started_at == datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)
        assert (exchange.timings.wait, exchange.timings.total) == (1.0, 3.0)
        assert exchange.is_finished
        assert exchange.error is None

    def test_is_nothing_without_a_response(self) -> None:
        exchange = Exchange(record())
        assert (exchange.status, exchange.reason, exchange.attempts) == (None, "", ())
        assert exchange.response_body == Body(0, b"", "", False, 0)
        assert exchange.response_body.text == ""

    @pytest.mark.parametrize(
        ("seen", "shown"),
        [
            (record(is_finished=False), "..."),
            (record(), "failed"),
            (record(status=204), "204"),
        ],
    )
    def test_is_short_in_a_repr(self, seen: Record, shown: str) -> None:
        assert repr(Exchange(seen)).endswith(f" {shown}>")

    def test_cannot_be_changed(self) -> None:
        exchange = Exchange(record())
        for name in ("url", "status", "timings", "anything"):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(exchange, name, 1)
            with pytest.raises(dataclasses.FrozenInstanceError):
                delattr(exchange, name)

    def test_headers_are_text_whatever_their_bytes(self) -> None:
        headers = [(b"A", "ö".encode()), (b"A", "ö".encode("latin-1"))]
        assert Exchange(record(response_headers=headers)).response_headers == (
            ("A", "ö"),
            ("A", "ö"),
        )


def shown(content: bytes, content_type: str = "", encoding: str = "", limit: int = 4096) -> Body:
    headers = {"Content-Type": content_type} if content_type else {}
    if encoding:
        headers["Content-Encoding"] = encoding
    return shown_body(captured(content, limit), httpx.Headers(headers), None)


def compressor(package: str) -> Callable[[bytes], bytes]:
    if package == "brotli":
        # At its best it takes seconds for what is to be decoded only.
        return lambda data: importlib.import_module(package).compress(data, quality=1)
    if package == "zstandard":
        return lambda data: importlib.import_module(package).ZstdCompressor().compress(data)
    return lambda data: importlib.import_module(package).compress(data)


def raw_deflate(data: bytes) -> bytes:
    compress = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compress.compress(data) + compress.flush()


ENCODINGS: list[Any] = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("deflate", zlib.compress, id="deflate"),
    pytest.param("deflate", raw_deflate, id="raw deflate"),
    pytest.param("deflate, gzip", lambda data: gzip.compress(zlib.compress(data)), id="both"),
]
for encoding, package in (("br", "brotli"), ("zstd", "zstandard")):
    # httpx decodes these where the package is installed that it takes for them.
    if importlib.util.find_spec(package) is not None:
        compress = compressor(package)
        encoded = httpx.Response(
            200, headers={"Content-Encoding": encoding}, content=compress(b"text")
        )
        if encoded.content == b"text":
            ENCODINGS.append(pytest.param(encoding, compress, id=encoding))

TEXT = json.dumps({"words": [f"wörd {number}" for number in range(40)]}, ensure_ascii=False)


class TestACompressedBody:
    @pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
    def test_is_decoded(self, encoding: str, compress: Callable[[bytes], bytes]) -> None:
        data = compress(TEXT.encode())
        body = shown(data, "application/json", encoding)
        assert body == Body(len(data), TEXT.encode(), "application/json", True, len(TEXT.encode()))
        assert body.text == TEXT

    @pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
    def test_is_decoded_as_far_as_it_was_kept(
        self, encoding: str, compress: Callable[[bytes], bytes]
    ) -> None:
        data = compress(TEXT.encode())
        limit = len(data) - 1
        body = shown(data, "application/json", encoding, limit)
        assert TEXT.encode().startswith(body.content)
        assert (body.size, body.is_whole, body.decoded_size) == (len(data), False, None)

    def test_is_cut_off_where_it_grows_beyond_the_limit(self) -> None:
        body = shown(gzip.compress(b"a" * 1000), encoding="gzip", limit=100)
        assert (body.content, body.is_whole, body.decoded_size) == (b"a" * 100, False, 1000)

    @pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
    def test_that_is_a_bomb_does_not_go_off(
        self, encoding: str, compress: Callable[[bytes], bytes]
    ) -> None:
        data = compress(bytes(20_000_000))
        assert decode(data[:4096], encoding, 4096) == (bytes(4096), None)

    def test_is_not_shown_when_nobody_can_read_it(self) -> None:
        for content, encoding in ((b"secret", "own"), (b"secret", "gzip")):
            body = shown(content, "text/plain", encoding)
            assert body == Body(6, b"", "text/plain", False, None)
            assert body.text is None

    def test_is_masked_when_decoded(self) -> None:
        data = gzip.compress(b'{"token": "abc"}')
        headers = httpx.Headers({"Content-Encoding": "gzip", "Content-Type": "application/json"})
        assert shown_body(captured(data), headers, Redaction()).content == b'{"token": "****"}'

    def test_that_was_decoded_before_is_not_decoded_again(self) -> None:
        body = captured(b"abc", limit=2)
        body.decoded_size = 3
        found = shown_body(body, httpx.Headers({"Content-Encoding": "gzip"}), None)
        assert (found.content, found.is_whole, found.decoded_size) == (b"ab", False, 3)


class TestText:
    @pytest.mark.parametrize(
        ("content", "content_type", "text"),
        [
            ("ö".encode(), "", "ö"),
            ("ö".encode(), "application/json", "ö"),
            ("ö".encode("latin-1"), "text/plain; charset=ISO-8859-1", "ö"),
            ("ö".encode("cp1252"), 'text/html; charset="windows-1252"', "ö"),
            ("ö".encode("utf-16"), "application/json", "ö"),
            ("ö".encode("utf-16"), "", "ö"),
            ("ö".encode("utf-8-sig"), "", "ö"),
            ("ö".encode("utf-16-be"), "text/plain;charset=utf-16be", "ö"),
            ("ö".encode("latin-1"), "text/plain", "\ufffd"),
            ("ö".encode("latin-1"), "text/plain; charset=nonsense", "\ufffd"),
            (b"a", "text/plain; charset=base64", "a"),
            (b"a", "text/plain; charset=\0", "a"),
            ("ö".encode("latin-1"), "", None),
            (b"a\0b", "", None),
            (b"a\0b", "text/plain", None),
            (b"a\0b", "application/json", None),
            (b"a\0b", "text/plain; charset=ISO-8859-1", "a\0b"),
            (b"\x1f\x8b\x08 and so on", "application/json", None),
            (b"<svg/>", "image/svg+xml", "<svg/>"),
            (b"GIF89a", "image/gif", None),
            (b"text", "application/octet-stream", None),
            (b"", "image/gif", ""),
        ],
    )
    def test_has_the_charset_it_should(
        self, content: bytes, content_type: str, text: str | None
    ) -> None:
        assert shown(content, content_type).text == text

    def test_loses_a_character_that_was_cut_in_two(self) -> None:
        assert shown("aö".encode(), limit=2).text == "a"
        assert shown("aö".encode(), limit=3).text == "aö"

    def test_is_not_there_when_nothing_was_kept(self) -> None:
        body = shown(b"text", "text/plain", limit=0)
        assert (body.size, body.content, body.text, body.is_whole) == (4, b"", None, False)

    def test_is_masked_in_its_own_charset(self) -> None:
        data = '{"ö": 1, "token": "abc"}'.encode("utf-16")
        headers = httpx.Headers({"Content-Type": "application/json"})
        body = shown_body(captured(data), headers, Redaction())
        assert body.text == '{"ö": 1, "token": "****"}'

    @given(
        st.binary(),
        st.sampled_from([*sorted(set(encodings.aliases.aliases.values())), "idna", "punycode"]),
    )
    def test_may_be_in_any_codec_there_is(self, content: bytes, charset: str) -> None:
        content_type = f"text/plain; charset={charset}"
        masked = shown_body(
            captured(content), httpx.Headers({"Content-Type": content_type}), Redaction()
        )
        for body in (shown(content, content_type), masked):
            # Some of them read no text, or not piece by piece.
            assert body.text is None or isinstance(body.text, str)

    @given(st.binary(), st.text(), st.integers(0, 20))
    def test_never_fails(self, content: bytes, content_type: str, limit: int) -> None:
        body = Body(len(content), content[:limit], content_type, limit >= len(content), None)
        assert body.text is None or isinstance(body.text, str)


@given(st.lists(st.binary(max_size=50)), st.integers(0, 100))
def test_no_more_is_kept_than_was_asked_for(chunks: list[bytes], limit: int) -> None:
    body = BodyCapture(limit)
    for chunk in chunks:
        body.add(chunk)
        assert len(body.content) <= limit
    whole = b"".join(chunks)
    assert (body.size, body.content) == (len(whole), whole[:limit])


@given(st.binary(max_size=200), st.sampled_from(["gzip", "deflate", "br", "zstd", "own", "\x80"]))
def test_no_bytes_are_too_strange_to_decode(content: bytes, encoding: str) -> None:
    decoded, _ = decode(content, encoding, 100)
    assert len(decoded) <= 100
