"""Matrices of parameters: a thin form of each is quick, the rest of it slow."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from .flavours import NAMES

# For the last argument of a matrix, with `indirect=["flavour"]`.
FLAVOURS = {name: name for name in NAMES}


def matrix(first: Mapping[str, Any], *others: Mapping[str, Any]) -> list[Any]:
    """Every combination, for `pytest.mark.parametrize`; most of them are marked slow.

    Quick are so many that each value of the first axis stands in one of them, and each
    combination of the others.

    Arguments:
        first: the values of the longest axis, by what they are called in the test's name.
        others: the same of the other axes.
    """
    firsts, combinations = list(first), list(product(*others))
    quick = {
        (firsts[row % len(firsts)], *combinations[row % len(combinations)])
        for row in range(max(len(firsts), len(combinations)))
    }
    axes = (first, *others)
    return [
        pytest.param(
            *(axis[name] for axis, name in zip(axes, names, strict=True)),
            id="-".join(names),
            marks=[] if names in quick else pytest.mark.slow,
        )
        for names in product(*axes)
    ]
