"""Matrices of parameters, of which the quick run takes each value once, and the slow run all."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def named(values: Mapping[str, Any]) -> list[Any]:
    """The values of an axis, called by their keys in the names of the tests."""
    return [pytest.param(value, id=name) for name, value in values.items()]


def thinned(*axes: Iterable[Any], start: int = 0) -> list[Any]:
    """The product of all axes, for `pytest.mark.parametrize`; most of it is marked slow.

    Quick are as many as the longest axis has values: each of them once, with the values of
    the other axes by turns.

    Arguments:
        axes: the values of each argument, or what `pytest.param` returns; one that is slow
            stays so. Those of several arguments that are to meet in the quick run, too, are
            one axis of tuples.
        start: where the turns begin, so that tests of the same axes differ.
    """
    values = [[_param(value, place) for place, value in enumerate(axis)] for axis in axes]
    longest = max(range(len(values)), key=lambda number: len(values[number]))
    params = []
    for places in itertools.product(*(range(len(axis)) for axis in values)):
        turn = places[longest]
        is_quick = all(
            number == longest or place == (start + turn + turn // len(axis)) % len(axis)
            for number, (place, axis) in enumerate(zip(places, values, strict=True))
        )
        parts = [axis[place] for place, axis in zip(places, values, strict=True)]
        marks = [mark for part in parts for mark in part.marks]
        params.append(
            pytest.param(
                *(value for part in parts for value in part.values),
                id="-".join(part.id for part in parts),
                marks=marks if is_quick else [*marks, pytest.mark.slow],
            )
        )
    return params


def _param(value: Any, place: int) -> Any:
    """One value of an axis, with a name."""
    if not isinstance(value, type(pytest.param())):
        value = pytest.param(*(value if isinstance(value, tuple) else (value,)))
    name = value.id or "-".join(_name(part, place) for part in value.values)
    return pytest.param(*value.values, id=name, marks=value.marks)


def _name(value: Any, place: int) -> str:
    if value is None or isinstance(value, (str, int, float)):
        return str(value)
    return str(getattr(value, "__name__", place))
