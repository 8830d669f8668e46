# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`HSTSTransport` and `AsyncHSTSTransport`: nothing in the clear to a host that asked for HTTPS."""

from types import TracebackType
from typing import Unpack

import httpx2

from ..https.hsts import check_store, internal_redirect, learn
from ..https.rfc6797 import HEADER
from ..https.store import HSTSStore
from ..wire.advising import advising
from ..wire.arguments import check_request
from ..wire.io import async_run_in_thread, async_shield, run_in_thread, shield
from ..wire.lifecycle import raise_close_errors
from .options import HTTPTransportOptions
from .wrapper import AsyncWrapper, Wrapper


@advising()
class HSTSTransport(Wrapper):
    """Remembers hosts that sent Strict-Transport-Security, and sends them nothing in the clear.

    It does what RFC 6797 says, and what browsers do. A request to a known host over http is
    not sent but answered with a 307 to the same URL over https (port 80 is left out, any other
    explicit port is kept). `follow_redirects=True` makes the client go there, and the whole
    thing seamless, but for what httpx2 leaves out of any redirect: a `Cookie` header set by hand
    always, and `Authorization` on `ws://` and on any port but 80. The cookies of the client's jar
    are sent. The header counts when it came over https from a host that is not an IP
    address and whose certificate was verified: not with `verify=False`.

    A host's *first* request may still go out in the clear, unless the store knows the host from
    `HSTSStore.preload` or from a file. A server that redirects from https back to http never
    gets a request in the clear; the client goes back and forth until it raises
    `httpx2.TooManyRedirects`, or arrives where https has an answer.

    The strict alternative is `Mounts({"http://": strict, "ws://": strict})` with `strict =
    RefusingTransport("https only")`: no request goes out in the clear to any host, known or not,
    and one that is redirected back to http raises `httpx2.UnsupportedProtocol` at once. With
    `HTTPSRedirect()` in its place all hosts are treated as if they were known. (httpx2 sends a
    `ws://` URL as plain HTTP.)

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        store: the known hosts; may be shared with other transports, sync and async. Default:
            a new `HSTSStore()` in memory.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: the store is not an `HSTSStore`, the transport is not for sync clients, or
            there are both a transport and arguments for one.
        OSError: when closing, if the store has a file that cannot be written; the inner
            transport is closed all the same.

    >>> def answer(request):
    ...     return httpx2.Response(200, headers={"Strict-Transport-Security": "max-age=31536000"})
    >>> transport = HSTSTransport(httpx2.MockTransport(answer))
    >>> with httpx2.Client(transport=transport, follow_redirects=True) as client:
    ...     first = client.get("https://example.com/login")
    ...     second = client.get("http://example.com/login")
    >>> second.url, second.history
    (URL('https://example.com/login'), [<Response [307 Temporary Redirect]>])
    """

    def __init__(
        self,
        transport: httpx2.BaseTransport | None = None,
        store: HSTSStore | None = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_store(transport, store)
        super().__init__(transport, **kwargs)
        self._store = HSTSStore() if store is None else store

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if (headers := internal_redirect(self._store, request.url)) is not None:
            if type(request) is not httpx2.Request:
                check_request(request, type(self))
            return httpx2.Response(307, headers=headers)
        response = self._send(self._transport, request)
        if HEADER in response.headers:
            try:
                if learn(self._store, request.url, response):
                    run_in_thread(self._store._try_to_save)
            except BaseException:
                with shield():
                    response.close()
                raise
        return response

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        errors: list[BaseException] = []
        try:
            if self._store._is_unsaved:
                with shield():
                    run_in_thread(self._store.save)
        except BaseException as error:  # noqa: BLE001 - the inner one holds connections
            errors.append(error)
        try:
            super().__exit__(exc_type, exc_value, traceback)
        except BaseException as error:  # noqa: BLE001 - saving may have failed before
            errors.append(error)
        raise_close_errors(errors, exc_value)

    def _settings(self) -> str:
        return ", ".join(self._store._differences())


@advising()
class AsyncHSTSTransport(AsyncWrapper):
    """Remembers hosts that sent Strict-Transport-Security, and sends them nothing in the clear.

    The same as `HSTSTransport`, for `httpx2.AsyncClient`. The store is read where it is made
    and saved in a worker thread.

    >>> AsyncHSTSTransport(store="hsts.txt")
    Traceback (most recent call last):
    TypeError: store must be an HSTSStore, not str: write HSTSStore('hsts.txt')
    """

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport | None = None,
        store: HSTSStore | None = None,
        **kwargs: Unpack[HTTPTransportOptions],
    ) -> None:
        check_store(transport, store)
        super().__init__(transport, **kwargs)
        self._store = HSTSStore() if store is None else store

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if (headers := internal_redirect(self._store, request.url)) is not None:
            if type(request) is not httpx2.Request:
                check_request(request, type(self))
            return httpx2.Response(307, headers=headers)
        response = await self._send(self._transport, request)
        if HEADER in response.headers:
            try:
                if learn(self._store, request.url, response):
                    await async_run_in_thread(self._store._try_to_save)
            except BaseException:
                with async_shield():
                    await response.aclose()
                raise
        return response

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        errors: list[BaseException] = []
        try:
            if self._store._is_unsaved:
                with async_shield():
                    await async_run_in_thread(self._store.save)
        except BaseException as error:  # noqa: BLE001 - the inner one holds connections
            errors.append(error)
        try:
            await super().__aexit__(exc_type, exc_value, traceback)
        except BaseException as error:  # noqa: BLE001 - saving may have failed before
            errors.append(error)
        raise_close_errors(errors, exc_value)

    def _settings(self) -> str:
        return ", ".join(self._store._differences())
