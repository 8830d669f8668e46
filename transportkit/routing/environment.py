"""HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as a routing dict."""

import re
from collections.abc import Mapping
from typing import Self
from urllib.request import getproxies

from ..network.proxy_url import means_no_proxy
from ..redaction.redaction import REDACTION
from ..wire.logs import Log
from .keys import parse_pattern
from .patterns import InvalidRoute
from .schemes import check_scheme

_logger = Log("transportkit.routing")

_SCHEMES = ("http", "https", "all")
# Not a host with a port: a URL of which something is missing.
_MANGLED = r"(?:https?|socks[45]?[ah]?):?/"


class Variable(str):
    """A proxy as a variable of the environment names it.

    A variable that cannot work is no reason to fail where no request needs it: many desktops and
    shells set more of them than a program reads.

    Attributes:
        name: of the variable.
    """

    __slots__ = ("name",)
    name: str

    def __new__(cls, proxy: str, name: str) -> Self:
        variable = super().__new__(cls, proxy)
        variable.name = name
        return variable

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.name


def environment_routes(environ: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """The proxies of the environment as a routing dict for `Mounts`.

    Names count in upper and lower case, lower case wins, and `HTTP_PROXY` is ignored in a
    CGI script, where a request header can set it (https://httpoxy.org). `NO_PROXY` takes, separated
    by commas or spaces, `*`, `name` (with its subdomains), `.name` and `*.name` (its subdomains
    only), IP addresses, networks (`10.0.0.0/8`, `fe80::/10`), and any of these with a port; any
    other entry is skipped with a warning on the logger `transportkit.routing`. An address without
    a zone stands for that address in any zone. `socks://` is SOCKS5 with names resolved by the
    proxy, as the desktops mean that set it. See
    https://www.python-httpx.org/environment_variables/#proxies.

    In `Mounts`, a proxy of this dict that cannot be used is refused when a request needs it, and
    warned about at construction.

    Arguments:
        environ: the variables to read. Default: what `urllib.request.getproxies` knows, as
            in httpx: the environment, or else the settings of macOS or Windows.

    >>> environment_routes({"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": "localhost, .corp"})
    {'https://': 'http://proxy.example:3128', 'all://localhost': None, 'all://*.corp': None}
    """
    if environ is not None and not isinstance(environ, Mapping):
        raise TypeError(
            f"environ must be a mapping such as os.environ, not {environ!r}: for the environment "
            "of this process, write environment_routes()"
        )
    for name, value in (environ or {}).items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(
                "environ must have strings alone, as os.environ has: write them for "
                f"{name!r}, not {type(value).__name__}"
            )
    proxies = getproxies() if environ is None else _proxies(environ)
    routes: dict[str, str | None] = {}
    for scheme in _SCHEMES:
        if proxy := proxies.get(scheme, "").strip():
            routes[f"{scheme}://"] = Variable(_proxy_url(proxy), f"{scheme.upper()}_PROXY")
    keys = {parse_pattern(key): key for key in routes}
    for entry in proxies.get("no", "").replace(",", " ").split():
        if entry == "*":
            return {}
        key = entry
        try:
            key = _no_proxy_key(entry)
            pattern = parse_pattern(key)
            check_scheme(pattern)
        except InvalidRoute as error:
            # The key that was made of the entry is not what anybody wrote.
            why = str(error).removeprefix(f"{REDACTION.url(key)!r}: ")
            why = why.replace("write 'all://", "write '")
            _logger.warning("Skipping %r in NO_PROXY: %s", REDACTION.url(entry), why)
        else:
            routes[keys.setdefault(pattern, pattern.key)] = None
    return routes


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """The proxies by scheme, as `urllib.request.getproxies_environment` reads them."""
    names = {f"{scheme}_proxy": scheme for scheme in (*_SCHEMES, "no")}
    variables = [
        (name, names[name.lower()], value)
        for name, value in environ.items()
        if name.lower() in names
    ]
    proxies = {scheme: value for _, scheme, value in variables if value}
    if "REQUEST_METHOD" in environ:
        proxies.pop("http", None)
    # Lower case wins, and says "none" when it is empty.
    return proxies | {scheme: value for name, scheme, value in variables if name.endswith("_proxy")}


def _proxy_url(proxy: str) -> str:
    """The URL that a variable means, or its text where that is not a URL."""
    scheme, separator, rest = proxy.partition("://")
    if separator and scheme.lower() == "socks":
        return f"socks5h://{rest}"
    is_none = separator or means_no_proxy(proxy) or re.match(_MANGLED, proxy, re.IGNORECASE)
    return proxy if is_none else f"http://{proxy}"


def _no_proxy_key(entry: str) -> str:
    """The pattern that an entry of NO_PROXY stands for.

    Raises:
        InvalidRoute: it stands for none.
    """
    if "://" in entry:
        return entry
    if re.search("[;|]", entry):
        raise InvalidRoute("entries stand between commas or spaces")
    if entry.startswith(":") and entry.count(":") == 1:
        raise InvalidRoute(f"it names no host: for every host at this port, write '*{entry}'")
    host, slash, prefix = entry.partition("/")
    name = host.partition(":")[0]
    is_bracketed = host.startswith("[")
    is_ipv6 = host.count(":") > 1 and not is_bracketed
    # Also the beginning of one: only names have subdomains.
    is_address = is_bracketed or is_ipv6 or re.fullmatch(r"[0-9][0-9.*]*", name) is not None
    if slash and not (is_address and re.fullmatch("[0-9.]+", prefix)):
        raise InvalidRoute("only an IP address has a '/' and a number")
    if is_ipv6:
        return f"all://[{host}]{slash}{prefix}"
    # The name alone stands for its subdomains too, but localhost never had any.
    is_exact = is_address or host.startswith("*") or name.lower().rstrip(".") == "localhost"
    return f"all://{entry}" if is_exact else f"all://*{entry}"
