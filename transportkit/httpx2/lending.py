# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""A caller's request while transports of ours send it, perhaps several times."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2

from ..wire.replay import is_repeatable
from .streams import AsyncReplayStream, ReplayStream


@contextmanager
def lent(request: httpx2.Request, max_replay: int) -> Iterator[None]:
    """Let extensions be changed and the body be sent again, and put back what the caller gave.

    Arguments:
        request: the caller's.
        max_replay: how many bytes are kept of a body that can be read only once.
    """
    extensions, stream, replay = request.extensions, request.stream, None
    if not is_repeatable(stream):
        request.stream = replay = ReplayStream(stream, max_replay)
    try:
        yield
    finally:
        request.extensions = extensions
        if replay is not None:
            # A transport that has read the body put what it read there for all that follow.
            if request.stream is replay:
                request.stream = stream
            replay.close()


@asynccontextmanager
async def async_lent(request: httpx2.Request, max_replay: int) -> AsyncIterator[None]:
    """Let extensions be changed and the body be sent again, and put back what the caller gave.

    Arguments:
        request: the caller's.
        max_replay: how many bytes are kept of a body that can be read only once.
    """
    extensions, stream, replay = request.extensions, request.stream, None
    if not is_repeatable(stream):
        request.stream = replay = AsyncReplayStream(stream, max_replay)
    try:
        yield
    finally:
        request.extensions = extensions
        if replay is not None:
            # A transport that has read the body put what it read there for all that follow.
            if request.stream is replay:
                request.stream = stream
            await replay.aclose()
