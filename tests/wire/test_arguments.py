"""Arguments that could not work are refused in words that say what to write."""

import functools
import re
from typing import Any

import pytest

from transportkit.wire.arguments import (
    check_count,
    check_flag,
    check_number,
    is_coroutine_function,
    takes_one_argument,
)


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

    @pytest.mark.parametrize("value", [0, 1, 10**400])
    def test_that_counts_is_taken(self, value: int) -> None:
        check_count("max", value, "bytes")

    @pytest.mark.parametrize("value", [None, "1", True, False, 1.0, -0.5, float("nan")])
    def test_that_is_not_whole_counts_nothing(self, value: object) -> None:
        text = f"^max must be a whole number of bytes, not {value!r}$"
        with pytest.raises(TypeError, match=text):
            check_count("max", value, "bytes")

    def test_below_nothing_counts_nothing(self) -> None:
        with pytest.raises(ValueError, match=r"^max must be 0 or more bytes, not -1$"):
            check_count("max", -1, "bytes")

    @pytest.mark.parametrize("value", [None, "1", True])
    def test_is_a_number(self, value: object) -> None:
        with pytest.raises(TypeError, match=r"^max must be a number of seconds, not "):
            check_number("max", value, "seconds")


class TestAFlag:
    @pytest.mark.parametrize("value", [True, False])
    def test_is_true_or_false(self, value: bool) -> None:
        check_flag("color", value)
        check_flag("color", value, may_be_none=True)

    def test_may_be_none(self) -> None:
        check_flag("color", None, may_be_none=True)
        with pytest.raises(TypeError, match=r"^color must be True or False, not None$"):
            check_flag("color", None)

    @pytest.mark.parametrize("value", ["no", "", 0, 1, []])
    def test_is_nothing_that_only_looks_like_one(self, value: object) -> None:
        for may_be_none, choices in ((False, "True or False"), (True, "True, False or None")):
            text = rf"^color must be {choices}, not {re.escape(repr(value))}$"
            with pytest.raises(TypeError, match=text):
                check_flag("color", value, may_be_none=may_be_none)


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


def one(_: object) -> None:
    """Takes one."""


def two(_: object, __: object) -> None:
    """Takes two."""


@functools.wraps(two)
def decorated(_: object) -> None:
    """Takes one and says that it takes two."""


@pytest.mark.parametrize(
    ("function", "does"),
    [
        (one, True),
        (two, False),
        (decorated, True),
        (functools.partial(two, 1), True),
        (functools.partial(one, 1), False),
        (lambda: None, False),
        (lambda *_: None, True),
        (lambda _, other=1: None, True),
        (lambda _, *, other: None, False),
        (print, True),
        # Nobody knows what it takes.
        (min, True),
    ],
)
def test_whether_a_function_takes_one_argument_is_known(function: Any, does: bool) -> None:
    assert takes_one_argument(function) is does
