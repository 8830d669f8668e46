"""One key of a routing dict, parsed into a pattern or refused.

A key is `scheme://host:port/path`, of which only the scheme is required: `all` stands
for every scheme. The host may be a name, an address, a network (`10.0.0.0/8`,
`[fe80::]/10`), `*` or none for every host, `*.name` for the subdomains of a name, and
`*name` for the name and its subdomains.
"""

import ipaddress
import re

from ..redaction.redaction import REDACTION
from ..wire.library import URL, parse_url
from .patterns import (
    InvalidRoute,
    IPAddress,
    IPNetwork,
    Pattern,
    address,
    canonical_host,
    canonical_path,
)

_SCHEME = "[A-Za-z][A-Za-z0-9+.-]*"
_HOST_SCHEMES = ("all", "http", "https", "ws", "wss", "ftp")
_NETWORK = "/([0-9]+)(/.*)?"
_SLASHES = "/\\"
_BARE_IPV6 = r"\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"


def parse_pattern(key: object) -> Pattern:
    """Parse one key of a routing dict.

    Raises:
        InvalidRoute: it is not a pattern, could never match, or would match more than it
            seems to. The text says what to write instead.
    """
    if not isinstance(key, str):
        name = type(key).__name__
        raise InvalidRoute(f"a pattern is a string such as 'all://example.com', not {name}")
    scheme, separator, rest = key.partition("://")
    authority, slash, path = rest.partition("/")
    path = slash + path
    if not separator:
        raise _refusal(key, "a pattern starts with a scheme", _with_scheme(key))
    if scheme in ("", "*"):
        raise _refusal(key, "the scheme for every scheme is 'all'", f"all://{rest}")
    if not re.fullmatch(_SCHEME, scheme):
        raise _refusal(
            key, "a scheme is made of letters, digits, '+', '-' and '.'", f"all://{rest}"
        )
    _check_marks(key, scheme, authority, path)
    if not authority and path and scheme.lower() in _HOST_SCHEMES:
        raise _refusal(key, "it names no host", f"{scheme}://*{path}", f"{scheme}:/{path}")
    name, port = _split_port(key, scheme, authority, path)
    wildcard = next(mark for mark in ("*.", "*", "") if name.startswith(mark))
    host = _parse_host(key, scheme, wildcard, name.removeprefix(wildcard))
    ip = address(host)
    if wildcard == "*" and (not host or ip is not None):
        # Every host, or an address: neither has subdomains of its own.
        wildcard = ""
    network = None
    if ip is not None and (match := re.fullmatch(_NETWORK, path)):
        network = _parse_network(key, scheme, authority, ip, match)
        host, path = ("", "") if network.num_addresses > 1 else (host, "")
    return Pattern(
        key=key,
        scheme="" if scheme.lower() == "all" else scheme.lower(),
        wildcard=wildcard,
        host=host,
        network=network if not host else None,
        port=port,
        path=canonical_path(_url(key, f"http://h{path}").raw_path.decode("ascii")),
    )


def _refusal(key: str, problem: str, *instead: str) -> InvalidRoute:
    write = " or ".join(repr(REDACTION.url(key)) for key in instead)
    return InvalidRoute(
        f"{REDACTION.url(key)!r}: {problem}" + (f": write {write}" if write else "")
    )


def _url(key: str, url: str) -> URL:
    try:
        return parse_url(url)
    except Exception as error:  # noqa: BLE001 - the InvalidURL of either library
        raise _refusal(key, str(error)) from None


def _with_scheme(key: str) -> str:
    word, _, rest = key.partition(":")
    if word.lower() in (*_HOST_SCHEMES, "file"):
        return f"{word}://{rest.lstrip(_SLASHES)}"
    return f"all://*{key}" if key.startswith(":") else f"all://{key.lstrip(_SLASHES)}"


def _check_marks(key: str, scheme: str, authority: str, path: str) -> None:
    for mark, part in (("?", "query"), ("#", "fragment")):
        if mark in key:
            raise _refusal(key, f"a pattern has no {part}", key.partition(mark)[0])
    if "@" in authority:
        bare = f"{scheme}://{authority.rpartition('@')[2]}{path}"
        raise _refusal(key, "a pattern has no user name or password", bare)
    if "*" in path:
        prefix = path.partition("*")[0].rstrip("/")
        raise _refusal(key, "a path is a prefix already", f"{scheme}://{authority}{prefix}")
    if "," in authority:
        raise _refusal(
            key,
            "a pattern is for one host",
            *(f"{scheme}://{host.strip()}{path}" for host in authority.split(",")),
        )
    if " " in authority or "\\" in authority or not key.isprintable():
        raise _refusal(key, "a host has no spaces or backslashes, a pattern no control characters")


def _split_port(key: str, scheme: str, authority: str, path: str) -> tuple[str, int | None]:
    if re.fullmatch(_BARE_IPV6, authority):
        bracketed = f"{scheme}://[{authority.strip('[')}]{path}"
        raise _refusal(key, "an IPv6 address stands in brackets", bracketed)
    bracket, closing, port = authority.rpartition("]")
    host, colon, port = port.partition(":")
    host = bracket + closing + host
    if not colon:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _refusal(
            key,
            "a port is a number from 1 to 65535, or left out for every port",
            f"{scheme}://{host}{path}",
        )
    return host, int(port)


def _parse_host(key: str, scheme: str, wildcard: str, host: str) -> str:
    if "*" in host:
        suffix = host.rpartition("*")[2].strip(".")
        instead = (f"{scheme}://*.{suffix}",) if suffix else ()
        raise _refusal(key, "a '*' stands at the start of the host only", *instead)
    if wildcard == "*." and not host:
        raise _refusal(key, "'*.' needs a name behind it", f"{scheme}://*")
    if host.startswith(".") and (name := host.strip(".")):
        raise _refusal(key, "a host does not start with a dot", f"{scheme}://*.{name}")
    if host == "." or ".." in host:
        raise _refusal(key, "a host has no empty labels")
    if wildcard and host.startswith("-"):
        parent = host.partition(".")[2]
        raise _refusal(key, "a '*' stands for whole labels", f"{scheme}://*.{parent}")
    canonical = canonical_host(_url(key, f"http://{host}").raw_host.decode("ascii"))
    if wildcard == "*." and address(canonical) is not None:
        raise _refusal(key, "an address has no subdomains", key.replace(wildcard, "", 1))
    return canonical


def _parse_network(
    key: str, scheme: str, authority: str, ip: IPAddress, match: re.Match[str]
) -> IPNetwork:
    if (match[2] or "").strip("/"):
        raise _refusal(
            key,
            "an address with /n is a network, which has no path",
            f"{scheme}://{authority}/{match[1]}",
        )
    if int(match[1]) > ip.max_prefixlen:
        raise _refusal(
            key,
            f"an IPv{ip.version} network has a prefix length from 0 to {ip.max_prefixlen}",
            f"{scheme}://{authority}/{ip.max_prefixlen}",
        )
    return ipaddress.ip_network(f"{ip}/{match[1]}", strict=False)
