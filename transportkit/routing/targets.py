"""What a routing dict may hold as a value, made into a transport."""

from collections.abc import Mapping
from typing import Generic, TypeVar

import httpx

from .._network import Network, check_options, parse_proxy
from .._redaction import MASK, REDACTION

T = TypeVar("T", bound=httpx.BaseTransport | httpx.AsyncBaseTransport)

Target = str | httpx.URL | httpx.Proxy | Mapping[str, object] | None
"""What a routing dict may hold beside transports."""

DIRECT = "direct"

_TARGETS = (
    "a transport, None, 'direct', a proxy URL such as 'http://proxy.example:8080', or a dict of "
    "httpx.HTTPTransport arguments"
)
# Of the arguments in a dict, these are shown as they are.
_SHOWN = ("http1", "http2", "trust_env", "uds", "local_address", "retries")


class Targets(Generic[T]):
    """Makes transports out of targets: one for each proxy URL, one for all that is direct.

    Arguments:
        kind: `httpx.BaseTransport` or `httpx.AsyncBaseTransport`.
        network: makes the transports that are not given ready.
    """

    def __init__(self, kind: type[T], network: Network[T]) -> None:
        self._kind = kind
        self._network = network
        self._shared: dict[str, T] = {}

    def resolve(self, target: object, default: T | None = None) -> tuple[T, str]:
        """A transport for a target, and what to call it where it is shown.

        Arguments:
            target: what the routing dict holds.
            default: what None stands for. Default: straight to the network.

        Raises:
            TypeError, ValueError: the target is none. The text says what to write.
        """
        if target is None and default is not None:
            return default, "default"
        if isinstance(target, self._kind):
            return target, type(target).__name__
        if target is None or (isinstance(target, str) and target == DIRECT):
            return self._share(DIRECT, None), DIRECT
        if isinstance(target, (str, httpx.URL, httpx.Proxy)):
            return self._through(target)
        if isinstance(target, Mapping):
            check_options(target)
            return self._network.transport(**target), _describe(target)
        raise TypeError(self._refusal(target))

    def _through(self, target: str | httpx.URL | httpx.Proxy) -> tuple[T, str]:
        try:
            proxy = parse_proxy(target)
        except ValueError as error:
            word = isinstance(target, str) and "://" not in target
            raise ValueError(
                f"{error} ('direct' is for no proxy)" if word else str(error)
            ) from None
        description = f"proxy {REDACTION.proxy(proxy)}"
        if isinstance(target, httpx.Proxy):
            return self._network.transport(proxy=proxy), description
        return self._share(str(target), proxy), description

    def _share(self, name: str, proxy: httpx.Proxy | None) -> T:
        if name not in self._shared:
            self._shared[name] = self._network.transport(proxy=proxy)
        return self._shared[name]

    def _refusal(self, target: object) -> str:
        name = type(target).__name__
        if isinstance(target, (httpx.BaseTransport, httpx.AsyncBaseTransport)):
            mounts, other = "Mounts", "AsyncMounts"
            if self._kind is httpx.AsyncBaseTransport:
                mounts, other = other, mounts
            return (
                f"{name} is no httpx.{self._kind.__name__}, which {mounts} needs; {other} takes it"
            )
        if isinstance(target, (list, tuple)):
            return "a list of proxies is no target yet: write one proxy URL"
        if isinstance(target, type):
            return f"{target.__name__} is a class: write {target.__name__}(...)"
        return f"{name} is no target: write {_TARGETS}"


def _describe(options: Mapping[str, object]) -> str:
    shown = ", ".join(f"{name}={_shown(name, value)}" for name, value in options.items())
    return f"HTTPTransport({shown})"


def _shown(name: str, value: object) -> str:
    if name == "proxy" and isinstance(value, (str, httpx.URL, httpx.Proxy)):
        return REDACTION.proxy(parse_proxy(value))
    return repr(value) if name in _SHOWN or value is None or isinstance(value, bool) else MASK
