"""Transports from the arguments of `httpx.HTTPTransport`, with SSL contexts shared."""

import importlib
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from ..wire.library import Proxy, library_name, library_of
from .options import check_options
from .proxy_url import Named, parse_proxy
from .tls import SSLContexts

T = TypeVar("T")


class TransportFactory(Generic[T]):
    """Makes transports out of `httpx.HTTPTransport` arguments.

    Arguments:
        kind: the network transport, sync or async, of a library.
        proxy_ssl_context: makes the context that httpcore uses for a TLS proxy.
        options: the arguments that hold unless a transport has its own.

    Raises:
        TypeError, ValueError: see `check_options`.
    """

    def __init__(
        self,
        kind: type[T],
        proxy_ssl_context: Callable[[], ssl.SSLContext],
        options: Mapping[str, object],
    ) -> None:
        check_options(options)
        self.options: dict[str, object] = dict(options)
        if isinstance(socket_options := options.get("socket_options"), Iterable):
            # They may be there to be read once, and each transport needs them.
            self.options["socket_options"] = list(socket_options)
        self._kind = kind
        self._contexts = SSLContexts(kind)
        self._create_proxy_context = proxy_ssl_context
        self._proxy_context: ssl.SSLContext | None = None

    def transport(self, named: Named | None = None, **own: object) -> T:
        """A transport with these arguments, which go before the common ones.

        Arguments:
            named: has the name by which the proxy of the transport is shown.
            own: the arguments.

        Raises:
            TypeError, ValueError: see `check_options`, `parse_proxy` and
                `SSLContexts.context_for`.
            ImportError: HTTP/2 or SOCKS without the package it needs.
        """
        check_options(own)
        options = {**self.options, **own}
        if own.get("uds") and "proxy" not in own:
            # A socket given for this transport goes before the proxy that is common to all.
            options["proxy"] = None
        check_options(options, only=own)
        if options.get("http2"):
            self._require_h2()
        limits = options.get("limits")
        if isinstance(limits, Mapping):
            options["limits"] = library_of(self._kind).Limits(**limits)
        if (proxy := options.get("proxy")) is not None:
            options["proxy"] = self._with_context(parse_proxy(proxy, self._kind))
        options["verify"] = self._contexts.context_for(options)
        options.pop("cert", None)
        if named is not None:
            options["named"] = named
        return self._kind(**options)

    def shared_options(self) -> dict[str, object]:
        """The common options, for another factory that is to share the SSL context of this one."""
        options = {**self.options, "verify": self._contexts.context_for(self.options)}
        options.pop("cert", None)
        return options

    def _with_context(self, proxy: Proxy) -> object:
        # httpcore would make this context for every connection to a TLS proxy. It cannot be the
        # one for the targets: httpcore sets ALPN on both, and speaks HTTP/1.1 only to proxies.
        if proxy.url.scheme != "https" or proxy.ssl_context is not None:
            return proxy
        if self._proxy_context is None:
            self._proxy_context = self._create_proxy_context()
        return library_of(proxy).Proxy(
            proxy.url, ssl_context=self._proxy_context, auth=proxy.auth, headers=proxy.headers
        )

    def _require_h2(self) -> None:
        # Without it httpx fails only at the first connection.
        try:
            importlib.import_module("h2")
        except ImportError:
            library = library_name(self._kind)
            raise ImportError(
                f"http2=True needs the 'h2' package: pip install '{library}[http2]'"
            ) from None
