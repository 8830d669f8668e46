"""The library that the tests do not run on: transports have to tell its requests where to go."""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from .library import LIBRARY

NAME = "httpx2" if LIBRARY == "httpx" else "httpx"
# Where transportkit has its transports for it.
PACKAGE = "transportkit" if NAME == "httpx" else f"transportkit.{NAME}"

if TYPE_CHECKING:
    import httpx as httpx
else:
    httpx = pytest.importorskip(NAME)


def transportkit() -> ModuleType:
    """The package with its transports."""
    return importlib.import_module(PACKAGE)


def advice(transport: str) -> str:
    """The regular expression for what a transport says to a request of that library."""
    return rf"^this {transport} is for {LIBRARY}, .*: write from {PACKAGE} import {transport}$"
