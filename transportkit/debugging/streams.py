"""Bodies that are captured as they stream by.

Mixins for the stream classes of a library, in pairs. None of them iterates by a generator: one
that is dropped halfway would stay suspended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from ..wire.library import AsyncBody, Body
    from .bodies import BodyCapture
    from .capture import Capture


class SentBody(Iterator[bytes]):
    """The body of a request.

    Arguments:
        stream: the caller's.
        captured: what is captured of it.
    """

    def __init__(self, stream: Body, captured: BodyCapture) -> None:
        self._stream = stream
        self._captured = captured
        # By these a retry transport inside recognizes a body that can be sent again.
        self.fields: object = getattr(stream, "fields", None)

    def __iter__(self) -> Self:
        self._captured.restart()
        self._chunks = iter(self._stream)
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            self._captured.is_ended = True
            raise
        self._captured.add(chunk)
        return chunk

    def close(self) -> None:
        self._stream.close()


class ReceivedBody:
    """The body of a response. It reports its end: read to the end, closed, failed or dropped.

    Arguments:
        stream: the one that came from inside.
        capture: the capture of the whole exchange.
    """

    def __init__(self, stream: Body, capture: Capture) -> None:
        self._capture = capture
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
        self._capture.abandon()


class ReceivedChunks(Iterator[bytes]):
    """One iteration over the body of a response. It holds the body, which is still in use."""

    __slots__ = ("_capture", "_chunks", "_stream")

    def __init__(self, chunks: Iterator[bytes], stream: object, capture: Capture) -> None:
        self._chunks = chunks
        self._stream = stream
        self._capture = capture

    def __next__(self) -> bytes:
        try:
            chunk = next(self._chunks)
        except StopIteration:
            # Reported below: an observer that fails must not seem to fail because of the end.
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


class AsyncSentBody(AsyncIterator[bytes]):
    """The body of a request.

    Arguments:
        stream: the caller's.
        captured: what is captured of it.
    """

    def __init__(self, stream: AsyncBody, captured: BodyCapture) -> None:
        self._stream = stream
        self._captured = captured
        # By these a retry transport inside recognizes a body that can be sent again.
        self.fields: object = getattr(stream, "fields", None)

    def __aiter__(self) -> Self:
        self._captured.restart()
        self._chunks = aiter(self._stream)
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._captured.is_ended = True
            raise
        self._captured.add(chunk)
        return chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class AsyncReceivedBody:
    """The body of a response. It reports its end: read to the end, closed, failed or dropped.

    Arguments:
        stream: the one that came from inside.
        capture: the capture of the whole exchange.
    """

    def __init__(self, stream: AsyncBody, capture: Capture) -> None:
        self._capture = capture
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
        self._capture.abandon()


class AsyncReceivedChunks(AsyncIterator[bytes]):
    """One iteration over the body of a response. It holds the body, which is still in use."""

    __slots__ = ("_capture", "_chunks", "_stream")

    def __init__(self, chunks: AsyncIterator[bytes], stream: object, capture: Capture) -> None:
        self._chunks = chunks
        self._stream = stream
        self._capture = capture

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            # Reported below: an observer that fails must not seem to fail because of the end.
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
