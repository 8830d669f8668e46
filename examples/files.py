"""Files through the same client as the web: a tree of them, and a download that is continued.

    pip install . && python examples/files.py

It needs no network: a web server runs on this machine while it lasts. The exit status is 1
when something went otherwise than it should.
"""

import hashlib
import sys
import tempfile
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Self

import anyio
import httpx

from transportkit import AsyncFileSystemTransport, FileSystemTransport, Mounts, file_url


def read_a_tree(client: httpx.Client, urls: Iterable[str]) -> dict[str, str]:
    """Show where each URL leads, be it to a file or to a page of the web."""
    found = {}
    for url in urls:
        response = client.get(url)
        kind = response.headers.get("Content-Type", "-")
        found[url] = f"{response.status_code} {kind}: {response.text.strip()}"
    return found


def continue_a_download(client: httpx.Client, url: str, target: Path) -> None:
    """Fetch what is missing of a file, if it is still the one that was begun."""
    etag = client.head(url).headers["ETag"]
    with target.open("ab") as file:
        headers = {"Range": f"bytes={file.tell()}-", "If-Range": etag}
        with client.stream("GET", url, headers=headers) as response:
            print(f"  {response.status_code} {response.headers['Content-Range']}")
            for chunk in response.iter_bytes():
                file.write(chunk)


async def hash_of(root: Path, url: str) -> str:
    """The same from async code: a constant amount of memory, and no file on the event loop."""
    received = hashlib.sha256()
    files = AsyncFileSystemTransport(root)
    async with (
        httpx.AsyncClient(base_url="file:///", mounts={"file://": files}) as client,
        client.stream("GET", url) as response,
    ):
        async for chunk in response.aiter_bytes():
            received.update(chunk)
    return received.hexdigest()


def main() -> int:
    wrong = 0

    def check(what: str, seen: object, stated: object) -> None:
        nonlocal wrong
        print(f"  {what:<40} {seen}")
        if seen != stated:
            print(f"  BUT STATED WAS: {stated}")
            wrong += 1

    with tempfile.TemporaryDirectory() as directory, Web() as web:
        base = Path(directory)
        plant(base)
        docs = base / "docs"
        # base_url lets the client take URLs without a host. Those with one work as before.
        mounts = Mounts({"file://": FileSystemTransport(docs, index="index.html")}, trust_env=False)
        with httpx.Client(transport=mounts, base_url="file:///", follow_redirects=True) as client:
            print("A tree of files, and the web:")
            names = {
                "docs": "200 text/html; charset=utf-8: <h1>Docs</h1>",
                "docs/100% done.txt": "200 text/plain; charset=utf-8: done",
                "docs/latest.txt": "200 text/plain; charset=utf-8: done",
                "docs/nothing.txt": "404 -: ",
                "docs/way-out.txt": "404 -: ",
                "secret.txt": "404 -: ",
            }
            urls = {file_url(base / name): stated for name, stated in names.items()}
            urls[f"{web.address}/page"] = "200 text/plain: a page of the web"
            for url, seen in read_a_tree(client, urls).items():
                check(url.rpartition("/")[2] or url, seen, urls[url])

            print("A server that redirects to a file:")
            try:
                seen = client.get(f"{web.address}/redirect").text
            except httpx.UnsupportedProtocol as error:
                seen = type(error).__name__
            check("/redirect", seen, "UnsupportedProtocol")

            print("A download, continued:")
            whole = (docs / "big.bin").read_bytes()
            target = base / "copy.bin"
            target.write_bytes(whole[:1_000_000])
            continue_a_download(client, file_url(docs / "big.bin"), target)
            check("complete", target.read_bytes() == whole, True)

        print("The same file from async code:")
        digest = anyio.run(hash_of, docs, file_url(docs / "big.bin"))
        check("SHA-256", digest == hashlib.sha256(whole).hexdigest(), True)
    print(f"{wrong} went otherwise than stated." if wrong else "All went as stated.")
    return 1 if wrong else 0


# From here on: what is read. None of it is needed to use transportkit.


def plant(base: Path) -> None:
    docs = base / "docs"
    docs.mkdir()
    (base / "secret.txt").write_text("secret")
    (docs / "index.html").write_text("<h1>Docs</h1>")
    (docs / "100% done.txt").write_text("done")
    (docs / "latest.txt").symlink_to("100% done.txt")
    (docs / "way-out.txt").symlink_to("../secret.txt")
    (docs / "big.bin").write_bytes(b"0123456789abcdef" * 200_000)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"a page of the web")

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output free of an access log."""


class Web(ThreadingTCPServer):
    """Serves on a free port of this machine, in threads, until its `with` block ends."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        # The end of the block waits for the next poll, so polls are short.
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
