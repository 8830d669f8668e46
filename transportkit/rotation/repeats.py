"""Repeats: the members that the last attempts of a request have failed through.

A repeat is a request whose `extensions["attempt"]` is 2 or more, as those of a `RetryTransport`
are. It avoids the members through which a request of the same method to the same URL has failed
of late though the origin may have seen it.
"""

import threading
from collections.abc import Hashable

from ..wire.forking import renew_in_child
from ..wire.library import Request
from .member import Member

# Of requests that nobody repeats something is kept, too.
_MOST_REQUESTS = 1000
_MOST_MEMBERS = 16


class Repeats:
    """The members that requests have failed through.

    Attributes:
        by_request: by method and URL, the last one at the end.
    """

    def __init__(self) -> None:
        self.by_request: dict[Hashable, tuple[Member, ...]] = {}
        self._renew()
        renew_in_child(self._renew)

    def _renew(self) -> None:
        """Be nobody's to lock, as in a child process."""
        self._lock = threading.Lock()

    def add(self, request: Request, member: Member) -> None:
        """Remember a failure."""
        key = _key(request)
        with self._lock:
            others = [each for each in self.by_request.pop(key, ()) if each is not member]
            self.by_request[key] = (*others[1 - _MOST_MEMBERS :], member)
            if len(self.by_request) > _MOST_REQUESTS:
                del self.by_request[next(iter(self.by_request))]

    def avoided(self, request: Request) -> tuple[Member, ...]:
        """The members that a request avoids, the last one most; none if it is no repeat."""
        if not is_repeat(request):
            return ()
        return self.by_request.get(_key(request), ())

    def forget(self, request: Request) -> None:
        """Forget the failures of a request that was repeated with success."""
        if is_repeat(request):
            with self._lock:
                self.by_request.pop(_key(request), None)


def is_repeat(request: Request) -> bool:
    """True for the second and each further attempt of a request."""
    attempt = request.extensions.get("attempt", 1)
    return isinstance(attempt, int) and attempt > 1


def _key(request: Request) -> Hashable:
    url = request.url
    return request.method, url.scheme, url.netloc, url.raw_path
