# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""Bodies of responses that are in flight until they are closed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx2

from ..rotation.members import Turn


class CountedStream(httpx2.SyncByteStream):
    """The body of a response that is in flight until it is closed.

    Arguments:
        stream: the body.
        finish: what is called when it has been closed; it may be called again.
        turn: whose request was answered.
    """

    def __init__(
        self,
        stream: object,
        finish: Callable[[Turn[httpx2.BaseTransport]], None],
        turn: Turn[httpx2.BaseTransport],
    ) -> None:
        assert isinstance(stream, httpx2.SyncByteStream)
        self._stream = stream
        self._finish = finish
        self._turn = turn

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
        finally:
            self._finish(self._turn)


class AsyncCountedStream(httpx2.AsyncByteStream):
    """The body of a response that is in flight until it is closed.

    Arguments:
        stream: the body.
        finish: what is called when it has been closed; it may be called again.
        turn: whose request was answered.
    """

    def __init__(
        self,
        stream: object,
        finish: Callable[[Turn[httpx2.AsyncBaseTransport]], Awaitable[None]],
        turn: Turn[httpx2.AsyncBaseTransport],
    ) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._stream = stream
        self._finish = finish
        self._turn = turn

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            await self._finish(self._turn)
