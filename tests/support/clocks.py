"""A rotation's clock in the hands of a test: nobody waits until a rest is over."""

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
    """The clock of a rotation, stopped; what it draws at random is this number from now on."""
    roster = rotation._rotation.roster
    roster.clock = clock = Clock()
    roster.random = lambda: random
    return clock
