"""Bodies that go on after a break: mixins for the stream classes of a library, in a pair."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any

from ..wire.io import async_shield, async_sleep, shield, sleep
from ..wire.library import AsyncBody, Body, Response, is_a
from .transfer import Transfer


class ResumingBody:
    """The body of a response, and what continues it when it breaks.

    Arguments:
        send: sends the requests for the rest.
        stream: the body of the first answer.
        transfer: the download.
    """

    def __init__(self, send: Callable[[Any], Response], stream: Body, transfer: Transfer) -> None:
        self._send = send
        self._stream: Any = stream
        self._transfer = transfer

    def __iter__(self) -> Iterator[bytes]:
        while True:
            chunks = iter(self._stream)
            try:
                for chunk in chunks:
                    if not self._transfer.add(chunk):
                        break
                    yield chunk
                if isinstance(chunks, Generator):
                    chunks.close()
                self._transfer.check_end()
            except Exception as error:
                broken = self._transfer.as_break(error)
                if broken is None:
                    raise
                if self._transfer.is_complete:
                    # What was promised is there; how the connection ended does not matter.
                    return
                self._resume(broken)
            else:
                return

    def _resume(self, error: Exception) -> None:
        """Ask for the rest until it is there; raise the error if it is not to be had."""
        while (wait := self._transfer.next_wait()) is not None:
            with shield():
                self._stream.close()
            if wait:
                sleep(wait)
                if not self._transfer.is_wanted():
                    break
            try:
                response = self._send(self._transfer.request_rest())
            except Exception as again:
                if not is_a(again, "TransportError"):
                    raise
                self._transfer.fail(error, again)
                continue
            if self._transfer.accept(response, error):
                self._stream = response.stream
                return
            with shield():
                response.close()
        self._transfer.explain(error)
        raise error

    def close(self) -> None:
        self._transfer.is_closed = True
        with shield():
            self._stream.close()


class AsyncResumingBody:
    """The body of a response, and what continues it when it breaks.

    Arguments:
        send: sends the requests for the rest.
        stream: the body of the first answer.
        transfer: the download.
    """

    def __init__(
        self, send: Callable[[Any], Awaitable[Response]], stream: AsyncBody, transfer: Transfer
    ) -> None:
        self._send = send
        self._stream: Any = stream
        self._transfer = transfer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            chunks = aiter(self._stream)
            try:
                async for chunk in chunks:
                    if not self._transfer.add(chunk):
                        break
                    yield chunk
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
                self._transfer.check_end()
            except Exception as error:
                broken = self._transfer.as_break(error)
                if broken is None:
                    raise
                if self._transfer.is_complete:
                    # What was promised is there; how the connection ended does not matter.
                    return
                await self._resume(broken)
            else:
                return

    async def _resume(self, error: Exception) -> None:
        """Ask for the rest until it is there; raise the error if it is not to be had."""
        while (wait := self._transfer.next_wait()) is not None:
            with async_shield():
                await self._stream.aclose()
            if wait:
                await async_sleep(wait)
                if not self._transfer.is_wanted():
                    break
            try:
                response = await self._send(self._transfer.request_rest())
            except Exception as again:
                if not is_a(again, "TransportError"):
                    raise
                self._transfer.fail(error, again)
                continue
            if self._transfer.accept(response, error):
                self._stream = response.stream
                return
            with async_shield():
                await response.aclose()
        self._transfer.explain(error)
        raise error

    async def aclose(self) -> None:
        self._transfer.is_closed = True
        with async_shield():
            await self._stream.aclose()
