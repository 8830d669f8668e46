"""Outliers: members that take requests and lose them, while others answer.

After a request was sent one error proves nothing: the target may be down. Several in a row do, as
in Envoy's outlier detection, as long as others answer where this member does not. Nothing here
does I/O.
"""

from .member import Member

# Envoy's default for `consecutive_5xx` and `consecutive_gateway_failure`.
IN_A_ROW = 5
# A member that fails for more hosts than this fails for any.
_MOST_HOSTS = 8


class _Run:
    """Failures of one member in a row.

    Attributes:
        count: the number of them.
        hosts: the targets' (some of them).
        is_proven: true once another member has answered where this one failed.
    """

    __slots__ = ("count", "hosts", "is_proven")

    def __init__(self) -> None:
        self.count: int = 0
        self.hosts: set[str] = set()
        self.is_proven: bool = False


class Outliers:
    """The members that have failed since they last answered.

    Attributes:
        runs: their failures; empty when all is well.
    """

    def __init__(self) -> None:
        self.runs: dict[Member, _Run] = {}

    def fail(self, member: Member, host: str) -> bool:
        """Count a failure; True if this member is to be ejected.

        Arguments:
            member: the one that a request failed through.
            host: the target's.
        """
        run = self.runs.setdefault(member, _Run())
        run.count += 1
        if len(run.hosts) < _MOST_HOSTS:
            run.hosts.add(host)
        return run.is_proven and run.count >= IN_A_ROW

    def succeed(self, member: Member, host: str) -> None:
        """Note an answer: the member is well, and those that fail for this host are not.

        Arguments:
            member: the one that a request was answered through.
            host: the target's.
        """
        self.runs.pop(member, None)
        for run in self.runs.values():
            # One that fails for several hosts is compared with others at any.
            if host in run.hosts or len(run.hosts) > 1:
                run.is_proven = True

    def forget(self, member: Member) -> None:
        """Forget a member that has been removed."""
        self.runs.pop(member, None)
