"""FileSystemTransport: what it answers, how it reads, and that it lets go."""

# ruff: noqa: ASYNC240 - one test body for sync and async looks at files itself

import asyncio
import errno
import hashlib
import os
import stat
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import other
from support.fetching import fetch
from support.flavours import Flavour
from support.library import httpx
from support.transportkit import AsyncFileSystemTransport, FileSystemTransport, Mounts, file_url
from support.trees import SECRET, Tree

from transportkit.files import answering, reading
from transportkit.files.reading import OpenFile

MIB = 2**20


def open_files(directory: Path) -> int:
    found = 0
    for entry in Path("/proc/self/fd").glob("*"):
        try:
            found += str(entry.readlink()).startswith(str(directory))
        except FileNotFoundError:  # the one that lists the others
            continue
    return found


class TestAnswers:
    async def test_by_what_is_there(self, flavour: Flavour, tree: Tree) -> None:
        transport = flavour.FileSystemTransport(tree.root)
        for name, status_code in [
            ("a.txt", 200),
            ("link", 200),
            ("sub/b.txt", 200),
            ("detour", 200),
            ("nothing", 404),
            ("secret", 404),
            ("", 404),
            ("sub", 404),
            ("empty", 404),
            ("fifo", 403),
            ("to-fifo", 403),
            ("socket", 403),
        ]:
            for method in ("GET", "HEAD"):
                url = file_url(tree.root / name)
                response, body = await fetch(flavour, transport, url, method)
                assert response.status_code == status_code, name
                assert bool(body) == (method == "GET" and status_code == 200)
                if status_code != 200:
                    assert response.headers == {"Content-Length": "0"}
                assert open_files(tree.root) == 0

    async def test_with_the_headers_of_the_file(self, flavour: Flavour, own_tree: Tree) -> None:
        path = own_tree.root / "a.txt"
        os.utime(path, (0, 784111777))
        transport = flavour.FileSystemTransport(own_tree.root)
        response, body = await fetch(flavour, transport, file_url(path), X_Secret="mine", Host="h")
        assert (response.status_code, body) == (200, b"a")
        status = path.stat()
        assert response.headers == {
            "Content-Length": "1",
            "Content-Type": "text/plain; charset=utf-8",
            "ETag": f'"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-1-{status.st_ino:x}"',
            "Accept-Ranges": "bytes",
            "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
        }
        assert "mine" not in str(response.headers.raw)
        of_head, _ = await fetch(flavour, transport, file_url(path), "HEAD")
        assert of_head.headers == response.headers

    async def test_other_methods_with_405(self, flavour: Flavour, tree: Tree) -> None:
        transport = flavour.FileSystemTransport(tree.root)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"):
            for name in ("a.txt", "nothing", "fifo"):
                response, body = await fetch(flavour, transport, file_url(tree.root / name), method)
                assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
                assert body == b""

    async def test_whatever_the_query_and_the_fragment_are(
        self, flavour: Flavour, tree: Tree
    ) -> None:
        transport = flavour.FileSystemTransport(tree.root)
        for suffix in ("?", "?a=/../%00", "#top", "?a#b"):
            url = file_url(tree.root / "a.txt") + suffix
            assert (await fetch(flavour, transport, url))[1] == b"a"

    async def test_a_directory_with_its_index(self, flavour: Flavour, tree: Tree) -> None:
        transport = flavour.FileSystemTransport(tree.root, index="index.html")
        root = file_url(tree.root)
        for url in (root, f"{root}/", f"{root}/.", f"{root}/to-root", f"{root}/sub/up/"):
            response, body = await fetch(flavour, transport, url)
            assert (response.status_code, body) == (200, b"index")
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        for name in ("empty", "sub", "outside-index", "outside", "a.txt/"):
            response, _ = await fetch(flavour, transport, f"{root}/{name}")
            assert response.status_code == 404

    async def test_an_index_like_any_other_file(self, flavour: Flavour, own_tree: Tree) -> None:
        transport = flavour.FileSystemTransport(own_tree.root, index="index")
        for target, status_code in [("../a.txt", 200), ("../secret", 404), ("../fifo", 403)]:
            (own_tree.root / "empty" / "index").symlink_to(target)
            response, body = await fetch(flavour, transport, file_url(own_tree.root / "empty"))
            assert (response.status_code, SECRET in body) == (status_code, False)
            (own_tree.root / "empty" / "index").unlink()
        (own_tree.root / "empty" / "index").mkdir()
        response, _ = await fetch(flavour, transport, file_url(own_tree.root / "empty"))
        assert response.status_code == 404

    async def test_the_root_of_everything(self, flavour: Flavour, tree: Tree) -> None:
        transport = flavour.FileSystemTransport("/")
        secret = file_url(tree.outside / "secret.txt")
        assert (await fetch(flavour, transport, secret))[1] == SECRET
        for device in ("/dev/zero", "/dev/null", "/proc/self/status"):
            assert (await fetch(flavour, transport, file_url(device)))[0].status_code == 403

    async def test_what_is_locked_with_403(
        self, flavour: Flavour, tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = os.open

        def denied(path: Any, *args: Any, **kwargs: Any) -> int:
            if path == "a.txt":
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return original(path, *args, **kwargs)

        monkeypatch.setattr(os, "open", denied)
        transport = flavour.FileSystemTransport(tree.root)
        for name in ("a.txt", "link", "detour"):
            response, _ = await fetch(flavour, transport, file_url(tree.root / name))
            assert response.status_code == 403

    async def test_real_permission_bits(self, flavour: Flavour) -> None:
        with tempfile.TemporaryDirectory() as directory:
            base = Path(directory)
            base.chmod(0o755)
            for name in ("locked", "open"):
                (base / name).mkdir()
                (base / name / "a.txt").write_text("a")
            (base / "locked.txt").write_text("a")
            (base / "listed-only").mkdir()
            (base / "passed-only").mkdir()
            (base / "passed-only" / "a.txt").write_text("a")
            (base / "link").symlink_to("locked.txt")
            for name in ("locked.txt", "locked"):
                (base / name).chmod(0)
            (base / "listed-only").chmod(0o444)
            (base / "passed-only").chmod(0o111)
            transport = flavour.FileSystemTransport(base)
            inside = flavour.FileSystemTransport(base / "open")
            assert (await fetch(flavour, transport, file_url(base / "open/a.txt")))[1] == b"a"
            is_root = os.geteuid() == 0
            if is_root:
                os.seteuid(65534)
            try:
                answers = {
                    name: (await fetch(flavour, transport, file_url(base / name)))[0].status_code
                    for name in ("locked.txt", "link", "locked/a.txt", "listed-only/a.txt")
                }
                passed, _ = await fetch(flavour, transport, file_url(base / "passed-only/a.txt"))
                outside, _ = await fetch(flavour, inside, file_url(base / "locked.txt"))
            finally:
                if is_root:
                    os.seteuid(0)
                for name in ("locked", "listed-only", "passed-only"):
                    (base / name).chmod(0o755)
            assert set(answers.values()) == {403}, answers
            assert passed.status_code == 200
            assert outside.status_code == 404


@given(st.binary(max_size=30), st.sampled_from(["/", "/etc", "/dev", "/proc", "/tmp"]))
def test_any_bytes_for_a_path_are_answered(path: bytes, root: str) -> None:
    transport = FileSystemTransport(root)
    raw_path = root.encode() + b"/" + path
    url = httpx.URL("file:///")
    try:
        url = url.copy_with(raw_path=raw_path)
    except (httpx.InvalidURL, UnicodeDecodeError):
        return
    with httpx.Client(transport=transport) as client:
        response = client.send(httpx.Request("HEAD", url))
    assert response.status_code in (200, 403, 404)


class TestURLs:
    async def test_with_a_host_a_port_or_a_user_are_refused(self, flavour: Flavour) -> None:
        for url in [
            "file://localhost/a.txt",
            "file://127.0.0.1/a.txt",
            "file://example.com/a.txt",
            "file://[::1]/a.txt",
            "file://%6cocalhost/a.txt",
            "file://./a.txt",
            "file://%00/a.txt",
            "file://:80/a.txt",
            "file://scott@/a.txt",
            "file://scott:tiger@/a.txt",
            "file://localhost:80/a.txt",
        ]:
            request = httpx.Request("GET", url)
            with pytest.raises(
                httpx.UnsupportedProtocol, match="names a host, a port or a"
            ) as refused:
                await flavour.send(flavour.FileSystemTransport("/"), request)
            assert refused.value.request is request
            assert "tiger" not in str(refused.value)
            assert "three slashes" in str(refused.value)

    async def test_of_other_schemes_are_refused(self, flavour: Flavour) -> None:
        for url in (
            "http://example.com/",
            "https:///etc/passwd",
            "/etc/passwd",
            "//etc/passwd",
            "x:/",
        ):
            request = httpx.Request("GET", url)
            with pytest.raises(httpx.UnsupportedProtocol, match="mount it on 'file://'") as refused:
                await flavour.send(flavour.FileSystemTransport("/"), request)
            assert refused.value.request is request

    async def test_of_localhost_are_answered_when_that_was_asked_for(
        self, flavour: Flavour, tree: Tree
    ) -> None:
        transport = flavour.FileSystemTransport(tree.root, allow_localhost=True)
        for host in ("localhost", "LOCALHOST", ""):
            url = f"file://{host}{tree.root}/a.txt"
            assert (await fetch(flavour, transport, url))[1] == b"a"
        for host in ("localhost:80", "scott@localhost", "localhost.", "127.0.0.1", "example.com"):
            with pytest.raises(httpx.UnsupportedProtocol):
                await fetch(flavour, transport, f"file://{host}{tree.root}/a.txt")

    async def test_reach_it_in_a_client_whose_base_url_is_file(
        self, flavour: Flavour, tree: Tree
    ) -> None:
        files = flavour.FileSystemTransport(tree.root)
        url = file_url(tree.root / "a.txt")
        async with flavour.client(base_url="file:///", mounts={"file://": files}) as client:
            # Every URL without a host is the path of a file.
            for spelling in (url, url.replace("file://", "http://"), str(tree.root / "a.txt")):
                assert (await client.get(spelling)).text == "a"
            # What base_url does to the URL of a file outside is nothing.
            assert (await client.get(file_url(tree.outside / "secret.txt"))).status_code == 404

    async def test_reach_it_as_a_request_in_any_client(self, flavour: Flavour, tree: Tree) -> None:
        files = flavour.FileSystemTransport(tree.root)
        request = httpx.Request("GET", file_url(tree.root / "a.txt"))
        web = httpx.MockTransport(lambda request: httpx.Response(200, text="web"))
        for kwargs in (
            {"mounts": {"file://": files}},
            {"transport": flavour.Mounts({"file://": files, "all://": web})},
            {"transport": files},
        ):
            async with flavour.client(**kwargs) as client:
                assert (await client.send(request)).text == "a"
                # By itself httpx takes it for a relative URL.
                with pytest.raises(httpx.UnsupportedProtocol):
                    await client.get(file_url(tree.root / "a.txt"))

    async def test_of_the_web_stay_what_they_are(self, flavour: Flavour, tree: Tree) -> None:
        web = httpx.MockTransport(lambda request: httpx.Response(200, text=str(request.url)))
        files = flavour.FileSystemTransport(tree.root)
        mounts = flavour.Mounts({"file://": files, "all://": web})
        async with flavour.client(transport=mounts, base_url="file:///") as client:
            assert (await client.get("https://example.com/a")).text == "https://example.com/a"

    async def test_of_files_never_reach_the_web(self, flavour: Flavour, tree: Tree) -> None:
        seen: list[httpx.Request] = []

        def web(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200)

        files = flavour.FileSystemTransport(tree.root)
        mounts = {"file://": files, "https://": httpx.MockTransport(web)}
        # This is what httpx does, and why base_url has to be file:///.
        async with flavour.client(base_url="https://api.example/", mounts=mounts) as client:
            await client.get("file:///a.txt")
        assert [str(request.url) for request in seen] == ["https://api.example/a.txt"]

    async def test_are_decoded_byte_for_byte(self, flavour: Flavour, tmp_path: Path) -> None:
        transport = flavour.FileSystemTransport(tmp_path)
        composed, decomposed = "\u00fc", "u\u0308"
        for name in (composed, decomposed, "\udcff", "a b", "100%", "?", "#", "%2e%2e", "\\", "\n"):
            (tmp_path / name).write_bytes(os.fsencode(name))
            url = file_url(tmp_path / name)
            assert (await fetch(flavour, transport, url))[1] == os.fsencode(name)

    async def test_answer_conditional_and_range_requests(
        self, flavour: Flavour, own_tree: Tree
    ) -> None:
        path = own_tree.root / "digits"
        path.write_bytes(b"0123456789")
        transport, url = flavour.FileSystemTransport(own_tree.root), file_url(path)
        whole, _ = await fetch(flavour, transport, url)
        etag = whole.headers["ETag"]
        for headers, status_code, expected in [
            ({"Range": "bytes=2-4"}, 206, b"234"),
            ({"Range": "bytes=-3"}, 206, b"789"),
            ({"Range": "bytes=7-", "If_Range": etag}, 206, b"789"),
            ({"Range": "bytes=7-", "If_Range": '"other"'}, 200, b"0123456789"),
            ({"Range": "bytes=10-"}, 416, b""),
            ({"If_None_Match": etag}, 304, b""),
            ({"If_Match": '"other"'}, 412, b""),
        ]:
            response, body = await fetch(flavour, transport, url, **headers)
            assert (response.status_code, body) == (status_code, expected)
            assert open_files(own_tree.root) == 0


class TestReading:
    async def test_comes_out_byte_for_byte(self, flavour: Flavour, big: Path) -> None:
        transport = flavour.FileSystemTransport(big.parent)
        response, body = await fetch(flavour, transport, file_url(big))
        assert body == big.read_bytes()
        assert response.headers["Content-Length"] == str(len(body))
        part = f"bytes={MIB + 1}-{3 * MIB}"
        assert (await fetch(flavour, transport, file_url(big), Range=part))[1] == body[MIB + 1 :][
            : 2 * MIB
        ]

    async def test_in_pieces_that_are_large_but_not_too_large(
        self, flavour: Flavour, big: Path
    ) -> None:
        transport = flavour.FileSystemTransport(big.parent)
        response = await flavour.send(transport, httpx.Request("GET", file_url(big)))
        sizes = [len(chunk) async for chunk in flavour.chunks(response)]
        if flavour.is_async:
            # A small file takes one hop to a worker thread, a big one not many.
            assert sizes[0] == 2**16
            assert sorted(sizes[:-1]) == sizes[:-1]
            assert len(sizes) < 13
            assert max(sizes) == 2**22
        else:
            assert set(sizes[:-1]) == {768 * 1024}

    @pytest.mark.parametrize("mebibytes", [32, pytest.param(128, marks=pytest.mark.slow)])
    async def test_takes_constant_memory(
        self, flavour: Flavour, tmp_path: Path, mebibytes: int
    ) -> None:
        path = tmp_path / "sparse"
        with path.open("wb") as file:
            file.truncate(mebibytes * MIB)
        transport = flavour.FileSystemTransport(tmp_path)
        await fetch(flavour, transport, file_url(path), Range="bytes=0-99999")
        tracemalloc.start()
        try:
            response = await flavour.send(transport, httpx.Request("GET", file_url(path)))
            length = 0
            async for chunk in flavour.chunks(response):
                length += len(chunk)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert length == mebibytes * MIB
        assert peak < (16 if flavour.is_async else 2) * MIB

    @pytest.mark.slow
    async def test_of_a_big_one_is_right_to_the_last_bit(
        self, flavour: Flavour, tmp_path: Path
    ) -> None:
        path = tmp_path / "big"
        with path.open("wb") as file:
            for position in range(0, 256, 37):
                file.seek(position * MIB + position)
                file.write(os.urandom(5000))
            file.truncate(256 * MIB)
        transport = flavour.FileSystemTransport(tmp_path)
        response = await flavour.send(transport, httpx.Request("GET", file_url(path)))
        received = hashlib.sha256()
        async for chunk in flavour.chunks(response):
            received.update(chunk)
        with path.open("rb") as file:
            assert received.digest() == hashlib.file_digest(file, "sha256").digest()
        assert open_files(tmp_path) == 0

    async def test_an_empty_file(self, flavour: Flavour, tmp_path: Path) -> None:
        (tmp_path / "empty").touch()
        transport, url = flavour.FileSystemTransport(tmp_path), file_url(tmp_path / "empty")
        response, body = await fetch(flavour, transport, url)
        assert (response.status_code, response.headers["Content-Length"], body) == (200, "0", b"")
        assert (await fetch(flavour, transport, url, Range="bytes=0-"))[0].status_code == 416

    async def test_a_file_that_becomes_shorter_is_an_error(
        self, flavour: Flavour, own_big: Path
    ) -> None:
        transport = flavour.FileSystemTransport(own_big.parent)
        request = httpx.Request("GET", f"{file_url(own_big)}?token=tiger")
        response = await flavour.send(transport, request)
        received = 0
        with pytest.raises(httpx.ReadError, match="has become shorter") as broken:  # noqa: PT012 - it is in the middle of this loop
            async for chunk in flavour.chunks(response):
                received += len(chunk)
                os.truncate(own_big, 10 * MIB)
        assert 0 < received == 10 * MIB
        assert broken.value.request is request
        assert isinstance(broken.value.__cause__, OSError)
        assert "tiger" not in str(broken.value)
        await flavour.close(response)
        assert open_files(own_big.parent) == 0

    async def test_a_small_file_that_becomes_shorter_is_an_error(
        self, flavour: Flavour, own_tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = os.fstat

        def shrinking(descriptor: int) -> os.stat_result:
            status = original(descriptor)
            if stat.S_ISREG(status.st_mode):
                os.truncate(own_tree.root / "a.txt", 0)
            return status

        monkeypatch.setattr(os, "fstat", shrinking)
        request = httpx.Request("GET", file_url(own_tree.root / "a.txt"))
        with pytest.raises(httpx.ReadError, match="has become shorter") as broken:
            await flavour.send(flavour.FileSystemTransport(own_tree.root), request)
        assert broken.value.request is request
        assert open_files(own_tree.root) == 0

    async def test_of_a_file_that_grows_comes_what_was_promised(
        self, flavour: Flavour, own_big: Path
    ) -> None:
        before = own_big.read_bytes()
        transport = flavour.FileSystemTransport(own_big.parent)
        response = await flavour.send(transport, httpx.Request("GET", file_url(own_big)))
        body = b""
        with own_big.open("ab") as file:
            async for chunk in flavour.chunks(response):
                body += chunk
                file.write(b"more" * 1000)
                file.flush()
        assert body == before

    async def test_a_file_that_is_replaced_or_deleted_comes_to_its_end(
        self, flavour: Flavour, own_big: Path
    ) -> None:
        before = own_big.read_bytes()
        transport = flavour.FileSystemTransport(own_big.parent)
        response = await flavour.send(transport, httpx.Request("GET", file_url(own_big)))
        own_big.unlink()
        assert b"".join([chunk async for chunk in flavour.chunks(response)]) == before
        again, _ = await fetch(flavour, transport, file_url(own_big))
        assert again.status_code == 404

    async def test_what_the_system_cannot_read_is_an_error(
        self, flavour: Flavour, big: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original, left = os.read, 3

        def broken(descriptor: int, size: int) -> bytes:
            nonlocal left
            left -= size > 1
            if not left:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return original(descriptor, size)

        monkeypatch.setattr(os, "read", broken)
        transport = flavour.FileSystemTransport(big.parent)
        async with flavour.client(mounts={"file://": transport}, base_url="file:///") as client:
            with pytest.raises(httpx.ReadError, match="Input/output error") as error:
                await client.get(file_url(big))
        assert str(error.value.request.url.path) == str(big)
        assert open_files(big.parent) == 0

    async def test_what_the_system_cannot_open_is_an_error(
        self, flavour: Flavour, tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def exhausted(*args: Any, **kwargs: Any) -> int:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        transport = flavour.FileSystemTransport(tree.root)
        request = httpx.Request("GET", file_url(tree.root / "a.txt"))
        await fetch(flavour, transport, request.url)
        monkeypatch.setattr(os, "open", exhausted)
        with pytest.raises(httpx.ReadError, match="Too many open files") as broken:
            await flavour.send(transport, request)
        monkeypatch.undo()
        assert broken.value.request is request
        # Nothing is remembered of it.
        assert (await fetch(flavour, transport, request.url))[1] == b"a"

    async def test_is_where_a_worker_thread_is_if_a_loop_is_running(
        self, flavour: Flavour, big: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = threading.get_ident()
        threads: set[bool] = set()
        for name in ("open", "stat", "fstat", "read"):
            original = getattr(os, name)

            def spy(*args: Any, _original: Any = original, **kwargs: Any) -> Any:
                threads.add(threading.get_ident() == here)
                return _original(*args, **kwargs)

            monkeypatch.setattr(os, name, spy)

        transport = flavour.FileSystemTransport(big.parent)
        request = httpx.Request("GET", file_url(big))
        threads.clear()
        response = await flavour.send(transport, request)
        async for _ in flavour.chunks(response):
            pass
        assert threads == {not flavour.is_async}


class TestLettingGo:
    async def test_of_a_response_that_is_closed_early(self, flavour: Flavour, big: Path) -> None:
        files = flavour.FileSystemTransport(big.parent)
        async with flavour.client(mounts={"file://": files}, base_url="file:///") as client:
            async with client.stream("GET", file_url(big)):
                assert open_files(big.parent) == 1
            assert open_files(big.parent) == 0
        response = await flavour.send(files, httpx.Request("GET", file_url(big)))
        stream: Any = response.stream
        pieces = aiter(stream) if flavour.is_async else iter(stream)
        assert await flavour.call(anext if flavour.is_async else next, pieces)
        assert open_files(big.parent) == 1
        await flavour.close(response)
        assert open_files(big.parent) == 0
        await flavour.close(pieces)

    async def test_of_a_response_that_is_closed_twice(self, flavour: Flavour, big: Path) -> None:
        transport = flavour.FileSystemTransport(big.parent)
        response = await flavour.send(transport, httpx.Request("GET", file_url(big)))
        stream = response.stream
        for _ in range(2):
            await flavour.close(stream)
            assert open_files(big.parent) == 0
        with pytest.raises(httpx.ReadError, match="has been closed"):
            async for _ in flavour.chunks(response):
                pass

    async def test_after_an_error_of_its_user(self, flavour: Flavour, big: Path) -> None:
        files = flavour.FileSystemTransport(big.parent)
        async with flavour.client(mounts={"file://": files}, base_url="file:///") as client:
            with pytest.raises(ZeroDivisionError):
                async with client.stream("GET", file_url(big)) as response:
                    response.num_bytes_downloaded / 0
        assert open_files(big.parent) == 0

    async def test_at_once_of_a_small_file_and_without_a_body(
        self, flavour: Flavour, own_tree: Tree, own_big: Path
    ) -> None:
        transport = flavour.FileSystemTransport(own_big.parent)
        small = file_url(own_tree.root / "a.txt")
        etag = (await fetch(flavour, transport, file_url(own_big), "HEAD"))[0].headers["ETag"]
        responses = [
            await flavour.send(transport, httpx.Request(method, url, headers=headers))
            for method, url, headers in [
                ("GET", small, {}),
                ("HEAD", file_url(own_big), {}),
                ("GET", file_url(own_big), {"If-None-Match": etag}),
                ("GET", file_url(own_big), {"If-Match": '"other"'}),
                ("GET", file_url(own_big), {"Range": f"bytes={99 * MIB}-"}),
            ]
        ]
        assert open_files(own_big.parent) == 0
        for response in responses:
            await flavour.close(response)

    @pytest.mark.parametrize("where", ["describe", "_read"])
    async def test_when_the_opening_is_interrupted(
        self, flavour: Flavour, tree: Tree, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        # Signals are for the main thread: in a worker it is any other of its kind.
        error = MemoryError if flavour.is_async else KeyboardInterrupt

        def interrupted(*args: object) -> None:
            raise error

        monkeypatch.setattr(answering if where == "describe" else reading, where, interrupted)
        request = httpx.Request("GET", file_url(tree.root / "a.txt"))
        with pytest.raises(error):
            await flavour.send(flavour.FileSystemTransport(tree.root), request)
        assert open_files(tree.root) == 0

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_when_cancelled_in_the_middle(self, backend: str, big: Path) -> None:
        async def main() -> None:
            files = AsyncFileSystemTransport(big.parent)
            async with httpx.AsyncClient(mounts={"file://": files}, base_url="file:///") as client:
                with anyio.CancelScope() as scope:
                    async with client.stream("GET", file_url(big)) as response:
                        async for _ in response.aiter_raw():
                            scope.cancel()
                assert scope.cancelled_caught
                assert open_files(big.parent) == 0
                # Before anything was opened, too.
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await client.get(file_url(big))
                assert scope.cancelled_caught
                assert open_files(big.parent) == 0

        anyio.run(main, backend=backend)

    @pytest.mark.parametrize("when", ["opening", "reading", "closing"])
    def test_when_a_task_of_asyncio_is_cancelled_while_a_thread_works_for_it(
        self, when: str, big: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The cancel() of a task does not wait for the thread, shielded or not.
        arrived, released, done = threading.Event(), threading.Event(), threading.Event()
        name = {"opening": "start", "reading": "read", "closing": "close"}[when]
        original = getattr(OpenFile, name)
        worker: list[int] = []
        main_thread = threading.get_ident()

        def waiting(self: OpenFile, *args: Any) -> Any:
            if threading.get_ident() == main_thread or worker:
                return original(self, *args)
            worker.append(threading.get_ident())
            arrived.set()
            released.wait()
            try:
                return original(self, *args)
            finally:
                done.set()

        monkeypatch.setattr(OpenFile, name, waiting)

        async def download(transport: AsyncFileSystemTransport) -> None:
            request = httpx.Request("GET", file_url(big))
            response = await transport.handle_async_request(request)
            try:
                if when != "closing":
                    async for _ in response.aiter_raw():
                        pass
            finally:
                await response.aclose()

        async def main() -> None:
            loop = asyncio.get_running_loop()
            task = asyncio.create_task(download(AsyncFileSystemTransport(big.parent)))
            await loop.run_in_executor(None, arrived.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            released.set()
            await loop.run_in_executor(None, done.wait)

        asyncio.run(main())
        assert open_files(big.parent) == 0

    def test_when_asyncio_cancels_what_has_not_begun_to_close(self, big: Path) -> None:
        async def main() -> None:
            transport = AsyncFileSystemTransport(big.parent)
            request = httpx.Request("GET", file_url(big))
            response = await transport.handle_async_request(request)
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await response.aclose()
            assert open_files(big.parent) == 0

        asyncio.run(main())

    async def test_of_the_transport_needs_nothing(self, flavour: Flavour, tree: Tree) -> None:
        transport = flavour.FileSystemTransport(tree.root)
        await flavour.close(transport)
        async with flavour.entered(transport):
            assert (await fetch(flavour, transport, file_url(tree.root / "a.txt")))[1] == b"a"
        await flavour.close(transport)
        assert (await fetch(flavour, transport, file_url(tree.root / "a.txt")))[1] == b"a"


class TestArguments:
    @pytest.fixture(params=[FileSystemTransport, AsyncFileSystemTransport])
    def make(self, request: pytest.FixtureRequest) -> Any:
        return request.param

    @pytest.mark.parametrize("root", [None, 1, ["/"], httpx.URL("file:///")])
    def test_a_root_that_is_no_path(self, make: Any, root: Any) -> None:
        name = type(root).__name__
        with pytest.raises(
            TypeError, match=f"root must be a str, bytes or os.PathLike, not {name}"
        ):
            make(root)

    @pytest.mark.parametrize(
        ("root", "text"),
        [
            ("", "root is empty: write '.' for the current directory"),
            ("/nothing/there", "root '/nothing/there' is not a directory: write one that is there"),
            ("/etc/passwd", "'/etc/passwd' is a file: write the directory with the files"),
            ("/dev/null", "root '/dev/null' is not a directory: write one that is there"),
            ("~/docs", "write os.path.expanduser(root)"),
            ("/a\0b", "root '/a\\x00b' holds a character that no file name has"),
            ("/" + "a" * 300, "cannot be looked at: File name too long"),
        ],
    )
    def test_a_root_that_is_no_directory(self, make: Any, root: str, text: str) -> None:
        with pytest.raises(ValueError, match=r"^root") as refused:
            make(root)
        assert text in str(refused.value)

    def test_a_root_is_required(self, make: Any) -> None:
        with pytest.raises(TypeError, match="root"):
            make()

    @pytest.mark.parametrize("root", [Path("/tmp"), b"/tmp", "/tmp/", "/tmp/.", "//tmp"])
    def test_any_path_is_a_root(self, make: Any, root: Any) -> None:
        make(root)

    def test_a_relative_root_is_where_the_process_was(
        self, tree: Tree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree.root)
        transport = FileSystemTransport("sub/..")
        monkeypatch.chdir("/")
        request = httpx.Request("GET", file_url(tree.root / "a.txt"))
        assert transport.handle_request(request).read() == b"a"

    @pytest.mark.parametrize("index", [True, 1, b"index.html", ["index.html"]])
    def test_an_index_that_is_no_name(self, make: Any, index: Any) -> None:
        name = type(index).__name__
        with pytest.raises(TypeError, match=f"index must be a file name or None, not {name}"):
            make("/", index=index)

    @pytest.mark.parametrize("index", ["", ".", "..", "a/b", "../a", "a\\b", "/a", "a\0"])
    def test_an_index_that_is_a_way(self, make: Any, index: str) -> None:
        with pytest.raises(ValueError, match=r"write one such as 'index\.html'"):
            make("/", index=index)

    @pytest.mark.parametrize("value", [None, 1, "no", "localhost"])
    def test_an_allowance_that_is_in_doubt(self, make: Any, value: Any) -> None:
        with pytest.raises(TypeError, match="allow_localhost must be True or False, not"):
            make("/", allow_localhost=value)

    def test_options_go_by_name(self, make: Any) -> None:
        with pytest.raises(TypeError):
            make("/", "index.html")


async def test_a_request_of_the_other_library_is_told_what_to_import(
    flavour: Flavour, tree: Tree
) -> None:
    transport = flavour.FileSystemTransport(tree.root)
    request = other.httpx.Request("GET", file_url(tree.root / "a.txt"))
    with pytest.raises(TypeError, match=other.advice(type(transport).__name__)):
        await flavour.send(transport, request)
    assert open_files(tree.root) == 0


def test_and_finds_it_there(tree: Tree) -> None:
    transport = other.transportkit().FileSystemTransport(tree.root)
    request = other.httpx.Request("GET", file_url(tree.root / "a.txt"))
    response = transport.handle_request(request)
    assert type(response) is other.httpx.Response
    assert response.read() == b"a"


async def test_a_class_of_ones_own_for_requests_is_served(flavour: Flavour, tree: Tree) -> None:
    class Request(httpx.Request):
        pass

    transport = flavour.FileSystemTransport(tree.root)
    request = Request("GET", file_url(tree.root / "a.txt"))
    assert await flavour.read(await flavour.send(transport, request)) == b"a"


def test_many_threads_may_share_it(big: Path) -> None:
    transport = FileSystemTransport(big.parent)
    expected = big.read_bytes()
    found: list[bool] = []

    def download() -> None:
        for _ in range(3):
            request = httpx.Request("GET", file_url(big))
            found.append(transport.handle_request(request).read() == expected)

    threads = [threading.Thread(target=download) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 12


def test_it_is_a_target_of_mounts(tree: Tree) -> None:
    mounts = Mounts({"file://": FileSystemTransport(tree.root)})
    assert mounts.route_for(file_url(tree.root)).target == "FileSystemTransport"


@pytest.fixture(autouse=True)
def no_worker_thread_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name.startswith("asyncio_"):
            thread.join()
