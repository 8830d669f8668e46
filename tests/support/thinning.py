"""A matrix of parameters: all of it with `--slow`, and without it each value once."""

from collections.abc import Sequence
from itertools import count, product
from typing import Any

import pytest


def thinned(rows: Sequence[Any], *axes: Sequence[str]) -> list[Any]:
    """Each row with each combination of the axes; one of them, in turn, is quick.

    Arguments:
        rows: tuples, or what `pytest.param` returns; a row that is slow stays so.
        axes: the values of each further parameter.
    """
    columns = list(product(*axes))
    parameters = []
    turn = count()
    for row in rows:
        values, marks = (row, ()) if type(row) is tuple else row[:2]
        quick = None if marks else next(turn) % len(columns)
        parameters += [
            pytest.param(
                *values,
                *column,
                id="-".join(map(str, (*values, *column))),
                marks=() if place == quick else pytest.mark.slow,
            )
            for place, column in enumerate(columns)
        ]
    return parameters
