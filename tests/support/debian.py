"""Proxies that Debian has packages of: squid, tinyproxy and microsocks, each in a process of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# What each is asked to refuse, if it can be.
REFUSED = "refused.example"
_SQUID = """
http_port 127.0.0.1:{port}
pid_filename {directory}/squid.pid
cache deny all
cache_mem 1 MB
access_log none
cache_log {directory}/cache.log
coredump_dir {directory}
acl refused dstdomain {refused}
http_access deny refused
http_access allow all
shutdown_lifetime 0 seconds
"""
_TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 30
MaxClients 50
LogFile "{directory}/log"
PidFile "{directory}/pid"
Filter "{directory}/filter"
"""
NAMES = ("squid", "tinyproxy", "microsocks")


@contextmanager
def debian_proxy(name: str, directory: Path) -> Iterator[str]:
    """The URL of one of them; skips the test where it is not installed.

    Arguments:
        name: one of `NAMES`.
        directory: for its files.
    """
    program = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if program is None:
        pytest.skip(f"{name} is not installed: apt-get install {name}")
    directory.chmod(0o777)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (directory / "filter").write_text(REFUSED)
    written = {"squid": _SQUID, "tinyproxy": _TINYPROXY, "microsocks": ""}[name]
    config = directory / "config"
    config.write_text(written.format(port=port, directory=directory, refused=REFUSED))
    command = {
        "squid": [program, "-N", "-f", str(config)],
        "tinyproxy": [program, "-d", "-c", str(config)],
        "microsocks": [program, "-i", "127.0.0.1", "-p", str(port)],
    }[name]
    log = (directory / "output").open("w")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await_listener(port)
            yield f"{'socks5' if name == 'microsocks' else 'http'}://127.0.0.1:{port}"
        finally:
            process.kill()


def _await_listener(port: int) -> None:
    # Not `wait_for_end`: what is waited for is a process, which has no other way to tell.
    for _ in range(500):
        with socket.socket() as knocking:
            if knocking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the proxy does not listen")
