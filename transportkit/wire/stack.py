"""Stacks of transports as text, and orders of them that do not do what their names promise."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from .library import library_name

# What a client asks of its transport.
_OF_SYNC = frozenset({"__enter__", "handle_request", "close"})
_OF_ASYNC = frozenset({"__aenter__", "handle_async_request", "aclose"})

# What people ask of a transport that only a client has.
_OF_CLIENTS = frozenset(
    {"get", "options", "head", "post", "put", "patch", "delete", "request", "stream", "send"}
)

# What makes those whose class is not public.
_FACTORIES = {
    "NetworkTransport": "default_transport()",
    "AsyncNetworkTransport": "async_default_transport()",
}


class StackWarning(UserWarning):
    """Transports were put around each other in an order that loses what one of them is for.

    It is said once, where they are put together. To switch it off:

    >>> import warnings
    >>> warnings.filterwarnings("ignore", category=StackWarning)
    """


class Stacked:
    """A transport that can show what it sends through.

    `repr` is one line, `str` a tree. A subclass says what its branches are, and which of its
    settings differ from the defaults. Both are shown as they are, so the subclass masks what may
    hold a secret.
    """

    def _branches(self) -> Sequence[tuple[str, object]]:
        """The transports it sends through, or texts in place of them, each with its label."""
        return ()

    def _settings(self) -> str:
        """The settings that differ from the defaults."""
        return ""

    if not TYPE_CHECKING:  # pragma: no branch - for type checkers, what is missing is missing

        def __getattr__(self, name: str) -> NoReturn:
            # With `obj` the traceback would go on to propose the other kind's method.
            raise AttributeError(_why_missing(type(self), name), name=name)

    def __repr__(self) -> str:
        branches = self._branches()
        if len(branches) == 1 and not branches[0][0]:
            return f"{type(self).__name__}({_name(branches[0][1])})"
        return f"<{_title(self).replace('  ', ', ', 1)}>"

    def __str__(self) -> str:
        return "\n".join(_tree(self))


def wrapped(transport: object) -> Iterator[object]:
    """A transport, and all that it sends through, as far as they can be seen."""
    yield transport
    if isinstance(transport, Stacked):
        for _, inner in transport._branches():
            yield from wrapped(inner)


def warn_of_retries_around_resumes(outer: object, inner: object) -> None:
    """Warn if a RetryTransport is made around a ResumeTransport.

    Arguments:
        outer: the one that is being made.
        inner: what it sends through.
    """
    if _kind(outer) == "RetryTransport" and "ResumeTransport" in map(_kind, wrapped(inner)):
        _warn(
            "RetryTransport around ResumeTransport: the requests for the rest of a broken download "
            "are not retried. Write ResumeTransport(RetryTransport(...))",
            level=4,
        )


def warn_of_what_a_route_loses(pattern: str, transport: object, options: Collection[str]) -> None:
    """Warn if a route leads to an HSTSTransport, or past the arguments for all routes.

    Arguments:
        pattern: the key of the route.
        transport: what it leads to, given ready.
        options: the names of the arguments for all routes.
    """
    kinds = set(map(_kind, wrapped(transport)))
    if "HSTSTransport" in kinds:
        _warn(
            f"HSTSTransport in the route {pattern!r}: what other routes take is neither learned "
            "from nor upgraded. Write HSTSTransport(Mounts({...}))",
            level=4,
        )
    # Without the environment's proxies, which stand behind all routes, a route loses nothing.
    lost = [name for name in options if name != "trust_env"]
    if lost and not kinds.isdisjoint({"HTTPTransport", "NetworkTransport"}):
        _warn(
            f"the transport of the route {pattern!r} was given ready: {', '.join(lost)} of Mounts "
            f"{'do' if lost[1:] else 'does'} not reach it. Write it where that transport is made, or "
            "write None or a dict in its place",
            level=4,
        )


def _warn(text: str, level: int) -> None:
    """Warn where a transport is made: `level` functions of its construction above the caller."""
    warnings.warn(text, StackWarning, stacklevel=level + 2)


def _why_missing(kind: type, name: str) -> str:
    ours = next(base for base in kind.__mro__ if base.__module__.startswith("transportkit."))
    if name in _OF_ASYNC:
        other = f"Async{ours.__name__}"
        other = _FACTORIES.get(other, other)
        return f"{kind.__name__} is for sync clients: for async ones, write {other}"
    if name in _OF_SYNC:
        other = ours.__name__.removeprefix("Async")
        other = _FACTORIES.get(other, other)
        return f"{kind.__name__} is for async clients: for sync ones, write {other}"
    if name in ("_lifecycle", "_transport"):
        return f"{kind.__name__} has no inner transport: write super().__init__(transport) in its __init__"
    if name == "items":
        # A client asks this of its `mounts=`.
        return f"{kind.__name__} is a transport, not a dict of them: write transport=..., not mounts=..."
    if name in _OF_CLIENTS:
        client = (
            f"{library_name(kind)}.{'Async' if ours.__name__.startswith('Async') else ''}Client"
        )
        return f"{kind.__name__} is a transport: write {client}(transport=...).{name}(...)"
    return f"{kind.__name__!r} object has no attribute {name!r}"


def _kind(transport: object) -> str:
    return type(transport).__name__.removeprefix("Async")


def _name(transport: object) -> str:
    return repr(transport) if isinstance(transport, Stacked) else _title(transport)


def _title(transport: object) -> str:
    """The first line of a tree. The `repr` of a transport that is not ours might hold secrets."""
    if isinstance(transport, str):
        return transport
    name = type(transport).__name__
    settings = transport._settings() if isinstance(transport, Stacked) else ""
    return f"{name}  {settings}" if settings else name


def _tree(transport: object) -> Iterator[str]:
    yield _title(transport)
    branches = _drawn(transport._branches()) if isinstance(transport, Stacked) else []
    for left, (title, beneath) in zip(range(len(branches) - 1, -1, -1), branches, strict=True):
        yield f"{'├─' if left else '└─'} {title}"
        yield from (f"{'│ ' if left else '  '} {line}" for line in beneath)


def table(branches: Sequence[tuple[str, object]]) -> str:
    """Branches one below the other, without what they hang from."""
    return "\n".join("\n   ".join([title, *beneath]) for title, beneath in _drawn(branches))


def _drawn(branches: Sequence[tuple[str, object]]) -> list[tuple[str, list[str]]]:
    """The first line of each branch, and those beneath it."""
    width = max((len(label) for label, _ in branches), default=0)
    trees = [(label, list(_tree(inner))) for label, inner in branches]
    return [
        (f"{label:<{width}}  {lines[0]}" if width else lines[0], lines[1:])
        for label, lines in trees
    ]
