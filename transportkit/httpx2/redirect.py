# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""Plain HTTP answered with a redirect to HTTPS, or refused. No I/O, so one class for both clients."""

import httpx2

from ..redaction.redaction import REDACTION

_STATUS_CODES = (301, 302, 303, 307, 308)
_SECURE = {"http": "https", "ws": "wss"}


def https_location(url: httpx2.URL) -> str:
    """The same URL over TLS: without userinfo, port 80 and fragment, else byte for byte.

    >>> https_location(httpx2.URL("http://scott:tiger@example.com:8080/a%2Fb?page=2"))
    'https://example.com:8080/a%2Fb?page=2'
    """
    # httpx2 keeps a port 80 that stands behind a scheme in capitals.
    netloc = url.netloc.removesuffix(b":80") if url.port == 80 else url.netloc
    return (b"%s://%s%s" % (_SECURE[url.scheme].encode(), netloc, url.raw_path)).decode("ascii")


class HTTPSRedirect(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers every request with a redirect to the same URL over HTTPS; sends nothing.

    Port 80 goes, any other explicit port stays. `follow_redirects=True` makes the client
    go there. With 307 and 308 the method and the body are kept; the other statuses turn a
    POST into a GET without a body (RFC 9110, section 15.4). httpx2 sends `ws://` as plain
    HTTP, too: mount it on both.

    Arguments:
        status_code: 301, 302, 303, 307 or 308.

    Raises:
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
        if not isinstance(status_code, int) or status_code not in _STATUS_CODES:
            raise ValueError(
                f"status_code must be one of {', '.join(map(str, _STATUS_CODES))}, not {status_code!r}"
            )
        self._status_code = status_code

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme not in _SECURE:
            raise httpx2.UnsupportedProtocol(
                f"HTTPSRedirect was handed {REDACTION.url(request.url)!r}, which it cannot make "
                "https: mount it on 'http://' and 'ws://', not on 'all://'",
                request=request,
            )
        return httpx2.Response(self._status_code, headers={"Location": https_location(request.url)})

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)


class RefusingTransport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Raises `httpx2.UnsupportedProtocol` for every request; sends nothing.

    Arguments:
        reason: the text of the error.

    Raises:
        TypeError: the reason is no string.
        httpx2.UnsupportedProtocol: when it is handed a request.

    >>> from transportkit.httpx2 import Mounts
    >>> mounts = Mounts({
    ...     "all://": RefusingTransport("not on the list"),
    ...     "https://api.example.com": None,
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
        raise httpx2.UnsupportedProtocol(self._reason, request=request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.handle_request(request)
