"""Keys to write in place of others that are not patterns.

They are proposals, and may be refused themselves: `refusal` parses each before it is shown.
"""

import ipaddress
import re

from .patterns import IPAddress

_MANGLED = r"(all|https?|wss?|ftp|file)([:;/\\]+|$)(.*)"


def with_scheme(key: str) -> str:
    """The key with its scheme; empty if there is more than one that it can have meant."""
    if match := re.fullmatch(_MANGLED, key, re.IGNORECASE | re.DOTALL):
        scheme, mark, rest = match.groups()
        if (rest and not re.search(r"[/\\]", mark)) or rest.startswith("*/"):
            # A port or a host, or a star that has lost its host.
            return ""
        return f"{scheme}:///{rest}" if rest and scheme.lower() == "file" else f"{scheme}://{rest}"
    if key.startswith(":"):
        return f"all://*{key}"
    # A path alone is of no host, and nothing at all may be what is left of anything.
    is_path = re.match(r"[/\\](?![/\\])", key)
    return "" if is_path or not key.strip("/\\") else f"all://{key.lstrip('/')}"


def network_meant(key: str, octets: str, others: str) -> str | None:
    """The key for the addresses that begin alike; empty if none says it, None if it is not that.

    Arguments:
        key: as it was written.
        octets: the first octets of an address, which are in it.
        others: what stands behind them: stars, a dot, or nothing.
    """
    before, _, after = key.partition(octets + others)
    port, slash, length = after.partition("/")
    given = octets.split(".")
    whole = ".".join((given + ["0"] * 3)[:4])
    if others:
        return "" if length else f"{before}{whole}{port}/{8 * len(given)}"
    if not (slash and re.fullmatch("[0-9]{1,2}", length)):
        return None
    # Written so that every octet counts, as in 172.16/12.
    is_short = 8 * len(given) - 8 < int(length) <= 8 * len(given)
    return f"{before}{whole}{after}" if is_short else ""


def prefix_length(ip: IPAddress, mask: str) -> int | None:
    """The length of a prefix that was written as a mask; None if it is not one.

    >>> prefix_length(ipaddress.ip_address("10.0.0.0"), "255.0.0.0")
    8
    """
    try:
        return ipaddress.ip_network(f"{ip}/{mask}", strict=False).prefixlen
    except ValueError:
        return None
