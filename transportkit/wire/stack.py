"""Stacks of transports as text: one line of what wraps what, or a tree with the settings."""

from collections.abc import Iterator, Sequence


class Stacked:
    """A transport that can show what it sends through.

    `repr` is one line, `str` a tree. A subclass says what its branches are, and which of its
    settings differ from the defaults. Both are shown as they are: what may hold a secret has
    to be masked by whoever says it.
    """

    def _branches(self) -> Sequence[tuple[str, object]]:
        """The transports it sends through, or texts in place of them, each with its label."""
        return ()

    def _settings(self) -> str:
        """The settings that differ from the defaults."""
        return ""

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


def _name(transport: object) -> str:
    return repr(transport) if isinstance(transport, Stacked) else _title(transport)


def _title(transport: object) -> str:
    """The first line of a tree; what strangers' transports say of themselves is not masked."""
    if isinstance(transport, str):
        return transport
    name = type(transport).__name__
    settings = transport._settings() if isinstance(transport, Stacked) else ""
    return f"{name}  {settings}" if settings else name


def _tree(transport: object) -> Iterator[str]:
    yield _title(transport)
    branches = transport._branches() if isinstance(transport, Stacked) else ()
    width = max((len(label) for label, _ in branches), default=0)
    for left, (label, inner) in zip(range(len(branches) - 1, -1, -1), branches, strict=True):
        title, *beneath = _tree(inner)
        yield f"{'├─' if left else '└─'} {f'{label:<{width}}  ' if width else ''}{title}"
        yield from (f"{'│ ' if left else '  '} {line}" for line in beneath)
