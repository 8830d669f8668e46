# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""The public types of arguments: those of a stock transport, and those of a routing dict."""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

import httpx2


class HTTPTransportOptions(TypedDict, total=False):
    """The arguments of `httpx2.HTTPTransport`, with its defaults, as keywords or as a target.

    >>> from transportkit.httpx2 import Mounts, RetryTransport
    >>> options: HTTPTransportOptions = {"http2": True, "trust_env": False}
    >>> transport = RetryTransport(**options)
    >>> mounts = Mounts({"https://api.example.com": options})
    """

    verify: ssl.SSLContext | str | bool
    cert: str | tuple[str, str] | tuple[str, str, str] | None
    trust_env: bool
    http1: bool
    http2: bool
    limits: httpx2.Limits
    proxy: str | httpx2.URL | httpx2.Proxy | None
    uds: str | None
    local_address: str | None
    retries: int
    socket_options: (
        Iterable[
            tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
        ]
        | None
    )


ProxyLike = str | httpx2.URL | httpx2.Proxy | None
"""Anything that stands for a proxy; None stands for no proxy."""

Target = (
    ProxyLike
    | Mapping[str, object]
    | Sequence[ProxyLike | httpx2.BaseTransport | httpx2.AsyncBaseTransport]
)
"""The values of a routing dict that are not transports; `Mounts` says what each one means."""

Routes = Mapping[str, httpx2.BaseTransport | Target]
"""A routing dict for `Mounts`: from patterns to targets."""

AsyncRoutes = Mapping[str, httpx2.AsyncBaseTransport | Target]
"""A routing dict for `AsyncMounts`: from patterns to targets."""
