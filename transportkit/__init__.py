"""Transports for httpx, and a routing dict that picks one for each request."""

from .https.redirect import HTTPSRedirect, RefusingTransport
from .routing.environment import environment_routes
from .routing.mounts import (
    AsyncMounts,
    Mounts,
    Route,
    async_default_transport,
    default_transport,
)
from .routing.patterns import InvalidRoute

__all__ = [
    "Mounts",
    "AsyncMounts",
    "Route",
    "InvalidRoute",
    "default_transport",
    "async_default_transport",
    "environment_routes",
    "HTTPSRedirect",
    "RefusingTransport",
]
