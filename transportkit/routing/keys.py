"""One key of a routing dict, parsed into a pattern or refused.

A key is `scheme://host:port/path`, of which only the scheme is required: `all` stands
for every scheme. The host may be a name, an address, a network (`10.0.0.0/8`,
`[fe80::]/10`), `*` or none for every host, `*.name` for the subdomains of a name, and
`*name` for the name and its subdomains.

A refusal says what to write instead only where that is a key which takes what was meant, and
nothing that was not.
"""

import ipaddress
import re

from ..redaction.redaction import REDACTION
from ..wire.library import URL, parse_url
from .advice import network_meant, prefix_length, with_scheme
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
_IS_NETWORK = "a network is an address and the length of its prefix"
_NETWORK = "/([0-9]+)(/.*)?"
_MASK = r"/([0-9]+(?:\.[0-9]+){3})/?"
_QUOTES = ('""', "''", "``", "<>")
_NOT_IN_A_HOST = re.compile(r"[!\"$%&'()+;<=>^`{|}~]")
_BARE_IPV6 = r"\[?[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*"
# The first octets of an address, with stars or a dot for the others, or with none.
_OCTETS = r"([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})((?:\.\*)+|\.|)"
_RANGE = r"[0-9]+(\.[0-9]+)+-[0-9.]+"


def parse_pattern(key: object) -> Pattern:
    """Parse one key of a routing dict.

    Raises:
        InvalidRoute: it is not a pattern, could never match, or would match more than it
            seems to. The text says what to write instead, where a pattern can say it.
    """
    if not isinstance(key, str):
        name = type(key).__name__
        raise InvalidRoute(f"a pattern is a string such as 'all://example.com', not {name}")
    if key != (bare := _without_quotes(key)):
        raise refusal(key, "it has whitespace or quotes around it", bare)
    scheme, rest = _split_scheme(key)
    authority, slash, path = rest.partition("/")
    path = slash + path
    if not authority and path and scheme.lower() in _HOST_SCHEMES:
        raise refusal(key, "it names no host ('*' is every host), or has a '/' too many")
    _check_marks(key, scheme, authority, path)
    name, port = _split_port(key, scheme, authority, path)
    wildcard = next(mark for mark in ("*.", "*", "") if name.startswith(mark))
    host = _parse_host(key, wildcard, name.removeprefix(wildcard))
    ip = address(host)
    if wildcard == "*" and (not host or ip is not None):
        # Every host, or an address: neither has subdomains of its own.
        wildcard = ""
    if ip is None and re.fullmatch("[0-9.]+", host) and re.fullmatch(_NETWORK, path):
        raise refusal(key, _IS_NETWORK)
    network = None if ip is None else _parse_network(key, ip, host, path)
    if network is not None:
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


def refusal(key: str, problem: str, instead: str = "") -> InvalidRoute:
    """The error for a key.

    Arguments:
        key: as it was written.
        problem: what is wrong with it.
        instead: a key that takes what was meant and no more. It is mended where it is refused
            itself, and kept back where it cannot be, or holds something to mask.
    """
    if instead:
        try:
            parse_pattern(instead)
        except InvalidRoute as refused:
            # One slip is mended at a time.
            instead = refused.instead
    if REDACTION.url(instead) != instead:
        instead = ""
    text = f"{REDACTION.url(key)!r}: {problem}"
    return InvalidRoute(f"{text}: write {instead!r}" if instead else text, instead)


def _without_quotes(key: str) -> str:
    key = key.strip()
    return key[1:-1].strip() if key[:1] + key[1:][-1:] in _QUOTES else key


def _url(key: str, url: str) -> URL:
    try:
        return parse_url(url)
    except Exception as error:  # noqa: BLE001 - the InvalidURL of either library
        raise refusal(key, str(error)) from None


def _split_scheme(key: str) -> tuple[str, str]:
    scheme, separator, rest = key.partition("://")
    if not separator:
        instead = with_scheme(key)
        more = "" if instead else ", such as 'https://' ('all://' is for every URL)"
        raise refusal(key, f"a pattern starts with a scheme{more}", instead)
    if scheme in ("", "*"):
        # Nothing at all may be what is left of anything.
        instead = f"all://{rest}" if scheme or rest.strip("/") else ""
        raise refusal(key, "the scheme for every scheme is 'all'", instead)
    if not re.fullmatch(_SCHEME, scheme):
        meant = re.sub("[^A-Za-z0-9+.-]", "", scheme)
        is_known = meant.lower() in _HOST_SCHEMES and not re.search(r"[*?|,^(){}\[\]]", scheme)
        raise refusal(
            key,
            "a scheme is made of letters, digits, '+', '-' and '.', one scheme for a key ('all' "
            "is every scheme)",
            f"{meant}://{rest}" if is_known else "",
        )
    return scheme, rest


def _check_marks(key: str, scheme: str, authority: str, path: str) -> None:
    if "?" in key:
        before, _, query = key.partition("?")
        raise refusal(key, "a pattern has no query, and takes any", "" if query else before)
    if "#" in key:
        raise refusal(key, "a pattern has no fragment", key.partition("#")[0])
    if "@" in authority:
        bare = f"{scheme}://{authority.rpartition('@')[2]}{path}"
        raise refusal(key, "a pattern has no user name or password", bare)
    if "*" in path:
        prefix = re.fullmatch(r"([^*]*?)(/\*+)+/?", path)
        instead = f"{scheme}://{authority}{prefix[1]}" if prefix else ""
        problem = "already" if prefix else "without a '*' in it: no pattern says this"
        raise refusal(key, f"a path is a prefix {problem}", instead)
    if "," in authority:
        raise refusal(key, "a pattern is for one host: each has a key of its own")
    if " " in authority or "\\" in authority or not key.isprintable():
        raise refusal(key, "a host has no spaces or backslashes, a pattern no control characters")


def _split_port(key: str, scheme: str, authority: str, path: str) -> tuple[str, int | None]:
    if re.fullmatch(_BARE_IPV6, authority):
        bare = authority.strip("[")
        before, _, last = bare.rpartition(":")
        # What comes last may be a port.
        is_clear = not (last.isdigit() and address(before) is not None)
        instead = f"{scheme}://[{bare}]{path}" if is_clear else ""
        raise refusal(key, "an IPv6 address stands in brackets, a port behind them", instead)
    bracket, closing, port = authority.rpartition("]")
    host, colon, port = port.partition(":")
    if closing and host:
        raise refusal(key, "behind an address in brackets stands a port or a path")
    host = bracket + closing + host
    if not colon:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise refusal(
            key,
            "a port is a number from 1 to 65535, or left out for every port",
            f"{scheme}://{host}{path}" if port == "*" else "",
        )
    return host, int(port)


def _parse_host(key: str, wildcard: str, host: str) -> str:
    if (short := re.fullmatch(_OCTETS, host)) and not wildcard:
        if (instead := network_meant(key, *short.groups())) is not None:
            raise refusal(key, _IS_NETWORK, instead)
    _check_stars(key, wildcard, host)
    if not wildcard and host.startswith(".") and host.strip("."):
        instead = key.replace("://.", "://*.", 1)
        raise refusal(key, "a host does not start with a dot", instead)
    if host.startswith(".") or ".." in host:
        raise refusal(key, "a host has no empty labels")
    if not host.startswith("[") and _NOT_IN_A_HOST.search(host):
        raise refusal(
            key,
            "a host is made of letters, digits, '-', '_' and '.' (a pattern is no regular expression)",
        )
    canonical = canonical_host(_url(key, f"http://{host}").raw_host.decode("ascii"))
    ip = address(canonical)
    if wildcard == "*." and ip is not None:
        raise refusal(key, "an address has no subdomains")
    is_number = wildcard and canonical.rpartition(".")[2].isdigit()
    if ip is None and (is_number or re.fullmatch(_RANGE, canonical)):
        raise refusal(key, "addresses that belong together are a network, such as 10.0.0.0/8")
    return canonical


def _check_stars(key: str, wildcard: str, host: str) -> None:
    if "*" in host:
        is_globstar = wildcard + host[:2] == "**." and "*" not in host[2:]
        instead = key.replace("://**.", "://*.", 1) if is_globstar else ""
        problem = "a '*' stands at the start of the host only"
        raise refusal(key, problem if instead else f"{problem}: no pattern says this", instead)
    if wildcard == "*." and not host:
        raise refusal(key, "'*.' needs a name behind it ('*' alone is every host)")
    if wildcard and host.startswith("-"):
        raise refusal(key, "a '*' stands for whole labels: no pattern says this")


def _parse_network(key: str, ip: IPAddress, host: str, path: str) -> IPNetwork | None:
    if mask := re.fullmatch(_MASK, path):
        length = prefix_length(ip, mask[1])
        instead = "" if length is None else f"{key.removesuffix(path)}/{length}"
        raise refusal(key, _IS_NETWORK, instead)
    if (match := re.fullmatch(_NETWORK, path)) is None:
        return None
    if (match[2] or "").strip("/"):
        raise refusal(key, "an address with /n is a network, which has no path")
    if "%" in host:
        raise refusal(key, "a network has no zone")
    if int(match[1][:4]) > ip.max_prefixlen:
        bits = ip.max_prefixlen
        raise refusal(key, f"an IPv{ip.version} network has a prefix length from 0 to {bits}")
    return ipaddress.ip_network(f"{ip}/{match[1]}", strict=False)
