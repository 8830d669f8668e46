"""One library's transports and the other's: mypy reads this file, nothing runs it.

Each line that mixes them is an error, or mypy complains that its `type: ignore` is of no use.
"""

from typing import assert_type

import httpx
import httpx2

import transportkit as tk
import transportkit.httpx2 as tk2


def a_client_takes_no_transport_of_the_other_library() -> None:
    httpx.Client(transport=tk2.RetryTransport())  # type: ignore[arg-type]
    httpx2.Client(transport=tk.RetryTransport())  # type: ignore[arg-type]
    httpx.AsyncClient(transport=tk2.AsyncMounts({}))  # type: ignore[arg-type]
    httpx2.AsyncClient(transport=tk.AsyncMounts({}))  # type: ignore[arg-type]
    httpx.Client(mounts={"http://": tk2.HTTPSRedirect()})  # type: ignore[dict-item]
    httpx2.Client(mounts={"http://": tk.HTTPSRedirect()})  # type: ignore[dict-item]


def a_transport_wraps_none_of_the_other_library() -> None:
    tk.RetryTransport(httpx2.HTTPTransport())  # type: ignore[arg-type]
    tk2.RetryTransport(httpx.HTTPTransport())  # type: ignore[arg-type]
    tk.DebuggingTransport(tk2.RetryTransport())  # type: ignore[arg-type]
    tk2.AsyncDebuggingTransport(tk.AsyncRetryTransport())  # type: ignore[arg-type]
    tk.Mounts({"all://": httpx2.HTTPTransport()})  # type: ignore[dict-item]
    tk2.Mounts({"all://": tk.HTTPSRedirect()})  # type: ignore[dict-item]
    tk.Mounts({"all://": httpx2.URL("http://a.example")})  # type: ignore[dict-item]
    tk2.ProxyRoundRobin([httpx.Proxy("http://a.example")])  # type: ignore[list-item]
    tk.RetryTransport(limits=httpx2.Limits())  # type: ignore[arg-type]
    tk2.default_transport(limits=httpx.Limits())  # type: ignore[arg-type]


def a_transport_sends_no_request_of_the_other_library() -> None:
    tk.Mounts({}).handle_request(httpx2.Request("GET", "http://a"))  # type: ignore[arg-type]
    tk2.Mounts({}).handle_request(httpx.Request("GET", "http://a"))  # type: ignore[arg-type]


def values_serve_both() -> None:
    policy, budget = tk.RetryPolicy(), tk2.RetryBudget()
    tk.RetryTransport(policy=policy, budget=budget)
    tk2.RetryTransport(policy=policy, budget=budget)
    console = tk.ConsoleLog()
    tk.DebuggingTransport(None, console)
    tk2.DebuggingTransport(None, console)
    tk.HSTSTransport(None, tk2.HSTSStore())
    tk2.ProxyRoundRobin(["http://a.example"], sticky=tk.sticky_by_host)
    assert_type(tk2.environment_routes(), dict[str, str | None])
    assert_type(tk.__version__, str)
