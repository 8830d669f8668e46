"""Transports for httpx, and a routing dict that picks one for each request.

These names are for httpx; `transportkit.httpx2` has the same ones for httpx2.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .httpx import (
        AsyncDebuggingTransport,
        AsyncFileSystemTransport,
        AsyncHSTSTransport,
        AsyncMounts,
        AsyncProxyRoundRobin,
        AsyncResumeTransport,
        AsyncRetryTransport,
        AsyncRoutes,
        AsyncWrapper,
        Attempt,
        Body,
        ConsoleLog,
        Cooldown,
        CurlLog,
        DebuggingTransport,
        Exchange,
        FileSystemTransport,
        HARRecorder,
        HSTSStore,
        HSTSTransport,
        HTTPSRedirect,
        HTTPTransportOptions,
        InvalidRoute,
        Mounts,
        ProxyRoundRobin,
        ProxyStatus,
        RedactingFilter,
        Redaction,
        RefusingTransport,
        ResumeTransport,
        RetryBudget,
        RetryPolicy,
        RetryTransport,
        Route,
        Routes,
        StackWarning,
        Target,
        Timings,
        Wrapper,
        async_default_transport,
        default_transport,
        environment_routes,
        file_url,
        retry_if_status,
        retry_if_transport_error,
        set_retries,
        sticky_by_header,
        sticky_by_host,
        wait_retry_after,
    )

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "Mounts",
    "AsyncMounts",
    "Route",
    "InvalidRoute",
    "Routes",
    "AsyncRoutes",
    "Target",
    "HTTPTransportOptions",
    "default_transport",
    "async_default_transport",
    "environment_routes",
    "RetryTransport",
    "AsyncRetryTransport",
    "RetryPolicy",
    "RetryBudget",
    "Attempt",
    "retry_if_status",
    "retry_if_transport_error",
    "wait_retry_after",
    "set_retries",
    "ResumeTransport",
    "AsyncResumeTransport",
    "ProxyRoundRobin",
    "AsyncProxyRoundRobin",
    "Cooldown",
    "ProxyStatus",
    "sticky_by_host",
    "sticky_by_header",
    "DebuggingTransport",
    "AsyncDebuggingTransport",
    "Redaction",
    "RedactingFilter",
    "Exchange",
    "Body",
    "Timings",
    "ConsoleLog",
    "CurlLog",
    "HARRecorder",
    "HTTPSRedirect",
    "RefusingTransport",
    "HSTSTransport",
    "AsyncHSTSTransport",
    "HSTSStore",
    "FileSystemTransport",
    "AsyncFileSystemTransport",
    "file_url",
    "Wrapper",
    "AsyncWrapper",
    "StackWarning",
]


def __getattr__(name: str) -> object:
    # Each is loaded when it is first asked for, and httpx with it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import httpx

    value: object = getattr(httpx, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
