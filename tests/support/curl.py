"""Requests by a real curl with its `--hsts` file: the one that pycurl brings, and the system's.

Run as `python curl.py FILE CA URL` it is the former, in a process of its own: what curl
keeps open is not the tests' to close.
"""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

LIBCURL = "libcurl"


def installed() -> list[str]:
    """The curls there are: pycurl's, and that of the system if it knows HSTS."""
    curl = shutil.which("curl")
    return (
        [LIBCURL] if curl is None or "HSTS" not in _output(curl, "--version") else [LIBCURL, curl]
    )


def request(curl: str, file: Path, ca: Path, url: str) -> str:
    """The URL that was asked in the end."""
    if curl == LIBCURL:
        return _output(sys.executable, __file__, str(file), str(ca), url)
    options = ["--silent", "--show-error", "--location", "--output", "/dev/null"]
    options += ["--hsts", str(file), "--cacert", str(ca), "--write-out", "%{url_effective}"]
    return _output(curl, *options, url)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def main() -> None:
    file, ca, url = sys.argv[1:]
    # Its types are in a package of their own, which nobody needs for these lines.
    pycurl = importlib.import_module("pycurl")
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.HSTS_CTRL, pycurl.CURLHSTS_ENABLE)
    handle.setopt(pycurl.HSTS, file)
    handle.setopt(pycurl.CAINFO, ca)
    handle.setopt(pycurl.FOLLOWLOCATION, True)
    handle.setopt(pycurl.WRITEFUNCTION, len)
    handle.perform()
    print(handle.getinfo(pycurl.EFFECTIVE_URL), end="")
    handle.close()


if __name__ == "__main__":
    main()
