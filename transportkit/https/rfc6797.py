"""HTTP Strict Transport Security (RFC 6797) as pure decisions: headers, host names, known hosts.

Nothing here does I/O or reads a clock; `now` is always an argument. Section numbers are
those of RFC 6797 unless another one is named.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple, TypeVar

import idna

E = TypeVar("E")

HEADER = "Strict-Transport-Security"
# Seconds, 68 years: what RFC 9111, section 1.2.2, lets a number that is too large mean.
LONGEST_MAX_AGE = 2**31
# The limit of curl. A server with a wildcard certificate may send a client to any
# number of names, and each may send the header.
MOST_HOSTS = 10_000

# Nothing that may follow a repeat begins like it, so a header of nothing but spaces or quotes
# takes linear time. (Possessive repeats would say so, but early versions of 3.11 get them wrong.)
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*)"'
_DIRECTIVE = rf"[ \t]*(?:({_WORD})[ \t]*(?:=[ \t]*(?:({_WORD})|{_QUOTED})[ \t]*)?)?(?:;|\Z)"
_QUOTED_PAIR = r"(?s)\\(.)"
_SECONDS = "[0-9]+"
_LABEL = "[a-z0-9_-]+"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
# The system's resolver takes 127.1, 0x7f000001 and 017700000001 for addresses, too.
_NUMBER_AT_END = r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)"
_LONGEST_NAME = 253


class Policy(NamedTuple):
    """The content of a header.

    Attributes:
        max_age: seconds, at most `LONGEST_MAX_AGE`; 0 to forget the host.
        include_subdomains: True if it is for the subdomains of the host, too.
    """

    max_age: int
    include_subdomains: bool


class Entry(NamedTuple):
    """A known host.

    Attributes:
        expires: seconds since the epoch; infinite for ever.
        include_subdomains: True if it is for the subdomains of the host, too.
    """

    expires: float
    include_subdomains: bool


def parse_header(value: str) -> Policy | None:
    """The content of a header; None if it is to be ignored (6.1).

    An unknown directive is skipped. One that is there twice, lacks a value that it needs or
    has a value that it must not have makes the whole header invalid.

    >>> parse_header('max-age="31536000"; includeSubDomains; preload')
    Policy(max_age=31536000, include_subdomains=True)
    >>> parse_header("includeSubDomains")
    """
    directives: dict[str, str | None] = {}
    position = 0
    while position < len(value):
        if (directive := re.compile(_DIRECTIVE).match(value, position)) is None:
            return None
        position = directive.end()
        name, token, quoted = directive.groups()
        if name is None:
            continue
        if (name := name.lower()) in directives:
            return None
        directives[name] = token if quoted is None else re.sub(_QUOTED_PAIR, r"\1", quoted)
    seconds = directives.get("max-age")
    if seconds is None or not re.fullmatch(_SECONDS, seconds):
        return None
    if directives.get("includesubdomains") is not None:
        return None
    # Python refuses to convert more than 4300 digits, and twenty are too many already.
    max_age = min(int(seconds.lstrip("0")[:20] or "0"), LONGEST_MAX_AGE)
    return Policy(max_age, "includesubdomains" in directives)


def canonical_name(host: str) -> str | None:
    """The one ASCII spelling of a host name (8.2, 9); None if it cannot be an HSTS host.

    An IP address cannot, in any spelling that a resolver takes (8.1.1, 8.3, appendix A), nor
    can what does not look like a DNS name.

    >>> canonical_name("MÜNCHEN.example."), canonical_name("127.0.0.1")
    ('xn--mnchen-3ya.example', None)
    """
    if not host.isascii():
        try:
            host = idna.encode(host.lower()).decode("ascii")
        except idna.IDNAError:
            return None
    name = host.lower().removesuffix(".")
    if (
        len(name) > _LONGEST_NAME
        or not re.fullmatch(_NAME, name)
        or re.fullmatch(_NUMBER_AT_END, name)
    ):
        return None
    return name


def is_known(hosts: Mapping[str, Entry], name: str, now: float) -> bool:
    """True if a host, or a parent whose entry includes its subdomains, asked for HTTPS (8.2).

    It takes one look-up for each label of the name, however many hosts there are.

    Arguments:
        hosts: the entries, by canonical name.
        name: a canonical name.
        now: seconds since the epoch.
    """
    entry = hosts.get(name)
    if entry is not None and entry.expires > now:
        return True
    dot = name.find(".")
    while dot > 0:
        entry = hosts.get(name[dot + 1 :])
        if entry is not None and entry.include_subdomains and entry.expires > now:
            return True
        dot = name.find(".", dot + 1)
    return False


def apply_policy(hosts: dict[str, Entry], name: str, policy: Policy, now: float) -> Entry | None:
    """Change the entry of a host as its header says (8.1.1); returns the new one, if any."""
    entry = Entry(now + policy.max_age, policy.include_subdomains) if policy.max_age else None
    apply_changes(hosts, {name: entry})
    return entry


def apply_changes(hosts: dict[str, Entry], changes: Mapping[str, Entry | None]) -> None:
    """Change entries, in order; None is for a host to forget."""
    for name, entry in changes.items():
        if entry is None:
            hosts.pop(name, None)
        else:
            upsert(hosts, name, entry)


def upsert(hosts: dict[str, E], name: str, entry: E) -> None:
    """Put an entry at the end. If there are too many, the oldest, at the other end, is dropped."""
    hosts.pop(name, None)
    hosts[name] = entry
    if len(hosts) > MOST_HOSTS:
        del hosts[next(iter(hosts))]


def is_news(before: Entry | None, after: Entry | None, now: float) -> bool:
    """True if a header did more than move an expiry further away."""
    if before is None or before.expires <= now:
        return after is not None
    return (
        after is None
        or after.include_subdomains != before.include_subdomains
        or after.expires < before.expires
    )


def merge(
    saved: Mapping[str, Entry], changes: Mapping[str, Entry | None], now: float
) -> dict[str, Entry]:
    """The entries that were saved, perhaps by others, with later changes, without expired ones.

    Arguments:
        saved: the entries, the oldest first.
        changes: made since then, in order; None for a host to forget.
        now: seconds since the epoch.
    """
    hosts = dict(saved)
    apply_changes(hosts, changes)
    return newest((name, entry) for name, entry in hosts.items() if entry.expires > now)


def newest(entries: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    """The last entries, as many as are remembered."""
    hosts = dict(entries)
    return dict(islice(hosts.items(), max(0, len(hosts) - MOST_HOSTS), None))
