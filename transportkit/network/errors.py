"""The errors of the network as httpx's own, and what an HTTP/2 server says by one."""

from ssl import SSLError
from traceback import walk_tb
from typing import Any

from ..wire.library import Request, is_a, library_of
from .handshake import Handshake

REFUSED_STREAM = 7


def as_transport_error(
    error: Exception, request: Request, handshake: Handshake | None = None, *, in_body: bool = False
) -> Exception:
    """An error as httpx's own, with its `request`; the same object if it is one already.

    Arguments:
        error: the error that a head or a body ended in.
        request: the request that it ended.
        handshake: of the connection, if it was made for this request.
        in_body: true if the response had begun, so that nothing of the caller's took part.
    """
    if is_a(error, "TransportError"):
        error.request = request  # type: ignore[attr-defined] # each of them takes one
        return error
    name: str = "" if handshake is None else handshake.error_name(error)
    kind = type(error).__name__
    package = type(error).__module__.partition(".")[0]
    if not name and package in {"httpcore", "httpcore2"}:
        name = kind if hasattr(library_of(request), kind) else "RemoteProtocolError"
    if not name and (package == "h2" or _is_double_release(error) or _is_of_status(error)):
        name = "RemoteProtocolError"
    # An end in the middle of a write over TLS, where trio's streams are broken.
    if not name and package == "anyio":
        name = "ReadError" if in_body else "WriteError"
    # Before the response, any other OSError may be that of a file which is the request's body.
    if not name and isinstance(error, OSError if in_body else (SSLError, ConnectionError)):
        name = "ReadError"
    if not name:
        return error
    text = f"the SOCKS handshake broke: {kind}" if name == "ProxyError" else str(error) or kind
    made: Exception = getattr(library_of(request), name)(text, request=request)
    return made


def unmasked(error: BaseException) -> BaseException:
    """The error that httpcore hides by another, as it releases a place for HTTP/2 twice.

    It does so when it cleans up after a request, so what it hides may be a cancellation.
    """
    hidden = error.__context__
    if not _is_double_release(error) or hidden is None or hidden.__traceback__ is None:
        return error
    # One that was being handled when the request began is no part of it.
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return hidden if hidden.__traceback__.tb_frame in frames else error


def _is_double_release(error: BaseException) -> bool:
    return isinstance(error, ValueError) and str(error) == "semaphore released too many times"


def _is_of_status(error: BaseException) -> bool:
    """True if the `:status` of HTTP/2 is no number, which httpcore takes it for."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    return isinstance(error, ValueError) and "".join(modules[-1:]).startswith("httpcore")


def is_of_one_stream(error: BaseException) -> bool:
    """True if an HTTP/2 server ended one stream, and its connection is as good as before."""
    return hasattr(_event_of(error), "stream_id")


def was_refused(error: BaseException, stream_id: int) -> bool:
    """True if an HTTP/2 server has said that it did not process the request (RFC 9113, 8.7).

    Either it refused the stream, or it ended the connection before it.

    Arguments:
        error: the one that the request ended in.
        stream_id: the number of its stream, 0 if nobody knows.
    """
    event = _event_of(error)
    if hasattr(event, "last_stream_id"):
        return bool(event.last_stream_id < max(stream_id, 1))
    return getattr(event, "error_code", None) == REFUSED_STREAM


def _event_of(error: BaseException) -> Any:  # noqa: ANN401 - h2 is not imported
    """The event of h2 that an error of httpcore's is about; None for other errors."""
    event = (getattr(error.__cause__, "args", None) or (None,))[0]
    # An error of h2 may name a stream too, but leaves no connection that is any good.
    return None if isinstance(event, BaseException) else event
