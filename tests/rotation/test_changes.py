"""Sessions that can be told apart, and fresh lists of proxies while requests run."""

import logging
import math
import threading
from typing import Any

import pytest
from support.flavours import Flavour, SpyTransport
from support.fleet import fleet
from support.library import httpx
from support.raw import raw_server, read_head
from support.transportkit import ProxyRoundRobin, sticky_by_header

URL = "http://target.example/"
GATEWAY = "http://customer-acme-session-{}:pw@gateway.example:8080"
SHOWN = "http://****@gateway.example:8080"


def names(rotation: Any) -> list[str]:
    return [status.proxy for status in rotation.status()]


def sessions(*numbers: int) -> list[str]:
    return [GATEWAY.format(number) for number in numbers]


class Slow(SpyTransport):
    """A transport that takes so long to open that another list is taken meanwhile."""

    rotation: Any

    def __enter__(self) -> Any:
        self.rotation.replace(["http://other.example"])
        return super().__enter__()

    async def __aenter__(self) -> Any:
        await self.rotation.replace(["http://other.example"])
        return super().__enter__()


class TestSessionsOfOneGateway:
    async def test_have_names_of_their_own(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([*sessions(1, 2, 3), "http://gateway.example:8080"])
        assert names(rotation) == [
            SHOWN,
            f"{SHOWN}#2",
            f"{SHOWN}#3",
            "http://gateway.example:8080",
        ]
        with pytest.raises(ValueError, match=r"gateway.example:8080#2 is among the proxies") as no:
            await flavour.call(rotation.add, GATEWAY.format(2))
        assert "acme" not in str(no.value)
        await flavour.call(rotation.remove, f"{SHOWN}#2")
        await flavour.call(rotation.remove, SHOWN)
        assert names(rotation) == [f"{SHOWN}#3", "http://gateway.example:8080"]
        # A number is not given twice while there is another session.
        await flavour.call(rotation.add, GATEWAY.format(2))
        assert names(rotation)[-1] == f"{SHOWN}#4"
        for number in (2, 3):
            await flavour.call(rotation.remove, GATEWAY.format(number))
        await flavour.call(rotation.add, GATEWAY.format(7))
        assert names(rotation) == ["http://gateway.example:8080", SHOWN]

    async def test_that_are_not_there_cannot_be_removed(self, flavour: Flavour) -> None:
        rotation = flavour.ProxyRoundRobin([*sessions(1, 2), SpyTransport(), SpyTransport()])
        for name in (f"{SHOWN}#9", GATEWAY.format(9)):
            with pytest.raises(ValueError, match=r"is not among the proxies|is not a proxy URL"):
                await flavour.call(rotation.remove, name)
        with pytest.raises(ValueError, match="is not a proxy URL"):
            await flavour.call(rotation.remove, "Spy")
        await flavour.call(rotation.remove, "SpyTransport#2")
        await flavour.call(rotation.remove, "SpyTransport")
        assert names(rotation) == [SHOWN, f"{SHOWN}#2"]

    async def test_are_named_when_a_body_breaks(self, flavour: Flavour) -> None:
        def half(connection: Any) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf of it")

        with raw_server(half) as url:
            urls = [url.replace("//", f"//session-{number}:pw@") for number in range(3)]
            rotation = flavour.ProxyRoundRobin(urls, verify=False, trust_env=False)
            shown = []
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in urls:
                    with pytest.raises(httpx.RemoteProtocolError) as failed:
                        await client.get(URL)
                    shown.append(failed.value.extensions["proxy"])  # type: ignore[attr-defined]
        assert shown == names(rotation)

    async def test_are_named_in_responses_errors_and_the_log(
        self, flavour: Flavour, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "transportkit.rotation")
        with fleet(1) as one:
            address = one.urls[0].partition("//")[2]
            urls = [f"http://session-{number}:pw@{address}" for number in range(3)]
            shown = [f"http://****@{address}{end}" for end in ("", "#2", "#3")]
            rotation = flavour.ProxyRoundRobin(urls, verify=False)
            async with flavour.client(transport=rotation, timeout=30) as client:
                answers = [await client.get(URL) for _ in range(3)]
                assert [each.extensions["proxy"] for each in answers] == shown
                one.kill(0)
                with pytest.raises(httpx.TransportError) as failed:
                    await client.post(URL)
                # The first one's kept connection had been closed, or it was refused.
                assert failed.value.extensions["proxy"] in shown  # type: ignore[attr-defined]
                assert set(names(rotation)) == set(shown)
        assert "pw" not in caplog.text + str(failed.value.__notes__)


class TestAFreshList:
    async def test_keeps_what_stays_with_its_history(self, flavour: Flavour) -> None:
        with fleet(4) as four:
            a, b, c, d = four.urls
            rotation = flavour.ProxyRoundRobin([a, b, c], verify=False)
            async with flavour.client(transport=rotation, timeout=30) as client:
                for _ in range(3):
                    await client.get(URL)
                kept = rotation._transports.by_member.copy()
                await flavour.call(rotation.replace, [d, b])
                assert names(rotation) == [d, b]
                assert [status.sent for status in rotation.status()] == [0, 1]
                assert set(rotation._transports.by_member) == set(list(kept)[1:2])
                for _ in range(4):
                    assert (await client.get(URL)).text == "fine"
                assert four.served == [1, 3, 1, 2]

    async def test_has_weights(self, flavour: Flavour) -> None:
        spies = [SpyTransport(name) for name in "ab"]
        rotation = flavour.ProxyRoundRobin(spies)

        async def shares() -> list[int]:
            for spy in spies:
                spy.calls.clear()
            for _ in range(12):
                await flavour.send(rotation, httpx.Request("GET", URL))
            return [len(spy.calls) for spy in spies]

        assert await shares() == [6, 6]
        await flavour.call(rotation.replace, {spies[0]: 3, spies[1]: 1})
        assert await shares() == [9, 3]
        await flavour.call(rotation.replace, {spies[0]: 3, spies[1]: 1})
        assert await shares() == [9, 3]

    async def test_opens_what_is_new_and_closes_what_is_gone(self, flavour: Flavour) -> None:
        old, new, both = (SpyTransport(name) for name in ("old", "new", "both"))
        rotation = flavour.ProxyRoundRobin([old, both])
        async with flavour.client(transport=rotation):
            await flavour.call(rotation.replace, [both, new])
            assert old.calls == ["old enter", "old exit"]
            assert new.calls == ["new enter"]
        assert both.calls == ["both enter", "both exit"]
        assert new.calls == ["new enter", "new exit"]

    async def test_that_cannot_be_leaves_the_old_one(self, flavour: Flavour) -> None:
        fine = SpyTransport("fine")
        broken = SpyTransport("broken", failing={"enter": OSError("no")})
        rotation = flavour.ProxyRoundRobin(["http://a.example", "http://b.example"])
        async with flavour.client(transport=rotation):
            with pytest.raises(OSError, match="no"):
                await flavour.call(rotation.replace, [fine, broken])
            with pytest.raises(ValueError, match="proxies must not be empty"):
                await flavour.call(rotation.replace, [])
            with pytest.raises(ValueError, match="socks4"):
                await flavour.call(rotation.replace, ["http://c.example", "socks4://d.example"])
        assert fine.calls == ["fine enter", "fine exit"]
        assert names(rotation) == ["http://a.example", "http://b.example"]

    async def test_that_comes_while_another_one_is_taken_holds(self, flavour: Flavour) -> None:
        kept, new = SpyTransport("kept"), Slow("new")
        rotation = new.rotation = flavour.ProxyRoundRobin([kept, "http://old.example"])
        async with flavour.client(transport=rotation) as client:
            await flavour.call(rotation.replace, [new, kept])
            assert names(rotation) == ["Slow", "SpyTransport"]
            assert {(await client.get(URL)).text for _ in range(2)} == {"new", "kept"}
        assert kept.calls == ["kept enter", "kept exit", "kept request", "kept close"]
        assert new.calls == ["new enter", "new request", "new exit"]

    async def test_leaves_alone_what_another_call_adds(self, flavour: Flavour) -> None:
        new = Slow()
        rotation = new.rotation = flavour.ProxyRoundRobin(["http://old.example"])
        async with flavour.client(transport=rotation):
            await flavour.call(rotation.add, new)
            assert names(rotation) == ["http://other.example", "Slow"]

    async def test_moves_only_the_keys_of_those_that_go(self, flavour: Flavour) -> None:
        spies = [SpyTransport(str(number)) for number in range(5)]
        rotation = flavour.ProxyRoundRobin(spies, sticky=sticky_by_header("X-S"))

        async def where() -> dict[str, str]:
            requests = {
                key: httpx.Request("GET", URL, headers={"X-S": key}) for key in map(str, range(40))
            }
            return {
                key: (await flavour.send(rotation, request)).extensions["proxy"]
                for key, request in requests.items()
            }

        before = await where()
        gone = rotation.status()[0].proxy
        await flavour.call(rotation.replace, dict.fromkeys(spies[1:], 1))
        after = await where()
        assert {key for key in before if before[key] != after[key]} == {
            key for key, proxy in before.items() if proxy == gone
        }
        # A heavier one takes keys of the others, and nobody else does.
        await flavour.call(rotation.replace, {spy: 1 + 9 * (spy is spies[1]) for spy in spies[1:]})
        heavier = await where()
        heavy = rotation.status()[0].proxy
        assert {heavier[key] for key in after if after[key] != heavier[key]} == {heavy}
        assert sum(proxy == heavy for proxy in heavier.values()) > 20

    def test_takes_back_who_was_leaving_as_one_that_joins(self) -> None:
        """Whoever removes it meanwhile looks for it without a lock."""
        seen = []

        class Seen(dict[Any, Any]):
            def __setitem__(self, key: object, member: Any) -> None:
                seen.append(member.ejected_until)
                super().__setitem__(key, member)

        rotation = ProxyRoundRobin(["http://a.example", "http://b.example"])
        pool = rotation._rotation.pool
        lease = pool.take_turn()
        assert lease is not None
        rotation.remove("http://a.example")
        pool._roster.members = Seen(pool._roster.members)
        rotation.add("http://a.example")
        assert seen == [math.inf]
        assert lease.member in pool.members()
        rotation.close()

    def test_is_made_while_requests_go_on(self) -> None:
        """Nothing that takes long is done under the lock that a request takes."""
        rotation = ProxyRoundRobin([SpyTransport()], sticky=lambda request: 1)
        pool = rotation._rotation.pool
        answered = threading.Event()

        class Slow(SpyTransport):
            """The label of a member is asked for when the next ring is made."""

        def send() -> None:
            rotation.handle_request(httpx.Request("GET", URL))
            answered.set()

        ring = pool._ring
        assert ring is not None

        def changed(*args: Any) -> Any:
            threading.Thread(target=send).start()
            assert answered.wait(10)
            return type(ring).changed(ring, *args)

        ring.changed = changed  # type: ignore[method-assign,assignment]
        rotation.add(Slow())
        assert len(rotation.status()) == 2
        rotation.close()

    def test_of_thousands_masks_no_name(self) -> None:
        rotation = ProxyRoundRobin([f"http://proxy-{number}.example" for number in range(2000)])
        assert repr(rotation).endswith("proxy-2.example and 1997 more>")
        assert sum("name" in vars(member) for member in rotation._rotation.pool.members()) == 3
        rotation.close()
