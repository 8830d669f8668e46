"""Targets, the values of a routing dict, made into transports."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from ..network.factory import TransportFactory
from ..network.options import IGNORED_BEHIND_PROXY, check_options
from ..network.proxy_url import parse_proxy
from ..redaction.redaction import MASK, REDACTION
from ..rotation.proxies import Via, join_names, parse_all
from ..wire.arguments import transport_advice
from ..wire.library import Proxy, is_a

T = TypeVar("T")

DIRECT = "direct"

_TARGETS = (
    "a transport, None, 'direct', a proxy URL such as 'http://proxy.example:8080', a list of "
    "proxies to take turns, or a dict of httpx.HTTPTransport arguments"
)
# Of the arguments in a dict, these are shown as they are.
_SHOWN = ("http1", "http2", "trust_env", "uds", "local_address", "retries")


class Targets(Generic[T]):
    """Makes transports of targets: one for each proxy URL, and one for every direct route.

    Arguments:
        kind: `httpx.BaseTransport` or `httpx.AsyncBaseTransport`.
        network: makes stock transports.
        rotation: makes one of a list of proxies and the arguments of its transports.
    """

    def __init__(
        self, kind: type[T], network: TransportFactory[T], rotation: Callable[..., T]
    ) -> None:
        self._kind = kind
        self._network = network
        self._rotation = rotation
        self._shared: dict[Hashable, T] = {}

    def resolve(self, target: object, default: T | None = None) -> tuple[T, str]:
        """A transport for a target, and its description without credentials.

        Arguments:
            target: what the routing dict holds.
            default: what None stands for. Default: straight to the network.

        Raises:
            TypeError, ValueError: it is not a target. The text says what to write.
        """
        if target is None and default is not None:
            return default, "default"
        if isinstance(target, self._kind):
            return target, type(target).__name__
        if target is None or (isinstance(target, str) and target == DIRECT):
            return self._share(DIRECT, None), DIRECT
        if isinstance(target, str) or is_a(target, "URL", "Proxy"):
            return self._through(target)
        if isinstance(target, Mapping):
            if any(isinstance(key, str) and "://" in key for key in target):
                raise TypeError("for proxies with weights, write ProxyRoundRobin({...})")
            check_options(target)
            return self._network.transport(**target), self._describe(target)
        if isinstance(target, Sequence) and not isinstance(target, (bytes, bytearray)):
            return self._in_turn(target)
        raise TypeError(self._refusal(target))

    def _through(self, target: object) -> tuple[T, str]:
        try:
            proxy = parse_proxy(target, self._kind)
        except ValueError as error:
            word = isinstance(target, str) and "://" not in target
            raise ValueError(
                f"{error} ('direct' is for no proxy)" if word else str(error)
            ) from None
        description = f"proxy {REDACTION.proxy(proxy)}"
        if is_a(target, "Proxy"):
            return self._network.transport(proxy=proxy), description
        return self._share(str(target), proxy), description

    def _in_turn(self, target: Sequence[object]) -> tuple[T, str]:
        entries = parse_all(target, self._kind)
        name = tuple(entry.identity for entry in entries)
        if name not in self._shared:
            options = self._network.shared_options()
            left_out = {"proxy"}
            if not any(entry.via is Via.DIRECT for entry in entries):
                # They are for the routes without a proxy.
                left_out.update(IGNORED_BEHIND_PROXY)
            given = {key: value for key, value in options.items() if key not in left_out}
            self._shared[name] = self._rotation(target, **given)
        return self._shared[name], f"proxies {join_names(entries)} in turn"

    def _share(self, name: str, proxy: Proxy | None) -> T:
        if name not in self._shared:
            self._shared[name] = self._network.transport(proxy=proxy)
        return self._shared[name]

    def _refusal(self, target: object) -> str:
        advice = transport_advice(target, self._kind, "Mounts")
        return advice or f"{type(target).__name__} is not a target: write {_TARGETS}"

    def _describe(self, options: Mapping[str, object]) -> str:
        shown = ", ".join(f"{name}={self._shown(name, value)}" for name, value in options.items())
        return f"HTTPTransport({shown})"

    def _shown(self, name: str, value: object) -> str:
        if name == "proxy" and value is not None:
            return REDACTION.proxy(parse_proxy(value, self._kind))
        return repr(value) if name in _SHOWN or value is None or isinstance(value, bool) else MASK
