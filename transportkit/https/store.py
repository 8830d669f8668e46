"""`HSTSStore`: the hosts that asked for HTTPS, in memory and perhaps in a file.

The entries, and the changes since the last save, live behind one short lock. Saving reads
the file, applies the changes and replaces the file, all outside of that lock: requests go on
meanwhile. A change is dropped only when it is in the file, so nothing is lost when saving
fails.
"""

import math
import os
import threading
from collections.abc import Iterable
from time import monotonic, time
from typing import Self

from ..redaction.redaction import REDACTION
from ..wire.advising import advising
from ..wire.forking import renew_in_child
from ..wire.library import any_library, parse_url
from ..wire.logs import Log
from .curl_file import CurlFile
from .rfc6797 import (
    Entry,
    apply_changes,
    apply_policy,
    canonical_name,
    is_known,
    is_news,
    merge,
    newest,
    parse_header,
    upsert,
)

_logger = Log("transportkit.https")

# Seconds between two saves while requests are sent. Most headers only move the expiry of a
# known host further away: that can wait.
_NEWS_INTERVAL = 5
_REFRESH_INTERVAL = 3600


@advising(file="path=...", preload="HSTSStore().preload(...)")
class HSTSStore:
    """The hosts that asked to be reached over HTTPS alone (RFC 6797), for `HSTSTransport`.

    One store may serve several transports, sync and async, in any threads. It remembers
    10 000 hosts, those whose headers came last, as curl does.

    With a path it is a file in the format of curl's `--hsts`, which curl can read and write,
    too. The file is read when the store is made. It is saved when a transport over it closes,
    after the first header of a host (at most every 5 seconds), and by `save()`. What others
    saved meanwhile is kept and taken over. Beside the file lies a `.lock` file, by which several
    processes take turns. Broken lines are left out, which is logged once on
    `transportkit.https`.

    A store with a path is pickled as that path, with what was preloaded; `save()` it before, so
    that the other process finds what was learned. One in memory is not pickled.

    Arguments:
        path: the file, which need not exist. Default: None, the store is in memory only.

    Raises:
        TypeError: the path is neither a string nor a path.
        ValueError: there is something else than a file, or no directory for one.
        OSError: the file is there and cannot be read.

    >>> store = HSTSStore()
    >>> store.preload(["example.com", ".example.org"])
    >>> "example.com" in store, "www.example.com" in store, "www.example.org" in store
    (True, False, True)
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._renew()
        renew_in_child(self._renew)
        self._preloaded: dict[str, Entry] = {}
        self._hosts: dict[str, Entry] = {}
        # Not in the file yet; None for a host that is to be forgotten.
        self._changes: dict[str, Entry | None] = {}
        self._has_news = False
        self._saved_at = monotonic() - _NEWS_INTERVAL
        self._file = None if path is None else CurlFile(path)
        if self._file is not None:
            self._hosts = newest(self._file.read(time()).items())

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def preload(self, hosts: Iterable[str]) -> None:
        """Treat hosts as if they had asked for HTTPS (RFC 6797, section 12.3).

        They do not expire, are not forgotten when a server asks for that, do not count
        towards the limit and are not saved.

        Arguments:
            hosts: host names, with a dot before those whose subdomains are included, as in
                curl's file.

        Raises:
            TypeError: this is not a list of strings.
            ValueError: one of them is not a host name; then none is added.
        """
        if isinstance(hosts, str) or not isinstance(hosts, Iterable):
            advice = f": write [{hosts!r}]" if isinstance(hosts, str) else ""
            raise TypeError(f"hosts must be a list of names, not {type(hosts).__name__}{advice}")
        added = [_preloaded(host) for host in hosts]
        with self._lock:
            for name, entry in added:
                # One that is given in both ways has its subdomains included.
                self._preloaded[name] = max(entry, self._preloaded.get(name, entry))

    def save(self) -> None:
        """Write to the file what has changed since the last time, into what others wrote to it.

        The file is replaced whole or not at all. Without a path or without changes nothing
        happens. This does I/O: async code calls it in a worker thread.

        Raises:
            OSError: the file cannot be read or written. The changes are kept for the next time.
        """
        if self._file is None or not self._is_unsaved:
            return
        with self._file.exclusively():
            now = time()
            saved = self._file.read(now)
            with self._lock:
                changes = dict(self._changes)
            hosts = merge(saved, changes, now)
            self._file.replace(hosts)
            with self._lock:
                # What has changed while the file was written is not in it.
                self._changes = {
                    name: entry
                    for name, entry in self._changes.items()
                    if name not in changes or changes[name] is not entry
                }
                self._has_news = bool(self._changes)
                apply_changes(hosts, self._changes)
                self._hosts = hosts

    def __contains__(self, host: object) -> bool:
        """True if a request to this host over http would be redirected to https."""
        if not isinstance(host, str) or (name := canonical_name(host)) is None:
            return False
        now = time()
        with self._lock:
            return is_known(self._hosts, name, now) or is_known(self._preloaded, name, now)

    def __reduce__(self) -> tuple[type[Self], tuple[str], dict[str, object]]:
        if self._file is None:
            raise TypeError(
                f"cannot pickle {type(self).__name__}, which is in memory: give it a file, whose path "
                "is then sent, or make another one in the other process"
            )
        with self._lock:
            return type(self), (str(self._file.path),), {"_preloaded": dict(self._preloaded)}

    def __repr__(self) -> str:
        where = ", in memory" if self._file is None else ""
        hosts = f"{len(self._hosts)} hosts"
        return f"<HSTSStore, {', '.join([hosts, *self._differences()])}{where}>"

    def _differences(self) -> list[str]:
        """The differences from a store that has just been made."""
        preloaded = [f"{len(self._preloaded)} preloaded"] if self._preloaded else []
        return preloaded + ([] if self._file is None else [f"in {str(self._file.path)!r}"])

    @property
    def _is_unsaved(self) -> bool:
        """True if saving would have anything to do."""
        with self._lock:
            return bool(self._changes)

    def _learn(self, host: str, header: str) -> bool:
        """Take in a header of a host; returns True if the caller is to save the store now."""
        name, policy = canonical_name(host), parse_header(header)
        if name is None or policy is None:
            return False
        now = time()
        with self._lock:
            before = self._hosts.get(name)
            entry = apply_policy(self._hosts, name, policy, now)
            if self._file is None:
                return False
            upsert(self._changes, name, entry)
            self._has_news |= is_news(before, entry, now)
            interval = _NEWS_INTERVAL if self._has_news else _REFRESH_INTERVAL
            if monotonic() - self._saved_at < interval:
                return False
            self._saved_at = monotonic()
            return True

    def _try_to_save(self) -> None:
        """Save between two requests; if that fails, they do not."""
        try:
            self.save()
        except OSError as error:
            _logger.warning("%r could not be saved, and will be tried again: %s", self, error)


def _preloaded(host: object) -> tuple[str, Entry]:
    if not isinstance(host, str):
        raise TypeError(f"hosts must be strings, not {type(host).__name__}")
    bare = host.removeprefix(".")
    if (name := canonical_name(bare)) is None:
        raise ValueError(f"hosts: {REDACTION.url(host)!r} {_advice(bare)}")
    return name, Entry(math.inf, include_subdomains=bare != host)


def _advice(host: str) -> str:
    """The reason why a text is not a host name, and what to write."""
    if host.startswith("*.") and canonical_name(host[2:]):
        return f"is not a host name: write {host[1:]!r} to include the subdomains"
    url = host if "://" in host else f"http://{host}"
    try:
        name = parse_url(url).raw_host.decode("ascii")
    except any_library().InvalidURL:
        name = ""
    if canonical_name(name):
        return f"is more than a host name: write {name!r}"
    return "is not a host name: write one such as 'example.com' (an IP address has no HSTS)"
