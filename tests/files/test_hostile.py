"""URLs that want out of the root, redirects that want in, and symlinks that do not sit still."""

import itertools
import os
import socket
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from idna import IDNAError
from support import servers
from support.fetching import fetch
from support.flavours import Flavour
from support.library import httpx
from support.raw import answering, raw_server, read_head, respond
from support.transportkit import FileSystemTransport, file_url
from support.trees import SECRET, Tree

from transportkit.files import beneath

# In place of the dots, the slashes and both.
DOTS = [
    "..",
    "%2e%2e",
    "%2E%2E",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "..%00",
    "..;",
    "..%20",
    "%c0%ae%c0%ae",
]
DOTS += [
    "%uff0e%uff0e",
    "\uff0e\uff0e",
    "%ef%bc%8e%ef%bc%8e",
    "...",
    "....",
    ". .",
    "%2e%2e%2e",
    "\u2025",
]
SLASHES = [
    "/",
    "%2f",
    "%2F",
    "\\",
    "%5c",
    "%5C",
    "//",
    "%252f",
    "%c0%af",
    "/./",
    "\uff0f",
    "\u2215",
]

STARTS = ["", "sub/../", "a.txt/"]


def _traversals(parts: Iterable[tuple[str, str, str]]) -> list[str]:
    return [
        f"file://{{root}}/{start}{dots}{slash}outside{slash}secret.txt"
        for dots, slash, start in parts
    ]


NAMES = [
    *(f"file://{{root}}/{name}" for name in ("secret", "relative-secret", "neighbour", "far")),
    *(f"file://{{root}}/{name}" for name in ("passwd", "zero", "own-root", "status", "fifo")),
    *(f"file://{{root}}/{name}" for name in ("to-fifo", "socket", "loop", "loop/x", "loop-a/x")),
    *(
        f"file://{{root}}/{name}/secret.txt"
        for name in ("outside", "outside/sub", "to-root/outside")
    ),
    *(f"file://{{root}}/to-slash/{name}" for name in ("etc/passwd", "etc/shadow", "dev/zero", "")),
    "file://{root}/to-root/to-root/to-root/secret",
    "file://{root}/sub/up/sub/up/secret",
    "file://{root}/sub/up/../outside/secret.txt",
    "file://{root}/outside/back/../outside/secret.txt",
    "file://{root}-and-more/secret.txt",
    "file://{root}%2d-and-more/secret.txt",
    "file://{root}%00/../outside/secret.txt",
    "file://{root}/a.txt%00.png",
    "file://{root}/%00",
    "file://{root}/a.txt/",
    "file://{root}/a.txt/.",
    "file://{root}/a.txt/%2e%2e/a.txt",
    "file://{root}/A.TXT",
    "file://{root}/\uff41.txt",
    "file://{root}/a%CC%81.txt",
    "file://{root}/%C3%A1.txt",
    "file://{root}/%ff%fe",
    "file://{root}/" + "a" * 256,
    "file://{root}/" + "a/" * 3000,
    "file://{root}/" + "%2e/" * 3000 + "secret",
    "file://{root}/" + "sub/up/" * 500 + "a.txt",
    "file://{root}/" + "%61" * 5000,
    "file://{root}/;type=a",
    "file://{root}/a.txt;type=a",
    "file://{root}/*",
    "file://{root}/~",
    "file://{root}/~root/.ssh/id_rsa",
    "file://{root}/$HOME",
    "file://{root}/C:/Windows/win.ini",
    "file://{root}/C|/Windows/win.ini",
    "file://{root}/\\\\server\\share",
    "file://{root}/CON",
    "file://{outside}/secret.txt",
    "file://{outside}/",
    "file://{outside}/fifo",
    "file://{outside}",
    "file:{outside}/secret.txt",
    "file:/{outside}/secret.txt",
    "file:///{outside}/secret.txt",
    "file:////{outside}/secret.txt",
    "FILE://{outside}/secret.txt",
    "file:///etc/passwd",
    "file:////etc/passwd",
    "file:/etc/passwd",
    "file:etc/passwd",
    "file:",
    "file://",
    "file:///",
    "file:///.",
    "file:///..",
    "file:///%2e%2e/",
    "file:///dev/zero",
    "file:///dev/stdin",
    "file:///dev/tty",
    "file:///dev/fd/0",
    "file:///proc/self/environ",
    "file:///proc/self/mem",
    "file:///proc/self/root{root}/../outside/secret.txt",
    "file:///proc/self/root{outside}/secret.txt",
    "file:///proc/self/cwd",
    "file:///proc/1/root/etc/passwd",
    "file:///proc/kmsg",
    "file:///sys/kernel/notes",
    "file:///C:/Windows/win.ini",
    "file:////server/share/a.txt",
]
HOSTS = ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "0", "example.com", "x.localhost", "."]
HOSTS += ["%00", "%2f", "%20", "localhost.", "scott@localhost", "scott:tiger@localhost", "\\"]
HOSTS += ["localhost:80", "localhost:0", ":80", ":0", "scott@", "scott:tiger@", ":@", "xn--a"]
ELSEWHERE = [f"file://{host}{{outside}}/secret.txt" for host in HOSTS]
ELSEWHERE += [f"file://{host}{{root}}/a.txt" for host in HOSTS]
ELSEWHERE += ["http://{root}/a.txt", "https:{root}/a.txt", "{root}/a.txt", "//{root}/a.txt", ""]
ELSEWHERE += ["ftp://{root}/a.txt", "data:text/plain,a", "x://{root}/a.txt", "all://{root}/a.txt"]

URLS = [*_traversals(itertools.product(DOTS, SLASHES, STARTS)), *NAMES, *ELSEWHERE]
# Each of the dots, the slashes and the starts at least once, instead of each with each.
SOME_URLS = [
    *_traversals(zip(DOTS * 2, SLASHES * 3, STARTS * 12, strict=True)),
    *NAMES,
    *ELSEWHERE,
]


def _shortened(url: str) -> str:
    return url[:60]


def test_there_are_enough_of_them() -> None:
    assert len(set(SOME_URLS)) >= 150
    assert len(set(URLS)) >= 750


async def ask(flavour: Flavour, transport: Any, url: str, tree: Tree) -> int | None:
    """The status of the answer, None when the URL is refused; and nothing else happens."""
    filled = url.format(root=tree.root, outside=tree.outside)
    try:
        request = httpx.Request("GET", filled)
    except (httpx.InvalidURL, IDNAError):
        return None
    try:
        response, body = await fetch(flavour, transport, request.url)
    except httpx.TransportError as error:
        assert isinstance(error, httpx.UnsupportedProtocol), url
        return None
    assert SECRET not in body, url
    assert b"root:" not in body, url
    assert response.status_code in (200, 403, 404), url
    # What has been read are files beneath the root.
    assert body in (b"a", b"b", b"c", b"index", b""), url
    return response.status_code


@pytest.mark.parametrize(
    ("index", "urls"),
    [
        pytest.param("secret.txt", SOME_URLS, id="some"),
        *(
            pytest.param(index, URLS, id=f"{index}", marks=pytest.mark.slow)
            for index in (None, "index.html", "secret.txt")
        ),
    ],
)
async def test_no_url_leads_out(
    flavour: Flavour, tree: Tree, index: str | None, urls: list[str]
) -> None:
    transport = flavour.FileSystemTransport(tree.root, index=index)
    for url in urls:
        await ask(flavour, transport, url, tree)


@pytest.mark.parametrize(
    "urls",
    [
        pytest.param(SOME_URLS, id="some"),
        pytest.param(URLS, id="all", marks=pytest.mark.slow),
    ],
)
async def test_nor_where_directories_have_no_descriptors(
    flavour: Flavour, tree: Tree, monkeypatch: pytest.MonkeyPatch, urls: list[str]
) -> None:
    monkeypatch.setattr(beneath, "_HAS_DIR_FD", False)
    transport = flavour.FileSystemTransport(tree.root)
    for url in urls:
        await ask(flavour, transport, url, tree)


# httpx takes the last segment away before it is asked for.
ANSWERED: dict[str, int | None] = {"fifo": 403, "to-fifo": 403, "socket": 403, "a.txt/.": 200}
# And with two slashes, the first segment is a host.
ANSWERED["file:/{outside}/secret.txt"] = None


@pytest.mark.parametrize("url", NAMES, ids=_shortened)
def test_what_is_nowhere_is_nowhere(tree: Tree, url: str) -> None:
    expected = ANSWERED.get(url.removeprefix("file://{root}/"), 404)
    assert status_of(url, tree) == expected


def status_of(url: str, tree: Tree) -> int | None:
    found: list[int | None] = []

    async def main() -> None:
        found.append(await ask(Flavour("sync"), FileSystemTransport(tree.root), url, tree))

    Flavour("sync").run(main)
    return found[0]


@pytest.mark.parametrize("url", ELSEWHERE, ids=_shortened)
def test_what_names_a_host_is_refused(tree: Tree, url: str) -> None:
    # An empty user is no user.
    assert status_of(url, tree) is None or "://:@" in url


# Redirects

LOCATIONS = [
    "file://{root}/a.txt",
    "file:{root}/a.txt",
    "file:/{root}/a.txt",
    "file:///{root}/a.txt",
    "FILE://{root}/a.txt",
    "fIlE:{root}/a.txt",
    "file://{root}/a.txt?query",
    "file://{root}/a.txt#top",
    "file://{root}/sub/../a.txt",
    "file://{root}/%61.txt",
    *(f"file://{host}{{root}}/a.txt" for host in HOSTS),
    "file://?{root}/a.txt",
    "file://#{root}/a.txt",
    "file://@{root}/a.txt",
    "file://:{root}/a.txt",
    "file://@:{root}/a.txt",
    "file://[]{root}/a.txt",
    "file://xn--{root}/a.txt",
    "file:\\\\{root}\\a.txt",
    "file:a.txt",
    "file:",
    "file:?a",
    "file:#a",
    "file:///",
    "file://" + "a" * 300 + "{root}/a.txt",
    " file://{root}/a.txt",
    "\tfile://{root}/a.txt",
    "file ://{root}/a.txt",
    "file%3A//{root}/a.txt",
    "url:file://{root}/a.txt",
    "//{root}/a.txt",
    "///{root}/a.txt",
    "////{root}/a.txt",
    "http://{root}/a.txt",
    "https:{root}/a.txt",
    "{root}/a.txt",
    "..{root}/a.txt",
    "./file:{root}/a.txt",
    "?file://{root}/a.txt",
    "localhost{root}/a.txt",
]


def _locations(tree: Tree) -> list[str]:
    return [location.replace("{root}", str(tree.root)) for location in LOCATIONS]


STATUSES = ["301 A", "302 B", "303 C", "307 D", "308 E"]


# Each location comes with one of the statuses and to one of the two; with all of them if slow.
@pytest.mark.parametrize(
    ("base_url", "shift", "start", "step"),
    [
        ("", 0, 0, 2),
        ("file:///", 1, 1, 2),
        *(
            pytest.param(base_url, shift, 0, 1, marks=pytest.mark.slow)
            for base_url in ("", "file:///")
            for shift in range(len(STATUSES))
        ),
    ],
)
async def test_no_redirect_from_a_server_reads_a_file(
    flavour: Flavour, tree: Tree, *, base_url: str, shift: int, start: int, step: int
) -> None:
    locations = _locations(tree)[start::step]
    status = location = ""
    asked = 0

    def talk(connection: socket.socket) -> None:
        nonlocal asked
        with suppress(ConnectionError):  # It talks to the client until that one leaves.
            while read_head(connection):
                asked += 1
                respond(connection, status, f"Location: {location}")

    files = flavour.FileSystemTransport(tree.root)
    with raw_server(talk) as server:
        mounts = flavour.Mounts({"file://": files})
        async with flavour.client(transport=mounts, base_url=base_url, max_redirects=1) as client:
            for number, location in enumerate(locations):
                status = STATUSES[(number + shift) % len(STATUSES)]
                # Followed by the client, and one by one by its user.
                for follow in (True, False):
                    try:
                        response = await client.get(server, follow_redirects=follow)
                        if not follow and response.next_request is not None:
                            response = await client.send(response.next_request)
                    except (httpx.TransportError, httpx.TooManyRedirects, httpx.InvalidURL):
                        continue
                    except IDNAError:  # httpx's own answer to a host that starts with xn--
                        continue
                    # It is the server's answer, not the file.
                    assert str(response.url).startswith("http"), location
                    assert response.content == b""
    assert asked >= 2 * len(locations)


async def test_a_redirect_to_localhost_reads_one_if_that_was_allowed(
    flavour: Flavour, tree: Tree
) -> None:
    files = flavour.FileSystemTransport(tree.root, allow_localhost=True)
    location = f"file://localhost{tree.root}/a.txt"
    with raw_server(answering("302 Found", f"Location: {location}")) as server:
        mounts = flavour.Mounts({"file://": files})
        async with flavour.client(transport=mounts, follow_redirects=True) as client:
            response = await client.get(server)
            assert (response.text, str(response.url)) == ("a", location)
    # The same without a host still cannot.
    location = f"file://{tree.root}/a.txt"
    with raw_server(answering("302 Found", f"Location: {location}")) as server:
        mounts = flavour.Mounts({"file://": files})
        async with flavour.client(transport=mounts, follow_redirects=True) as client:
            with pytest.raises(httpx.UnsupportedProtocol, match="no server can make a client"):
                await client.get(server)


# Races

SWAPPER = """
import os, sys
base = sys.argv[1]
os.chdir(base)
os.symlink("../outside/secret.txt", "bad-file")
os.symlink("public.txt", "good-file")
os.symlink("../outside/sub", "bad-directory")
print("swapping", flush=True)
while True:
    os.replace("good-file", "file")
    os.symlink("public.txt", "good-file")
    os.replace("bad-file", "file")
    os.symlink("../outside/secret.txt", "bad-file")
    os.rename("swapped", "away")
    os.rename("bad-directory", "swapped")
    os.rename("swapped", "bad-directory")
    os.rename("away", "swapped")
    # A directory that changes all the time is slow to look into, and says no more.
    for _ in range(20000):
        pass
"""


@pytest.fixture
def swapped(own_tree: Tree) -> Iterator[Tree]:
    """A tree in which a file and a directory become symlinks out of it, and back, in a loop."""
    (own_tree.root / "public.txt").write_bytes(b"public")
    (own_tree.root / "swapped").mkdir()
    (own_tree.root / "swapped" / "secret.txt").write_bytes(b"public")
    (own_tree.root / "file").symlink_to("public.txt")
    with servers.process(sys.executable, "-c", SWAPPER, str(own_tree.root)):
        while not (own_tree.root / "bad-directory").is_symlink():
            os.sched_yield()
        yield own_tree


@pytest.mark.parametrize("requests", [1000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_a_race_reads_nothing_outside(swapped: Tree, requests: int) -> None:
    transport = FileSystemTransport(swapped.root)
    ways = [
        httpx.Request("GET", file_url(swapped.root / name))
        for name in ("file", "swapped/secret.txt")
    ]
    bodies: Counter[bytes] = Counter()
    statuses: Counter[int] = Counter()
    for number, request in zip(range(10**6), itertools.cycle(ways), strict=False):
        response = transport.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        bodies[b"".join(response.stream)] += 1
        statuses[response.status_code] += 1
        # On a busy machine the other process may not have had its turn yet.
        if number >= requests and statuses[200] and statuses[404]:
            break
    assert set(bodies) <= {b"public", b""}
    assert set(statuses) == {200, 404}
    assert statuses[200] == bodies[b"public"]


@pytest.mark.parametrize("rounds", [25, pytest.param(500, marks=pytest.mark.slow)])
async def test_a_race_in_worker_threads_reads_nothing_outside(
    flavour: Flavour, swapped: Tree, rounds: int
) -> None:
    transport = flavour.FileSystemTransport(swapped.root)
    for _ in range(rounds):
        for name in ("file", "swapped/secret.txt"):
            url = file_url(swapped.root / name)
            assert (await fetch(flavour, transport, url))[1] in (b"public", b"")
