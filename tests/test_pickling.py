"""What travels to another process, and what the rest says to send in its place."""

import copy
import logging
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tenacity
from support.flavours import Flavour, SpyTransport
from support.library import httpx
from support.proxies import refusing_proxy
from support.transportkit import (
    Attempt,
    ConsoleLog,
    Cooldown,
    CurlLog,
    DebuggingTransport,
    Exchange,
    FileSystemTransport,
    HARRecorder,
    HSTSStore,
    HTTPSRedirect,
    InvalidRoute,
    Mounts,
    ProxyRoundRobin,
    RedactingFilter,
    Redaction,
    RefusingTransport,
    RetryBudget,
    RetryPolicy,
    StackWarning,
    environment_routes,
    retry_if_status,
    retry_if_transport_error,
    sticky_by_header,
    sticky_by_host,
    wait_retry_after,
)

ENDING = " and make another one in the other process"


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


WAYS = [pickled, copy.copy, copy.deepcopy]
Way = Callable[[Any], Any]

VALUES = [
    RetryPolicy(),
    RetryPolicy(
        retry_if_status(500) | retry_if_transport_error() & retry_if_status(503),
        wait=wait_retry_after(max=10) + wait_retry_after(),
        methods={"GET"},
        deadline=30,
    ),
    RetryBudget(capacity=20),
    Attempt(503, 1.0, "enough attempts"),
    Cooldown(first=5),
    Redaction(mask=["tenant"]),
    ProxyRoundRobin(["http://scott:tiger@a.example:8080"]).status(),
    environment_routes({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "internal.example"}),
    {
        "all://": ["http://a.example:8080", None],
        "all://*.internal.example": "direct",
        "https://api.example.com": {"http2": True, "limits": httpx.Limits(max_connections=5)},
    },
    sticky_by_host,
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("way", WAYS)
def test_values_arrive_equal(value: object, way: Way) -> None:
    arrived = way(value)
    assert arrived == value
    assert repr(arrived) == repr(value)


def test_strategies_of_other_arguments_are_not_equal() -> None:
    assert retry_if_status(500) != retry_if_status(503)
    assert retry_if_status(500) != retry_if_transport_error()
    assert len({retry_if_status(500), retry_if_status(500), wait_retry_after()}) == 2


def test_a_policy_with_strategies_of_tenacity_decides_as_before() -> None:
    policy = RetryPolicy(
        stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(20),
        wait=wait_retry_after(tenacity.wait_fixed(2)) + tenacity.wait_random(0, 1),
    )
    assert repr(pickled(policy)) == repr(policy)


def test_a_routing_dict_may_hold_what_holds_no_connection(tmp_path: Path) -> None:
    routes = {
        "http://": HTTPSRedirect(status_code=308),
        "all://*ads.example": RefusingTransport("no ads"),
        "file://": FileSystemTransport(tmp_path),
        "https://": httpx.Proxy("http://proxy.example", auth=("scott", "tiger")),
    }
    with httpx.Client(transport=Mounts(pickled(routes))) as client:
        response = client.get("http://example.com/")
        assert (response.status_code, response.headers["Location"]) == (308, "https://example.com/")
        with pytest.raises(httpx.UnsupportedProtocol, match=r"^no ads$"):
            client.get("https://ads.example/")


def test_the_source_of_sticky_keys_arrives() -> None:
    sticky = pickled(sticky_by_header("X-Account"))
    assert sticky(httpx.Request("GET", "http://example.com/", headers={"X-Account": "7"})) == "7"
    assert sticky(httpx.Request("GET", "http://example.com/")) is None


@pytest.mark.parametrize("way", WAYS)
def test_observers_that_only_write_arrive(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "an application's")
    write = logging.getLogger("an application's").debug
    inner = SpyTransport()
    observers = [way(ConsoleLog(write)), way(CurlLog(write)), way(ConsoleLog(print))]
    with httpx.Client(transport=DebuggingTransport(inner, *observers)) as client:
        client.get("https://example.com/")
    assert [record.message[:4] for record in caplog.records if record.name != "httpx"] == [
        ">>> ",
        "<<< ",
        "curl",
    ]


def test_a_filter_of_handlers_arrives() -> None:
    record = logging.makeLogRecord({"msg": "GET http://scott:tiger@example.com/"})
    masking = pickled(RedactingFilter())
    shown = masking.filter(record)
    assert "tiger" not in (record if shown is True else shown).getMessage()


class TestErrors:
    @pytest.mark.parametrize("way", WAYS)
    def test_of_wrong_arguments_arrive_whole(self, way: Way) -> None:
        error = way(InvalidRoute("no such scheme", instead="all://example.com"))
        assert (type(error), str(error)) == (InvalidRoute, "no such scheme")
        assert error.instead == "all://example.com"
        assert pickled(StackWarning("wrong order")).args == ("wrong order",)

    async def test_of_the_wire_arrive_with_their_request(self, flavour: Flavour) -> None:
        with refusing_proxy() as proxy:
            rotation = flavour.ProxyRoundRobin([proxy.url])
            async with flavour.client(transport=rotation) as client:
                with pytest.raises(httpx.ConnectError) as caught:
                    await client.get("http://example.com/")
        error = pickled(caught.value)
        assert (type(error), str(error)) == (httpx.ConnectError, str(caught.value))
        assert error.request.url == "http://example.com/"
        assert error.__notes__ == caught.value.__notes__


class TestTransports:
    @pytest.mark.parametrize(
        ("name", "arguments", "sent"),
        [
            ("Mounts", [{"all://": "http://scott:tiger@a.example"}], "the routing dict"),
            ("ProxyRoundRobin", [["http://scott:tiger@a.example"]], "the list of proxies"),
            ("RetryTransport", [], "the RetryPolicy"),
            ("ResumeTransport", [], "its arguments"),
            ("DebuggingTransport", [], "its arguments"),
            ("HSTSTransport", [], "its arguments"),
            ("Wrapper", [SpyTransport()], "its arguments"),
            ("NetworkTransport", [], "its arguments"),
        ],
    )
    @pytest.mark.parametrize("way", WAYS)
    async def test_with_connections_say_what_to_send(
        self, flavour: Flavour, name: str, arguments: list[Any], sent: str, way: Way
    ) -> None:
        transport = flavour.pick(name)(*arguments)
        kind = type(transport).__name__
        text = f"cannot pickle {kind}, which holds connections: send {sent}{ENDING}"
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            way(transport)
        await flavour.close(transport)

    async def test_of_ones_own_may_know_better(self, flavour: Flavour) -> None:
        base: Any = flavour.Wrapper

        class Numbered(base):  # type: ignore[misc]
            def __init__(self, number: int) -> None:
                super().__init__(SpyTransport())
                self.number = number

            def __reduce__(self) -> Any:
                return type(self), (self.number,)

        assert copy.copy(Numbered(7)).number == 7

    async def test_in_a_route_are_named(self, flavour: Flavour) -> None:
        mounts = flavour.Mounts({"all://": "http://a.example:8080"})
        with pytest.raises(TypeError, match=r"^cannot pickle (Async)?NetworkTransport, which"):
            pickle.dumps(mounts.routes)


class TestAnExchange:
    def exchange(self) -> Exchange:
        seen: list[Exchange] = []
        transport = DebuggingTransport(SpyTransport(), seen.append, bodies=100)
        with httpx.Client(transport=transport) as client:
            client.get("https://example.com/?token=abc")
        return seen[0]

    def test_stays_because_of_its_secrets(self) -> None:
        text = "^cannot pickle Exchange, which holds its secrets in the clear: send what is needed"
        with pytest.raises(TypeError, match=text):
            pickle.dumps(self.exchange())

    def test_is_its_own_copy(self) -> None:
        exchange = self.exchange()
        assert copy.copy(exchange) is exchange
        assert copy.deepcopy([exchange])[0] is exchange

    def test_shows_what_travels(self) -> None:
        exchange = self.exchange()
        shown = (exchange.url, exchange.response_body, exchange.timings, exchange.attempts)
        assert pickled(shown) == shown


@pytest.mark.parametrize("way", WAYS)
def test_a_recorder_stays_with_its_file(tmp_path: Path, way: Way) -> None:
    text = f"which holds a file and a thread: send the path of another file{ENDING}"
    with (
        HARRecorder(tmp_path / "wire.har") as recorder,
        pytest.raises(TypeError, match=f"^cannot pickle HARRecorder, {text}$"),
    ):
        way(recorder)


class TestAStore:
    @pytest.mark.parametrize("way", WAYS)
    def test_travels_as_the_path_of_its_file_and_what_was_preloaded(
        self, tmp_path: Path, way: Way
    ) -> None:
        path = tmp_path / "hsts.txt"
        path.write_text('known.example "unlimited"\n')
        store = HSTSStore(path)
        store.preload([".internal.example"])
        path.write_text('known.example "unlimited"\nnews.example "unlimited"\n')
        arrived = way(store)
        hosts = ("known.example", "news.example", "www.internal.example")
        assert [host for host in hosts if host in arrived] == list(hosts)
        arrived.preload(["other.example"])
        assert "other.example" not in store

    def test_travels_from_another_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("hsts.txt").write_text('known.example "unlimited"\n')
        data = pickle.dumps(HSTSStore("hsts.txt"))
        monkeypatch.chdir("/")
        assert "known.example" in pickle.loads(data)

    @pytest.mark.parametrize("way", WAYS)
    def test_in_memory_stays(self, way: Way) -> None:
        text = (
            "cannot pickle HSTSStore, which is in memory: give it a file, whose path is then sent, "
            "or make another one in the other process"
        )
        with pytest.raises(TypeError, match=f"^{re.escape(text)}$"):
            way(HSTSStore())
