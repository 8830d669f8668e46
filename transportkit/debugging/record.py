"""`Record`: an exchange as it was captured, written as cheaply as can be while it goes on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..retrying.attempt import Attempt
from ..wire.library import URL
from .bodies import BodyCapture

RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(eq=False, repr=False)
class Record:
    """An exchange in the clear, as it was captured.

    Attributes:
        started_at: the start, in seconds since the epoch.
        started: the start by `time.perf_counter`, like all other times.
        head: the time at which the head of the response was there.
        ended: the time at which everything was over.
        events: those of httpcore, see `timings`.
        sent: the body of the request.
        received: the body of the response.
        error: the name and text of the error, None without one.
        target: the extension of this name, which replaces the path in the first line.
        proxy: the one that took the request, by the extension of this name.
        verify: False if certificates were not verified, by the extension of this name.
    """

    method: str
    url: URL
    request_headers: RawHeaders = ()
    started_at: float = 0.0
    started: float = 0.0
    head: float | None = None
    ended: float = 0.0
    events: list[tuple[str, float]] = field(default_factory=list)
    sent: BodyCapture = field(default_factory=BodyCapture)
    received: BodyCapture = field(default_factory=BodyCapture)
    status: int | None = None
    reason: str = ""
    http_version: str | None = None
    response_headers: RawHeaders = ()
    error: str | None = None
    server_address: str | None = None
    tls_version: str | None = None
    stream_id: int | None = None
    attempts: tuple[Attempt, ...] = ()
    is_finished: bool = True
    target: bytes | None = None
    proxy: str | None = None
    verify: bool = True


def origin_of(url: URL) -> str:
    """The scheme, host and port of a URL."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def target_url(url: URL, target: bytes) -> str:
    """The URL of a request whose target is given (RFC 9112, section 3.2).

    >>> import httpx
    >>> target_url(httpx.URL("http://example.com/a"), b"/b?c=d")
    'http://example.com/b?c=d'
    >>> target_url(httpx.URL("http://example.com/a"), b"*")
    'http://example.com/*'
    """
    text = target.decode("latin-1")
    if text.startswith("/"):
        return origin_of(url) + text
    is_absolute = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text)
    return text if is_absolute else f"{origin_of(url)}/{text}"


def decoded_headers(raw: RawHeaders) -> tuple[tuple[str, str], ...]:
    r"""Headers as text: UTF-8 where it is, else ISO-8859-1, of which every byte is a character.

    >>> decoded_headers([(b"X-City", b"K\xf6ln")])
    (('X-City', 'Köln'),)
    """
    return tuple((name.decode("latin-1"), _decoded(value)) for name, value in raw)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
