"""The arguments of `httpx.HTTPTransport`, checked before anything is made of them.

httpx fails on some wrong arguments at the first request only, and ignores others without a word.
"""

import inspect
import ssl
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath

from ..redaction.redaction import MASK, REDACTION
from ..wire.advising import field_meant
from ..wire.arguments import check_count, check_number, transport_advice
from ..wire.library import Name, is_a, library_name
from .proxy_url import parse_proxy

# Wider than the public type, as JSON and TOML have no tuples and no Limits.
# A name is that of a library's class.
_ACCEPTED: dict[str, tuple[type | Name, ...]] = {
    "verify": (ssl.SSLContext, str, bool),
    "cert": (str, tuple, list, type(None)),
    "trust_env": (bool,),
    "http1": (bool,),
    "http2": (bool,),
    "limits": ("Limits", Mapping),
    "proxy": (str, "URL", "Proxy", type(None)),
    "uds": (str, type(None)),
    "local_address": (str, type(None)),
    "retries": (int,),
    "socket_options": (Iterable, type(None)),
}

# What to write for one of another type.
_EXAMPLES = {
    "verify": "ssl.create_default_context(cafile='ca.pem')",
    "cert": "('client.pem', 'client.key')",
    "trust_env": "False",
    "http1": "False",
    "http2": "True",
    "limits": "{'max_connections': 10}",
    "proxy": "'http://proxy.example:8080'",
    "uds": "'/var/run/docker.sock'",
    "local_address": "'192.0.2.7'",
    "retries": "3",
    "socket_options": "[(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]",
}

_LIMITS = {
    "max_connections": "connections",
    "max_keepalive_connections": "connections",
    "keepalive_expiry": "seconds",
}

# What people pass to a transport, and httpx takes where the client is made.
_OF_THE_CLIENT = (
    *("auth", "params", "headers", "cookies", "timeout", "follow_redirects", "max_redirects"),
    *("event_hooks", "base_url", "mounts", "default_encoding"),
)

# What people pass to one transport, and another one takes.
_OF_OTHERS = {
    "policy": "RetryTransport",
    "bodies": "DebuggingTransport",
    "store": "HSTSTransport",
}

# httpx drops these without a word when there is a proxy.
IGNORED_BEHIND_PROXY = ("uds", "local_address", "retries")


def check_names(names: Iterable[object], taker: type | None = None) -> None:
    """Refuse unknown arguments.

    Arguments:
        names: of the arguments.
        taker: the class that was given them, and hands those of `httpx.HTTPTransport` on.

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
    parameters = list(inspect.signature(taker).parameters.values()) if taker else []
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    own = [parameter.name for parameter in parameters if parameter.kind in kinds]
    prefix = "Async" if taker and taker.__name__.startswith("Async") else ""
    whose, other = "clients", f"{library_name(taker) if taker else 'httpx'}.{prefix}Client"
    if written in _OF_OTHERS and written not in own:
        whose = other = f"{prefix}{_OF_OTHERS[written]}"
    if written in (*_OF_THE_CLIENT, *_OF_OTHERS):
        return f"{shown} is an argument of {whose}: write {other}({written}=...)"
    if written == "proxies":
        # The clients of httpx had it until 0.28, for a dict; lists of proxies are meant here, too.
        return (
            f"unknown argument {shown}: write proxy=... for one, {prefix}Mounts({{'all://': ...}}) to "
            f"choose by URL, or {prefix}ProxyRoundRobin([...]) to take turns"
        )
    # `max_retries` does not mean httpx's `retries`: the whole list is shown for it.
    close = get_close_matches(written, _ACCEPTED, 1, 0.8) or get_close_matches(written, own, 1)
    if close:
        return f"unknown argument {shown}: did you mean {close[0]}?"
    for parameter in parameters:
        if meant := field_meant(parameter.default, written):
            return f"unknown argument {shown}: write {parameter.name}={meant}"
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
        only: those that were given for this transport alone: httpx must not ignore them.

    Raises:
        TypeError: an unknown argument, or a value of the wrong type.
        ValueError: a number too small, or arguments that exclude each other.
    """
    check_names(options)
    for name, value in options.items():
        if not any(_is_one(value, kind) for kind in _ACCEPTED[name]):
            raise TypeError(_refused(name, value))
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


def _refused(name: str, value: object) -> str:
    kinds = ("None" if kind is type(None) else _name(kind) for kind in _ACCEPTED[name])
    written = f"{name}={_EXAMPLES[name]}"
    if isinstance(value, PurePath) and str in _ACCEPTED[name]:
        written = f"{name}=str(...)"
    elif name == "proxy" and isinstance(value, (Mapping, list, tuple)):
        written += "; a dict is for Mounts, and a list for ProxyRoundRobin"
    return f"{name} must be {' or '.join(kinds)}, not {type(value).__name__}: write {written}"


def describe(options: Mapping[str, object], kind: type) -> str:
    """Arguments as they are written in a call, without credentials.

    Arguments:
        options: the arguments.
        kind: any class of the library that they are for.
    """
    return ", ".join(f"{name}={_shown(name, value, kind)}" for name, value in options.items())


def _shown(name: str, value: object, kind: type) -> str:
    if name == "proxy" and value is not None:
        return REDACTION.proxy(parse_proxy(value, kind))
    if name == "cert" and isinstance(value, (tuple, list)):
        # The third is the password of the key.
        return f"({', '.join([*map(repr, value[:2]), *[MASK for _ in value[2:]]])})"
    return type(value).__name__ if isinstance(value, ssl.SSLContext) else repr(value)


def _name(kind: type | Name) -> str:
    return kind.__name__ if isinstance(kind, type) else kind


def _is_one(value: object, kind: type | Name) -> bool:
    return isinstance(value, kind) if isinstance(kind, type) else is_a(value, kind)


def _check_limits(limits: object) -> None:
    given = limits
    if not isinstance(given, Mapping):
        given = {name: getattr(limits, name) for name in _LIMITS}
    for name, value in given.items():
        if name not in _LIMITS:
            raise TypeError(f"unknown argument {name!r} in limits: it takes {', '.join(_LIMITS)}")
        if value is not None:
            # Without any connection, every request would end in a PoolTimeout.
            positive = name == "max_connections"
            check_number(f"{name} in limits", value, _LIMITS[name], positive=positive)


def check_inner(transport: object, kind: type, names: Collection[str], taker: type) -> None:
    """Refuse something that is not an inner transport, or is one beside arguments for another.

    Arguments:
        transport: what was given as the inner transport.
        kind: `BaseTransport` or `AsyncBaseTransport` of the library that is needed.
        names: of the arguments given in place of a transport.
        taker: the class that all this was given to.

    Raises:
        TypeError: the text says what to write.
    """
    check_names(names, taker)
    if transport is None:
        return
    if not isinstance(transport, kind):
        if advice := transport_advice(transport, kind, taker.__name__.removeprefix("Async")):
            raise TypeError(f"transport: {advice}")
        written = _meant(transport, kind, taker) or f"{taker.__name__}() for the network itself"
        raise TypeError(
            f"transport must be an {library_name(kind)}.{kind.__name__}, not "
            f"{type(transport).__name__}: write {written}"
        )
    if names:
        raise TypeError(
            f"give either a transport or arguments to build one, not both: {', '.join(names)} "
            "would be ignored. Pass them where that transport is made"
        )


def _meant(given: object, kind: type, taker: type) -> str:
    """The argument or the class that a misplaced value was meant for; empty if it is not known."""
    prefix = kind.__name__.removesuffix("BaseTransport")
    if (isinstance(given, str) and "://" in given) or is_a(given, "URL", "Proxy"):
        return "proxy=..."
    if is_a(given, "Client", "AsyncClient"):
        prefix = "Async" if is_a(given, "AsyncClient") else ""
        name = f"{prefix}{taker.__name__.removeprefix('Async')}"
        return f"{library_name(given)}.{prefix}Client(transport={name}(...))"
    if isinstance(given, (list, tuple)):
        return f"{prefix}ProxyRoundRobin([...])"
    if isinstance(given, Mapping):
        return f"{prefix}Mounts({{...}})"
    for name, parameter in inspect.signature(taker).parameters.items():
        if type(parameter.default) is type(given):
            return f"{name}=..."
    return ""
