"""A caller's request while transports of ours send it, perhaps several times."""

import httpx
from httpx import ByteStream

from ..wire.replay import is_repeatable
from .streams import AsyncReplayStream, ReplayStream


class Lent:
    """Lets extensions be changed and the body be sent again; puts back what the caller gave.

    Arguments:
        request: the caller's.
        max_replay: the most bytes that are kept of a body that can be read only once.
    """

    # A class and not a generator, which would take longer than everything else about a success.
    __slots__ = ("_extensions", "_replay", "_request", "_stream")

    def __init__(self, request: httpx.Request, max_replay: int) -> None:
        self._request = request
        self._extensions = request.extensions
        self._stream = request.stream
        self._replay: ReplayStream | None = None
        if type(request.stream) is not ByteStream and not is_repeatable(request.stream):
            request.stream = self._replay = ReplayStream(request.stream, max_replay)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc_info: object) -> None:
        self._request.extensions = self._extensions
        if self._replay is not None:
            # A transport that has read the body put what it read there for all that follow.
            if self._request.stream is self._replay:
                self._request.stream = self._stream
            self._replay.close()


class AsyncLent:
    """Lets extensions be changed and the body be sent again; puts back what the caller gave.

    Arguments:
        request: the caller's.
        max_replay: the most bytes that are kept of a body that can be read only once.
    """

    __slots__ = ("_extensions", "_replay", "_request", "_stream")

    def __init__(self, request: httpx.Request, max_replay: int) -> None:
        self._request = request
        self._extensions = request.extensions
        self._stream = request.stream
        self._replay: AsyncReplayStream | None = None
        if type(request.stream) is not ByteStream and not is_repeatable(request.stream):
            request.stream = self._replay = AsyncReplayStream(request.stream, max_replay)

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *exc_info: object) -> None:
        self._request.extensions = self._extensions
        if self._replay is not None:
            # A transport that has read the body put what it read there for all that follow.
            if self._request.stream is self._replay:
                self._request.stream = self._stream
            await self._replay.aclose()
