# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""The recorded body of a request, which the stock transports take for one of their own."""

import httpx2

from ..wire.replay import AsyncReplayBody, ReplayBody


class ReplayStream(ReplayBody, httpx2.SyncByteStream):
    """A request body that is recorded while it is sent."""


class AsyncReplayStream(AsyncReplayBody, httpx2.AsyncByteStream):
    """A request body that is recorded while it is sent."""
