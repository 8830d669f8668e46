"""`DebuggingTransport` and `AsyncDebuggingTransport`: see what goes over the wire."""

from types import TracebackType
from typing import Unpack

import httpx

from ..debugging.arguments import check_arguments
from ..debugging.capture import AsyncTraceCapture, TraceCapture
from ..debugging.console import ConsoleLog
from ..debugging.reporting import Observer, Reporter
from ..debugging.streams import AsyncReceivedBody, AsyncSentBody, ReceivedBody, SentBody
from ..redaction.redaction import REDACTION, Redaction
from ..wire.io import async_shield, shield
from ..wire.request import own_request, return_body
from .options import HTTPTransportOptions
from .wrapper import AsyncWrapper, Wrapper


class SentStream(SentBody, httpx.SyncByteStream):
    """A request body that is captured while it is sent."""


class AsyncSentStream(AsyncSentBody, httpx.AsyncByteStream):
    """A request body that is captured while it is sent."""


class ReceivedStream(ReceivedBody, httpx.SyncByteStream):
    """A response body that is captured while it is read."""


class AsyncReceivedStream(AsyncReceivedBody, httpx.AsyncByteStream):
    """A response body that is captured while it is read."""


class DebuggingTransport(Wrapper):
    """Shows each request and what became of it to observers, and changes neither.

    An observer is called with one `Exchange`, once: when the body of the response has been
    read to its end, was closed or has failed, or when there is no response. A response that
    was already read is reported at once, one that nobody reads or closes when the transport
    closes, and a 101 at once, although its connection goes on. An observer that has a method
    `started` is also called with the unfinished exchange when the request goes out. An error
    of an observer is logged on `transportkit.debugging` and never breaks the request. With
    `AsyncDebuggingTransport` observers are plain functions too, called in the event loop.

    Everything an observer gets is masked by `redaction`; `exchange.unmasked` is in the clear.
    Around a `RetryTransport` it shows a request once, with all its attempts; inside one, it
    shows each attempt.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        observers: functions of one `Exchange`. Default: `ConsoleLog()`.
        bodies: how many bytes of each body are captured as they stream by. Default: 0.
        redaction: the rules for what is masked. Default: `Redaction()`.
        kwargs: arguments of `httpx.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: an observer, or a `started` of one, that cannot be called or is a coroutine
            function, a class in place of an object, an argument of another type, or both a
            transport and kwargs.
        ValueError: `bodies` is negative.

    >>> def show(exchange):
    ...     print(exchange.method, exchange.url, exchange.status, exchange.response_body.text)
    >>> answer = httpx.MockTransport(lambda request: httpx.Response(404, text="no such page"))
    >>> transport = DebuggingTransport(answer, show, bodies=4096)
    >>> with httpx.Client(transport=transport) as client:
    ...     response = client.get("https://scott:tiger@example.com/")
    GET https://****@example.com/ 404 no such page
    """

    def __init__(
        self,
        transport: httpx.BaseTransport | None = None,
        *observers: Observer,
        bodies: int = 0,
        redaction: Redaction = REDACTION,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_arguments(transport, observers, bodies, redaction, kwargs)
        super().__init__(transport, **kwargs)
        self._reporter = Reporter(observers or (ConsoleLog(),), bodies, redaction)

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        try:
            super().__exit__(exc_type, exc_value, traceback)
        finally:
            self._reporter.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        stream = request.stream
        capture = TraceCapture(self._reporter, request)
        capture.capture_request_body(request)
        if not capture.sent.is_ended:
            assert isinstance(stream, httpx.SyncByteStream)
            stream = SentStream(stream, capture.sent)
        sent = own_request(request, {**request.extensions, "trace": capture}, stream)
        try:
            response = self._send(self._transport, sent)
        except BaseException as error:
            capture.report(error)
            raise
        finally:
            return_body(request, sent)
        try:
            capture.capture_response(response)
        except BaseException:
            # An observer was interrupted, and nobody else has the response.
            with shield():
                response.close()
            raise
        if not capture.is_finished:
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = ReceivedStream(response.stream, capture)
        return response

    def _settings(self) -> str:
        return self._reporter.settings()


class AsyncDebuggingTransport(AsyncWrapper):
    """Shows each request and what became of it to observers, and changes neither.

    The same as `DebuggingTransport`, for `httpx.AsyncClient`, on asyncio and on trio.

    >>> seen = []
    >>> transport = AsyncDebuggingTransport(None, seen.append, bodies=4096, http2=True)
    >>> client = httpx.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None = None,
        *observers: Observer,
        bodies: int = 0,
        redaction: Redaction = REDACTION,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_arguments(transport, observers, bodies, redaction, kwargs)
        super().__init__(transport, **kwargs)
        self._reporter = Reporter(observers or (ConsoleLog(),), bodies, redaction)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        try:
            await super().__aexit__(exc_type, exc_value, traceback)
        finally:
            self._reporter.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stream = request.stream
        capture = AsyncTraceCapture(self._reporter, request)
        capture.capture_request_body(request)
        if not capture.sent.is_ended:
            assert isinstance(stream, httpx.AsyncByteStream)
            stream = AsyncSentStream(stream, capture.sent)
        sent = own_request(request, {**request.extensions, "trace": capture}, stream)
        try:
            response = await self._send(self._transport, sent)
        except BaseException as error:
            capture.report(error)
            raise
        finally:
            return_body(request, sent)
        try:
            capture.capture_response(response)
        except BaseException:
            with async_shield():
                await response.aclose()
            raise
        if not capture.is_finished:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = AsyncReceivedStream(response.stream, capture)
        return response

    def _settings(self) -> str:
        return self._reporter.settings()
