"""A request of our own, for a transport that has something to tell the inner one.

A caller may send one request from several tasks at once, and others may wait between a transport
and the wire. So what belongs to one attempt (a trace, a deadline, a recorded body) never goes into
the caller's request: it goes into another one, which is sent in its place.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from .library import URL, Request, is_a, library_of

R = TypeVar("R", bound=Request)


def own_request(
    request: R, extensions: Mapping[str, Any], stream: object = None, url: URL | None = None
) -> R:
    """A request that differs from another in its extensions, and else only where it is said.

    Arguments:
        request: the caller's.
        extensions: all of those to send; what is changed in them later is changed in the request.
        stream: the body to send. Default: that of the caller's request.
        url: the one to send to. Default: the same.

    >>> import httpx
    >>> request = httpx.Request("PUT", "https://example.com/", content=b"text")
    >>> own_request(request, {**request.extensions, "attempt": 2}).content
    b'text'
    >>> request.extensions
    {}
    """
    made: Any
    if stream is None or stream is request.stream:
        # Making one from its parts takes longer, and so does `Headers.copy`.
        kind: Any = type(request.headers)
        made = object.__new__(type(request))
        parts = vars(made)
        parts.update(vars(request))
        parts["headers"], parts["extensions"] = kind(request.headers), extensions
        if url is not None:
            made.url = url
    else:
        made = library_of(request).Request(
            request.method, url or request.url, headers=request.headers, stream=stream
        )
        made.extensions = extensions
    if is_a(made.stream, "ByteStream"):
        made.read()  # For those who look at its content.
    own: R = made
    return own


def return_body(request: Any, sent: Request) -> None:  # noqa: ANN401 - its stream is set
    """Give a request the body that somebody has read from the one sent in its place.

    Reading leaves bytes in place of the stream, which is spent, in the request that was read.

    Arguments:
        request: the caller's.
        sent: made of it by `own_request`.
    """
    if sent.stream is not request.stream and is_a(sent.stream, "ByteStream"):
        request.stream = sent.stream
