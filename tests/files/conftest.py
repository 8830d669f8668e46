"""A tree of real files, and a check that none of them stays open."""

# ruff: noqa: PTH115, PTH208 - a check after each test is to be quick

import gc
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.trees import Tree, plant


def _open_files(directory: Path) -> set[str]:
    opened = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the one that lists the others
            continue
        if target.startswith((str(directory), "/ ", "/dev/")) or target == "/":
            opened.add(f"{name} {target}")
    return opened


@pytest.fixture(autouse=True)
def no_file_left_open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After each test none of its files and directories is open, nor `/`, nor a device."""
    directory = tmp_path_factory.getbasetemp()
    before = _open_files(directory)
    yield
    left = _open_files(directory) - before
    if left:
        gc.collect()
        left = _open_files(directory) - before
    assert not left, f"left open: {sorted(left)}"


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Files beneath a root and outside of it, and links between them: for all tests to read."""
    return plant(tmp_path_factory.mktemp("tree"))


@pytest.fixture
def own_tree(tmp_path: Path) -> Tree:
    """The same, for a test that changes it."""
    return plant(tmp_path)


@pytest.fixture(scope="session")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that takes many pieces, no two of them alike: for all tests to read."""
    path = tmp_path_factory.mktemp("big") / "big.bin"
    with path.open("wb") as file:
        for number in range(20):
            file.write(hashlib.sha256(bytes([number])).digest() * (2**20 // 32))
    return path


@pytest.fixture
def own_big(tmp_path: Path, big: Path) -> Path:
    """The same, for a test that changes it."""
    return Path(shutil.copy(big, tmp_path / "big.bin"))
