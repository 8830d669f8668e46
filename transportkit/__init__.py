"""Transports for httpx, and a routing dict that picks one for each request."""

from ._redaction import Redaction
from .debugging.console import ConsoleLog
from .debugging.curl import CurlLog
from .debugging.exchange import Body, Exchange, Timings
from .debugging.har import HARRecorder
from .debugging.logs import RedactingFilter
from .debugging.transport import AsyncDebuggingTransport, DebuggingTransport
from .files.names import file_url
from .files.transport import AsyncFileSystemTransport, FileSystemTransport
from .https.hsts import AsyncHSTSTransport, HSTSTransport
from .https.redirect import HTTPSRedirect, RefusingTransport
from .https.store import HSTSStore
from .retrying.budget import RetryBudget
from .retrying.policy import Attempt, RetryPolicy
from .retrying.resume import AsyncResumeTransport, ResumeTransport
from .retrying.strategies import retry_if_status, retry_if_transport_error, wait_retry_after
from .retrying.transport import AsyncRetryTransport, RetryTransport
from .rotation.health import Cooldown, ProxyStatus
from .rotation.ring import sticky_by_header, sticky_by_host
from .rotation.transport import AsyncProxyRoundRobin, ProxyRoundRobin
from .routing.environment import environment_routes
from .routing.mounts import (
    AsyncMounts,
    Mounts,
    Route,
    async_default_transport,
    default_transport,
)
from .routing.patterns import InvalidRoute

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "Mounts",
    "AsyncMounts",
    "Route",
    "InvalidRoute",
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
]
