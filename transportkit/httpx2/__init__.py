# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""Every public name, for httpx2: loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..debugging.console import (
        ConsoleLog as ConsoleLog,
    )
    from ..debugging.curl import (
        CurlLog as CurlLog,
    )
    from ..debugging.exchange import (
        Body as Body,
        Exchange as Exchange,
        Timings as Timings,
    )
    from ..debugging.har import (
        HARRecorder as HARRecorder,
    )
    from ..files.names import (
        file_url as file_url,
    )
    from ..https.store import (
        HSTSStore as HSTSStore,
    )
    from ..redaction.logs import (
        RedactingFilter as RedactingFilter,
    )
    from ..redaction.redaction import (
        Redaction as Redaction,
    )
    from ..retrying.budget import (
        RetryBudget as RetryBudget,
    )
    from ..retrying.policy import (
        Attempt as Attempt,
        RetryPolicy as RetryPolicy,
    )
    from ..retrying.strategies import (
        retry_if_status as retry_if_status,
        retry_if_transport_error as retry_if_transport_error,
        wait_retry_after as wait_retry_after,
    )
    from ..rotation.ejection import (
        Cooldown as Cooldown,
    )
    from ..rotation.member import (
        ProxyStatus as ProxyStatus,
    )
    from ..rotation.ring import (
        sticky_by_header as sticky_by_header,
        sticky_by_host as sticky_by_host,
    )
    from ..routing.environment import (
        environment_routes as environment_routes,
    )
    from ..routing.patterns import (
        InvalidRoute as InvalidRoute,
    )
    from .debugging import (
        AsyncDebuggingTransport as AsyncDebuggingTransport,
        DebuggingTransport as DebuggingTransport,
    )
    from .files import (
        AsyncFileSystemTransport as AsyncFileSystemTransport,
        FileSystemTransport as FileSystemTransport,
    )
    from .hsts import (
        AsyncHSTSTransport as AsyncHSTSTransport,
        HSTSTransport as HSTSTransport,
    )
    from .mounts import (
        AsyncMounts as AsyncMounts,
        Mounts as Mounts,
        Route as Route,
        async_default_transport as async_default_transport,
        default_transport as default_transport,
    )
    from .options import (
        HTTPTransportOptions as HTTPTransportOptions,
        Routes as Routes,
        Target as Target,
    )
    from .redirect import (
        HTTPSRedirect as HTTPSRedirect,
        RefusingTransport as RefusingTransport,
    )
    from .resume import (
        AsyncResumeTransport as AsyncResumeTransport,
        ResumeTransport as ResumeTransport,
    )
    from .retry import (
        AsyncRetryTransport as AsyncRetryTransport,
        RetryTransport as RetryTransport,
    )
    from .rotation import (
        AsyncProxyRoundRobin as AsyncProxyRoundRobin,
        ProxyRoundRobin as ProxyRoundRobin,
    )
    from .wrapper import (
        AsyncWrapper as AsyncWrapper,
        Wrapper as Wrapper,
    )

__all__ = [
    "Mounts",
    "AsyncMounts",
    "Route",
    "InvalidRoute",
    "Routes",
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
]

_NAMES = {
    ".mounts": ("Mounts", "AsyncMounts", "Route", "default_transport", "async_default_transport"),
    "..routing.patterns": ("InvalidRoute",),
    ".options": ("Routes", "Target", "HTTPTransportOptions"),
    "..routing.environment": ("environment_routes",),
    ".retry": ("RetryTransport", "AsyncRetryTransport"),
    "..retrying.policy": ("RetryPolicy", "Attempt"),
    "..retrying.budget": ("RetryBudget",),
    "..retrying.strategies": ("retry_if_status", "retry_if_transport_error", "wait_retry_after"),
    ".resume": ("ResumeTransport", "AsyncResumeTransport"),
    ".rotation": ("ProxyRoundRobin", "AsyncProxyRoundRobin"),
    "..rotation.ejection": ("Cooldown",),
    "..rotation.member": ("ProxyStatus",),
    "..rotation.ring": ("sticky_by_host", "sticky_by_header"),
    ".debugging": ("DebuggingTransport", "AsyncDebuggingTransport"),
    "..redaction.redaction": ("Redaction",),
    "..redaction.logs": ("RedactingFilter",),
    "..debugging.exchange": ("Exchange", "Body", "Timings"),
    "..debugging.console": ("ConsoleLog",),
    "..debugging.curl": ("CurlLog",),
    "..debugging.har": ("HARRecorder",),
    ".redirect": ("HTTPSRedirect", "RefusingTransport"),
    ".hsts": ("HSTSTransport", "AsyncHSTSTransport"),
    "..https.store": ("HSTSStore",),
    ".files": ("FileSystemTransport", "AsyncFileSystemTransport"),
    "..files.names": ("file_url",),
    ".wrapper": ("Wrapper", "AsyncWrapper"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
