"""Checks of arguments; an error text names the argument and says what to write instead."""

import inspect
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .library import is_a, library_name


def check_number(
    name: str, value: object, unit: str, *, positive: bool = False, finite: bool = False
) -> None:
    """Refuse a value that is not a number, or out of range.

    Arguments:
        name: of the argument.
        value: what was given for it.
        unit: what it counts, in the plural.
        positive: True if 0 is refused.
        finite: True if infinity is refused.

    Raises:
        TypeError, ValueError: the text names the argument.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of {unit}, not {value!r}")
    least = "above 0" if positive else "0 or more"
    is_enough = value > 0 if positive else value >= 0
    if finite and not (is_enough and value <= sys.float_info.max):
        raise ValueError(f"{name} must be a finite number of {unit} {least}, not {value!r}")
    if not is_enough:
        raise ValueError(f"{name} must be {least} {unit}, not {value!r}")


def check_count(name: str, value: object, unit: str) -> None:
    """Refuse a value that is not a whole number from 0 up; the arguments are those of `check_number`.

    Raises:
        TypeError, ValueError: the text names the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number of {unit}, not {value!r}")
    check_number(name, value, unit)


def check_flag(name: str, value: object, *, may_be_none: bool = False) -> None:
    """Refuse a value that is neither True nor False: the string "no" is truthy.

    Arguments:
        name: of the argument.
        value: what was given for it.
        may_be_none: True if None is a third choice.

    Raises:
        TypeError: the text names the argument.
    """
    if not isinstance(value, bool) and not (may_be_none and value is None):
        choices = "True, False or None" if may_be_none else "True or False"
        raise TypeError(f"{name} must be {choices}, not {value!r}")


def is_coroutine_function(function: object) -> bool:
    """True for a coroutine function, and for an object whose `__call__` is one, or a partial."""
    function = function.func if isinstance(function, partial) else function
    call = getattr(function, "__call__", None)  # noqa: B004 - an object may have an async one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def takes_one_argument(function: Callable[..., object]) -> bool:
    """False if a function certainly cannot be called with one positional argument."""
    static = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(static, staticmethod):
        # Python 3.11 would take its argument for a `self`.
        function = static.__func__
    try:
        # A decorated function may take more than its decorator is given.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        # Some builtins have no signature.
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def class_advice(value: object) -> str:
    """Advice to make an instance, for a class; empty for anything else."""
    if not inspect.isclass(value):
        return ""
    return f"{value.__name__} is a class: write {value.__name__}(...)"


def library_advice(thing: object, kind: type, name: str) -> str:
    """The import that serves a request or a transport of the other library; empty if it is ours.

    Arguments:
        thing: the request or transport.
        kind: a class of the library that is needed.
        name: of the transport that it was given to.
    """
    needed, given = library_name(kind), library_name(thing)
    if given in ("", needed):
        return ""
    module = "transportkit" if given == "httpx" else f"transportkit.{given}"
    return (
        f"this {name} is for {needed}, and {type(thing).__name__} is from {given}: write "
        f"from {module} import {name}"
    )


def check_request(request: object, owner: type) -> None:
    """Refuse a request of the other library: its client could not use the response.

    Arguments:
        request: what was handed to a transport.
        owner: the class of that transport.

    Raises:
        TypeError: the text says what to import instead.
    """
    names = [kind.__name__ for kind in owner.__mro__ if kind.__module__.startswith("transportkit.")]
    if advice := library_advice(request, owner, names[0]):
        raise TypeError(advice)


def transport_advice(value: object, kind: type, taker: str) -> str:
    """Advice for a class, a function, or a transport for other clients; empty for anything else.

    Arguments:
        value: what was given as a transport.
        kind: `BaseTransport` or `AsyncBaseTransport` of the library that is needed.
        taker: the sync class that it was given to, or whose twin it was given to.
    """
    if not is_a(value, "BaseTransport", "AsyncBaseTransport"):
        return class_advice(value) or _function_advice(value, kind)
    other = f"Async{taker}"
    if kind.__name__ == "AsyncBaseTransport":
        taker, other = other, taker
    if advice := library_advice(value, kind, taker):
        return advice
    name = f"{library_name(kind)}.{kind.__name__}"
    return f"{type(value).__name__} is not an {name}, which {taker} needs; {other} takes it"


def _function_advice(value: object, kind: type) -> str:
    name = getattr(value, "__name__", type(value).__name__)
    if name in ("default_transport", "async_default_transport"):
        return f"{name} is a function that makes one: write {name}()"
    if not callable(value):
        return ""
    library = library_name(kind)
    gateway = "ASGI" if kind.__name__ == "AsyncBaseTransport" else "WSGI"
    return (
        f"{name} is not a transport: write {library}.MockTransport(...) around a function that answers "
        f"a request, or {library}.{gateway}Transport(...) around an application"
    )


def file_path(path: str | os.PathLike[str]) -> Path:
    """The absolute path of a file that exists or can be created.

    Raises:
        TypeError: it is not a path.
        ValueError: something else is there, or its directory does not exist.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(f"path must be a string or a pathlib.Path, not {type(path).__name__}")
    if "\0" in text:
        raise ValueError(
            f"path={text!r} has a null character in it, which no file name can have: "
            "write it without"
        )
    # The program may change its working directory later.
    found = Path(text).absolute()
    if found.exists() and not found.is_file():
        raise ValueError(
            f"path={text!r} is not a regular file: write the path of a file, which need not exist"
        )
    folder = found.resolve().parent
    if not folder.is_dir():
        advice = "make it first"
        if text.startswith("~"):
            advice += f", or write pathlib.Path({text!r}).expanduser()"
        raise ValueError(f"path={text!r}: there is no directory '{folder}': {advice}")
    return found
