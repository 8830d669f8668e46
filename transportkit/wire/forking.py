"""Shared state in a child process after `fork()`: it starts afresh.

A child inherits locks that other threads of its parent held, requests of threads that it does not
have, and connections that its parent goes on using. All such state is renewed in the child before
anything else runs there.
"""

import os
import sys
from collections.abc import Callable
from weakref import WeakMethod

_methods: set[WeakMethod[Callable[[], None]]] = set()


def renew_in_child(renew: Callable[[], None]) -> None:
    """Call a method in each child process that is forked from now on, while its object lives."""
    _methods.add(WeakMethod(renew, _methods.discard))


def _renew_all() -> None:
    for method in list(_methods):
        if (renew := method()) is not None:
            renew()


if sys.platform != "win32":  # pragma: no branch - the tests run where there is fork()
    os.register_at_fork(after_in_child=_renew_all)
