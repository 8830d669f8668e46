# Written by tools/flavour.py from transportkit/httpx/. Edit it there.
"""Bodies that streams of the library have to be: mixins of the core, with its stream classes."""

import httpx2

from ..debugging.streams import AsyncReceivedBody, AsyncSentBody, ReceivedBody, SentBody
from ..files.reading import AsyncFileBody, FileBody
from ..rotation.member import AsyncLeasedBody, LeasedBody
from ..wire.replay import AsyncReplayBody, ReplayBody


class ReplayStream(ReplayBody, httpx2.SyncByteStream):
    """A request body that is recorded while it is sent."""


class AsyncReplayStream(AsyncReplayBody, httpx2.AsyncByteStream):
    """A request body that is recorded while it is sent."""


class LeasedStream(LeasedBody, httpx2.SyncByteStream):
    """The body of a response that is in flight until it is closed."""


class AsyncLeasedStream(AsyncLeasedBody, httpx2.AsyncByteStream):
    """The body of a response that is in flight until it is closed."""


class SentStream(SentBody, httpx2.SyncByteStream):
    """A request body that is captured while it is sent."""


class AsyncSentStream(AsyncSentBody, httpx2.AsyncByteStream):
    """A request body that is captured while it is sent."""


class ReceivedStream(ReceivedBody, httpx2.SyncByteStream):
    """A response body that is captured while it is read."""


class AsyncReceivedStream(AsyncReceivedBody, httpx2.AsyncByteStream):
    """A response body that is captured while it is read."""


class FileStream(FileBody, httpx2.SyncByteStream):
    """The body of a response that is a file."""


class AsyncFileStream(AsyncFileBody, httpx2.AsyncByteStream):
    """The body of a response that is a file."""
