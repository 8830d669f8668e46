"""Arguments that could not work are refused in words that say what to write."""

import functools
from typing import Any

import pytest

from transportkit._arguments import check_number, is_coroutine_function


class TestANumber:
    @pytest.mark.parametrize(
        ("value", "how"),
        [
            (0, {}),
            (1.5, {"positive": True}),
            (float("inf"), {"positive": True}),
            (0, {"finite": True}),
            (1e308, {"positive": True, "finite": True}),
        ],
    )
    def test_that_makes_sense_is_taken(self, value: float, how: dict[str, bool]) -> None:
        check_number("max", value, "seconds", **how)

    @pytest.mark.parametrize(
        ("value", "how", "text"),
        [
            (-1, {}, "max must be 0 or more seconds, not -1"),
            (0, {"positive": True}, "max must be above 0 seconds, not 0"),
            (float("nan"), {}, "max must be 0 or more seconds, not nan"),
            (float("inf"), {"finite": True}, "max must be a finite number of seconds 0 or more"),
            (10**400, {"positive": True, "finite": True}, "max must be a finite number of seconds"),
            (0, {"positive": True, "finite": True}, "a finite number of seconds above 0, not 0"),
        ],
    )
    def test_that_makes_none_is_refused(
        self, value: float, how: dict[str, bool], text: str
    ) -> None:
        with pytest.raises(ValueError, match=text):
            check_number("max", value, "seconds", **how)

    @pytest.mark.parametrize("value", [None, "1", True])
    def test_is_a_number(self, value: object) -> None:
        with pytest.raises(TypeError, match=r"^max must be a number of seconds, not "):
            check_number("max", value, "seconds")


async def waits() -> None:
    """Gives a coroutine."""


class Waiting:
    async def __call__(self) -> None:
        """Gives a coroutine, too."""


@pytest.mark.parametrize(
    ("function", "is_one"),
    [
        (waits, True),
        (Waiting(), True),
        (functools.partial(waits), True),
        (print, False),
        (3, False),
    ],
)
def test_a_coroutine_function_is_known_in_all_its_forms(function: Any, is_one: bool) -> None:
    assert is_coroutine_function(function) is is_one
