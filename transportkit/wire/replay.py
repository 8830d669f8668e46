"""Requests that may be sent again, and bodies that can be.

Some bodies can be iterated any number of times: bytes, JSON, forms, multipart with seekable
files. Any other is silently empty the second time, or raises. Such a body is recorded while it
is first sent, so that a repeat can send what was recorded and go on with the rest.

Others repeat as well without asking: httpcore does, after a GOAWAY. So a recording that is not
whole any more refuses to be iterated again, instead of giving what is left.
"""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Collection,
    Generator,
    Iterable,
    Iterator,
)
from typing import Self

from .library import Request, is_a, library_of

# RFC 9110, section 9.2.2; QUERY by its own draft.
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"})


def may_repeat(request: Request) -> bool:
    """True if a request may be sent again although the origin has seen it.

    >>> import httpx
    >>> may_repeat(httpx.Request("GET", "https://example.com"))
    True
    >>> may_repeat(httpx.Request("POST", "https://example.com", content=b"once"))
    False
    """
    return is_idempotent(request) and is_repeatable(request.stream)


def is_idempotent(request: Request, methods: Collection[str] = IDEMPOTENT_METHODS) -> bool:
    """True if sending a request twice does no more than sending it once.

    Arguments:
        request: idempotent by its method, or by an `Idempotency-Key` header.
        methods: those that are idempotent.
    """
    return request.method in methods or "Idempotency-Key" in request.headers


def is_repeatable(stream: object) -> bool:
    """True if the next iteration over a request body gives the whole of it.

    >>> import httpx
    >>> is_repeatable(httpx.Request("POST", "https://example.com", json={"a": 1}).stream)
    True
    >>> is_repeatable(httpx.Request("POST", "https://example.com", content=iter([b"a"])).stream)
    False
    """
    if is_a(stream, "ByteStream"):
        return True
    if isinstance(stream, (ReplayBody, AsyncReplayBody)):
        return stream.can_repeat
    # A multipart stream has no public name; what it has is fields, some of them with files.
    fields = getattr(stream, "fields", None)
    return isinstance(fields, list) and all(
        hasattr(field, "render_data") and _is_rewindable(field) for field in fields
    )


def _is_rewindable(field: object) -> bool:
    file = getattr(field, "file", b"")
    if isinstance(file, (str, bytes)):
        return True
    seekable = getattr(file, "seekable", None)
    return bool(seekable is not None and seekable())


class _Record:
    """The chunks read so far from a source that can be read once."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self.chunks: list[bytes] = []
        self.is_whole: bool = True

    def add(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            self.lose()
        else:
            self.chunks.append(chunk)

    def lose(self) -> None:
        self.is_whole = False
        self.chunks.clear()

    def check(self, body: object) -> None:
        """Refuse to let a body be sent again of which a part is lost.

        Raises:
            httpx.RemoteProtocolError: as the connection was closed before its answer.
        """
        if not self.is_whole:
            raise library_of(body).RemoteProtocolError(
                "the server closed the connection, as by a GOAWAY, and the body of the request "
                "cannot be sent again: it is longer than what is kept of it, or could not be read"
            )


class ReplayBody:
    """A request body that is recorded while it is sent.

    Arguments:
        stream: a body that can be iterated once.
        max_bytes: the most that is kept. A longer body cannot be sent again.
    """

    def __init__(self, stream: object, max_bytes: int) -> None:
        assert isinstance(stream, Iterable)
        self._source = iter(stream)
        self._record = _Record(max_bytes)

    @property
    def can_repeat(self) -> bool:
        """True if the next iteration gives the whole body again."""
        return self._record.is_whole

    def __iter__(self) -> Iterator[bytes]:
        self._record.check(self)
        return Playback(self._source, self._record)

    def close(self) -> None:
        if isinstance(self._source, Generator):
            self._source.close()


class Playback(Iterator[bytes]):
    """One iteration: what was recorded, then the rest.

    An iterator and not a generator: httpcore drops it in the middle when a send fails, and
    a generator left suspended would be finished by the garbage collector.
    """

    def __init__(self, source: Iterator[bytes], record: _Record) -> None:
        self._recorded = iter(tuple(record.chunks))
        self._source = source
        self._record = record

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        for chunk in self._recorded:
            return chunk
        try:
            chunk = next(self._source)
        except StopIteration:
            raise
        except BaseException:
            # The source has failed or was cancelled, and would seem to have ended the next time.
            self._record.lose()
            raise
        self._record.add(chunk)
        return chunk


class AsyncReplayBody:
    """A request body that is recorded while it is sent.

    Arguments:
        stream: a body that can be iterated once.
        max_bytes: the most that is kept. A longer body cannot be sent again.
    """

    def __init__(self, stream: object, max_bytes: int) -> None:
        assert isinstance(stream, AsyncIterable)
        self._source = aiter(stream)
        self._record = _Record(max_bytes)

    @property
    def can_repeat(self) -> bool:
        """True if the next iteration gives the whole body again."""
        return self._record.is_whole

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._record.check(self)
        return AsyncPlayback(self._source, self._record)

    async def aclose(self) -> None:
        if isinstance(self._source, AsyncGenerator):
            await self._source.aclose()


class AsyncPlayback(AsyncIterator[bytes]):
    """One iteration: what was recorded, then the rest.

    An iterator and not a generator: httpcore drops it in the middle when a send fails, and
    a generator left suspended would be finished by the garbage collector.
    """

    def __init__(self, source: AsyncIterator[bytes], record: _Record) -> None:
        self._recorded = iter(tuple(record.chunks))
        self._source = source
        self._record = record

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._recorded:
            return chunk
        try:
            chunk = await anext(self._source)
        except StopAsyncIteration:
            raise
        except BaseException:
            # The source has failed or was cancelled, and would seem to have ended the next time.
            self._record.lose()
            raise
        self._record.add(chunk)
        return chunk
