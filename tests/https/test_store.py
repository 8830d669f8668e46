"""The store: what it knows, keeps, shares and saves; the file exchanged with a real curl."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import curl
from support.library import httpx
from support.pair import Pair, pair
from support.transportkit import HSTSStore, HSTSTransport

from transportkit.https import rfc6797
from transportkit.https import store as store_module
from transportkit.https.curl_file import CurlFile

TESTS = Path(__file__).parents[1]
START = 1_700_000_000.0
YEAR = "max-age=31536000"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The only time there is, both of the day and between two saves."""
    clock = Clock()
    monkeypatch.setattr(store_module, "time", clock)
    monkeypatch.setattr(store_module, "monotonic", clock)
    return clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hsts.txt"


@pytest.fixture
def servers(certificates: Path) -> Iterator[Pair]:
    with pair(certificates / "server.pem") as running:
        yield running


def known(*hosts: str) -> HSTSStore:
    store = HSTSStore()
    store.preload(hosts)
    return store


def learn(store: HSTSStore, host: str, header: str) -> bool:
    """What a transport does with a header of a response; whether it is time to save."""
    return store._learn(host, header)


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


class TestInMemory:
    def test_nothing_is_known_at_first(self) -> None:
        assert "example.com" not in HSTSStore()

    def test_what_was_heard_is_known_until_it_expires(self, clock: Clock) -> None:
        store = HSTSStore()
        learn(store, "example.com", "max-age=60")
        clock.now += 59.9
        assert "example.com" in store
        clock.now += 0.1
        assert "example.com" not in store

    def test_each_header_counts_from_when_it_came(self, clock: Clock) -> None:
        store = HSTSStore()
        learn(store, "example.com", "max-age=60")
        clock.now += 50
        learn(store, "example.com", "max-age=60")
        clock.now += 50
        assert "example.com" in store

    def test_a_network_that_lies_about_the_time_makes_it_forget(self, clock: Clock) -> None:
        # 14.7 says so, and knows no remedy.
        store = HSTSStore()
        learn(store, "example.com", YEAR)
        clock.now += 10 * 31536000
        assert "example.com" not in store

    @pytest.mark.parametrize(
        ("learned", "asked"),
        [
            ("EXAMPLE.com", "example.com."),
            ("example.com.", "Example.COM"),
            ("xn--mnchen-3ya.example", "münchen.example"),
        ],
    )
    def test_the_spelling_of_a_host_does_not_matter(self, learned: str, asked: str) -> None:
        store = HSTSStore()
        learn(store, learned, YEAR)
        assert asked in store

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.1", "", "a b"])
    def test_addresses_and_what_is_no_name_are_never_known(self, host: str) -> None:
        store = HSTSStore()
        learn(store, host, YEAR)
        assert host not in store
        assert store._hosts == {}

    @pytest.mark.parametrize("host", [None, 7, b"example.com", httpx.URL("http://example.com")])
    def test_what_is_no_string_is_not_in_it(self, host: object) -> None:
        store = HSTSStore()
        learn(store, "example.com", YEAR)
        assert host not in store

    @pytest.mark.parametrize(
        "header", ["", "max-age", "max-age=0; max-age=0", "\x00", "max-age=-1"]
    )
    def test_a_header_that_is_broken_changes_nothing(self, header: str) -> None:
        store = HSTSStore()
        learn(store, "example.com", YEAR)
        learn(store, "example.com", header)
        learn(store, "example.org", header)
        assert "example.com" in store
        assert "example.org" not in store

    @given(st.text(max_size=40), st.text(max_size=40))
    def test_no_header_and_no_host_make_it_raise(self, host: str, header: str) -> None:
        store = HSTSStore()
        learn(store, host, header)
        assert host not in store or "max-age" in header.lower()

    def test_max_age_0_forgets_the_host_but_not_its_parent(self) -> None:
        # 6.1.1: so a request to it is still led to https, on account of the parent.
        store = HSTSStore()
        learn(store, "example.com", f"{YEAR}; includeSubDomains")
        learn(store, "www.example.com", YEAR)
        learn(store, "www.example.com", "max-age=0")
        assert "www.example.com" in store
        learn(store, "example.com", "max-age=0")
        assert "www.example.com" not in store

    def test_saving_does_nothing(self) -> None:
        store = HSTSStore()
        assert learn(store, "example.com", YEAR) is False
        store.save()
        assert store._changes == {}

    def test_the_stalest_give_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rfc6797, "MOST_HOSTS", 100)
        store = HSTSStore()
        store.preload(["preloaded.example"])
        for number in range(1000):
            learn(store, "example.com", YEAR)
            learn(store, f"n{number}.example", YEAR)
        assert len(store._hosts) == 100
        assert "example.com" in store
        assert "preloaded.example" in store
        assert "n901.example" in store
        assert "n900.example" not in store

    def test_its_repr_says_where_it_is_and_how_full(self, path: Path) -> None:
        store = HSTSStore(path)
        learn(store, "example.com", YEAR)
        assert repr(store) == f"<HSTSStore, 1 hosts, in '{path}'>"
        assert repr(known("a.example")) == "<HSTSStore, 0 hosts, 1 preloaded, in memory>"


class TestPreloading:
    def test_a_dot_before_a_name_includes_its_subdomains(self) -> None:
        store = HSTSStore()
        store.preload(["example.com", ".example.org"])
        asked = ("example.com", "www.example.com", "example.org", "a.b.example.org")
        assert [host in store for host in asked] == [True, False, True, True]

    def test_any_iterable_will_do_and_lists_add_up(self) -> None:
        store = HSTSStore()
        store.preload(name for name in ("a.example", "MÜNCHEN.example."))
        store.preload({"b.example"})
        store.preload([])
        assert all(host in store for host in ("a.example", "xn--mnchen-3ya.example", "b.example"))

    @pytest.mark.parametrize("hosts", [["a.example", ".a.example"], [".a.example", "a.example"]])
    def test_given_both_ways_the_subdomains_are_included(self, hosts: list[str]) -> None:
        at_once, in_turn = HSTSStore(), HSTSStore()
        at_once.preload(hosts)
        for host in hosts:
            in_turn.preload([host])
        assert "b.a.example" in at_once
        assert "b.a.example" in in_turn

    def test_it_does_not_expire_and_servers_cannot_undo_it(self, clock: Clock) -> None:
        store = HSTSStore()
        store.preload(["example.com"])
        learn(store, "example.com", YEAR)
        learn(store, "example.com", "max-age=0")
        clock.now += 1e9
        assert "example.com" in store

    def test_it_is_not_saved(self, path: Path) -> None:
        store = HSTSStore(path)
        store.preload(["example.com"])
        store.save()
        assert not path.exists()

    @pytest.mark.parametrize(
        ("host", "text"),
        [
            ("https://example.com/a", "is more than a host name: write 'example.com'"),
            ("example.com:443", "is more than a host name: write 'example.com'"),
            ("example.com/", "is more than a host name: write 'example.com'"),
            ("http://scott:tiger@example.com", "'http://****@example.com' is more than a host"),
            ("*.example.com", "is not a host name: write '.example.com' to include the subdomains"),
            ("*.127.0.0.1", "is not a host name: write one such as 'example.com'"),
            ("127.0.0.1", "'127.0.0.1' is not a host name: write one such as 'example.com' (an IP"),
            (".10.0.0.1", "is not a host name"),
            ("[::1]", "is not a host name"),
            ("http://[", "is not a host name"),
            ("300.1.1.1", "is not a host name"),
            ("", "'' is not a host name"),
            (".", "'.' is not a host name"),
            ("..example.com", "is not a host name"),
            ("example com", "is not a host name"),
            ("# example.com", "is not a host name"),
        ],
    )
    def test_what_is_no_host_is_refused_with_what_to_write(self, host: str, text: str) -> None:
        store = HSTSStore()
        with pytest.raises(ValueError, match=r"^hosts: ") as refusal:
            store.preload(["example.org", host])
        assert text in str(refusal.value)
        assert "tiger" not in str(refusal.value)
        # All of a list or nothing.
        assert "example.org" not in store

    def test_one_string_is_no_list(self) -> None:
        text = r"^hosts must be a list of names, not str: write \['example.com'\]$"
        with pytest.raises(TypeError, match=text):
            HSTSStore().preload("example.com")

    @pytest.mark.parametrize("hosts", [None, 7, True])
    def test_what_is_no_list_is_refused(self, hosts: Any) -> None:
        text = f"^hosts must be a list of names, not {type(hosts).__name__}$"
        with pytest.raises(TypeError, match=text):
            HSTSStore().preload(hosts)

    @pytest.mark.parametrize("host", [None, 7, b"example.com"])
    def test_what_is_no_string_is_refused(self, host: Any) -> None:
        with pytest.raises(TypeError, match=r"^hosts must be strings, not"):
            HSTSStore().preload([host])


class TestTheFile:
    def test_is_read_where_the_store_is_made(self, path: Path) -> None:
        path.write_text('.example.com "unlimited"\nold.example "20200101 00:00:00"\n')
        store = HSTSStore(path)
        assert "www.example.com" in store
        assert list(store._hosts) == ["example.com"]

    @pytest.mark.parametrize("as_path", [str, Path])
    def test_keeps_what_was_saved(self, path: Path, as_path: type[Any]) -> None:
        store = HSTSStore(as_path(path))
        learn(store, "example.com", YEAR)
        learn(store, "example.org", f"{YEAR}; includeSubDomains")
        store.save()
        other = HSTSStore(as_path(path))
        asked = ("example.com", "www.example.com", "example.org", "www.example.org")
        assert [host in other for host in asked] == [True, False, True, True]

    def test_is_not_touched_without_anything_to_say(self, path: Path) -> None:
        path.write_text("# mine\n")
        store = HSTSStore(path)
        store.save()
        learn(store, "example.com", "nonsense")
        store.save()
        assert path.read_text() == "# mine\n"
        assert list(path.parent.iterdir()) == [path]

    def test_is_saved_once_for_what_was_heard_once(self, path: Path) -> None:
        store = HSTSStore(path)
        learn(store, "example.com", YEAR)
        store.save()
        path.unlink()
        store.save()
        assert not path.exists()

    def test_that_somebody_removed_is_made_again(self, path: Path) -> None:
        store = HSTSStore(path)
        for host in ("a.example", "b.example"):
            learn(store, host, YEAR)
            store.save()
            path.unlink()
        learn(store, "c.example", YEAR)
        store.save()
        # Whoever removed it wanted it forgotten.
        assert [line.partition(" ")[0] for line in lines(path)] == ["c.example"]
        assert "a.example" not in store

    def test_is_bounded_like_the_memory(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rfc6797, "MOST_HOSTS", 3)
        path.write_text("".join(f'h{number}.example "unlimited"\n' for number in range(9)))
        store = HSTSStore(path)
        assert list(store._hosts) == ["h6.example", "h7.example", "h8.example"]
        for host in ("a.example", "h7.example", "b.example"):
            learn(store, host, YEAR)
        for number in range(9):
            learn(store, f"h{number}.example", "max-age=0")
        assert len(store._changes) == 3
        store.save()
        assert len(lines(path)) <= 3

    def test_loses_what_has_expired(self, path: Path, clock: Clock) -> None:
        store = HSTSStore(path)
        learn(store, "short.example", "max-age=10")
        learn(store, "long.example", YEAR)
        store.save()
        clock.now += 11
        learn(store, "long.example", YEAR)
        store.save()
        assert len(lines(path)) == 1
        assert list(store._hosts) == ["long.example"]

    def test_that_cannot_be_read_is_an_error_where_the_store_is_made(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.touch()

        def fail(*arguments: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", fail)
        with pytest.raises(PermissionError):
            HSTSStore(path)

    def test_that_cannot_be_written_loses_nothing(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = HSTSStore(path)
        learn(store, "example.com", YEAR)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", _no_space)
            with pytest.raises(OSError, match="No space left"):
                store.save()
        assert "example.com" in store
        learn(store, "example.org", YEAR)
        store.save()
        assert len(lines(path)) == 2

    def test_gets_what_is_heard_while_it_is_written_the_next_time(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = HSTSStore(path)
        learn(store, "a.example", YEAR)
        learn(store, "b.example", YEAR)
        learn(store, "c.example", "max-age=0")
        replace = CurlFile.replace

        def meanwhile(self: CurlFile, *arguments: Any) -> None:
            learn(store, "new.example", YEAR)
            learn(store, "a.example", "max-age=0")
            learn(store, "b.example", f"{YEAR}; includeSubDomains")
            replace(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(CurlFile, "replace", meanwhile)
            store.save()
        assert set(store._changes) == {"new.example", "a.example", "b.example"}
        asked = ("a.example", "x.b.example", "new.example")
        assert [host in store for host in asked] == [False, True, True]
        store.save()
        assert [line.partition(" ")[0] for line in lines(path)] == ["new.example", ".b.example"]


def _no_space(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


class TestWhenItIsTimeToSave:
    """While requests are sent, that is; `save()` and closing need not wait."""

    def test_at_once_for_the_first_host(self, path: Path, clock: Clock) -> None:
        store = HSTSStore(path)
        assert learn(store, "a.example", YEAR)

    def test_at_most_every_five_seconds_for_news(self, path: Path, clock: Clock) -> None:
        store = HSTSStore(path)
        due = []
        for number in range(100):
            due.append(learn(store, f"h{number}.example", YEAR))
            clock.now += 0.5
        assert [number for number, is_due in enumerate(due) if is_due] == list(range(0, 100, 10))

    def test_news_that_came_too_early_wait_for_the_next_header(
        self, path: Path, clock: Clock
    ) -> None:
        store = HSTSStore(path)
        assert learn(store, "a.example", YEAR)
        store.save()
        assert not learn(store, "b.example", YEAR)
        clock.now += 5
        assert learn(store, "a.example", YEAR)

    def test_every_hour_for_what_is_known_already(self, path: Path, clock: Clock) -> None:
        store = HSTSStore(path)
        assert learn(store, "a.example", YEAR)
        store.save()
        due = 0
        for _ in range(3 * 60):
            clock.now += 60
            if learn(store, "a.example", YEAR):
                store.save()
                due += 1
        assert due == 3

    def test_soon_again_for_news_that_came_while_it_was_saved(
        self, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = HSTSStore(path)
        assert learn(store, "a.example", YEAR)
        replace = CurlFile.replace

        def meanwhile(self: CurlFile, *arguments: Any) -> None:
            learn(store, "b.example", YEAR)
            replace(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(CurlFile, "replace", meanwhile)
            store.save()
        clock.now += 5
        assert learn(store, "a.example", YEAR)

    def test_soon_again_after_saving_failed(
        self, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = HSTSStore(path)
        assert learn(store, "a.example", YEAR)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", _no_space)
            store._try_to_save()
        clock.now += 5
        assert learn(store, "a.example", YEAR)

    def test_not_for_what_is_no_header(self, path: Path, clock: Clock) -> None:
        assert not learn(HSTSStore(path), "a.example", "nonsense")
        assert not learn(HSTSStore(path), "127.0.0.1", YEAR)

    def test_never_without_a_file(self, clock: Clock) -> None:
        assert not learn(HSTSStore(), "a.example", YEAR)


class TestOthersWhoSave:
    def test_in_turn_lose_nothing(self, path: Path) -> None:
        one, other = HSTSStore(path), HSTSStore(path)
        learn(one, "one.example", YEAR)
        learn(other, "other.example", YEAR)
        one.save()
        other.save()
        assert sorted(HSTSStore(path)._hosts) == ["one.example", "other.example"]
        # What the others saved is taken over.
        assert "one.example" in other
        assert "other.example" not in one
        learn(one, "one.example", YEAR)
        one.save()
        assert "other.example" in one

    def test_do_not_bring_back_what_was_forgotten(self, path: Path) -> None:
        one = HSTSStore(path)
        learn(one, "a.example", YEAR)
        one.save()
        other = HSTSStore(path)
        learn(one, "a.example", "max-age=0")
        one.save()
        learn(other, "b.example", YEAR)
        other.save()
        assert sorted(HSTSStore(path)._hosts) == ["b.example"]
        assert "a.example" not in other

    def test_can_be_told_to_forget_what_was_not_known_here(self, path: Path) -> None:
        one, other = HSTSStore(path), HSTSStore(path)
        learn(one, "a.example", YEAR)
        one.save()
        learn(other, "a.example", "max-age=0")
        other.save()
        assert lines(path) == []

    def test_shorten_and_narrow(self, path: Path, clock: Clock) -> None:
        one = HSTSStore(path)
        learn(one, "a.example", f"{YEAR}; includeSubDomains")
        one.save()
        learn(one, "a.example", "max-age=60")
        one.save()
        assert lines(path) == ['a.example "20231114 22:14:20"']

    @pytest.mark.slow
    def test_in_other_processes_in_turn_lose_nothing(self, path: Path) -> None:
        for name in ("a", "b", "a"):
            with processes(path, [name], hosts=3) as (running,):
                running.communicate("go\n", timeout=60)
                assert running.returncode == 0
        expected = {f"{name}{number}.example" for name in "ab" for number in range(3)}
        assert set(HSTSStore(path)._hosts) == expected

    @pytest.mark.parametrize(
        ("names", "hosts"), [("ab", 10), pytest.param("abc", 30, marks=pytest.mark.slow)]
    )
    def test_in_other_processes_at_once_lose_nothing(
        self, path: Path, names: str, hosts: int
    ) -> None:
        with processes(path, list(names), hosts=hosts) as running:
            for one in running:
                assert one.stdout.readline() == "ready\n"
            for one in running:
                one.stdin.write("go\n")
                one.stdin.flush()
            for one in running:
                one.communicate(timeout=60)
                assert one.returncode == 0
        expected = {f"{name}{number}.example" for name in names for number in range(hosts)}
        assert set(HSTSStore(path)._hosts) == expected
        assert {entry.name for entry in path.parent.iterdir()} == {"hsts.txt", "hsts.txt.lock"}

    def test_and_die_leave_the_lock_to_the_living(self, path: Path) -> None:
        code = (
            "import fcntl, sys; lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
            "print('ready', flush=True); sys.stdin.readline()"
        )
        lock = path.with_name("hsts.txt.lock")
        command = [sys.executable, "-S", "-c", code, str(lock)]
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as running:
            assert running.stdout.readline() == "ready\n"  # type: ignore[union-attr]
            with lock.open() as held, pytest.raises(BlockingIOError):
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            running.kill()
        store = HSTSStore(path)
        learn(store, "a.example", YEAR)
        store.save()
        assert len(lines(path)) == 1


class processes(ExitStack):  # noqa: N801 - used as a function
    """Processes over one file, each with hosts of its own to learn and save, when told to go."""

    def __init__(self, path: Path, names: list[str], hosts: int) -> None:
        super().__init__()
        self._commands = [
            [sys.executable, "-m", "support.saver", str(path), name, str(hosts)] for name in names
        ]

    def __enter__(self) -> list[Any]:  # type: ignore[override]
        return [
            self.enter_context(subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd=TESTS))
            for command in self._commands
        ]


class TestThreads:
    def test_learn_ask_and_save_at_once(self, path: Path) -> None:
        store = HSTSStore(path)
        errors: list[BaseException] = []
        barrier = threading.Barrier(4)

        def work(name: str) -> None:
            try:
                barrier.wait(10)
                for number in range(20):
                    learn(store, f"{name}{number}.example", YEAR)
                    assert f"{name}{number}.example" in store
                    store.preload([f"{name}{number}.preloaded.example"])
                    store.save()
                    assert f"{name}{number}.example" in store
            except BaseException as error:  # noqa: BLE001 - for the main thread to see
                errors.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert store._changes == {}
        expected = {f"{name}{number}.example" for name in "abcd" for number in range(20)}
        assert set(HSTSStore(path)._hosts) == set(store._hosts) == expected

    def test_do_not_wait_while_the_file_is_written(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = HSTSStore(path)
        learn(store, "a.example", YEAR)
        replace = CurlFile.replace
        asked: list[bool] = []

        def slow(self: CurlFile, *arguments: Any) -> None:
            other = threading.Thread(target=lambda: asked.append("a.example" in store))
            other.start()
            other.join(10)
            replace(self, *arguments)

        monkeypatch.setattr(CurlFile, "replace", slow)
        store.save()
        assert asked == [True]


@pytest.mark.parametrize(
    "curl_path",
    [
        pytest.param(each, marks=() if each == curl.LIBCURL else pytest.mark.slow)
        for each in curl.installed()
    ],
)
class TestARealCurl:
    def test_reads_what_we_wrote(
        self, path: Path, servers: Pair, certificates: Path, curl_path: str
    ) -> None:
        store = HSTSStore(path)
        with httpx.Client(transport=HSTSTransport(store=store)) as client:
            client.get(servers.https)
        effective = curl.request(curl_path, path, certificates / "ca.pem", f"{servers.http}/a")
        assert effective == f"{servers.https}/a"
        assert servers.plain == []
        assert len(servers.tls) == 2

    def test_asks_in_clear_without_our_file(
        self, path: Path, servers: Pair, certificates: Path, curl_path: str
    ) -> None:
        # So it was our file that led it to https.
        curl.request(curl_path, path, certificates / "ca.pem", f"{servers.http}/a")
        assert len(servers.plain) == 1

    def test_wrote_what_we_read(
        self, path: Path, servers: Pair, certificates: Path, curl_path: str
    ) -> None:
        servers.script["https /"] = (
            "200 OK",
            "Strict-Transport-Security: max-age=60; includeSubDomains",
        )
        curl.request(curl_path, path, certificates / "ca.pem", f"{servers.https}/")
        store = HSTSStore(path)
        assert "localhost" in store
        assert "sub.localhost" in store
        transport = HSTSTransport(store=store)
        with httpx.Client(transport=transport, follow_redirects=True) as client:
            assert client.get(servers.http).url == f"{servers.https}/"
        assert servers.plain == []
        assert len(servers.tls) == 2

    def test_keeps_our_entries_and_we_keep_its(
        self,
        path: Path,
        servers: Pair,
        certificates: Path,
        curl_path: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        servers.script["https /"] = ("200 OK", "Strict-Transport-Security: max-age=99999999999999")
        store = HSTSStore(path)
        learn(store, "exact.example", YEAR)
        learn(store, "wide.example", f"{YEAR}; includeSubDomains")
        learn(store, "huge.example", f"max-age={'9' * 30}")
        store.save()
        path.write_text(f'{path.read_text()}forever.example "unlimited"\n')
        before = HSTSStore(path)
        curl.request(curl_path, path, certificates / "ca.pem", f"{servers.https}/")
        after = HSTSStore(path)
        # What curl takes for too long depends on its version, and is more than a year.
        assert after._hosts.pop("localhost").expires > time.time() + 31536000
        assert after._hosts == before._hosts
        # And back again: we write what curl wrote.
        learn(store, "new.example", YEAR)
        store.save()
        assert set(HSTSStore(path)._hosts) == {*before._hosts, "localhost", "new.example"}
        assert caplog.records == []

    def test_forgets_what_we_forgot(
        self, path: Path, servers: Pair, certificates: Path, curl_path: str
    ) -> None:
        curl.request(curl_path, path, certificates / "ca.pem", servers.https)
        servers.script["https /"] = ("200 OK", "Strict-Transport-Security: max-age=0")
        with httpx.Client(transport=HSTSTransport(store=HSTSStore(path))) as client:
            client.get(servers.https)
        curl.request(curl_path, path, certificates / "ca.pem", f"{servers.http}/a")
        assert len(servers.plain) == 1


def test_there_is_a_curl_to_ask() -> None:
    assert "libcurl" in curl.installed()
