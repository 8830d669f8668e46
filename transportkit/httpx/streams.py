"""Bodies that streams of the library have to be: mixins of the core, with its stream classes."""

import httpx

from ..debugging.streams import AsyncReceivedBody, AsyncSentBody, ReceivedBody, SentBody
from ..files.reading import AsyncFileBody, FileBody
from ..rotation.member import AsyncLeasedBody, LeasedBody
from ..wire.replay import AsyncReplayBody, ReplayBody


class ReplayStream(ReplayBody, httpx.SyncByteStream):
    """A request body that is recorded while it is sent."""


class AsyncReplayStream(AsyncReplayBody, httpx.AsyncByteStream):
    """A request body that is recorded while it is sent."""


class LeasedStream(LeasedBody, httpx.SyncByteStream):
    """The body of a response that is in flight until it is closed."""


class AsyncLeasedStream(AsyncLeasedBody, httpx.AsyncByteStream):
    """The body of a response that is in flight until it is closed."""


class SentStream(SentBody, httpx.SyncByteStream):
    """A request body that is captured while it is sent."""


class AsyncSentStream(AsyncSentBody, httpx.AsyncByteStream):
    """A request body that is captured while it is sent."""


class ReceivedStream(ReceivedBody, httpx.SyncByteStream):
    """A response body that is captured while it is read."""


class AsyncReceivedStream(AsyncReceivedBody, httpx.AsyncByteStream):
    """A response body that is captured while it is read."""


class FileStream(FileBody, httpx.SyncByteStream):
    """The body of a response that is a file."""


class AsyncFileStream(AsyncFileBody, httpx.AsyncByteStream):
    """The body of a response that is a file."""
