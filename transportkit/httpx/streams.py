"""The recorded body of a request, which the stock transports take for one of their own."""

import httpx
from httpx import ByteStream

from ..wire.replay import AsyncReplayBody, ReplayBody, is_repeatable
from ..wire.request import own_request, return_body


class ReplayStream(ReplayBody, httpx.SyncByteStream):
    """A request body that is recorded while it is sent."""


class AsyncReplayStream(AsyncReplayBody, httpx.AsyncByteStream):
    """A request body that is recorded while it is sent."""


def recorded(request: httpx.Request, max_bytes: int) -> httpx.Request:
    """A request whose body can be sent again: the caller's, or one of our own that records it.

    Arguments:
        request: the caller's.
        max_bytes: the most that is kept. A longer body cannot be sent again.
    """
    if type(request.stream) is ByteStream or is_repeatable(request.stream):
        return request
    return own_request(request, request.extensions, ReplayStream(request.stream, max_bytes))


def end_recording(request: httpx.Request, own: httpx.Request) -> None:
    """End what `recorded` began.

    Arguments:
        request: the caller's.
        own: what `recorded` made of it.
    """
    if own is not request:
        return_body(request, own)
        if isinstance(own.stream, ReplayStream):
            own.stream.close()


def async_recorded(request: httpx.Request, max_bytes: int) -> httpx.Request:
    """A request whose body can be sent again: the caller's, or one of our own that records it.

    Arguments:
        request: the caller's.
        max_bytes: the most that is kept. A longer body cannot be sent again.
    """
    if type(request.stream) is ByteStream or is_repeatable(request.stream):
        return request
    return own_request(request, request.extensions, AsyncReplayStream(request.stream, max_bytes))


async def async_end_recording(request: httpx.Request, own: httpx.Request) -> None:
    """End what `recorded` began.

    Arguments:
        request: the caller's.
        own: what `recorded` made of it.
    """
    if own is not request:
        return_body(request, own)
        if isinstance(own.stream, AsyncReplayStream):
            await own.stream.aclose()
