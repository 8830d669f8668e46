"""What is worth another attempt, and after how long."""

import inspect
import math
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import tenacity
from hypothesis import example, given
from hypothesis import strategies as st
from support.flavours import Flavour
from support.library import httpx
from support.raw import raw_server, read_head
from support.servers import Origin, Proxy
from support.transportkit import (
    retry_if_status,
    retry_if_transport_error,
    wait_retry_after,
)
from tenacity import RetryCallState

from transportkit.retrying.causes import is_certificate_error
from transportkit.retrying.combining import async_ask
from transportkit.retrying.strategies import (
    response_or_error,
    retry_after,
)

REQUEST = httpx.Request("GET", "https://example.com/")
# Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples.
DATE = 784111777
DATE_PARTS = [
    *("Sun", "Sunday", "Nov", "06", "1994", "94", "08:49:37", "8.49", "0", "99999"),
    *("GMT", "EST", "AM", "+0100", "-2400", "+", "-", ",", ":", "(", ")", "\\", '"', "é"),
]
ERRORS = sorted(
    {kind for kind in vars(httpx).values() if inspect.isclass(kind) and issubclass(kind, Exception)}
    - {httpx.HTTPStatusError}
    # Only httpx2 has it, and no transport raises it: events are read from a body.
    - {getattr(httpx, "SSEError", None)},
    key=lambda kind: kind.__name__,
)
RETRIED = {
    httpx.TransportError,
    httpx.TimeoutException,
    httpx.ConnectTimeout,
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.NetworkError,
    httpx.ConnectError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.ProtocolError,
    httpx.RemoteProtocolError,
    httpx.ProxyError,
}


def state_after(
    outcome: httpx.Response | BaseException | None, attempt_number: int = 1
) -> RetryCallState:
    state = RetryCallState(tenacity.Retrying(), None, (REQUEST,), {})
    state.attempt_number = attempt_number
    if isinstance(outcome, BaseException):
        state.set_exception((type(outcome), outcome, None))
    elif outcome is not None:
        state.set_result(outcome)
    return state


def after_status(status_code: int, **headers: str) -> RetryCallState:
    return state_after(httpx.Response(status_code, headers=headers))


def after_header(value: str) -> RetryCallState:
    return state_after(httpx.Response(503, headers={"Retry-After": value}))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(time, "time", lambda: DATE - 10.0)
    return DATE - 10.0


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is not that of HTTP."""
    with monkeypatch.context() as context:
        context.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


class TestRetryIfStatus:
    @pytest.mark.parametrize("status_code", [200, 301, 404, 429, 500, 502, 503, 599])
    def test_is_for_the_given_codes_and_no_others(self, status_code: int) -> None:
        retry = retry_if_status(429, 503)
        assert retry(after_status(status_code)) == (status_code in {429, 503})

    @pytest.mark.parametrize("outcome", [None, httpx.ReadError(""), ValueError()])
    def test_is_not_for_what_is_no_response(self, outcome: Exception | None) -> None:
        assert not retry_if_status(503)(state_after(outcome))

    def test_without_codes_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^retry_if_status needs status codes: write "):
            retry_if_status()

    @pytest.mark.parametrize("code", [0, 101, 199, 600, -503])
    def test_for_what_is_no_final_response_is_refused(self, code: Any) -> None:
        text = r" is not that of a final response: write 200 to 599$"
        with pytest.raises(ValueError, match=text):
            retry_if_status(503, code)

    @pytest.mark.parametrize("code", [503.0, "503", None])
    def test_for_what_is_no_number_is_refused(self, code: Any) -> None:
        text = f"a status code must be a number, not {code!r}: write retry_if_status(503)"
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            retry_if_status(503, code)

    def test_takes_the_names_of_codes(self) -> None:
        assert retry_if_status(httpx.codes.SERVICE_UNAVAILABLE)(after_status(503))

    def test_shows_its_codes(self) -> None:
        assert repr(retry_if_status(503, 429, 503)) == "retry_if_status(429, 503)"


class TestRetryIfTransportError:
    @pytest.mark.parametrize("kind", ERRORS)
    def test_is_for_what_may_go_better_next_time(self, kind: type[Exception]) -> None:
        spent = {httpx.StreamConsumed, httpx.StreamClosed}
        error = (
            kind() if kind in {*spent, httpx.ResponseNotRead, httpx.RequestNotRead} else kind("")
        )
        assert retry_if_transport_error()(state_after(error)) == (kind in RETRIED)

    @pytest.mark.parametrize(
        "outcome", [None, httpx.Response(503), OSError(), KeyboardInterrupt(), ssl.SSLError()]
    )
    def test_is_not_for_anything_else(self, outcome: Any) -> None:
        assert not retry_if_transport_error()(state_after(outcome))

    @pytest.mark.parametrize(
        ("reply", "is_rule"),
        [
            ("Connection not allowed by ruleset", True),
            ("Command not supported", True),
            ("Address type not supported", True),
            ("Host unreachable", False),
        ],
    )
    def test_is_not_for_what_a_rule_of_a_socks_proxy_refuses(
        self, reply: str, is_rule: bool
    ) -> None:
        error = httpx.ProxyError(f"Proxy Server could not connect: {reply}.")
        assert retry_if_transport_error()(state_after(error)) != is_rule

    def test_shows_what_it_is(self) -> None:
        assert repr(retry_if_transport_error()) == "retry_if_transport_error()"

    @pytest.mark.parametrize("proxied", [False, True])
    async def test_is_not_for_a_certificate_that_is_not_trusted(
        self, flavour: Flavour, origin: Origin, proxy: Proxy, proxied: bool
    ) -> None:
        error = await self.error_of(flavour, origin.https, proxy.url if proxied else None)
        assert isinstance(error, httpx.ConnectError)
        assert not retry_if_transport_error()(state_after(error))

    async def test_is_for_a_tls_server_that_breaks_off(self, flavour: Flavour) -> None:
        def talk(connection: Any) -> None:
            connection.recv(65536)

        with raw_server(talk) as url:
            error = await self.error_of(flavour, url.replace("http:", "https:"))
        assert retry_if_transport_error()(state_after(error))

    async def test_is_for_an_error_that_came_while_a_certificate_error_was_handled(
        self, flavour: Flavour, origin: Origin
    ) -> None:
        # A program that turns to another server when the first has the wrong certificate.
        def talk(connection: Any) -> None:
            read_head(connection)

        with raw_server(talk) as url:
            try:
                raise await self.error_of(flavour, origin.https)
            except httpx.ConnectError:
                error = await self.error_of(flavour, url)
        assert isinstance(error, httpx.RemoteProtocolError)
        assert retry_if_transport_error()(state_after(error))

    async def error_of(self, flavour: Flavour, url: str, proxy: str | None = None) -> Exception:
        """What ends a GET by a client that trusts nobody."""
        trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        transport = flavour.HTTPTransport(verify=trusting_nobody, proxy=proxy)
        async with flavour.entered(transport):
            try:
                await flavour.send(transport, httpx.Request("GET", url))
            except Exception as error:  # noqa: BLE001 - the test looks at it
                return error
        raise AssertionError("the request went through")


class TestIsCertificateError:
    def test_looks_through_causes_of_causes(self) -> None:
        innermost, middle, outer = ssl.SSLCertVerificationError(), OSError(), httpx.ConnectError("")
        outer.__cause__, middle.__cause__ = middle, innermost
        assert is_certificate_error(outer)
        assert is_certificate_error(innermost)

    def test_is_false_of_other_tls_errors(self) -> None:
        error = httpx.ConnectError("")
        error.__cause__ = ssl.SSLError()
        assert not is_certificate_error(error)


class TestCombinations:
    @pytest.mark.parametrize("status_code", [404, 429, 503, 504])
    @pytest.mark.parametrize("header", [False, True])
    def test_mean_what_they_say_in_both_orders(self, status_code: int, header: bool) -> None:
        ours = retry_if_status(429, 503)
        theirs = tenacity.retry_if_result(lambda response: "X-Again" in response.headers)

        def plain(state: RetryCallState) -> bool:
            return theirs(state)

        state = after_status(status_code, **({"X-Again": "1"} if header else {}))
        for other in (theirs, plain):
            either: list[Any] = [ours | other, other | ours]
            both: list[Any] = [ours & other, other & ours]
            expected = ours(state), theirs(state)
            assert [bool(retry(state)) for retry in either] == [any(expected)] * 2
            assert [bool(retry(state)) for retry in both] == [all(expected)] * 2

    @given(st.data())
    def test_nest_like_logic(self, data: st.DataObject) -> None:
        def build(depth: int) -> tuple[Any, bool]:
            kind = data.draw(st.sampled_from("ostt" if not depth else "|&otsc"))
            if kind in "|&":
                (left, is_left), (right, is_right) = build(depth - 1), build(depth - 1)
                if kind == "|":
                    return left | right, is_left or is_right
                return left & right, is_left and is_right
            truth = data.draw(st.booleans())
            if kind == "t":
                return (tenacity.retry_always if truth else tenacity.retry_never), truth
            if kind == "c":
                return retry_if_transport_error(), False
            return retry_if_status(503 if truth else 500), truth

        retry, expected = build(3)
        assert bool(retry(after_status(503))) == expected

    def test_ask_the_second_only_where_the_first_does_not_decide(self) -> None:
        def fail(state: RetryCallState) -> bool:
            raise AssertionError("asked")

        assert (retry_if_status(503) | fail)(after_status(503))
        assert not (retry_if_status(503) & fail)(after_status(500))

    def test_show_what_they_are_made_of(self) -> None:
        status, error = retry_if_status(503), retry_if_transport_error()
        assert repr(status | error) == "retry_if_status(503) | retry_if_transport_error()"
        assert repr((status | error) & status) == (
            "(retry_if_status(503) | retry_if_transport_error()) & retry_if_status(503)"
        )

    @pytest.mark.parametrize("operator", ["__or__", "__ror__", "__and__", "__rand__"])
    @pytest.mark.parametrize("status_code", [404, 503])
    @pytest.mark.parametrize("says", [False, True])
    def test_await_a_coroutine_function(self, operator: str, status_code: int, says: bool) -> None:
        async def retry(state: RetryCallState) -> bool:
            await anyio.lowlevel.checkpoint()
            return says

        combined = getattr(retry_if_status(503), operator)(retry)
        is_busy = status_code == 503
        expected = is_busy or says if "or" in operator else is_busy and says
        assert anyio.run(async_ask, combined, after_status(status_code)) is expected


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0),
            ("3", 3),
            ("007", 7),
            ("1.5", 1.5),
            ("  3  ", 3),
            ("\t3", 3),
            ("86400", 86400),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 10),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 10),
            ("Sun Nov  6 08:49:37 1994", 10),
            ("  Sun, 06 Nov 1994 08:49:37 GMT ", 10),
            ("Sun, 06 Nov 1994 08:49:27 GMT", 0),
            ("3, 5", 5),
            ("5,3", 5),
            ("soon, 5, , Thu, 01 Jan 1970 00:00:00 GMT", 5),
            ("3, Sun, 06 Nov 1994 08:49:37 GMT, 7", 10),
            ("Sun Nov  6 08:49:37 1994, 12", 12),
        ],
    )
    def test_is_what_the_server_asks_for(self, value: str, seconds: float) -> None:
        headers = httpx.Headers({"Retry-After": value})
        assert retry_after(headers, DATE - 10) == seconds

    def test_is_the_largest_of_several(self) -> None:
        many = [("Retry-After", "2"), ("retry-after", "9"), ("Retry-After", "4")]
        assert retry_after(httpx.Headers(many), DATE) == 9
        many = [("retry-after-ms", "200"), ("retry-after-ms", "900, 10"), ("Retry-After", "4")]
        assert retry_after(httpx.Headers(many), DATE) == 0.9

    @pytest.mark.parametrize(
        "value",
        [
            "",
            " ",
            "soon",
            "-1",
            "-0.5",
            "+3",
            "1e3",
            "1_000",
            "3.",
            ".5",
            "0x10",
            "3 s",
            "3;",
            "nan",
            "inf",
            "Infinity",
            "٣",
            "\N{FULLWIDTH DIGIT THREE}",
            "²",
            "Sun, 06 Nov 1994 08:49:26 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 99:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, 06 Nov 1994",
            "9" * 5000 + " Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +9999999",
        ],
    )
    def test_is_nothing_where_it_is_past_or_makes_no_sense(self, value: str) -> None:
        headers = httpx.Headers([(b"Retry-After", value.encode())])
        assert retry_after(headers, DATE - 10) is None

    def test_is_nothing_where_there_is_no_header(self) -> None:
        assert retry_after(httpx.Headers({"Age": "3"}), DATE) is None

    @pytest.mark.parametrize("value", ["9" * 400, "9" * 5000, "9" * 400 + ".5"])
    def test_is_for_ever_where_no_number_is_large_enough(self, value: str) -> None:
        for name in ("Retry-After", "Retry-After-Ms"):
            assert retry_after(httpx.Headers({name: value}), DATE) == math.inf

    @pytest.mark.parametrize(
        ("milliseconds", "seconds"),
        [("0", 0), ("1500", 1.5), ("0.5", 0.0005), (" 20 ", 0.02), ("-5", 7), ("", 7), ("x", 7)],
    )
    def test_in_milliseconds_is_preferred_where_it_makes_sense(
        self, milliseconds: str, seconds: float
    ) -> None:
        headers = httpx.Headers({"retry-after-ms": milliseconds, "Retry-After": "7"})
        assert retry_after(headers, DATE) == seconds

    @pytest.mark.parametrize(
        "value",
        [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ],
    )
    def test_as_a_date_is_in_gmt_wherever_the_client_is(self, new_york: None, value: str) -> None:
        headers = httpx.Headers({"Retry-After": value})
        assert retry_after(headers, DATE - 10) == 10

    @given(
        date=st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 30)),  # noqa: DTZ001
        zone=st.integers(-1439, 1439),
        before=st.integers(-(10**6), 10**6),
    )
    def test_of_any_date_in_any_zone_is_its_distance(
        self, date: datetime, zone: int, before: int
    ) -> None:
        there = date.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=zone)))
        headers = httpx.Headers({"Retry-After": format_datetime(there)})
        asked = retry_after(headers, there.timestamp() - before)
        assert asked == (before if before >= 0 else None)

    @given(st.binary(max_size=40))
    @example(b"Sun, 06 Nov 1994 08:49:37 -0000")
    @example(b"Mon, 01 Jan 0001 00:00:00 +2359")
    @example(b"Fri, 31 Dec 9999 23:59:59 -2359")
    def test_of_any_bytes_raises_nothing_and_is_never_negative(self, value: bytes) -> None:
        for name in ("Retry-After", "Retry-After-Ms"):
            asked = retry_after(httpx.Headers({name.encode(): value}), DATE)
            assert asked is None or asked >= 0

    @given(
        st.lists(
            st.sampled_from(DATE_PARTS),
            max_size=9,
        ),
        st.sampled_from([" ", "", "-", ", "]),
    )
    def test_of_anything_like_a_date_raises_nothing(self, words: list[str], glue: str) -> None:
        headers = httpx.Headers([(b"Retry-After", glue.join(words).encode())])
        asked = retry_after(headers, DATE)
        assert asked is None or asked >= 0


class TestWaitRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("3", 3),
            ("1.5", 1.5),
            ("0", 0),
            ("120", 120),
            ("120.001", math.inf),
            ("121", math.inf),
            ("9" * 400, math.inf),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 10),
            ("Sun, 06 Nov 1994 08:51:27 GMT", 120),
            ("Sun, 06 Nov 1994 08:51:28 GMT", math.inf),
            ("Sun, 06 Nov 1994 08:49:26 GMT", 7),
            ("-1", 7),
            ("soon", 7),
            ("", 7),
        ],
    )
    def test_waits_as_asked_or_as_told_for_otherwise(
        self, now: float, value: str, seconds: float
    ) -> None:
        wait = wait_retry_after(tenacity.wait_fixed(7), max=120)
        assert wait(after_header(value)) == seconds

    @pytest.mark.parametrize("outcome", [httpx.Response(503), httpx.ReadError(""), None])
    def test_falls_back_where_nobody_asked(self, outcome: Any) -> None:
        assert wait_retry_after(tenacity.wait_fixed(7))(state_after(outcome)) == 7

    def test_max_is_two_minutes_unless_told_otherwise(self) -> None:
        assert wait_retry_after()(after_header("120")) == 120
        assert wait_retry_after()(after_header("121")) == math.inf
        assert wait_retry_after(max=1000)(after_header("1000")) == 1000
        assert wait_retry_after(max=0.5)(after_header("1")) == math.inf

    def test_max_does_not_bound_the_fallback(self) -> None:
        assert wait_retry_after(tenacity.wait_fixed(7), max=1)(state_after(None)) == 7

    def test_by_default_falls_back_to_waits_that_grow_up_to_half_a_minute(self) -> None:
        wait = wait_retry_after()
        for attempt, most in ((1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (8, 30), (1000, 30)):
            state = state_after(httpx.Response(503), attempt)
            waits = [wait(state) for _ in range(200)]
            assert min(waits) >= 0
            assert most / 2 < max(waits) <= most

    def test_jitter_stays_jitter_at_the_cap(self) -> None:
        wait, state = wait_retry_after(), state_after(httpx.Response(503), 20)
        waits = [wait(state) for _ in range(200)]
        assert len(set(waits)) > 190
        assert max(waits) <= 30
        # Spread over all of it, not heaped at the end.
        assert sum(seconds < 15 for seconds in waits) > 50

    def test_of_many_clients_that_failed_together_no_two_come_back_together(self) -> None:
        state = state_after(httpx.Response(503))
        random.seed(1)
        waits = sorted(wait_retry_after()(state) for _ in range(100))
        assert len(set(waits)) == 100

    @pytest.mark.parametrize("fallback", [5, "5", (), tenacity])
    def test_with_a_fallback_that_cannot_be_called_is_refused(self, fallback: Any) -> None:
        with pytest.raises(TypeError, match=r"^fallback must be a callable such as tenacity"):
            wait_retry_after(fallback)

    def test_with_a_coroutine_function_as_fallback_is_refused(self) -> None:
        async def fallback(state: RetryCallState) -> float:
            return 1

        with pytest.raises(TypeError, match=r"^fallback must not be a coroutine function, "):
            wait_retry_after(fallback)  # type: ignore[arg-type]

    def test_with_a_class_as_fallback_is_refused(self) -> None:
        text = r"^fallback: wait_fixed is a class: write wait_fixed\(\.\.\.\)$"
        with pytest.raises(TypeError, match=text):
            wait_retry_after(tenacity.wait_fixed)  # type: ignore[arg-type]

    @pytest.mark.parametrize("most", [0, -1, math.nan, -math.inf])
    def test_with_a_max_that_is_no_time_is_refused(self, most: float) -> None:
        with pytest.raises(ValueError, match=r"^max must be above 0 seconds, not "):
            wait_retry_after(max=most)

    @pytest.mark.parametrize("most", ["5", None, [5]])
    def test_with_a_max_that_is_no_number_is_refused(self, most: Any) -> None:
        with pytest.raises(TypeError, match=r"^max must be a number of seconds, not "):
            wait_retry_after(max=most)

    def test_shows_its_settings(self) -> None:
        assert repr(wait_retry_after()) == "wait_retry_after()"
        assert repr(wait_retry_after(len, max=1.5)) == (  # type: ignore[arg-type]
            "wait_retry_after(len, max=1.5)"
        )


def sums() -> list[Any]:
    # Of no type: what tenacity takes for a wait is more than it says.
    ours: Any = wait_retry_after(tenacity.wait_fixed(7))

    def plain(state: RetryCallState) -> float:
        return 1

    rows: list[tuple[str, Callable[[], Any], float, Any]] = [
        ("ours + theirs", lambda: ours + tenacity.wait_fixed(1), 4, ()),
        ("theirs + ours", lambda: tenacity.wait_fixed(1) + ours, 4, ()),
        ("ours + function", lambda: ours + plain, 4, ()),
        ("function + ours", lambda: plain + ours, 4, ()),
        ("ours + ours", lambda: ours + ours, 6, ()),
        (
            "ours + theirs + theirs",
            lambda: ours + tenacity.wait_fixed(1) + tenacity.wait_fixed(2),
            6,
            (),
        ),
        ("ours + (theirs + theirs)", lambda: ours + sum([tenacity.wait_fixed(1)] * 3), 6, ()),
        ("ours + function + function", lambda: ours + plain + plain, 5, ()),
        ("sum(theirs, ours)", lambda: sum([tenacity.wait_fixed(1), ours]), 4, ()),
        ("sum(ours, theirs)", lambda: sum([ours, tenacity.wait_fixed(1)]), 4, ()),
        ("sum(ours)", lambda: sum([ours]), 3, ()),
        ("function + (ours + theirs)", lambda: plain + (ours + tenacity.wait_fixed(1)), 5, ()),
        ("sum(ours + theirs)", lambda: sum([ours + tenacity.wait_fixed(1)]), 4, ()),
        ("chain", lambda: tenacity.wait_chain(ours, tenacity.wait_fixed(1)), 3, ()),
    ]
    return [
        pytest.param(build, seconds, id=name, marks=marks) for name, build, seconds, marks in rows
    ]


@pytest.mark.parametrize(("build", "seconds"), sums())
def test_waits_add_up(build: Callable[[], Any], seconds: float) -> None:
    assert build()(after_header("3")) == seconds


def test_a_sum_shows_what_it_is_made_of() -> None:
    wait: Any = wait_retry_after(max=5) + wait_retry_after()
    assert repr(wait) == "wait_retry_after(max=5) + wait_retry_after()"


def test_what_is_over_max_stays_over_it_in_a_sum() -> None:
    wait: Any = wait_retry_after(max=2) + tenacity.wait_fixed(1)
    assert wait(after_header("3")) == math.inf


def test_of_no_outcome_there_is_neither_response_nor_error() -> None:
    assert response_or_error(state_after(None)) == (None, None)


def test_an_outcome_is_either_response_or_error() -> None:
    response, error = httpx.Response(503), httpx.ReadError("")
    assert response_or_error(state_after(response)) == (response, None)
    assert response_or_error(state_after(error)) == (None, error)
