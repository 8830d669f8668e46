"""Slips of the hand in right keys: refused, or taken by the letter; and what is then advised.

The reader here is one of docs/routing.md, who knows nothing of how keys are parsed.
"""

import ipaddress
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.library import httpx
from support.transportkit import InvalidRoute

from transportkit.routing.keys import parse_pattern
from transportkit.routing.patterns import canonical_path
from transportkit.routing.schemes import check_scheme
from transportkit.routing.table import RoutingTable

RIGHT = [
    "all://",
    "http://",
    "https://bank.example",
    "https://bank.example/api/v1",
    "http://bank.example:8080",
    "https://*.bank.example",
    "all://*bank.example",
    "all://*.a.bank.example:8443/api",
    "wss://*bank.example/api",
    "all://*:8080",
    "all://10.0.0.1",
    "all://10.0.0.0/8",
    "https://192.168.0.0:8443/16",
    "all://[fe80::1]",
    "all://[fe80::]/10",
    "http://[::1]:8080/api",
]
HOSTS = ["bank.example", "b.a.bank.example", "ank.example", "example", "bank", "xbank.example"]
HOSTS += ["10.0.0.1", "10.9.9.9", "192.168.7.7", "[fe80::1]", "[fe80::7%25eth0]", "[::1]", "https"]
URLS = [
    httpx.URL(f"{scheme}://{host}{rest}")
    for scheme in ("http", "https", "wss")
    for host in HOSTS
    for rest in ("", ":8080/apix", ":8443/api/v1/x", "/8", "/api/v1")
]
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
GRAMMAR = r"([A-Za-z]+)://(\*?\[.*\]|[^/:]*)(?::([0-9]+))?(/.*)?"


def reads(key: str, url: httpx.URL) -> bool:
    """What the documentation says of a key and a URL."""
    found = re.fullmatch(GRAMMAR, key)
    assert found, f"{key!r} is accepted, and nobody can say what it takes"
    scheme, host = found[1].lower(), found[2].lower().replace("[", "").strip("]")
    port, path = found[3], found[4] or ""
    if scheme not in ("all", url.scheme):
        return False
    if port and int(port) != (url.port or PORTS[url.scheme]):
        return False
    there = url.host.partition("%")[0]
    try:
        ip = ipaddress.ip_address(host.removeprefix("*"))
    except ValueError:
        own = host.lstrip("*").strip(".")
        is_name = not re.fullmatch(r"[0-9.]+|.*:.*", there)
        below = is_name and there.endswith(f".{own}")
        if own and not (
            below if host.startswith("*.") else (below and host[0] == "*") or there == own
        ):
            return False
    else:
        length = re.fullmatch("/([0-9]+)/?", path)
        network = ipaddress.ip_network(f"{ip}/{length[1]}" if length else str(ip), strict=False)
        if not re.fullmatch(r"[0-9.]+|.*:.*", there) or ipaddress.ip_address(there) not in network:
            return False
        path = "" if length else path
    prefix, whole = canonical_path(path), canonical_path(url.path)
    return not prefix or whole == prefix or whole.startswith(f"{prefix}/")


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A right key, and what a slip made of it."""
    right = draw(st.sampled_from(RIGHT))
    at = draw(st.integers(0, len(right) - 1))
    letters = [number for number, letter in enumerate(right) if letter.isalpha()]
    letter, other = draw(st.sampled_from(letters)), draw(st.sampled_from("abehlpstwx"))
    bare = right.replace("*", "")
    cut = right.index("://")
    return right, draw(
        st.sampled_from(
            [
                right[:at] + right[at + 1 :],
                right[:at] + right[at] * 2 + right[at + 1 :],
                right[:letter] + other + right[letter + 1 :],
                right[: at + 1] + right[at:].swapcase()[1:],
                bare[:at] + "*" + bare[at:],
                right[draw(st.integers(1, cut + 3)) :],
                f" {right}\n",
                f"'{right}'",
                right.replace("://", draw(st.sampled_from(["//", ":/", ";//", ":\\\\", "::://"]))),
                f"{right}?{other}",
                f"{right}#{other}",
                f"{right}*",
                f"{right}/*",
                right.replace("://", "://scott@", 1),
            ]
        )
    )


def check(case: tuple[str, str]) -> None:
    right, slip = case
    try:
        pattern = parse_pattern(slip)
        check_scheme(pattern)
    except InvalidRoute as refused:
        text, instead = str(refused), refused.instead
    else:
        table = RoutingTable([[(pattern, True)]], False)
        assert [url for url in URLS if table.find(url) != reads(slip, url)] == []
        return
    assert ("write '" in text) == bool(instead)
    if not instead:
        return
    pattern = parse_pattern(instead)
    check_scheme(pattern)
    taken = [url for url in URLS if reads(instead, url)]
    # Without any scheme it may have been any.
    meant = (
        right
        if re.match("[a-zA-Z]+[:;/]", slip.strip(" '\n"))
        else f"all{right[right.index(':') :]}"
    )
    wrong = [url for url in taken if not reads(meant, url)]
    assert not wrong, f"{slip!r} was {right!r}, and the advice is {instead!r}"
    missed = [url for url in URLS if reads(right, url) and url not in taken]
    assert not missed, f"{slip!r} was {right!r}, and the advice is {instead!r}"


@pytest.mark.parametrize("examples", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_slip_is_refused_or_read_to_the_letter_and_advice_widens_nothing(examples: int) -> None:
    run = settings(max_examples=examples, deadline=None, derandomize=examples == 30)
    run(example(("https://bank.example", "https//bank.example"))(given(slips())(check)))()
