"""The public names of transportkit, for the library that the tests run on."""

import importlib
from typing import TYPE_CHECKING

from .library import LIBRARY

if TYPE_CHECKING:
    from transportkit import *  # noqa: F403 - all of them, by their own names
else:

    def __getattr__(name: str) -> object:
        package = "transportkit" if LIBRARY == "httpx" else f"transportkit.{LIBRARY}"
        return getattr(importlib.import_module(package), name)
