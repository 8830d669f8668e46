"""Who rests and for how long; who is to blame for an error."""

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import Cooldown

from transportkit.rotation.health import Verdict, Via, jittered, verdict
from transportkit.wire.trace import Watch


class TestCooldown:
    def test_grows_with_each_failure_in_a_row_up_to_its_cap(self) -> None:
        cooldown = Cooldown(first=1, max=10, factor=3)
        rests = [0.0]
        for _ in range(5):
            rests.append(cooldown.after(rests[-1]))
        assert rests == [0, 1, 3, 9, 10, 10]

    @given(st.floats(1e-3, 1e6), st.floats(1, 1e6), st.floats(1, 1e300), st.integers(1, 2000))
    def test_neither_shrinks_nor_overflows(
        self, first: float, more: float, factor: float, failures: int
    ) -> None:
        cooldown = Cooldown(first=first, max=first * more, factor=factor)
        last = 0.0
        for _ in range(failures):
            rest = cooldown.after(last)
            assert last <= rest <= cooldown.max
            last = rest

    @given(st.floats(1e-3, 1e6), st.floats(0, 1))
    def test_is_cut_by_half_at_most(self, seconds: float, random: float) -> None:
        assert seconds / 2 <= jittered(seconds, random) <= seconds

    @pytest.mark.parametrize(
        ("arguments", "kind", "text"),
        [
            ({"first": 0}, ValueError, "first must be a finite number of seconds above 0, not 0"),
            ({"first": -1}, ValueError, "first must be a finite number of seconds above 0, not -1"),
            ({"max": math.inf}, ValueError, "max must be a finite number of seconds above 0"),
            ({"max": 10**400}, ValueError, "max must be a finite number of seconds above 0"),
            ({"max": math.nan}, ValueError, "max must be a finite number of seconds above 0"),
            ({"first": "1"}, TypeError, "first must be a number of seconds, not '1'"),
            ({"max": None}, TypeError, "max must be a number of seconds, not None"),
            ({"factor": True}, TypeError, "factor must be a number of times, not True"),
            ({"factor": 0.5}, ValueError, "factor must be 1 or more, not 0.5"),
            ({"first": 500}, ValueError, "max must be 500 (first) or more, not 300.0"),
        ],
        ids=str,
    )
    def test_that_cannot_work_is_refused(
        self, arguments: dict[str, Any], kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=f"^{re.escape(text)}"):
            Cooldown(**arguments)


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


class TestTheVerdict:
    @pytest.mark.parametrize(
        ("error", "watch", "via", "expected"),
        [
            (REFUSED, heard(CONNECT), Via.HTTP, Verdict.GUILTY),
            (REFUSED, heard(CONNECT), Via.SOCKS, Verdict.GUILTY),
            # Without a proxy of ours it may be the target that refuses.
            (REFUSED, heard(CONNECT), Via.DIRECT, Verdict.SUSPECTED),
            (REFUSED, heard(CONNECT), Via.READY, Verdict.SUSPECTED),
            (REFUSED, heard(), Via.READY, Verdict.SUSPECTED),
            (httpx.ConnectTimeout(""), heard(CONNECT), Via.HTTP, Verdict.GUILTY),
            # The tunnel was asked for: the target may be down.
            (REFUSED, _Tunnel(), Via.HTTP, Verdict.SUSPECTED),
            (httpx.ReadTimeout(""), _Tunnel(), Via.HTTP, Verdict.SUSPECTED),
            (httpx.RemoteProtocolError(""), _Tunnel(), Via.HTTP, Verdict.SUSPECTED),
            (httpx.ProxyError("502 Bad Gateway"), _Tunnel(), Via.HTTP, Verdict.SUSPECTED),
            (httpx.ProxyError("407 Who?"), _Tunnel(), Via.HTTP, Verdict.GUILTY),
            (httpx.ProxyError("407 Who?"), heard(), Via.READY, Verdict.GUILTY),
            (httpx.ProxyError("refused"), heard(CONNECT, SOCKS), Via.SOCKS, Verdict.SUSPECTED),
            (httpx.ReadTimeout(""), heard(CONNECT, SOCKS), Via.SOCKS, Verdict.SUSPECTED),
            (httpx.PoolTimeout(""), heard(), Via.HTTP, Verdict.BLAMELESS),
            (httpx.PoolTimeout(""), heard(CONNECT, SEND), Via.DIRECT, Verdict.BLAMELESS),
            (httpx.ReadError(""), heard(CONNECT, SEND), Via.HTTP, Verdict.SENT),
            (httpx.ReadError(""), heard(), Via.READY, Verdict.SENT),
            (REFUSED, heard(SEND), Via.HTTP, Verdict.SENT),
            (httpx.UnsupportedProtocol(""), heard(), Via.HTTP, Verdict.UNSENDABLE),
        ],
    )
    def test_says_who_is_to_blame(
        self, error: httpx.TransportError, watch: Watch, via: Via, expected: Verdict
    ) -> None:
        assert verdict(error, watch, via) is expected
