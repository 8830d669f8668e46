"""A switch for tests: all retries at once, or none, in the whole process or in a block."""

from contextlib import AbstractContextManager
from typing import Literal, get_args

Mode = Literal["normal", "immediate", "off"]

_mode: Mode = "normal"


class _Block(AbstractContextManager[None]):
    """Sets the switch back at its end."""

    def __init__(self, before: Mode) -> None:
        self._before = before

    def __exit__(self, *exc_info: object) -> None:
        global _mode  # noqa: PLW0603 - it is one for the process
        _mode = self._before


def set_retries(mode: Mode) -> AbstractContextManager[None]:
    """Make all retries immediate, or switch them off, for tests of code that retries.

    It holds for the retry and resume transports of the whole process, at once and until it is
    set again; as a context manager, to the end of the block.

    Arguments:
        mode: "immediate" for no waits, "off" for no second attempt, or "normal".

    Raises:
        ValueError: another mode.

    >>> import httpx
    >>> from transportkit import RetryTransport
    >>> server = httpx.MockTransport(lambda request: httpx.Response(503))
    >>> with set_retries("immediate"), httpx.Client(transport=RetryTransport(server)) as client:
    ...     len(client.get("https://example.com/").extensions["attempts"])
    4
    """
    global _mode
    if mode not in get_args(Mode):
        raise ValueError(f'mode must be "normal", "immediate" or "off", not {mode!r}')
    before, _mode = _mode, mode
    return _Block(before)


def is_off() -> bool:
    """True if there are no retries."""
    return _mode == "off"


def switched(wait: float) -> float:
    """The seconds that a wait takes."""
    return 0.0 if _mode == "immediate" else wait
