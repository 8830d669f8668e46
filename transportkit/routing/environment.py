"""HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as a routing dict."""

import logging
from collections.abc import Mapping
from urllib.request import getproxies

from ..redaction.redaction import REDACTION
from .keys import parse_pattern
from .patterns import InvalidRoute, address

_logger = logging.getLogger("transportkit.routing")

_SCHEMES = ("http", "https", "all")


def environment_routes(environ: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """The proxies of the environment as a routing dict for `Mounts`.

    Names count in upper and lower case, lower case wins, and `HTTP_PROXY` is ignored in a
    CGI script, where a request header can set it (https://httpoxy.org). `NO_PROXY` takes, with commas or spaces between,
    `*`, `name` (with its subdomains), `.name` and `*.name` (its subdomains only), IP
    addresses, networks (`10.0.0.0/8`, `fe80::/10`), and any of these with a port; an entry
    that is none of these is skipped with a warning on the logger `transportkit.routing`.
    See https://www.python-httpx.org/environment_variables/#proxies.

    Arguments:
        environ: the variables to read. Default: what `urllib.request.getproxies` knows, as
            in httpx: the environment, or else the settings of macOS or Windows.

    >>> environment_routes({"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": "localhost, .corp"})
    {'https://': 'http://proxy.example:3128', 'all://localhost': None, 'all://*.corp': None}
    """
    proxies = getproxies() if environ is None else _proxies(environ)
    routes: dict[str, str | None] = {}
    for scheme in _SCHEMES:
        if proxy := proxies.get(scheme, "").strip():
            routes[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    keys = {parse_pattern(key): key for key in routes}
    for entry in proxies.get("no", "").replace(",", " ").split():
        if entry == "*":
            return {}
        try:
            pattern = parse_pattern(_no_proxy_key(entry))
        except InvalidRoute as error:
            _logger.warning("Skipping %r in NO_PROXY: %s", REDACTION.url(entry), error)
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


def _no_proxy_key(entry: str) -> str:
    """The pattern that an entry of NO_PROXY stands for."""
    if "://" in entry:
        return entry
    host, slash, prefix = entry.partition("/")
    name = host.partition(":")[0]
    is_bracketed = host.startswith("[")
    is_ipv6 = host.count(":") > 1 and not is_bracketed
    is_address = is_bracketed or is_ipv6 or address(name) is not None
    if slash and not (is_address and prefix.isdigit()):
        raise InvalidRoute(f"{REDACTION.url(entry)!r}: only an IP address has a '/' and a number")
    if is_ipv6:
        return f"all://[{host}]{slash}{prefix}"
    # The name alone stands for its subdomains too, but localhost never had any.
    is_exact = is_address or host.startswith("*") or name.lower().rstrip(".") == "localhost"
    return f"all://{entry}" if is_exact else f"all://*{entry}"
