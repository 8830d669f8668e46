"""Factories of stock transports, and what their transports hold."""

import ssl
from typing import Any

from .library import shell


def factory(**options: object) -> Any:
    """A factory of sync transports with these common arguments."""
    return shell("network").transport_factory(options)


def context_of(transport: Any) -> ssl.SSLContext:
    context = transport._pool._ssl_context
    assert isinstance(context, ssl.SSLContext)
    return context
