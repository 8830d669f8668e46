"""Random routing keys and URLs that often meet: few names, many spellings."""

from itertools import product

from hypothesis import strategies as st

from support.library import httpx

_NAMES = ["com", "example.com", "a.example.com", "a.com", "b.a.example.com", "aexample.com", "a"]
_SPELLINGS = ["EXAMPLE.com", "example.com.", "a.com.", "localhost"]
_INTERNATIONAL = ["münchen.de", "MÜNCHEN.de", "xn--mnchen-3ya.de", "xn--a", "a.münchen.de", "de"]
_ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.9.9.9", "127.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]"]
_ADDRESSES += ["[fe80::1]", "[FE80::2]", "[::ffff:10.0.0.1]", "[::ffff:a00:1]"]
_NETWORKS = ["10.0.0.0/8", "10.0.0.99/24", "10.0.0.0:8080/16", "0.0.0.0/0", "[fe80::]/10"]
_NETWORKS += ["[::]/0", "10.0.0.1/32", "[::1]/128"]

# Names stand here twice and thrice, so that most examples are ordinary ones.
_HOSTS = [*_NAMES, *_NAMES, *_NAMES, *_SPELLINGS, *_INTERNATIONAL, *_ADDRESSES]
_PORTS = ["", "", "", "", ":80", ":443", ":8080", ":21"]
_PATHS = ["", "", "", "", "/", "/api", "/api/", "/api/v1", "/apix", "/%61pi", "/a%2fb"]
_URL_SCHEMES = ["http", "http", "https", "https", "ws", "wss", "ftp", "file", "custom"]
_ODD_HOSTS = ["", ".example.com", "..example.com", "example.com..", "1.10.0.0.1", "x.com", "xcom"]


KEYS = st.sampled_from(
    [
        "".join(parts)
        for parts in product(
            ["all://", "all://", "http://", "https://", "ws://", "ftp://", "file://", "HTTP://"],
            [*("".join(host) for host in product(["", "*", "*."], _HOSTS)), *["", "*"] * 5],
            _PORTS,
            _PATHS,
        )
    ]
) | st.sampled_from(
    [f"{scheme}://{network}" for scheme in ("all", "http") for network in _NETWORKS]
)

URLS = st.sampled_from(
    [
        f"{scheme}://{host}{port}{path}"
        for scheme, host, port, path in product(
            _URL_SCHEMES,
            [*_HOSTS, *_ODD_HOSTS],
            _PORTS,
            [*_PATHS[3:], "/api/v1/x", "/x?/api", "/api?x", "/api/%2e%2e/x"],
        )
    ]
)

_NEARBY = list(
    product([None, *_URL_SCHEMES], ["", "", "x.", "x.y.", "www"], [None, *_PORTS], ["", "/x", "?x"])
)


def _near(key: str, variation: tuple[str | None, str, str | None, str]) -> str:
    """A URL like this key: perhaps of another scheme or port, below its host and path."""
    other_scheme, below, other_port, more = variation
    scheme, _, rest = key.partition("://")
    authority, slash, path = rest.partition("/")
    host = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    port = authority[len(host) :] if other_port is None else other_port
    if host.startswith("*"):
        host = below + host.lstrip("*.")
    if other_scheme is not None or scheme.lower() == "all":
        scheme = other_scheme or "http"
    return f"{scheme}://{host}{port}{slash}{path}{more}"


def _is_url(text: str) -> bool:
    try:
        httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return True


@st.composite
def cases(draw: st.DrawFn, urls: int) -> tuple[list[str], list[str]]:
    """Keys, some of them of the same host, and URLs, some of them near a key."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=10))
    if draw(st.booleans()):
        keys += [key.replace("://", "://*", 1) for key in keys if "://*" not in key]
    near = st.builds(_near, st.sampled_from(keys), st.sampled_from(_NEARBY)).filter(_is_url)
    return keys, draw(st.lists(URLS | near | near, min_size=urls, max_size=urls))
