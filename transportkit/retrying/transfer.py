"""A download under way: how much of it has come, and whether it goes on after a break.

| the rest was asked for, and | then |
| --- | --- |
| a 206 fits | the body goes on; one that is shorter than asked is followed by another request |
| 408, 429, 5xx, or the connection broke | not now: it is asked for again, after a longer wait |
| anything else | never: the error that the body broke with is raised |
"""

import logging
import math
import time
from typing import Any

from ..network.errors import as_transport_error
from ..redaction.redaction import REDACTION
from ..wire.library import Name, Request, Response, is_a, library_of
from ..wire.lifecycle import Lifecycle
from ..wire.logs import Log
from . import switch
from .attempt import OFF
from .ranges import Download, promised_download
from .strategies import retry_after

# The default of `ResumeTransport`.
MAX_RESUMES = 5

_logger = Log("transportkit.retrying")

# h2 complains of what it has received by a LocalProtocolError.
_BREAKS: tuple[Name, ...] = (
    "NetworkError",
    "RemoteProtocolError",
    "LocalProtocolError",
    "ReadTimeout",
)
_NOT_NOW = (408, 429)
# In seconds: the first wait, doubled each time, and the most that all of them may take.
_FIRST_WAIT, _LONGEST_WAITS = 0.5, 60.0


class Transfer:
    """A download under way.

    Arguments:
        request: what was answered.
        download: what the answer promised, or why it cannot be continued.
        max_resumes: how often it may be continued.
        lifecycle: that of the transport; once it is closed, the download is not continued.

    Attributes:
        received: the number of bytes that came.
        is_closed: true once the reader has closed the body: it is not continued either.
    """

    def __init__(
        self,
        request: Request,
        download: Download | str,
        max_resumes: int,
        lifecycle: Lifecycle[Any],
    ) -> None:
        self.received: int = 0
        self.is_closed: bool = False
        self._request = request
        self._download = None if isinstance(download, str) else download
        self._reason = download if isinstance(download, str) else ""
        # What the answer that is being read promises: the number of bytes that came at its end.
        self._promised = None if self._download is None else self._download.missing(0)
        self._max_resumes = max_resumes
        self._resumes = 0
        self._is_paid = False
        self._asked_in_vain = 0
        self._asked_for: float = 0
        self._waits_left = _LONGEST_WAITS
        self._lifecycle = lifecycle

    @property
    def is_complete(self) -> bool:
        """True if all that was promised has come."""
        return self._download is not None and self._download.missing(self.received) == 0

    def add(self, chunk: bytes) -> bool:
        """Count a chunk; False if it is more than was promised."""
        self.received += len(chunk)
        return self._promised is None or self.received <= self._promised

    def check_end(self) -> None:
        """Refuse a body that ended before its promised end, or went on after it.

        Raises:
            httpx.RemoteProtocolError: with the request set.
        """
        if self._promised is None or self._download is None or self.is_complete:
            return
        ending = "ended"
        if self.received > self._promised:
            ending, self._reason = "went on", "more came than was promised"
        elif self.received == self._promised:
            # It is a shorter range than was asked for, and nothing broke.
            self._is_paid = True
        raise library_of(self._request).RemoteProtocolError(
            f"the body {ending} at byte {self.received}, against its promise",
            request=self._request,
        )

    def as_break(self, error: Exception) -> Exception | None:
        """The error of a connection that broke, as the library's own; None for any other error."""
        own = as_transport_error(error, self._request, in_body=True)
        if own is not error:
            own.__cause__ = error
        return own if is_a(own, *_BREAKS) else None

    def next_wait(self) -> float | None:
        """Use up one resume: the seconds to wait before it, None if there is to be none."""
        if self._download is None or self._reason or not self.is_wanted():
            return None
        if switch.is_off():
            self._reason = OFF
            return None
        if self._resumes >= self._max_resumes and not self._is_paid:
            self._reason = f"it was resumed {self._resumes} times"
            return None
        self._resumes += not self._is_paid
        self._is_paid = False
        if not self._asked_in_vain:
            return 0.0
        wait = max(_FIRST_WAIT * 2.0 ** (self._asked_in_vain - 1), self._asked_for)
        self._waits_left -= wait
        if self._waits_left < 0:
            self._reason = f"the waits for it would take more than {_LONGEST_WAITS:g} seconds"
            return None
        return switch.switched(wait)

    def request_rest(self) -> Any:  # noqa: ANN401 - a request of the library at hand
        """The request for the rest."""
        assert self._download is not None
        return self._download.request_rest(self._request, self.received)

    def fail(self, error: Exception, again: Exception) -> None:
        """Note on an error that asking for the rest has failed as well."""
        error.add_note(f"transportkit: asking for the rest ended in {type(again).__name__}")
        self._ask_later(0.0)

    def accept(self, response: Response, error: Exception) -> bool:
        """Go on with the answer to a request for the rest; False if that is not possible.

        Arguments:
            response: the answer.
            error: what the body broke with.
        """
        status = response.status_code
        if status in _NOT_NOW or status >= 500:
            error.add_note(f"transportkit: asking for the rest was answered with {status}")
            self._ask_later(retry_after(response.headers, time.time()) or 0.0)
            return False
        assert self._download is not None
        continued = self._download.continued_by(response, self.received)
        if continued is None:
            self._reason = f"asking for the rest was answered with {status}"
            if status == 206:
                self._reason += ", for another file or other bytes"
        if continued is None or not self.is_wanted():
            return False
        self._download, self._promised = continued
        self._asked_in_vain = 0
        if _logger.isEnabledFor(logging.INFO):
            url, name = REDACTION.url(self._request.url), type(error).__name__
            _logger.info("Resuming GET %s at byte %d after %s", url, self.received, name)
        return True

    def is_wanted(self) -> bool:
        """True if somebody still reads."""
        return self._lifecycle.is_ready and not self.is_closed

    def explain(self, error: Exception) -> None:
        """Note on an error why the body does not go on."""
        reason = self._reason or "the transport or the response was closed"
        error.add_note(f"transportkit: the body cannot be resumed: {reason}")

    def _ask_later(self, seconds: float) -> None:
        self._asked_in_vain += 1
        self._asked_for = seconds if math.isfinite(seconds) else _LONGEST_WAITS + 1


def new_transfer(
    request: Request, response: Response, max_resumes: int, lifecycle: Lifecycle[Any]
) -> Transfer | None:
    """The transfer that a first answer begins, None if there is nothing to transfer.

    Arguments:
        request: what was answered.
        response: the answer.
        max_resumes: how often the body may be continued.
        lifecycle: that of the transport.
    """
    # The body of a closed response has been read already.
    if response.is_closed or response.status_code not in (200, 206):
        return None
    return Transfer(request, promised_download(request, response), max_resumes, lifecycle)
