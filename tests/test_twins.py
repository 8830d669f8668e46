"""Rule 1: a sync class or function and its async twin are the same code but for the waiting."""

import ast
import builtins
import collections.abc
import contextlib
import copy
import difflib
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import httpx
import pytest

import transportkit

N = TypeVar("N", bound=ast.AST)
D = TypeVar("D", ast.ClassDef, ast.FunctionDef)
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

PACKAGE = Path(transportkit.__path__[0])
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
# Those for httpx2 are the same but for its name, which test_flavour.py looks at.
MODULES = {name: path for name, path in MODULES.items() if not name.startswith("httpx2/")}
# The primitives that differ live here: only that they come in pairs is looked at.
PRIMITIVES = ("wire/io.py", "wire/draining.py")

# Async names that are not the sync ones with `Async` or `async_` before them.
SPELLED_DIFFERENTLY = {
    "AsyncByteStream": "SyncByteStream",
    "AsyncExitStack": "ExitStack",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "asynccontextmanager": "contextmanager",
    "handle_async_request": "handle_request",
    "aclose": "close",
    "aclosing": "closing",
    "aread": "read",
    "aiter": "iter",
    "anext": "next",
    "aiter_raw": "iter_raw",
    "aiter_bytes": "iter_bytes",
    "aiter_text": "iter_text",
    "aiter_lines": "iter_lines",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration",
}
_PREFIX = re.compile(r"_?(?:Async(?=[A-Z])|async_(?=[a-z]))")
_WORD = re.compile(r"\w+")
# Names of httpx for sync code only. Not `ByteStream`, which serves both kinds.
SYNC_IN_HTTPX = {name.removeprefix("Async") for name in dir(httpx) if name.startswith("Async")}
SYNC_IN_HTTPX = SYNC_IN_HTTPX - {"ByteStream"} | {"SyncByteStream", "handle_request"}


def sync_name(name: str) -> str:
    """What an async name is called in sync code; a sync name stays as it is."""
    if name in SPELLED_DIFFERENTLY:
        return SPELLED_DIFFERENTLY[name]
    prefix = _PREFIX.match(name)
    if prefix is None:
        return name
    return ("_" if name.startswith("_") else "") + name[prefix.end() :]


class Twins(NamedTuple):
    module: str
    sync: Definition
    other: Definition

    def __str__(self) -> str:
        return f"{self.module}: {self.sync.name}, {self.other.name}"


def definitions(module: ast.Module) -> dict[str, Definition]:
    """The classes and functions of a module, those inside of `if` and `try` included."""
    found: dict[str, Definition] = {}
    waiting: list[ast.AST] = [module]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found[node.name] = node
            elif isinstance(node, ast.stmt):
                waiting.append(node)
    return found


@functools.cache
def source(module: str) -> str:
    return MODULES[module].read_text("utf-8")


@functools.lru_cache(2 * len(MODULES))
def defined_in(source: str) -> dict[str, Definition]:
    return definitions(ast.parse(source))


def twins_in(name: str, source: str) -> Iterator[Twins]:
    """Every X with an AsyncX, and every x with an async_x."""
    defined = defined_in(source)
    for other in defined.values():
        sync = sync_name(other.name)
        if sync != other.name and sync in defined:
            yield Twins(name, defined[sync], other)


def lonely_in(source: str) -> list[str]:
    """Names that start like the async half of a pair, and have no sync half in their module."""
    defined = defined_in(source)
    return [name for name in defined if sync_name(name) not in defined]


class _Plain(ast.NodeTransformer):
    """Drops docstrings, and takes a loop that only yields for the `yield from` that it is.

    Async generators have no `yield from`.
    """

    def visit_For(self, node: ast.For) -> ast.stmt:
        self.generic_visit(node)
        body = ast.unparse(ast.Module(node.body, []))
        only_yields = body == f"yield {ast.unparse(node.target)}"
        if not only_yields or not isinstance(node.target, ast.Name) or node.orelse:
            return node
        return ast.Expr(ast.YieldFrom(node.iter))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        return self._without_docstring(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        return self._without_docstring(node)

    def _without_docstring(self, node: D) -> D:
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node


class _Synchronous(ast.NodeTransformer):
    """Takes the waiting out of async code, and gives everything its sync name.

    A name that belongs to the sync half of a pair is marked: async code that uses it
    blocks or breaks, and would look just like its twin.
    """

    def __init__(self, sync_only: set[str]) -> None:
        self._sync_only = sync_only

    def _renamed(self, name: str, sync_only: set[str]) -> str:
        return f"{name}_IN_ASYNC_CODE" if name in sync_only else sync_name(name)

    def _as(self, kind: Callable[..., N], node: ast.AST) -> N:
        self.generic_visit(node)
        made = kind(**{field: getattr(node, field) for field in node._fields})
        return ast.copy_location(made, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.FunctionDef:
        function = self._as(ast.FunctionDef, node)
        function.name = sync_name(node.name)
        return function

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.name = sync_name(node.name)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.name = sync_name(node.name)
        return node

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.For:
        return self._as(ast.For, node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.With:
        return self._as(ast.With, node)

    def visit_Await(self, node: ast.Await) -> ast.expr:
        self.generic_visit(node)
        return node.value

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.is_async = 0
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "Awaitable":
            return node.slice
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._renamed(node.id, self._sync_only | SYNC_IN_HTTPX)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        # Not our own names: attributes of anything may be called `sleep`.
        node.attr = self._renamed(node.attr, SYNC_IN_HTTPX)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        self.generic_visit(node)
        node.arg = sync_name(node.arg)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        self.generic_visit(node)
        node.arg = node.arg and sync_name(node.arg)
        return node

    def visit_alias(self, node: ast.alias) -> ast.alias:
        node.name = self._renamed(node.name, self._sync_only | SYNC_IN_HTTPX)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        # Names inside of texts: of reprs, errors and annotations in quotes.
        if isinstance(node.value, str):
            node.value = _WORD.sub(lambda word: sync_name(word[0]), node.value)
        return node


def drift(twins: Twins, sync_only: set[str]) -> str:
    """How two twins differ, as a diff; empty when they do not.

    Arguments:
        sync_only: names that have a twin, and that async code therefore must not use.
    """
    sync = _Plain().visit(copy.deepcopy(twins.sync))
    other = _Plain().visit(_Synchronous(sync_only).visit(copy.deepcopy(twins.other)))
    if ast.dump(sync) == ast.dump(other):
        return ""
    lines = difflib.unified_diff(
        ast.unparse(ast.fix_missing_locations(sync)).splitlines(),
        ast.unparse(ast.fix_missing_locations(other)).splitlines(),
        f"{twins.module} {twins.sync.name}",
        f"{twins.module} {twins.other.name}, without its waiting",
        n=2,
        lineterm="",
    )
    return "\n".join(lines) or f"{twins}: the trees differ where their texts do not"


def all_twins() -> list[Twins]:
    found = (twins_in(name, source(name)) for name in MODULES)
    return [twins for of_module in found for twins in of_module]


TWINS = all_twins()
SYNC_ONLY = {twins.sync.name for twins in TWINS}


@pytest.mark.parametrize(
    "twins", [twins for twins in TWINS if twins.module not in PRIMITIVES], ids=str
)
def test_twins_are_the_same_code(twins: Twins) -> None:
    assert drift(twins, SYNC_ONLY) == ""


def test_nothing_async_is_without_its_sync_twin() -> None:
    assert [(name, alone) for name in MODULES for alone in lonely_in(source(name))] == []


def test_a_transport_for_one_kind_of_client_has_a_twin_for_the_other() -> None:
    for module in MODULES:
        check_transports_have_twins(module)


def check_transports_have_twins(module: str) -> None:
    paired = {one.name for twins in TWINS if twins.module == module for one in twins[1:]}
    for name, node in defined_in(source(module)).items():
        if isinstance(node, ast.ClassDef):
            methods = definitions(ast.Module(node.body, []))
            for_both = {"handle_request", "handle_async_request"} <= methods.keys()
            for_one = not for_both and {"handle_request", "handle_async_request"} & methods.keys()
            assert not for_one or name in paired, f"{module}: {name}"


def test_the_twins_there_are_have_been_found() -> None:
    # `AsyncRoutes` is a type, and no code.
    public = {name for name in transportkit.__all__ if sync_name(name) != name} - {"AsyncRoutes"}
    assert public <= {twins.other.name for twins in TWINS}
    assert {str(twins) for twins in TWINS} >= {
        "wire/io.py: shield, async_shield",
        "httpx/owner.py: TransportOwner, AsyncTransportOwner",
        "httpx/wrapper.py: Wrapper, AsyncWrapper",
        "httpx/mounts.py: Mounts, AsyncMounts",
        "httpx/mounts.py: default_transport, async_default_transport",
    }


@pytest.mark.parametrize(
    ("name", "sync"),
    [
        ("AsyncMounts", "Mounts"),
        ("_AsyncChunks", "_Chunks"),
        ("AsyncBaseTransport", "BaseTransport"),
        ("AsyncHTTPTransport", "HTTPTransport"),
        ("AsyncClient", "Client"),
        ("AsyncIterator", "Iterator"),
        ("async_drain", "drain"),
        ("async_sleep", "sleep"),
        ("_async_drain", "_drain"),
        ("aclose", "close"),
        ("__aenter__", "__enter__"),
        ("handle_async_request", "handle_request"),
        ("Mounts", "Mounts"),
        ("drain", "drain"),
        ("is_async", "is_async"),
        ("Asynchronous", "Asynchronous"),
        ("anyio", "anyio"),
    ],
)
def test_names_are_mapped(name: str, sync: str) -> None:
    assert sync_name(name) == sync


def test_the_names_that_are_mapped_by_hand_are_spelled_right() -> None:
    places: list[object] = [httpx, httpx.Response, httpx.AsyncClient, httpx.AsyncBaseTransport]
    places += [builtins, contextlib, collections.abc.AsyncGenerator]
    assert SPELLED_DIFFERENTLY.keys() <= {name for place in places for name in dir(place)}


SYNC = '''
class Reader(httpx.BaseTransport):
    """Reads."""

    def __init__(self, inner: httpx.BaseTransport, on_end: Callable[[int], None]) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends."""
        with shield():
            response = self._inner.handle_request(request)
            drain(response, 64)
            sleep(0.5)
        yield from response.iter_raw()
        for chunk in response.iter_bytes():
            yield chunk[1:]
        parts = [part for part in self]
        response.close()
        return next(iter(parts))

    def __enter__(self) -> "Reader":
        return self

    def __repr__(self) -> str:
        return f"<Reader {self._inner}>"
'''
ASYNC = '''
class AsyncReader(httpx.AsyncBaseTransport):
    """Reads. The same as `Reader`."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, on_end: Callable[[int], Awaitable[None]]
    ) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with async_shield():
            response = await self._inner.handle_async_request(request)
            await async_drain(response, 64)
            await async_sleep(0.5)
        async for chunk in response.aiter_raw():
            yield chunk
        async for chunk in response.aiter_bytes():
            yield chunk[1:]
        parts = [part async for part in self]
        await response.aclose()
        return await anext(aiter(parts))

    async def __aenter__(self) -> "AsyncReader":
        return self

    def __repr__(self) -> str:
        return f"<AsyncReader {self._inner}>"
'''


def drift_between(sync: str, other: str) -> str:
    (twins,) = twins_in("reader.py", sync + other)
    return drift(twins, {"shield", "drain", "sleep"})


class TestTheComparison:
    def test_sees_no_difference_but_the_waiting(self) -> None:
        assert drift_between(SYNC, ASYNC) == ""

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            ("async_drain(response, 64)", "async_drain(response, 65)"),
            ("            await async_sleep(0.5)\n", ""),
            ("async_sleep(0.5)", "async_sleep(0.5)\n            request.read()"),
            ("await response.aclose()", "await response.aread()"),
            ("self._inner = inner", "self._other = inner"),
            ("inner: httpx.AsyncBaseTransport", "inner: httpx.AsyncHTTPTransport"),
            ("yield chunk[1:]", "yield chunk"),
            ("<AsyncReader ", "<Async "),
            ("class AsyncReader(httpx.AsyncBaseTransport)", "class AsyncReader"),
            ("def __repr__", "@property\n    def __repr__"),
            ("-> httpx.Response:", "-> httpx.Request:"),
        ],
    )
    def test_catches_a_drifted_pair(self, was: str, now: str) -> None:
        assert was in ASYNC
        assert drift_between(SYNC, ASYNC.replace(was, now)) != ""

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            ("with async_shield()", "with shield()"),
            ("await async_drain(", "drain("),
            ("await async_sleep(", "sleep("),
            ("inner: httpx.AsyncBaseTransport", "inner: httpx.BaseTransport"),
            ("await self._inner.handle_async_request(", "self._inner.handle_request("),
        ],
    )
    def test_catches_sync_names_in_async_code(self, was: str, now: str) -> None:
        assert was in ASYNC
        assert "_IN_ASYNC_CODE" in drift_between(SYNC, ASYNC.replace(was, now))

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            ("with shield()", "with async_shield()"),
            ("response.close()", "response.aclose()"),
            ("inner: httpx.BaseTransport", "inner: httpx.AsyncBaseTransport"),
        ],
    )
    def test_catches_async_names_in_sync_code(self, was: str, now: str) -> None:
        assert was in SYNC
        assert drift_between(SYNC.replace(was, now), ASYNC) != ""

    def test_shows_what_differs(self) -> None:
        diff = drift_between(SYNC, ASYNC.replace("async_sleep(0.5)", "async_sleep(5)"))
        assert diff.splitlines()[:2] == [
            "--- reader.py Reader",
            "+++ reader.py AsyncReader, without its waiting",
        ]
        assert [line for line in diff.splitlines()[2:] if line[0] in "+-"] == [
            "-            sleep(0.5)",
            "+            sleep(5)",
        ]

    def test_finds_pairs_of_functions_wherever_they_are_defined(self) -> None:
        source = "def f(): pass\nif True:\n    async def async_f(): pass\n"
        assert [str(twins) for twins in twins_in("m.py", source)] == ["m.py: f, async_f"]

    def test_finds_what_has_no_twin(self) -> None:
        source = "class AsyncA: pass\nclass B: pass\nasync def async_c(): pass\ndef d(): pass\n"
        assert lonely_in(source) == ["AsyncA", "async_c"]
