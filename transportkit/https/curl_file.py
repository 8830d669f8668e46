"""curl's `--hsts` file: read, and replaced whole or not at all.

Each line is a host, with a dot before it when its subdomains are included, and the time
when the entry expires, in UTC: `.example.com "20301231 23:59:59"`, or `"unlimited"`.
Lines that begin with `#` are comments. See https://curl.se/docs/hsts.html.

`wire/atomic.py` says how it is written and locked. curl takes no lock, so what curl saves in the
very same moment may be lost, but the file is always whole.
"""

import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..wire.arguments import file_path
from ..wire.atomic import acquire, release, replace
from ..wire.logs import Log
from .rfc6797 import Entry, canonical_name

if TYPE_CHECKING:
    from pathlib import Path

_logger = Log("transportkit.https")

_PREFACE = (
    "# Your HSTS cache. https://curl.se/docs/hsts.html\n"
    "# This file was written by transportkit. Edit at your own risk.\n"
)
_LINE = r'(\.?)(\S+)[ \t]+"([^"]*)"'
_TIME = "([0-9]{4,})([0-9]{2})([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})"
_UNLIMITED = "unlimited"
_LAST_YEAR = 9999
_END_OF_TIME = datetime(_LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def parse_line(line: bytes) -> tuple[str, Entry] | None:
    """The canonical name and the entry in a line; None if it is broken.

    >>> parse_line(b'.example.com "20301231 23:59:59"')
    ('example.com', Entry(expires=1924991999.0, include_subdomains=True))
    """
    try:
        match = re.fullmatch(_LINE, line.decode().strip())
    except UnicodeDecodeError:
        return None
    if match is None or (name := canonical_name(match[2])) is None:
        return None
    expires = _parse_time(match[3])
    return None if expires is None else (name, Entry(expires, bool(match[1])))


def _parse_time(text: str) -> float | None:
    if text == _UNLIMITED:
        return math.inf
    if (match := re.fullmatch(_TIME, text)) is None:
        return None
    # curl writes the years beyond as well, for a max-age without bounds.
    if len(match[1].lstrip("0")) > len(str(_LAST_YEAR)):
        return math.inf
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def format_line(name: str, entry: Entry) -> str:
    """An entry as curl writes it.

    >>> format_line("example.com", Entry(1924991999.0, include_subdomains=True))
    '.example.com "20301231 23:59:59"'
    """
    dot = "." if entry.include_subdomains else ""
    if entry.expires > _END_OF_TIME:
        return f'{dot}{name} "{_UNLIMITED}"'
    expires = datetime.fromtimestamp(entry.expires, UTC)
    return f'{dot}{name} "{expires:%Y%m%d %H:%M:%S}"'


def parse_lines(lines: Iterable[bytes], now: float) -> tuple[dict[str, Entry], list[int]]:
    """The entries that have not expired, and the numbers of the lines that are broken.

    A host that is there twice has the later expiry and the wider scope, as in curl.
    """
    hosts: dict[str, Entry] = {}
    broken: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        if (parsed := parse_line(line)) is None:
            broken.append(number)
            continue
        name, entry = parsed
        if entry.expires > now:
            other = hosts.pop(name, entry)
            expires = max(entry.expires, other.expires)
            hosts[name] = Entry(expires, entry.include_subdomains or other.include_subdomains)
    return hosts, broken


class CurlFile:
    """A file of entries.

    Arguments:
        path: of the file, which need not exist.

    Raises:
        TypeError: the path is neither a string nor a path.
        ValueError: there is something else than a file, or no directory for one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = file_path(path)
        self._has_complained = False

    def read(self, now: float) -> dict[str, Entry]:
        """The entries that have not expired; none if there is no file.

        Raises:
            OSError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                hosts, broken = parse_lines(file, now)
        except FileNotFoundError:
            return {}
        if broken and not self._has_complained:
            self._has_complained = True
            _logger.warning(
                "%s: left out %d broken lines, the first is line %d; saving removes them",
                self.path,
                len(broken),
                broken[0],
            )
        return hosts

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep others, in other processes, too, from replacing the file meanwhile."""
        target = self.path.resolve()
        lock = acquire(target.with_name(f"{target.name}.lock"), wait=True)
        try:
            yield
        finally:
            release(lock)

    def replace(self, hosts: Mapping[str, Entry]) -> None:
        """Write the file anew, with the lock held.

        It is made for its owner's eyes alone, as it tells where they have been; other
        permissions that it was given later are kept. A symbolic link stays one.

        Raises:
            OSError: it cannot be written; then it is as it was.
        """
        lines = [_PREFACE, *(f"{format_line(*item)}\n" for item in hosts.items())]
        content = (line.encode("ascii") for line in lines)
        replace(self.path.resolve(), content, keep_mode=True)
