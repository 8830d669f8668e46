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
_PROXY = [sys.executable, "-m", "proxy", "--hostname", "127.0.0.1", "--log-level", "c"]
_PROXY += ["--num-workers", "1", "--num-acceptors", "1"]


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
    command = [*_PROXY, "--port", "0", "--port-file", str(port_file)]
    command += ["--data-dir", str(directory)]
    if credentials:
        command += ["--basic-auth", credentials]
    with process(*command) as running:
        port = ""
        while not port.endswith("\n") and running.poll() is None:
            time.sleep(0.005)
            port = port_file.read_text() if port_file.exists() else ""
        userinfo = f"{credentials}@" if credentials else ""
        yield Proxy(url=f"http://{userinfo}127.0.0.1:{int(port)}", port=int(port))


class MortalProxy:
    """A real proxy that can be killed, and started again at the same port.

    Arguments:
        scheme: `http` for proxy.py, `socks5` or `socks5h` for pproxy.
        port: where it is, on loopback.
        directory: where it may write.
        credentials: `user:password`, if it is to ask for them.
    """

    def __init__(self, scheme: str, port: int, directory: Path, credentials: str = "") -> None:
        userinfo = f"{credentials}@" if credentials else ""
        self.url = f"{scheme}://{userinfo}127.0.0.1:{port}"
        self._port = port
        if scheme == "http":
            self._command = [*_PROXY, "--port", str(port), "--data-dir", str(directory)]
            self._command += ["--basic-auth", credentials] if credentials else []
        else:
            self._command = [sys.executable, str(HERE / "socks.py"), str(port), credentials]
        self._running = ExitStack()
        self._group = 0

    def start(self) -> None:
        """Return when it accepts connections."""
        if self._group:
            return
        running = self._running.enter_context(process(*self._command))
        self._group = running.pid
        while running.poll() is None:
            with socket.socket() as knocking:
                if knocking.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.005)
        raise RuntimeError(f"{self._command} ended with {running.returncode}")

    def kill(self) -> None:
        """Return when its connections are closed, those of its workers too."""
        self._running.close()
        while self._group and _is_alive(self._group):
            time.sleep(0.001)
        self._group = 0


def _is_alive(group: int) -> bool:
    """Whether a process of this group has not ended; there may be nobody to bury it."""
    # The first thread may have ended before others, with which go the connections.
    for stat in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            state, _, of_group = stat.read_text().rpartition(") ")[2].split()[:3]
        except OSError:  # It has just been buried.
            continue
        if int(of_group) == group and state not in "ZX":
            return True
    return False


@contextmanager
def mortal_proxy(scheme: str, directory: Path, credentials: str = "") -> Iterator[MortalProxy]:
    """A running `MortalProxy`, whose port stays its own while it is dead."""
    with socket.socket() as reserved:
        # Bound, but never listening: others can bind it too, if they ask for it by number.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        mortal = MortalProxy(scheme, reserved.getsockname()[1], directory, credentials)
        mortal.start()
        try:
            yield mortal
        finally:
            mortal.kill()
