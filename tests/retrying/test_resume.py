"""`ResumeTransport` on real sockets: every way to break, every wrong way to go on."""

import asyncio
import contextlib
import gc
import gzip
import hashlib
import logging
import random
import resource
import socket
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import h2.connection
import pytest
from support import faulty
from support.cancelling import a_moment_after, cancelled_when
from support.faulty import Connection, FaultyOrigin, Step, answer, faulty_origin
from support.flavours import NAMES, Flavour
from support.http2 import Answer, H2Request, cut, go_away, h2_origin, reset_stream
from support.impatient import Impatient
from support.library import httpx
from support.matrices import thinned
from support.raw import raw_server, read_head

# No two places in it look alike.
CONTENT = b"".join(b"%06d\n" % number for number in range(4000))
SIZE = len(CONTENT)
GZIPPED = gzip.compress(CONTENT, mtime=0)
ETAG = '"v1"'
# On trio, httpx's own generators complain when a body is not read to its end.
UNREAD = pytest.mark.filterwarnings("ignore:Async generator .*:ResourceWarning")
ASYNC = pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)


def asked_range(header: str | None, size: int) -> tuple[int, int]:
    """The first position that a Range header asks for, and the one behind the last."""
    if header is None:
        return 0, size
    first, _, last = header.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1 if last else size)


def close(connection: Connection) -> bool:
    return False


def reset(connection: Connection) -> bool:
    connection.reset()
    return False


def stall(connection: Connection) -> bool:
    connection.wait_for_end()
    return False


def end_of_chunks(connection: Connection) -> bool:
    """End a chunked body as if all of it had come."""
    connection.send(b"0\r\n\r\n")
    return False


def half_a_chunk(connection: Connection) -> bool:
    """Promise a chunk, and close in the size of the next, or in this."""
    connection.send(b"3")
    return False


def part(
    *,
    stop: int | None = None,
    ending: Callable[[Connection], bool] = close,
    status: int | None = None,
    headers: dict[str, str | None] | None = None,
    content: bytes = CONTENT,
    chunked: bool = False,
    in_chunk: int = 0,
    whole: bool = False,
    extra: bytes = b"",
) -> Step:
    """Answers with what is asked for.

    Arguments:
        stop: how much of it comes before the ending; None for all.
        ending: what happens then.
        in_chunk: how many bytes of a last, longer chunk come after `stop`.
        whole: a Range is ignored.
        extra: what comes behind all that was asked for.
    """

    def step(connection: Connection) -> bool:
        seen = connection.read_request()
        if seen is None:
            return False
        header = None if whole else seen.headers.get("range")
        start, end = asked_range(header, len(content))
        body = content[start:end]
        fields: dict[str, str | None] = {"ETag": ETAG, "Content-Type": "text/plain"}
        if header is not None:
            fields["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        if chunked:
            fields["Transfer-Encoding"] = "chunked"
        else:
            fields["Content-Length"] = str(len(body))
        fields.update(headers or {})
        lines = [f"HTTP/1.1 {status or (200 if header is None else 206)} Whatever"]
        lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
        connection.send("\r\n".join([*lines, "", ""]).encode("ascii"))
        sent = body[:stop] + extra
        if chunked:
            for at in range(0, len(sent), 1000):
                piece = sent[at : at + 1000]
                connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            if in_chunk:
                connection.send(b"%x\r\n%b" % (in_chunk * 2, body[len(sent) :][:in_chunk]))
            if stop is None and ending is close:
                connection.send(b"0\r\n\r\n")
        else:
            connection.send(sent)
        return ending(connection)

    return step


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that would have been."""
    waited: list[float] = []

    async def async_sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(anyio, "sleep", async_sleep)
    return waited


class Recorder(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Passes on to an inner transport; keeps what came by, and may do something meanwhile."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.requests: list[httpx.Request] = []
        self.responses: list[httpx.Response] = []
        self.meanwhile: Callable[[], Any] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response: httpx.Response = self.inner.handle_request(request)
        self.responses.append(response)
        if self.meanwhile is not None and len(self.requests) > 1:
            self.meanwhile()
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response: httpx.Response = await self.inner.handle_async_request(request)
        self.responses.append(response)
        if self.meanwhile is not None and len(self.requests) > 1:
            await self.meanwhile()
        return response

    def close(self) -> None:
        self.inner.close()

    async def aclose(self) -> None:
        await self.inner.aclose()


def recorded(flavour: Flavour, **kwargs: Any) -> tuple[Recorder, Any]:
    recorder = Recorder(flavour.HTTPTransport(verify=False, trust_env=False))
    return recorder, flavour.ResumeTransport(recorder, **kwargs)


def resuming(
    flavour: Flavour, *, heads: Collection[int] = (), bodies: Collection[int] = (), **kwargs: Any
) -> Any:
    """A transport that gives up soon on the requests that are to stall in head or body."""
    inner = flavour.HTTPTransport(verify=False, trust_env=False)
    if heads or bodies:
        inner = Impatient(inner, heads=heads, bodies=bodies)
    return flavour.ResumeTransport(inner, **kwargs)


def busy(transport: Any) -> list[Any]:
    """The connections that somebody still holds, in the pool below all wrappers."""
    while not (hasattr(transport, "_pool") or hasattr(transport, "_core")):
        transport = getattr(transport, "inner", None) or transport._transport
    pool = transport._core.pool if hasattr(transport, "_core") else transport._pool
    return [each for each in pool.connections if not each.is_idle()]


async def pieces(flavour: Flavour, response: httpx.Response, name: str) -> AsyncIterator[Any]:
    """What `iter_bytes` and its like yield."""
    if flavour.is_async:
        async for piece in getattr(response, f"a{name}")():
            yield piece
    else:
        for piece in getattr(response, name)():
            yield piece


async def collected(flavour: Flavour) -> None:
    """Wait until the loop has ended what its reader left in the middle."""
    gc.collect()
    for _ in range(20 * flavour.is_async):
        await anyio.lowlevel.checkpoint()


async def download(
    flavour: Flavour, transport: Any, url: str, *, method: str = "GET", **kwargs: Any
) -> tuple[bytes, httpx.TransportError | None]:
    """What was yielded of a body, and the error that ended it; nothing may be left."""
    received, failure = b"", None
    async with flavour.client(transport=transport, timeout=10) as client:
        async with client.stream(method, url, **kwargs) as response:
            try:
                async for chunk in flavour.chunks(response):
                    received += chunk
            except httpx.TransportError as error:
                failure = error
        assert busy(transport) == []
    return received, failure


def ranges(origin: FaultyOrigin) -> list[str | None]:
    return [seen.headers.get("range") for seen in origin.requests]


BREAKS: dict[str, tuple[Step, type[Exception]]] = {
    "reset": (part(stop=10_000, ending=reset), httpx.ReadError),
    "close": (part(stop=10_000), httpx.RemoteProtocolError),
    "close before the first byte": (part(stop=0), httpx.RemoteProtocolError),
    "close before the last byte": (part(stop=SIZE - 1), httpx.RemoteProtocolError),
    "stall": (part(stop=10_000, ending=stall), httpx.ReadTimeout),
    "stall before the first byte": (part(stop=0, ending=stall), httpx.ReadTimeout),
    "half a chunk": (
        part(stop=10_000, chunked=True, in_chunk=500),
        httpx.RemoteProtocolError,
    ),
    "half a chunk size": (
        part(stop=10_000, chunked=True, ending=half_a_chunk),
        httpx.RemoteProtocolError,
    ),
    "between chunks": (
        part(stop=10_000, chunked=True, ending=lambda connection: False),
        httpx.RemoteProtocolError,
    ),
    "reset between chunks": (part(stop=10_000, chunked=True, ending=reset), httpx.ReadError),
    "stall in a chunk": (
        part(stop=10_000, chunked=True, in_chunk=500, ending=stall),
        httpx.ReadTimeout,
    ),
}


def stalled(breaking: str) -> list[int]:
    """The number of the request whose answer stalls, if it breaks that way."""
    return [0] if breaking.startswith("stall") else []


class TestADownloadThatBreaks:
    @pytest.mark.parametrize(("breaking", "flavour"), thinned(BREAKS, NAMES), indirect=["flavour"])
    async def test_goes_on(self, breaking: str, flavour: Flavour) -> None:
        step, _ = BREAKS[breaking]
        with faulty_origin(step, part()) as origin:
            transport = resuming(flavour, bodies=stalled(breaking))
            received, failure = await download(flavour, transport, origin.url)
        assert failure is None
        assert received == CONTENT
        assert origin.connections == len(origin.requests) == 2

    @pytest.mark.parametrize(
        ("breaking", "flavour"), thinned(BREAKS, NAMES, start=1), indirect=["flavour"]
    )
    async def test_that_may_not_go_on_ends_as_without_us(
        self, breaking: str, flavour: Flavour
    ) -> None:
        step, error = BREAKS[breaking]
        with faulty_origin(step) as origin:
            transport = resuming(flavour, bodies=stalled(breaking), max_resumes=0)
            received, failure = await download(flavour, transport, origin.url)
        assert isinstance(failure, error)
        assert failure.request.url == origin.url
        assert CONTENT.startswith(received)
        assert len(origin.requests) == 1

    @pytest.mark.parametrize(
        ("breaking", "flavour"), thinned(BREAKS, NAMES, start=2), indirect=["flavour"]
    )
    async def test_goes_on_after_each_break(self, breaking: str, flavour: Flavour) -> None:
        step, _ = BREAKS[breaking]
        # The second answers a range from the middle: it breaks there, or at what is left.
        with faulty_origin(step, part(stop=7), part(stop=1000, chunked=True), part()) as origin:
            transport = resuming(flavour, bodies=stalled(breaking))
            received, failure = await download(flavour, transport, origin.url)
        assert failure is None
        assert received == CONTENT

    async def test_asks_for_the_rest_on_condition_that_it_is_the_same(
        self, flavour: Flavour
    ) -> None:
        given = {
            "Authorization": "Bearer x",
            "X-Own": "kept",
            "Accept-Encoding": "identity",
            "If-None-Match": '"v0"',
            "If-Modified-Since": "Wed, 21 Oct 2015 07:28:00 GMT",
            "If-Unmodified-Since": "Wed, 21 Oct 2035 07:28:00 GMT",
        }
        with faulty_origin(part(stop=10_000), part(stop=1), part()) as origin:
            received, _ = await download(flavour, resuming(flavour), origin.url, headers=given)
        first, *others = (seen.headers for seen in origin.requests)
        assert received == CONTENT
        kept = {
            name: value
            for name, value in first.items()
            if name not in {"if-none-match", "if-modified-since", "if-unmodified-since"}
        }
        assert first["if-none-match"] == '"v0"'
        assert others == [
            {**kept, "range": f"bytes={start}-{SIZE - 1}", "if-range": ETAG}
            for start in (10_000, 10_001)
        ]
        assert {seen.method for seen in origin.requests} == {"GET"}

    async def test_in_chunks_learns_its_end_from_the_first_206(self, flavour: Flavour) -> None:
        first = part(stop=10_000, chunked=True)
        with faulty_origin(first, part(stop=5000, chunked=True), part()) as origin:
            received, _ = await download(flavour, resuming(flavour), origin.url)
        assert received == CONTENT
        assert ranges(origin) == [None, "bytes=10000-", f"bytes=15000-{SIZE - 1}"]

    async def test_behind_its_last_byte_is_complete(self, flavour: Flavour) -> None:
        """The 206 told where the end is; the end of its chunks never comes."""
        rest = part(chunked=True, stop=SIZE)
        with faulty_origin(part(stop=10_000), rest) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert (received, failure) == (CONTENT, None)
        assert len(origin.requests) == 2

    async def test_behind_its_last_byte_of_which_nobody_told_ends_in_the_error(
        self, flavour: Flavour
    ) -> None:
        refusal = answer(416, {"Content-Range": f"bytes */{SIZE}", "ETag": ETAG})
        with faulty_origin(part(chunked=True, stop=SIZE), refusal) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert received == CONTENT
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert ranges(origin) == [None, f"bytes={SIZE}-"]

    async def test_that_ends_well_too_early_goes_on(self, flavour: Flavour) -> None:
        """A 206 in chunks that ends as it should, but before what its range promised."""
        short = part(chunked=True, stop=3000, ending=end_of_chunks)
        with faulty_origin(part(stop=10_000), short, part()) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert (received, failure) == (CONTENT, None)
        assert ranges(origin)[2] == f"bytes=13000-{SIZE - 1}"

    @pytest.mark.parametrize(
        ("name", "flavour"),
        thinned(["iter_raw", "iter_bytes", "iter_text", "iter_lines"], NAMES),
        indirect=["flavour"],
    )
    async def test_is_iterated_in_every_way(self, name: str, flavour: Flavour) -> None:
        with faulty_origin(part(stop=10_003), part(stop=3), part()) as origin:
            async with (
                flavour.client(transport=resuming(flavour)) as client,
                client.stream("GET", origin.url) as response,
            ):
                found = [piece async for piece in pieces(flavour, response, name)]
        if name == "iter_lines":
            assert found == CONTENT.decode().splitlines()
        else:
            assert (b"" if isinstance(found[0], bytes) else "").join(found) == (
                CONTENT if isinstance(found[0], bytes) else CONTENT.decode()
            )
        assert response.num_bytes_downloaded == SIZE

    async def test_is_got_whole(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=10_000), part(stop=0), part()) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                response = await client.get(origin.url)
                assert busy(transport) == []
        assert response.content == CONTENT
        assert response.status_code == 200

    async def test_is_compressed_and_decoded_right(self, flavour: Flavour) -> None:
        compressed = {"content": GZIPPED, "headers": {"Content-Encoding": "gzip"}}
        steps = [part(stop=stop, **compressed) for stop in (5, 1000, 4000, None)]  # type: ignore[arg-type]
        with faulty_origin(*steps) as origin:
            async with flavour.client(transport=resuming(flavour)) as client:
                response = await client.get(origin.url)
        assert response.content == CONTENT
        last = len(GZIPPED) - 1
        assert ranges(origin) == [None, *(f"bytes={at}-{last}" for at in (5, 1005, 5005))]

    async def test_needs_no_second_place_in_the_pool(self, flavour: Flavour) -> None:
        limits = httpx.Limits(max_connections=1)
        steps = [part(stop=10_000, ending=stall), part(stop=1000, ending=stall), part()]
        with faulty_origin(*steps) as origin:
            inner = flavour.default_transport(limits=limits, verify=False, trust_env=False)
            transport = flavour.ResumeTransport(Impatient(inner, bodies=[0, 1]))
            received, failure = await download(flavour, transport, origin.url)
        assert (received, failure) == (CONTENT, None)

    async def test_is_logged_without_secrets(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "transportkit")
        with faulty_origin(part(stop=10_000), part()) as origin:
            url = f"{origin.url}/file?page=2&token=tiger"
            await download(flavour, resuming(flavour), url.replace("://", "://scott:tiger@"))
        (record,) = (each for each in caplog.records if each.name.startswith("transportkit"))
        assert (record.name, record.levelno) == ("transportkit.retrying", logging.INFO)
        text = record.getMessage()
        assert text.endswith("/file?page=2&token=**** at byte 10000 after RemoteProtocolError")
        assert text.startswith("Resuming GET http://")
        assert "tiger" not in text


class TestARangeThatWasAskedFor:
    @pytest.mark.parametrize(
        ("asked", "start", "end", "flavour"),
        thinned(
            [
                ("bytes=1000-8999", 1000, 9000),
                ("bytes=1000-", 1000, SIZE),
                ("bytes=-9000", SIZE - 9000, SIZE),
                # More than there is.
                (f"bytes=20000-{SIZE * 2}", 20_000, SIZE),
            ],
            NAMES,
        ),
        indirect=["flavour"],
    )
    async def test_is_resumed_within_itself(
        self, asked: str, start: int, end: int, flavour: Flavour
    ) -> None:
        with faulty_origin(part(stop=5000), part(stop=1), part()) as origin:
            given = {"Range": asked, "If-Range": ETAG}
            received, failure = await download(
                flavour, resuming(flavour), origin.url, headers=given
            )
        assert (received, failure) == (CONTENT[start:end], None)
        assert ranges(origin) == [
            asked,
            f"bytes={start + 5000}-{end - 1}",
            f"bytes={start + 5001}-{end - 1}",
        ]
        assert [seen.headers["if-range"] for seen in origin.requests] == [ETAG] * 3

    async def test_may_be_ignored_by_the_server(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=5000, whole=True), part()) as origin:
            received, _ = await download(
                flavour, resuming(flavour), origin.url, headers={"Range": "bytes=10-20"}
            )
        assert received == CONTENT
        assert ranges(origin) == ["bytes=10-20", f"bytes=5000-{SIZE - 1}"]

    async def test_of_a_file_of_unknown_length_is_resumed(self, flavour: Flavour) -> None:
        untold = {"Content-Range": "bytes 1000-8999/*"}
        with faulty_origin(part(stop=5000, headers=untold), part()) as origin:  # type: ignore[arg-type]
            received, _ = await download(
                flavour, resuming(flavour), origin.url, headers={"Range": "bytes=1000-8999"}
            )
        assert received == CONTENT[1000:9000]

    async def test_in_several_parts_is_never_resumed(self, flavour: Flavour) -> None:
        headers = {
            "Content-Type": "multipart/byteranges; boundary=x",
            "Content-Range": None,
        }
        several = part(stop=50, status=206, headers=headers, whole=True)
        with faulty_origin(several, part()) as origin:
            received, failure = await download(
                flavour, resuming(flavour), origin.url, headers={"Range": "bytes=0-10,20-30"}
            )
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == CONTENT[:50]
        assert len(origin.requests) == 1


# What answers the request for the rest from byte 10000 on, and its status.
WRONG: dict[str, tuple[Step, int]] = {
    "a weak ETag": (part(headers={"ETag": f"W/{ETAG}"}), 206),
    "no ETag": (part(headers={"ETag": None}), 206),
    "another ETag": (part(headers={"ETag": '"v2"'}), 206),
    "the whole file": (part(whole=True), 200),
    "the whole of another file": (part(whole=True, headers={"ETag": '"v2"'}), 200),
    "the part with status 200": (part(status=200), 200),
    "416": (answer(416, {"Content-Range": f"bytes */{SIZE}", "ETag": ETAG}), 416),
    "404": (answer(404, {"ETag": ETAG}, b"not found"), 404),
    "304": (answer(304, {"ETag": ETAG}), 304),
    "302": (answer(302, {"ETag": ETAG, "Location": "/elsewhere"}), 302),
    "no Content-Range": (part(headers={"Content-Range": None}), 206),
    "an earlier start": (part(headers={"Content-Range": f"bytes 9999-{SIZE - 1}/{SIZE}"}), 206),
    "a later start": (part(headers={"Content-Range": f"bytes 10001-{SIZE - 1}/{SIZE}"}), 206),
    "another end": (part(headers={"Content-Range": f"bytes 10000-{SIZE - 2}/{SIZE}"}), 206),
    "another total": (part(headers={"Content-Range": f"bytes 10000-{SIZE - 1}/{SIZE + 1}"}), 206),
    "no total": (part(headers={"Content-Range": f"bytes 10000-{SIZE - 1}/*"}), 206),
    "a shorter body": (part(headers={"Content-Length": "17999"}), 206),
    "a longer body": (part(headers={"Content-Length": "18001"}, extra=b"x"), 206),
    "another encoding": (part(headers={"Content-Encoding": "gzip"}), 206),
    "several parts": (
        part(headers={"Content-Type": "multipart/byteranges; boundary=x", "Content-Range": None}),
        206,
    ),
}


def never(status: int) -> str:
    """The note on an error after an answer that does not go on."""
    why = f"asking for the rest was answered with {status}"
    if status == 206:
        why += ", for another file or other bytes"
    return f"transportkit: the body cannot be resumed: {why}"


class TestAnAnswerThatDoesNotGoOn:
    @pytest.mark.parametrize(("wrong", "flavour"), thinned(WRONG, NAMES), indirect=["flavour"])
    async def test_ends_in_the_error_of_the_break(self, wrong: str, flavour: Flavour) -> None:
        step, status = WRONG[wrong]
        with faulty_origin(part(stop=10_000), step) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert failure.__notes__ == [never(status)]
        assert received == CONTENT[:10_000]
        assert len(origin.requests) == 2

    @pytest.mark.parametrize(
        ("wrong", "flavour"),
        [
            pytest.param(wrong, flavour, marks=() if (wrong, flavour) in few else pytest.mark.slow)
            for few in [{("another ETag", "sync"), ("the whole file", "asyncio"), ("404", "trio")}]
            for wrong in WRONG
            for flavour in NAMES
        ],
        indirect=["flavour"],
    )
    async def test_ends_in_the_error_of_a_stall(self, wrong: str, flavour: Flavour) -> None:
        step, status = WRONG[wrong]
        with faulty_origin(part(stop=10_000, ending=stall), step) as origin:
            async with flavour.client(transport=resuming(flavour, bodies=[0])) as client:
                with pytest.raises(httpx.ReadTimeout) as failed:
                    await client.get(origin.url, timeout=10)
        assert failed.value.__notes__ == [never(status)]
        assert failed.value.request.url == origin.url

    async def test_may_lose_its_encoding(self, flavour: Flavour) -> None:
        compressed = part(stop=1000, content=GZIPPED, headers={"Content-Encoding": "gzip"})
        plain = part(content=GZIPPED)
        with faulty_origin(compressed, plain) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == GZIPPED[:1000]

    async def test_may_have_another_total_than_a_206_before(self, flavour: Flavour) -> None:
        """The first came in chunks; the second told the total."""
        other = part(headers={"Content-Range": f"bytes 15000-{SIZE - 1}/{SIZE + 1}"})
        steps = [part(stop=10_000, chunked=True), part(stop=5000), other]
        with faulty_origin(*steps) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == CONTENT[:15_000]

    @UNREAD
    @pytest.mark.parametrize(
        ("chunked_first", "flavour"), thinned([False, True], NAMES), indirect=["flavour"]
    )
    async def test_may_be_longer_than_it_promised(
        self, chunked_first: bool, flavour: Flavour
    ) -> None:
        long = part(chunked=True, extra=b"too much", ending=end_of_chunks)
        with faulty_origin(part(stop=10_000, chunked=chunked_first), long) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
            await collected(flavour)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert "against its promise" in str(failure)
        assert CONTENT.startswith(received)
        assert len(origin.requests) == 2


class _Generated(httpx.AsyncByteStream):
    """A body that is longer than anybody promised."""

    def __init__(self) -> None:
        self.ended = False
        self.iterators: list[AsyncIterator[bytes]] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        # Kept, so that only who iterates ends it.
        self.iterators.append(self._chunks())
        return self.iterators[-1]

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            yield CONTENT
            yield b"too much"
            yield b"far too much"
        finally:
            self.ended = True


@UNREAD
@ASYNC
async def test_a_body_that_is_too_long_is_not_left_suspended(flavour: Flavour) -> None:
    stream = _Generated()
    headers = {"ETag": ETAG, "Content-Length": str(SIZE)}
    inner = httpx.MockTransport(lambda request: httpx.Response(200, headers=headers, stream=stream))
    async with flavour.client(transport=flavour.ResumeTransport(inner)) as client:
        with pytest.raises(httpx.RemoteProtocolError, match="against its promise"):
            await client.get("http://example.com/")
    try:
        assert stream.ended
    finally:
        for iterator in stream.iterators:
            assert isinstance(iterator, AsyncGenerator)
            await iterator.aclose()


class TestLeftAsItIs:
    @pytest.mark.parametrize(
        ("headers", "why", "flavour"),
        thinned(
            [
                ({"ETag": None}, "neither an ETag nor a Last-Modified that is certain enough"),
                (
                    {"ETag": None, "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"},
                    "neither an ETag nor a Last-Modified that is certain enough",
                ),
                ({"ETag": f"W/{ETAG}"}, "its ETag is weak"),
                ({"ETag": f"W/{ETAG}", "Content-Encoding": "gzip"}, "encoded as gzip on the fly"),
                ({"ETag": "v1"}, "its ETag is weak"),
                ({"Accept-Ranges": "none"}, "the server gives no ranges"),
            ],
            NAMES,
        ),
        indirect=["flavour"],
    )
    async def test_an_answer_that_promises_nothing(
        self, headers: dict[str, str | None], why: str, flavour: Flavour
    ) -> None:
        with faulty_origin(part(stop=10_000, headers=headers), part()) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        (note,) = failure.__notes__
        assert note.startswith("transportkit: the body cannot be resumed: ")
        assert note.endswith(why)
        assert received == CONTENT[:10_000]
        assert len(origin.requests) == 1

    @pytest.mark.parametrize(
        ("status", "flavour"), thinned([201, 203, 404, 503], NAMES), indirect=["flavour"]
    )
    async def test_an_answer_of_another_status(self, status: int, flavour: Flavour) -> None:
        with faulty_origin(part(stop=10_000, status=status), part()) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == CONTENT[:10_000]
        assert len(origin.requests) == 1

    @pytest.mark.parametrize(
        ("method", "content", "flavour"),
        thinned(
            [("POST", None), ("POST", b"abc"), ("PUT", b"abc"), ("DELETE", None), ("GET", b"abc")],
            NAMES,
        ),
        indirect=["flavour"],
    )
    async def test_a_request_of_another_kind(
        self, method: str, content: bytes | None, flavour: Flavour
    ) -> None:
        with faulty_origin(part(stop=10_000), part()) as origin:
            received, failure = await download(
                flavour, resuming(flavour), origin.url, method=method, content=content
            )
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert "be asked for in part" in failure.__notes__[0]
        assert received == CONTENT[:10_000]
        assert [seen.body for seen in origin.requests] == [content or b""]

    async def test_an_answer_to_head(self, flavour: Flavour) -> None:
        """Its Content-Length promises no body."""
        with faulty_origin(part(stop=0)) as origin:
            received, failure = await download(
                flavour, resuming(flavour), origin.url, method="HEAD"
            )
        assert (received, failure) == (b"", None)
        assert len(origin.requests) == 1

    async def test_an_error_before_any_answer(self, flavour: Flavour) -> None:
        with faulty_origin(faulty.close_after_request, part()) as origin:
            async with flavour.client(transport=resuming(flavour)) as client:
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.get(origin.url)
        assert len(origin.requests) == 1

    async def test_an_answer_that_came_closed(self, flavour: Flavour) -> None:
        # Shorter than it says, which is nobody's business once it is read.
        headers = {"ETag": ETAG, "Content-Length": "100"}
        canned = httpx.Response(200, headers=headers, content=b"abc")
        stream = canned.stream
        transport = flavour.ResumeTransport(httpx.MockTransport(lambda request: canned))
        request = httpx.Request("GET", "http://example.com/")
        assert await flavour.send(transport, request) is canned
        assert canned.stream is stream
        assert canned.content == b"abc"

    async def test_the_answer_but_for_its_stream(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=10_000), part()) as origin:
            recorder, transport = recorded(flavour)
            async with flavour.entered(transport):
                extensions = {"timeout": httpx.Timeout(5).as_dict(), "own": object()}
                request = httpx.Request("GET", origin.url, extensions=extensions)
                found = dict(request.extensions)
                response = await flavour.send(transport, request)
                assert response is recorder.responses[0]
                assert response.status_code == 200
                headers, network_stream = (
                    response.headers.raw,
                    response.extensions["network_stream"],
                )
                assert not response.is_closed
                assert await flavour.read(response) == CONTENT
        assert response.headers.raw == headers
        assert response.headers["Content-Length"] == str(SIZE)
        assert response.extensions["network_stream"] is network_stream
        assert response.extensions["http_version"] == b"HTTP/1.1"
        assert request.extensions == found
        assert "Range" not in request.headers
        assert "If-Range" not in request.headers

    @UNREAD
    async def test_a_chunked_answer_with_a_content_length_as_well(self, flavour: Flavour) -> None:
        """Transfer-Encoding overrides Content-Length (RFC 9112, section 6.3)."""
        with faulty_origin(part(chunked=True, headers={"Content-Length": "5"})) as origin:
            async with flavour.client(transport=flavour.HTTPTransport(verify=False)) as client:
                assert (await client.get(origin.url)).content == CONTENT
        with faulty_origin(part(chunked=True, headers={"Content-Length": "5"})) as origin:
            async with flavour.client(transport=resuming(flavour)) as client:
                assert (await client.get(origin.url)).content == CONTENT

    @UNREAD
    @pytest.mark.parametrize("said", ["bytes 1000-1004/28000", f"bytes 1000-{SIZE - 1}/{SIZE}"])
    async def test_a_206_whose_content_range_lies_about_its_length(
        self, said: str, flavour: Flavour
    ) -> None:
        step = part(headers={"Content-Range": said})
        given = {"Range": "bytes=1000-8999"}
        with faulty_origin(step) as origin:
            async with flavour.client(transport=resuming(flavour)) as client:
                response = await client.get(origin.url, headers=given)
        assert response.content == CONTENT[1000:9000]
        assert len(origin.requests) == 1

    async def test_a_download_that_does_not_break(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "transportkit")
        fields = {"ETag": ETAG}
        with faulty_origin(answer(200, fields, CONTENT), answer(200, fields, b"")) as origin:
            async with flavour.client(transport=resuming(flavour)) as client:
                assert (await client.get(origin.url)).content == CONTENT
                assert (await client.get(origin.url)).content == b""
        assert origin.connections == 1
        assert not [each for each in caplog.records if each.name.startswith("transportkit")]


class TestHowOften:
    @pytest.mark.parametrize(
        ("max_resumes", "flavour"), thinned([0, 1, 5], NAMES), indirect=["flavour"]
    )
    async def test_is_bounded(self, max_resumes: int, flavour: Flavour) -> None:
        enough = [*[part(stop=1000)] * max_resumes, part()]
        with faulty_origin(*enough) as origin:
            transport = resuming(flavour, max_resumes=max_resumes)
            assert await download(flavour, transport, origin.url) == (CONTENT, None)
        with faulty_origin(*[part(stop=1000)] * (max_resumes + 1), part()) as origin:
            transport = resuming(flavour, max_resumes=max_resumes)
            received, failure = await download(flavour, transport, origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == CONTENT[: 1000 * (max_resumes + 1)]
        assert len(origin.requests) == max_resumes + 1

    async def test_is_five_by_default(self, flavour: Flavour) -> None:
        with faulty_origin(*[part(stop=1000)] * 6, part()) as origin:
            received, failure = await download(flavour, resuming(flavour), origin.url)
        assert failure is not None
        assert len(received) == 6000
        assert len(origin.requests) == 6

    async def test_is_counted_for_each_download(self, flavour: Flavour) -> None:
        last = part(headers={"Connection": "close"})
        with faulty_origin(*[part(stop=1000), last] * 3) as origin:
            transport = resuming(flavour, max_resumes=1)
            async with flavour.client(transport=transport) as client:
                for _ in range(3):
                    assert (await client.get(origin.url)).content == CONTENT

    @pytest.mark.parametrize(
        ("step", "name", "flavour"),
        thinned(
            [
                (faulty.reset_on_accept, None),
                (faulty.reset_after_request, "ReadError"),
                (faulty.close_after_request, "RemoteProtocolError"),
                (faulty.stall, "ReadTimeout"),
            ],
            NAMES,
        ),
        indirect=["flavour"],
    )
    async def test_counts_requests_that_break_themselves(
        self, step: Step, name: str | None, flavour: Flavour, sleeps: list[float]
    ) -> None:
        stalled = [1, 2] if step is faulty.stall else []
        with faulty_origin(part(stop=10_000), step, step, part()) as origin:
            transport = resuming(flavour, heads=stalled, max_resumes=3)
            result = await download(flavour, transport, origin.url)
        assert result == (CONTENT, None)
        with faulty_origin(part(stop=10_000), step, step, part()) as origin:
            transport = resuming(flavour, heads=stalled, max_resumes=2)
            received, failure = await download(flavour, transport, origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == CONTENT[:10_000]
        assert sleeps == [0.5, 1.0, 0.5]
        *notes, why = failure.__notes__
        assert why == "transportkit: the body cannot be resumed: it was resumed 2 times"
        assert len(notes) == 2
        for note in notes:
            assert note.startswith("transportkit: asking for the rest ended in ")
            assert name is None or note.endswith(name)

    async def test_counts_requests_that_are_refused(
        self, flavour: Flavour, sleeps: list[float]
    ) -> None:
        def no_more(connection: Connection) -> bool:
            origin.listener.shutdown(socket.SHUT_RDWR)
            return part(stop=10_000)(connection)

        with faulty_origin(no_more) as origin:
            transport = resuming(flavour, max_resumes=2)
            received, failure = await download(flavour, transport, origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert received == CONTENT[:10_000]
        assert failure.__notes__ == [
            *["transportkit: asking for the rest ended in ConnectError"] * 2,
            "transportkit: the body cannot be resumed: it was resumed 2 times",
        ]
        assert sleeps == [0.5]

    @pytest.mark.parametrize(
        ("status", "flavour"), thinned([408, 429, 500, 503], NAMES), indirect=["flavour"]
    )
    async def test_counts_answers_that_say_not_now(
        self, status: int, flavour: Flavour, sleeps: list[float]
    ) -> None:
        later = answer(status, {"Retry-After": "7"})
        steps = [part(stop=10_000), answer(status), later, part(stop=5), answer(status), part()]
        with faulty_origin(*steps) as origin:
            result = await download(flavour, resuming(flavour, max_resumes=5), origin.url)
        assert result == (CONTENT, None)
        # What has come between begins anew.
        assert sleeps == [0.5, 7.0, 0.5]

    async def test_is_bounded_in_time(self, flavour: Flavour, sleeps: list[float]) -> None:
        with faulty_origin(part(stop=10_000), *[answer(503)] * 20) as origin:
            transport = resuming(flavour, max_resumes=1000)
            _, failure = await download(flavour, transport, origin.url)
        assert failure is not None
        assert failure.__notes__[-1] == (
            "transportkit: the body cannot be resumed: "
            "the waits for it would take more than 60 seconds"
        )
        assert sum(sleeps) <= 60
        later = answer(503, {"Retry-After": "60"})
        with faulty_origin(part(stop=10_000), later, part()) as origin:
            assert await download(flavour, resuming(flavour), origin.url) == (CONTENT, None)
        assert sleeps[-1] == 60

    async def test_is_none_once_the_transport_was_closed_in_a_wait(
        self, flavour: Flavour, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        transport: Any = resuming(flavour)

        async def async_sleep(seconds: float) -> None:
            await flavour.close(transport)

        monkeypatch.setattr(time, "sleep", lambda seconds: transport.close())
        monkeypatch.setattr(anyio, "sleep", async_sleep)
        with faulty_origin(part(stop=10_000), answer(503), part()) as origin:
            _, failure = await download(flavour, transport, origin.url)
        assert failure is not None
        assert failure.__notes__[-1].endswith("the transport or the response was closed")
        assert len(origin.requests) == 2

    async def test_is_not_charged_for_a_part_that_is_shorter_than_asked(
        self, flavour: Flavour
    ) -> None:
        def shorter(first: int, end: int) -> Step:
            headers = {
                "ETag": ETAG,
                "Content-Range": f"bytes {first}-{end - 1}/{SIZE}",
            }
            return answer(206, headers, CONTENT[first:end])

        steps = [shorter(at, min(at + 3000, SIZE)) for at in range(10_000, SIZE, 3000)]
        with faulty_origin(part(stop=10_000), *steps) as origin:
            result = await download(flavour, resuming(flavour, max_resumes=1), origin.url)
        assert result == (CONTENT, None)
        assert len(origin.requests) == 1 + len(steps)
        # One that breaks after that is charged, and the only one.
        steps = [part(stop=10_000), shorter(10_000, 13_000), part(stop=5), part(stop=5), part()]
        for max_resumes, received in ((3, SIZE), (2, 13_010)):
            with faulty_origin(*steps) as origin:
                transport = resuming(flavour, max_resumes=max_resumes)
                content, _ = await download(flavour, transport, origin.url)
            assert content == CONTENT[:received]


class TestAroundARetryTransport:
    @pytest.mark.parametrize(
        ("step", "flavour"),
        thinned(
            [answer(503, body=b"busy"), faulty.close_after_request, faulty.reset_on_accept], NAMES
        ),
        indirect=["flavour"],
    )
    async def test_the_request_for_the_rest_is_retried(
        self, step: Step, flavour: Flavour, sleeps: list[float]
    ) -> None:
        with faulty_origin(part(stop=10_000), step, step, part(stop=5), step, part()) as origin:
            retrying = flavour.RetryTransport(verify=False, trust_env=False)
            transport = flavour.ResumeTransport(retrying, max_resumes=2)
            result = await download(flavour, transport, origin.url)
        assert result == (CONTENT, None)
        assert len(sleeps) == 3
        last = SIZE - 1
        assert set(ranges(origin)) == {None, f"bytes=10000-{last}", f"bytes=10005-{last}"}

    async def test_the_last_503_ends_in_the_error_of_the_break(
        self, flavour: Flavour, sleeps: list[float]
    ) -> None:
        with faulty_origin(part(stop=10_000), *[answer(503)] * 8) as origin:
            transport = flavour.ResumeTransport(
                flavour.RetryTransport(verify=False, trust_env=False), max_resumes=2
            )
            received, failure = await download(flavour, transport, origin.url)
        assert isinstance(failure, httpx.RemoteProtocolError)
        assert failure.__notes__ == [
            *["transportkit: asking for the rest was answered with 503"] * 2,
            "transportkit: the body cannot be resumed: it was resumed 2 times",
        ]
        assert received == CONTENT[:10_000]
        # What the inner one gives up on is one resume.
        assert len(origin.requests) == 1 + 2 * 4

    async def test_the_first_request_is_retried_too(
        self, flavour: Flavour, sleeps: list[float]
    ) -> None:
        with faulty_origin(answer(503), part(stop=10_000), part()) as origin:
            transport = flavour.ResumeTransport(
                flavour.RetryTransport(verify=False, trust_env=False)
            )
            assert await download(flavour, transport, origin.url) == (CONTENT, None)
        assert len(sleeps) == 1


class TestTheCallersOwn:
    async def test_trace_hears_of_the_requests_for_the_rest(self, flavour: Flavour) -> None:
        events: list[str] = []

        def trace(event: str, info: Any) -> None:
            events.append(event)

        async def async_trace(event: str, info: Any) -> None:
            events.append(event)

        with faulty_origin(part(stop=10_000), part()) as origin:
            own = {"trace": async_trace if flavour.is_async else trace}
            received, _ = await download(flavour, resuming(flavour), origin.url, extensions=own)
        assert received == CONTENT
        assert events.count("http11.send_request_headers.started") == 2
        assert events.count("http11.receive_response_body.complete") == 1
        assert events.count("http11.receive_response_body.failed") == 1
        assert events.count("http11.response_closed.complete") == 2

    async def test_extensions_are_those_of_the_requests_for_the_rest(
        self, flavour: Flavour
    ) -> None:
        with faulty_origin(part(stop=10_000), part()) as origin:
            recorder, transport = recorded(flavour)
            own = object()
            await download(flavour, transport, origin.url, timeout=7, extensions={"own": own})
        first, second = recorder.requests
        assert second is not first
        assert second.extensions == first.extensions
        assert second.extensions["own"] is own
        assert second.extensions["timeout"]["read"] == 7

    async def test_redirects_are_followed_before(self, flavour: Flavour) -> None:
        moved = answer(302, {"Location": "/elsewhere", "ETag": ETAG})
        with faulty_origin(moved, part(stop=10_000), part()) as origin:
            recorder, transport = recorded(flavour)
            async with flavour.client(transport=transport, follow_redirects=True) as client:
                response = await client.get(origin.url)
        assert response.content == CONTENT
        assert [request.url.path for request in recorder.requests] == ["/", *["/elsewhere"] * 2]


class TestClosing:
    @UNREAD
    @pytest.mark.parametrize("stop_after", ["nothing", "a chunk", "a resume"])
    async def test_early_closes_the_connection(self, stop_after: str, flavour: Flavour) -> None:
        # The last has more to say, and waits until the client goes.
        steps = [part(stop=100, ending=stall)]
        if stop_after == "a resume":
            steps = [part(stop=100), *steps]
        with faulty_origin(*steps) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                async with client.stream("GET", origin.url) as response:
                    chunks = flavour.chunks(response)
                    assert isinstance(chunks, AsyncGenerator)
                    if stop_after != "nothing":
                        assert await anext(chunks) == CONTENT[:100]
                    if stop_after == "a resume":
                        assert await anext(chunks) == CONTENT[100:200]
                assert busy(transport) == []
                assert transport._transport._pool.connections == []
                await chunks.aclose()
                del chunks, response
                await collected(flavour)
        assert len(origin.requests) == len(steps)

    @UNREAD
    async def test_an_exception_of_the_reader_goes_through(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=100), part(stop=100, ending=stall)) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                own = httpx.ReadError("the reader's own")
                try:
                    async with client.stream("GET", origin.url) as response:
                        async for _ in flavour.chunks(response):
                            raise own
                except httpx.ReadError as error:
                    assert error is own
                    assert not hasattr(error, "__notes__")
                assert busy(transport) == []
            own.__traceback__ = None
            await collected(flavour)
        assert len(origin.requests) == 1

    @UNREAD
    async def test_ends_the_download(self, flavour: Flavour) -> None:
        """Who reads on after closing gets no new connection."""
        with faulty_origin(part(stop=100, ending=stall), part()) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                async with client.stream("GET", origin.url) as response:
                    chunks = flavour.chunks(response)
                    assert isinstance(chunks, AsyncGenerator)
                    assert await anext(chunks) == CONTENT[:100]
                    await flavour.call(response.aclose if flavour.is_async else response.close)
                    with contextlib.suppress(httpx.TransportError, httpx.StreamError):
                        await anext(chunks)
                assert len(origin.requests) == 1
                assert busy(transport) == []
                await chunks.aclose()
                await collected(flavour)

    @UNREAD
    async def test_in_the_middle_of_a_resume_leaves_nothing(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=100), part(stop=100, ending=stall)) as origin:
            recorder, transport = recorded(flavour)
            async with flavour.client(transport=transport) as client:
                async with client.stream("GET", origin.url) as response:
                    recorder.meanwhile = response.aclose if flavour.is_async else response.close
                    chunks = flavour.chunks(response)
                    assert isinstance(chunks, AsyncGenerator)
                    assert await anext(chunks) == CONTENT[:100]
                    with contextlib.suppress(httpx.TransportError, httpx.StreamError):
                        await anext(chunks)
                assert busy(transport) == []
                await chunks.aclose()
                await collected(flavour)

    @UNREAD
    async def test_the_client_ends_the_download(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=100, ending=stall), part()) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                response = await client.send(client.build_request("GET", origin.url), stream=True)
                chunks = flavour.chunks(response)
                assert isinstance(chunks, AsyncGenerator)
                assert await anext(chunks) == CONTENT[:100]
            try:
                with contextlib.suppress(httpx.TransportError, RuntimeError):
                    await anext(chunks)
                assert len(origin.requests) == 1
                assert transport._transport._pool.connections == []
            finally:
                await chunks.aclose()
                await flavour.call(response.aclose if flavour.is_async else response.close)
                await flavour.close(transport._transport)

    @UNREAD
    @ASYNC
    async def test_by_another_task_ends_the_download(self, flavour: Flavour) -> None:
        with faulty_origin(part(stop=100, ending=stall), part()) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                received = b""

                async def read_on(chunks: AsyncIterator[bytes]) -> None:
                    nonlocal received
                    with contextlib.suppress(httpx.TransportError, httpx.StreamError):
                        async for chunk in chunks:
                            received += chunk

                async with (
                    client.stream("GET", origin.url) as response,
                    anyio.create_task_group() as group,
                ):
                    group.start_soon(read_on, flavour.chunks(response))
                    await a_moment_after(lambda: received != b"")
                    await response.aclose()
        assert received == CONTENT[:100]
        assert len(origin.requests) == 1


class TestCancellation:
    @ASYNC
    @pytest.mark.parametrize(
        "steps",
        [
            [part(stop=100, ending=stall)],
            [part(stop=100), faulty.stall],
            [part(stop=100), part(stop=100, ending=stall)],
            [part(stop=100, ending=reset), faulty.close_after_request, faulty.stall],
        ],
        ids=["in the body", "in the resume", "in the resumed body", "in the second resume"],
    )
    async def test_leaves_nothing(self, steps: list[Step], flavour: Flavour) -> None:
        with faulty_origin(*steps) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                async with cancelled_when(lambda: origin.has_stalled) as scope:
                    await client.get(origin.url)
                assert scope.cancelled_caught
                assert transport._transport._pool.connections == []
        assert len(origin.requests) == len(steps)

    @pytest.mark.parametrize("flavour", ["asyncio"], indirect=True)
    @pytest.mark.parametrize(
        "steps",
        [[part(stop=100, ending=stall)], [part(stop=100), faulty.stall]],
        ids=["in the body", "in the resume"],
    )
    async def test_of_a_task_leaves_nothing(self, steps: list[Step], flavour: Flavour) -> None:
        with faulty_origin(*steps) as origin:
            transport = resuming(flavour)
            async with flavour.client(transport=transport) as client:
                task = asyncio.create_task(client.get(origin.url))
                await a_moment_after(lambda: origin.has_stalled)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert transport._transport._pool.connections == []
        assert len(origin.requests) == len(steps)


class TestArguments:
    @pytest.mark.parametrize("max_resumes", ["3", 1.5, None, True])
    def test_max_resumes_is_a_count(self, max_resumes: object, flavour: Flavour) -> None:
        text = f"^max_resumes must be a whole number of resumes, not {max_resumes!r}$"
        with pytest.raises(TypeError, match=text):
            flavour.ResumeTransport(max_resumes=max_resumes)

    def test_max_resumes_is_not_negative(self, flavour: Flavour) -> None:
        with pytest.raises(ValueError, match=r"^max_resumes must be 0 or more resumes, not -1$"):
            flavour.ResumeTransport(max_resumes=-1)

    def test_a_transport_and_arguments_are_too_much(self, flavour: Flavour) -> None:
        with pytest.raises(TypeError, match="http2 would be ignored"):
            flavour.ResumeTransport(flavour.HTTPTransport(), http2=True)

    def test_a_transport_is_of_the_same_kind(self, flavour: Flavour) -> None:
        other = httpx.HTTPTransport if flavour.is_async else httpx.AsyncHTTPTransport
        with pytest.raises(TypeError, match=r"ResumeTransport takes it$"):
            flavour.ResumeTransport(other())


def in_parts(*script: tuple[int, str]) -> Answer:
    """Answers each request with so many bytes, and what comes then."""
    left = list(script)

    def answer(http: h2.connection.H2Connection, request: H2Request) -> bool:
        start, end = asked_range(request.headers.get("range"), SIZE)
        stop, ending = left.pop(0)
        fields = [("etag", ETAG), ("content-length", str(end - start))]
        if "range" in request.headers:
            fields.append(("content-range", f"bytes {start}-{end - 1}/{SIZE}"))
        status = (":status", "206" if "range" in request.headers else "200")
        http.send_headers(request.stream, [status, *fields])
        body = CONTENT[start:end][:stop]
        for at in range(0, len(body), 8000):
            http.send_data(request.stream, body[at : at + 8000])
        if ending == "end":
            http.end_stream(request.stream)
            return True
        return {"rst": reset_stream, "goaway": go_away, "cut": cut}[ending](http, request)

    return answer


class TestHTTP2:
    @pytest.mark.parametrize(
        ("ending", "flavour"),
        thinned(["rst", "goaway", "cut"], NAMES),
        indirect=["flavour"],
    )
    async def test_goes_on(self, ending: str, flavour: Flavour, certificates: Path) -> None:
        script = [(10_000, ending), (0, ending), (1, ending), (SIZE, "end")]
        with h2_origin(certificates, in_parts(*script)) as (origin, url):
            transport = flavour.ResumeTransport(http2=True)
            async with flavour.client(transport=transport) as client:
                response = await client.get(url)
                assert busy(transport) == []
        assert response.content == CONTENT
        assert response.http_version == "HTTP/2"
        starts = [asked_range(request.headers.get("range"), SIZE)[0] for request in origin.requests]
        if ending == "rst":
            # The connection is still good.
            assert origin.connections == 1
        else:
            assert origin.connections == 4
        assert len(starts) == 4
        assert starts == sorted(starts)
        assert all(request.headers["if-range"] == ETAG for request in origin.requests[1:])

    @pytest.mark.parametrize(
        ("ending", "flavour"),
        thinned(["rst", "goaway", "cut"], NAMES, start=1),
        indirect=["flavour"],
    )
    async def test_may_break_too_often(
        self, ending: str, flavour: Flavour, certificates: Path
    ) -> None:
        script = [(10_000, ending), (1, ending), (SIZE, "end")]
        with h2_origin(certificates, in_parts(*script)) as (origin, url):
            transport = flavour.ResumeTransport(http2=True, max_resumes=1)
            received, failure = await download(flavour, transport, url)
        assert isinstance(failure, (httpx.RemoteProtocolError, httpx.ReadError))
        assert CONTENT.startswith(received)
        assert len(origin.requests) == 2


# Its length is a prime: no wrong place in the content looks like the right one.
BLOCK = random.Random(1).randbytes(1_048_583)


def big(connection: socket.socket, size: int, breaks: int) -> None:
    """Serve a file that is nowhere, made of `BLOCK` again and again, and break evenly."""
    head = read_head(connection).decode("ascii").lower()
    header = next((line[7:] for line in head.split("\r\n") if line.startswith("range: ")), None)
    start, end = asked_range(header, size)
    status = "200 OK" if header is None else "206 Partial Content"
    fields = f"ETag: {ETAG}\r\nContent-Length: {end - start}\r\n"
    if header is not None:
        fields += f"Content-Range: bytes {start}-{end - 1}/{size}\r\n"
    connection.sendall(f"HTTP/1.1 {status}\r\n{fields}\r\n".encode("ascii"))
    each = size // (breaks + 1)
    stop = min(end, (start // each + 1) * each) if start // each < breaks else end
    view = memoryview(BLOCK)
    while start < stop:
        at = start % len(BLOCK)
        piece = view[at : at + stop - start]
        connection.sendall(piece)
        start += len(piece)


def peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@pytest.mark.parametrize(
    ("size", "flavour"),
    [
        *((2**25, name) for name in NAMES),
        pytest.param(2**28, "sync", marks=pytest.mark.slow),
        *(pytest.param(2**26, name, marks=pytest.mark.slow) for name in NAMES[1:]),
    ],
    indirect=["flavour"],
)
async def test_a_big_download_takes_twenty_breaks_and_no_memory(
    size: int, flavour: Flavour
) -> None:
    breaks = 20
    requests: list[None] = []

    def talk(connection: socket.socket) -> None:
        requests.append(None)
        big(connection, size, breaks)

    before = peak_memory()
    received = hashlib.sha256()
    with raw_server(talk) as url:
        transport = resuming(flavour, max_resumes=breaks)
        async with (
            flavour.client(transport=transport) as client,
            client.stream("GET", url) as response,
        ):
            async for chunk in flavour.chunks(response):
                received.update(chunk)
        assert response.num_bytes_downloaded == size
    assert peak_memory() - before < 2**24
    assert len(requests) == breaks + 1
    expected = hashlib.sha256()
    for at in range(0, size, len(BLOCK)):
        expected.update(BLOCK[: size - at])
    assert received.digest() == expected.digest()


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose iterator is no generator, and cannot be closed."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = iter(pieces)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


async def test_a_body_may_be_any_iterator(flavour: Flavour) -> None:
    headers = {"ETag": ETAG, "Content-Length": "4"}
    inner = httpx.MockTransport(
        lambda request: httpx.Response(200, headers=headers, stream=Pieces(b"ab", b"cd"))
    )
    async with flavour.client(transport=flavour.ResumeTransport(inner)) as client:
        assert (await client.get("http://h/")).content == b"abcd"


class Odd(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends in an error after its first bytes."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __iter__(self) -> Iterator[bytes]:
        yield b"ab"
        raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"ab"
        raise self.error


class Inner(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers with a body of each error, and then raises what is left."""

    def __init__(self, error: Exception, *others: Exception) -> None:
        self.error = error
        self.others = list(others)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "Range" in request.headers:
            raise self.others.pop()
        headers = {"ETag": '"v1"', "Content-Length": "4"}
        return httpx.Response(200, headers=headers, stream=Odd(self.error))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


class TestAStrangersError:
    async def test_in_a_body_is_no_break_and_comes_through(self, flavour: Flavour) -> None:
        transport = flavour.ResumeTransport(Inner(ValueError("odd")))
        async with flavour.client(transport=transport) as client:
            with pytest.raises(ValueError, match=r"^odd$"):
                await client.get("https://example.com/file")

    async def test_instead_of_the_rest_comes_through(self, flavour: Flavour) -> None:
        transport = flavour.ResumeTransport(Inner(httpx.ReadError("cut"), ValueError("odd")))
        async with flavour.client(transport=transport) as client:
            with pytest.raises(ValueError, match=r"^odd$"):
                await client.get("https://example.com/file")
