"""The library that the tests run on: httpx, or httpx2 with `pytest --library httpx2`.

Tests import it, and transportkit's names for it, from here and from `support.transportkit`.
"""

import importlib
import os
from types import ModuleType
from typing import TYPE_CHECKING

# The environment takes it to the workers of pytest-xdist and to the programs that tests start.
VARIABLE = "TRANSPORTKIT_TESTS_LIBRARY"
LIBRARY = os.environ.get(VARIABLE, "httpx")

if TYPE_CHECKING:
    import httpcore as httpcore
    import httpx as httpx
else:
    httpx = importlib.import_module(LIBRARY)
    httpcore = importlib.import_module(LIBRARY.replace("httpx", "httpcore"))


def shell(name: str) -> ModuleType:
    """A module of `transportkit.httpx`, or the one of that name in `transportkit.httpx2`."""
    return importlib.import_module(f"transportkit.{LIBRARY}.{name}")
