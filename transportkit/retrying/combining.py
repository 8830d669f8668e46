"""The form of tenacity's strategies: how they are called, combined and checked.

tenacity's own combine with anything that offers `|`, `&` or `+` and a call.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, SupportsFloat

from ..redaction.redaction import echoed
from ..wire.arguments import class_advice, is_coroutine_function, takes_one_argument
from ..wire.io import async_result_of, result_of
from .notation import written

if TYPE_CHECKING:
    from tenacity import RetryCallState

# One that is a coroutine function is for the async transports alone.
Predicate = Callable[["RetryCallState"], bool | Awaitable[bool]]
Wait = Callable[["RetryCallState"], float]


class Strategy:
    """A strategy that equals another of the same arguments, as it does in another process."""

    argument_of_policy = "wait"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))


class Condition(Strategy, ABC):
    """A predicate that combines with others, as tenacity's do."""

    argument_of_policy = "retry"

    @abstractmethod
    def __call__(self, retry_state: "RetryCallState") -> bool: ...

    def __or__(self, other: Predicate) -> "Condition":
        return AnyOf(self, other)

    def __ror__(self, other: Predicate) -> "Condition":
        return AnyOf(other, self)

    def __and__(self, other: Predicate) -> "Condition":
        return AllOf(self, other)

    def __rand__(self, other: Predicate) -> "Condition":
        return AllOf(other, self)


class Combination(Condition):
    """Conditions that are asked from left to right, as far as they are needed."""

    def __init__(self, *predicates: Predicate) -> None:
        self.predicates = predicates

    def __call__(self, retry_state: "RetryCallState") -> bool:
        return ask(self, retry_state)

    def __repr__(self) -> str:
        return written(self)


class AnyOf(Combination):
    """Conditions of which one is enough."""


class AllOf(Combination):
    """Conditions that all have to hold."""


def ask(predicate: Predicate, state: "RetryCallState") -> bool:
    """The answer of a predicate."""
    if isinstance(predicate, Combination):
        decisive = isinstance(predicate, AnyOf)
        for part in predicate.predicates:
            if ask(part, state) is decisive:
                return decisive
        return not decisive
    return bool(result_of(predicate(state)))


async def async_ask(predicate: Predicate, state: "RetryCallState") -> bool:
    """The answer of a predicate, which may be a coroutine function."""
    if isinstance(predicate, Combination):
        decisive = isinstance(predicate, AnyOf)
        for part in predicate.predicates:
            if await async_ask(part, state) is decisive:
                return decisive
        return not decisive
    return bool(await async_result_of(predicate(state)))


class Sum(Strategy):
    """Waits that follow one another."""

    def __init__(self, *waits: Wait) -> None:
        self.waits = waits

    def __call__(self, retry_state: "RetryCallState") -> float:
        return sum(wait(retry_state) for wait in self.waits)

    def __add__(self, other: Wait) -> "Sum":
        return Sum(*self.waits, other)

    def __radd__(self, other: Wait | int) -> "Sum":
        # sum() begins with 0.
        return self if isinstance(other, int) else Sum(other, *self.waits)

    def __repr__(self) -> str:
        return written(self)


def seconds_of(wait: object) -> float:
    """The seconds that a wait strategy has returned.

    Raises:
        TypeError: that is not a number.
    """
    if not isinstance(wait, SupportsFloat):
        raise TypeError(
            f"wait must return a number of seconds, not {echoed(wait)}: write one such as "
            "tenacity.wait_fixed(1)"
        )
    return float(wait)


def check_strategy(
    name: str, strategy: object, example: str, *, may_be_async: bool = False
) -> None:
    """Refuse a strategy that could not be called, or whose result would always be the same.

    Arguments:
        name: that of the argument.
        strategy: the value of the argument.
        example: what to write instead.
        may_be_async: True if it is awaited, alone or as a part of one of ours.

    Raises:
        TypeError: the text says what to write.
    """
    for part in _parts(strategy):
        if not callable(part):
            raise TypeError(f"{name} must be a callable such as {example}, not {echoed(part)}")
        if isinstance(part, type) and issubclass(part, BaseException):
            raise TypeError(
                f"{name}: {part.__name__} is an error's class: write "
                f"tenacity.retry_if_exception_type({part.__name__})"
            )
        if advice := class_advice(part):
            raise TypeError(f"{name}: {advice}")
        if is_coroutine_function(part) and not (may_be_async and _is_awaited(part, strategy)):
            raise TypeError(
                f"{name} must not be a coroutine function, whose result is always true: write a "
                f"plain function such as {example}"
            )
    for part in _parts(strategy):
        if (meant := _argument_of(part)) not in ("", "wait" if name == "fallback" else name):
            kind = type(part).__name__
            raise TypeError(f"{name}: a {kind} is for {meant}: write {meant}={kind}(...)")
    if callable(strategy) and not takes_one_argument(strategy):
        raise TypeError(
            f"{name} is called with one argument, a RetryCallState, which {echoed(strategy)} does not "
            f"take: write a callable such as {example}"
        )


def has_coroutine_function(strategy: object) -> bool:
    """True if a strategy is a coroutine function, or has one as a part."""
    return any(map(is_coroutine_function, _parts(strategy)))


def _argument_of(part: object) -> str:
    """The argument of a policy that a strategy of ours or tenacity's is made for; empty for others."""
    if isinstance(part, Strategy):
        return part.argument_of_policy
    package, _, module = type(part).__module__.partition(".")
    return module if package == "tenacity" and module in ("retry", "stop", "wait") else ""


def _is_awaited(part: object, strategy: object) -> bool:
    if isinstance(strategy, Combination):
        return any(_is_awaited(part, each) for each in strategy.predicates)
    # Those of `tenacity.asyncio` await their parts.
    return is_coroutine_function(strategy) and any(part is each for each in _parts(strategy))


def _parts(strategy: object) -> Iterator[object]:
    """A strategy, and those that it is composed of."""
    yield strategy
    # The attributes in which tenacity's combinations and ours keep their parts.
    names = ("retries", "stops", "wait_funcs", "strategies", "predicates", "waits")
    parts = [part for name in names for part in getattr(strategy, name, ())]
    for part in (*parts, *filter(None, [getattr(strategy, "func", None)])):
        yield from _parts(part)
