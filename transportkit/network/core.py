"""The decisions of the network transports, which do no I/O.

A network transport sends each request through a stock `httpx.HTTPTransport` of one connection.
httpcore's pool takes a time per request that grows with the square of its connections, loses
the places of handshakes that fail or are cancelled, and counts busy connections as idle ones.
A pool of one connection does none of that: there is nothing to choose, and closing it gives back
all it holds. `pool` decides which connection takes a request and what becomes of it afterwards,
`handshake` completes what a new one needs on its way, `connections` opens and closes them,
and `sending` brings a request through all of them.
"""

import inspect
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from ..redaction.redaction import REDACTION
from ..wire.arguments import library_advice
from ..wire.library import Request, Response, is_a, library_of
from ..wire.request import own_request
from .connection import Connection, Origin
from .errors import as_transport_error, is_of_one_stream, unmasked
from .handshake import Handshake
from .options import describe
from .pool import Pool
from .proxy_url import Named
from .timetable import Timetable
from .tls import SSLContexts

T = TypeVar("T")

_NO_TUNNEL = (
    "ws:// cannot go through an HTTP proxy, as httpcore speaks TLS in every tunnel: "
    "use wss://, or a SOCKS proxy"
)
_HTTP_PROXIES = ("http", "https")
# The defaults of httpx, which have no public name.
_MAX_CONNECTIONS, _MAX_KEEPALIVE_CONNECTIONS = 100, 20
# A pool keeps it until its first connection has that of its thread or event loop.
_NOTHING_IS_DUE: Timetable[Pool[Any]] = Timetable()


class NetworkCore(Generic[T]):
    """The part that the sync and the async network transport have in common.

    Arguments:
        kind: the stock transport for one connection.
        options: the arguments of `httpx.HTTPTransport`.
        named: has the name by which its proxy is shown. Default: the URL without credentials.

    Attributes:
        pool: decides which connection takes a request.
    """

    def __init__(
        self, kind: type[T], options: Mapping[str, object], named: Named | None = None
    ) -> None:
        library = library_of(kind)
        given: dict[str, Any] = {**options}
        proxy = given.pop("proxy", None)
        proxy = library.Proxy(proxy) if isinstance(proxy, str) or is_a(proxy, "URL") else proxy
        if not isinstance(given.get("verify"), ssl.SSLContext):
            given["verify"] = SSLContexts(kind).context_for(options)
            given.pop("cert", None)
        limits = given.pop("limits", None) or library.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_KEEPALIVE_CONNECTIONS,
        )
        if isinstance(given.get("socket_options"), Iterable):
            given["socket_options"] = list(given["socket_options"])
        one = library.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None)
        create: Callable[..., T] = kind
        self._create: Callable[[], T] = partial(create, **given, limits=one, proxy=proxy)
        # One is made now, so that wrong arguments are refused, and is kept for the first request.
        self._made: list[T] = [self._create()]
        self._is_verified: bool = given["verify"].verify_mode != ssl.CERT_NONE
        self._kind = kind
        self._options = {**given, "verify": self._is_verified, "limits": limits, "proxy": proxy}
        self._named = named
        self._library = library
        self._scheme: str = "" if proxy is None else proxy.url.scheme
        self._is_http2 = bool(given.get("http2"))
        self._is_http2_only = not given.get("http1", True)
        self.pool: Pool[T] = Pool(
            limits.max_connections,
            limits.max_keepalive_connections,
            limits.keepalive_expiry,
            _NOTHING_IS_DUE,
        )

    def make(self) -> T:
        """A stock transport for one connection."""
        try:
            return self._made.pop()
        except IndexError:
            return self._create()

    def settings(self) -> str:
        """The arguments that differ from the defaults of httpx, without credentials."""
        parameters = inspect.signature(self._kind).parameters
        given = {
            name: self._options[name]
            for name, parameter in parameters.items()
            if self._options.get(name, parameter.default) != parameter.default
        }
        return describe(given, self._kind)

    def __repr__(self) -> str:
        return " ".join(filter(None, [self.settings(), repr(self.pool)]))

    def route(self, request: Request) -> tuple[Origin, bool]:
        """The origin that a request goes to, and whether it may share a connection.

        Raises:
            UnsupportedProtocol: httpcore cannot send it.
        """
        url = request.url
        scheme = url.scheme
        if scheme == "ws" and self._scheme in _HTTP_PROXIES:
            raise self._library.UnsupportedProtocol(_NO_TUNNEL, request=request)
        may_share = self._is_http2 and (scheme == "https" or self._is_http2_only)
        return (scheme, url.raw_host, url.port), may_share

    def outgoing(
        self,
        request: Any,  # noqa: ANN401 - a request of the library
        connection: Connection[T],
        handshake: Handshake | None,
        *,
        joins: bool,
    ) -> Any:  # noqa: ANN401 - the same
        """The request to send: the caller's own, where nothing has to be told or mended.

        Arguments:
            request: the caller's.
            connection: the one to send it on.
            handshake: follows that, if it is made for this request.
            joins: true if others are in flight on it.
        """
        if handshake is None and not joins and not self._scheme:
            return request
        scheme, host, _ = connection.origin
        url = request.url
        changed: dict[str, object] = {}
        if handshake is not None:
            changed["trace"] = handshake
        if joins:
            # A connection that cannot take it has to say so, instead of queueing it.
            timeouts = request.extensions.get("timeout", {})
            is_dict = isinstance(timeouts, dict)
            changed["timeout"] = {**timeouts, "pool": 0.0} if is_dict else _AtOnce(timeouts)
        if scheme == "wss" and self._scheme not in ("", *_HTTP_PROXIES):
            # Through SOCKS, httpcore 1.0.9 speaks TLS for https alone; httpcore2 from 2.10 for both.
            url = url.copy_with(scheme="https")
        elif scheme == "http" and self._scheme in _HTTP_PROXIES:
            target = request.extensions.get("target")
            # A proxy gets the absolute form (RFC 9112, section 3.2.2): httpcore 1.0.9 leaves a given
            # target as it is, and like httpcore2 2.16 the brackets out.
            if isinstance(target, bytes) and target.startswith(b"/"):
                changed["target"] = b"http://" + url.netloc + target
            elif target is None and b":" in host:
                changed["target"] = b"http://" + url.netloc + url.raw_path
        if not changed and url is request.url:
            return request
        sent = own_request(request, {**request.extensions, **changed}, url=url)
        if handshake is not None:
            handshake.extensions = sent.extensions
        return sent

    def learn(self, connection: Connection[T], response: Response, handshake: Handshake) -> None:
        """Keep what the first response tells about its connection."""
        if connection.is_http2 is None:
            stream = response.extensions.get("network_stream")
            connection.watch(None if stream is None else stream.get_extra_info("socket"))
            connection.facts = self._facts_of(handshake)
            version = response.extensions.get("http_version")
            self.pool.answered(connection, version == b"HTTP/2")

    def fail(self, connection: Connection[T], error: BaseException, *, joins: bool) -> bool:
        """Retire a connection whose request failed; True if it only refused to be joined.

        Arguments:
            connection: the one.
            error: what the request ended in before its response.
            joins: true if others are in flight on it.
        """
        if joins and is_a(error, "PoolTimeout"):
            self.pool.refuse(connection)
            return True
        if not is_of_one_stream(error):
            self.pool.retire(connection)
        return False

    @cached_property
    def _facts(self) -> Mapping[str, object]:
        # Masking takes long, and nobody asks before the first response or error.
        facts: dict[str, object] = {}
        if (proxy := self._options["proxy"]) is not None:
            named = self._named
            facts["proxy"] = REDACTION.proxy(proxy) if named is None else named.name
        return facts if self._is_verified else {**facts, "verify": False}

    def _facts_of(self, handshake: Handshake) -> Mapping[str, object]:
        """The extensions of a response that tell who took its request."""
        if handshake.proxy_headers is None:
            return self._facts
        return {**self._facts, "proxy_headers": handshake.proxy_headers}

    def translate(
        self,
        error: BaseException,
        request: Request,
        connection: Connection[T],
        handshake: Handshake | None = None,
        *,
        in_body: bool = False,
    ) -> BaseException:
        """An error as httpx's own, with the facts about who took the request.

        Arguments:
            error: the error that a head or a body ended in.
            request: the caller's.
            connection: the one that it was sent on.
            handshake: of the connection, if it was made for this request.
            in_body: true if the response had begun.
        """
        error = unmasked(error)
        if not isinstance(error, Exception):
            return error
        if isinstance(error, AssertionError):
            # All that a stock transport says of a request of the other library.
            prefix = "async_" if self._kind.__name__.startswith("Async") else ""
            if advice := library_advice(request, self._kind, f"{prefix}default_transport"):
                return TypeError(advice)
        error = as_transport_error(error, request, handshake, in_body=in_body)
        if handshake is not None:
            handshake.testify(error)
        if is_a(error, "TransportError"):
            facts = connection.facts if handshake is None else self._facts_of(handshake)
            if facts:
                vars(error)["extensions"] = {**facts}
        return error


class _AtOnce(Mapping[str, float | None]):
    """Timeouts under which a pool refuses what it cannot take at once."""

    def __init__(self, timeouts: Mapping[str, float | None]) -> None:
        self._timeouts = timeouts

    def __getitem__(self, operation: str) -> float | None:
        return 0.0 if operation == "pool" else self._timeouts[operation]

    def __iter__(self) -> Iterator[str]:
        return iter({"pool", *self._timeouts})

    def __len__(self) -> int:
        return len({"pool", *self._timeouts})
