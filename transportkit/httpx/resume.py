"""`ResumeTransport` and `AsyncResumeTransport`: continue a download that breaks."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Unpack

import httpx

from ..retrying.ranges import Transfer, is_break, new_transfer
from ..wire.arguments import check_count
from ..wire.io import async_shield, shield
from .options import HTTPTransportOptions
from .wrapper import AsyncWrapper, Wrapper


class ResumeTransport(Wrapper):
    """Continues a download whose connection breaks in the middle of the body.

    A GET that is answered with 200 (or with 206, for one range that was asked for) and a
    strong ETag goes on, when it breaks, with a request for the rest (RFC 9110, sections
    13.1.5 and 14.2). The body is continued only by a 206 with the same ETag, Content-Encoding
    and length that starts where it broke; with any other answer the original error is raised.
    So there is never a wrong byte, and the reader of the body does not notice the break. It
    works on the raw bytes, and so for `stream()`, `iter_*` and plain `get()` alike.

    Put it around a `RetryTransport`, so that the requests for the rest are tried again too.
    Resumed downloads are logged on `transportkit.retrying` at INFO.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        max_resumes: how often one download may be continued. Default: 5.
        kwargs: arguments of `httpx.HTTPTransport`, in place of a transport.

    Raises:
        ValueError: `max_resumes` is negative.
        TypeError: an argument of another type, or a transport and kwargs both.

    >>> from transportkit import RetryTransport
    >>> transport = ResumeTransport(RetryTransport(http2=True))
    >>> client = httpx.Client(transport=transport)
    >>> client.close()
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        *,
        max_resumes: int = 5,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_count("max_resumes", max_resumes, "resumes")
        super().__init__(transport, **kwargs)
        self._max_resumes = max_resumes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._send(self._transport, request)
        transfer = new_transfer(request, response, self._max_resumes, self._lifecycle)
        if transfer is not None:
            response.stream = ResumingStream(self._transport, response.stream, transfer)
        return response


class ResumingStream(httpx.SyncByteStream):
    """The body of a response, and what continues it when it breaks.

    Arguments:
        transport: what sends the requests for the rest.
        stream: the body of the first answer.
        transfer: the download.
    """

    def __init__(self, transport: httpx.BaseTransport, stream: object, transfer: Transfer) -> None:
        assert isinstance(stream, httpx.SyncByteStream)
        self._transport = transport
        self._stream = stream
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
            except httpx.TransportError as error:
                if is_break(error) and self._transfer.is_complete:
                    # What was promised is there; how the connection ended does not matter.
                    return
                self._resume(error)
            else:
                return

    def _resume(self, error: Exception) -> None:
        while (rest := self._transfer.take_resume(error)) is not None:
            with shield():
                self._stream.close()
            try:
                response = self._transport.handle_request(rest)
            except httpx.TransportError as again:
                error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
                continue
            if self._transfer.accept(response, error):
                assert isinstance(response.stream, httpx.SyncByteStream)
                self._stream = response.stream
                return
            with shield():
                response.close()
        raise error

    def close(self) -> None:
        self._transfer.is_closed = True
        with shield():
            self._stream.close()


class AsyncResumeTransport(AsyncWrapper):
    """Continues a download whose connection breaks in the middle of the body.

    The same as `ResumeTransport`, for `httpx.AsyncClient`.

    >>> transport = AsyncResumeTransport(max_resumes=20, http2=True)
    >>> client = httpx.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        max_resumes: int = 5,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_count("max_resumes", max_resumes, "resumes")
        super().__init__(transport, **kwargs)
        self._max_resumes = max_resumes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._send(self._transport, request)
        transfer = new_transfer(request, response, self._max_resumes, self._lifecycle)
        if transfer is not None:
            response.stream = AsyncResumingStream(self._transport, response.stream, transfer)
        return response


class AsyncResumingStream(httpx.AsyncByteStream):
    """The same as `ResumingStream`, for async clients."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, stream: object, transfer: Transfer
    ) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._transport = transport
        self._stream = stream
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
            except httpx.TransportError as error:
                if is_break(error) and self._transfer.is_complete:
                    # What was promised is there; how the connection ended does not matter.
                    return
                await self._resume(error)
            else:
                return

    async def _resume(self, error: Exception) -> None:
        while (rest := self._transfer.take_resume(error)) is not None:
            with async_shield():
                await self._stream.aclose()
            try:
                response = await self._transport.handle_async_request(rest)
            except httpx.TransportError as again:
                error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
                continue
            if self._transfer.accept(response, error):
                assert isinstance(response.stream, httpx.AsyncByteStream)
                self._stream = response.stream
                return
            with async_shield():
                await response.aclose()
        raise error

    async def aclose(self) -> None:
        self._transfer.is_closed = True
        with async_shield():
            await self._stream.aclose()
