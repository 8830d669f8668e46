# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`HSTSTransport` and `AsyncHSTSTransport`: never again in clear to a host that asked not to."""

import os
import ssl
from types import TracebackType
from typing import Unpack

import httpx2

from ..https.rfc6797 import HEADER, canonical_name
from ..https.store import HSTSStore
from ..wire.io import async_run_in_thread, async_shield, run_in_thread, shield
from ..wire.lifecycle import raise_close_errors
from .options import HTTPTransportOptions
from .redirect import https_location
from .wrapper import AsyncWrapper, Wrapper


def internal_redirect(store: HSTSStore, url: httpx2.URL) -> httpx2.Response | None:
    """The answer to a request that is not to be sent, named as browsers name it (8.3)."""
    if url.scheme not in ("http", "ws") or url.raw_host.decode("ascii") not in store:
        return None
    headers = {"Location": https_location(url), "Non-Authoritative-Reason": "HSTS"}
    return httpx2.Response(307, headers=headers)


def learn(store: HSTSStore, url: httpx2.URL, response: httpx2.Response) -> bool:
    """Take in the header of a response (8.1); whether it is time to save the store."""
    host = url.raw_host.decode("ascii")
    if url.scheme not in ("https", "wss") or not is_verified(response, host):
        return False
    # Only the first one counts, and httpx2 would join them to one text.
    return store._learn(host, response.headers.get_list(HEADER)[0])


def is_verified(response: httpx2.Response, host: str) -> bool:
    """Whether nothing speaks against it that this host, and no one in between, has answered."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        # MockTransport and ASGITransport have no wire that anyone could sit on. A transport
        # that does TLS in its own way is taken at its word, as its https:// answers are.
        return True
    # Of three types, according to the backend, one of them without a public name. None where
    # an inner transport has sent an https:// request in clear.
    tls = stream.get_extra_info("ssl_object")
    context = getattr(tls, "context", None)
    return (
        isinstance(context, ssl.SSLContext)
        # Python lets nobody check the name on a certificate without verifying it.
        and context.check_hostname
        # The extension "sni_hostname" has another name checked than that of the URL.
        and canonical_name(tls.server_hostname or "") == canonical_name(host)
    )


def check_store(transport: object, store: object) -> None:
    """Refuse what is no store, and a store in the place of the transport."""
    if isinstance(transport, HSTSStore):
        raise TypeError("transport must be a transport, not an HSTSStore: write store=...")
    if store is None or isinstance(store, HSTSStore):
        return
    advice = f": write HSTSStore({str(store)!r})" if isinstance(store, (str, os.PathLike)) else ""
    raise TypeError(f"store must be an HSTSStore, not {type(store).__name__}{advice}")


class HSTSTransport(Wrapper):
    """Remembers which hosts sent Strict-Transport-Security, and sends them nothing in clear.

    It does as RFC 6797 says, and as browsers do. A request to a known host over http is not
    sent but answered with a 307 to the same URL over https (port 80 goes, another explicit
    port stays); `follow_redirects=True` is what makes the client go there, and the whole
    thing seamless. The header counts when it came over https from a host that is no IP
    address, whose certificate was verified: not with `verify=False`.

    A host's *first* request may still go in clear, unless the store knows it from
    `HSTSStore.preload` or from a file. A server that redirects from https back to http
    never gets a request in clear; the client goes back and forth until it raises
    `httpx2.TooManyRedirects`, or arrives where https has an answer.

    The strict alternative is `Mounts({"http://": strict, "ws://": strict})` with `strict =
    RefusingTransport("https only")`: no request goes in clear to any host, known or not, and
    one that is redirected back to http raises `httpx2.UnsupportedProtocol` at once. With
    `HTTPSRedirect()` in its place all hosts are treated as if they were known. (httpx2 sends a
    `ws://` URL as plain HTTP.)

    Arguments:
        transport: the inner transport. Default: `default_transport(**kwargs)`.
        store: what is known; may be shared with other transports, sync and async. Default:
            a new `HSTSStore()` in memory.
        kwargs: arguments of `httpx2.HTTPTransport`, in place of a transport.

    Raises:
        TypeError: a store that is none, a transport that is not for sync clients, or both a
            transport and arguments for one.
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
        if (answer := internal_redirect(self._store, request.url)) is not None:
            return answer
        response = self._send(self._transport, request)
        if HEADER in response.headers:
            try:
                if learn(self._store, request.url, response):
                    run_in_thread(self._store._save_on_the_way)
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


class AsyncHSTSTransport(AsyncWrapper):
    """Remembers which hosts sent Strict-Transport-Security, and sends them nothing in clear.

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
        if (answer := internal_redirect(self._store, request.url)) is not None:
            return answer
        response = await self._send(self._transport, request)
        if HEADER in response.headers:
            try:
                if learn(self._store, request.url, response):
                    await async_run_in_thread(self._store._save_on_the_way)
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
