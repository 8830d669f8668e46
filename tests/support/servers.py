"""Start and stop the real servers of the tests, each in a process of its own.

What the test process holds is then the client's alone, and a leak check can look at it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Origin:
    http: str
    https: str
    unix_socket: str

    @property
    def https_port(self) -> int:
        return int(self.https.rpartition(":")[2])


@dataclass(frozen=True)
class Proxy:
    url: str
    port: int


@contextmanager
def process(*command: str, pass_fds: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    # Servers fork workers: a group of its own makes them stop together.
    running = subprocess.Popen(
        command, pass_fds=pass_fds, start_new_session=True, stdin=subprocess.DEVNULL
    )
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


@contextmanager
def origin(certificate: Path, directory: Path) -> Iterator[Origin]:
    unix_socket = str(directory / "origin.sock")
    with ExitStack() as stack:
        http, https = (
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)
        )
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(unix_socket)
        unix.listen()
        descriptors = tuple(listening.fileno() for listening in (http, https, unix))
        command = (sys.executable, str(HERE / "origin.py"), str(certificate))
        stack.enter_context(process(*command, *map(str, descriptors), pass_fds=descriptors))
        yield Origin(
            http=f"http://127.0.0.1:{http.getsockname()[1]}",
            https=f"https://127.0.0.1:{https.getsockname()[1]}",
            unix_socket=unix_socket,
        )


@contextmanager
def proxy(directory: Path, credentials: str = "") -> Iterator[Proxy]:
    """A forward proxy (proxy.py), with CONNECT; with `user:password` if given."""
    port_file = directory / "proxy-port"
    command = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0"]
    command += ["--port-file", str(port_file), "--num-workers", "1", "--num-acceptors", "1"]
    command += ["--log-level", "c", "--data-dir", str(directory)]
    if credentials:
        command += ["--basic-auth", credentials]
    with process(*command) as running:
        port = ""
        while not port.endswith("\n") and running.poll() is None:
            time.sleep(0.005)
            port = port_file.read_text() if port_file.exists() else ""
        userinfo = f"{credentials}@" if credentials else ""
        yield Proxy(url=f"http://{userinfo}127.0.0.1:{int(port)}", port=int(port))
