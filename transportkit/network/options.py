"""`httpx.HTTPTransport` from keyword arguments, with SSL contexts shared where they may be.

An SSL context takes about 20 ms and 0.8 MB to make, nearly all of what a transport
costs. It is shared only among transports with the same `verify`, `cert`, `trust_env`
and `http2`: httpcore sets ALPN on the context at every connect, so HTTP/1.1 and HTTP/2
on one context negotiate the wrong protocol now and then.
"""

import importlib
import inspect
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar

import httpx

from ..wire.arguments import check_count, check_number
from ..redaction.redaction import REDACTION

T = TypeVar("T")

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


class HTTPTransportOptions(TypedDict, total=False):
    """The arguments of `httpx.HTTPTransport`, with its defaults."""

    verify: ssl.SSLContext | str | bool
    cert: str | tuple[str, str] | tuple[str, str, str] | None
    trust_env: bool
    http1: bool
    http2: bool
    limits: httpx.Limits
    proxy: str | httpx.URL | httpx.Proxy | None
    uds: str | None
    local_address: str | None
    retries: int
    socket_options: (
        Iterable[
            tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
        ]
        | None
    )


# Wider than the TypedDict where JSON and TOML have no tuples and no Limits.
_ACCEPTED: dict[str, tuple[type, ...]] = {
    "verify": (ssl.SSLContext, str, bool),
    "cert": (str, tuple, list, type(None)),
    "trust_env": (bool,),
    "http1": (bool,),
    "http2": (bool,),
    "limits": (httpx.Limits, Mapping),
    "proxy": (str, httpx.URL, httpx.Proxy, type(None)),
    "uds": (str, type(None)),
    "local_address": (str, type(None)),
    "retries": (int,),
    "socket_options": (Iterable, type(None)),
}

_LIMITS = {
    "max_connections": "connections",
    "max_keepalive_connections": "connections",
    "keepalive_expiry": "seconds",
}

# httpx drops these without a word when there is a proxy.
IGNORED_BEHIND_PROXY = ("uds", "local_address", "retries")

# How lists of proxies are sold: host, port, user name and password.
_AS_SOLD = r"(?i:[a-z0-9]+://)?([^:/@\s]+:[0-9]+):[^:]+:.+"

_UNESCAPED = (
    "{!r} is no proxy URL: percent-encode '/', '?', '#' and '@' in its user name and password, "
    "and write its port as a number"
)


def check_names(names: Iterable[object], taker: type | None = None) -> None:
    """Refuse arguments that nobody takes.

    Arguments:
        names: of the arguments.
        taker: the class that hands them on to `httpx.HTTPTransport`, and has others of its own.

    Raises:
        TypeError: the text says which arguments there are, or which one was meant.
    """
    for name in names:
        if name not in _ACCEPTED or not isinstance(name, str):
            raise TypeError(_unknown(name, taker))


def _unknown(name: object, taker: type | None) -> str:
    from difflib import get_close_matches

    written = str(name)
    shown = repr(REDACTION.url(written) if isinstance(name, str) else name)
    parameters = inspect.signature(taker).parameters.values() if taker else ()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    own = [parameter.name for parameter in parameters if parameter.kind in kinds]
    # Who writes `max_retries` does not mean httpx's `retries`, and is shown what there is.
    close = get_close_matches(written, _ACCEPTED, 1, 0.8) or get_close_matches(written, own, 1)
    if close:
        return f"unknown argument {shown}: did you mean {close[0]}?"
    options = ", ".join(_ACCEPTED)
    if taker is None:
        return f"unknown argument {shown}: httpx.HTTPTransport takes {options}"
    return (
        f"unknown argument {shown}: {taker.__name__} takes {', '.join(own)}, and those of "
        f"httpx.HTTPTransport: {options}"
    )


def check_options(options: Mapping[str, object], only: Mapping[str, object] | None = None) -> None:
    """Refuse what `httpx.HTTPTransport` would fail on later, or ignore without a word.

    Arguments:
        options: the arguments.
        only: those that were written for this transport, and are not to be ignored.

    Raises:
        TypeError: an unknown argument, or a value of the wrong type.
        ValueError: a number too small, or arguments that exclude each other.
    """
    check_names(options)
    for name, value in options.items():
        if not isinstance(value, _ACCEPTED[name]):
            expected = " or ".join(accepted.__name__ for accepted in _ACCEPTED[name])
            raise TypeError(f"{name} must be {expected}, not {type(value).__name__}")
        if name == "retries":
            check_count("retries", value, "retries")
        if name == "limits":
            _check_limits(value)
    if options.get("proxy") is not None:
        for name in IGNORED_BEHIND_PROXY:
            if (options if only is None else only).get(name):
                raise ValueError(
                    f"httpx ignores {name} when there is a proxy: leave out {name}, or the proxy"
                )


def _check_limits(limits: object) -> None:
    given = limits
    if not isinstance(given, Mapping):
        given = {name: getattr(limits, name) for name in _LIMITS}
    for name, value in given.items():
        if name not in _LIMITS:
            raise TypeError(f"unknown argument {name!r} in limits: it takes {', '.join(_LIMITS)}")
        if value is not None:
            # Of no connections at all, every request would wait for one in vain.
            positive = name == "max_connections"
            check_number(f"{name} in limits", value, _LIMITS[name], positive=positive)


def _parse_limits(limits: Mapping[str, object]) -> httpx.Limits:
    given: dict[str, Any] = dict(limits)
    return httpx.Limits(**given)


def parse_proxy(proxy: str | httpx.URL | httpx.Proxy) -> httpx.Proxy:
    """A proxy from what people write for one.

    Raises:
        ValueError: it is no URL of an HTTP or SOCKS5 proxy. The text says what to write
            and holds no credentials.

    >>> parse_proxy("proxy.example:8080")
    Traceback (most recent call last):
    ValueError: 'proxy.example:8080' is no proxy URL: write 'http://proxy.example:8080'
    """
    if isinstance(proxy, httpx.Proxy):
        return proxy
    text = str(proxy)
    _refuse_as_copied(text)
    scheme, separator, _ = text.partition("://")
    if not separator:
        shown = REDACTION.url(proxy)
        word, _, rest = shown.partition(":")
        known = word.lower() in _PROXY_SCHEMES
        write = f"{word}://{rest.lstrip('/')}" if known else f"http://{shown.lstrip('/')}"
        advice = f": write {write!r}" if write.strip("htps:/ ") else ""
        raise ValueError(f"{shown!r} is no proxy URL{advice}")
    if scheme.lower() not in _PROXY_SCHEMES:
        raise ValueError(
            f"{REDACTION.url(proxy)!r} is no proxy URL: httpx speaks {', '.join(_PROXY_SCHEMES)}; for anything "
            "else, pass a transport that speaks it"
        )
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError):
        # Its text quotes the part that failed, which may hold half a password.
        raise ValueError(_UNESCAPED.format(REDACTION.url(proxy))) from None
    if b"@" in url.raw_path or "@" in url.fragment:
        # It ended at the first '/', '?' or '#', and took what stands before for host and port.
        raise ValueError(_UNESCAPED.format(REDACTION.url(proxy)))
    if not url.host:
        raise ValueError(f"{REDACTION.url(proxy)!r} is no proxy URL: it names no host")
    if any(mark in url.raw_host for mark in (b"%20", b",")):
        raise ValueError(
            f"{REDACTION.url(proxy)!r} is no proxy URL: it is one URL, without spaces and commas"
        )
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(
            f"{REDACTION.url(proxy)!r} is no proxy URL: a port is a number from 1 to 65535"
        )
    return httpx.Proxy(url)


def _refuse_as_copied(text: str) -> None:
    """Refuse a line of a file as it is, and a proxy as it is sold."""
    if text != text.strip():
        shown = REDACTION.url(text.strip())
        raise ValueError(f"{shown!r} has white space around it: strip() it")
    if sold := re.fullmatch(_AS_SOLD, text):
        raise ValueError(
            f"'{sold[1]}:****' is no proxy URL: write 'http://user:password@{sold[1]}'"
        )


def _create_ssl_context(
    verify: ssl.SSLContext | str | bool, cert: str | tuple[str, ...] | None, trust_env: bool
) -> ssl.SSLContext:
    # httpx takes paths too, but warns against them and names these very calls instead.
    if isinstance(verify, str):
        if not verify or not Path(verify).exists():
            raise ValueError(f"verify={verify!r}: there is no such file or directory")
        directory = Path(verify).is_dir()
        try:
            context = ssl.create_default_context(
                cafile=None if directory else verify, capath=verify if directory else None
            )
        except ssl.SSLError as error:
            raise ValueError(f"verify={verify!r} holds no certificates: {error}") from error
    else:
        context = httpx.create_ssl_context(verify=verify, trust_env=trust_env)
    if cert:
        files = (cert,) if isinstance(cert, str) else cert
        for file in files[:2]:
            if not Path(file).is_file():
                raise ValueError(f"cert={file!r}: there is no such file")
        context.load_cert_chain(*files)
    return context


class Network(Generic[T]):
    """Makes transports out of `httpx.HTTPTransport` arguments.

    Arguments:
        factory: `httpx.HTTPTransport` or `httpx.AsyncHTTPTransport`.
        socks_factory: the same for SOCKS proxies.
        options: the arguments that hold unless a transport has its own.

    Raises:
        TypeError, ValueError: see `check_options`.
    """

    def __init__(
        self,
        factory: Callable[..., T],
        socks_factory: Callable[..., T],
        options: Mapping[str, object],
    ) -> None:
        check_options(options)
        self.options: dict[str, object] = dict(options)
        self._factory = factory
        self._socks_factory = socks_factory
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}
        self._proxy_context: ssl.SSLContext | None = None
        self._http2_of_given: dict[ssl.SSLContext, bool] = {}

    def transport(self, **own: object) -> T:
        """A transport with these arguments over the common ones.

        Raises:
            TypeError, ValueError: see `check_options`; a proxy that is none; one given
                SSL context for HTTP/1.1 and HTTP/2 both.
            ImportError: HTTP/2 or SOCKS without the package it needs.
        """
        check_options(own)
        options = {**self.options, **own}
        if own.get("uds") and "proxy" not in own:
            # A socket of one's own is the way to go, and not a proxy for all others.
            options["proxy"] = None
        check_options(options, only=own)
        if options.get("http2"):
            _require_h2()
        limits = options.get("limits")
        if isinstance(limits, Mapping):
            options["limits"] = _parse_limits(limits)
        proxy = options.get("proxy")
        factory = self._factory
        if isinstance(proxy, (str, httpx.URL, httpx.Proxy)):
            parsed = parse_proxy(proxy)
            options["proxy"] = self._with_context(parsed)
            if parsed.url.scheme.startswith("socks"):
                factory = self._socks_factory
        options["verify"] = self._ssl_context(options)
        options.pop("cert", None)
        return factory(**options)

    def shared_options(self) -> dict[str, object]:
        """The common options, for another network that is to share the SSL context of this one."""
        options = {**self.options, "verify": self._ssl_context(self.options)}
        options.pop("cert", None)
        return options

    def _with_context(self, proxy: httpx.Proxy) -> httpx.Proxy:
        # httpcore would make this context for every connection to a TLS proxy. It cannot be the
        # one for the targets: httpcore sets ALPN on both, and speaks HTTP/1.1 only to proxies.
        if proxy.url.scheme != "https" or proxy.ssl_context is not None:
            return proxy
        if self._proxy_context is None:
            import httpcore

            self._proxy_context = httpcore.default_ssl_context()
        return httpx.Proxy(
            proxy.url, ssl_context=self._proxy_context, auth=proxy.auth, headers=proxy.headers
        )

    def _ssl_context(self, options: Mapping[str, object]) -> ssl.SSLContext:
        verify = options.get("verify", True)
        cert = options.get("cert")
        trust_env = bool(options.get("trust_env", True))
        http2 = bool(options.get("http2", False))
        assert isinstance(verify, (ssl.SSLContext, str, bool))
        assert cert is None or isinstance(cert, (str, tuple, list))
        if isinstance(verify, ssl.SSLContext) and cert:
            raise ValueError(
                "cert would be loaded into the SSLContext given as verify, for all that use it: "
                "make an SSLContext of its own and call its load_cert_chain()"
            )
        if (
            isinstance(verify, ssl.SSLContext)
            and self._http2_of_given.setdefault(verify, http2) != http2
        ):
            raise ValueError(
                "verify: one SSLContext cannot serve transports with http2=True and others "
                "without: httpcore sets the protocols to offer on the context, so connections "
                "would negotiate the wrong one now and then. Make an SSLContext for each"
            )
        cert = tuple(cert) if isinstance(cert, list) else cert
        key = (verify, cert, trust_env, http2)
        if key not in self._contexts:
            self._contexts[key] = _create_ssl_context(verify, cert, trust_env)
        return self._contexts[key]


def _require_h2() -> None:
    # Without it httpx fails only at the first connection.
    try:
        importlib.import_module("h2")
    except ImportError:
        raise ImportError("http2=True needs the 'h2' package: pip install 'httpx[http2]'") from None
