"""Patterns of URLs, and the one spelling of hosts and paths in which they are compared."""

import ipaddress
import re
from dataclasses import dataclass, field

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# httpx drops these from a URL: a URL without a port means them.
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}

_ESCAPE = "%([0-9A-Fa-f]{2})"
_UNRESERVED = "[A-Za-z0-9._~-]"


class InvalidRoute(ValueError):
    """A routing dict holds a key or a target that cannot work; the text says what to write.

    Attributes:
        instead: the key to write instead, where one takes what was meant and no more; or empty.

    >>> from transportkit import Mounts
    >>> Mounts({"example.com": None})
    Traceback (most recent call last):
    transportkit.InvalidRoute: 'example.com': a pattern starts with a scheme: write 'all://example.com'
    """

    def __init__(self, text: str, instead: str = "") -> None:
        super().__init__(text)
        self.instead = instead


# Tracebacks name it as it is imported.
InvalidRoute.__module__ = "transportkit"


@dataclass(frozen=True)
class Pattern:
    """One parsed key. Two patterns are equal when they mean the same.

    Attributes:
        key: the key as it was written.
        scheme: in lower case; empty for every scheme.
        wildcard: `*.` for the subdomains of the host, `*` for those and the host, or empty.
        host: as `canonical_host` spells it; empty for every host.
        network: the addresses it is for, in place of a host.
        port: as it was given, default ports too; None for every port.
        path: as `canonical_path` spells it; empty for every path.
    """

    key: str = field(compare=False)
    scheme: str
    wildcard: str
    host: str
    network: IPNetwork | None
    port: int | None
    path: str

    @property
    def priority(self) -> tuple[int, int, int, int, int]:
        """Sorts patterns from the most to the least specific."""
        if self.network is not None:
            host = (1, self.network.num_addresses)
        elif self.wildcard:
            host = (2, -len(self.host) - len(self.wildcard))
        else:
            host = (0, 0) if self.host else (3, 0)
        return (self.port is None, *host, -len(self.path), not self.scheme)


def canonical_host(host: str) -> str:
    """One spelling for each host.

    Arguments:
        host: as `httpx.URL.raw_host` has it: ASCII, in lower case, no brackets.

    >>> canonical_host("example.com."), canonical_host("0:0:0:0:0:0:0:1")
    ('example.com', '::1')
    >>> canonical_host("fe80:0::7%25eth0")
    'fe80::7%eth0'
    """
    if ":" not in host:
        return host.removesuffix(".")
    ip, percent, zone = host.partition("%")
    # In a URL the percent sign of a zone is itself escaped (RFC 6874), or often not.
    zone = zone[2:] if zone.startswith("25") and len(zone) > 2 else zone
    return f"{ipaddress.IPv6Address(ip)}{percent}{zone}"


def canonical_path(raw_path: str) -> str:
    """One spelling for each path: no query, no trailing slash, no needless escapes (RFC 3986, 6.2.2).

    >>> canonical_path("/%7escott/a%2fb/?page=2")
    '/~scott/a%2Fb'
    >>> canonical_path("/public/%2e%2e/admin")
    '/admin'
    """
    path = raw_path.partition("?")[0].rstrip("/")
    if "%" not in path:
        return path
    path = re.sub(_ESCAPE, _canonical_escape, path)
    return _without_dots(path).rstrip("/") if "/." in path else path


def _without_dots(path: str) -> str:
    """A path without its segments `.` and `..`, which httpx removes unless they are escaped."""
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            # The first segment is empty: it stands before the first slash.
            segments = segments[:1] + segments[1:-1]
        elif segment != ".":
            segments.append(segment)
    return "/".join(segments)


def _canonical_escape(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if re.fullmatch(_UNRESERVED, character) else escape[0].upper()


def address(host: str) -> IPAddress | None:
    """The address that a canonical host is, if it is one; a zone does not count."""
    host = host.partition("%")[0]
    # A name cannot end in a digit-only label, so most hosts need no parsing.
    if ":" not in host and not host[-1:].isdigit():
        return None
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
