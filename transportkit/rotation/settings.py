"""What a rotation can be told, checked."""

from collections.abc import Callable
from typing import NamedTuple

from ..wire.arguments import is_coroutine_function
from .health import Cooldown


class Settings(NamedTuple):
    """The arguments of `ProxyRoundRobin` that decide."""

    order: str
    sticky: Callable[..., object] | None
    banned: Callable[..., object] | None
    cooldown: Cooldown
    max_tries: int
    when_all_down: str

    def check(self) -> None:
        """Refuse what cannot work.

        Raises:
            TypeError, ValueError: the text names the argument and says what to write.
        """
        _check_choice("order", self.order, ("round_robin", "least_busy"))
        _check_choice("when_all_down", self.when_all_down, ("try", "raise"))
        _check_function("sticky", self.sticky, "transportkit.sticky_by_host")
        _check_function("banned", self.banned, "lambda response: response.status_code == 403")
        if not isinstance(self.cooldown, Cooldown):
            raise TypeError(
                f"cooldown must be a Cooldown such as Cooldown(), not {self.cooldown!r}"
            )
        is_count = isinstance(self.max_tries, int) and not isinstance(self.max_tries, bool)
        if not is_count or self.max_tries < 1:
            raise ValueError(f"max_tries must be a whole number from 1 up, not {self.max_tries!r}")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        written = " or ".join(map(repr, choices))
        raise ValueError(f"{name} must be {written}, not {value!r}")


def _check_function(name: str, function: object, example: str) -> None:
    if function is None:
        return
    if not callable(function):
        raise TypeError(f"{name} must be a callable such as {example}, not {function!r}")
    if is_coroutine_function(function):
        raise TypeError(
            f"{name} must not be a coroutine function, which is never waited for: write a plain "
            f"function such as {example}"
        )
