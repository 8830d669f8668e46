# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""`HTTPSRedirect` and `RefusingTransport`: they do no I/O, so one class is for both clients."""

import httpx2

from ..https.location import ADVICE, check_plain, check_status_code, https_location
from ..redaction.redaction import REDACTION
from ..wire.advising import advising
from ..wire.arguments import check_request
from ..wire.stack import Stacked


@advising(
    code="status_code=...", status="status_code=...", permanent="status_code=308", transport=ADVICE
)
class HTTPSRedirect(Stacked, httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers every request with a redirect to the same URL over HTTPS; sends nothing.

    Port 80 is left out, any other explicit port is kept. `follow_redirects=True` makes the
    client go there. With 307 and 308 the method and the body are kept; the other statuses turn a
    POST into a GET without a body (RFC 9110, section 15.4). httpx2 sends `ws://` as plain
    HTTP, too: mount it on both.

    A redirect is followed by httpx2's own rules: a `Cookie` header set by hand is always left out,
    and `Authorization` on `ws://` and on any port but 80. The cookies of the client's jar are
    sent, and its `auth=` counts as that header.

    Arguments:
        status_code: 301, 302, 303, 307 or 308.

    Raises:
        TypeError: a transport, which a redirect does not need.
        ValueError: another status code.
        httpx2.UnsupportedProtocol: when it is handed a URL that is not plain `http` or `ws`.

    >>> from transportkit.httpx2 import Mounts
    >>> redirect = HTTPSRedirect()
    >>> mounts = Mounts({"http://": redirect, "ws://": redirect})
    >>> with httpx2.Client(transport=mounts) as client:
    ...     client.get("http://example.com/login").headers["Location"]
    'https://example.com/login'
    """

    def __init__(self, status_code: int = 307) -> None:
        check_status_code(status_code)
        self._status_code = status_code

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if type(request) is not httpx2.Request:
            check_request(request, type(self))
        check_plain(request)
        return httpx2.Response(self._status_code, headers={"Location": https_location(request.url)})

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)

    def _settings(self) -> str:
        return "" if self._status_code == 307 else str(self._status_code)


@advising(message="reason=...", text="reason=...")
class RefusingTransport(Stacked, httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Raises `httpx2.UnsupportedProtocol` for every request; sends nothing.

    Arguments:
        reason: the text of the error.

    Raises:
        TypeError: the reason is not a string.
        httpx2.UnsupportedProtocol: when it is handed a request.

    >>> from transportkit.httpx2 import Mounts, default_transport
    >>> mounts = Mounts({
    ...     "all://": RefusingTransport("not on the list"),
    ...     "https://api.example.com": default_transport(),
    ... })
    >>> with httpx2.Client(transport=mounts) as client:
    ...     client.get("https://example.org/")
    Traceback (most recent call last):
    httpx2.UnsupportedProtocol: not on the list
    """

    def __init__(self, reason: str) -> None:
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a string, not {type(reason).__name__}")
        self._reason = reason

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if type(request) is not httpx2.Request:
            check_request(request, type(self))
        raise httpx2.UnsupportedProtocol(self._reason, request=request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)

    def _settings(self) -> str:
        return REDACTION.text(self._reason)
