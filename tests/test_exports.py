"""The public names: all there, all explained, the same for both libraries, and nothing else."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import types
from pathlib import Path

import pytest

import transportkit

NAMES = [name for name in transportkit.__all__ if name != "__version__"]
CLASSES = [name for name in NAMES if inspect.isclass(getattr(transportkit, name))]
FUNCTIONS = [name for name in NAMES if inspect.isfunction(getattr(transportkit, name))]
# They name types, and are explained where they are assigned.
ALIASES = ["Routes", "AsyncRoutes", "Target"]

INSTALLED = [name for name in ("httpx", "httpx2") if importlib.util.find_spec(name)]
# What holds a library's types is of one library; everything else serves both.
OF_ONE_LIBRARY = {
    *(name for name in NAMES if name.removeprefix("Async").endswith(("Transport", "Wrapper"))),
    *("Mounts", "AsyncMounts", "ProxyRoundRobin", "AsyncProxyRoundRobin", "HTTPSRedirect"),
    *("default_transport", "async_default_transport"),
    *("Routes", "AsyncRoutes", "Target", "HTTPTransportOptions"),
}


def package(library: str) -> types.ModuleType:
    return importlib.import_module(f"transportkit.{library}")


def type_checked(module: types.ModuleType) -> list[str]:
    """The names that a module imports for type checkers alone."""
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(block.test) for block in blocks] == ["TYPE_CHECKING"]
    aliases = [
        alias for node in blocks[0].body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    return [alias.name for alias in aliases]


def test_each_name_is_listed_once() -> None:
    assert len(NAMES) == len(set(NAMES))


def test_the_list_is_what_is_public() -> None:
    # Folders become attributes of the package when something imports them.
    public = {
        name
        for name, value in vars(transportkit).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "TYPE_CHECKING"
    }
    assert public == set(NAMES)


def test_a_star_import_gives_exactly_these() -> None:
    namespace: dict[str, object] = {}
    exec("from transportkit import *", namespace)
    assert namespace.keys() - {"__builtins__"} == set(transportkit.__all__)


def test_another_name_is_an_attribute_error() -> None:
    for module in (transportkit, package("httpx"), package("httpx2")):
        text = f"^module '{module.__name__}' has no attribute 'Nothing'$"
        with pytest.raises(AttributeError, match=text):
            module.Nothing  # noqa: B018 - it is asked for


def test_a_type_checker_sees_the_same_names() -> None:
    for module in (transportkit, package("httpx"), package("httpx2")):
        assert sorted(type_checked(module)) == sorted(NAMES)


def test_each_package_lists_the_same_names() -> None:
    assert package("httpx").__all__ == package("httpx2").__all__ == NAMES
    assert dir(package("httpx")) == dir(package("httpx2")) == sorted(NAMES)
    assert dir(transportkit) == sorted(transportkit.__all__)


@pytest.mark.parametrize("library", INSTALLED)
def test_each_name_can_be_imported_for_each_library(library: str) -> None:
    module = package(library)
    assert [name for name in NAMES if not hasattr(module, name)] == []


def test_the_names_without_a_library_are_those_for_httpx() -> None:
    for name in NAMES:
        assert getattr(transportkit, name) is getattr(package("httpx"), name), name


@pytest.mark.skipif(len(INSTALLED) < 2, reason="httpx2 is not installed")
def test_values_serve_both_libraries_and_transports_one() -> None:
    shared = {
        name
        for name in NAMES
        if getattr(package("httpx"), name) is getattr(package("httpx2"), name)
    }
    assert shared == set(NAMES) - OF_ONE_LIBRARY


def test_each_is_a_class_or_a_function_or_names_a_type() -> None:
    assert sorted(NAMES) == sorted([*CLASSES, *FUNCTIONS, *ALIASES])


@pytest.mark.parametrize("name", [*CLASSES, *FUNCTIONS])
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
    for name in [*CLASSES, *FUNCTIONS]:
        value = getattr(transportkit, name)
        assert value.__name__ == name
        assert getattr(importlib.import_module(value.__module__), name) is value


def test_each_async_class_has_its_sync_twin_beside_it() -> None:
    assert {name.removeprefix("Async") for name in NAMES} <= set(NAMES)


def test_each_async_function_has_its_sync_twin_beside_it() -> None:
    assert {name.removeprefix("async_") for name in NAMES} <= set(NAMES)
