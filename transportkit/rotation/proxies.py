"""Proxies as people write them: parsed, named without credentials, or refused."""

import enum
import importlib
import re
from base64 import b64encode
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import quote

from ..network.proxy_url import Named, means_no_proxy, parse_proxy
from ..redaction.redaction import MASK, REDACTION
from ..wire.arguments import check_number, transport_advice
from ..wire.library import Proxy, is_a, library_name

_DIRECT = "direct"
_SHORT = 4
_SOCKS_PORT = 1080
_WRITE = (
    "a proxy URL such as 'http://proxy.example:8080', a Proxy, a transport, or None for no proxy"
)


class Via(enum.Enum):
    """The way from a member to the origin."""

    HTTP = "an HTTP proxy"
    SOCKS = "a SOCKS proxy"
    DIRECT = "no proxy"
    READY = "a transport of the caller's"


@dataclass(frozen=True, repr=False)
class Entry:
    """One proxy, as it was written.

    Attributes:
        identity: equal for two ways to write the same proxy; it holds the credentials.
        via: the way to the origin.
        weight: its share of the requests, relative to the others.
        proxy: the argument of an `httpx.HTTPTransport`.
        transport: a transport that was given ready.
        place: equal for proxies that may have the same name.
    """

    identity: Hashable
    via: Via
    weight: float = 1.0
    proxy: Proxy | None = None
    transport: object = None
    place: Hashable = None

    @cached_property
    def name(self) -> str:
        """The name that it is shown by, without credentials."""
        if self.proxy is not None:
            return REDACTION.proxy(self.proxy)
        return _DIRECT if self.transport is None else type(self.transport).__name__

    def masked(self, text: str) -> str:
        """A text that this proxy may have written, without credentials."""
        # Secrets that are known by their looks come first: the names that tell them apart may
        # hold one of these.
        text = REDACTION.text(text)
        for secret in self._secrets():
            # A short one is a part of many words.
            border = r"(?<!\w){}(?!\w)" if len(secret) < _SHORT else "{}"
            text = re.sub(border.format(re.escape(secret)), MASK, text)
        return text

    def _secrets(self) -> Iterable[str]:
        if self.proxy is None:
            return []
        user, password = self.proxy.auth or ("", "")
        token = b64encode(f"{user}:{password}".encode()).decode("ascii")
        headers = [value for _, value in self.proxy.headers.multi_items()]
        found = {token, password, quote(password, safe=""), user, quote(user, safe=""), *headers}
        # The longest first: one may be a part of another.
        return sorted(filter(None, found), key=len, reverse=True)


def parse_all(proxies: object, kind: type) -> list[Entry]:
    """The proxies of a list, or of a mapping to weights.

    Arguments:
        proxies: the list or mapping, as it was written.
        kind: the class of the transports that can be among them.

    Raises:
        TypeError, ValueError: the text says what to write.
        ImportError: SOCKS without the package it needs.
    """
    if isinstance(proxies, Mapping):
        weights = dict(proxies)
    elif isinstance(proxies, Sequence) and not isinstance(proxies, (str, bytes, bytearray)):
        weights = None
    else:
        raise TypeError(_list_refusal(proxies, kind))
    if not proxies:
        raise ValueError("proxies must not be empty: write at least one, such as ['http://a:8080']")
    entries: dict[Hashable, Entry] = {}
    for each in proxies:
        entry = parse(each, kind, 1 if weights is None else weights[each])
        if entry.identity in entries:
            raise ValueError(
                f"proxies: {entry.name} is there twice: give it a weight in a dict instead, such "
                "as {'http://a:8080': 2, 'http://b:8080': 1}"
            )
        entries[entry.identity] = entry
    return list(entries.values())


def parse(proxy: object, kind: type, weight: object = 1) -> Entry:
    """One proxy; the same errors as those of `parse_all`."""
    entry = _parse(proxy, kind)
    if weight == 1 and not isinstance(weight, bool):
        return entry
    check_number(f"the weight of {entry.name}", weight, "turns", positive=True, finite=True)
    assert isinstance(weight, (int, float))
    return replace(entry, weight=weight)


def _parse(proxy: object, kind: type) -> Entry:
    if proxy is None or (isinstance(proxy, str) and proxy == _DIRECT):
        return Entry(_DIRECT, Via.DIRECT)
    if isinstance(proxy, kind):
        return Entry((kind, id(proxy)), Via.READY, transport=proxy, place=type(proxy).__name__)
    if not (isinstance(proxy, str) or is_a(proxy, "URL", "Proxy")):
        raise TypeError(_refusal(proxy, kind))
    if isinstance(proxy, str) and means_no_proxy(proxy):
        raise ValueError(f"proxies: {proxy!r} is not a proxy URL: write {_DIRECT!r}")
    try:
        parsed = parse_proxy(proxy, kind)
    except ValueError as error:
        raise ValueError(f"proxies: {error}") from None
    url, via = parsed.url, Via.HTTP
    if url.scheme.startswith("socks"):
        _require_socksio(url.scheme, library_name(kind))
        via = Via.SOCKS
    headers = tuple(parsed.headers.multi_items())
    # httpx knows the default ports of http and https only.
    port = _SOCKS_PORT if url.port is None and via is Via.SOCKS else url.port
    path = (url.path.rstrip("/"), url.query)
    identity = (url.scheme, url.raw_host, port, path, parsed.auth, headers)
    place = (*identity[:3], parsed.auth is None)
    return Entry(identity, via, proxy=parsed, place=place)


def join_names(named: Sequence[Named]) -> str:
    """The first names of a list, and the number of the others.

    Arguments:
        named: what has a `name`, which may take long to make.
    """
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return ", ".join(each.name for each in named[:3]) + more


def _list_refusal(proxies: object, kind: type) -> str:
    text = "proxies must be a list such as ['http://a:8080', 'http://b:8080'], or a dict of weights"
    if isinstance(proxies, str) or is_a(proxies, "URL", "Proxy"):
        return f"{text}, not a single {type(proxies).__name__}: put it into brackets"
    if isinstance(proxies, kind):
        return f"{text}, not a single transport: put it into brackets"
    if isinstance(proxies, Iterable) and not isinstance(proxies, (bytes, bytearray)):
        return f"{text}, not {type(proxies).__name__}: write list(...) around it"
    return f"{text}, not {type(proxies).__name__}"


def _refusal(proxy: object, kind: type) -> str:
    if advice := transport_advice(proxy, kind, "ProxyRoundRobin"):
        return f"proxies: {advice}"
    if isinstance(proxy, tuple):
        return "proxies: a tuple is not a proxy: for weights, write a dict, {'http://a:8080': 2}"
    return f"proxies: {type(proxy).__name__} is not a proxy: write {_WRITE}"


def _require_socksio(scheme: str, library: str) -> None:
    # Without it httpx fails only when the transport is built, at the first request.
    try:
        importlib.import_module("socksio")
    except ImportError:
        raise ImportError(
            f"a {scheme}:// proxy needs the 'socksio' package: pip install '{library}[socks]'"
        ) from None
