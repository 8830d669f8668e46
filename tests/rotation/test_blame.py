"""Who is to blame: a refused target, this machine, what loses requests, and strangers' errors."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EMFILE
from pathlib import Path
from typing import Any

import pytest
from support import proxies
from support.clocks import stopped
from support.flavours import Flavour, SpyTransport
from support.library import httpx
from support.proxies import raw_proxy
from support.raw import answering, raw_server, read_head, respond, wait_for_end
from support.transportkit import Cooldown, RetryPolicy, sticky_by_header

LONG = Cooldown(first=1000, max=1000)
URL = "http://target.example/"
NOT_KEPT = httpx.Limits(max_keepalive_connections=0)
# A proxy in a process of its own, whose descriptors are not ours.
SERVER = r"""
import asyncio
class Proxy(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
async def main():
    server = await asyncio.get_running_loop().create_server(Proxy, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def ready(*answers: Any) -> httpx.MockTransport:
    """A transport that answers as told; the last answer stays."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, BaseException):
            raise found
        return httpx.Response(found)

    return httpx.MockTransport(answer)


def out_of_descriptors() -> httpx.ConnectError:
    error = httpx.ConnectError("Too many open files")
    error.__cause__ = OSError(EMFILE, "Too many open files")
    return error


async def ask(flavour: Flavour, rotation: Any, method: str = "GET", url: str = URL) -> Any:
    return await flavour.send(rotation, httpx.Request(method, url))


class TestARefusedTarget:
    @pytest.mark.parametrize(
        ("talk", "scheme", "text"),
        [
            (
                proxies.saying("403 Forbidden"),
                "http",
                "ProxyError: 403 Forbidden",
            ),
            (
                proxies.socks_refusing,
                "socks5",
                "ProxyError: Proxy Server could not connect: Connection refused.",
            ),
        ],
        ids=["CONNECT", "SOCKS"],
    )
    async def test_is_told_of(self, flavour: Flavour, talk: Any, scheme: str, text: str) -> None:
        with raw_proxy(talk, scheme) as proxy:
            rotation = flavour.ProxyRoundRobin([proxy.url], verify=False, trust_env=False)
            async with flavour.client(transport=rotation, timeout=30) as client:
                with pytest.raises(httpx.ProxyError):
                    await client.get("https://admin.example/")
        (status,) = rotation.status()
        assert (status.up, status.failed, status.last_error) == (True, 1, text)

    async def test_moves_nobody_who_goes_elsewhere(self, flavour: Flavour) -> None:
        def refusing(connection: Any) -> None:
            head = read_head(connection)
            if head.startswith(b"CONNECT"):
                respond(connection, "403 Forbidden")
            else:
                respond(connection, "200 OK", body=b"a")
            wait_for_end(connection)

        with raw_server(refusing) as a, raw_server(answering("502 Bad Gateway")) as b:
            rotation = flavour.ProxyRoundRobin(
                [a, b],
                sticky=sticky_by_header("X-Account"),
                cooldown=LONG,
                when_all_down="raise",
                limits=NOT_KEPT,
                trust_env=False,
                verify=False,
            )
            async with flavour.client(transport=rotation, timeout=30) as client:
                accounts = [{"X-Account": str(number)} for number in range(8)]
                before = [(await client.get(URL, headers=each)).text for each in accounts]
                assert "a" in before
                guilty = accounts[before.index("a")]
                for _ in range(2):
                    with pytest.raises(httpx.ProxyError, match="502"):
                        await client.get("https://admin.example/", headers=guilty)
                after = [(await client.get(URL, headers=each)).text for each in accounts]
        assert after == before
        assert rotation.status()[0].failed == 1

    async def test_has_its_reason_in_the_last_error(self, flavour: Flavour) -> None:
        def refusing(connection: Any) -> None:
            read_head(connection)
            connection.sendall(
                b"HTTP/1.1 403 Forbidden\r\nX-Seller-Error: plan has no .gov for scott\r\n"
                b"X-Token: abc\r\nDate: today\r\nX-Long: %b tiger\r\nContent-Length: 0\r\n\r\n"
                % (b"-" * 188)
            )
            wait_for_end(connection)

        with raw_server(refusing) as url:
            proxy = url.replace("//", "//scott:tiger@")
            rotation = flavour.ProxyRoundRobin([proxy], verify=False, when_all_down="raise")
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in range(2):
                    with pytest.raises(httpx.ProxyError) as failed:
                        await client.get("https://admin.example/")
        told = f"X-Seller-Error: plan has no .gov for ****; X-Token: ****; X-Long: {'-' * 188} ***"
        text = f"403 Forbidden ({told})"
        assert rotation.status()[0].last_error == f"ProxyError: {text}"
        shown = url.replace("//", "//****@")
        assert str(failed.value).startswith("every proxy is ejected or banned for admin.example")
        assert failed.value.__notes__ == [f"transportkit: {shown} (banned: ProxyError: {text})"]


class TestThisMachine:
    async def test_is_no_proxys_fault(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([ready(out_of_descriptors()), ready(200)])
        with pytest.raises(httpx.ConnectError, match="Too many open files"):
            await ask(flavour, rotation, "POST")
        assert [(each.up, each.sent, each.failed) for each in rotation.status()] == [
            (True, 1, 0),
            (True, 0, 0),
        ]

    async def test_is_asked_again_when_idle_connections_were_closed(self, flavour: Flavour) -> None:
        errors = [out_of_descriptors() for _ in range(3)]
        rotation = flavour.ProxyRoundRobin([ready(*errors, 200)])
        assert (await ask(flavour, rotation, "POST")).status_code == 200

    async def test_is_not_asked_again_for_what_may_have_arrived(self, flavour: Flavour) -> None:
        error = httpx.ReadError("Too many open files")
        error.__cause__ = out_of_descriptors().__cause__
        rotation = flavour.ProxyRoundRobin([ready(error, 200)])
        with pytest.raises(httpx.ReadError, match="Too many open files"):
            await ask(flavour, rotation, "POST")

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_runs_out_of_descriptors_with_many_proxies(
        self, flavour: Flavour, host: str
    ) -> None:
        with serving() as port:
            urls = [f"http://session-{number}:pw@{host}:{port}" for number in range(40)]
            rotation = flavour.ProxyRoundRobin(urls, verify=False, trust_env=False, cooldown=LONG)
            async with flavour.client(transport=rotation, timeout=30) as client:
                with few_descriptors(16):
                    for _ in range(60):
                        assert (await client.get(URL)).text == "fine"
        assert all(each.up and not each.failed for each in rotation.status())
        assert len({each.proxy for each in rotation.status()}) == 40


@contextmanager
def serving() -> Iterator[str]:
    """The port of a proxy in another process."""
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextmanager
def few_descriptors(free: int) -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class TestARequestThatCannotBe:
    async def test_is_no_proxys_fault(self, flavour: Flavour) -> None:
        with raw_server(answering("200 OK")) as url:
            rotation = flavour.ProxyRoundRobin([url], verify=False, trust_env=False)
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in range(2):
                    with pytest.raises(httpx.LocalProtocolError):
                        await client.get(URL, headers={"X-Name": "two\nlines"})
        (status,) = rotation.status()
        assert (status.up, status.failed, status.in_flight) == (True, 0, 0)


class TestRequestsThatAreLost:
    @pytest.mark.parametrize("talk", [proxies.closing, proxies.resetting])
    async def test_in_a_row_eject_their_proxy(self, flavour: Flavour, talk: Any) -> None:
        with raw_proxy(talk) as losing, raw_server(answering("200 OK")) as well:
            rotation = flavour.ProxyRoundRobin(
                [losing.url, well], cooldown=LONG, limits=NOT_KEPT, verify=False, trust_env=False
            )
            failed = 0
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in range(20):
                    try:
                        await client.post(URL)
                    except httpx.TransportError as error:
                        shown = error.extensions["proxy"]  # type: ignore[attr-defined]
                        assert shown == losing.shown
                        failed += 1
            assert (failed, losing.connections) == (5, 5)
        assert [each.up for each in rotation.status()] == [False, True]

    async def test_at_a_dead_target_eject_nobody(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin(
            [ready(httpx.ReadError("cut")), ready(httpx.ReadError("cut"))], cooldown=LONG
        )
        for _ in range(20):
            with pytest.raises(httpx.ReadError):
                await ask(flavour, rotation)
        assert [(each.up, each.failed) for each in rotation.status()] == [(True, 10)] * 2

    async def test_by_a_probe_eject_it_for_longer(self, flavour: Flavour) -> None:
        sick = ready(*[httpx.ReadError("cut")] * 6, 200)
        rotation = flavour.ProxyRoundRobin([sick, ready(200)], cooldown=Cooldown(first=10, max=80))
        clock = stopped(rotation, random=1.0)
        outcomes = []
        for _ in range(30):
            try:
                outcomes.append((await ask(flavour, rotation)).status_code)
            except httpx.ReadError:
                outcomes.append(0)
                if outcomes.count(0) == 5:
                    assert rotation.status()[0].resting_until == clock.now + 10
                    clock.now += 10
        assert outcomes.count(0) == 6
        assert rotation.status()[0].resting_until == clock.now + 20


class TestAnErrorOfAReadyTransport:
    @pytest.mark.parametrize(("method", "goes_on"), [("GET", True), ("PUT", True), ("POST", False)])
    async def test_ejects_it_and_what_is_safe_goes_on(
        self, flavour: Flavour, method: str, goes_on: bool
    ) -> None:
        rotation = flavour.ProxyRoundRobin([ready(LookupError("odd")), ready(200)], cooldown=LONG)
        if goes_on:
            assert (await ask(flavour, rotation, method)).status_code == 200
        else:
            with pytest.raises(LookupError) as failed:
                await ask(flavour, rotation, method)
            assert failed.value.__notes__ == [
                "transportkit: tried MockTransport (LookupError: odd)"
            ]
        first, second = rotation.status()
        assert (first.proxy, first.up, first.last_error) == (
            "MockTransport",
            False,
            "LookupError: odd",
        )
        assert (second.proxy, second.up) == ("MockTransport#2", True)
        assert (await ask(flavour, rotation, method)).status_code == 200

    async def test_that_is_of_the_body_is_the_callers(self, flavour: Flavour) -> None:
        def broken() -> Iterator[bytes]:
            yield b"some"
            raise LookupError("body")

        async def async_broken() -> Any:
            yield b"some"
            raise LookupError("body")

        class Reading(httpx.BaseTransport, httpx.AsyncBaseTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                raise AssertionError(request.read())

            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                raise AssertionError(await request.aread())

        rotation = flavour.ProxyRoundRobin([Reading(), ready(200)], cooldown=LONG)
        content: Any = async_broken() if flavour.is_async else broken()
        with pytest.raises(LookupError):
            await flavour.send(rotation, httpx.Request("PUT", URL, content=content))
        assert [(each.up, each.failed) for each in rotation.status()] == [(True, 0)] * 2


class TestABan:
    @pytest.mark.parametrize("is_ready", [False, True])
    async def test_gives_a_new_exit(self, flavour: Flavour, is_ready: bool) -> None:
        exits: list[int] = []

        def gateway(connection: Any) -> None:
            exits.append(0)
            number = len(exits)
            try:
                while True:
                    read_head(connection)
                    exits[number - 1] += 1
                    status = "200 OK" if exits[number - 1] <= 2 else "403 Forbidden"
                    respond(connection, status, body=b"exit")
            except ConnectionError:
                pass

        def is_banned(response: httpx.Response) -> bool:
            return response.status_code == 403

        with raw_server(gateway) as url:
            given = flavour.NetworkTransport(proxy=url) if is_ready else url
            rotation = flavour.ProxyRoundRobin(
                [given], banned=is_banned, cooldown=LONG, verify=False, trust_env=False
            )
            policy = RetryPolicy(retry=is_error, wait=lambda state: 0)
            transport = flavour.RetryTransport(rotation, policy)
            async with flavour.client(transport=transport, timeout=30) as client:
                for _ in range(9):
                    assert (await client.get(URL)).status_code == 200
        assert exits == [3, 3, 3, 3, 1]


def is_error(state: Any) -> bool:
    return bool(state.outcome.failed or state.outcome.result().is_error)


class _StopError(BaseException):
    """An interruption, which is no failure."""


async def test_an_interruption_is_nobodys_fault_and_leaves_nothing_in_flight(
    flavour: Flavour,
) -> None:
    for arguments in ({}, {"sticky": lambda request: 1}):
        spy = SpyTransport(failing={"request": _StopError()})
        rotation = flavour.ProxyRoundRobin([spy], **arguments)
        with pytest.raises(_StopError):
            await ask(flavour, rotation)
        (status,) = rotation.status()
        assert (status.up, status.in_flight, status.failed) == (True, 0, 0)


async def test_a_ban_by_a_transport_that_retires_nothing_is_one_too(flavour: Flavour) -> None:
    rotation = flavour.ProxyRoundRobin([ready(403), ready(200)], banned=is_forbidden)
    assert (await ask(flavour, rotation)).status_code == 200


def is_forbidden(response: httpx.Response) -> bool:
    return response.status_code == 403
