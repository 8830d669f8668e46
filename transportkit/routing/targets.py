"""Targets, the values of a routing dict, made into transports."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from ..network.factory import TransportFactory
from ..network.options import IGNORED_BEHIND_PROXY, check_options, describe
from ..network.proxy_url import means_no_proxy, parse_proxy
from ..redaction.redaction import REDACTION
from ..rotation.proxies import Via, join_names, parse_all
from ..wire.arguments import transport_advice
from ..wire.library import Proxy, is_a, library_of
from .environment import Variable

T = TypeVar("T")

DIRECT = "direct"

_TARGETS = (
    "a transport, None, 'direct', a proxy URL such as 'http://proxy.example:8080', a list of "
    "proxies to take turns, or a dict of httpx.HTTPTransport arguments"
)


class Resolved(NamedTuple, Generic[T]):
    """A target that was made into a transport.

    Attributes:
        transport: what takes the requests.
        description: what that is, in words, without credentials.
        is_network: True if it sends over the network, so that httpx's schemes are all it takes.
    """

    transport: T
    description: str
    is_network: bool


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

    def resolve(self, target: object, default: Resolved[T] | None = None) -> Resolved[T]:
        """A transport for a target.

        Arguments:
            target: what the routing dict holds.
            default: what None stands for. Default: straight to the network.

        Raises:
            TypeError, ValueError: it is not a target. The text says what to write.
        """
        if target is None and default is not None:
            return Resolved(
                default.transport, f"default: {default.description}", default.is_network
            )
        if isinstance(target, self._kind):
            library = library_of(self._kind)
            stock = (library.HTTPTransport, library.AsyncHTTPTransport)
            return Resolved(target, type(target).__name__, type(target) in stock)
        if target is None or (isinstance(target, str) and target == DIRECT):
            return Resolved(self._share(DIRECT, None), DIRECT, is_network=True)
        if isinstance(target, str) or is_a(target, "URL", "Proxy"):
            return self._through(target)
        if isinstance(target, Mapping):
            if any(isinstance(key, str) and "://" in key for key in target):
                raise TypeError("for proxies with weights, write ProxyRoundRobin({...})")
            check_options(target)
            transport = self._network.transport(**target)
            return Resolved(transport, f"HTTPTransport({self.describe(target)})", is_network=True)
        if isinstance(target, Sequence) and not isinstance(target, (bytes, bytearray)):
            return self._in_turn(target)
        raise TypeError(self._refusal(target))

    def describe(self, options: Mapping[str, object]) -> str:
        """Arguments as they are written in a call, without credentials."""
        return describe(options, self._kind)

    def _through(self, target: object) -> Resolved[T]:
        is_written = isinstance(target, str) and not isinstance(target, Variable)
        if is_written and means_no_proxy(str(target)):
            raise ValueError(f"{target!r} is not a target: write {DIRECT!r}")
        try:
            proxy = parse_proxy(target, self._kind)
        except ValueError as error:
            word = is_written and "://" not in str(target)
            raise ValueError(
                f"{error} ('direct' is for no proxy)" if word else str(error)
            ) from None
        description = f"proxy {REDACTION.proxy(proxy)}"
        own = is_a(target, "Proxy")
        transport = self._network.transport(proxy=proxy) if own else self._share(str(target), proxy)
        return Resolved(transport, description, is_network=True)

    def _in_turn(self, target: Sequence[object]) -> Resolved[T]:
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
        description = f"proxies {join_names(entries)} in turn"
        is_network = not any(entry.via is Via.READY for entry in entries)
        return Resolved(self._shared[name], description, is_network)

    def _share(self, name: str, proxy: Proxy | None) -> T:
        if name not in self._shared:
            self._shared[name] = self._network.transport(proxy=proxy)
        return self._shared[name]

    def _refusal(self, target: object) -> str:
        if advice := transport_advice(target, self._kind, "Mounts"):
            return advice
        return f"{type(target).__name__} is not a target: write {_TARGETS}"
