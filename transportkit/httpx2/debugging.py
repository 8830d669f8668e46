# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`DebuggingTransport` and `AsyncDebuggingTransport`: see what goes over the wire."""

from collections.abc import Container
from types import TracebackType
from typing import Unpack

import httpx2

from ..debugging.capture import AsyncTraceCapture, TraceCapture
from ..debugging.console import ConsoleLog
from ..debugging.reporting import Observer, Reporter
from ..redaction.redaction import REDACTION, Redaction
from ..wire.arguments import class_advice, is_coroutine_function
from .options import HTTPTransportOptions
from .streams import AsyncReceivedStream, AsyncSentStream, ReceivedStream, SentStream
from .wrapper import AsyncWrapper, Wrapper


class DebuggingTransport(Wrapper):
    """Shows each request and what became of it to observers, and changes neither.

    An observer is called with one `Exchange`, once, when the body of the response has been
    read to its end, was closed or has failed, or when there is no response. A response that
    was read already is reported at once, one that nobody reads or closes when the transport
    closes; so is a 101, whose connection goes on. An observer that has a method `started` is
    also called with the unfinished exchange when the request goes out. What an observer
    raises is logged on `transportkit.debugging` and never breaks the request. With
    `AsyncDebuggingTransport` observers are plain functions too, called in the event loop.

    Everything an observer gets is masked by `redaction`; `exchange.unmasked` is in clear.
    Around a `RetryTransport` it shows a request once, with all its attempts; inside one, it
    shows each attempt.

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        observers: who is shown the exchanges. Default: `ConsoleLog()`.
        bodies: how many bytes of each body are kept as they stream by. Default: none.
        redaction: what is masked. Default: `Redaction()`.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: an observer, or a `started` of one, that cannot be called or is a coroutine
            function, a class in place of an object, an argument of another type, or a
            transport and kwargs both.
        ValueError: `bodies` is negative.

    >>> def show(exchange):
    ...     print(exchange.method, exchange.url, exchange.status, exchange.response_body.text)
    >>> answer = httpx2.MockTransport(lambda request: httpx2.Response(404, text="no such page"))
    >>> transport = DebuggingTransport(answer, show, bodies=4096)
    >>> with httpx2.Client(transport=transport) as client:
    ...     response = client.get("https://scott:tiger@example.com/")
    GET https://****@example.com/ 404 no such page
    """

    def __init__(
        self,
        transport: httpx2.BaseTransport | None = None,
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

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        extensions, stream = request.extensions, request.stream
        capture = TraceCapture(self._reporter, request)
        request.extensions = {**extensions, "trace": capture}
        if not capture.knows_body(request):
            request.stream = SentStream(stream, capture.sent)
        sent = request.stream
        try:
            response = self._send(self._transport, request)
        except BaseException as error:
            capture.report(error)
            raise
        finally:
            request.extensions = extensions
            # A transport that has read the body put what it read there for all that follow.
            if request.stream is sent:
                request.stream = stream
        if not capture.is_over_with(response):
            response.stream = ReceivedStream(response.stream, capture)
        return response


class AsyncDebuggingTransport(AsyncWrapper):
    """Shows each request and what became of it to observers, and changes neither.

    The same as `DebuggingTransport`, for `httpx2.AsyncClient`, on asyncio and on trio.

    >>> seen = []
    >>> transport = AsyncDebuggingTransport(None, seen.append, bodies=4096, http2=True)
    >>> client = httpx2.AsyncClient(transport=transport)
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
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

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        extensions, stream = request.extensions, request.stream
        capture = AsyncTraceCapture(self._reporter, request)
        request.extensions = {**extensions, "trace": capture}
        if not capture.knows_body(request):
            request.stream = AsyncSentStream(stream, capture.sent)
        sent = request.stream
        try:
            response = await self._send(self._transport, request)
        except BaseException as error:
            capture.report(error)
            raise
        finally:
            request.extensions = extensions
            # A transport that has read the body put what it read there for all that follow.
            if request.stream is sent:
                request.stream = stream
        if not capture.is_over_with(response):
            response.stream = AsyncReceivedStream(response.stream, capture)
        return response


def check_arguments(
    transport: object,
    observers: tuple[object, ...],
    bodies: object,
    redaction: object,
    names: Container[str],
) -> None:
    """Refuse what could not be called, or would not mask."""
    if "observers" in names:
        raise TypeError(
            "observers are given one behind the other: write DebuggingTransport(None, observer)"
        )
    for given in (transport, *observers):
        if advice := class_advice(given):
            raise TypeError(advice)
    kinds = (httpx2.BaseTransport, httpx2.AsyncBaseTransport)
    if callable(transport) and not isinstance(transport, kinds):
        raise TypeError(
            "transport comes first, the observers after it: write "
            "DebuggingTransport(None, observer)"
        )
    for observer in observers:
        check_observer(observer)
    if not isinstance(bodies, int) or isinstance(bodies, bool):
        raise TypeError(f"bodies must be a number of bytes, not {bodies!r}: write bodies=4096")
    if bodies < 0:
        raise ValueError(f"bodies must be a number of bytes from 0 up, not {bodies}")
    if not isinstance(redaction, Redaction):
        raise TypeError(f"redaction must be a Redaction, not {redaction!r}: write Redaction(...)")


def check_observer(observer: object) -> None:
    """Refuse what could not be called, or would give a coroutine that nobody awaits."""
    if not callable(observer):
        raise TypeError(
            f"an observer must be a function of one Exchange, not {type(observer).__name__}: "
            "write a function, or ConsoleLog()"
        )
    started = getattr(observer, "started", None)
    if not (started is None or callable(started)):
        raise TypeError(
            "the started of an observer must be a function of one Exchange, not "
            f"{type(started).__name__}: write a method, or give it another name"
        )
    if any(map(is_coroutine_function, (observer, started))):
        raise TypeError(
            "an observer must be a plain function, not a coroutine function: "
            "it may put the exchange into a queue"
        )
