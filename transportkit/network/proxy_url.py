"""The URL of a proxy, parsed or refused with what to write instead."""

import re
from typing import Any, Protocol

from ..redaction.redaction import REDACTION
from ..wire.library import URL, Proxy, any_library, is_a, library_name, library_of
from ..wire.spelling import near

_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
# What is near to one of these in spelling, and something else.
_OTHER_PROTOCOLS = ("socks4", "socks4a")

# All that a file without a None can say in its place.
_NO_PROXY = re.compile(
    "direct|none|null|nil|nothing|off|no|false|disabled|bypass|noproxy|undefined|~"
)

# The form in which lists of proxies are sold: host, port, user name and password.
_AS_SOLD = r"(?i:[a-z0-9]+://)?([^:/@\s]+:[0-9]+):[^:]+:.+"

_MANGLED = r"(https?|socks5h?)([:;/\\]+)(.*)"

_UNESCAPED = (
    "{!r} is not a proxy URL: percent-encode '/', '?', '#' and '@' in its user name and password, "
    "and write its port as a number"
)


class Named(Protocol):
    """Anything with a name to be shown by."""

    @property
    def name(self) -> str: ...


def parse_proxy(proxy: object, kind: type) -> Proxy:
    """A proxy from its URL, in the forms that people write.

    Arguments:
        proxy: a string, a URL, or a `Proxy`, which is returned as it is.
        kind: any class of the library that the proxy is for.

    Raises:
        TypeError: it is a `Proxy` of the other library.
        ValueError: it is not the URL of an HTTP or SOCKS5 proxy. The text says what to write
            and holds no credentials.

    >>> import httpx
    >>> parse_proxy("proxy.example:8080", httpx.BaseTransport)
    Traceback (most recent call last):
    ValueError: 'proxy.example:8080' is not a proxy URL: write 'http://proxy.example:8080'
    """
    library = library_of(kind)
    if isinstance(proxy, library.Proxy):
        given: Proxy = proxy
        return given
    if is_a(proxy, "Proxy"):
        raise TypeError(
            f"this is for {library_name(kind)}, and the Proxy is from {library_name(proxy)}: write "
            f"{library_name(kind)}.Proxy(...)"
        )
    text = str(proxy)
    _check_form(text)
    _check_scheme(text)
    url = _parsed(text, library)
    if fault := _fault_of(url):
        raise ValueError(fault.format(REDACTION.url(text)))
    parsed: Proxy = library.Proxy(url)
    return parsed


def _check_form(text: str) -> None:
    """Refuse what was copied with its line end or quotes, and the form that lists are sold in."""
    if text != text.strip():
        shown = REDACTION.url(text.strip())
        raise ValueError(f"{shown!r} has whitespace around it: strip() it")
    if text[:1] == text[1:][-1:] and text[:1] in ("'", '"', "`"):
        raise ValueError(f"{REDACTION.url(text)!r} has quotes around it: leave them out")
    if sold := re.fullmatch(_AS_SOLD, text):
        raise ValueError(
            f"'{sold[1]}:****' is not a proxy URL: write 'http://user:password@{sold[1]}'"
        )


def means_no_proxy(text: str) -> bool:
    """True for a word that says there is no proxy, such as `none` or `DIRECT`.

    >>> means_no_proxy("DIRECT"), means_no_proxy("no_proxy"), means_no_proxy("none.example")
    (True, True, False)
    """
    word = text.strip().lower().removesuffix("://")
    return _NO_PROXY.fullmatch(re.sub("[ _-]", "", word)) is not None


def _check_scheme(text: str) -> None:
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme in _PROXY_SCHEMES and separator:
        return
    shown = REDACTION.url(text)
    if means_no_proxy(text):
        raise ValueError(f"{shown!r} is not a proxy URL: for no proxy, leave it out")
    if not separator:
        advice = _advice(_with_scheme(text)) or " such as 'http://proxy.example:8080'"
    elif scheme == "socks":
        advice = _advice(f"socks5h://{rest}")
    else:
        is_word = scheme.isalnum() and scheme not in _OTHER_PROTOCOLS
        meant = near(scheme, _PROXY_SCHEMES) if is_word else []
        advice = _advice(f"{meant[0]}://{rest}") if len(meant) == 1 else ""
    known = ", ".join(_PROXY_SCHEMES)
    advice = advice or f": httpx speaks {known}; for anything else, pass a transport that speaks it"
    raise ValueError(f"{shown!r} is not a proxy URL{advice}")


def _with_scheme(text: str) -> str:
    """The URL with its scheme; empty if there is more that it can have meant."""
    if mangled := re.fullmatch(_MANGLED, text, re.IGNORECASE | re.DOTALL):
        scheme, mark, rest = mangled.groups()
        return "" if mark == ":" and rest[:1].isdigit() else f"{scheme}://{rest}"
    # A word alone may be anything: a proxy has a port, or its name a dot.
    return f"http://{text.lstrip('/')}" if re.search("[:.]", text) else ""


def _advice(instead: str) -> str:
    """Advice to write this, where it is the URL of a proxy."""
    if not instead.lower().startswith(_PROXY_SCHEMES):
        return ""
    if _fault_of(_parsed(instead, any_library())):
        return ""
    return f": write {REDACTION.url(instead)!r}"


def _parsed(text: str, library: Any) -> URL | None:  # noqa: ANN401 - a module
    """Text as a URL of a library; None if it is not one."""
    try:
        url: URL = library.URL(text)
    except Exception:  # noqa: BLE001 - InvalidURL or a UnicodeError
        # Its text quotes the part that failed, which may hold half a password.
        return None
    return url


def _fault_of(url: URL | None) -> str:
    """A sentence that refuses the URL of a proxy, with braces for it; empty if it is fine."""
    if url is None:
        return _UNESCAPED
    if b"@" in url.raw_path or "@" in url.fragment:
        # The authority ended at the first '/', '?' or '#', within the user name or the password.
        return _UNESCAPED
    if not url.host:
        return "{!r} is not a proxy URL: it names no host"
    if any(mark in url.raw_host for mark in (b"%20", b",")):
        return "{!r} is not a proxy URL: it is one URL, without spaces or commas"
    if url.port is not None and not 0 < url.port < 65536:
        return "{!r} is not a proxy URL: a port is a number from 1 to 65535"
    return ""
