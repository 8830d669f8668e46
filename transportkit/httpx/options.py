"""The arguments of a stock transport, which ours take too."""

import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

import httpx


class HTTPTransportOptions(TypedDict, total=False):
    """The arguments of `httpx.HTTPTransport`, with its defaults."""

    verify: ssl.SSLContext | str | bool
    cert: str | tuple[str, str] | tuple[str, str, str] | None
    trust_env: bool
    http1: bool
    http2: bool
    limits: httpx.Limits
    proxy: str | httpx.URL | httpx.Proxy | None
    uds: str | None
    local_address: str | None
    retries: int
    socket_options: (
        Iterable[
            tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
        ]
        | None
    )


Target = (
    str
    | httpx.URL
    | httpx.Proxy
    | Mapping[str, object]
    | Sequence[
        str | httpx.URL | httpx.Proxy | httpx.BaseTransport | httpx.AsyncBaseTransport | None
    ]
    | None
)
"""What a routing dict may hold beside transports."""

Routes = Mapping[str, httpx.BaseTransport | httpx.AsyncBaseTransport | Target]
"""A routing dict: patterns, and where they lead."""
