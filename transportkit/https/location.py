"""The same URL over TLS, for redirects from plain HTTP."""

from ..redaction.redaction import REDACTION
from ..wire.library import URL, Request, is_a, library_of

STATUS_CODES = (301, 302, 303, 307, 308)

# For a transport, which is what all the others take first.
ADVICE = "Mounts({'http://': HTTPSRedirect()}, default=...)"

_SECURE = {"http": "https", "ws": "wss"}


def is_plain(url: URL) -> bool:
    """True if a request to this URL goes out in the clear, and could go over TLS.

    >>> import httpx
    >>> is_plain(httpx.URL("ws://example.com")), is_plain(httpx.URL("https://example.com"))
    (True, False)
    """
    return url.scheme in _SECURE


def https_location(url: URL) -> str:
    """The same URL over TLS: without userinfo, port 80 and fragment, else byte for byte.

    Arguments:
        url: a plain one.

    >>> import httpx
    >>> https_location(httpx.URL("http://scott:tiger@example.com:8080/a%2Fb?page=2"))
    'https://example.com:8080/a%2Fb?page=2'
    """
    # httpx keeps a port 80 that stands behind a scheme in capitals.
    netloc = url.netloc.removesuffix(b":80") if url.port == 80 else url.netloc
    return (b"%s://%s%s" % (_SECURE[url.scheme].encode(), netloc, url.raw_path)).decode("ascii")


def check_status_code(status_code: object) -> None:
    """Refuse what is not the status code of a redirect.

    Raises:
        TypeError: it is a transport; the text says where that goes.
        ValueError: the text names those that are.
    """
    if is_a(status_code, "BaseTransport", "AsyncBaseTransport"):
        raise TypeError(f"HTTPSRedirect sends nothing, and takes no transport: write {ADVICE}")
    if not isinstance(status_code, int) or status_code not in STATUS_CODES:
        raise ValueError(
            f"status_code must be one of {', '.join(map(str, STATUS_CODES))}, not {status_code!r}"
        )


def check_plain(request: Request) -> None:
    """Refuse a request that `HTTPSRedirect` cannot redirect to HTTPS.

    Raises:
        httpx.UnsupportedProtocol: its URL is not plain `http` or `ws`.
    """
    if not is_plain(request.url):
        raise library_of(request).UnsupportedProtocol(
            f"HTTPSRedirect cannot redirect {REDACTION.url(request.url)!r} to HTTPS: mount it on "
            "'http://' and 'ws://', not on 'all://'",
            request=request,
        )
