"""The seam to httpx and httpx2: the library that an object comes from, and its classes.

The class of an object tells which library it belongs to, and whoever made the object has
imported that library. So nothing below the transports imports either: a decision reads
attributes, asks `is_a(error, "TransportError")`, and raises `library_of(request).ReadError(...)`.
The protocols here are what decisions read; the classes of both libraries implement them.
"""

import importlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, Protocol

LIBRARIES = ("httpx", "httpx2")

Name = Literal[
    "AsyncBaseTransport",
    "AsyncClient",
    "BaseTransport",
    "ByteStream",
    "Client",
    "ConnectError",
    "ConnectTimeout",
    "HTTPError",
    "Limits",
    "LocalProtocolError",
    "NetworkError",
    "PoolTimeout",
    "Proxy",
    "ProxyError",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "RequestError",
    "TimeoutException",
    "TransportError",
    "URL",
    "UnsupportedProtocol",
]


class URL(Protocol):
    """A parsed URL."""

    def __hash__(self) -> int: ...
    @property
    def scheme(self) -> str: ...
    @property
    def userinfo(self) -> bytes: ...
    @property
    def host(self) -> str: ...
    @property
    def raw_host(self) -> bytes: ...
    @property
    def port(self) -> int | None: ...
    @property
    def netloc(self) -> bytes: ...
    @property
    def path(self) -> str: ...
    @property
    def raw_path(self) -> bytes: ...
    @property
    def query(self) -> bytes: ...
    @property
    def fragment(self) -> str: ...


class Headers(Protocol):
    """The headers of a message, by names in any case."""

    @property
    def raw(self) -> list[tuple[bytes, bytes]]: ...
    def get(self, key: str, default: str) -> str: ...
    def get_list(self, key: str) -> list[str]: ...
    def multi_items(self) -> list[tuple[str, str]]: ...
    def __contains__(self, key: object) -> bool: ...
    def __getitem__(self, key: str) -> str: ...
    def __iter__(self) -> Iterator[str]: ...


class Request(Protocol):
    """A request on its way."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> URL: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def stream(self) -> object: ...
    @property
    def extensions(self) -> Mapping[str, Any]: ...


class Response(Protocol):
    """A response whose body may still be on its way."""

    @property
    def status_code(self) -> int: ...
    @property
    def reason_phrase(self) -> str: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def stream(self) -> object: ...
    @property
    def extensions(self) -> dict[str, Any]: ...
    @property
    def content(self) -> bytes: ...
    @property
    def is_closed(self) -> bool: ...
    @property
    def is_stream_consumed(self) -> bool: ...
    @property
    def num_bytes_downloaded(self) -> int: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...


class Body(Protocol):
    """The stream of a message, for sync code."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class AsyncBody(Protocol):
    """The stream of a message, for async code."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


class Proxy(Protocol):
    """The URL of a proxy, and what it is asked with."""

    @property
    def url(self) -> URL: ...
    @property
    def auth(self) -> tuple[str, str] | None: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def ssl_context(self) -> object: ...


def _find_origin(kind: type) -> tuple[str, frozenset[str]]:
    # `__module__` would not do: an SDK that exports a class writes its own name into it.
    for name in LIBRARIES:
        library = sys.modules.get(name)
        names = (one.__name__ for one in kind.__mro__ if getattr(library, one.__name__, 0) is one)
        if found := frozenset(names):
            return name, found
    return "", frozenset()


# As a decorator, lru_cache would make the argument a `Hashable`, as which mypy refuses classes.
_origin: Callable[[type], tuple[str, frozenset[str]]] = lru_cache(256)(_find_origin)


def is_a(thing: object, *names: Name) -> bool:
    """True if an object is an instance of one of these classes, of httpx or httpx2.

    Arguments:
        thing: any object.
        names: of the classes.

    >>> import httpx
    >>> is_a(httpx.ReadTimeout("timed out"), "TransportError"), is_a(OSError(), "TransportError")
    (True, False)
    """
    return not _origin(type(thing))[1].isdisjoint(names)


def is_unclear(error: Exception) -> bool:
    """True for an error of h2's, which has one class for what it received and for what it sends.

    A GOAWAY and the last answer in one segment, as nginx sends them, is a broken connection; a
    request that HTTP/2 forbids is not.
    """
    causes = getattr(error.__cause__, "args", ())
    return is_a(error, "LocalProtocolError") and any(
        type(cause).__module__.startswith("h2.") for cause in causes
    )


def library_name(thing: object) -> str:
    """The name of the library that an object or a class belongs to; empty if to neither.

    >>> import httpx
    >>> library_name(httpx.URL("https://example.com")), library_name(httpx.BaseTransport)
    ('httpx', 'httpx')
    """
    kind: type = thing if isinstance(thing, type) else type(thing)
    return _origin(kind)[0]


def library_of(thing: object) -> Any:  # noqa: ANN401 - a module, chosen at run time
    """The library that an object or a class belongs to.

    >>> import httpx
    >>> library_of(httpx.Request("GET", "https://example.com")) is httpx
    True
    """
    return sys.modules[library_name(thing)]


def parse_url(text: str) -> URL:
    """Text as a URL.

    Raises:
        InvalidURL: of either library, when the text is not a URL.
    """
    url: URL = any_library().URL(text)
    return url


def any_library() -> Any:  # noqa: ANN401 - the same as above
    """Either library, for what both do alike: one that is loaded, or else one that is installed."""
    for name in LIBRARIES:
        if (loaded := sys.modules.get(name)) is not None:
            return loaded
    # Only plain functions get here, such as `environment_routes`: a transport has loaded its own.
    for name in LIBRARIES[:-1]:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return importlib.import_module(LIBRARIES[-1])
