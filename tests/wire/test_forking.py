"""What starts afresh in a child process; with a real fork() in network/test_fork.py."""

import gc
import subprocess
import sys
import weakref

from transportkit.wire.forking import _methods, _renew_all, renew_in_child


class State:
    """Counts how often it was renewed."""

    def __init__(self) -> None:
        self.renewed = 0
        renew_in_child(self.renew)

    def renew(self) -> None:
        self.renewed += 1


def test_all_that_there_is_starts_afresh() -> None:
    states = [State(), State()]
    _renew_all()
    assert [state.renewed for state in states] == [1, 1]


def test_what_is_no_longer_used_is_let_go() -> None:
    state = State()
    gone = weakref.ref(state)
    before = len(_methods)
    del state
    gc.collect()
    assert gone() is None
    assert len(_methods) < before


def test_what_goes_meanwhile_is_passed_over() -> None:
    states: list[State] = []

    class LettingGo(State):
        def renew(self) -> None:
            super().renew()
            states.clear()

    states += [LettingGo() for _ in range(2)]
    first, other = map(weakref.ref, states)
    _renew_all()
    gc.collect()
    assert (first(), other()) == (None, None)


def test_what_lives_to_the_end_of_the_program_ends_in_silence() -> None:
    program = "import transportkit; kept = transportkit.HSTSStore(); kept.itself = kept"
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
