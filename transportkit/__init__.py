"""Transports for httpx, and a routing dict that picks one for each request."""

from .debugging.console import ConsoleLog
from .debugging.curl import CurlLog
from .debugging.exchange import Body, Exchange, Timings
from .debugging.har import HARRecorder
from .files.names import file_url
from .https.store import HSTSStore
from .httpx.debugging import AsyncDebuggingTransport, DebuggingTransport
from .httpx.files import AsyncFileSystemTransport, FileSystemTransport
from .httpx.hsts import AsyncHSTSTransport, HSTSTransport
from .httpx.mounts import (
    AsyncMounts,
    Mounts,
    Route,
    async_default_transport,
    default_transport,
)
from .httpx.redirect import HTTPSRedirect, RefusingTransport
from .httpx.resume import AsyncResumeTransport, ResumeTransport
from .httpx.retry import AsyncRetryTransport, RetryTransport
from .httpx.rotation import AsyncProxyRoundRobin, ProxyRoundRobin
from .redaction.logs import RedactingFilter
from .redaction.redaction import Redaction
from .retrying.budget import RetryBudget
from .retrying.policy import Attempt, RetryPolicy
from .retrying.strategies import retry_if_status, retry_if_transport_error, wait_retry_after
from .rotation.health import Cooldown, ProxyStatus
from .rotation.ring import sticky_by_header, sticky_by_host
from .routing.environment import environment_routes
from .routing.patterns import InvalidRoute

__all__ = [
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
