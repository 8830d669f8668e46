"""Every public name, for httpx: loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..debugging.console import ConsoleLog
    from ..debugging.curl import CurlLog
    from ..debugging.exchange import Body, Exchange, Timings
    from ..debugging.har import HARRecorder
    from ..files.names import file_url
    from ..https.store import HSTSStore
    from ..redaction.logs import RedactingFilter
    from ..redaction.redaction import Redaction
    from ..retrying.attempt import Attempt
    from ..retrying.budget import RetryBudget
    from ..retrying.policy import RetryPolicy
    from ..retrying.strategies import retry_if_status, retry_if_transport_error, wait_retry_after
    from ..retrying.switch import set_retries
    from ..rotation.ejection import Cooldown
    from ..rotation.member import ProxyStatus
    from ..rotation.ring import sticky_by_header, sticky_by_host
    from ..routing.environment import environment_routes
    from ..routing.patterns import InvalidRoute
    from ..routing.routing import Route
    from ..wire.stack import StackWarning
    from .debugging import AsyncDebuggingTransport, DebuggingTransport
    from .files import AsyncFileSystemTransport, FileSystemTransport
    from .hsts import AsyncHSTSTransport, HSTSTransport
    from .mounts import AsyncMounts, Mounts, async_default_transport, default_transport
    from .options import AsyncRoutes, HTTPTransportOptions, Routes, Target
    from .redirect import HTTPSRedirect, RefusingTransport
    from .resume import AsyncResumeTransport, ResumeTransport
    from .retry import AsyncRetryTransport, RetryTransport
    from .rotation import AsyncProxyRoundRobin, ProxyRoundRobin
    from .wrapper import AsyncWrapper, Wrapper

__all__ = [
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

_NAMES = {
    ".mounts": ("Mounts", "AsyncMounts", "default_transport", "async_default_transport"),
    "..routing.routing": ("Route",),
    "..routing.patterns": ("InvalidRoute",),
    ".options": ("Routes", "AsyncRoutes", "Target", "HTTPTransportOptions"),
    "..routing.environment": ("environment_routes",),
    ".retry": ("RetryTransport", "AsyncRetryTransport"),
    "..retrying.policy": ("RetryPolicy",),
    "..retrying.attempt": ("Attempt",),
    "..retrying.budget": ("RetryBudget",),
    "..retrying.strategies": ("retry_if_status", "retry_if_transport_error", "wait_retry_after"),
    "..retrying.switch": ("set_retries",),
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
    "..wire.stack": ("StackWarning",),
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
