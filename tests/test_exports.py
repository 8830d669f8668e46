"""The public names: all there, all explained, and nothing else."""

import doctest
import importlib
import inspect
import types

import pytest

import transportkit

NAMES = [name for name in transportkit.__all__ if name != "__version__"]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(transportkit, name))]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(transportkit, name))]


def test_each_name_is_listed_once() -> None:
    assert len(NAMES) == len(set(NAMES))


def test_the_list_is_what_is_public() -> None:
    # Folders become attributes of the package when something imports them.
    public = {
        name
        for name, value in vars(transportkit).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(NAMES)


def test_a_star_import_gives_exactly_these() -> None:
    namespace: dict[str, object] = {}
    exec("from transportkit import *", namespace)
    assert namespace.keys() - {"__builtins__"} == set(transportkit.__all__)


def test_each_is_a_class_or_a_function() -> None:
    assert set(NAMES) == {*CLASSES, *FUNCTIONS}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_explained_with_an_example(name: str) -> None:
    docstring = inspect.getdoc(getattr(transportkit, name)) or ""
    assert docstring.partition("\n")[0].endswith(".")
    assert doctest.DocTestParser().get_examples(docstring)


def test_each_class_has_a_docstring_of_its_own() -> None:
    for name in CLASSES:
        value = getattr(transportkit, name)
        assert value.__doc__ is not None, name
        assert all(value.__doc__ != base.__doc__ for base in value.__mro__[1:]), name


def test_each_can_be_imported_from_where_it_says_it_is() -> None:
    for name in NAMES:
        value = getattr(transportkit, name)
        assert value.__name__ == name
        assert getattr(importlib.import_module(value.__module__), name) is value


def test_each_async_class_has_its_sync_twin_beside_it() -> None:
    assert {name.removeprefix("Async") for name in NAMES} <= set(NAMES)


def test_each_async_function_has_its_sync_twin_beside_it() -> None:
    assert {name.removeprefix("async_") for name in NAMES} <= set(NAMES)
