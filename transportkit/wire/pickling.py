"""Refusal to pickle or copy an object that stays in its process, with what to send in its place."""

from typing import NoReturn


class Unpicklable:
    """An object with a part that no other process can have.

    A subclass says what that is, and what to do instead.
    """

    _holds: str = "connections"
    _instead: str = "send its arguments and make another one in the other process"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"cannot pickle {type(self).__name__}, which holds {self._holds}: {self._instead}"
        )
