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


class _Recording:
    """The chunks read so far of a body that can be read once.

    Arguments:
        max_bytes: the most that is kept. A longer body cannot be sent again.

    Attributes:
        can_repeat: True if the next iteration gives the whole body again.
    """

    def __init__(self, max_bytes: int) -> None:
        self.can_repeat: bool = True
        self._left = max_bytes
        self._recorded: list[bytes] = []

    def _record(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            self._lose()
        else:
            self._recorded.append(chunk)

    def _lose(self) -> None:
        self.can_repeat = False
        self._recorded.clear()

    def _rewind(self) -> None:
        """Begin with what was recorded.

        Raises:
            httpx.RemoteProtocolError: a part is lost, and the connection was closed before the
                answer to the body.
        """
        if not self.can_repeat:
            raise library_of(self).RemoteProtocolError(
                "the server closed the connection, as by a GOAWAY, and the body of the request "
                "cannot be sent again: it is longer than what is kept of it, or could not be read"
            )
        self._replayed = iter(tuple(self._recorded))


class ReplayBody(_Recording, Iterator[bytes]):
    """A request body that is recorded while it is sent: what was recorded comes first, then the rest.

    An iterator and not a generator: httpcore drops it in the middle when a send fails, and
    a generator left suspended would be finished by the garbage collector.

    Arguments:
        stream: a body that can be iterated once.
        max_bytes: the most that is kept. A longer body cannot be sent again.
    """

    def __init__(self, stream: object, max_bytes: int) -> None:
        super().__init__(max_bytes)
        assert isinstance(stream, Iterable)
        self._source: Iterator[bytes] = iter(stream)

    def __iter__(self) -> Self:
        self._rewind()
        return self

    def __next__(self) -> bytes:
        for chunk in self._replayed:
            return chunk
        try:
            chunk = next(self._source)
        except StopIteration:
            raise
        except BaseException:
            # The source has failed or was cancelled, and would seem to have ended the next time.
            self._lose()
            raise
        self._record(chunk)
        return chunk

    def close(self) -> None:
        if isinstance(self._source, Generator):
            self._source.close()


class AsyncReplayBody(_Recording, AsyncIterator[bytes]):
    """A request body that is recorded while it is sent: what was recorded comes first, then the rest.

    An iterator and not a generator: httpcore drops it in the middle when a send fails, and
    a generator left suspended would be finished by the garbage collector.

    Arguments:
        stream: a body that can be iterated once.
        max_bytes: the most that is kept. A longer body cannot be sent again.
    """

    def __init__(self, stream: object, max_bytes: int) -> None:
        super().__init__(max_bytes)
        assert isinstance(stream, AsyncIterable)
        self._source: AsyncIterator[bytes] = aiter(stream)

    def __aiter__(self) -> Self:
        self._rewind()
        return self

    async def __anext__(self) -> bytes:
        for chunk in self._replayed:
            return chunk
        try:
            chunk = await anext(self._source)
        except StopAsyncIteration:
            raise
        except BaseException:
            # The source has failed or was cancelled, and would seem to have ended the next time.
            self._lose()
            raise
        self._record(chunk)
        return chunk

    async def aclose(self) -> None:
        if isinstance(self._source, AsyncGenerator):
            await self._source.aclose()
