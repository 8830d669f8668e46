"""Files that are whole at any time, and that have one writer at a time."""

import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from transportkit.wire import atomic
from transportkit.wire.atomic import acquire, release, replace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "x.lock"


def is_free(lock: Path) -> bool:
    with lock.open() as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


class TestALock:
    def test_is_ones_own_until_it_is_released(self, lock: Path) -> None:
        descriptor = acquire(lock, wait=False)
        assert not is_free(lock)
        with pytest.raises(BlockingIOError):
            acquire(lock, wait=False)
        release(descriptor)
        assert is_free(lock)
        release(acquire(lock, wait=False))

    def test_can_be_read_and_written_by_its_owner(self, lock: Path) -> None:
        descriptor = acquire(lock, wait=True)
        os.write(descriptor, b"x")
        assert os.pread(descriptor, 9, 0) == b"x"
        release(descriptor)
        assert lock.read_bytes() == b"x"

    def test_is_for_its_owners_eyes(self, lock: Path) -> None:
        umask = os.umask(0)
        try:
            release(acquire(lock, wait=True))
        finally:
            os.umask(umask)
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600

    def test_is_made_only_if_it_may_be(self, lock: Path) -> None:
        with pytest.raises(FileNotFoundError):
            acquire(lock, wait=False, create=False)
        lock.touch()
        release(acquire(lock, wait=False, create=False))

    def test_follows_no_symlink(self, path: Path, lock: Path) -> None:
        lock.symlink_to(path)
        with pytest.raises(OSError, match="symbolic links"):
            acquire(lock, wait=False)
        assert not path.exists()

    def test_is_waited_for(self, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        turns: list[str] = []
        waiting = threading.Event()
        original = atomic._lock

        def announced(descriptor: int, *, wait: bool) -> None:
            waiting.set()
            original(descriptor, wait=wait)

        def take() -> None:
            descriptor = acquire(lock, wait=True)
            turns.append("other")
            release(descriptor)

        descriptor = acquire(lock, wait=True)
        monkeypatch.setattr(atomic, "_lock", announced)
        other = threading.Thread(target=take)
        other.start()
        assert waiting.wait(10)
        turns.append("one")
        release(descriptor)
        other.join(10)
        assert turns == ["one", "other"]

    @pytest.mark.parametrize("wait", [False, True])
    def test_on_what_its_owner_has_just_removed_is_none(
        self, lock: Path, wait: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = atomic._lock
        removed: list[int] = []

        def locked_too_late(descriptor: int, *, wait: bool) -> None:
            if not removed:
                removed.append(lock.stat().st_ino)
                lock.unlink()
            original(descriptor, wait=wait)

        first = acquire(lock, wait=False)
        release(first)
        monkeypatch.setattr(atomic, "_lock", locked_too_late)
        descriptor = acquire(lock, wait=wait)
        assert removed
        assert os.path.samestat(os.fstat(descriptor), lock.stat())
        assert not is_free(lock)
        release(descriptor)

    def test_on_what_another_has_made_anew_is_none(
        self, lock: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = atomic._lock
        others: list[int] = []

        def locked_too_late(descriptor: int, *, wait: bool) -> None:
            if not others:
                lock.unlink()
                others.append(os.open(lock, os.O_RDWR | os.O_CREAT))
                original(others[0], wait=False)
            original(descriptor, wait=wait)

        monkeypatch.setattr(atomic, "_lock", locked_too_late)
        with pytest.raises(BlockingIOError):
            acquire(lock, wait=False)
        release(others[0])

    def test_is_released_after_what_comes_last(self, lock: Path) -> None:
        seen: list[bool] = []

        def last() -> None:
            seen.append(is_free(lock))
            lock.unlink()

        release(acquire(lock, wait=True), last)
        assert seen == [False]
        assert not lock.exists()

    def test_is_released_although_that_fails(self, lock: Path) -> None:
        with pytest.raises(FileNotFoundError):
            release(acquire(lock, wait=True), lock.with_name("missing").unlink)
        assert is_free(lock)

    def test_is_not_held_by_a_child_that_was_forked_meanwhile(self, lock: Path) -> None:
        descriptor = acquire(lock, wait=True)
        # What a child has of it. A real fork warns where there are threads.
        copy = os.dup(descriptor)
        release(descriptor)
        assert is_free(lock)
        os.close(copy)


class TestReplacing:
    def test_makes_a_file_for_its_owners_eyes(self, path: Path) -> None:
        umask = os.umask(0)
        try:
            replace(path, [b"a", b"b"])
        finally:
            os.umask(umask)
        assert path.read_bytes() == b"ab"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize(("keep_mode", "mode"), [(False, 0o600), (True, 0o646)])
    def test_keeps_who_may_read_it_if_that_is_asked_for(
        self, path: Path, keep_mode: bool, mode: int
    ) -> None:
        path.touch()
        path.chmod(0o646)
        replace(path, [b"a"], keep_mode=keep_mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode

    def test_of_nothing_has_no_mode_to_keep(self, path: Path) -> None:
        replace(path, [], keep_mode=True)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_leaves_those_who_read_the_old_file_alone(self, path: Path) -> None:
        path.write_bytes(b"old")
        with path.open("rb") as reader:
            replace(path, [b"new"])
            assert reader.read() == b"old"
        assert path.read_bytes() == b"new"

    def test_removes_what_was_left_by_one_who_was_killed(self, path: Path) -> None:
        path.with_name("x.new").write_bytes(b"half a")
        replace(path, [b"whole"])
        assert path.read_bytes() == b"whole"
        assert list(path.parent.iterdir()) == [path]

    def test_follows_no_symlink_to_the_side(self, path: Path) -> None:
        victim = path.with_name("victim")
        victim.write_bytes(b"precious")
        path.with_name("x.new").symlink_to(victim)
        replace(path, [b"new"])
        assert victim.read_bytes() == b"precious"
        assert path.read_bytes() == b"new"

    @pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
    def test_that_fails_changes_nothing(self, path: Path, error: type[BaseException]) -> None:
        def content() -> Iterator[bytes]:
            yield b"half a"
            raise error

        path.write_bytes(b"as it was")
        with pytest.raises(error):
            replace(path, content())
        assert path.read_bytes() == b"as it was"
        assert list(path.parent.iterdir()) == [path]

    @pytest.mark.parametrize(("owner", "step"), [(os, "fsync"), (Path, "chmod"), (Path, "replace")])
    def test_that_fails_at_any_step_changes_nothing(
        self, path: Path, owner: object, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_space(*arguments: object) -> None:
            raise OSError(28, "No space left on device")

        path.write_bytes(b"as it was")
        monkeypatch.setattr(owner, step, no_space)
        with pytest.raises(OSError, match="No space left"):
            replace(path, [b"new"], keep_mode=True)
        assert path.read_bytes() == b"as it was"
        assert list(path.parent.iterdir()) == [path]

    def test_is_on_the_disk_before_it_has_the_name(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.write_bytes(b"old")
        synced: list[bytes] = []
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            synced.append(path.read_bytes())
            synced.append(path.with_name("x.new").read_bytes())
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", watched)
        replace(path, [b"new"])
        assert synced == [b"old", b"new"]
