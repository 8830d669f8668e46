"""Shared state in a child process after `fork()`: it starts afresh.

A child inherits locks that other threads of its parent held, requests of threads that it does not
have, and connections that its parent goes on using. All such state is renewed in the child before
anything else runs there.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from types import MethodType
from weakref import ref

# By the identity of the object, as equality is for its class to define.
_methods: dict[int, tuple[ref[object], Callable[[object], None]]] = {}


def renew_in_child(renew: Callable[[], None]) -> None:
    """Call a method in each child process that is forked from now on, while its object lives.

    It is the only one of its object.
    """
    assert isinstance(renew, MethodType)
    owner = renew.__self__
    # A WeakMethod would fail aloud where an object lives until the interpreter ends.
    _methods[id(owner)] = (ref(owner, partial(_methods.pop, id(owner))), renew.__func__)


def _renew_all() -> None:
    for owner, renew in list(_methods.values()):
        if (living := owner()) is not None:
            renew(living)


if sys.platform != "win32":  # pragma: no branch - the tests run where there is fork()
    os.register_at_fork(after_in_child=_renew_all)
