"""Bodies that go on after a break.

A `Transfer` is a download under way: how much of it has come, and whether it may still be
continued. The bodies are mixins for the stream classes of a library, in a pair.
"""

import logging
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
)
from typing import Any

from ..redaction.redaction import REDACTION
from ..wire.io import async_shield, shield
from ..wire.library import AsyncBody, Body, Request, Response, is_a, library_of
from ..wire.lifecycle import Lifecycle
from .ranges import Download, promised_download

# The default of `ResumeTransport`.
MAX_RESUMES = 5

_logger = logging.getLogger("transportkit.retrying")


class Transfer:
    """A download under way.

    Arguments:
        request: what was answered.
        download: what the answer promised.
        max_resumes: how often it may be continued.
        lifecycle: that of the transport; once it is closed, the download is not continued.

    Attributes:
        received: the number of bytes that came.
        is_closed: true once the reader has closed the body: it is not continued either.
    """

    def __init__(
        self, request: Request, download: Download, max_resumes: int, lifecycle: Lifecycle[Any]
    ) -> None:
        self.received: int = 0
        self.is_closed: bool = False
        self._request = request
        self._download = download
        self._resumes_left = max_resumes
        self._lifecycle = lifecycle

    @property
    def is_complete(self) -> bool:
        """True if all that was promised has come."""
        return self._download.missing(self.received) == 0

    def add(self, chunk: bytes) -> bool:
        """Count a chunk; False if it is more than was promised."""
        self.received += len(chunk)
        return (self._download.missing(self.received) or 0) >= 0

    def check_end(self) -> None:
        """Refuse a body that ended before its promised end, or went on after it.

        Raises:
            httpx.RemoteProtocolError: with the request set.
        """
        missing = self._download.missing(self.received) or 0
        if missing:
            ending = "went on" if missing < 0 else "ended"
            raise library_of(self._request).RemoteProtocolError(
                f"the body {ending} at byte {self.received}, against its promise",
                request=self._request,
            )

    def take_resume(self) -> Any | None:  # noqa: ANN401 - a request of the library at hand
        """Use up one resume: the request for the rest, None if there is to be none."""
        missing = self._download.missing(self.received)
        is_possible = missing is None or missing > 0
        if self._resumes_left == 0 or not is_possible or not self._is_wanted():
            return None
        self._resumes_left -= 1
        return self._download.request_rest(self._request, self.received)

    def accept(self, response: Response, error: Exception) -> bool:
        """Go on with the answer to a request for the rest; False if that is not possible.

        Arguments:
            response: the answer.
            error: what the body broke with. A note on it says why it does not go on.
        """
        download = self._download.continued_by(response, self.received)
        if download is None or not self._is_wanted():
            error.add_note(f"transportkit: the rest is not to be had: {response.status_code}")
            self._resumes_left = 0
            return False
        self._download = download
        if _logger.isEnabledFor(logging.INFO):
            url, name = REDACTION.url(self._request.url), type(error).__name__
            _logger.info("Resuming GET %s at byte %d after %s", url, self.received, name)
        return True

    def _is_wanted(self) -> bool:
        return self._lifecycle.is_ready and not self.is_closed


def new_transfer(
    request: Request, response: Response, max_resumes: int, lifecycle: Lifecycle[Any]
) -> Transfer | None:
    """The transfer that a first answer begins, None if it could not be continued.

    Arguments:
        request: what was answered.
        response: the answer.
        max_resumes: how often the body may be continued.
        lifecycle: that of the transport.
    """
    download = promised_download(request, response)
    # The body of a closed response has been read already.
    if download is None or response.is_closed:
        return None
    return Transfer(request, download, max_resumes, lifecycle)


def is_break(error: Exception) -> bool:
    """True for an error of a connection that broke, after which the rest may be asked for."""
    return is_a(error, "NetworkError", "RemoteProtocolError", "ReadTimeout")


class ResumingBody:
    """The body of a response, and what continues it when it breaks.

    Arguments:
        send: sends the requests for the rest.
        stream: the body of the first answer.
        transfer: the download.
    """

    def __init__(self, send: Callable[[Any], Response], stream: Body, transfer: Transfer) -> None:
        self._send = send
        self._stream: Any = stream
        self._transfer = transfer

    def __iter__(self) -> Iterator[bytes]:
        while True:
            chunks = iter(self._stream)
            try:
                for chunk in chunks:
                    if not self._transfer.add(chunk):
                        break
                    yield chunk
                if isinstance(chunks, Generator):
                    chunks.close()
                self._transfer.check_end()
            except Exception as error:
                if not is_break(error):
                    raise
                if self._transfer.is_complete:
                    # What was promised is there; how the connection ended does not matter.
                    return
                self._resume(error)
            else:
                return

    def _resume(self, error: Exception) -> None:
        while (rest := self._transfer.take_resume()) is not None:
            with shield():
                self._stream.close()
            try:
                response = self._send(rest)
            except Exception as again:
                if not is_a(again, "TransportError"):
                    raise
                error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
                continue
            if self._transfer.accept(response, error):
                self._stream = response.stream
                return
            with shield():
                response.close()
        raise error

    def close(self) -> None:
        self._transfer.is_closed = True
        with shield():
            self._stream.close()


class AsyncResumingBody:
    """The body of a response, and what continues it when it breaks.

    Arguments:
        send: sends the requests for the rest.
        stream: the body of the first answer.
        transfer: the download.
    """

    def __init__(
        self, send: Callable[[Any], Awaitable[Response]], stream: AsyncBody, transfer: Transfer
    ) -> None:
        self._send = send
        self._stream: Any = stream
        self._transfer = transfer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            chunks = aiter(self._stream)
            try:
                async for chunk in chunks:
                    if not self._transfer.add(chunk):
                        break
                    yield chunk
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
                self._transfer.check_end()
            except Exception as error:
                if not is_break(error):
                    raise
                if self._transfer.is_complete:
                    # What was promised is there; how the connection ended does not matter.
                    return
                await self._resume(error)
            else:
                return

    async def _resume(self, error: Exception) -> None:
        while (rest := self._transfer.take_resume()) is not None:
            with async_shield():
                await self._stream.aclose()
            try:
                response = await self._send(rest)
            except Exception as again:
                if not is_a(again, "TransportError"):
                    raise
                error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
                continue
            if self._transfer.accept(response, error):
                self._stream = response.stream
                return
            with async_shield():
                await response.aclose()
        raise error

    async def aclose(self) -> None:
        self._transfer.is_closed = True
        with async_shield():
            await self._stream.aclose()
