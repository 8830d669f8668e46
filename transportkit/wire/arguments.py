"""Refuse arguments that could not work, in words that say what to write instead."""

import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

from .library import is_a, library_name


def check_number(
    name: str, value: object, unit: str, *, positive: bool = False, finite: bool = False
) -> None:
    """Refuse what is no number, or not a sensible one.

    Arguments:
        name: of the argument.
        value: what was given for it.
        unit: what it counts, in the plural.
        positive: whether 0 is too little.
        finite: whether infinity is too much.

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
    """Refuse what is no whole number from 0 up; the same arguments as those of `check_number`.

    Raises:
        TypeError, ValueError: the text names the argument.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number of {unit}, not {value!r}")
    check_number(name, value, unit)


def check_flag(name: str, value: object, *, may_be_none: bool = False) -> None:
    """Refuse what is neither True nor False: "no" would be taken for a yes.

    Arguments:
        name: of the argument.
        value: what was given for it.
        may_be_none: whether None is a third choice.

    Raises:
        TypeError: the text names the argument.
    """
    if not isinstance(value, bool) and not (may_be_none and value is None):
        choices = "True, False or None" if may_be_none else "True or False"
        raise TypeError(f"{name} must be {choices}, not {value!r}")


def is_coroutine_function(function: object) -> bool:
    """Whether a function, or an object that is called like one, would give a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 - an object may have an async one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def takes_one_argument(function: Callable[..., object]) -> bool:
    """Whether a function can be called with one argument, as far as anybody can tell."""
    try:
        # What a decorator stands before may take more than the decorator is given.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        # Some builtins have none.
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def class_advice(value: object) -> str:
    """What to write instead of a class; nothing for all else."""
    if not inspect.isclass(value):
        return ""
    return f"{value.__name__} is a class: write {value.__name__}(...)"


def library_advice(thing: object, kind: type, name: str) -> str:
    """The import that serves a request or a transport of the other library; empty if it is ours.

    Arguments:
        thing: what was given.
        kind: a class of the library that is needed.
        name: of the transport that it was given to.
    """
    needed, given = library_name(kind), library_name(thing)
    if given in ("", needed):
        return ""
    module = "transportkit" if given == "httpx" else f"transportkit.{given}"
    return (
        f"this {name} is for {needed}, and {type(thing).__name__} is of {given}: write "
        f"from {module} import {name}"
    )


def check_request(request: object, owner: type) -> None:
    """Refuse a request of the other library: the client could do nothing with our response.

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
    """What to write instead of a transport for other clients, or of a class; empty for all else.

    Arguments:
        value: what was given for a transport.
        kind: `BaseTransport` or `AsyncBaseTransport` of the library that is needed.
        taker: the sync class that it was given to, or whose twin it was given to.
    """
    if not is_a(value, "BaseTransport", "AsyncBaseTransport"):
        return class_advice(value)
    other = f"Async{taker}"
    if kind.__name__ == "AsyncBaseTransport":
        taker, other = other, taker
    if advice := library_advice(value, kind, taker):
        return advice
    name = f"{library_name(kind)}.{kind.__name__}"
    return f"{type(value).__name__} is not an {name}, which {taker} needs; {other} takes it"


def file_path(path: str | os.PathLike[str]) -> Path:
    """An absolute path at which there is a file, or can be one.

    Raises:
        TypeError: it is no path.
        ValueError: something else is there, or no directory for it.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(f"path must be a string or a pathlib.Path, not {type(path).__name__}")
    if "\0" in text:
        raise ValueError(
            f"path={text!r} has a null character in it, which no file can have in its name: "
            "write it without"
        )
    # What a program changes its directory to later is not the file's business.
    found = Path(text).absolute()
    if found.exists() and not found.is_file():
        raise ValueError(
            f"path={text!r} is no regular file: write the path of a file, which need not exist"
        )
    folder = found.resolve().parent
    if not folder.is_dir():
        advice = "make it first"
        if text.startswith("~"):
            advice += f", or write pathlib.Path({text!r}).expanduser()"
        raise ValueError(f"path={text!r}: there is no directory '{folder}': {advice}")
    return found
