"""Bodies that are counted as they stream by.

Iterators and not generators: one that is dropped in the middle leaves nothing suspended.
"""

from collections.abc import AsyncIterator, Iterator

import httpx

from ..debugging.bodies import Kept
from ..debugging.capture import Capture
from ..wire.replay import AsyncReplayBody, ReplayBody


class ReplayStream(ReplayBody, httpx.SyncByteStream):
    """A request body that is recorded while it is sent."""


class AsyncReplayStream(AsyncReplayBody, httpx.AsyncByteStream):
    """A request body that is recorded while it is sent."""


class SentStream(httpx.SyncByteStream):
    """The body of a request.

    Arguments:
        stream: the caller's.
        kept: what is taken down of it.
    """

    def __init__(self, stream: object, kept: Kept) -> None:
        assert isinstance(stream, httpx.SyncByteStream)
        self._stream = stream
        self._kept = kept
        # By these a retry transport inside knows a body that can be sent again.
        self.fields: object = getattr(stream, "fields", None)

    def __iter__(self) -> Iterator[bytes]:
        self._kept.restart()
        return SentChunks(iter(self._stream), self._kept)

    def close(self) -> None:
        self._stream.close()


class SentChunks(Iterator[bytes]):
    """One iteration over the body of a request."""

    __slots__ = ("_chunks", "_kept")

    def __init__(self, chunks: Iterator[bytes], kept: Kept) -> None:
        self._chunks = chunks
        self._kept = kept

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._kept.is_ended = True
            raise
        self._kept.add(chunk)
        return chunk


class ReceivedStream(httpx.SyncByteStream):
    """The body of a response. It tells when it has ended, was closed, or failed.

    Arguments:
        stream: what came from inside.
        capture: whom to tell.
    """

    def __init__(self, stream: object, capture: Capture) -> None:
        self._capture = capture
        assert isinstance(stream, httpx.SyncByteStream)
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return ReceivedChunks(iter(self._stream), self, self._capture)

    def close(self) -> None:
        try:
            self._stream.close()
        except BaseException as error:
            self._capture.end(error)
            raise
        self._capture.end()

    def __del__(self) -> None:
        self._capture.drop()


class ReceivedChunks(Iterator[bytes]):
    """One iteration over the body of a response. It holds the body, as it is still wanted."""

    __slots__ = ("_capture", "_chunks", "_stream")

    def __init__(self, chunks: Iterator[bytes], stream: object, capture: Capture) -> None:
        self._chunks = chunks
        self._stream = stream
        self._capture = capture

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            # Told of below: the end of a body is no error in whose midst an observer fails.
            pass
        except BaseException as error:
            self._capture.end(error)
            raise
        else:
            self._capture.received.add(chunk)
            return chunk
        self._capture.received.is_ended = True
        self._capture.end()
        raise StopIteration


class AsyncSentStream(httpx.AsyncByteStream):
    """The body of a request.

    Arguments:
        stream: the caller's.
        kept: what is taken down of it.
    """

    def __init__(self, stream: object, kept: Kept) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._kept = kept
        # By these a retry transport inside knows a body that can be sent again.
        self.fields: object = getattr(stream, "fields", None)

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._kept.restart()
        return AsyncSentChunks(aiter(self._stream), self._kept)

    async def aclose(self) -> None:
        await self._stream.aclose()


class AsyncSentChunks(AsyncIterator[bytes]):
    """One iteration over the body of a request."""

    __slots__ = ("_chunks", "_kept")

    def __init__(self, chunks: AsyncIterator[bytes], kept: Kept) -> None:
        self._chunks = chunks
        self._kept = kept

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._kept.is_ended = True
            raise
        self._kept.add(chunk)
        return chunk


class AsyncReceivedStream(httpx.AsyncByteStream):
    """The body of a response. It tells when it has ended, was closed, or failed.

    Arguments:
        stream: what came from inside.
        capture: whom to tell.
    """

    def __init__(self, stream: object, capture: Capture) -> None:
        self._capture = capture
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return AsyncReceivedChunks(aiter(self._stream), self, self._capture)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        except BaseException as error:
            self._capture.end(error)
            raise
        self._capture.end()

    def __del__(self) -> None:
        self._capture.drop()


class AsyncReceivedChunks(AsyncIterator[bytes]):
    """One iteration over the body of a response. It holds the body, as it is still wanted."""

    __slots__ = ("_capture", "_chunks", "_stream")

    def __init__(self, chunks: AsyncIterator[bytes], stream: object, capture: Capture) -> None:
        self._chunks = chunks
        self._stream = stream
        self._capture = capture

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            # Told of below: the end of a body is no error in whose midst an observer fails.
            pass
        except BaseException as error:
            self._capture.end(error)
            raise
        else:
            self._capture.received.add(chunk)
            return chunk
        self._capture.received.is_ended = True
        self._capture.end()
        raise StopAsyncIteration
