# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`ResumeTransport` and `AsyncResumeTransport`: continue a download that breaks."""

from typing import Unpack

import httpx2

from ..retrying.resuming import AsyncResumingBody, ResumingBody
from ..retrying.transfer import MAX_RESUMES, new_transfer
from ..wire.advising import advising
from ..wire.arguments import check_count
from .options import HTTPTransportOptions
from .wrapper import AsyncWrapper, Wrapper


class ResumingStream(ResumingBody, httpx2.SyncByteStream):
    """A response body that is continued when it breaks."""


class AsyncResumingStream(AsyncResumingBody, httpx2.AsyncByteStream):
    """A response body that is continued when it breaks."""


@advising()
class ResumeTransport(Wrapper):
    """Continues a download whose connection breaks in the middle of the body.

    A GET that is answered with 200 (or with 206, for one range that was asked for) and a
    strong validator goes on, when it breaks, with a request for the rest (RFC 9110, sections
    13.1.5 and 14.2). That is a strong ETag, or else a Last-Modified at least a minute before the
    Date, for a body that is not encoded. The body is continued only by a 206 with the same
    validator, Content-Encoding and length that starts where it broke; with another answer the
    original error is raised, and a note on it says why. So there is never a wrong byte, and the
    reader of the body does not notice the break. It works on the raw bytes, and so for `stream()`,
    `iter_*` and plain `get()` alike.

    After a 408, a 429, a 5xx or another broken connection the rest is asked for again, after 0.5
    seconds, 1, 2 and so on, or as long as the server asks; all waits of one body take at most 60.

    Put it around a `RetryTransport`, so that the requests for the rest are tried again too: all
    that it tries for one of them is one resume.
    Resumed downloads are logged on `transportkit.retrying` at INFO.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        max_resumes: how often the rest of one body may be asked for, not counting the times that
            a server gave less than it was asked for. Default: 5.
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
        max_resumes: int = MAX_RESUMES,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_count("max_resumes", max_resumes, "resumes")
        super().__init__(transport, **kwargs)
        self._max_resumes = max_resumes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = self._send(self._transport, request)
        transfer = new_transfer(request, response, self._max_resumes, self._lifecycle)
        if transfer is not None:
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = ResumingStream(self._send_again, response.stream, transfer)
        return response

    def _send_again(self, request: httpx2.Request) -> httpx2.Response:
        return self._transport.handle_request(request)

    def _settings(self) -> str:
        return "" if self._max_resumes == MAX_RESUMES else f"max_resumes={self._max_resumes}"


@advising()
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
        max_resumes: int = MAX_RESUMES,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_count("max_resumes", max_resumes, "resumes")
        super().__init__(transport, **kwargs)
        self._max_resumes = max_resumes

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._send(self._transport, request)
        transfer = new_transfer(request, response, self._max_resumes, self._lifecycle)
        if transfer is not None:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = AsyncResumingStream(self._send_again, response.stream, transfer)
        return response

    async def _send_again(self, request: httpx2.Request) -> httpx2.Response:
        return await self._transport.handle_async_request(request)

    def _settings(self) -> str:
        return "" if self._max_resumes == MAX_RESUMES else f"max_resumes={self._max_resumes}"
