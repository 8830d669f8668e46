"""A rotation's clock in the hands of a test: no test waits until an ejection is over."""

from typing import Any


class Clock:
    """Stands still until it is moved, by setting `now`.

    Attributes:
        now: seconds.
    """

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def stopped(rotation: Any, random: float = 0.0) -> Clock:
    """The clock of a rotation, stopped; it draws this number at random from now on."""
    pool = rotation._rotation.pool
    pool.clock = clock = Clock()
    pool.random = lambda: random
    return clock
