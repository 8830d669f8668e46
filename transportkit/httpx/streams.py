"""The recorded body of a request, which the stock transports take for one of their own."""

import httpx

from ..wire.replay import AsyncReplayBody, ReplayBody


class ReplayStream(ReplayBody, httpx.SyncByteStream):
    """A request body that is recorded while it is sent."""


class AsyncReplayStream(AsyncReplayBody, httpx.AsyncByteStream):
    """A request body that is recorded while it is sent."""
