"""Classes whose wrong arguments are refused with what to write instead."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TypeVar

T = TypeVar("T")

_MEANT = "_meant"


def advising(**meant: str) -> Callable[[type[T]], type[T]]:
    """A class decorator: an unknown or a missing argument is refused with what to write instead.

    Arguments:
        meant: what to write, for arguments that people are likely to try.
    """

    def decorate(kind: type[T]) -> type[T]:
        original = kind.__init__

        @wraps(original)
        def init(self: T, *args: object, **kwargs: object) -> None:
            try:
                original(self, *args, **kwargs)
            except TypeError:
                signature = inspect.signature(original)
                kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
                parameters = list(signature.parameters.values())[1:]
                names = [parameter.name for parameter in parameters if parameter.kind in kinds]
                takes_others = "kwargs" in signature.parameters
                for name in kwargs:
                    if name not in names and not takes_others:
                        raise TypeError(_unknown(kind.__name__, name, names, meant)) from None
                try:
                    given = signature.bind_partial(self, *args, **kwargs).arguments
                except TypeError:
                    raise TypeError(_too_many(kind.__name__, parameters)) from None
                for name in names:
                    is_needed = signature.parameters[name].default is inspect.Parameter.empty
                    if is_needed and name not in given:
                        text = f"{kind.__name__} needs {name}: write {kind.__name__}({name}=...)"
                        raise TypeError(text) from None
                raise

        kind.__init__ = init  # type: ignore[assignment] # the same but for its errors
        setattr(kind, _MEANT, meant)
        return kind

    return decorate


def field_meant(value: object, name: str) -> str:
    """The way to write an argument of the class of a value; empty if it has none like that.

    Arguments:
        value: what another argument is by default.
        name: an argument that was given beside it.
    """
    kind = type(value)
    if name in getattr(kind, "__dataclass_fields__", ()):
        return f"{kind.__name__}({name}=...)"
    meant: str = getattr(kind, _MEANT, {}).get(name, "")
    return f"{kind.__name__}({meant})" if meant else ""


def _unknown(kind: str, name: str, names: Sequence[str], meant: Mapping[str, str]) -> str:
    from difflib import get_close_matches

    if name in meant:
        return f"{kind} has no argument {name!r}: write {meant[name]}"
    if close := get_close_matches(name, names, 1):
        return f"{kind} has no argument {name!r}: did you mean {close[0]}?"
    choice = "one of " if names[1:] else ""
    return f"{kind} has no argument {name!r}: write {choice}{', '.join(names)}"


def _too_many(kind: str, parameters: Sequence[inspect.Parameter]) -> str:
    words = [
        f"{parameter.name}=..." if parameter.kind is parameter.KEYWORD_ONLY else parameter.name
        for parameter in parameters
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    return f"{kind} has too many arguments without a name: write {kind}({', '.join(words)})"
