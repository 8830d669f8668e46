"""`ConsoleLog`: requests and responses as lines for people to scan."""

import logging
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Literal

from ..wire.advising import advising
from ..wire.arguments import check_flag
from ..wire.library import URL
from .arguments import check_write
from .bodies import Body
from .exchange import Exchange

Write = Callable[[str], object]

_PHASES = ("blocked", "connect", "tls", "send", "wait", "receive")
_INDENT = "    "
_CYAN, _GREEN, _YELLOW, _RED, _FAINT = "36", "32", "33", "31", "2"
# What a terminal may act upon, or a reader may be deceived by, such as escapes, or characters
# that change the direction of the text.
_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@advising(bodies="DebuggingTransport(transport, ConsoleLog(), bodies=4096)")
class ConsoleLog:
    """Writes a line when a request goes out, and one when it is over.

    The second one names the proxy, if there was one and the transport inside reports it, as those
    that are made from arguments do. A line that does not directly follow that of its request, as
    others were sent meanwhile, names the request again. Bodies are shown as far as the transport
    captures them. What a terminal would act upon is escaped. Everything is masked by the
    transport's `Redaction`.

    Arguments:
        write: called with each text, which may have several lines: `print`, or `logger.debug`.
            Nothing is prepared for a logger that would drop it. Default: `print`.
        color: True or False; None for colors if `write` is `print`, on a terminal, unless the
            environment has `NO_COLOR` (https://no-color.org).
        headers: show headers too. Default: False.

    Raises:
        TypeError: `write` cannot be called, or another argument is of another type.

    >>> import httpx
    >>> from transportkit import DebuggingTransport
    >>> answer = httpx.MockTransport(lambda request: httpx.Response(200, text="hello"))
    >>> lines = []
    >>> with httpx.Client(transport=DebuggingTransport(answer, ConsoleLog(lines.append))) as client:
    ...     response = client.get("https://scott:tiger@example.com/")
    >>> lines[0]
    '>>> GET https://****@example.com/'
    >>> lines[1].partition(" in ")[0]
    '<<< 200 OK 5 B'
    """

    def __init__(
        self, write: Write = print, color: bool | None = None, headers: bool = False
    ) -> None:
        check_write(write)
        check_flag("color", color, may_be_none=True)
        check_flag("headers", headers)
        self._write = write
        self._is_enabled = enabled(write)
        self._color = color
        self._shows_headers = headers
        self._last: tuple[float, str, URL] | None = None

    def started(self, exchange: Exchange) -> None:
        """Write that a request goes out."""
        self._last = _identity(exchange)
        self._put(_CYAN, f">>> {_request(exchange)}", self._headers(exchange, "request_headers"))

    def __call__(self, exchange: Exchange) -> None:
        if not self._is_enabled():
            return
        line, color = outcome(exchange)
        if self._last != _identity(exchange):
            line += f" for {_request(exchange)}"
        self._last = None
        self._put(color, line, self._details(exchange))

    def _details(self, exchange: Exchange) -> Iterator[str]:
        # What was not captured need not be worked out.
        if exchange._record.sent.length:
            yield from (f"> {line}" for line in _body_lines(exchange.request_body))
        yield from self._headers(exchange, "response_headers")
        if exchange._record.received.length:
            yield from _body_lines(exchange.response_body)

    def _headers(
        self, exchange: Exchange, which: Literal["request_headers", "response_headers"]
    ) -> Iterator[str]:
        # They are masked only when they are asked for.
        if self._shows_headers:
            for name, value in getattr(exchange, which):
                yield escaped(f"{name}: {value}")

    def _put(self, color: str, line: str, details: Iterable[str]) -> None:
        is_colored = _is_terminal(self._write) if self._color is None else self._color
        if is_colored:
            line, details = _colored(line, color), (_colored(each, _FAINT) for each in details)
        text = f"\n{_INDENT}".join([line, *details])
        if self._write is print:
            # A character that this terminal lacks is better shown by its number than not at all.
            encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
            text = text.encode(encoding, "backslashreplace").decode(encoding)
        self._write(text)


def enabled(write: Write) -> Callable[[], bool]:
    """A function that tells whether what is written now would be kept.

    >>> enabled(print)(), enabled(logging.getLogger("an application's").debug)()
    (True, False)
    """
    logger = getattr(write, "__self__", None)
    level = getattr(logging, getattr(write, "__name__", "").upper(), None)
    if isinstance(logger, (logging.Logger, logging.LoggerAdapter)) and isinstance(level, int):
        return partial(logger.isEnabledFor, level)
    return _always


def _always() -> bool:
    return True


def outcome(exchange: Exchange) -> tuple[str, str]:
    """The outcome of a request in one line, and the color of that line."""
    timings = exchange.timings
    time = f"in {duration(timings.total)}"
    if phases := ", ".join(
        f"{phase} {seconds * 1000:.0f}"
        for phase, seconds in zip(_PHASES, timings, strict=False)
        if seconds is not None and seconds >= 0.0005
    ):
        time += f" ({phases})"
    if len(exchange.attempts) > 1:
        time += f" after {len(exchange.attempts)} attempts"
    if exchange.proxy is not None:
        time += f" via {escaped(exchange.proxy)}"
    response = ""
    if exchange.status is not None:
        response = escaped(f"{exchange.status} {exchange.reason}".strip())
        if exchange.http_version is not None:
            response += f" {escaped(exchange.http_version.lower())}"
        response += f" {size(exchange._record.received.size)}"
    if exchange.error is not None:
        after = f" after {response}" if response else ""
        return f"!!! {escaped(exchange.error)}{after} {time}", _RED
    color = _GREEN if exchange.status is None or exchange.status < 400 else _YELLOW
    return f"<<< {response} {time}", color


def size(count: int) -> str:
    """A number of bytes for people to read.

    >>> size(812), size(12_345), size(3_000_000)
    ('812 B', '12.3 KB', '3.0 MB')
    """
    if count < 1000:
        return f"{count} B"
    amount, unit = count / 1000, "KB"
    for larger in ("MB", "GB", "TB"):
        if amount < 999.95:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"


def duration(seconds: float) -> str:
    """A time for people to read.

    >>> duration(0.0004), duration(0.0482), duration(12.34)
    ('0.4 ms', '48 ms', '12.3 s')
    """
    if seconds < 0.00095:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 9.9995 else f"{seconds:.1f} s"


def escaped(text: str, keep: str = "") -> str:
    r"""Text with everything escaped that a terminal would act upon.

    >>> print(escaped("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _ESCAPED
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _body_lines(body: Body) -> Iterator[str]:
    if not body.content:
        return
    text = body.text
    if text is None:
        yield f"(binary, {body.size:,} bytes)"
        return
    yield from (escaped(line, keep="\t") for line in text.splitlines())
    if not body.is_whole:
        yield f"(the beginning of {body.size:,} bytes)"


def _identity(exchange: Exchange) -> tuple[float, str, URL]:
    record = exchange._record
    return (record.started_at, record.method, record.url)


def _request(exchange: Exchange) -> str:
    named = exchange.url
    if (target := exchange.target) is not None and not target.startswith("/"):
        named = f"{target} of {named.removesuffix(target).removesuffix('/')}".removesuffix(" of ")
    return escaped(f"{exchange.method} {named}")


def _colored(line: str, color: str) -> str:
    return f"\x1b[{color}m{line}\x1b[0m"


def _is_terminal(write: Write) -> bool:
    if write is not print or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout is not None and sys.stdout.isatty()
