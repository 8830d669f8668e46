"""Refuse arguments that could not work, in words that say what to write instead."""

import inspect
import os
import sys
from pathlib import Path


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


def is_coroutine_function(function: object) -> bool:
    """Whether a function, or an object that is called like one, would give a coroutine."""
    call = getattr(function, "__call__", None)  # noqa: B004 - an object may have an async one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def file_path(path: str | os.PathLike[str]) -> Path:
    """An absolute path at which there is a file, or can be one.

    Raises:
        TypeError: it is no path.
        ValueError: something else is there, or no directory for it.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(f"path must be a string or a pathlib.Path, not {type(path).__name__}")
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
