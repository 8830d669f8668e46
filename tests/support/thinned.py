"""Matrices of which the quick run takes each value of each axis, and the slow run all."""

import itertools
from collections.abc import Iterable
from typing import Any

import pytest


def thinned(*axes: Iterable[Any], start: int = 0) -> list[Any]:
    """The product of all axes, for `pytest.mark.parametrize`; most of it is slow.

    Quick are as many as the longest axis has values: each of them once, with the values of
    the other axes by turns.

    Arguments:
        axes: the values of each argument. Those of several arguments that are to meet in
            the quick run, too, are one axis of tuples.
        start: where the turns begin, so that tests of the same axes differ.
    """
    values = [tuple(axis) for axis in axes]
    longest = max(range(len(values)), key=lambda number: len(values[number]))
    params = []
    for places in itertools.product(*(range(len(axis)) for axis in values)):
        turn = places[longest]
        is_quick = all(
            number == longest or place == (start + turn + turn // len(axis)) % len(axis)
            for number, (place, axis) in enumerate(zip(places, values, strict=True))
        )
        marks = () if is_quick else (pytest.mark.slow,)
        chosen: list[Any] = []
        for place, axis in zip(places, values, strict=True):
            value = axis[place]
            chosen.extend(value if isinstance(value, tuple) else (value,))
        params.append(pytest.param(*chosen, marks=marks))
    return params
