"""`Exchange`: a request and what became of it, as observers see it.

It shows a `Record`, and works out what is asked for only then: nobody pays for what nobody reads.
"""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Self

from ..redaction.redaction import REDACTION, Redaction
from ..redaction.tracebacks import stand_in
from ..retrying.attempt import Attempt
from ..wire.library import URL, any_library
from ..wire.pickling import Unpicklable
from .bodies import Body, BodyCapture, shown_body
from .record import RawHeaders, Record, decoded_headers, target_url
from .timings import Timings, timings

__all__ = ["Body", "Exchange", "Record", "Timings"]

# Programs send the same headers to the same URLs again and again.
_MOST_URLS, _MOST_HEADERS = 64, 256
_LONGEST = 1024


class Exchange(Unpicklable):
    """A request and what became of it: a response, an error, or one after the other.

    It is immutable. Everything in it that may be secret is masked, by the `Redaction` of the
    transport; `unmasked` shows the same in the clear.

    Attributes:
        method: GET, POST, ...
        url: the URL of the request; with the extension `target`, the one that this names.
        target: what went out in place of the URL's path, as the extension `target` says, such as
            "*"; None without it.
        http_version: "HTTP/1.1" or "HTTP/2", None if not known.
        request_headers: names and values, in the order in which they were sent.
        request_body: the body that was sent.
        status: that of the response, None without one.
        reason: the text beside the status.
        response_headers: names and values, in the order in which they came.
        response_body: the body that was received.
        error: the name and text of an error, such as "ReadTimeout: timed out", or None. With a
            status, it came after the head of the response.
        started_at: the start, in UTC.
        timings: the time of each phase.
        server_address: "127.0.0.1:8080", "[::1]:443", or the path of a socket; with a proxy,
            the proxy's. None if not known.
        proxy: the URL of the proxy that took the request, without its credentials. None
            without one, or if the inner transport does not tell.
        verify: False if certificates were not verified, as far as the inner transport tells.
        tls_version: "TLSv1.3", None without TLS.
        stream_id: that of HTTP/2, or None.
        attempts: those of a retry transport inside, () without one.
        is_finished: False if it has just begun, and only method, URL, headers and start are
            known.

    >>> import httpx
    >>> seen = []
    >>> answer = httpx.MockTransport(lambda request: httpx.Response(200))
    >>> from transportkit import DebuggingTransport
    >>> with httpx.Client(transport=DebuggingTransport(answer, seen.append)) as client:
    ...     response = client.get("https://example.com/?token=abc")
    >>> seen[0].status, seen[0].url, seen[0].unmasked.url
    (200, 'https://example.com/?token=****', 'https://example.com/?token=abc')
    """

    _holds = "its secrets in the clear"
    _instead = "send what is needed of it, such as its url, its status and its timings"

    _record: Record
    _redaction: Redaction
    _is_masked: bool

    def __init__(
        self, record: Record, redaction: Redaction = REDACTION, is_masked: bool = True
    ) -> None:
        own = self.__dict__
        own["_record"], own["_redaction"], own["_is_masked"] = record, redaction, is_masked

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"an exchange cannot be changed: {name}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"an exchange cannot be changed: {name}")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        record = self._record
        outcome = "..." if not record.is_finished else record.status or "failed"
        return f"<Exchange {record.method} {self._redaction.url(record.url)} {outcome}>"

    @property
    def method(self) -> str:
        return self._record.method

    @cached_property
    def url(self) -> str:
        url, target = self._record.url, self._record.target
        named = url if target is None else target_url(url, target)
        return _masked_url(self._redaction, named) if self._is_masked else str(named)

    @cached_property
    def target(self) -> str | None:
        target = self._record.target
        text = None if target is None else target.decode("latin-1")
        return self._redaction.url(text) if self._is_masked and text else text

    @property
    def http_version(self) -> str | None:
        return self._record.http_version

    @cached_property
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        return self._headers(self._record.request_headers)

    @cached_property
    def request_body(self) -> Body:
        return self._body(self._record.sent, self._record.request_headers)

    @property
    def status(self) -> int | None:
        return self._record.status

    @cached_property
    def reason(self) -> str:
        reason, status = self._record.reason, self._record.status
        if not reason:
            # HTTP/2 has none, and HTTP/1.1 may leave it out.
            phrase: str = any_library().codes.get_reason_phrase(status or 0)
            return phrase
        return self._redaction.text(reason) if self._is_masked else reason

    @cached_property
    def response_headers(self) -> tuple[tuple[str, str], ...]:
        return self._headers(self._record.response_headers)

    @cached_property
    def response_body(self) -> Body:
        return self._body(self._record.received, self._record.response_headers)

    @cached_property
    def error(self) -> str | None:
        error = self._record.error
        return self._redaction.text(error) if self._is_masked and error else error

    @property
    def started_at(self) -> datetime:
        return datetime.fromtimestamp(self._record.started_at, UTC)

    @cached_property
    def timings(self) -> Timings:
        record = self._record
        return timings(
            record.started,
            record.events,
            record.head,
            record.ended,
            found_pool_full=(record.error or "").startswith("PoolTimeout"),
        )

    @property
    def server_address(self) -> str | None:
        return self._record.server_address

    @cached_property
    def proxy(self) -> str | None:
        # Whatever transport has told it.
        proxy = self._record.proxy
        return None if proxy is None else _masked_url(self._redaction, proxy)

    @property
    def verify(self) -> bool:
        return self._record.verify

    @property
    def tls_version(self) -> str | None:
        return self._record.tls_version

    @property
    def stream_id(self) -> int | None:
        return self._record.stream_id

    @cached_property
    def attempts(self) -> tuple[Attempt, ...]:
        attempts = self._record.attempts
        return tuple(map(self._attempt, attempts)) if self._is_masked else attempts

    @property
    def is_finished(self) -> bool:
        return self._record.is_finished

    @property
    def unmasked(self) -> Self:
        """The same in the clear."""
        return type(self)(self._record, self._redaction, is_masked=False)

    def _headers(self, raw: RawHeaders) -> tuple[tuple[str, str], ...]:
        headers = decoded_headers(raw)
        if not self._is_masked:
            return headers
        return tuple(
            (name, _masked_header(self._redaction, name, value)) for name, value in headers
        )

    def _body(self, captured: BodyCapture, raw: RawHeaders) -> Body:
        headers = any_library().Headers(list(raw))
        return shown_body(captured, headers, self._redaction if self._is_masked else None)

    def _attempt(self, attempt: Attempt) -> Attempt:
        if isinstance(attempt.outcome, int):
            return attempt
        shown = stand_in(attempt.outcome, self._redaction)
        return Attempt(shown, attempt.waited, attempt.reason)


@lru_cache(_MOST_URLS, typed=True)
def _masked_url(redaction: Redaction, url: URL | str) -> str:
    return redaction.url(url)


def _masked_header(redaction: Redaction, name: str, value: str) -> str:
    mask = _masked_header_of if len(value) <= _LONGEST else _masked_header_of.__wrapped__
    return mask(redaction, name, value)


@lru_cache(_MOST_HEADERS)
def _masked_header_of(redaction: Redaction, name: str, value: str) -> str:
    return redaction.header(name, value)
