# Written by tools/flavour.py from tests/typing/httpx/. Edit it there.
"""What must not type-check: mypy reads this file, nothing runs it.

Each line is an error, or mypy complains that its `type: ignore` is of no use.
"""

import httpx2
import tenacity

import transportkit.httpx2 as tk

SYNC = httpx2.HTTPTransport()
ASYNC = httpx2.AsyncHTTPTransport()
PROXIES = ["http://a.example:8080"]


def sync_and_async_do_not_mix() -> None:
    httpx2.Client(transport=tk.AsyncRetryTransport())  # type: ignore[arg-type]
    httpx2.AsyncClient(transport=tk.RetryTransport())  # type: ignore[arg-type]
    tk.RetryTransport(ASYNC)  # type: ignore[arg-type]
    tk.AsyncRetryTransport(SYNC)  # type: ignore[arg-type]
    tk.ResumeTransport(ASYNC)  # type: ignore[arg-type]
    tk.AsyncResumeTransport(tk.RetryTransport())  # type: ignore[arg-type]
    tk.DebuggingTransport(ASYNC)  # type: ignore[arg-type]
    tk.AsyncDebuggingTransport(SYNC)  # type: ignore[arg-type]
    tk.HSTSTransport(ASYNC)  # type: ignore[arg-type]
    tk.AsyncHSTSTransport(SYNC)  # type: ignore[arg-type]
    tk.Mounts({"all://": ASYNC})  # type: ignore[dict-item]
    tk.AsyncMounts({"all://": SYNC})  # type: ignore[dict-item]
    routes: tk.Routes = {"all://": SYNC}
    tk.AsyncMounts(routes)  # type: ignore[arg-type]
    async_routes: tk.AsyncRoutes = {"all://": ASYNC}
    tk.Mounts(async_routes)  # type: ignore[arg-type]
    tk.ProxyRoundRobin([ASYNC])  # type: ignore[list-item]
    tk.AsyncProxyRoundRobin([SYNC])  # type: ignore[list-item]
    with tk.AsyncRetryTransport():  # type: ignore[attr-defined]
        pass


def positions_have_no_names(lines: list[str]) -> None:
    tk.Cooldown(5, 60, 2)  # type: ignore[call-arg]
    tk.RetryBudget(10, 0.2)  # type: ignore[call-arg]
    tk.RetryPolicy(tk.retry_if_status(500), lambda state: True)  # type: ignore[call-arg]
    tk.RetryTransport(SYNC, tk.RetryPolicy(), tk.RetryBudget())  # type: ignore[call-arg]
    tk.ProxyRoundRobin(PROXIES, "least_busy")  # type: ignore[call-arg]
    tk.FileSystemTransport("/srv", "index.html")  # type: ignore[call-arg]
    tk.Mounts({}, SYNC)  # type: ignore[call-arg]


def names_are_checked() -> None:
    tk.RetryTransport(htp2=True)  # type: ignore[call-arg]
    tk.RetryTransport(timeout=5)  # type: ignore[call-arg]
    tk.Mounts({}, verify=3)  # type: ignore[arg-type]
    tk.default_transport(mounts={})  # type: ignore[call-arg]
    tk.RetryPolicy(attempts=3)  # type: ignore[call-arg]
    tk.ProxyRoundRobin(PROXIES, order="random")  # type: ignore[arg-type]
    tk.ProxyRoundRobin(PROXIES, when_all_down="wait")  # type: ignore[arg-type]


def values_are_checked() -> None:
    tk.RetryPolicy(methods="GET POST".encode())  # type: ignore[arg-type]  # noqa: UP012
    tk.RetryPolicy(methods=None)  # type: ignore[arg-type]
    tk.RetryPolicy(stop=3)  # type: ignore[arg-type]
    tk.RetryPolicy(wait=0.5)  # type: ignore[arg-type]
    tk.RetryPolicy(wait=tenacity.stop_after_attempt(3), stop=None)  # type: ignore[arg-type]
    tk.retry_if_status("503")  # type: ignore[arg-type]
    tk.RetryTransport(SYNC, tenacity.Retrying())  # type: ignore[arg-type]
    tk.ProxyRoundRobin("http://a.example:8080").add(3)  # type: ignore[arg-type]
    tk.ProxyRoundRobin({"http://a.example:8080": "3"})  # type: ignore[arg-type]
    tk.Mounts({"all://": 8080})  # type: ignore[dict-item]
    tk.Mounts(["all://"])  # type: ignore[arg-type]
    tk.HTTPSRedirect("307")  # type: ignore[arg-type]
    tk.RefusingTransport()  # type: ignore[call-arg]
    tk.HSTSTransport(SYNC, "hsts.txt")  # type: ignore[arg-type]
    tk.HARRecorder()  # type: ignore[call-arg]
    tk.file_url(3)  # type: ignore[arg-type]


def callables_are_checked(seen: list[str]) -> None:
    def of_a_response(response: httpx2.Response) -> bool:
        return response.is_error

    async def later(request: httpx2.Request) -> bool:
        return request.method == "GET"

    tk.ProxyRoundRobin(PROXIES, sticky=of_a_response)  # type: ignore[arg-type]
    tk.ProxyRoundRobin(PROXIES, banned=later)  # type: ignore[arg-type]
    tk.ProxyRoundRobin(PROXIES, sticky="X-Account")  # type: ignore[arg-type]
    tk.RetryPolicy(retry=of_a_response)  # type: ignore[arg-type]
    tk.DebuggingTransport(SYNC, seen.append)  # type: ignore[arg-type]
    tk.DebuggingTransport(SYNC, tk.ConsoleLog)  # type: ignore[arg-type]
    tk.ConsoleLog(seen)  # type: ignore[arg-type]


def values_are_immutable() -> None:
    tk.RetryPolicy().deadline = 3  # type: ignore[misc]
    tk.Cooldown().first = 3  # type: ignore[misc]
    tk.Attempt(503, 1).waited = 3  # type: ignore[misc]
