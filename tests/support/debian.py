"""Programs that Debian has packages of, each in a process of its own.

squid, tinyproxy and microsocks are proxies, and nginx is an origin.
"""

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
_NGINX = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        keepalive_requests {requests};
        location / {{ return 200 "$connection"; }}
    }}
}}
"""
NAMES = ("squid", "tinyproxy", "microsocks")


@contextmanager
def debian_proxy(name: str, directory: Path) -> Iterator[str]:
    """The URL of one of them; skips the test where it is not installed.

    Arguments:
        name: one of `NAMES`.
        directory: for its files.
    """
    program = _installed(name, name)
    directory.chmod(0o777)
    port = _free_port()
    (directory / "filter").write_text(REFUSED)
    written = {"squid": _SQUID, "tinyproxy": _TINYPROXY, "microsocks": ""}[name]
    config = directory / "config"
    config.write_text(written.format(port=port, directory=directory, refused=REFUSED))
    command = {
        "squid": [program, "-N", "-f", str(config)],
        "tinyproxy": [program, "-d", "-c", str(config)],
        "microsocks": [program, "-i", "127.0.0.1", "-p", str(port)],
    }[name]
    with _running(command, port, directory):
        yield f"{'socks5' if name == 'microsocks' else 'http'}://127.0.0.1:{port}"


@contextmanager
def debian_nginx(certificate: Path, directory: Path, requests: int) -> Iterator[str]:
    """The URL of an nginx that speaks HTTP/2 and answers with the number of the connection.

    Arguments:
        certificate: it and its key.
        directory: for its files.
        requests: the most that it takes on a connection, which it ends by a GOAWAY.
    """
    program = _installed("nginx", "nginx-light")
    port = _free_port()
    config = directory / "config"
    config.write_text(
        _NGINX.format(port=port, directory=directory, certificate=certificate, requests=requests)
    )
    command = [program, "-e", str(directory / "error.log"), "-c", str(config)]
    with _running(command, port, directory):
        yield f"https://127.0.0.1:{port}/"


def _installed(name: str, package: str) -> str:
    program = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if program is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return program


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int, directory: Path) -> Iterator[None]:
    log = (directory / "output").open("w")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await_listener(port)
            yield
        finally:
            process.kill()


def _await_listener(port: int) -> None:
    # Not `wait_for_end`: what is waited for is a process, which has no other way to tell.
    for _ in range(500):
        with socket.socket() as knocking:
            if knocking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("it does not listen")
