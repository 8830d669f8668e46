"""Open a path beneath a root, and never outside of it."""

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.trees import SECRET, Tree

from transportkit.files import beneath
from transportkit.files.beneath import open_beneath


@pytest.fixture(params=["dir_fd", "no dir_fd"])
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As it is here, and as it is where directories have no descriptors."""
    monkeypatch.setattr(beneath, "_HAS_DIR_FD", request.param == "dir_fd")
    return str(request.param)


def read(root: Path | str, path: Path | str) -> bytes | type[OSError]:
    """What is read, or the error."""
    try:
        descriptor, status = open_beneath(str(root), str(path))
    except OSError as error:
        return type(error)
    try:
        assert os.path.samestat(status, os.fstat(descriptor.number))
        assert stat.S_ISREG(status.st_mode)
        assert not os.get_inheritable(descriptor.number)
        return os.read(descriptor.number, 1000)
    finally:
        descriptor.close()


FOUND: list[tuple[str, bytes]] = [
    ("a.txt", b"a"),
    ("sub/b.txt", b"b"),
    ("sub/deep/c.txt", b"c"),
    # Symlinks of all kinds, as long as they end beneath the root.
    ("link", b"a"),
    ("absolute", b"b"),
    ("directory/b.txt", b"b"),
    ("directory/deep/c.txt", b"c"),
    ("up-and-back", b"a"),
    ("sub/up/a.txt", b"a"),
    ("sub/up/sub/up/directory/b.txt", b"b"),
    ("chain", b"a"),
    ("detour", b"a"),
    ("to-root/a.txt", b"a"),
    ("to-root/to-root/sub/b.txt", b"b"),
    ("/".join(["to-root"] * 40) + "/a.txt", b"a"),
    ("outside/back/a.txt", b"a"),
]
NOT_FOUND = [
    "nothing",
    "nothing/a.txt",
    "a.txt/",
    "a.txt/a.txt",
    "link/",
    "link/a.txt",
    "dangling",
    "loop",
    "loop/a.txt",
    "loop-a",
    "sub/nothing",
    "a" * 300,
    "/".join(["a" * 200] * 30),
    "socket/x",
    "fifo/",
    # Outside.
    "secret",
    "relative-secret",
    "outside/secret.txt",
    "outside/sub/secret.txt",
    "outside/sub",
    "outside",
    "outside/",
    "outside/fifo",
    "outside/nothing",
    "neighbour",
    "far",
    "passwd",
    "zero",
    "own-root",
    "status",
    "to-slash",
    "to-slash/etc/passwd",
    "to-slash/etc",
    "to-slash/dev/zero",
]
DIRECTORIES = ["", ".", "/", "sub", "sub/", "sub/.", "directory", "directory/", "to-root", "sub/up"]
NO_FILES = ["fifo", "to-fifo", "socket"]


@pytest.mark.parametrize(("name", "content"), FOUND)
def test_what_lies_beneath_is_opened(platform: str, tree: Tree, name: str, content: bytes) -> None:
    assert read(tree.root, f"{tree.root}/{name}") == content


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_does_not_looks_as_if_it_were_not_there(platform: str, tree: Tree, name: str) -> None:
    assert read(tree.root, f"{tree.root}/{name}") is FileNotFoundError


@pytest.mark.parametrize(
    "name",
    ["past-nothing", "past-file", "slash-behind", "to-root/" * 41 + "a.txt", "sub/up/" * 2000],
)
def test_where_the_system_would_find_nothing_nothing_is_found(tree: Tree, name: str) -> None:
    assert read(tree.root, f"{tree.root}/{name}") is FileNotFoundError


@pytest.mark.parametrize("name", DIRECTORIES)
def test_a_directory_is_no_file(platform: str, tree: Tree, name: str) -> None:
    assert read(tree.root, f"{tree.root}/{name}".rstrip()) is IsADirectoryError
    assert read(tree.root, tree.root) is IsADirectoryError


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_not_opened_at_all(
    platform: str, tree: Tree, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    original = os.open

    def spy(path: Any, *args: Any, **kwargs: Any) -> int:
        opened.append(Path(path).name)
        return original(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", spy)
    assert read(tree.root, tree.root / name) is PermissionError
    assert not {"fifo", "socket"} & set(opened)


def test_devices_are_no_files(platform: str) -> None:
    for device in ("/dev/null", "/dev/zero", "/dev/tty", "/dev/full"):
        assert read("/dev", device) is PermissionError
        assert read("/", device) is PermissionError


@pytest.mark.parametrize("name", ["status", "cpuinfo", "self/status", "self/maps"])
def test_files_that_state_no_size_are_no_files(platform: str, name: str) -> None:
    real = os.path.realpath(f"/proc/{name}")
    assert read("/proc", real) is PermissionError or not Path(real).exists()


def test_an_empty_file_is_a_file(platform: str, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert read(tmp_path, tmp_path / "empty") == b""


def test_a_file_that_grows_just_now_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.touch()
    original = os.read

    def read_and_grow(descriptor: int, size: int) -> bytes:
        path.write_bytes(b"line")
        return original(descriptor, size)

    monkeypatch.setattr(os, "read", read_and_grow)
    descriptor, status = open_beneath(str(tmp_path), str(path))
    assert status.st_size == 4
    assert original(descriptor.number, 10) == b"line"
    descriptor.close()


@pytest.mark.parametrize(
    "name", ["entrance/a.txt", "root/a.txt", "outside/back/a.txt", "outside/back/sub/up/link"]
)
def test_a_path_may_come_from_outside(platform: str, tree: Tree, name: str) -> None:
    assert read(tree.root, tree.root.parent / name) == b"a"


@pytest.mark.parametrize(
    "name",
    ["outside/secret.txt", "root-and-more/secret.txt", "root/../outside/secret.txt", "", "outside"],
)
def test_but_not_lead_there(platform: str, tree: Tree, name: str) -> None:
    assert read(tree.root, f"{tree.root.parent}/{name}") is FileNotFoundError


def test_the_root_may_be_a_symlink(platform: str, tree: Tree) -> None:
    entrance = tree.root.parent / "entrance"
    for path in (entrance / "sub/b.txt", tree.root / "sub/b.txt", entrance / "absolute"):
        assert read(entrance, path) == b"b"
    assert read(entrance, entrance / "secret") is FileNotFoundError
    assert read(entrance, entrance) is IsADirectoryError


def test_the_root_may_be_everything(platform: str, tree: Tree) -> None:
    for name, content in FOUND:
        assert read("/", tree.root / name) == content
    assert read("/", tree.outside / "secret.txt") == SECRET
    assert read("/", tree.root / "secret") == SECRET
    assert read("/", "/") is IsADirectoryError
    assert read("/", tree.root / "zero") is PermissionError


def test_nothing_lies_beneath_a_root_that_is_gone(platform: str, tree: Tree) -> None:
    gone = tree.root.parent / "gone"
    for path in (gone, gone / "a.txt", tree.root / "a.txt"):
        assert read(gone, path) is FileNotFoundError


def test_nothing_lies_beneath_a_root_that_has_become_a_file(tree: Tree) -> None:
    assert read(tree.root / "a.txt", tree.root / "a.txt") is FileNotFoundError


def _denying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """What the system does where permission bits count: this process may be root's."""

    def denied(path: Any, *args: Any, **kwargs: Any) -> Any:
        if Path(path).name == name:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return function(path, *args, **kwargs)

    return denied


@pytest.mark.parametrize(
    ("denied", "path", "error"),
    [
        ("a.txt", "root/a.txt", PermissionError),
        ("a.txt", "root/link", PermissionError),
        ("a.txt", "root/detour", PermissionError),
        ("sub", "root/sub/b.txt", PermissionError),
        ("sub", "root/directory/b.txt", PermissionError),
        ("root", "root/a.txt", PermissionError),
        # Whether it is locked or not there is nobody's business outside.
        ("root", "outside/back/a.txt", FileNotFoundError),
        ("secret.txt", "root/secret", FileNotFoundError),
        ("outside", "root/secret", FileNotFoundError),
        ("outside", "root/detour", FileNotFoundError),
        ("outside", "root/outside", FileNotFoundError),
    ],
)
def test_what_is_locked_is_so_only_beneath(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, denied: str, path: str, error: type[OSError]
) -> None:
    monkeypatch.setattr(os, "open", _denying(denied, os.open))
    assert read(tree.root, tree.root.parent / path) is error


def test_what_the_system_lacks_is_not_called_missing(
    platform: str, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    for failing in range(1, 12):
        left = failing
        original = os.open

        def fail(*args: Any, **kwargs: Any) -> int:
            nonlocal left
            left -= 1
            if not left:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return original(*args, **kwargs)  # noqa: B023 - called within the round

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", fail)
            for path in ("detour", "absolute"):
                left = failing
                done = read(tree.root, tree.root / path)
                assert done == (OSError if left <= 0 else b"a" if path == "detour" else b"b")


def _swapping(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int, swap: Callable[[], None]
) -> None:
    """Call `swap` right before the system's function `name` is called for the n-th time."""
    function = getattr(os, name)
    calls = iter(range(1, 10**6))

    def swapping(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == number:
            swap()
        return function(*args, **kwargs)

    monkeypatch.setattr(os, name, swapping)


def _replace(victim: Path, target: Path | str) -> Callable[[], None]:
    def swap() -> None:
        victim.rename(victim.with_name("moved"))
        victim.symlink_to(target)

    return swap


@pytest.mark.parametrize("function", ["open", "stat", "lstat", "readlink"])
@pytest.mark.parametrize(
    ("victim", "target", "path"),
    [
        ("root/sub", "../outside/sub", "root/sub/secret.txt"),
        ("root/sub", "../outside/sub", "root/directory/secret.txt"),
        ("root/sub/secret.txt", "../../outside/secret.txt", "root/sub/secret.txt"),
        ("root/sub/secret.txt", "../../outside/secret.txt", "root/directory/secret.txt"),
        ("root/a.txt", "../outside/secret.txt", "root/link"),
        ("root/a.txt", "../outside/secret.txt", "entrance/a.txt"),
        ("root/link", "../outside/secret.txt", "root/chain"),
    ],
)
def test_a_swap_at_any_moment_leads_to_nothing_outside(
    platform: str, own_tree: Tree, *, victim: str, target: str, path: str, function: str
) -> None:
    (own_tree.root / "sub" / "secret.txt").write_bytes(b"public")
    base = own_tree.root.parent
    moved = (base / victim).with_name("moved")
    for number in range(1, 7):
        with pytest.MonkeyPatch.context() as patch:
            _swapping(patch, function, number, _replace(base / victim, target))
            done = read(own_tree.root, base / path)
        assert done in (b"public", b"a", FileNotFoundError, PermissionError)
        if os.path.lexists(moved):
            (base / victim).unlink()
            moved.rename(base / victim)


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "nothing"])
@pytest.mark.parametrize("path", ["root/a.txt", "root/link"])
def test_what_is_swapped_in_just_before_the_opening_is_not_taken_for_a_file(
    own_tree: Tree, monkeypatch: pytest.MonkeyPatch, kind: str, path: str
) -> None:
    victim = own_tree.root / "a.txt"
    original = os.open

    def swapping(name: Any, *args: Any, **kwargs: Any) -> int:
        if name == "a.txt":
            victim.unlink()
            if kind == "fifo":
                os.mkfifo(victim)
            elif kind == "directory":
                victim.mkdir()
            elif kind == "socket":
                (own_tree.root / "socket").rename(victim)
        return original(name, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", swapping)
        # Nobody writes to the FIFO: an opening that waits for it would wait for ever.
        done = read(own_tree.root, own_tree.root.parent / path)
    expected = {
        "fifo": PermissionError,
        "directory": IsADirectoryError,
        "socket": PermissionError,
        "nothing": FileNotFoundError,
    }
    assert done is expected[kind]


def test_a_directory_that_is_moved_out_meanwhile_has_no_way_up(
    own_tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root/sub/way leads to ../a.txt: from where sub has been moved to, that is outside/a.txt.
    (own_tree.outside / "a.txt").write_bytes(SECRET)
    (own_tree.root / "sub" / "way").symlink_to("../a.txt")
    original = os.readlink

    def moving(name: Any, *args: Any, **kwargs: Any) -> Any:
        found = original(name, *args, **kwargs)
        if name == "way":
            (own_tree.root / "sub").rename(own_tree.outside / "moved")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(os, "readlink", moving)
        assert read(own_tree.root, own_tree.root / "sub" / "way") == b"a"


NAMES = st.sampled_from(
    [
        "a.txt",
        "sub",
        "b.txt",
        "outside",
        "secret.txt",
        "directory",
        "to-root",
        "to-slash",
        "detour",
        "up",
        "..",
        ".",
        "back",
        "loop",
        "fifo",
        "link",
        "secret",
        "passwd",
        "etc",
        "entrance",
    ]
)


@settings(max_examples=3 * settings().max_examples)
@given(
    st.lists(
        NAMES | st.just("") | st.text(max_size=3).filter(lambda text: "\0" not in text), max_size=7
    )
)
def test_no_path_leads_out(tree: Tree, names: list[str]) -> None:
    path = "/".join([str(tree.root), *names])
    try:
        path.encode()
    except UnicodeEncodeError:
        return
    done = read(tree.root, path)
    assert done in (b"a", b"b", FileNotFoundError, IsADirectoryError, PermissionError)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beneath, "_HAS_DIR_FD", False)
        checked = read(tree.root, path)
    assert checked in (b"a", b"b", FileNotFoundError, IsADirectoryError, PermissionError)
    # What the system finds, and no more.
    if isinstance(done, bytes):
        assert Path(path).read_bytes() == done


def test_a_fifo_keeps_its_writer_waiting(tree: Tree) -> None:
    code = "import os, sys; print('here', flush=True); os.open(sys.argv[1], os.O_WRONLY)"
    command = [sys.executable, "-c", code, str(tree.root / "fifo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"here\n"
        for name in NO_FILES:
            assert read(tree.root, tree.root / name) is PermissionError
        assert writer.poll() is None
        writer.kill()


def test_a_socket_hears_nothing(own_tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own_tree.root)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("listening")
        unix.listen()
        unix.setblocking(False)
        assert read(own_tree.root, own_tree.root / "listening") is PermissionError
        with pytest.raises(BlockingIOError):
            unix.accept()


def test_the_terminal_of_this_process_stays_as_it_is(tree: Tree) -> None:
    # Opening one without O_NOCTTY would make it ours.
    leader, follower = os.openpty()
    try:
        name = os.ttyname(follower)
        assert read(Path(name).parent, name) is PermissionError
    finally:
        os.close(leader)
        os.close(follower)


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A file below more directories than one path may name."""
    names = ["d" * 100] * 60
    home = Path.cwd()
    os.chdir(tmp_path)
    for name in names:
        Path(name).mkdir()
        os.chdir(name)
    Path("a.txt").write_bytes(b"deep")
    yield tmp_path / "/".join(names) / "a.txt"
    Path("a.txt").unlink()
    for name in names:
        os.chdir("..")
        Path(name).rmdir()
    os.chdir(home)


def test_a_path_may_be_longer_than_the_system_takes_at_once(tmp_path: Path, deep: Path) -> None:
    assert len(str(deep)) > 4096
    assert read(tmp_path, deep) == b"deep"


def test_descriptors_of_a_deep_way_are_let_go_one_by_one(
    tmp_path: Path, deep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.open
    numbers: list[int] = []

    def spy(*args: Any, **kwargs: Any) -> int:
        numbers.append(original(*args, **kwargs))
        return numbers[-1]

    monkeypatch.setattr(os, "open", spy)
    assert read(tmp_path, deep) == b"deep"
    assert len(set(numbers)) <= 3


def test_a_path_on_another_drive_is_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def commonpath(paths: list[str]) -> str:
        raise ValueError("Paths don't have the same drive")

    monkeypatch.setattr(os.path, "commonpath", commonpath)
    monkeypatch.setattr(beneath, "_HAS_DIR_FD", False)
    assert read("/", "/etc/passwd") is FileNotFoundError
