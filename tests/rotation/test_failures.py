"""The origin of an error: the proxy, the target, or nothing at all."""

import socket
from contextlib import suppress
from errno import (
    EADDRNOTAVAIL,
    EBUSY,
    ECONNREFUSED,
    EHOSTUNREACH,
    EMFILE,
    ENETUNREACH,
    ENFILE,
    ENOBUFS,
    ENOENT,
    ENOMEM,
)

import h2.exceptions
import pytest
from support.library import httpcore, httpx

from transportkit.rotation.failures import Failure, classify
from transportkit.rotation.proxies import Via
from transportkit.wire.trace import Watch


def heard(*events: str, method: bytes = b"GET") -> Watch:
    watch = Watch()
    for event in events:
        watch.hear(event, {"request": httpx.Request(method.decode(), "http://h")})
    return watch


CONNECT = "connection.connect_tcp.started"
SEND = "http11.send_request_headers.started"
SOCKS = "socks.setup_socks5_connection.started"
REFUSED = httpx.ConnectError("refused")


class _Tunnel(Watch):
    """A CONNECT was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.hear(CONNECT, {})
        self.hear(SEND, {"request": type("Request", (), {"method": b"CONNECT"})})


RULE = httpx.ProxyError("Proxy Server could not connect: Connection not allowed by ruleset.")


def group(*numbers: int) -> OSError:
    """An error like those of anyio and trio, which try several addresses."""
    error = OSError("All connection attempts failed")
    error.__cause__ = ExceptionGroup("", [OSError(number, "") for number in numbers])
    return error


def with_cause(cause: Exception) -> httpx.ConnectError:
    error = httpx.ConnectError("failed")
    error.__cause__ = cause
    # Of the caller, who may be handling another one.
    cause.__context__ = OSError(ENOENT, "")
    return error


def not_looked_up(error: OSError) -> OSError:
    """An error that comes from where hosts are looked up."""

    def getaddrinfo() -> None:
        raise error

    with suppress(OSError):
        getaddrinfo()
    return error


def ended_by_the_server() -> httpx.LocalProtocolError:
    """An error of h2's about what it has received."""
    error = httpx.LocalProtocolError("ended")
    error.__cause__ = httpcore.LocalProtocolError(h2.exceptions.ProtocolError("ended"))
    return error


@pytest.mark.parametrize(
    ("error", "watch", "via", "expected"),
    [
        (REFUSED, heard(CONNECT), Via.HTTP, Failure.PROXY),
        (REFUSED, heard(CONNECT), Via.SOCKS, Failure.PROXY),
        # Without a proxy of ours it may be the target that refuses.
        (REFUSED, heard(CONNECT), Via.DIRECT, Failure.PROXY_OR_TARGET),
        (REFUSED, heard(CONNECT), Via.READY, Failure.PROXY_OR_TARGET),
        (REFUSED, heard(), Via.READY, Failure.PROXY_OR_TARGET),
        (httpx.ConnectTimeout(""), heard(CONNECT), Via.HTTP, Failure.PROXY),
        # The tunnel was asked for: the target may be down.
        (REFUSED, _Tunnel(), Via.HTTP, Failure.PROXY_OR_TARGET),
        (httpx.ReadTimeout(""), _Tunnel(), Via.HTTP, Failure.PROXY_OR_TARGET),
        (httpx.RemoteProtocolError(""), _Tunnel(), Via.HTTP, Failure.PROXY_OR_TARGET),
        (httpx.ProxyError("502 Bad Gateway"), _Tunnel(), Via.HTTP, Failure.PROXY_OR_TARGET),
        (httpx.ProxyError("407 Who?"), _Tunnel(), Via.HTTP, Failure.PROXY),
        (httpx.ProxyError("407 Who?"), heard(), Via.READY, Failure.PROXY),
        (httpx.ProxyError("refused"), heard(CONNECT, SOCKS), Via.SOCKS, Failure.PROXY_OR_TARGET),
        (httpx.ReadTimeout(""), heard(CONNECT, SOCKS), Via.SOCKS, Failure.PROXY_OR_TARGET),
        (httpx.ProxyError("403 No"), _Tunnel(), Via.HTTP, Failure.TARGET),
        (httpx.ProxyError("451 No"), _Tunnel(), Via.HTTP, Failure.TARGET),
        (RULE, heard(CONNECT, SOCKS), Via.SOCKS, Failure.TARGET),
        (with_cause(OSError(EMFILE, "")), heard(CONNECT), Via.HTTP, Failure.MACHINE),
        (with_cause(OSError(EADDRNOTAVAIL, "")), heard(CONNECT), Via.SOCKS, Failure.MACHINE),
        (with_cause(group(ENOBUFS, ENOMEM)), heard(CONNECT), Via.DIRECT, Failure.MACHINE),
        # One of the addresses of the proxy was refused by its host.
        (with_cause(group(EADDRNOTAVAIL, ECONNREFUSED)), heard(CONNECT), Via.HTTP, Failure.PROXY),
        (with_cause(OSError(ENETUNREACH, "")), heard(CONNECT), Via.HTTP, Failure.NO_ROUTE),
        (with_cause(OSError(EHOSTUNREACH, "")), heard(CONNECT), Via.SOCKS, Failure.NO_ROUTE),
        (OSError(ENFILE, ""), heard(), Via.READY, Failure.MACHINE),
        (LookupError(""), heard(), Via.READY, Failure.FOREIGN),
        (LookupError(""), heard(), Via.HTTP, Failure.CALLER),
        (httpx.StreamConsumed(), heard(), Via.READY, Failure.CALLER),
        (httpx.PoolTimeout(""), heard(), Via.HTTP, Failure.POOL_FULL),
        (httpx.PoolTimeout(""), heard(CONNECT, SEND), Via.DIRECT, Failure.POOL_FULL),
        (httpx.ReadError(""), heard(CONNECT, SEND), Via.HTTP, Failure.MAYBE_SENT),
        (httpx.ReadError(""), heard(), Via.READY, Failure.MAYBE_SENT),
        (REFUSED, heard(SEND), Via.HTTP, Failure.MAYBE_SENT),
        (httpx.UnsupportedProtocol(""), heard(), Via.HTTP, Failure.CALLER),
        (httpx.LocalProtocolError("Illegal header"), heard(SEND), Via.HTTP, Failure.CALLER),
        (ended_by_the_server(), heard(SEND), Via.HTTP, Failure.MAYBE_SENT),
        # As those of curl, for which httpx has no class.
        (httpx.RequestError(""), heard(), Via.READY, Failure.FOREIGN),
        (httpx.RequestError(""), heard(), Via.HTTP, Failure.CALLER),
        # Where there is no descriptor, the number is that of the last error before.
        (with_cause(not_looked_up(OSError(EBUSY, ""))), heard(CONNECT), Via.HTTP, Failure.MACHINE),
        (
            with_cause(not_looked_up(socket.gaierror(socket.EAI_NONAME, ""))),
            heard(CONNECT),
            Via.HTTP,
            Failure.PROXY,
        ),
    ],
)
def test_an_error_tells_what_failed(
    error: httpx.TransportError, watch: Watch, via: Via, expected: Failure
) -> None:
    assert classify(error, watch, via) is expected


def test_a_full_pool_with_nothing_in_flight_is_the_members_fault() -> None:
    failure = classify(httpx.PoolTimeout(""), heard(), Via.HTTP, is_alone=True)
    assert failure is Failure.PROXY_OR_TARGET
