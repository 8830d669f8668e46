"""file:// URLs against a loop over `os.read`, requests-file and httpx-file.

    pip install requests-file httpx-file && python tests/benchmarks/files.py

Whoever is not installed is left out. Exits with status 1 when a bar is missed.
"""

import gc
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
from ratios import Report, medians

from transportkit import AsyncFileSystemTransport, FileSystemTransport, file_url

KIB, MIB = 2**10, 2**20
BIG = 1024 * MIB
ROUNDS = 9


def read_loop(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    while os.read(descriptor, size):
        pass
    os.close(descriptor)


def client(root: Path) -> httpx.Client:
    files = FileSystemTransport(root)
    return httpx.Client(base_url="file:///", mounts={"file://": files}, trust_env=False)


def async_client(root: Path) -> httpx.AsyncClient:
    files = AsyncFileSystemTransport(root)
    return httpx.AsyncClient(base_url="file:///", mounts={"file://": files}, trust_env=False)


def download(root: Path, path: Path) -> float:
    with client(root) as opened:
        started = time.perf_counter()
        with opened.stream("GET", file_url(path)) as response:
            for _ in response.iter_raw():
                pass
        return time.perf_counter() - started


async def async_download(root: Path, path: Path) -> float:
    async with async_client(root) as opened:
        started = time.perf_counter()
        async with opened.stream("GET", file_url(path)) as response:
            async for _ in response.aiter_raw():
                pass
        return time.perf_counter() - started


def timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def peer(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"({name} is not installed)")
        return None


def growth(root: Path, path: Path, backend: str) -> float:
    """By how many MiB a process grows that has read a small file, and now reads a big one."""
    command = [sys.executable, __file__, "--growth", str(root), str(path), backend]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def print_growth(root: Path, path: Path, backend: str) -> None:
    small = root / "1KiB"

    def peak() -> int:
        # Not getrusage: its peak is inherited from the process that started this one.
        status = Path("/proc/self/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0])

    async def main() -> None:
        await async_download(root, small)
        before = peak()
        await async_download(root, path)
        print((peak() - before) / KIB)

    if backend == "sync":
        download(root, small)
        before = peak()
        download(root, path)
        print((peak() - before) / KIB)
    else:
        anyio.run(main, backend=backend)


def throughput(report: Report, root: Path, big: Path) -> None:
    contestants: dict[str, Callable[[], float]] = {
        "os.read 256 KiB": lambda: timed(lambda: read_loop(big, 256 * KIB)),
        "os.read 768 KiB": lambda: timed(lambda: read_loop(big, 768 * KIB)),
        "os.read 1 MiB": lambda: timed(lambda: read_loop(big, MIB)),
        "sync": lambda: download(root, big),
        "asyncio": lambda: anyio.run(async_download, root, big),
        "trio": lambda: anyio.run(async_download, root, big, backend="trio"),
    }
    if (requests := peer("requests")) and (requests_file := peer("requests_file")):
        session = requests.Session()
        session.mount("file://", requests_file.FileAdapter())

        def stream() -> None:
            with session.get(file_url(big), stream=True) as response:
                for _ in response.iter_content(768 * KIB):
                    pass

        contestants["requests-file"] = lambda: timed(stream)
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, measure in contestants.items():
            times[name].append(measure())
    median = {name: statistics.median(measured) for name, measured in times.items()}
    report.heading(
        "1 GiB, throughput against a loop over os.read in this run",
        to="os.read",
        is_more_better=True,
    )
    for name, bar in [("sync", 0.9), ("asyncio", 0.4), ("trio", 0.4), ("requests-file", 0)]:
        for size in ("256 KiB", "768 KiB", "1 MiB"):
            if name in median:
                same = size == "768 KiB"
                ratio = median[f"os.read {size}"] / median[name]
                what = f"{name} against {size}{', the same chunk' * (name == 'sync' and same)}"
                report.ratio(what, ratio, at_least=bar if same or name != "sync" else 0)


def small_files(report: Report, root: Path) -> None:
    url = file_url(root / "1KiB")
    ours = client(root)
    others: dict[str, Callable[[], object]] = {}
    # Importing it patches httpx for everyone.
    if httpx_file := peer("httpx_file"):
        others["httpx-file"] = partial(content, httpx_file.Client(trust_env=False), url)
    if (requests := peer("requests")) and (requests_file := peer("requests_file")):
        session = requests.Session()
        session.trust_env = False
        session.mount("file://", requests_file.FileAdapter())
        others["requests-file"] = partial(content, session, url)
    report.heading(
        "1 KiB files a second through client.get, against", to="peer", is_more_better=True
    )
    for name, call in others.items():
        assert call() == ours.get(url).content
        # In pairs: who comes after a third one finds the caches of the machine cold.
        median = medians({"ours": partial(content, ours, url), name: call})
        bar = 0.9 if name == "httpx-file" else 0
        report.ratio(name, median[name] / median["ours"], at_least=bar, to=name)


async def async_small_files(root: Path) -> tuple[float, float]:
    """Seconds for each request of ours and of httpx-file's."""
    url = file_url(root / "1KiB")
    httpx_file = importlib.import_module("httpx_file")
    times: dict[Any, list[float]] = {}
    async with async_client(root) as ours, httpx_file.AsyncClient(trust_env=False) as theirs:
        for _ in range(31):
            for one in (ours, theirs):
                get: Callable[[str], Awaitable[httpx.Response]] = one.get
                started = time.perf_counter()
                for _ in range(20):
                    await get(url)
                times.setdefault(one, []).append((time.perf_counter() - started) / 20)
    mine, others = (statistics.median(measured) for measured in times.values())
    return mine, others


def content(one: Any, url: str) -> bytes:
    body: bytes = one.get(url).content
    return body


def contents(report: Report, root: Path) -> None:
    ours = client(root)
    httpx_file = peer("httpx_file")
    theirs = httpx_file and httpx_file.Client(trust_env=False)
    for size in (1, 16, 256):
        path = root / f"{size}MiB"
        url = file_url(path)
        calls: dict[str, Callable[[], object]] = {
            "ours": partial(content, ours, url),
            "read_bytes": path.read_bytes,
        }
        if theirs:
            calls["httpx-file"] = partial(content, theirs, url)
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(31 if size < 100 else 5):
            for name, call in calls.items():
                times[name].append(timed(call))
        mine = statistics.median(times.pop("ours"))
        report.heading(f".content of {size} MiB, times of others", to="", is_more_better=True)
        for name, measured in times.items():
            report.ratio(name, statistics.median(measured) / mine, to=name)
        path.unlink()


def main() -> None:
    report = Report()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as directory:
        root = Path(directory).resolve()
        (root / "1KiB").write_bytes(os.urandom(KIB))
        block = os.urandom(MIB)
        for name, size in (("1MiB", 1), ("16MiB", 16), ("256MiB", 256), ("big", BIG // MIB)):
            with (root / name).open("wb") as file:
                for _ in range(size):
                    file.write(block)
        big = root / "big"
        throughput(report, root, big)
        report.heading("1 GiB, growth of the process in MiB", to="MiB")
        for backend, bar in (("sync", 2), ("asyncio", 16), ("trio", 16)):
            report.ratio(backend, growth(root, big, backend), at_most=bar)
        big.unlink()
        gc.collect()
        small_files(report, root)
        if peer("httpx_file"):
            mine, others = anyio.run(async_small_files, root)
            report.ratio("httpx-file, async", others / mine, to="httpx-file")
        contents(report, root)
    sys.exit(not report.met)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--growth"]:
        print_growth(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        main()
