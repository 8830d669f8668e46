"""The state that tenacity's strategies are called with.

Importing it imports tenacity, which takes long: most programs never see a first attempt fail.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from tenacity import Future, RetryCallState, Retrying

from ..wire.library import Request, Response

# The object that a state belongs to. It is never asked, and slow to make.
_RETRYING = Retrying()


class CallState(RetryCallState):
    """A `RetryCallState` that makes a `Future`, which has a lock, only if somebody looks.

    Arguments:
        send: the method that sends the request, for tenacity's log lines.
        request: what is sent.
        started: when its first attempt began, by `time.monotonic`.

    Attributes:
        ended_in: what the last attempt ended in.
    """

    def __init__(self, send: Callable[..., object], request: Request, started: float) -> None:
        super().__init__(_RETRYING, send, (request,), {})
        self.start_time = started

    def end(self, outcome: Response | Exception, now: float) -> None:
        """Record what an attempt ended in, and when."""
        self.ended_in: Response | Exception | None = outcome
        self._future: Future | None = None
        self.outcome_timestamp: float | None = now

    if not TYPE_CHECKING:  # pragma: no branch - for type checkers, what is missing is missing

        def __getattr__(self, name: str) -> NoReturn:
            # Many expect the response itself.
            raise AttributeError(
                f"a strategy is called with a RetryCallState, which has no {name!r}: the response, if "
                "not state.outcome.failed, is state.outcome.result()",
                name=name,
            )

    # An attribute there, which is made when it is asked for here.
    @property
    def outcome(self) -> Future | None:
        if self._future is None and self.ended_in is not None:
            self._future = Future(self.attempt_number)
            if isinstance(self.ended_in, Exception):
                self._future.set_exception(self.ended_in)
            else:
                self._future.set_result(self.ended_in)
        return self._future

    @outcome.setter
    def outcome(self, value: Future | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        # tenacity sets it to None before each attempt.
        self.ended_in, self._future = None, value
