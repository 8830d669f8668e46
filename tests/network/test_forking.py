"""What starts afresh in a child process; with a real fork() in test_transport.py."""

import gc
import weakref

from transportkit.network.forking import _renew_all, renew_in_child


class State:
    """Counts how often it was renewed."""

    def __init__(self) -> None:
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1


def test_all_that_there_is_starts_afresh() -> None:
    states = [State(), State()]
    for state in states:
        renew_in_child(state)
    _renew_all()
    assert [state.renewed for state in states] == [1, 1]


def test_what_is_no_longer_used_is_let_go() -> None:
    state = State()
    gone = weakref.ref(state)
    renew_in_child(state)
    del state
    gc.collect()
    assert gone() is None
