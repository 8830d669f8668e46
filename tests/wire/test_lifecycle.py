"""Rule 3: inner transports are opened and closed, each exactly once."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.flavours import Flavour, SpyTransport
from support.library import httpx
from support.transportkit import Mounts

from transportkit.wire.lifecycle import Lifecycle

REQUEST = httpx.Request("GET", "http://example.com/")
THREADS = 8

in_async = pytest.mark.parametrize(
    "flavour", [Flavour("asyncio"), Flavour("trio")], ids=["asyncio", "trio"]
)


def routed(owned: Iterable[SpyTransport]) -> dict[str, SpyTransport]:
    """Routes to all of them, in their order; the first one takes `REQUEST`."""
    first, *others = owned
    routes = {f"all://host{number}.example": other for number, other in enumerate(others)}
    # A port comes before everything else.
    return {"http://example.com:80": first, **routes}


def owner_of(flavour: Flavour, *owned: SpyTransport) -> Any:
    return flavour.Mounts(routed(owned), default=owned[0])


async def enter(flavour: Flavour, transport: Any) -> None:
    if flavour.is_async:
        await transport.__aenter__()
    else:
        transport.__enter__()


async def leave(flavour: Flavour, transport: Any) -> None:
    if flavour.is_async:
        await transport.__aexit__()
    else:
        transport.__exit__()


async def close_client(flavour: Flavour, client: Any) -> None:
    # A sync client of this flavour has a `close` that is awaited like the rest of it.
    await (client.aclose() if flavour.is_async else client.close())


def spies(names: str, **failing: dict[str, BaseException]) -> tuple[list[str], list[SpyTransport]]:
    """A spy for each letter, failing as told, and the list they all write to."""
    calls: list[str] = []
    return calls, [SpyTransport(name, calls, failing.get(name)) for name in names]


class TestTheLifecycle:
    def test_new_ones_are_to_be_closed_but_were_not_entered(self) -> None:
        assert Lifecycle(["a", "b"]).close() == [("a", False), ("b", False)]

    def test_only_the_first_to_enter_is_told_to(self) -> None:
        lifecycle = Lifecycle(["a", "b"])
        assert [lifecycle.enter() for _ in range(3)] == [("a", "b"), (), ()]

    def test_only_the_first_to_close_is_told_to(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        assert [lifecycle.close() for _ in range(3)] == [[("a", True)], [], []]

    def test_after_a_failed_enter_there_is_something_to_close_but_not_to_leave(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        lifecycle.enter_failed()
        assert lifecycle.close() == [("a", False)]

    def test_after_a_failed_enter_the_next_one_is_told_to_enter(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        lifecycle.enter_failed()
        assert lifecycle.enter() == ("a",)

    def test_a_request_after_a_close_gives_something_to_close_again(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        lifecycle.close()
        assert not lifecycle.is_ready
        lifecycle.make_ready(REQUEST, Mounts)
        assert lifecycle.is_ready
        assert lifecycle.close() == [("a", False)]

    def test_hold_each_once_in_the_order_of_first_appearance(self) -> None:
        assert Lifecycle("babca").enter() == ("b", "a", "c")

    def test_go_by_identity_and_not_by_equality(self) -> None:
        class Equal(SpyTransport):
            def __eq__(self, other: object) -> bool:
                return True

            __hash__ = None  # type: ignore[assignment]

        first, second = Equal(), Equal()
        both = Lifecycle([first, second, first]).enter()
        assert len(both) == 2
        assert both[0] is first
        assert both[1] is second

    @pytest.mark.parametrize("is_entered", [False, True])
    @pytest.mark.parametrize("to_enter", [False, True])
    def test_one_that_comes_later_is_entered_if_the_others_were(
        self, is_entered: bool, to_enter: bool
    ) -> None:
        lifecycle = Lifecycle(["a"])
        if is_entered:
            lifecycle.enter()
        assert lifecycle.adopt("b", to_enter=to_enter) is (is_entered and to_enter)
        assert lifecycle.close() == [("a", is_entered), ("b", is_entered and to_enter)]

    def test_one_that_is_held_already_is_not_entered_again(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        assert not lifecycle.adopt("a", to_enter=True)
        assert lifecycle.close() == [("a", True)]

    def test_one_that_came_later_is_entered_with_the_others_the_next_time(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.adopt("b", to_enter=False)
        assert lifecycle.enter() == ("a", "b")
        assert lifecycle.close() == [("a", True), ("b", True)]

    @pytest.mark.parametrize("to_enter", [False, True])
    def test_one_that_comes_after_a_close_gives_something_to_close_again(
        self, to_enter: bool
    ) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        lifecycle.close()
        assert not lifecycle.adopt("b", to_enter=to_enter)
        assert lifecycle.close() == [("a", False), ("b", False)]

    @pytest.mark.parametrize("is_entered", [False, True])
    def test_one_that_goes_is_closed_as_it_was_entered(self, is_entered: bool) -> None:
        lifecycle = Lifecycle(["a", "b"])
        if is_entered:
            lifecycle.enter()
        assert lifecycle.release(["a"]) == [("a", is_entered)]
        assert lifecycle.close() == [("b", is_entered)]

    def test_one_that_goes_and_comes_back_is_closed_as_it_came_back(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.enter()
        lifecycle.release(["a"])
        lifecycle.adopt("a", to_enter=False)
        assert lifecycle.close() == [("a", False)]

    def test_one_that_goes_after_the_close_has_been_closed(self) -> None:
        lifecycle = Lifecycle(["a"])
        lifecycle.close()
        assert lifecycle.release(["a"]) == []

    @pytest.mark.parametrize("call", ["enter", "close"])
    def test_of_many_threads_exactly_one_is_told_to(self, call: str) -> None:
        came: list[None] = []
        all_have_come = threading.Event()

        class Slow(Lifecycle[str]):
            """Changes when all threads have come: without a lock, all have looked by then."""

            def __setattr__(self, name: str, value: object) -> None:
                assert not came or all_have_come.wait(30)
                super().__setattr__(name, value)

        def told(lifecycle: Lifecycle[str]) -> bool:
            came.append(None)
            if len(came) == THREADS:
                all_have_come.set()
            return bool(getattr(lifecycle, call)())

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(told, [Slow("a")] * THREADS)) == 1


async def test_each_is_entered_and_left_once(flavour: Flavour) -> None:
    calls, owned = spies("ab")
    async with flavour.entered(owner_of(flavour, *owned)):
        assert calls == ["a enter", "b enter"]
    assert calls == ["a enter", "b enter", "a exit", "b exit"]


async def test_entering_gives_the_owner_itself(flavour: Flavour) -> None:
    owner = owner_of(flavour, SpyTransport())
    async with flavour.entered(owner) as entered:
        assert entered is owner


async def test_one_given_three_times_is_entered_and_left_once(flavour: Flavour) -> None:
    spy = SpyTransport()
    async with flavour.entered(owner_of(flavour, spy, spy, spy)):
        pass
    assert spy.calls == ["spy enter", "spy exit"]


async def test_closing_without_entering_closes_and_does_not_exit(flavour: Flavour) -> None:
    calls, owned = spies("ab")
    await flavour.close(owner_of(flavour, *owned))
    assert calls == ["a close", "b close"]


async def test_exiting_without_entering_closes_too(flavour: Flavour) -> None:
    spy = SpyTransport()
    await leave(flavour, owner_of(flavour, spy))
    assert spy.calls == ["spy close"]


async def test_the_second_close_does_nothing(flavour: Flavour) -> None:
    spy = SpyTransport()
    owner = owner_of(flavour, spy)
    await flavour.close(owner)
    await flavour.close(owner)
    assert spy.calls == ["spy close"]


async def test_entered_closed_and_exited_is_left_once(flavour: Flavour) -> None:
    # What a stock client does for `with client: client.close()`.
    spy = SpyTransport()
    owner = owner_of(flavour, spy)
    async with flavour.entered(owner):
        await flavour.close(owner)
        assert spy.calls == ["spy enter", "spy exit"]
    assert spy.calls == ["spy enter", "spy exit"]


async def test_entered_and_exited_has_nothing_left_to_close(flavour: Flavour) -> None:
    spy = SpyTransport()
    owner = owner_of(flavour, spy)
    async with flavour.entered(owner):
        pass
    await flavour.close(owner)
    assert spy.calls == ["spy enter", "spy exit"]


async def test_entered_twice_and_exited_twice_is_one_opening(flavour: Flavour) -> None:
    spy = SpyTransport()
    owner = owner_of(flavour, spy)
    await enter(flavour, owner)
    await enter(flavour, owner)
    await leave(flavour, owner)
    await leave(flavour, owner)
    assert spy.calls == ["spy enter", "spy exit"]


async def test_after_a_close_it_can_be_entered_anew(flavour: Flavour) -> None:
    spy = SpyTransport()
    owner = owner_of(flavour, spy)
    for _ in range(2):
        async with flavour.entered(owner):
            pass
    assert spy.calls == ["spy enter", "spy exit"] * 2


async def test_a_request_opens_nothing_that_is_open(flavour: Flavour) -> None:
    spy = SpyTransport()
    owner = owner_of(flavour, spy)
    async with flavour.entered(owner):
        await flavour.send(owner, REQUEST)
    assert spy.calls == ["spy enter", "spy request", "spy exit"]


async def test_a_request_after_a_close_opens_again_and_the_next_close_closes_again(
    flavour: Flavour,
) -> None:
    calls, owned = spies("ab")
    owner = owner_of(flavour, *owned)
    async with flavour.entered(owner):
        pass
    calls.clear()
    response = await flavour.send(owner, REQUEST)
    await flavour.close(owner)
    await flavour.close(owner)
    assert response.text == "a"
    assert calls == ["a request", "a close", "b close"]


async def test_the_exception_is_handed_on_to_each_exit(flavour: Flavour) -> None:
    _, owned = spies("ab")
    error = ValueError("body")
    with pytest.raises(ValueError, match=r"^body$") as caught:
        async with flavour.entered(owner_of(flavour, *owned)):
            raise error
    assert caught.value is error
    assert [spy.left_with for spy in owned] == [error, error]


async def test_without_an_exception_each_exit_is_told_of_none(flavour: Flavour) -> None:
    told: list[tuple[object, ...]] = []

    class Telling(SpyTransport):
        def __exit__(self, *exc_info: object) -> None:
            told.append(exc_info)

    async with flavour.entered(owner_of(flavour, Telling())):
        pass
    assert told == [(None, None, None)]


async def test_each_exit_is_told_type_value_and_traceback(flavour: Flavour) -> None:
    told: list[tuple[object, ...]] = []

    class Telling(SpyTransport):
        def __exit__(self, *exc_info: object) -> None:
            told.append(exc_info)

    error = ValueError("body")
    with pytest.raises(ValueError, match=r"^body$"):
        async with flavour.entered(owner_of(flavour, Telling())):
            raise error
    ((kind, value, traceback),) = told
    assert (kind, value) == (ValueError, error)
    assert traceback is not None


async def test_an_exit_that_returns_true_swallows_no_error(flavour: Flavour) -> None:
    class Swallowing(SpyTransport):
        def __exit__(self, *exc_info: object) -> bool:  # type: ignore[override]
            return True

        async def __aexit__(self, *exc_info: object) -> bool:  # type: ignore[override]
            return True

    with pytest.raises(ValueError, match=r"^body$"):
        async with flavour.entered(owner_of(flavour, Swallowing())):
            raise ValueError("body")


class TestAFailedClose:
    async def test_still_closes_the_others_and_comes_out(self, flavour: Flavour) -> None:
        error = ValueError("a")
        calls, owned = spies("abc", a={"close": error})
        with pytest.raises(ValueError, match=r"^a$") as caught:
            await flavour.close(owner_of(flavour, *owned))
        assert caught.value is error
        assert calls == ["a close", "b close", "c close"]

    async def test_still_leaves_the_others_and_comes_out(self, flavour: Flavour) -> None:
        error = ValueError("a")
        calls, owned = spies("ab", a={"exit": error})
        with pytest.raises(ValueError, match=r"^a$") as caught:
            async with flavour.entered(owner_of(flavour, *owned)):
                calls.clear()
        assert caught.value is error
        assert calls == ["a exit", "b exit"]

    async def test_counts_as_a_close(self, flavour: Flavour) -> None:
        spy = SpyTransport(failing={"close": ValueError("spy")})
        owner = owner_of(flavour, spy)
        with pytest.raises(ValueError, match=r"^spy$"):
            await flavour.close(owner)
        await flavour.close(owner)
        assert spy.calls == ["spy close"]

    async def test_beside_another_comes_out_in_a_group_with_it(self, flavour: Flavour) -> None:
        errors = ValueError("a"), OSError("c")
        calls, owned = spies("abc", a={"close": errors[0]}, c={"close": errors[1]})
        with pytest.raises(ExceptionGroup, match="closing several transports failed") as caught:
            await flavour.close(owner_of(flavour, *owned))
        assert caught.value.exceptions == errors
        assert calls == ["a close", "b close", "c close"]

    async def test_leaves_the_floor_to_the_error_of_the_body(self, flavour: Flavour) -> None:
        calls, owned = spies("ab", a={"exit": OSError("first")}, b={"exit": OSError("second")})
        error = ValueError("body")
        with pytest.raises(ValueError, match=r"^body") as caught:
            async with flavour.entered(owner_of(flavour, *owned)):
                raise error
        assert caught.value is error
        assert error.__notes__ == [
            "Closing a transport failed as well: OSError('first')",
            "Closing a transport failed as well: OSError('second')",
        ]
        assert calls[2:] == ["a exit", "b exit"]

    async def test_leaves_the_floor_to_an_interrupt_of_the_body(self, flavour: Flavour) -> None:
        _, owned = spies("a", a={"exit": OSError("late")})
        with pytest.raises(KeyboardInterrupt) as caught:
            async with flavour.entered(owner_of(flavour, *owned)):
                raise KeyboardInterrupt
        assert caught.value.__notes__ == ["Closing a transport failed as well: OSError('late')"]


class TestAnInterruptedClose:
    async def test_still_closes_the_others_and_comes_out(self, flavour: Flavour) -> None:
        interrupt = KeyboardInterrupt()
        calls, owned = spies("abc", a={"close": interrupt})
        with pytest.raises(KeyboardInterrupt) as caught:
            await flavour.close(owner_of(flavour, *owned))
        assert caught.value is interrupt
        assert calls == ["a close", "b close", "c close"]

    async def test_comes_out_even_when_the_body_raised(self, flavour: Flavour) -> None:
        interrupt, error = KeyboardInterrupt(), ValueError("body")
        calls, owned = spies("ab", a={"exit": interrupt}, b={"exit": ValueError("closing")})
        with pytest.raises(KeyboardInterrupt) as caught:
            async with flavour.entered(owner_of(flavour, *owned)):
                raise error
        assert caught.value is interrupt
        assert interrupt.__context__ is error
        assert interrupt.__notes__ == ["Closing a transport failed as well: ValueError('closing')"]
        assert calls[2:] == ["a exit", "b exit"]


class TestAFailedEnter:
    async def test_leaves_those_entered_before_in_reverse(self, flavour: Flavour) -> None:
        error = ValueError("c")
        calls, owned = spies("abcd", c={"enter": error})
        with pytest.raises(ValueError, match=r"^c$") as caught:
            await enter(flavour, owner_of(flavour, *owned))
        assert caught.value is error
        assert calls == ["a enter", "b enter", "c enter", "b exit", "a exit"]
        assert [spy.left_with for spy in owned] == [error, error, None, None]

    async def test_of_the_first_has_nothing_to_leave(self, flavour: Flavour) -> None:
        calls, owned = spies("ab", a={"enter": ValueError("a")})
        with pytest.raises(ValueError, match=r"^a$"):
            await enter(flavour, owner_of(flavour, *owned))
        assert calls == ["a enter"]

    async def test_of_an_interrupt_leaves_them_too(self, flavour: Flavour) -> None:
        calls, owned = spies("ab", b={"enter": KeyboardInterrupt()})
        with pytest.raises(KeyboardInterrupt):
            await enter(flavour, owner_of(flavour, *owned))
        assert calls == ["a enter", "b enter", "a exit"]

    async def test_is_followed_by_a_close_that_reaches_all(self, flavour: Flavour) -> None:
        calls, owned = spies("abc", b={"enter": ValueError("b")})
        owner = owner_of(flavour, *owned)
        with pytest.raises(ValueError, match=r"^b$"):
            await enter(flavour, owner)
        calls.clear()
        await flavour.close(owner)
        await flavour.close(owner)
        assert calls == ["a close", "b close", "c close"]

    async def test_can_be_tried_again(self, flavour: Flavour) -> None:
        calls, owned = spies("ab", b={"enter": ValueError("b")})
        owner = owner_of(flavour, *owned)
        with pytest.raises(ValueError, match=r"^b$"):
            await enter(flavour, owner)
        calls.clear()
        owned[1].failing.clear()
        async with flavour.entered(owner):
            pass
        assert calls == ["a enter", "b enter", "a exit", "b exit"]

    async def test_is_not_hidden_by_a_failed_leave(self, flavour: Flavour) -> None:
        error = ValueError("c")
        calls, owned = spies("abc", b={"exit": OSError("b")}, c={"enter": error})
        with pytest.raises(ValueError, match=r"^c") as caught:
            await enter(flavour, owner_of(flavour, *owned))
        assert caught.value is error
        assert error.__notes__ == ["Closing a transport failed as well: OSError('b')"]
        assert calls == ["a enter", "b enter", "c enter", "b exit", "a exit"]


class TestOneThatComesLater:
    async def test_is_entered_and_left_like_the_others(self, flavour: Flavour) -> None:
        calls, (first, late) = spies("ab")
        async with flavour.entered(owner_of(flavour, first)) as owner:
            await flavour.call(owner._hold, late)
            assert calls == ["a enter", "b enter"]
        assert calls[2:] == ["a exit", "b exit"]

    async def test_of_one_that_was_not_entered_is_closed_only(self, flavour: Flavour) -> None:
        calls, (first, late) = spies("ab")
        owner = owner_of(flavour, first)
        await flavour.call(owner._hold, late)
        await flavour.close(owner)
        assert calls == ["a close", "b close"]

    async def test_and_cannot_be_entered_is_not_held(self, flavour: Flavour) -> None:
        calls, (first, late) = spies("ab", b={"enter": ValueError("b")})
        async with flavour.entered(owner_of(flavour, first)) as owner:
            with pytest.raises(ValueError, match=r"^b$"):
                await flavour.call(owner._hold, late)
        assert calls == ["a enter", "b enter", "a exit"]

    async def test_and_goes_again_is_left_once(self, flavour: Flavour) -> None:
        calls, (first, late) = spies("ab")
        async with flavour.entered(owner_of(flavour, first)) as owner:
            await flavour.call(owner._hold, late)
            await flavour.call(owner._let_go, [late])
            assert calls[2:] == ["b exit"]
        assert calls[3:] == ["a exit"]

    async def test_and_goes_after_the_close_is_not_closed_again(self, flavour: Flavour) -> None:
        calls, (first, late) = spies("ab")
        owner = owner_of(flavour, first)
        await flavour.call(owner._hold, late)
        await flavour.close(owner)
        await flavour.call(owner._let_go, [late])
        assert calls == ["a close", "b close"]

    async def test_and_fails_to_close_does_not_hide_what_it_went_for(
        self, flavour: Flavour
    ) -> None:
        _, (first, late) = spies("ab", b={"close": OSError("b")})
        owner = owner_of(flavour, first)
        await flavour.call(owner._hold, late)
        error = ValueError("before")
        await flavour.call(owner._let_go, [late], error)
        assert error.__notes__ == ["Closing a transport failed as well: OSError('b')"]


@given(
    st.lists(st.sampled_from(["__enter__", "__exit__", "close", "request"])),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=5),
)
def test_each_opening_ends_in_one_closing_whatever_is_called(
    calls: list[str], names: list[str]
) -> None:
    by_name = {name: SpyTransport(name) for name in names}
    owner = owner_of(Flavour("sync"), *(by_name[name] for name in names))
    lifecycle, is_open = 1, True
    for call in [*calls, "close"]:
        if call == "request":
            owner.handle_request(REQUEST)
        else:
            getattr(owner, call)()
        opens = call in ("__enter__", "request")
        lifecycle += opens and not is_open
        is_open = opens
    for name, spy in by_name.items():
        is_entered, closings = False, 0
        for call in spy.calls:
            if call == f"{name} enter":
                assert not is_entered
                is_entered = True
            elif call != f"{name} request":
                assert call == f"{name} {'exit' if is_entered else 'close'}"
                is_entered = False
                closings += 1
        assert closings == lifecycle


class TestInAClient:
    async def test_mounted_on_three_keys_it_is_entered_and_left_once(
        self, flavour: Flavour
    ) -> None:
        spy = SpyTransport()
        owner = owner_of(flavour, spy)
        mounts = dict.fromkeys(("http://", "https://", "all://example.com"), owner)
        async with flavour.client(mounts=mounts, transport=SpyTransport()) as client:
            assert (await client.get("http://example.com/")).text == "spy"
        assert spy.calls == ["spy enter", "spy request", "spy exit"]

    async def test_mounted_on_three_keys_it_is_closed_once(self, flavour: Flavour) -> None:
        spy = SpyTransport()
        owner = owner_of(flavour, spy)
        mounts = dict.fromkeys(("http://", "https://", "all://example.com"), owner)
        await close_client(flavour, flavour.client(mounts=mounts, transport=SpyTransport()))
        assert spy.calls == ["spy close"]

    async def test_closed_inside_its_with_block_it_is_left_once(self, flavour: Flavour) -> None:
        spy = SpyTransport()
        async with flavour.client(transport=owner_of(flavour, spy)) as client:
            await close_client(flavour, client)
        assert spy.calls == ["spy enter", "spy exit"]

    async def test_shared_by_two_clients_it_lives_on_after_the_first(
        self, flavour: Flavour
    ) -> None:
        spy = SpyTransport()
        owner = owner_of(flavour, spy)
        async with flavour.client(transport=owner):
            pass
        async with flavour.client(transport=owner) as client:
            assert (await client.get("http://example.com/")).text == "spy"
        assert spy.calls == ["spy enter", "spy exit", "spy enter", "spy request", "spy exit"]


class Suspending(SpyTransport):
    """Hands over to the event loop a few times while it is closed."""

    def __init__(self, name: str, calls: list[str]) -> None:
        super().__init__(name, calls)
        self.began = anyio.Event()

    async def aclose(self) -> None:
        self._called("began to close")
        self.began.set()
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        self._called("closed")

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


@in_async
class TestACancelledClose:
    async def test_is_cut_short_where_nothing_shields_it(self, flavour: Flavour) -> None:
        # What the tests below rely on.
        calls: list[str] = []
        with anyio.CancelScope() as scope:
            scope.cancel()
            await Suspending("bare", calls).aclose()
        assert calls == ["bare began to close"]

    async def test_runs_to_its_end_when_it_was_cancelled_before(self, flavour: Flavour) -> None:
        calls: list[str] = []
        owner = owner_of(flavour, Suspending("a", calls), Suspending("b", calls))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await owner.aclose()
            calls.append("returned")
        assert calls == [
            *("a began to close", "a closed", "b began to close", "b closed"),
            "returned",
        ]

    async def test_runs_to_its_end_when_it_is_cancelled_meanwhile(self, flavour: Flavour) -> None:
        calls: list[str] = []
        first = Suspending("a", calls)
        owner = owner_of(flavour, first, Suspending("b", calls))
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(owner.aclose)
                await first.began.wait()
                scope.cancel()
        assert scope.cancel_called
        assert calls == ["a began to close", "a closed", "b began to close", "b closed"]

    async def test_runs_to_its_end_when_the_body_was_cancelled(self, flavour: Flavour) -> None:
        calls: list[str] = []
        reached = False
        with anyio.CancelScope() as scope:
            async with owner_of(flavour, Suspending("a", calls), Suspending("b", calls)):
                scope.cancel()
                await anyio.lowlevel.checkpoint()
                reached = True
        assert not reached
        assert scope.cancelled_caught
        assert calls[2:] == ["a began to close", "a closed", "b began to close", "b closed"]

    async def test_of_a_cancelled_enter_leaves_those_already_entered(
        self, flavour: Flavour
    ) -> None:
        class Stuck(SpyTransport):
            async def __aenter__(self) -> Self:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
                raise AssertionError("it was not cancelled")

        calls: list[str] = []
        with anyio.CancelScope() as scope:
            await owner_of(flavour, Suspending("a", calls), Stuck("b", calls)).__aenter__()
        assert scope.cancelled_caught
        assert calls == ["a enter", "a began to close", "a closed"]


class TestACloseInACancelledAsyncioTask:
    """`Task.cancel` is asyncio's own, and pierces the shields of anyio once."""

    def cancelled_during(self, calls: list[str], *others: SpyTransport) -> asyncio.Task[None]:
        async def main() -> asyncio.Task[None]:
            first = Suspending("a", calls)
            owner = owner_of(Flavour("asyncio"), first, Suspending("b", calls), *others)
            task = asyncio.create_task(owner.aclose())
            await first.began.wait()
            task.cancel()
            await asyncio.wait([task])
            return task

        return asyncio.run(main())

    def test_ends_as_cancelled(self) -> None:
        assert self.cancelled_during([]).cancelled()

    def test_ends_as_cancelled_even_when_another_close_failed(self) -> None:
        task = self.cancelled_during([], SpyTransport(failing={"close": ValueError("other")}))
        # Asking also tells asyncio that the error was seen.
        assert task.cancelled() or task.exception() is None

    def test_still_closes_the_others(self) -> None:
        calls: list[str] = []
        self.cancelled_during(calls)
        assert calls[-2:] == ["b began to close", "b closed"]
