"""Stand-ins for the members of a rotation, where only their shares matter."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(eq=False)
class Seat:
    label: str
    weight: float = 1
    in_flight: int = 0

    def __repr__(self) -> str:
        return self.label


def seats(weights: Collection[float]) -> list[Seat]:
    return [Seat(f"s{number}", weight) for number, weight in enumerate(weights)]
