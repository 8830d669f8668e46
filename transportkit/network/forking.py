"""Shared state in a child process after `fork()`: it starts afresh.

A child inherits locks that other threads of its parent held, and connections that its parent
goes on using. All such state is renewed in the child before anything else runs there.
"""

import os
import sys
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """State with locks or connections."""

    def renew(self) -> None: ...


_renewables: WeakSet[Renewable] = WeakSet()


def renew_in_child(state: Renewable) -> None:
    """Call `state.renew()` in each child process that is forked from now on."""
    _renewables.add(state)


def _renew_all() -> None:
    for state in list(_renewables):
        state.renew()


if sys.platform != "win32":  # pragma: no branch - the tests run where there is fork()
    os.register_at_fork(after_in_child=_renew_all)
