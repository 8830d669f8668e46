"""The time of each phase of an exchange, from httpcore's trace events.

httpcore sends an event when a step of a request starts and one when it ends. Each event begins
a phase, or goes on with the one there is; the phases therefore add up to the whole.
"""

from collections.abc import Sequence
from typing import NamedTuple

# Prefix of the event with which a CONNECT begins, which goes to the proxy only.
TUNNEL = "tunnel "

# The phase that an event begins, by its name without the protocol in front of it. Events that
# are not in here begin none: the end of a handshake, say, as the next step follows at once.
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
    """The time of each phase, in seconds. None if it did not happen; the others add up to `total`.

    With several attempts inside, each phase is the sum over all of them.

    >>> Timings(connect=0.003, tls=0.011, wait=0.03, receive=0.004, total=0.048).connect
    0.003

    Attributes:
        blocked: waiting for a connection of the pool, or before another attempt.
        connect: opening a connection, including that to a proxy and the tunnel; without TLS.
        tls: the handshake, or both of them, with a proxy over TLS.
        send: sending the request, head and body.
        wait: waiting for the head of the response.
        receive: receiving the body of the response, including the time that its reader takes.
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
    """The time of each phase.

    Arguments:
        started: the time at which the request was given to the transport; all times are of one
            clock.
        events: the names and times of httpcore's events, in order; the first of a CONNECT with
            `TUNNEL` in front.
        head: the time at which the head of the response was there. It counts only without
            events, which only httpcore's transports send.
        ended: the time at which everything was over.
        found_pool_full: True if no connection of the pool was free in time, for which httpcore
            has no event.

    >>> timings(0.0, [("http11.send_request_headers.started", 1.0)], None, 1.5)
    Timings(blocked=1.0, connect=None, tls=None, send=0.5, wait=None, receive=None, total=1.5)
    """
    spent: dict[str, float] = {}
    phase, since, in_tunnel = "blocked", started, False
    for event, at in events:
        step = event.partition(".")[2]
        if step == "start_tls.started":
            # Until here a connection was opened, by a proxy or directly.
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
