"""The reading order: what imports what, what is private, and what an import costs."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import transportkit

PACKAGE = Path(transportkit.__path__[0])
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}

# From the ground up; what stands on one floor may not look further up.
FLOORS = (
    ("wire",),
    ("redaction",),
    ("network",),
    ("rotation",),
    ("routing",),
    ("retrying", "debugging", "https", "files"),
    ("httpx", "httpx2"),
    ("__init__",),
)
CAPABILITIES = {"rotation", "routing", "retrying", "debugging", "https", "files"}
# A list of proxies is a target; an exchange shows the attempts of a retry.
USES = {("routing", "rotation"), ("debugging", "retrying")}

LIBRARIES = ("httpx", "httpx2")
CORES = {"httpx": "httpcore", "httpx2": "httpcore2"}
DEPENDENCIES = {"anyio", "tenacity", "idna"}
LOOPS = {"asyncio", "trio", "curio", "sniffio"}
# Loaded when they are first needed, and not before.
LATE = {"anyio", "tenacity", "httpcore", "asyncio", "h2", "httpx2", "httpcore2", "trio"}


def part_of(file: str) -> str:
    """The file or folder of the package that a file belongs to."""
    return file.partition("/")[0].removesuffix(".py")


def floor_of(file: str) -> int:
    return next(floor for floor, parts in enumerate(FLOORS) if part_of(file) in parts)


@functools.cache
def parse(file: str) -> ast.Module:
    return ast.parse(FILES[file].read_text("utf-8"))


def imported(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The module and the name of each import, wherever it stands; the name may be empty.

    Arguments:
        package: the folders that the module is in, the library's own name first.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module) if node.module else base)
            yield from ((module, alias.name) for alias in node.names)


@functools.cache
def imports_of(file: str) -> list[tuple[str, str]]:
    return list(imported(parse(file), ("transportkit", *Path(file).parent.parts)))


def files_imported(imports: Iterable[tuple[str, str]], files: dict[str, Path]) -> Iterator[str]:
    """The files of the library behind some imports."""
    for module, name in imports:
        first, *folders = module.split(".")
        if first != "transportkit":
            continue
        for parts in ([*folders, name], folders):
            candidates = ("/".join(parts) + ".py", "/".join([*parts, "__init__.py"]))
            found = [file for file in candidates if parts and file in files]
            if found or not folders:
                yield found[0] if found else "__init__.py"
                break


GRAPH = {file: set(files_imported(imports_of(file), FILES)) for file in FILES}


def private_names(tree: ast.Module) -> Iterator[str]:
    """Names with an underscore that belong to a library or to what we share with it."""
    owners = {*CORES.keys(), *CORES.values(), *DEPENDENCIES}
    for module, name in imported(tree, ("transportkit",)):
        path = [*module.split("."), name]
        if path[0] in owners and any(part.startswith("_") for part in path):
            yield ".".join(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            path = ast.unparse(node).split(".")
            if path[0] in owners:
                yield ".".join(path)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            path = node.value.split(".")
            if path[0] in owners and any(part.startswith("_") for part in path):
                yield node.value


def private_attributes(tree: ast.Module) -> tuple[set[str], set[str]]:
    """The private attributes that a module reaches for, and the private names that it makes."""
    used: set[str] = set()
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
    return {name for name in used if name.startswith("_") and not name.endswith("__")}, made


def in_fresh_python(code: str, cwd: Path) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


class TestTheReadingOrder:
    def test_every_file_stands_on_a_floor(self) -> None:
        parts = {part for floor in FLOORS for part in floor}
        assert [file for file in FILES if part_of(file) not in parts] == []

    def test_nothing_imports_upwards(self) -> None:
        assert [
            f"{file} imports {other}"
            for file, others in GRAPH.items()
            for other in others
            if floor_of(other) > floor_of(file)
        ] == []

    def test_no_files_import_each_other_not_even_in_a_circle(self) -> None:
        TopologicalSorter(GRAPH).prepare()

    def test_no_folders_import_each_other_not_even_in_a_circle(self) -> None:
        parts: dict[str, set[str]] = {}
        for file, others in GRAPH.items():
            others_parts = {part_of(other) for other in others}
            parts.setdefault(part_of(file), set()).update(others_parts - {part_of(file)})
        TopologicalSorter(parts).prepare()

    def test_no_capability_uses_another_but_where_one_is_made_of_the_other(self) -> None:
        found = {
            (part_of(file), part_of(other))
            for file, others in GRAPH.items()
            for other in others
            if part_of(file) != part_of(other)
        }
        assert {pair for pair in found if CAPABILITIES.issuperset(pair)} == USES

    def test_the_two_libraries_transports_do_not_know_each_other(self) -> None:
        for one, other in (LIBRARIES, LIBRARIES[::-1]):
            files = [file for file in FILES if part_of(file) == one]
            assert [file for file in files if other in map(part_of, GRAPH[file])] == []

    def test_the_imports_there_are_have_been_found(self) -> None:
        assert "wire/arguments.py" in GRAPH["wire/lifecycle.py"]
        assert "routing/patterns.py" in GRAPH["routing/table.py"]
        assert GRAPH["httpx/wrapper.py"] >= {"network/options.py", "httpx/owner.py"}
        assert GRAPH["__init__.py"] == {"httpx/__init__.py"}
        assert GRAPH["httpx/__init__.py"] >= {"httpx/mounts.py", "https/store.py"}

    @pytest.mark.parametrize(
        "file", [f"{part}/__init__.py" for floor in FLOORS[:-2] for part in floor]
    )
    def test_folders_below_the_transports_export_nothing(self, file: str) -> None:
        assert FILES[file].read_bytes() == b""


class TestTheCheck:
    """Of imports that are written in any way."""

    @pytest.mark.parametrize(
        ("code", "folder", "file"),
        [
            ("from . import b", "", "b.py"),
            ("from .b import name", "", "b.py"),
            ("from .folder import c", "", "folder/c.py"),
            ("from .folder.c import name", "", "folder/c.py"),
            ("from .folder import name", "", "folder/__init__.py"),
            ("from .. import b", "folder", "b.py"),
            ("from ..b import name", "folder", "b.py"),
            ("from . import c", "folder", "folder/c.py"),
            ("from .c import name", "folder", "folder/c.py"),
            ("import transportkit", "", "__init__.py"),
            ("import transportkit.folder.c", "", "folder/c.py"),
            ("from transportkit import Name", "folder", "__init__.py"),
            ("from transportkit.b import name", "folder", "b.py"),
            ("def f():\n    if TYPE_CHECKING:\n        from ..b import name", "folder", "b.py"),
        ],
    )
    def test_finds_the_file_behind(self, code: str, folder: str, file: str) -> None:
        names = ("__init__.py", "b.py", "folder/__init__.py", "folder/c.py")
        found = imported(ast.parse(code), ("transportkit", folder) if folder else ("transportkit",))
        assert list(files_imported(found, {name: Path(name) for name in names})) == [file]

    def test_catches_a_circle(self) -> None:
        with pytest.raises(CycleError):
            TopologicalSorter({"a": {"b"}, "b": {"c"}, "c": {"a"}}).prepare()

    @pytest.mark.parametrize(
        ("code", "name"),
        [
            ("httpx._models.Response", "httpx._models"),
            ("httpx.Response._prepare()", "httpx.Response._prepare"),
            ("import httpx._models", "httpx._models."),
            ("from httpx._urls import URL", "httpx._urls.URL"),
            ("from httpcore import _sync", "httpcore._sync"),
            ("import_module('httpcore._async')", "httpcore._async"),
        ],
    )
    def test_catches_what_is_private(self, code: str, name: str) -> None:
        assert name in set(private_names(ast.parse(code)))

    def test_catches_attributes_of_others_objects(self) -> None:
        code = (
            "class A:\n    def __init__(self, t):\n        self._mine = t._pool\n        self._mine"
        )
        used, made = private_attributes(ast.parse(code))
        assert used - made == {"_pool"}


class TestWhatIsUsed:
    def test_no_names_that_httpx_and_the_others_keep_private(self) -> None:
        assert [(file, name) for file in FILES for name in private_names(parse(file))] == []

    def test_no_private_attributes_but_our_own(self) -> None:
        used: set[str] = set()
        made: set[str] = set()
        for file in FILES:
            used_here, made_here = private_attributes(parse(file))
            used |= used_here
            made |= made_here
        assert used - made == set()

    def test_no_event_loop_but_through_anyio(self) -> None:
        modules = {
            (file, module.partition(".")[0]) for file in FILES for module, _ in imports_of(file)
        }
        texts = {
            (file, node.value)
            for file in FILES
            for node in ast.walk(parse(file))
            if isinstance(node, ast.Constant)
        }
        assert [found for found in modules | texts if found[1] in LOOPS] == []

    def test_no_package_that_is_not_a_dependency(self) -> None:
        known = {*sys.stdlib_module_names, "transportkit", *DEPENDENCIES}
        for file in FILES:
            library = part_of(file)
            own = {library, CORES[library]} if library in CORES else set()
            modules = {module.partition(".")[0] for module, _ in imports_of(file)}
            assert modules <= known | own, file


class TestTheFirstImport:
    def test_loads_nothing_that_is_not_needed_yet_and_warns_of_nothing(
        self, tmp_path: Path
    ) -> None:
        code = """
import sys
import warnings
import httpx
before = set(sys.modules)
warnings.simplefilter("error")
import transportkit
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""
        loaded = set(in_fresh_python(code, tmp_path).split())
        assert "transportkit" in loaded
        assert loaded & LATE == set()

    def test_loads_neither_library(self, tmp_path: Path) -> None:
        code = "import sys, transportkit, transportkit.httpx2; print(*sys.modules)"
        loaded = set(in_fresh_python(code, tmp_path).split())
        assert loaded & {*CORES.keys(), *CORES.values()} == set()

    def test_of_a_core_module_loads_neither_library(self, tmp_path: Path) -> None:
        folders = ("httpx", "httpx2")
        modules = [
            ".".join(["transportkit", *Path(file).with_suffix("").parts])
            for file in FILES
            if part_of(file) not in folders and not file.endswith("__init__.py")
        ]
        code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
        loaded = set(in_fresh_python(code, tmp_path).split())
        assert loaded & {*CORES.keys(), *CORES.values()} == set()

    @pytest.mark.parametrize(
        ("name", "module"),
        [
            ("RetryTransport", "retry"),
            ("DebuggingTransport", "debugging"),
            ("HSTSTransport", "hsts"),
            ("Wrapper", "wrapper"),
        ],
    )
    def test_of_a_transport_around_another_loads_no_routing_and_no_rotation(
        self, name: str, module: str, tmp_path: Path
    ) -> None:
        code = f"""
import sys, httpx
from transportkit import {name}
{name}(httpx.MockTransport(lambda request: httpx.Response(200)))
print(*sys.modules)
"""
        loaded = set(in_fresh_python(code, tmp_path).split())
        assert f"transportkit.httpx.{module}" in loaded
        unused = {"routing", "httpx.mounts", "httpx.network", "httpx.rotation", "rotation.pool"}
        assert loaded & {f"transportkit.{name}" for name in unused} == set()


# Nothing of the other library can be found, as if it were not installed.
ALONE = """
import importlib.abc, importlib.util, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import {package}
names = {{name: getattr({package}, name) for name in {package}.__all__}}

import {library} as library
answer = library.Response(200, text="alone")
transport = library.MockTransport(lambda request: answer)
for name in ("RetryTransport", "ResumeTransport", "DebuggingTransport", "HSTSTransport"):
    transport = names[name](transport)
transport = names["Mounts"]({{"https://": [transport], "all://": "direct"}})
with library.Client(transport=transport) as client:
    print(client.get("https://example.com/").text)
assert not {missing!r} & {{name.partition(".")[0] for name in sys.modules}}
"""


class TestALibraryAlone:
    @pytest.mark.parametrize(("library", "other"), [LIBRARIES, LIBRARIES[::-1]])
    def test_is_enough_for_its_flavour(self, library: str, other: str, tmp_path: Path) -> None:
        pytest.importorskip(library)
        package = "transportkit" if library == "httpx" else f"transportkit.{library}"
        missing = {other, CORES[other]}
        code = ALONE.format(library=library, package=package, missing=missing)
        assert "alone\n" in in_fresh_python(code, tmp_path)

    @pytest.mark.parametrize(("library", "other"), [LIBRARIES, LIBRARIES[::-1]])
    def test_is_missed_by_the_others_flavour(
        self, library: str, other: str, tmp_path: Path
    ) -> None:
        package = "transportkit" if other == "httpx" else f"transportkit.{other}"
        code = ALONE.format(library=library, package=package, missing={other, CORES[other]})
        with pytest.raises(AssertionError, match=f"No module named '{other}'"):
            in_fresh_python(code, tmp_path)


def test_the_marker_for_type_checkers_is_shipped() -> None:
    assert (PACKAGE / "py.typed").is_file()
