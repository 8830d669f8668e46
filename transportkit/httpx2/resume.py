# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`ResumeTransport` and `AsyncResumeTransport`: a download that breaks goes on by itself."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Unpack

import httpx2

from ..redaction.redaction import REDACTION
from ..retrying.ranges import Download, promised_download
from ..wire.arguments import check_count
from ..wire.io import async_shield, shield
from ..wire.lifecycle import Lifecycle
from .options import HTTPTransportOptions
from .wrapper import AsyncWrapper, Wrapper

_logger = logging.getLogger("transportkit.retrying")

_BREAKS = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ReadTimeout)


class ResumeTransport(Wrapper):
    """Continues a download whose connection breaks in the middle of the body.

    A GET that is answered with 200 (or with 206, for one range that was asked for) and a
    strong ETag goes on, when it breaks, with a request for the rest (RFC 9110, sections
    13.1.5 and 14.2). The body goes on only with a 206 of the same ETag, Content-Encoding and
    length that starts where it broke; anything else, and the original error is raised. So
    there is never a wrong byte, and the reader of the body notices nothing of the break.
    It works on the raw bytes, so for `stream()`, `iter_*` and plain `get()` alike.

    Put it around a `RetryTransport`, so that the requests for the rest are tried again too.
    Resumed downloads are logged on `transportkit.retrying` at INFO.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        max_resumes: how often one download may be continued. Default: 5.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        ValueError: `max_resumes` is negative.
        TypeError: an argument of another type, or a transport and kwargs both.

    >>> from transportkit.httpx2 import RetryTransport
    >>> transport = ResumeTransport(RetryTransport(http2=True))
    >>> client = httpx2.Client(transport=transport)
    >>> client.close()
    """

    def __init__(
        self,
        transport: httpx2.BaseTransport | None = None,
        *,
        max_resumes: int = 5,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_count("max_resumes", max_resumes, "resumes")
        super().__init__(transport, **kwargs)
        self._max_resumes = max_resumes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._send(self._transport, request)
        if response.is_closed or (promised := promised_download(request, response)) is None:
            return response
        response.stream = ResumingStream(
            self._transport, self._lifecycle, request, response.stream, promised, self._max_resumes
        )
        return response


class ResumingStream(httpx2.SyncByteStream):
    """The body of a response, and what continues it when it breaks.

    Arguments:
        transport: what sends the requests for the rest.
        lifecycle: whether it may still do so.
        request: what was answered.
        stream: the body of the answer.
        download: what the answer promised.
        max_resumes: how often the body may be continued.
    """

    def __init__(
        self,
        transport: httpx2.BaseTransport,
        lifecycle: Lifecycle[httpx2.BaseTransport],
        request: httpx2.Request,
        stream: object,
        download: Download,
        max_resumes: int,
    ) -> None:
        assert isinstance(stream, httpx2.SyncByteStream)
        self._transport = transport
        self._lifecycle = lifecycle
        self._request = request
        self._stream = stream
        self._download = download
        self._resumes_left = max_resumes
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        while True:
            chunks = iter(self._stream)
            try:
                for chunk in chunks:
                    received += len(chunk)
                    if self._download.is_exceeded(received):
                        break
                    yield chunk
                if isinstance(chunks, Generator):
                    chunks.close()
                self._download.check_length(received, self._request)
            except _BREAKS as error:
                if self._download.missing(received) == 0:
                    # What was promised is there; how the connection ended does not matter.
                    return
                self._resume(received, error)
            else:
                return

    def _resume(self, received: int, error: Exception) -> None:
        while self._resumes_left > 0 and self._may_go_on(received):
            self._resumes_left -= 1
            self._let_go()
            headers = self._download.headers_for_rest(self._request.headers, received)
            rest = httpx2.Request(
                self._request.method,
                self._request.url,
                headers=headers,
                extensions=dict(self._request.extensions),
            )
            try:
                response = self._transport.handle_request(rest)
            except httpx2.TransportError as again:
                error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
                continue
            download = self._download.continued_by(response, received)
            assert isinstance(response.stream, httpx2.SyncByteStream)
            if download is None or not self._may_go_on(received):
                with shield():
                    response.close()
                error.add_note(f"transportkit: the rest is not to be had: {response.status_code}")
                break
            self._stream, self._download = response.stream, download
            log_resumed(self._request, received, error)
            return
        raise error

    def _may_go_on(self, received: int) -> bool:
        # Who closes the body, or the client, while it is read wants no more of it.
        is_wanted = self._lifecycle.is_ready and not self._is_closed
        return is_wanted and self._download.may_go_on(received)

    def _let_go(self) -> None:
        with shield():
            self._stream.close()

    def close(self) -> None:
        self._is_closed = True
        self._let_go()


class AsyncResumeTransport(AsyncWrapper):
    """Continues a download whose connection breaks in the middle of the body.

    The same as `ResumeTransport`, for `httpx2.AsyncClient`.

    >>> transport = AsyncResumeTransport(max_resumes=20, http2=True)
    >>> client = httpx2.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        *,
        max_resumes: int = 5,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_count("max_resumes", max_resumes, "resumes")
        super().__init__(transport, **kwargs)
        self._max_resumes = max_resumes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._send(self._transport, request)
        if response.is_closed or (promised := promised_download(request, response)) is None:
            return response
        response.stream = AsyncResumingStream(
            self._transport, self._lifecycle, request, response.stream, promised, self._max_resumes
        )
        return response


class AsyncResumingStream(httpx2.AsyncByteStream):
    """The body of a response, and what continues it when it breaks.

    Arguments:
        transport: what sends the requests for the rest.
        lifecycle: whether it may still do so.
        request: what was answered.
        stream: the body of the answer.
        download: what the answer promised.
        max_resumes: how often the body may be continued.
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport,
        lifecycle: Lifecycle[httpx2.AsyncBaseTransport],
        request: httpx2.Request,
        stream: object,
        download: Download,
        max_resumes: int,
    ) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._transport = transport
        self._lifecycle = lifecycle
        self._request = request
        self._stream = stream
        self._download = download
        self._resumes_left = max_resumes
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        while True:
            chunks = aiter(self._stream)
            try:
                async for chunk in chunks:
                    received += len(chunk)
                    if self._download.is_exceeded(received):
                        break
                    yield chunk
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
                self._download.check_length(received, self._request)
            except _BREAKS as error:
                if self._download.missing(received) == 0:
                    # What was promised is there; how the connection ended does not matter.
                    return
                await self._resume(received, error)
            else:
                return

    async def _resume(self, received: int, error: Exception) -> None:
        while self._resumes_left > 0 and self._may_go_on(received):
            self._resumes_left -= 1
            await self._let_go()
            headers = self._download.headers_for_rest(self._request.headers, received)
            rest = httpx2.Request(
                self._request.method,
                self._request.url,
                headers=headers,
                extensions=dict(self._request.extensions),
            )
            try:
                response = await self._transport.handle_async_request(rest)
            except httpx2.TransportError as again:
                error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
                continue
            download = self._download.continued_by(response, received)
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            if download is None or not self._may_go_on(received):
                with async_shield():
                    await response.aclose()
                error.add_note(f"transportkit: the rest is not to be had: {response.status_code}")
                break
            self._stream, self._download = response.stream, download
            log_resumed(self._request, received, error)
            return
        raise error

    def _may_go_on(self, received: int) -> bool:
        # Who closes the body, or the client, while it is read wants no more of it.
        is_wanted = self._lifecycle.is_ready and not self._is_closed
        return is_wanted and self._download.may_go_on(received)

    async def _let_go(self) -> None:
        with async_shield():
            await self._stream.aclose()

    async def aclose(self) -> None:
        self._is_closed = True
        await self._let_go()


def log_resumed(request: httpx2.Request, received: int, error: Exception) -> None:
    """Say that a download went on."""
    if _logger.isEnabledFor(logging.INFO):
        url, name = REDACTION.url(request.url), type(error).__name__
        _logger.info("Resuming GET %s at byte %d after %s", url, received, name)
