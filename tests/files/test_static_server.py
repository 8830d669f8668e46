"""The same requests sent to FileSystemTransport and to Starlette's static files, over HTTP."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import servers
from support.library import httpx
from support.transportkit import FileSystemTransport, Mounts, file_url

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
FILES = {
    "digits.txt": b"0123456789",
    "empty.txt": b"",
    "page.html": b"<p>page</p>",
    "image.png": b"\x89PNG" * 100_000,
    "data.json": b"{}",
    "a b%ü.txt": b"named",
}
SAME = ("content-length", "content-type", "content-range", "last-modified", "accept-ranges")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("static")
    for name, content in FILES.items():
        (directory / name).write_bytes(content)
        os.utime(directory / name, (784111777, 784111777))
    (directory / "sub").mkdir()
    (directory / "outside").symlink_to("/etc/passwd")
    return directory


@pytest.fixture(scope="module")
def client(_servers: None, directory: Path) -> Iterator[httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        descriptor = listening.fileno()
        script = str(Path(servers.__file__).with_name("static.py"))
        command = (sys.executable, script, str(directory), str(descriptor))
        with servers.process(*command, pass_fds=(descriptor,)):
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            # A connection that is kept would look like one that was left behind.
            limits = httpx.Limits(max_keepalive_connections=0)
            files = FileSystemTransport(directory)
            mounts = Mounts({"file://": files}, trust_env=False, limits=limits)
            with httpx.Client(transport=mounts, params={"server": address}, timeout=30) as client:
                yield client


def both(
    client: httpx.Client, directory: Path, name: str, method: str = "GET", **headers: str
) -> tuple[httpx.Response, httpx.Response]:
    """Our answer and theirs; `{etag}` in a header is the entity-tag of each."""
    of_file = file_url(directory / name)
    address = client.params["server"]
    of_web = httpx.URL(f"{address}{of_file.removeprefix(file_url(directory))}")
    answers = []
    for url in (httpx.URL(of_file), of_web):
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        if any("{etag}" in value for value in named.values()):
            etag = client.send(httpx.Request("HEAD", url)).headers["ETag"]
            named = {key: value.replace("{etag}", etag) for key, value in named.items()}
        named["Accept-Encoding"] = "identity"
        answers.append(client.send(httpx.Request(method, url, headers=named)))
    return answers[0], answers[1]


REQUESTS: list[dict[str, str]] = [
    {},
    {"If_None_Match": "{etag}"},
    {"If_None_Match": "W/{etag}"},
    {"If_None_Match": '"other", {etag}'},
    {"If_None_Match": '"other"'},
    {"If_Modified_Since": DATE},
    {"If_Modified_Since": LATER},
    {"If_Modified_Since": EARLIER},
    {"If_Modified_Since": "yesterday"},
    {"If_Modified_Since": DATE, "If_None_Match": '"other"'},
    {"If_Modified_Since": EARLIER, "If_None_Match": "{etag}"},
    {"If_None_Match": "{etag}", "Range": "bytes=0-1"},
    {"Range": "bytes=0-0"},
    {"Range": "bytes=0-4"},
    {"Range": "bytes=3-"},
    {"Range": "bytes=-3"},
    {"Range": "bytes=0-"},
    {"Range": "bytes=5-99"},
    {"Range": "bytes=9-9"},
    {"Range": "bytes=10-"},
    {"Range": "bytes=10-20"},
    {"Range": "bytes=99-"},
    {"Range": "items=0-4"},
    {"Range": "bytes=0-1", "If_Range": "{etag}"},
    {"Range": "bytes=0-1", "If_Range": '"other"'},
    {"Range": "bytes=0-1", "If_Range": DATE},
    {"Range": "bytes=0-1", "If_Range": EARLIER},
    {"Range": "bytes=10-", "If_Range": '"other"'},
]


@pytest.mark.parametrize("headers", REQUESTS, ids=str)
def test_the_answers_are_the_same(
    client: httpx.Client, directory: Path, headers: dict[str, str]
) -> None:
    ours, theirs = both(client, directory, "digits.txt", **headers)
    if headers.get("Range", "").startswith("items"):
        # They refuse a unit they do not know; it is to be ignored (RFC 9110, section 14.2).
        assert theirs.status_code == 400
        assert (ours.status_code, ours.content) == (200, b"0123456789")
        return
    assert ours.status_code == theirs.status_code
    if ours.status_code == 416:
        # They say something in the body.
        assert (ours.headers["Content-Range"], ours.content) == ("bytes */10", b"")
        assert theirs.headers["Content-Range"] in ("bytes */10", "*/10")
        return
    assert ours.content == theirs.content
    if ours.status_code != 304:
        assert {name: ours.headers.get(name) for name in SAME} == {
            name: theirs.headers.get(name) for name in SAME
        }


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", FILES)
def test_the_files_are_the_same(
    client: httpx.Client, directory: Path, name: str, method: str
) -> None:
    ours, theirs = both(client, directory, name, method)
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    assert {key: ours.headers.get(key) for key in SAME} == {
        key: theirs.headers.get(key) for key in SAME
    }


@pytest.mark.parametrize("name", ["nothing", "sub", "sub/", "outside", "x/y"])
def test_what_is_not_there_is_not_there(client: httpx.Client, directory: Path, name: str) -> None:
    ours, theirs = both(client, directory, name)
    assert ours.status_code == theirs.status_code == 404


@pytest.mark.parametrize(
    ("headers", "ours_is", "theirs_is"),
    [
        # RFC 9110, section 14.2: several ranges may be ignored, and so may malformed ones.
        ({"Range": "bytes=0-1,3-4"}, 200, 206),
        ({"Range": "bytes=5-4"}, 200, 400),
        ({"Range": "bytes=a-b"}, 200, 400),
        ({"Range": "bytes=-"}, 200, 400),
        # They know nothing of these two (sections 13.1.1 and 13.1.4).
        ({"If_Match": '"other"'}, 412, 200),
        ({"If_Unmodified_Since": EARLIER}, 412, 200),
        ({"If_Match": "{etag}"}, 200, 200),
    ],
    ids=str,
)
def test_where_the_answers_differ_it_is_on_purpose(
    client: httpx.Client, directory: Path, headers: dict[str, str], ours_is: int, theirs_is: int
) -> None:
    ours, theirs = both(client, directory, "digits.txt", **headers)
    assert (ours.status_code, theirs.status_code) == (ours_is, theirs_is)


def test_a_head_request_has_no_ranges(client: httpx.Client, directory: Path) -> None:
    # RFC 9110, section 14.2; they answer 206.
    ours, theirs = both(client, directory, "digits.txt", "HEAD", Range="bytes=0-1")
    assert (ours.status_code, theirs.status_code) == (200, 206)


def test_other_methods_are_not_allowed(client: httpx.Client, directory: Path) -> None:
    ours, theirs = both(client, directory, "digits.txt", "POST")
    assert ours.status_code == theirs.status_code == 405
