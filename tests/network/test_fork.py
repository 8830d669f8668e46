"""A transport that is used before and after fork(): each process has what is its own."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support import har
from support.library import httpx, shell
from support.networks import limits, taken
from support.servers import Origin
from support.transportkit import (
    DebuggingTransport,
    HARRecorder,
    HSTSStore,
    HSTSTransport,
    ProxyRoundRobin,
    RetryTransport,
)

NetworkTransport = shell("network").NetworkTransport

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


class Child:
    """A forked process that counts something, and says how many there were.

    Arguments:
        count: what it does.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._reading, writing = os.pipe()
        self._process = os.fork()
        if not self._process:
            said = "failed"
            try:
                said = str(count())
            finally:
                os.write(writing, said.encode())
                os._exit(0)
        os.close(writing)

    def said(self) -> str:
        os.waitpid(self._process, 0)
        with os.fdopen(self._reading) as reading:
            return reading.read()


def wrong_of(client: Any, origin: Origin, who: str, count: int) -> int:
    """How many of so many answers are another request's."""
    wrong = 0
    for number in range(count):
        path = f"/{who}/{number}"
        wrong += client.get(origin.http + path).json()["path"] != path
    return wrong


@pytest.mark.parametrize("count", [20, pytest.param(400, marks=pytest.mark.slow)])
def test_under_load_nobody_gets_an_answer_of_anothers(count: int, origin: Origin) -> None:
    transport = NetworkTransport(limits=limits(8))
    with (
        httpx.Client(transport=transport, timeout=30) as client,
        ThreadPoolExecutor(4) as threads,
    ):
        forked = threading.Event()

        def load(number: int) -> int:
            wrong = 0
            while not forked.is_set():
                wrong += wrong_of(client, origin, f"load{number}", 1)
            return wrong

        loads = [threads.submit(load, number) for number in range(3)]
        assert wrong_of(client, origin, "before", 5) == 0
        children = [
            Child(lambda: wrong_of(client, origin, name, count))  # noqa: B023 - used at once
            for name in ("one", "other")
        ]
        assert wrong_of(client, origin, "parent", count) == 0
        assert [child.said() for child in children] == ["0", "0"]
        forked.set()
        assert [each.result() for each in loads] == [0, 0, 0]


def test_what_another_thread_had_locked_is_nobodys_in_the_child(
    origin: Origin, tmp_path: Path
) -> None:
    recorder = HARRecorder(tmp_path / "exchanges.har")
    network = NetworkTransport(limits=limits(2))
    rotation = ProxyRoundRobin([network], order="least_busy")
    retrying = RetryTransport(DebuggingTransport(rotation, recorder))
    store = HSTSStore()
    hsts = HSTSTransport(retrying, store)
    with recorder, httpx.Client(transport=hsts, timeout=30) as client:
        assert wrong_of(client, origin, "before", 3) == 0
        with client.stream("GET", origin.http), ExitStack() as stack:
            for lock in (
                network._core.pool._lock,
                network._core.pool.timetable._lock,
                rotation._rotation.pool._lock,
                rotation._transports._building,
                retrying._buckets._lock,
                store._lock,
                recorder._changed,
                hsts._lifecycle._lock,
            ):
                stack.enter_context(lock)  # Held by another thread, as it were.

            def use_all() -> int:
                (status,) = rotation.status()
                wrong = wrong_of(client, origin, "child", 3) + status.in_flight
                retrying._buckets.take(httpx.URL(origin.http), 0)
                client.close()
                recorder.close()
                return wrong + ("h.example" in store)

            child = Child(use_all)
        assert child.said() == "0"
        assert wrong_of(client, origin, "parent", 3) == 0
        assert taken(network) == "1 connections, 1 idle, 0 waiting"
    urls = [entry["request"]["url"] for entry in har.read(tmp_path / "exchanges.har")]
    assert len(urls) == 7
    assert not any("child" in url for url in urls)
