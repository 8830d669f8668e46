"""What has to type-check: mypy reads this file, nothing runs it."""

import logging
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import assert_type

import httpx
import tenacity

import transportkit as tk

STUB = httpx.MockTransport(lambda request: httpx.Response(200))


def every_transport_goes_into_a_stock_client() -> None:
    httpx.Client(transport=tk.Mounts({}))
    httpx.Client(transport=tk.RetryTransport())
    httpx.Client(transport=tk.ResumeTransport())
    httpx.Client(transport=tk.ProxyRoundRobin(["http://a.example:8080"]))
    httpx.Client(transport=tk.DebuggingTransport())
    httpx.Client(transport=tk.HTTPSRedirect())
    httpx.Client(transport=tk.HSTSTransport())
    httpx.Client(transport=tk.RefusingTransport("no"))
    httpx.Client(transport=tk.FileSystemTransport("/srv"))
    httpx.Client(transport=tk.default_transport())
    httpx.Client(mounts={"http://": tk.HTTPSRedirect(), "file://": tk.FileSystemTransport("/srv")})


def every_async_transport_goes_into_a_stock_async_client() -> None:
    httpx.AsyncClient(transport=tk.AsyncMounts({}))
    httpx.AsyncClient(transport=tk.AsyncRetryTransport())
    httpx.AsyncClient(transport=tk.AsyncResumeTransport())
    httpx.AsyncClient(transport=tk.AsyncProxyRoundRobin(["http://a.example:8080"]))
    httpx.AsyncClient(transport=tk.AsyncDebuggingTransport())
    httpx.AsyncClient(transport=tk.HTTPSRedirect())
    httpx.AsyncClient(transport=tk.AsyncHSTSTransport())
    httpx.AsyncClient(transport=tk.RefusingTransport("no"))
    httpx.AsyncClient(transport=tk.AsyncFileSystemTransport("/srv"))
    httpx.AsyncClient(transport=tk.async_default_transport())
    httpx.AsyncClient(mounts={"http://": tk.HTTPSRedirect()})


def one_wraps_another() -> None:
    tk.HSTSTransport(tk.DebuggingTransport(tk.ResumeTransport(tk.RetryTransport(STUB))))
    tk.AsyncHSTSTransport(tk.AsyncResumeTransport(tk.AsyncRetryTransport(STUB)))
    with tk.RetryTransport(tk.Mounts({})) as transport:
        assert_type(transport.handle_request(httpx.Request("GET", "http://a")), httpx.Response)


def arguments_of_httpx_go_in_place_of_a_transport() -> None:
    options: tk.HTTPTransportOptions = {"http2": True, "trust_env": False}
    tk.RetryTransport(**options)
    tk.AsyncMounts({"all://a.example": options}, **options)
    tk.RetryTransport(http2=True, verify=False, limits=httpx.Limits(max_connections=1))
    tk.AsyncDebuggingTransport(proxy="http://a.example:8080", trust_env=False)
    tk.Mounts({}, cert=("a.pem", "b.pem"), local_address="127.0.0.1", retries=1)
    assert_type(tk.default_transport(http2=True), httpx.BaseTransport)
    assert_type(tk.async_default_transport(http2=True), httpx.AsyncBaseTransport)


def a_routing_dict_is_written_at_once_or_before() -> None:
    tk.Mounts(
        {
            "all://": "http://proxy.example:8080",
            "all://a.example": None,
            "all://b.example": "direct",
            "all://c.example": httpx.URL("http://proxy.example:8080"),
            "all://d.example": httpx.Proxy("http://proxy.example:8080"),
            "all://e.example": ["http://a.example:8080", None],
            "all://f.example": {"http2": True},
            "all://g.example": STUB,
            "http://": tk.HTTPSRedirect(),
        },
        default=STUB,
    )
    routes: tk.Routes = {"all://": ["http://proxy.example:8080", None], "http://": STUB}
    tk.Mounts(routes)
    tk.Mounts({**routes, "all://a.example": "direct"}, default=None)
    async_routes: tk.AsyncRoutes = {"all://": {"http2": True}, "http://": STUB}
    tk.AsyncMounts(async_routes)
    targets: dict[str, tk.Target] = {"all://": None, "all://a.example": {"uds": "/run/sock"}}
    tk.Mounts(targets)
    tk.AsyncMounts(targets)
    texts = {"all://": "http://proxy.example:8080"}
    tk.Mounts(texts)
    tk.AsyncMounts(texts)
    options = {"https://a.example": {"http2": True}}
    tk.Mounts(options)
    transports = {"all://a.example": STUB, "all://b.example": STUB}
    tk.Mounts(transports)
    tk.AsyncMounts(transports)
    said: Mapping[str, httpx.BaseTransport | str | None] = {"all://": STUB, "http://": None}
    tk.Mounts(said)
    tk.Mounts(tomllib.loads("'all://' = 'direct'"))
    assert_type(tk.environment_routes(), dict[str, str | None])
    tk.Mounts({**tk.environment_routes(), "http://": tk.HTTPSRedirect()})
    route = tk.Mounts(texts).route_for("https://a.example")
    assert_type(route, tk.Route[httpx.BaseTransport])
    assert_type(route.pattern, str | None)


def a_policy_takes_what_tenacity_has_and_functions() -> None:
    def early(state: tenacity.RetryCallState) -> bool:
        return state.attempt_number < 3

    def a_second(state: tenacity.RetryCallState) -> float:
        return 1

    tk.RetryPolicy(retry=tk.retry_if_status(500) | tk.retry_if_transport_error() | early)
    tk.RetryPolicy(retry=tenacity.retry_if_exception_type(OSError) & tk.retry_if_status(500))
    tk.RetryPolicy(retry=early, stop=early, wait=a_second)
    tk.RetryPolicy(stop=tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(20))
    tk.RetryPolicy(wait=tenacity.wait_fixed(1) + tenacity.wait_random(0, 1))
    tk.RetryPolicy(wait=tk.wait_retry_after(tenacity.wait_fixed(1), max=60))
    tk.RetryPolicy(methods={"GET", "POST"}, max_replay=0, deadline=30)
    tk.RetryPolicy(before_sleep=tenacity.before_sleep_log(logging.getLogger(), logging.INFO))
    tk.RetryTransport(STUB, tk.RetryPolicy(), budget=tk.RetryBudget(capacity=10))
    tk.AsyncRetryTransport(STUB, tk.RetryPolicy(), budget=None)


def a_rotation_takes_functions_of_the_request_and_of_the_response() -> None:
    def account(request: httpx.Request) -> str:
        return request.headers["X-Account"]

    def forbidden(response: httpx.Response) -> bool:
        return response.status_code == 403

    proxies = ["http://a.example:8080", "socks5h://b.example:1080"]
    tk.ProxyRoundRobin(proxies, sticky=account, banned=forbidden)
    tk.AsyncProxyRoundRobin(proxies, sticky=tk.sticky_by_host, cooldown=tk.Cooldown(first=5))
    tk.ProxyRoundRobin(proxies, sticky=tk.sticky_by_header("X-Account"), order="least_busy")
    tk.ProxyRoundRobin([*proxies, None, httpx.URL("http://c"), httpx.Proxy("http://d"), STUB])
    tk.ProxyRoundRobin({"http://a.example:8080": 3, "http://b.example:8080": 1.5})
    weights: dict[str | httpx.URL | httpx.Proxy | httpx.BaseTransport | None, float]
    weights = {STUB: 3, None: 1}
    tk.ProxyRoundRobin(weights)
    assert_type(tk.ProxyRoundRobin(proxies).status(), tuple[tk.ProxyStatus, ...])


def an_observer_is_any_function_of_an_exchange(lines: list[str]) -> None:
    def show(exchange: tk.Exchange) -> None:
        assert_type(exchange.response_body, tk.Body)
        assert_type(exchange.timings, tk.Timings)

    seen: list[tk.Exchange] = []
    tk.DebuggingTransport(STUB, show, seen.append, tk.ConsoleLog(lines.append), bodies=4096)
    tk.AsyncDebuggingTransport(None, tk.CurlLog(), tk.HARRecorder(Path("wire.har")))
    tk.DebuggingTransport(STUB, show, redaction=tk.Redaction(mask=["voucher"], show={"session"}))
    logging.StreamHandler().addFilter(tk.RedactingFilter(tk.Redaction()))


def paths_are_texts_bytes_or_path_objects() -> None:
    tk.FileSystemTransport(b"/srv", index="index.html")
    tk.AsyncFileSystemTransport(Path("/srv"), allow_localhost=True)
    assert_type(tk.file_url(Path("/srv/a.txt")), str)
    tk.HSTSStore(Path("hsts.txt")).preload([".internal.example"])


def attempts_say_what_came(attempts: Sequence[tk.Attempt]) -> None:
    for attempt in attempts:
        assert_type(attempt.outcome, int | Exception)
        assert_type(attempt.waited, float)


class Counted(tk.Wrapper):
    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(transport)
        self.requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        return super().handle_request(request)


class AsyncCounted(tk.AsyncWrapper):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(request)


def a_transport_of_ones_own_goes_where_another_does() -> None:
    httpx.Client(transport=Counted(tk.RetryTransport()))
    tk.Mounts({"all://": Counted(STUB)})
    httpx.AsyncClient(transport=AsyncCounted(http2=True))
    with Counted() as counted:
        assert_type(counted, Counted)
