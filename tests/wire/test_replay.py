"""Request bodies that are sent again: the same bytes whole, or not at all."""

import gc
import io
import os
import socket
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flavours import NAMES, Flavour
from support.library import httpx, shell

from transportkit.wire.replay import is_idempotent, is_repeatable, may_repeat

# Any: which of the two libraries they are of is known when the tests run.
ReplayStream: Any = shell("streams").ReplayStream
AsyncReplayStream: Any = shell("streams").AsyncReplayStream

in_async = pytest.mark.parametrize("flavour", [Flavour(name) for name in NAMES[1:]], ids=NAMES[1:])


def stream_of(**body: Any) -> Any:
    return httpx.Request("POST", "https://example.com/", **body).stream


def generated() -> Iterator[bytes]:
    yield b"abc"


async def async_generated() -> AsyncIterator[bytes]:
    yield b"abc"


class Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A custom stream that can be iterated once, in either way.

    No generator: one that is left in the middle would have to be closed.

    Arguments:
        chunks: what it gives.
        error: what it raises at their end, once.
    """

    def __init__(self, chunks: Iterable[bytes], error: Exception | None = None) -> None:
        self._chunks = iter(chunks)
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def __next__(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        error, self._error = self._error, None
        raise error or StopIteration

    async def __anext__(self) -> bytes:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None


def replay_of(flavour: Flavour, stream: Any, max_bytes: int) -> Any:
    kind = AsyncReplayStream if flavour.is_async else ReplayStream
    return kind(stream, max_bytes)


async def read(flavour: Flavour, stream: Any, count: int | None = None) -> list[bytes]:
    """The first chunks of a stream, then it is dropped as httpcore does; all by default."""
    read: list[bytes] = []
    iterator = aiter(stream) if flavour.is_async else iter(stream)
    while count is None or len(read) < count:
        try:
            read.append(await anext(iterator) if flavour.is_async else next(iterator))
        except (StopIteration, StopAsyncIteration):
            break
    return read


class OnlyRead:
    """A file that knows nothing but `read`."""

    def __init__(self, content: bytes = b"abc") -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


class Unseekable(io.BytesIO):
    """A file that has a `seek`, as pipes and sockets have, and cannot."""

    def seekable(self) -> bool:
        return False

    def seek(self, *args: Any) -> int:
        raise io.UnsupportedOperation("seek")


class TestIsRepeatable:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"content": b""},
            {"content": b"abc"},
            {"content": "abc"},
            {"json": {"a": 1}},
            {"data": {"a": "1"}},
            {"files": {"a": b"abc"}},
            {"files": {"a": "abc"}},
            {"files": {"a": io.BytesIO(b"abc")}},
            {"files": {"a": b"abc", "b": ("name", io.BytesIO(b"abc"))}, "data": {"c": "1"}},
        ],
        ids=["none", "empty", "bytes", "str", "json", "form", "part", "text", "file", "parts"],
    )
    def test_of_what_httpx_builds_from_values(self, body: dict[str, Any]) -> None:
        stream = stream_of(**body)
        assert is_repeatable(stream)
        assert list(stream) == list(stream)

    @pytest.mark.parametrize(
        "content",
        [generated, lambda: iter([b"abc"]), lambda: io.BytesIO(b"abc"), async_generated],
        ids=["generator", "iterator", "file object", "async generator"],
    )
    def test_not_of_what_is_spent_by_reading(self, content: Callable[[], Any]) -> None:
        assert not is_repeatable(stream_of(content=content()))

    @pytest.mark.parametrize("stream", [Chunks([b"abc"]), object(), None, [b"abc"], b"abc"])
    def test_not_of_what_httpx_did_not_build(self, stream: object) -> None:
        assert not is_repeatable(stream)

    def test_not_of_a_custom_stream_with_fields_of_its_own(self) -> None:
        class Rows(Chunks):
            fields: ClassVar = ["id", "name"]

        assert not is_repeatable(Rows([b"1,a\n"]))

    @pytest.mark.parametrize("file", [OnlyRead, lambda: Unseekable(b"abc")])
    def test_not_of_multipart_with_a_file_that_cannot_seek(self, file: Callable[[], Any]) -> None:
        assert not is_repeatable(stream_of(files={"a": file()}))
        assert not is_repeatable(stream_of(files={"a": b"abc", "b": file()}))

    def test_of_multipart_with_a_file_on_disk(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"abc")
        with (tmp_path / "a").open("rb") as file:
            stream = stream_of(files={"a": file})
            assert is_repeatable(stream)
            assert list(stream) == list(stream)

    def test_not_of_multipart_with_a_pipe(self) -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as file, os.fdopen(writing, "wb"):
            assert not is_repeatable(stream_of(files={"a": file}))

    def test_not_of_multipart_with_a_socket(self) -> None:
        with ExitStack() as stack:
            ours, _ = map(stack.enter_context, socket.socketpair())
            file = stack.enter_context(ours.makefile("rb"))
            assert not is_repeatable(stream_of(files={"a": file}))

    @pytest.mark.parametrize(("room", "is_kept"), [(3, True), (2, False)])
    async def test_of_what_is_recorded_as_long_as_all_of_it_is_kept(
        self, flavour: Flavour, room: int, is_kept: bool
    ) -> None:
        replay = replay_of(flavour, Chunks([b"abc"]), room)
        assert is_repeatable(replay)
        await read(flavour, replay)
        assert is_repeatable(replay) == is_kept


class TestIsIdempotent:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
    def test_by_its_method(self, method: str) -> None:
        assert is_idempotent(httpx.Request(method, "https://example.com/"))

    @pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT", "get"])
    def test_not_by_another_method(self, method: str) -> None:
        request = httpx.Request("GET", "https://example.com/")
        request.method = method
        assert not is_idempotent(request)

    @pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key"])
    def test_by_a_key(self, name: str) -> None:
        assert is_idempotent(httpx.Request("POST", "https://example.com/", headers={name: "k1"}))

    def test_by_a_method_of_the_callers_choice(self) -> None:
        request = httpx.Request("POST", "https://example.com/")
        assert is_idempotent(request, {"POST"})
        assert not is_idempotent(httpx.Request("GET", "https://example.com/"), {"POST"})


class TestMayRepeat:
    @pytest.mark.parametrize(
        ("method", "content", "may"),
        [
            ("PUT", b"abc", True),
            ("PUT", iter([b"abc"]), False),
            ("POST", b"abc", False),
        ],
    )
    def test_what_is_idempotent_and_has_its_body_still(
        self, method: str, content: Any, may: bool
    ) -> None:
        request = httpx.Request(method, "https://example.com/", content=content)
        assert may_repeat(request) == may


class TestReplay:
    async def test_gives_the_same_chunks_each_time(self, flavour: Flavour) -> None:
        replay = replay_of(flavour, Chunks([b"a", b"bc"]), 3)
        for _ in range(3):
            assert await read(flavour, replay) == [b"a", b"bc"]
            assert replay.can_repeat

    async def test_can_repeat_what_was_never_sent(self, flavour: Flavour) -> None:
        replay = replay_of(flavour, Chunks([b"abc"]), 0)
        assert replay.can_repeat
        assert await read(flavour, replay, 0) == []
        assert replay.can_repeat

    @pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]])
    async def test_of_an_empty_body_needs_no_room(
        self, flavour: Flavour, chunks: list[bytes]
    ) -> None:
        replay = replay_of(flavour, Chunks(chunks), 0)
        for _ in range(2):
            assert await read(flavour, replay) == chunks
            assert replay.can_repeat

    async def test_goes_on_where_the_source_was_left(self, flavour: Flavour) -> None:
        source = iter([b"a", b"b", b"c"])
        replay = replay_of(flavour, Chunks(source), 3)
        assert await read(flavour, replay, 2) == [b"a", b"b"]
        assert list(source) == [b"c"]

    async def test_reads_nothing_before_it_is_sent(self, flavour: Flavour) -> None:
        source = iter([b"a"])
        replay_of(flavour, Chunks(source), 3)
        assert list(source) == [b"a"]

    @pytest.mark.parametrize("content", [generated, lambda: io.BytesIO(b"abc")])
    def test_of_what_httpx_makes_of_a_body(self, content: Callable[[], Any]) -> None:
        replay = ReplayStream(stream_of(content=content()), 3)
        assert list(replay) == list(replay) == [b"abc"]

    def test_of_multipart_with_a_pipe_sends_the_same_parts(self) -> None:
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as file:
            with os.fdopen(writing, "wb") as source:
                source.write(b"abc" * 100)
            replay = ReplayStream(stream_of(files={"a": file}), 1000)
            first = b"".join(replay)
            assert b"abc" * 100 in first
            assert b"".join(replay) == first

    @in_async
    async def test_of_an_async_generator(self, flavour: Flavour) -> None:
        replay = AsyncReplayStream(stream_of(content=async_generated()), 3)
        for _ in range(2):
            assert await read(flavour, replay) == [b"abc"]
            assert replay.can_repeat

    async def test_sends_on_what_it_can_no_longer_keep(self, flavour: Flavour) -> None:
        chunks = [b"abc"] * 5
        replay = replay_of(flavour, Chunks(chunks), 10)
        assert await read(flavour, replay) == chunks
        assert not replay.can_repeat

    @pytest.mark.parametrize("failing", [False, True])
    async def test_lets_go_of_what_it_cannot_send_again(
        self, flavour: Flavour, failing: bool
    ) -> None:
        error = ZeroDivisionError() if failing else None
        replay = replay_of(flavour, Chunks([b"x" * 10, b"" if failing else b"y"], error), 10)
        await read(flavour, replay, 1)
        assert replay._recorded == [b"x" * 10]
        with suppress(ZeroDivisionError):
            await read(flavour, replay)
        assert replay._recorded == []

    async def test_past_the_bound_never_keeps_a_later_small_chunk(self, flavour: Flavour) -> None:
        replay = replay_of(flavour, Chunks([b"xxxx", b"", b"y"]), 3)
        await read(flavour, replay)
        assert not replay.can_repeat
        assert replay._recorded == []

    async def test_past_the_bound_refuses_to_give_what_is_left(self, flavour: Flavour) -> None:
        replay = replay_of(flavour, Chunks([b"xxxx", b"y"]), 3)
        await read(flavour, replay, 1)
        # As httpcore does by itself, after a GOAWAY.
        with pytest.raises(httpx.RemoteProtocolError, match="cannot be sent again: it is longer"):
            await read(flavour, replay)

    @in_async
    async def test_of_which_a_read_was_cancelled_is_lost(self, flavour: Flavour) -> None:
        async def stalling() -> AsyncIterator[bytes]:
            yield b"a"
            scope.cancel()
            await anyio.sleep_forever()

        replay = replay_of(flavour, stream_of(content=stalling()), 3)
        with anyio.CancelScope() as scope:
            await read(flavour, replay)
        assert not replay.can_repeat

    @pytest.mark.parametrize("already", [0, 1, 2])
    async def test_of_a_source_that_fails_is_not_repeatable(
        self, flavour: Flavour, already: int
    ) -> None:
        # A generator that has raised would seem to have ended: the body would be shortened.
        error = ZeroDivisionError()
        replay = replay_of(flavour, Chunks([b"abc"] * already, error), 100)
        with pytest.raises(ZeroDivisionError) as caught:
            await read(flavour, replay)
        assert caught.value is error
        assert not replay.can_repeat

    async def test_of_a_spent_body_is_not_repeatable(self, flavour: Flavour) -> None:
        stream = stream_of(content=async_generated() if flavour.is_async else generated())
        await read(flavour, stream)
        replay = replay_of(flavour, stream, 100)
        with pytest.raises(httpx.StreamConsumed):
            await read(flavour, replay)
        assert not replay.can_repeat

    async def test_that_is_closed_closes_the_generator_it_reads_from(
        self, flavour: Flavour
    ) -> None:
        class Generated(httpx.SyncByteStream, httpx.AsyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                try:
                    yield from (b"a", b"b", b"c")
                finally:
                    ends.append("closed")

            async def __aiter__(self) -> AsyncIterator[bytes]:
                try:
                    for chunk in (b"a", b"b", b"c"):
                        yield chunk
                finally:
                    ends.append("closed")

        ends: list[str] = []
        replay = replay_of(flavour, Generated(), 3)
        await read(flavour, replay, 2)
        assert ends == []
        await flavour.close(replay)
        assert ends == ["closed"]

    async def test_of_a_source_that_goes_on_after_an_error_is_lost_for_good(
        self, flavour: Flavour
    ) -> None:
        class Faltering(Chunks):
            def __next__(self) -> bytes:
                if self._error is not None:
                    error, self._error = self._error, None
                    raise error
                return super().__next__()

        replay = replay_of(flavour, Faltering([b"a", b"b"], ZeroDivisionError()), 3)
        with pytest.raises(ZeroDivisionError):
            await read(flavour, replay)
        assert not replay.can_repeat
        with pytest.raises(httpx.RemoteProtocolError, match="cannot be sent again"):
            await read(flavour, replay)

    async def test_that_is_closed_leaves_an_iterator_as_it_is(self, flavour: Flavour) -> None:
        replay = replay_of(flavour, Chunks([b"a", b"b"]), 3)
        assert await read(flavour, replay, 1) == [b"a"]
        await flavour.close(replay)
        assert await read(flavour, replay) == [b"a", b"b"]

    @pytest.mark.parametrize("kind", [ReplayStream, AsyncReplayStream])
    def test_of_a_stream_of_the_other_kind_is_refused(self, kind: Any) -> None:
        with pytest.raises(AssertionError):
            kind(object(), 3)

    async def test_that_is_dropped_leaves_nothing_to_the_garbage_collector(
        self, flavour: Flavour
    ) -> None:
        # Trio warns of async generators that are left in the middle.
        replay = replay_of(flavour, Chunks([b"a", b"b"]), 3)
        with warnings.catch_warnings(record=True) as left:
            warnings.simplefilter("always")
            await read(flavour, replay, 1)
            gc.collect()
        assert left == []

    async def test_iterates_for_whoever_iterates_twice_over_one_iterator(
        self, flavour: Flavour
    ) -> None:
        replay = replay_of(flavour, Chunks([b"a", b"b"]), 3)
        iterator = aiter(replay) if flavour.is_async else iter(replay)
        assert (aiter(iterator) if flavour.is_async else iter(iterator)) is iterator


@given(
    chunks=st.lists(st.binary(max_size=8), max_size=8),
    breaks=st.lists(st.integers(0, 9), max_size=4),
    room=st.integers(0, 40),
    name=st.sampled_from(NAMES),
)
def test_after_any_breaks_the_body_is_whole_or_known_to_be_lost(
    chunks: list[bytes], breaks: list[int], room: int, name: str
) -> None:
    async def body() -> None:
        replay = replay_of(flavour, Chunks(chunks), room)
        furthest = 0
        for count in breaks:
            sent = await read(flavour, replay, count)
            furthest = max(furthest, len(sent))
            assert sent == chunks[:count]
            assert replay.can_repeat == (sum(map(len, chunks[:furthest])) <= room)
            if not replay.can_repeat:
                return
        assert await read(flavour, replay) == chunks
        assert replay.can_repeat == (sum(map(len, chunks)) <= room)

    flavour = Flavour(name)
    flavour.run(body)
