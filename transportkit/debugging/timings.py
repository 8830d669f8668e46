"""Where the time of an exchange went, from httpcore's trace events.

httpcore tells of each step of a request when it starts and when it ends. Between one event
and the next something is going on that belongs to one phase; the phases therefore add up
to the whole.
"""

from collections.abc import Sequence
from typing import NamedTuple

# Stands before the event with which a CONNECT begins, which goes to the proxy only.
TUNNEL = "tunnel "

# What goes on after an event, by its name without the protocol in front of it. What is not in
# here changes nothing: the end of a handshake, say, as the next step follows at once.
_PHASE_AFTER = {
    "connect_tcp.started": "connect",
    "connect_tcp.failed": "blocked",
    "connect_unix_socket.started": "connect",
    "connect_unix_socket.failed": "blocked",
    "setup_socks5_connection.started": "connect",
    "setup_socks5_connection.failed": "blocked",
    "retry.started": "connect",
    "retry.complete": "blocked",
    "start_tls.started": "tls",
    "start_tls.failed": "blocked",
    "send_connection_init.started": "send",
    "send_connection_init.complete": "blocked",
    "send_request_headers.started": "send",
    "send_request_body.complete": "wait",
    "receive_response_headers.started": "wait",
    "receive_response_headers.complete": "receive",
    "response_closed.complete": "blocked",
}


_TUNNEL_ENDS = ("receive_response_headers.complete", "response_closed.complete")


class Timings(NamedTuple):
    """Where the time went, in seconds. What did not happen is None; the others add up to `total`.

    Where attempts were repeated inside, each phase is the sum over all of them.

    >>> Timings(connect=0.003, tls=0.011, wait=0.03, receive=0.004, total=0.048).connect
    0.003

    Attributes:
        blocked: waiting for a connection of the pool, or to try again.
        connect: for a new connection, to the proxy too, and through it; without TLS.
        tls: the handshake, or both of them, with a proxy over TLS.
        send: the request, head and body.
        wait: until the head of the response was there.
        receive: the body of the response, the time that its reader took included.
        total: from the start to the end.
    """

    blocked: float | None = None
    connect: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    receive: float | None = None
    total: float = 0.0


def timings(
    started: float,
    events: Sequence[tuple[str, float]],
    head: float | None,
    ended: float,
    *,
    found_pool_full: bool = False,
) -> Timings:
    """How long each phase took.

    Arguments:
        started: when the request was given to the transport; all times are of one clock.
        events: the names of httpcore's events and when they came, in order; the first
            of a CONNECT with `TUNNEL` in front.
        head: when the response was there. It counts only without events, which only
            httpcore's transports send.
        ended: when all was over.
        found_pool_full: whether it ended as no connection of the pool was free in time, which
            httpcore has no event for.

    >>> timings(0.0, [("http11.send_request_headers.started", 1.0)], None, 1.5)
    Timings(blocked=1.0, connect=None, tls=None, send=0.5, wait=None, receive=None, total=1.5)
    """
    spent: dict[str, float] = {}
    phase, since, in_tunnel = "blocked", started, False
    for event, at in events:
        step = event.partition(".")[2]
        if step == "start_tls.started":
            # Until here a connection was made, be it by a proxy.
            phase = "connect"
        spent[phase] = spent.get(phase, 0.0) + at - since
        since = at
        in_tunnel |= event.startswith(TUNNEL)
        if in_tunnel and step in _TUNNEL_ENDS:
            phase, in_tunnel = "blocked", False
        elif step in _PHASE_AFTER:
            phase = "connect" if in_tunnel else _PHASE_AFTER[step]
    if not events and head is not None:
        spent["wait"] = head - started
        phase, since = "receive", head
    elif not events and not found_pool_full:
        phase = "wait"
    spent[phase] = spent.get(phase, 0.0) + ended - since
    return Timings(**spent, total=ended - started)
