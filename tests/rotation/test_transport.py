"""`ProxyRoundRobin` as it is built, opened, changed and shown; what a request finds and leaves."""

import itertools
import logging
import re
import ssl
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from support.clocks import stopped
from support.flavours import Flavour, SpyTransport
from support.library import httpx
from support.networks import context_of
from support.raw import answering, raw_server, read_head, respond, wait_for_end
from support.transportkit import (
    AsyncProxyRoundRobin,
    Cooldown,
    ProxyRoundRobin,
    RetryPolicy,
    retry_if_status,
    retry_if_transport_error,
    sticky_by_header,
    sticky_by_host,
)

from transportkit.rotation.failover import Failover

# Rotations are made by the hundred here, and a context of httpx takes 20 ms.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
LONG = Cooldown(first=1000, max=1000)
URL = "http://target.example/"
A, B = "http://scott:tiger@a.example:8080", "http://b.example:8080"

BOTH = pytest.mark.parametrize("rotation_class", [ProxyRoundRobin, AsyncProxyRoundRobin])


@contextmanager
def naming(*names: str) -> Iterator[list[str]]:
    """The URLs of proxies that answer every plain request with their names."""

    def talk_as(name: str) -> Callable[[Any], None]:
        def talk(connection: Any) -> None:
            try:
                while True:
                    read_head(connection)
                    respond(connection, "200 OK", body=name.encode())
            except ConnectionError:
                pass

        return talk

    with ExitStack() as stack:
        yield [stack.enter_context(raw_server(talk_as(name))) for name in names]


async def texts(flavour: Flavour, transport: Any, count: int, **kwargs: Any) -> list[str]:
    async with flavour.client(transport=transport) as client:
        return [(await client.get(URL, **kwargs)).text for _ in range(count)]


class Answers(SpyTransport):
    """Answers as told; the last answer stays."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(answer)


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"body"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"body"

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.close()


class TestWhatCannotWork:
    @BOTH
    @pytest.mark.parametrize(
        ("arguments", "kind", "text"),
        [
            ({"order": "random"}, ValueError, "order must be 'round_robin' or 'least_busy', not"),
            ({"order": None}, ValueError, "order must be 'round_robin' or 'least_busy', not None"),
            ({"when_all_down": "wait"}, ValueError, "when_all_down must be 'try' or 'raise', not"),
            ({"max_tries": 0}, ValueError, "max_tries must be a whole number from 1 up, not 0"),
            ({"max_tries": True}, ValueError, "max_tries must be a whole number from 1 up, not Tr"),
            ({"max_tries": 1.5}, ValueError, "max_tries must be a whole number from 1 up, not 1.5"),
            ({"cooldown": 5}, TypeError, "cooldown must be a Cooldown, not 5: write Cooldown("),
            (
                {"sticky": "X-Id"},
                TypeError,
                "sticky must be a callable such as sticky_by_header('X-Id'",
            ),
            ({"banned": 403}, TypeError, "banned must be a callable such as lambda response: re"),
            ({"proxy": B}, TypeError, "leave out proxy: the proxies are the first argument"),
            ({"proxy": None}, TypeError, "leave out proxy: the proxies are the first argument"),
            ({"max_try": 2}, TypeError, "unknown argument 'max_try': did you mean max_tries?"),
            ({"max_retries": 2}, TypeError, "unknown argument 'max_retries': did you mean max_tri"),
            ({"on_all_down": "raise"}, TypeError, "unknown argument 'on_all_down': did you mean w"),
            ({"retries": True}, TypeError, "retries must be a whole number of retries, not True"),
            ({"verify": "/missing.pem"}, ValueError, "verify='/missing.pem': there is no such"),
            ({"retries": 2}, ValueError, "httpx ignores retries when there is a proxy"),
        ],
    )
    def test_is_refused(
        self, rotation_class: Any, arguments: dict[str, Any], kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=f"^{re.escape(text)}"):
            rotation_class([A, B], **{"verify": TLS, **arguments})

    @BOTH
    @pytest.mark.parametrize("name", ["sticky", "banned"])
    def test_is_a_coroutine_function(self, rotation_class: Any, name: str) -> None:
        async def answer(_: object) -> bool:
            return True

        class Asker:
            async def __call__(self, _: object) -> bool:
                return True

        for function in (answer, Asker()):
            with pytest.raises(TypeError, match=f"^{name} must not be a coroutine function"):
                rotation_class([A], **{name: function})

    @BOTH
    @pytest.mark.parametrize("proxies", [[], A, [A, "socks4://b"], [A, A], {A: 0}, None])
    def test_is_no_list_of_proxies(self, rotation_class: Any, proxies: Any) -> None:
        with pytest.raises((TypeError, ValueError)) as failed:
            rotation_class(proxies)
        assert "tiger" not in "".join(traceback.format_exception(failed.value))

    @BOTH
    def test_has_arguments_that_hold_without_a_proxy_when_there_is_one_without(
        self, rotation_class: Any
    ) -> None:
        assert rotation_class([A, None], verify=TLS, retries=2, local_address="127.0.0.1")


class TestTurns:
    async def test_are_taken(self, flavour: Flavour) -> None:
        with naming("a", "b", "c") as urls:
            rotation = flavour.ProxyRoundRobin(urls, verify=TLS)
            assert await texts(flavour, rotation, 7) == ["a", "b", "c", "a", "b", "c", "a"]

    async def test_are_taken_by_weight(self, flavour: Flavour) -> None:
        with naming("a", "b") as (a, b):
            rotation = flavour.ProxyRoundRobin({a: 2, b: 1}, verify=TLS)
            assert await texts(flavour, rotation, 6) == ["a", "b", "a", "a", "b", "a"]

    async def test_are_taken_by_the_less_busy(self, flavour: Flavour) -> None:
        spies = [Answers(lambda _: httpx.Response(200, stream=Body())) for _ in range(2)]
        rotation = flavour.ProxyRoundRobin(spies, order="least_busy")
        held = [await flavour.send(rotation, httpx.Request("GET", URL)) for _ in range(10)]
        assert [status.in_flight for status in rotation.status()] == [5, 5]
        for response in held:
            await flavour.close(response)

    async def test_are_kept_by_a_key(self, flavour: Flavour) -> None:
        with naming(*"abcde") as urls:
            rotation = flavour.ProxyRoundRobin(urls, sticky=sticky_by_header("X-S"), verify=TLS)
            async with flavour.client(transport=rotation) as client:
                for key in "12345":
                    headers = {"X-S": key}
                    answers = [(await client.get(URL, headers=headers)).text for _ in range(4)]
                    assert len(set(answers)) == 1
                assert len({(await client.get(URL)).text for _ in range(5)}) == 5

    async def test_are_kept_by_a_host(self, flavour: Flavour) -> None:
        spies = [Answers(200) for _ in range(5)]
        rotation = flavour.ProxyRoundRobin(spies, sticky=sticky_by_host)
        for _ in range(5):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert sorted(len(spy.requests) for spy in spies) == [0, 0, 0, 0, 5]

    async def test_go_without_a_proxy_for_none(self, flavour: Flavour) -> None:
        with naming("target", "proxy") as (target, url):
            rotation = flavour.ProxyRoundRobin([None, url], verify=TLS)
            async with flavour.client(transport=rotation) as client:
                answers = [await client.get(target) for _ in range(2)]
        assert [answer.text for answer in answers] == ["target", "proxy"]
        assert [answer.extensions["proxy"] for answer in answers] == ["direct", url]


class TestAReadyTransport:
    async def test_is_entered_and_left_once(self, flavour: Flavour) -> None:
        spies = [SpyTransport(), SpyTransport()]
        rotation = flavour.ProxyRoundRobin([*spies, A], verify=TLS)
        for _ in range(2):
            async with flavour.client(transport=rotation) as client:
                assert (await client.get(URL)).text == "spy"
        assert [spy.calls for spy in spies] == [
            ["spy enter", "spy request", "spy exit", "spy enter", "spy exit"],
            ["spy enter", "spy exit", "spy enter", "spy request", "spy exit"],
        ]

    async def test_that_was_not_entered_is_closed(self, flavour: Flavour) -> None:
        spy = SpyTransport()
        rotation = flavour.ProxyRoundRobin([spy])
        await flavour.close(rotation)
        await flavour.close(rotation)
        await flavour.send(rotation, httpx.Request("GET", URL))
        await flavour.close(rotation)
        assert spy.calls == ["spy close", "spy request", "spy close"]

    async def test_has_the_name_of_its_class(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([Answers(204)])
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert response.extensions["proxy"] == "Answers"
        assert rotation.status()[0].proxy == "Answers"

    async def test_that_tells_nothing_of_the_wire_gets_the_callers_request_until_it_fails(
        self, flavour: Flavour
    ) -> None:
        silent = Answers(200, 200, httpx.ReadError("cut"), 200)
        rotation = flavour.ProxyRoundRobin([silent])
        requests = [httpx.Request("GET", URL) for _ in range(4)]
        for request in requests[:2]:
            await flavour.send(rotation, request)
        with pytest.raises(httpx.ReadError, match="cut"):
            await flavour.send(rotation, requests[2])
        await flavour.send(rotation, requests[3])
        went_as_it_is = [a is b for a, b in zip(silent.requests, requests, strict=True)]
        assert went_as_it_is == [False, True, True, False]

    async def test_that_has_answered_can_still_prove_that_nothing_was_sent(
        self, flavour: Flavour
    ) -> None:
        def talk(connection: Any) -> None:
            while not read_head(connection).startswith(b"CONNECT"):
                respond(connection, "200 OK")

        with raw_server(talk) as url:
            proxied = flavour.HTTPTransport(proxy=url, verify=TLS)
            rotation = flavour.ProxyRoundRobin([proxied, Answers(204)])
            async with flavour.client(transport=rotation) as client:
                statuses = [
                    (await client.post(target)).status_code
                    for target in (URL, URL, "https://target.example/")
                ]
        assert statuses == [200, 204, 204]
        assert [status.failed for status in rotation.status()] == [1, 0]


class TestTheTransportsThatAreBuilt:
    async def test_are_built_when_they_are_first_used_and_share_a_context(
        self, flavour: Flavour
    ) -> None:
        with naming("a", "b") as urls:
            rotation = flavour.ProxyRoundRobin([*urls, "http://c.example"])
            assert rotation._transports.by_member == {}
            assert rotation._transports._network._contexts._contexts == {}
            async with flavour.client(transport=rotation) as client:
                for _ in range(2):
                    await client.get(URL)
            built = rotation._transports.by_member
            assert [member.name for member in built] == urls
            assert len({id(context_of(each)) for each in built.values()}) == 1

    async def test_are_closed_with_the_rest_and_opened_again(self, flavour: Flavour) -> None:
        with naming("a") as urls:
            rotation = flavour.ProxyRoundRobin(urls, verify=TLS)
            for _ in range(2):
                assert await texts(flavour, rotation, 2) == ["a", "a"]
                (transport,) = rotation._transports.by_member.values()
                assert transport._core.pool.connections == []

    def test_are_built_once_by_many_threads(self) -> None:
        rotation = ProxyRoundRobin([A], verify=TLS)
        (member,) = rotation._rotation.pool.members()
        barrier = threading.Barrier(8)

        def build(_: int) -> httpx.BaseTransport:
            barrier.wait()
            return rotation._transports.get(member, rotation._lifecycle)

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(build, range(8)))) == 1
        rotation.close()

    def test_that_another_thread_has_just_built_are_not_built_again(self) -> None:
        rotation = ProxyRoundRobin([A], verify=TLS)
        (member,) = rotation._rotation.pool.members()
        built = SpyTransport()

        class Waiting:
            """A lock that one has to wait for until the other thread is done."""

            def __enter__(self) -> None:
                rotation._transports.by_member[member] = built

            def __exit__(self, *exc_info: object) -> None:
                pass

        rotation._transports._building = Waiting()  # type: ignore[assignment]
        assert rotation._transports.get(member, rotation._lifecycle) is built


class TestAResponse:
    async def test_tells_which_proxy_it_was(self, flavour: Flavour) -> None:
        with naming("a") as (url,):
            address = url.partition("//")[2]
            rotation = flavour.ProxyRoundRobin([f"http://scott:tiger@{address}"], verify=TLS)
            async with flavour.client(transport=rotation) as client:
                response = await client.get(URL)
        assert response.extensions["proxy"] == f"http://****@{address}"
        assert response.extensions["http_version"] == b"HTTP/1.1"

    async def test_keeps_the_dict_that_its_transport_gave_it(self, flavour: Flavour) -> None:
        extensions = {"mine": 1}
        given = httpx.Response(200, extensions=extensions)
        rotation = flavour.ProxyRoundRobin([Answers(given)])
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert response is given
        assert (extensions, response.extensions) == ({"mine": 1}, {"mine": 1, "proxy": "Answers"})

    async def test_is_in_flight_until_it_is_closed(self, flavour: Flavour) -> None:
        body = Body()
        rotation = flavour.ProxyRoundRobin([Answers(httpx.Response(200, stream=body))])
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert rotation.status()[0].in_flight == 1
        assert [chunk async for chunk in flavour.chunks(response)] == [b"body"]
        for _ in range(2):
            await flavour.close(response.stream)
            assert rotation.status()[0].in_flight == 0
        assert body.closed == 3

    async def test_that_arrives_closed_is_not_in_flight(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([Answers(httpx.Response(200, text="all"))])
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert response.is_closed
        assert rotation.status()[0].in_flight == 0
        assert rotation.status()[0].sent == 1

    async def test_whose_close_fails_is_not_in_flight(self, flavour: Flavour) -> None:
        class Broken(Body):
            def close(self) -> None:
                raise httpx.CloseError("broken")

        rotation = flavour.ProxyRoundRobin([Answers(httpx.Response(200, stream=Broken()))])
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        with pytest.raises(httpx.CloseError):
            await flavour.close(response)
        assert rotation.status()[0].in_flight == 0

    async def test_101_hands_its_connection_over(self, flavour: Flavour) -> None:
        def talk(connection: Any) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n")
            connection.sendall(connection.recv(5))
            wait_for_end(connection)

        with raw_server(talk) as url:
            rotation = flavour.ProxyRoundRobin([url], verify=TLS)
            async with flavour.client(transport=rotation) as client:
                upgrade = {"Connection": "upgrade", "Upgrade": "echo"}
                async with client.stream("GET", URL, headers=upgrade) as response:
                    assert response.status_code == 101
                    stream = response.extensions["network_stream"]
                    await flavour.call(stream.write, b"hello")
                    assert await flavour.call(stream.read, 5) == b"hello"
                    assert rotation.status()[0].in_flight == 1
                assert rotation.status()[0].in_flight == 0


class TestARequest:
    async def test_is_left_as_it_was_found(self, flavour: Flavour) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"body"

        def sync_pieces() -> Iterator[bytes]:
            yield b"body"

        extensions = {"mine": 1}
        content: Any = pieces() if flavour.is_async else sync_pieces()
        request = httpx.Request("POST", URL, content=content, extensions=extensions)
        found = request.extensions, request.stream
        spies = [Answers(httpx.ConnectError("no")), Answers(200)]
        await flavour.send(flavour.ProxyRoundRobin(spies), request)
        assert request.extensions is found[0]
        assert request.stream is found[1]
        assert request.extensions == {"mine": 1}
        assert [len(spy.requests) for spy in spies] == [1, 1]
        # What has listened to each try listens no more.
        assert [spy.requests[0].extensions for spy in spies] == [{"mine": 1}] * 2

    async def test_that_fails_is_left_as_it_was_found(self, flavour: Flavour) -> None:
        request = httpx.Request("GET", URL, extensions={"mine": 1})
        found = request.extensions
        with pytest.raises(httpx.ReadError):
            await flavour.send(flavour.ProxyRoundRobin([Answers(httpx.ReadError("no"))]), request)
        assert request.extensions is found
        assert found == {"mine": 1}

    async def test_has_its_trace_chained(self, flavour: Flavour) -> None:
        events: list[str] = []

        def trace(event: str, info: object) -> None:
            events.append(event)

        async def async_trace(event: str, info: object) -> None:
            events.append(event)

        with naming("a") as urls:
            rotation = flavour.ProxyRoundRobin(urls, verify=TLS)
            extensions = {"trace": async_trace if flavour.is_async else trace}
            assert await texts(flavour, rotation, 2, extensions=extensions) == ["a", "a"]
        assert events[0] == "connection.connect_tcp.started"
        # On a connection that is kept it is heard to the end as well.
        assert events.count("connection.connect_tcp.started") == 1
        assert events.count("http11.response_closed.complete") == 2

    async def test_whose_trace_fails_goes_to_no_other_proxy(self, flavour: Flavour) -> None:
        def trace(event: str, info: object) -> None:
            raise LookupError(event)

        async def async_trace(event: str, info: object) -> None:
            raise LookupError(event)

        rotation = flavour.ProxyRoundRobin([A, B], verify=TLS)
        extensions = {"trace": async_trace if flavour.is_async else trace}
        with pytest.raises(LookupError) as failed:
            await texts(flavour, rotation, 1, extensions=extensions)
        assert not hasattr(failed.value, "__notes__")
        assert [(status.sent, status.failed) for status in rotation.status()] == [(1, 0), (0, 0)]
        assert rotation.status()[0].in_flight == 0

    async def test_to_a_url_that_cannot_be_sent_to_goes_to_no_other_proxy(
        self, flavour: Flavour
    ) -> None:
        rotation = flavour.ProxyRoundRobin([A, B], verify=TLS)
        with pytest.raises(httpx.UnsupportedProtocol) as failed:
            await flavour.send(rotation, httpx.Request("GET", "gopher://target.example/"))
        assert not hasattr(failed.value, "__notes__")
        assert [(status.sent, status.failed) for status in rotation.status()] == [(1, 0), (0, 0)]
        assert [status.in_flight for status in rotation.status()] == [0, 0]

    async def test_whose_key_cannot_be_told_has_no_turn(self, flavour: Flavour) -> None:
        def sticky(request: httpx.Request) -> str:
            return request.headers["X-Session"]

        rotation = flavour.ProxyRoundRobin([A], sticky=sticky, verify=TLS)
        with pytest.raises(KeyError):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert rotation.status()[0].sent == 0

    async def test_body_that_can_be_read_once_goes_whole_to_the_next(
        self, flavour: Flavour
    ) -> None:
        bodies: list[bytes] = []

        def talk_as(status: str) -> Callable[[Any], None]:
            def talk(connection: Any) -> None:
                head = read_head(connection)
                assert b"content-length: 10" in head.lower()
                body = b""
                while len(body) < 10:
                    body += connection.recv(10)
                bodies.append(body)
                respond(connection, status)
                wait_for_end(connection)

            return talk

        async def pieces() -> AsyncIterator[bytes]:
            yield b"01234"
            yield b"56789"

        def sync_pieces() -> Iterator[bytes]:
            yield b"01234"
            yield b"56789"

        with (
            raw_server(talk_as("407 Who are you")) as asking,
            raw_server(talk_as("200 OK")) as willing,
        ):
            rotation = flavour.ProxyRoundRobin([asking, willing], cooldown=LONG, verify=TLS)
            async with flavour.client(transport=rotation) as client:
                response = await client.post(
                    URL,
                    content=pieces() if flavour.is_async else sync_pieces(),
                    headers={"Content-Length": "10"},
                )
        assert response.status_code == 200
        assert bodies == [b"0123456789"] * 2
        assert rotation.status()[0].last_error == "407 Who are you"

    async def test_body_that_is_too_long_to_be_kept_goes_to_one_only(
        self, flavour: Flavour
    ) -> None:
        size = 2 * 1024 * 1024

        def talk(connection: Any) -> None:
            read_head(connection)
            left = size
            while left:
                left -= len(connection.recv(65536))
            respond(connection, "407 Who are you")
            wait_for_end(connection)

        async def pieces() -> AsyncIterator[bytes]:
            yield b"x" * size

        def sync_pieces() -> Iterator[bytes]:
            yield b"x" * size

        with raw_server(talk) as asking, naming("b") as (willing,):
            rotation = flavour.ProxyRoundRobin([asking, willing], cooldown=LONG, verify=TLS)
            async with flavour.client(transport=rotation, timeout=30) as client:
                response = await client.post(
                    URL,
                    content=pieces() if flavour.is_async else sync_pieces(),
                    headers={"Content-Length": str(size)},
                )
        assert response.status_code == 407
        assert [status.up for status in rotation.status()] == [False, True]


class TestAnError:
    async def test_has_its_request_and_a_note(self, flavour: Flavour) -> None:
        errors = [httpx.ConnectError("refused by http://u:tiger@h"), httpx.ConnectTimeout("")]
        rotation = flavour.ProxyRoundRobin([Answers(error) for error in errors])
        request = httpx.Request("POST", URL)
        with pytest.raises(httpx.ConnectTimeout) as failed:
            await flavour.send(rotation, request)
        assert failed.value is errors[1]
        assert failed.value.request is request
        assert failed.value.__notes__ == [
            (
                "transportkit: tried Answers (ConnectError: refused by http://****@h), "
                "Answers#2 (ConnectTimeout)"
            )
        ]

    async def test_after_the_request_was_sent_comes_back(self, flavour: Flavour) -> None:
        spies = [Answers(httpx.ReadError("cut")), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies)
        with pytest.raises(httpx.ReadError) as failed:
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert failed.value.__notes__ == ["transportkit: tried Answers (ReadError: cut)"]
        assert [status.up for status in rotation.status()] == [True, True]
        assert rotation.status()[0].last_error == "ReadError: cut"

    async def test_goes_no_further_than_max_tries(self, flavour: Flavour) -> None:
        spies = [Answers(httpx.ConnectError("no")) for _ in range(5)]
        rotation = flavour.ProxyRoundRobin(spies, max_tries=2)
        with pytest.raises(httpx.ConnectError):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert [status.sent for status in rotation.status()] == [1, 1, 0, 0, 0]
        # Nobody else succeeded, so the target may be what is down.
        assert all(status.up for status in rotation.status())

    async def test_after_a_body_was_lost_comes_back(self, flavour: Flavour) -> None:
        def lose(request: httpx.Request) -> Exception:
            for _ in request.stream:  # type: ignore[union-attr]
                pass
            return httpx.ConnectError("no")

        class Losing(Answers):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                self.requests.append(request)
                async for _ in request.stream:  # type: ignore[union-attr]
                    pass
                raise httpx.ConnectError("no")

        async def pieces() -> AsyncIterator[bytes]:
            yield b"x" * 2 * 1024 * 1024

        def sync_pieces() -> Iterator[bytes]:
            yield b"x" * 2 * 1024 * 1024

        spies = [Losing(lose), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies)
        content: Any = pieces() if flavour.is_async else sync_pieces()
        with pytest.raises(httpx.ConnectError):
            await flavour.send(rotation, httpx.Request("POST", URL, content=content))
        assert [len(spy.requests) for spy in spies] == [1, 0]

    def test_of_those_that_fail_together_is_told_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "transportkit.rotation")
        rotation = ProxyRoundRobin([Answers(200)], banned=lambda response: True, cooldown=LONG)
        stopped(rotation)
        request = httpx.Request("GET", URL)
        failovers = [Failover(rotation._rotation, request, None) for _ in range(3)]
        leases = [failover.acquire() for failover in failovers]
        for failover, lease in zip(failovers, leases, strict=True):
            response = httpx.Response(200)
            assert failover.handle_response(lease, response, lambda response: True) is None
        error = httpx.ProxyError("407 Who are you")
        for failover, lease in zip(failovers, leases, strict=True):
            assert failover.handle_error(lease, error) is None
        assert caplog.messages == [
            "Proxy Answers is ejected for 500.0 seconds for target.example",
            "Proxy Answers is ejected for 500.0 seconds: ProxyError: 407 Who are you",
        ]
        assert rotation.status()[0].failed == 3

    async def test_of_a_full_pool_is_no_proxys_fault(self, flavour: Flavour) -> None:
        long = httpx.Response(200, stream=Body())
        spies = [Answers(long, httpx.PoolTimeout("full")), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies)
        held = await flavour.send(rotation, httpx.Request("GET", URL))
        for _ in range(2):
            response = await flavour.send(rotation, httpx.Request("POST", URL))
            assert response.status_code == 200
        assert [(status.up, status.failed) for status in rotation.status()] == [(True, 0)] * 2
        await flavour.close(held)

    async def test_of_a_pool_that_nobody_uses_is_its_members_fault(self, flavour: Flavour) -> None:
        spies = [Answers(httpx.PoolTimeout("lost")), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies, cooldown=LONG)
        response = await flavour.send(rotation, httpx.Request("POST", URL))
        assert response.status_code == 200
        assert [(each.up, each.failed) for each in rotation.status()] == [(False, 1), (True, 0)]
        assert rotation.status()[0].last_error == "PoolTimeout: lost"

    async def test_of_one_when_another_succeeds_ejects_it(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "transportkit.rotation")
        spies = [Answers(httpx.ConnectError("no"), 200), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies, cooldown=Cooldown(first=5))
        clock = stopped(rotation)
        await flavour.send(rotation, httpx.Request("POST", URL))
        ejected, well = rotation.status()
        assert (ejected.up, ejected.resting_until, ejected.failed) == (False, 102.5, 1)
        assert (well.up, well.resting_until, well.last_error) == (True, None, None)
        clock.now = 102.5
        await flavour.send(rotation, httpx.Request("POST", URL))
        assert [status.up for status in rotation.status()] == [True, True]
        assert caplog.messages == [
            "Proxy Answers is ejected for 2.5 seconds: ConnectError: no",
            "Proxy Answers is back in rotation",
        ]

    async def test_of_all_that_are_ejected_is_raised_at_once(self, flavour: Flavour) -> None:
        with raw_server(answering("407 Who are you")) as url:
            address = url.partition("//")[2]
            rotation = flavour.ProxyRoundRobin(
                [f"http://scott:tiger@{address}"], cooldown=LONG, when_all_down="raise", verify=TLS
            )
            stopped(rotation)
            request = httpx.Request("GET", URL)
            response = await flavour.send(rotation, request)
            assert response.status_code == 407
            await flavour.close(response)
            with pytest.raises(httpx.ProxyError, match=r"^every proxy is ejected\n") as failed:
                await flavour.send(rotation, request)
            await flavour.close(rotation)
        assert failed.value.request is request
        assert failed.value.__notes__ == [
            f"transportkit: http://****@{address} (ejected for 500.0 more seconds: 407 Who are you)"
        ]

    async def test_of_many_that_are_ejected_names_some(self, flavour: Flavour) -> None:
        def is_banned(response: httpx.Response) -> bool:
            return response.status_code == 403

        spies = [Answers(403) for _ in range(12)]
        rotation = flavour.ProxyRoundRobin(
            spies, banned=is_banned, when_all_down="raise", max_tries=20, cooldown=LONG
        )
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert response.status_code == 403
        text = "every proxy is ejected or banned for target.example"
        with pytest.raises(httpx.ProxyError, match=f"^{text}\n") as failed:
            await flavour.send(rotation, httpx.Request("GET", URL))
        (note,) = failed.value.__notes__
        names = ["Answers", *(f"Answers#{number}" for number in range(2, 11))]
        listed = ", ".join(f"{name} (banned)" for name in names)
        assert note == f"transportkit: {listed} and 2 more"

    async def test_of_a_socks_handshake_is_httpxs_and_leaves_no_socket(
        self, flavour: Flavour
    ) -> None:
        def talk(connection: Any) -> None:
            connection.recv(3)
            connection.sendall(b"what?")
            wait_for_end(connection)

        with raw_server(talk) as url:
            socks = url.replace("http://", "socks5://")
            rotation = flavour.ProxyRoundRobin([socks], verify=TLS)
            request = httpx.Request("GET", URL)
            text = "^the SOCKS handshake broke: "
            with pytest.raises(httpx.ProxyError, match=text) as failed:
                await flavour.send(rotation, request)
            await flavour.close(rotation)
        assert failed.value.request is request
        assert failed.value.__cause__ is not None
        assert failed.value.__notes__[0].startswith(f"transportkit: tried {socks} (")
        assert [(status.up, status.failed) for status in rotation.status()] == [(True, 1)]


class TestABan:
    def rotation(self, flavour: Flavour, *spies: SpyTransport, **arguments: Any) -> Any:
        def is_banned(response: httpx.Response) -> bool:
            return response.status_code == 403

        arguments.setdefault("cooldown", LONG)
        return flavour.ProxyRoundRobin(spies, banned=is_banned, **arguments)

    async def test_goes_to_the_next_and_holds_for_its_host(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "transportkit.rotation")
        body = Body()
        spies = [Answers(httpx.Response(403, stream=body), 200), Answers(200)]
        rotation = self.rotation(flavour, *spies)
        stopped(rotation)
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert response.status_code == 200
        assert body.closed == 1
        for _ in range(3):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert [len(spy.requests) for spy in spies] == [1, 4]
        for _ in range(4):
            await flavour.send(rotation, httpx.Request("GET", "http://other.example"))
        assert [len(spy.requests) for spy in spies] == [4, 5]
        assert all(status.up and status.in_flight == 0 for status in rotation.status())
        assert caplog.messages == ["Proxy Answers is ejected for 500.0 seconds for target.example"]

    async def test_lets_the_connection_of_a_ready_transport_go(self, flavour: Flavour) -> None:
        retired: list[str] = []
        banned = httpx.Response(403, extensions={"retire": lambda: retired.append("it")})
        rotation = self.rotation(flavour, Answers(banned, 200), Answers(200))
        assert (await flavour.send(rotation, httpx.Request("GET", URL))).status_code == 200
        assert retired == ["it"]

    async def test_of_all_comes_back_unread(self, flavour: Flavour) -> None:
        bodies = [Body(), Body()]
        spies = [Answers(httpx.Response(403, stream=body)) for body in bodies]
        rotation = self.rotation(flavour, *spies)
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        assert [body.closed for body in bodies] == [1, 0]
        assert await flavour.read(response) == b"body"
        assert [status.in_flight for status in rotation.status()] == [0, 0]

    @pytest.mark.parametrize(
        ("method", "headers", "tries"),
        [("GET", {}, 2), ("PUT", {}, 2), ("POST", {}, 1), ("POST", {"Idempotency-Key": "1"}, 2)],
    )
    async def test_repeats_what_is_safe_to_repeat(
        self, flavour: Flavour, method: str, headers: dict[str, str], tries: int
    ) -> None:
        spies = [Answers(403), Answers(403)]
        rotation = self.rotation(flavour, *spies)
        request = httpx.Request(method, URL, headers=headers, content=b"body")
        assert (await flavour.send(rotation, request)).status_code == 403
        assert sum(len(spy.requests) for spy in spies) == tries

    @pytest.mark.parametrize("is_broken", [False, True])
    async def test_that_cannot_be_told_closes_the_response(
        self, flavour: Flavour, is_broken: bool
    ) -> None:
        def is_banned(response: httpx.Response) -> bool:
            raise LookupError("what?")

        class MaybeBroken(Body):
            def close(self) -> None:
                super().close()
                if is_broken:
                    raise httpx.CloseError("broken")

        body = MaybeBroken()
        spy = Answers(httpx.Response(200, stream=body))
        rotation = flavour.ProxyRoundRobin([spy], banned=is_banned)
        with pytest.raises(LookupError, match=r"what\?"):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert body.closed == 1
        assert rotation.status()[0].in_flight == 0


class TestARepeat:
    @pytest.mark.parametrize("outcome", [httpx.ReadError("cut"), 429, 500, 503])
    async def test_goes_to_another_proxy(self, flavour: Flavour, outcome: Any) -> None:
        spies = [Answers(outcome), Answers(200), Answers(200)]
        # All with one key would go to one proxy, if that did not fail.
        for sticky in (None, lambda request: "key"):
            rotation = flavour.ProxyRoundRobin(spies, sticky=sticky)
            policy = RetryPolicy(
                retry=retry_if_status(429, 500, 503) | retry_if_transport_error(),
                wait=lambda state: 0,
                stop=lambda state: state.attempt_number > 1,
            )
            transport = flavour.RetryTransport(rotation, policy)
            for _ in range(3):
                request = httpx.Request("GET", URL)
                assert (await flavour.send(transport, request)).status_code == 200
                assert all(status.up for status in rotation.status())

    async def test_goes_to_the_same_one_when_there_is_no_other(self, flavour: Flavour) -> None:
        spy = Answers(503, 503, 200)
        rotation = flavour.ProxyRoundRobin([spy])
        request = httpx.Request("GET", URL)
        statuses = [(await flavour.send(rotation, request)).status_code for _ in range(3)]
        assert statuses == [503, 503, 200]

    async def test_says_so_by_an_extension(self, flavour: Flavour) -> None:
        spies = [Answers(503), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies, sticky=lambda request: 1)
        found = []
        for attempt in ({}, {"attempt": 2}, {"attempt": "2"}, {"attempt": 1}):
            request = httpx.Request("GET", URL, extensions=attempt)
            found.append((await flavour.send(rotation, request)).status_code)
        # The key's own proxy, unless this is a repeat.
        home = found[0]
        assert found == [home, 200, home, home]

    async def test_avoids_what_failed_last_when_all_have_failed(self, flavour: Flavour) -> None:
        spies = [Answers(503) for _ in range(3)]
        rotation = flavour.ProxyRoundRobin(spies, sticky=lambda request: 1)
        names = []
        for attempt in range(1, 8):
            request = httpx.Request("GET", URL, extensions={"attempt": attempt})
            names.append((await flavour.send(rotation, request)).extensions["proxy"])
        assert len(set(names[:3])) == 3
        assert all(one != other for one, other in itertools.pairwise(names))


class TestAddAndRemove:
    @pytest.mark.parametrize("sticky", [None, sticky_by_host])
    async def test_what_is_removed_while_it_is_added_takes_no_turns(
        self, flavour: Flavour, sticky: Any
    ) -> None:
        rotation = flavour.ProxyRoundRobin([Answers(200)], sticky=sticky)
        for _ in range(2):
            slow = Answers(200)
            member = rotation._transports.admit(slow, 1)
            await flavour.call(rotation.remove, slow)
            rotation._rotation.pool.join([member])
            for _ in range(3):
                await flavour.send(rotation, httpx.Request("GET", URL))
            assert slow.requests == []

    async def test_take_effect_while_requests_run(self, flavour: Flavour) -> None:
        with naming("a", "b") as (a, b):
            rotation = flavour.ProxyRoundRobin([a], verify=TLS)
            async with flavour.client(transport=rotation) as client:
                assert (await client.get(URL)).text == "a"
                await flavour.call(rotation.add, b, 2)
                answers = [(await client.get(URL)).text for _ in range(6)]
                assert sorted(answers) == ["a", "a", "b", "b", "b", "b"]
                await flavour.call(rotation.remove, a)
                assert [(await client.get(URL)).text for _ in range(3)] == ["b"] * 3
                assert [status.proxy for status in rotation.status()] == [b]

    @pytest.mark.parametrize("is_entered", [False, True])
    async def test_open_and_close_what_is_ready(self, flavour: Flavour, is_entered: bool) -> None:
        spy = SpyTransport()
        rotation = flavour.ProxyRoundRobin([Answers(200)])
        async with flavour.client(transport=rotation if is_entered else Answers(200)):
            await flavour.call(rotation.add, spy)
            await flavour.call(rotation.remove, spy)
        assert spy.calls == (["spy enter", "spy exit"] if is_entered else ["spy close"])

    async def test_after_a_close_give_something_to_close_again(self, flavour: Flavour) -> None:
        spy = SpyTransport()
        rotation = flavour.ProxyRoundRobin([Answers(200)])
        await flavour.close(rotation)
        await flavour.call(rotation.add, spy)
        await flavour.close(rotation)
        await flavour.close(rotation)
        assert spy.calls == ["spy close"]

    async def test_of_one_that_cannot_be_entered_leave_all_as_it_was(
        self, flavour: Flavour
    ) -> None:
        spy = SpyTransport(failing={"enter": OSError("no")})
        rotation = flavour.ProxyRoundRobin([Answers(200)])
        async with flavour.client(transport=rotation):
            with pytest.raises(OSError, match="no"):
                await flavour.call(rotation.add, spy)
        assert spy.calls == ["spy enter"]
        assert len(rotation.status()) == 1

    async def test_let_one_that_goes_finish_what_it_has(self, flavour: Flavour) -> None:
        spy = SpyTransport()
        body = Body()
        spy.handle_request = lambda request: httpx.Response(200, stream=body)  # type: ignore[method-assign]
        rotation = flavour.ProxyRoundRobin([spy])
        response = await flavour.send(rotation, httpx.Request("GET", URL))
        await flavour.call(rotation.remove, spy)
        assert spy.calls == []
        with pytest.raises(httpx.ProxyError, match=r"^there is no proxy left: add one$"):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert await flavour.read(response) == b"body"
        assert spy.calls == ["spy close"]
        await flavour.close(rotation)
        assert spy.calls == ["spy close"]

    async def test_keep_one_that_comes_back_before_it_has_finished(self, flavour: Flavour) -> None:
        spy = Answers(lambda _: httpx.Response(200, stream=Body()))
        rotation = flavour.ProxyRoundRobin([spy])
        async with flavour.client(transport=rotation):
            response = await flavour.send(rotation, httpx.Request("GET", URL))
            await flavour.call(rotation.remove, spy)
            await flavour.call(rotation.add, spy)
            await flavour.close(response)
            assert spy.calls == ["spy enter"]
        assert spy.calls == ["spy enter", "spy exit"]

    async def test_let_one_that_goes_fail_without_hiding_why(self, flavour: Flavour) -> None:
        spy = SpyTransport(failing={"close": OSError("close")})
        rotation = flavour.ProxyRoundRobin([spy])
        error = httpx.ReadError("cut")

        def leave(request: httpx.Request) -> httpx.Response:
            rotation._transports.remove(spy)
            raise error

        spy.handle_request = leave  # type: ignore[method-assign]
        with pytest.raises(httpx.ReadError) as failed:
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert failed.value is error
        assert error.__notes__[1] == "Closing a transport failed as well: OSError('close')"

    @pytest.mark.parametrize(
        ("method", "argument", "text"),
        [
            ("add", A, r"http://\*\*\*\*@a.example:8080 is among the proxies already"),
            ("add", "socks4://a", "proxies: 'socks4://a' is not a proxy URL: httpx speaks"),
            ("remove", B, "http://b.example:8080 is not among the proxies"),
            ("remove", "http://a.example:8080", "http://a.example:8080 is not among the proxies"),
            ("remove", None, "direct is not among the proxies"),
        ],
    )
    async def test_of_what_cannot_be_are_refused(
        self, flavour: Flavour, method: str, argument: Any, text: str
    ) -> None:
        rotation = flavour.ProxyRoundRobin([A], verify=TLS)
        with pytest.raises(ValueError, match=f"^{text}"):
            await flavour.call(getattr(rotation, method), argument)
        with pytest.raises(TypeError, match="must be a number of turns, not '2'"):
            await flavour.call(rotation.add, B, "2")
        assert len(rotation.status()) == 1


class TestWhatIsShown:
    async def test_is_short_and_without_credentials(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([A, B, None], verify=TLS)
        name = "AsyncProxyRoundRobin" if flavour.is_async else "ProxyRoundRobin"
        shown = f"<{name} over http://****@a.example:8080, http://b.example:8080, direct>"
        assert repr(rotation) == shown
        many = flavour.ProxyRoundRobin([f"http://b:{port}" for port in range(1, 101)], verify=TLS)
        assert repr(many).endswith(" over http://b:1, http://b:2, http://b:3 and 97 more>")
        await flavour.call(many.remove, "http://b:2")
        assert repr(many).endswith(" over http://b:1, http://b:3, http://b:4 and 96 more>")
        only = flavour.ProxyRoundRobin([A], verify=TLS)
        await flavour.call(only.remove, A)
        assert repr(only) == f"<{name} over no proxies>"

    async def test_is_the_status_of_each(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([A, None], verify=TLS)
        assert [tuple(status) for status in rotation.status()] == [
            ("http://****@a.example:8080", True, None, 0, 0, 0, None),
            ("direct", True, None, 0, 0, 0, None),
        ]


@pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
class TestACancelledRequest:
    async def test_lets_the_next_one_probe(self, flavour: Flavour) -> None:
        class Slow(Answers):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if self.answers[0] == "hang":
                    self.answers.pop(0)
                    scope.cancel()
                    await anyio.sleep_forever()
                return self.handle_request(request)

        slow = Slow(httpx.ConnectError("no"), "hang", 200)
        rotation = flavour.ProxyRoundRobin([slow, Answers(200)])
        clock = stopped(rotation)
        await flavour.send(rotation, httpx.Request("GET", URL))
        clock.now += 1000
        with anyio.CancelScope() as scope:
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert scope.cancelled_caught
        assert [(each.up, each.in_flight) for each in rotation.status()] == [(False, 0), (True, 0)]
        clock.now += 1000
        await flavour.send(rotation, httpx.Request("GET", URL))
        assert rotation.status()[0].up

    async def test_that_waits_for_a_drain_leaves_nothing(self, flavour: Flavour) -> None:
        class Stalling(Body):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                scope.cancel()
                await anyio.sleep_forever()
                yield b""

        body = Stalling()
        spies = [Answers(httpx.Response(403, stream=body)), Answers(200)]
        rotation = flavour.ProxyRoundRobin(spies, banned=lambda response: response.is_error)
        with anyio.CancelScope() as scope:
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert scope.cancelled_caught
        assert body.closed >= 1
        assert [status.in_flight for status in rotation.status()] == [0, 0]

    async def test_whose_ban_cannot_be_told_closes_the_response(self, flavour: Flavour) -> None:
        class Waiting(Body):
            async def aclose(self) -> None:
                await anyio.lowlevel.checkpoint()
                self.close()

        def is_banned(response: httpx.Response) -> bool:
            scope.cancel()
            raise LookupError("what?")

        body = Waiting()
        spy = Answers(httpx.Response(200, stream=body))
        rotation = flavour.ProxyRoundRobin([spy], banned=is_banned)
        with anyio.CancelScope() as scope, pytest.raises(LookupError, match=r"what\?"):
            await flavour.send(rotation, httpx.Request("GET", URL))
        assert body.closed == 1


class TestInMounts:
    async def test_a_list_takes_turns(self, flavour: Flavour) -> None:
        with naming("a", "b") as urls:
            mounts = flavour.Mounts({"http://": urls, "https://": tuple(urls)}, verify=TLS)
            assert await texts(flavour, mounts, 4) == ["a", "b", "a", "b"]
        (one, other) = mounts.routes
        assert one.transport is other.transport
        assert isinstance(one.transport, flavour.ProxyRoundRobin)
        assert one.target == f"proxies {urls[0]}, {urls[1]} in turn"

    async def test_a_list_has_the_common_arguments(self, flavour: Flavour) -> None:
        common = {"verify": TLS, "retries": 3, "trust_env": False}
        mounts = flavour.Mounts({"http://": [A, B], "https://": [A, None]}, **common)
        proxied, mixed = (mounts.route_for(f"{each}://h").transport for each in ("http", "https"))
        assert proxied._transports._network.options == {"verify": TLS, "trust_env": False}
        assert mixed._transports._network.options == {
            "verify": TLS,
            "trust_env": False,
            "retries": 3,
        }

    async def test_a_list_shares_the_context_of_the_routes(self, flavour: Flavour) -> None:
        mounts = flavour.Mounts({"http://": [A, B]}, default=None)
        rotation = mounts.route_for("http://h").transport
        direct = mounts.route_for("https://h").transport
        assert rotation._transports._network.options["verify"] is context_of(direct)

    async def test_a_list_is_opened_and_closed_once(self, flavour: Flavour) -> None:
        spy = SpyTransport()
        mounts = flavour.Mounts({"http://": [spy], "https://": [spy]}, verify=TLS)
        async with flavour.client(transport=mounts) as client:
            assert (await client.get(URL)).text == "spy"
        assert spy.calls == ["spy enter", "spy request", "spy exit"]

    async def test_a_long_list_is_shown_in_short(self, flavour: Flavour) -> None:
        urls = [f"http://u:tiger@h:{port}" for port in range(1, 101)]
        (route,) = flavour.Mounts({"http://": urls}, verify=TLS).routes
        shown = "proxies http://****@h:1, http://****@h:2, http://****@h:3 and 97 more in turn"
        assert route.target == shown
