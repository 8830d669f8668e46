"""The likeliest wrong arguments, as a new user would try them: each text says what to write."""

import re

import pytest
import tenacity
from support import transportkit
from support.library import LIBRARY, httpx

NAMES = {
    "httpx": httpx,
    "tenacity": tenacity,
    "STUB": httpx.MockTransport(lambda request: httpx.Response(200)),
    "ASYNC": httpx.AsyncHTTPTransport(),
}

# What is written, and what the error says to write.
WRONG = [
    (
        "RetryTransport(max_retries=3)",
        "write policy=RetryPolicy(stop=tenacity.stop_after_attempt(1 + ...))",
    ),
    (
        "RetryTransport(retries=3)",
        "write policy=RetryPolicy(stop=tenacity.stop_after_attempt(1 + 3))",
    ),
    ('ResumeTransport(retries="3")', "must be int, not str"),
    ("RetryTransport(timeout=5)", "write httpx.Client(timeout=...)"),
    ("RetryTransport(policy=3)", "write RetryPolicy(...)"),
    ("RetryTransport(policy=RetryPolicy)", "write RetryPolicy(...)"),
    ("RetryTransport(RetryPolicy())", "write policy=..."),
    ("RetryTransport(stop=tenacity.stop_after_attempt(3))", "write policy=RetryPolicy(stop=...)"),
    (
        "RetryTransport(STUB, http2=True)",
        "not both: http2 would be ignored. Pass them where that transport is made",
    ),
    ("RetryTransport(httpx.HTTPTransport)", "write HTTPTransport(...)"),
    ("RetryTransport(ASYNC)", "AsyncRetryTransport takes it"),
    ("AsyncRetryTransport(httpx.HTTPTransport())", "RetryTransport takes it"),
    ('RetryTransport("http://proxy:8080")', "write proxy=..."),
    ('RetryTransport(["http://a:1"])', "write ProxyRoundRobin([...])"),
    ('RetryTransport({"all://": None})', "write Mounts({...})"),
    ("RetryTransport(budget=10)", "write RetryBudget(...)"),
    ('RetryTransport(headers={"a": "b"})', "write httpx.Client(headers=...)"),
    ("RetryPolicy(max_attempts=3)", "write stop=tenacity.stop_after_attempt(...)"),
    ("RetryPolicy(3)", "must be a callable such as retry_if_status(503), not 3"),
    ("RetryPolicy(stop=3)", "must be a callable such as tenacity.stop_after_attempt(4), not 3"),
    ("RetryPolicy(stop=tenacity.stop_after_attempt)", "write stop_after_attempt(...)"),
    ("RetryPolicy(wait=1)", "must be a callable such as tenacity.wait_fixed(1), not 1"),
    ("RetryPolicy(retry=503)", "must be a callable such as retry_if_status(503), not 503"),
    ("RetryPolicy(retry=[503])", "must be a callable such as retry_if_status(503), not [503]"),
    (
        'RetryPolicy(methods="POST")',
        "must be a set such as {*RetryPolicy().methods, 'POST'}, not 'POST'",
    ),
    (
        "RetryPolicy(methods=None)",
        "must be a set such as {*RetryPolicy().methods, 'POST'}, not None",
    ),
    (
        "RetryPolicy(httpx.ConnectError)",
        "write tenacity.retry_if_exception_type(ConnectError)",
    ),
    (
        "RetryPolicy(retry_if_status(503) | httpx.ConnectError)",
        "write tenacity.retry_if_exception_type(ConnectError)",
    ),
    (
        "RetryPolicy(retry_if_status(500) | 503)",
        "must be a callable such as retry_if_status(503), not 503",
    ),
    ("RetryPolicy(deadline=0)", "must be above 0 seconds, not 0"),
    ('RetryPolicy(deadline="30")', "must be a number of seconds, not '30'"),
    ("RetryPolicy(backoff_factor=0.5)", "write wait=tenacity.wait_exponential(multiplier=...)"),
    (
        "RetryPolicy(statuses=[503])",
        "write retry=retry_if_status(503, ...) | retry_if_transport_error()",
    ),
    ("retry_if_status()", "write retry_if_status(503)"),
    ("retry_if_status([500, 503])", "write retry_if_status(*[500, 503])"),
    ("retry_if_status(range(500, 600))", "write retry_if_status(*range(500, 600))"),
    ('retry_if_status("503")', "write retry_if_status(503)"),
    ("retry_if_status(status_codes=[503])", "write retry_if_status(503, 504)"),
    (
        "retry_if_transport_error(httpx.ConnectError)",
        "write tenacity.retry_if_exception_type(...)",
    ),
    ("wait_retry_after(maximum=5)", "write max=..."),
    (
        "RetryPolicy(tenacity.stop_after_attempt(3))",
        "a stop_after_attempt is for stop: write stop=stop_after_attempt(...)",
    ),
    ("RetryPolicy(stop=tenacity.wait_fixed(3))", "write wait=wait_fixed(...)"),
    ("RetryPolicy(stop=retry_if_status(503))", "write retry=retry_if_status(...)"),
    (
        "RetryPolicy(retry_if_status(503) | tenacity.stop_after_attempt(3))",
        "write stop=stop_after_attempt(...)",
    ),
    (
        "RetryPolicy(wait=tenacity.wait_fixed(1) + tenacity.stop_after_delay(3))",
        "write stop=stop_after_delay(...)",
    ),
    ("RetryPolicy(retry=wait_retry_after())", "write wait=wait_retry_after(...)"),
    ("wait_retry_after(tenacity.stop_after_attempt(3))", "write stop=stop_after_attempt(...)"),
    ("DebuggingTransport(STUB, lambda: None)", "write a function of one"),
    (
        "ConsoleLog(lambda: None)",
        "a text, which <function <lambda>> does not take: write print, or logger.debug",
    ),
    ("RetryPolicy(retry_if_status(503), 3)", "write RetryPolicy(retry, stop=..., wait=..., "),
    (
        "RetryTransport(STUB, RetryPolicy(), RetryBudget())",
        "write RetryTransport(transport, policy, budget=...)",
    ),
    (
        'ProxyRoundRobin("http://a:1", "http://b:1")',
        "write ProxyRoundRobin(proxies, order=..., sticky=..., ",
    ),
    ("ProxyRoundRobin()", "write ProxyRoundRobin(proxies=...)"),
    ("Mounts({}, policy=RetryPolicy())", "write RetryTransport(policy=...)"),
    ("AsyncMounts({}, bodies=100)", "write AsyncDebuggingTransport(bodies=...)"),
    ("RetryTransport(default_transport)", "write default_transport()"),
    ('Mounts({"all://": default_transport})', "write default_transport()"),
    (
        "RetryTransport(lambda request: None)",
        "write httpx.MockTransport(...) around a function that answers a request, or httpx.WSGI",
    ),
    ("RetryTransport(True)", "write RetryTransport() for the network itself"),
    ('environment_routes({"HTTP_PROXY": 5})', "write them for 'HTTP_PROXY', not int"),
    ('ProxyRoundRobin(["http://a:1"], sticky="X-Id")', "such as sticky_by_header('X-Id')"),
    (
        "DebuggingTransport(headers=True)",
        "write DebuggingTransport(None, ConsoleLog(headers=True))",
    ),
    (
        'HARRecorder("x.har", bodies=9)',
        "write DebuggingTransport(transport, recorder, bodies=4096)",
    ),
    ("retry_if_status(99999)", "write 200 to 599"),
    ("wait_retry_after(5)", "must be a callable such as tenacity.wait_fixed(2), not 5"),
    (
        "RetryBudget(0)",
        "must be 1 or more, not 0: for no retries at all, use RetryPolicy(stop=tenacity.stop_after_attempt(1))",
    ),
    ("RetryBudget(ratio=0.1)", "write per_success=..."),
    ("ResumeTransport(max_resumes=-1)", "must be 0 or more resumes, not -1"),
    ("ResumeTransport(max_retries=5)", "did you mean max_resumes?"),
    (
        'ProxyRoundRobin("http://a:1")',
        "must be a list such as ['http://a:8080', 'http://b:8080'], or a dict of weights, not a single str: put it into brackets",
    ),
    ("ProxyRoundRobin([])", "write at least one, such as ['http://a:8080']"),
    ('ProxyRoundRobin(["a b c"])', "'"),
    (
        'ProxyRoundRobin(["http://a:1"], sticky=sticky_by_header)',
        "write sticky_by_header('X-Account')",
    ),
    (
        'ProxyRoundRobin(["http://a:1"], banned=lambda: True)',
        "write one such as lambda response: response.status_code == 403",
    ),
    ('ProxyRoundRobin(["http://a:1"], sticky=Cooldown)', "write Cooldown(...)"),
    ('sticky_by_host("a.example")', "write sticky=sticky_by_host"),
    (
        'ProxyRoundRobin(["http://a:1"], sticky=True)',
        "must be a callable such as transportkit.sticky_by_host, not True",
    ),
    ('ProxyRoundRobin(["http://a:1"], cooldown=5)', "write Cooldown(first=...)"),
    ('ProxyRoundRobin(["http://a:1"], max_tries=0)', "must be a whole number from 1 up, not 0"),
    (
        'ProxyRoundRobin(["http://a:1"], order="random")',
        "must be 'round_robin' or 'least_busy', not 'random'",
    ),
    (
        'ProxyRoundRobin(["http://a:1"], banned=403)',
        "must be a callable such as lambda response: response.status_code == 403, not 403",
    ),
    ('ProxyRoundRobin(["http://a:1"], strategy="least_busy")', "s"),
    (
        'ProxyRoundRobin(proxies=["http://a:1"], retries=3, max_failures=3)',
        "did you mean max_tries?",
    ),
    ('ProxyRoundRobin({"http://a:1": -1})', "must be a finite number of turns above 0, not -1"),
    ("Cooldown(60, 5)", "write Cooldown(first=60, max=...)"),
    ("Cooldown(jitter=True)", "write one of first, max, factor"),
    ("Cooldown(base=5)", "write first=..."),
    ("Mounts()", "write Mounts(routes=...)"),
    (
        'Mounts([("all://", None)])',
        "must be a dict of patterns and targets such as {'all://*.internal.example': None}, not list",
    ),
    ('Mounts({"example.com": None})', "write 'all://example.com'"),
    ('Mounts({"all://": "none"})', "write 'direct'"),
    (
        'Mounts({"all://": STUB}, default=5)',
        "write a transport, None, 'direct', a proxy URL such as 'http://proxy.example:8080', a list of proxies to take turns, or a dict of httpx.HTTPTransport arguments",
    ),
    ('Mounts({"all://": ASYNC})', "AsyncMounts takes it"),
    (
        'Mounts({"all://": True})',
        "write a transport, None, 'direct', a proxy URL such as 'http://proxy.example:8080', a list of proxies to take turns, or a dict of httpx.HTTPTransport arguments",
    ),
    ('Mounts({"all://": {"verfy": False}})', "did you mean verify?"),
    ('Mounts({"all://": httpx.HTTPTransport})', "write HTTPTransport(...)"),
    ('Mounts({"all://": STUB}, timeout=5)', "write httpx.Client(timeout=...)"),
    ("default_transport(http3=True)", "did you mean http2?"),
    ('default_transport(proxies="http://a:1")', "write proxy=... for one, Mounts({'all://': ...})"),
    ('AsyncRetryTransport(proxies=["http://a:1"])', "AsyncProxyRoundRobin([...]) to take turns"),
    ("RetryTransport(httpx.Client())", "write httpx.Client(transport=RetryTransport(...))"),
    ("environment_routes(True)", "write environment_routes()"),
    ("DebuggingTransport(print)", "write DebuggingTransport(None, observer)"),
    ("DebuggingTransport(ConsoleLog())", "write DebuggingTransport(None, observer)"),
    ("DebuggingTransport(STUB, ConsoleLog)", "write ConsoleLog(...)"),
    ("DebuggingTransport(STUB, observers=[print])", "write DebuggingTransport(None, observer)"),
    ("DebuggingTransport(STUB, observer=print)", "write DebuggingTransport(None, observer)"),
    ("DebuggingTransport(STUB, bodies=True)", "write bodies=4096"),
    ('DebuggingTransport(STUB, bodies="all")', "write bodies=4096"),
    ('DebuggingTransport(STUB, redaction=["password"])', "write Redaction(...)"),
    ("ConsoleLog(colour=True)", "did you mean color?"),
    ('ConsoleLog(color="yes")', "must be True, False or None, not 'yes'"),
    (
        'ConsoleLog("debug")',
        "write must be a function of one text, not str: write print, or logger.debug",
    ),
    (
        "CurlLog(True)",
        "write must be a function of one text, not bool: write print, or logger.debug",
    ),
    ("HARRecorder()", "write HARRecorder(path=...)"),
    ('HARRecorder("/nonexistent/x.har")', "make it first"),
    ('Redaction(hide=["x"])', "write mask=[...]"),
    ('Redaction("password")', "write mask=('password',)"),
    ('Redaction(mask="password")', "write mask=('password',)"),
    ('RedactingFilter("password")', "write handler.addFilter(RedactingFilter())"),
    ('RedactingFilter(mask=["x"])', "write RedactingFilter(Redaction(mask=[...]))"),
    ("HTTPSRedirect(200)", "must be one of 301, 302, 303, 307, 308, not 200"),
    ("HTTPSRedirect(STUB)", "write Mounts({'http://': HTTPSRedirect()}, default=...)"),
    ("HTTPSRedirect(transport=STUB)", "write Mounts({'http://': HTTPSRedirect()}, default=...)"),
    ("HTTPSRedirect(location=308)", "has no argument 'location': write status_code"),
    ("HTTPSRedirect(code=308)", "write status_code=..."),
    ("RefusingTransport()", "write RefusingTransport(reason=...)"),
    ('HSTSTransport("hsts.txt")', "write store=HSTSStore('hsts.txt')"),
    ('HSTSTransport(STUB, "hsts.txt")', "write HSTSStore('hsts.txt')"),
    ("HSTSTransport(STUB, store=HSTSStore)", "write HSTSStore()"),
    ("HSTSStore(preload=True)", "write HSTSStore().preload(...)"),
    ('HSTSStore(path="/nonexistent/hsts.txt")', "make it first"),
    ("FileSystemTransport()", "write FileSystemTransport(root=...)"),
    ('FileSystemTransport("/nonexistent")', "write one that is there"),
    ('FileSystemTransport("/", index=True)', "must be a file name or None, not bool"),
    ('FileSystemTransport(directory="/")', "write root=..."),
    ('FileSystemTransport("/", allow_localhost="yes")', "must be True or False, not 'yes'"),
    ("sticky_by_header(3)", "must be the name of a header such as 'X-Session', not 3"),
    ("set_retries(False)", 'must be "normal", "immediate" or "off", not False'),
    ('Wrapper("http://a:1")', "write proxy=..."),
    ('ProxyRoundRobin(["http://a:1", "http://a:1"])', "}"),
    ('ProxyRoundRobin(["http://a:1"], timeout=3)', "write httpx.Client(timeout=...)"),
]


@pytest.mark.parametrize(("written", "advice"), WRONG, ids=[written for written, _ in WRONG])
def test_is_told_what_to_write(written: str, advice: str) -> None:
    for name in re.findall(r"\b[A-Za-z_]+\b(?=\(|\)|,)", written):
        if hasattr(transportkit, name):
            NAMES[name] = getattr(transportkit, name)
    with pytest.raises((TypeError, ValueError)) as raised:
        eval(written, NAMES)
    told = str(raised.value).replace(f"{LIBRARY}.", "httpx.")
    assert advice in told
    assert " at 0x" not in told


@pytest.mark.parametrize(
    "written",
    [
        'ProxyRoundRobin(["http://a:1"], sticky="Authorization: Bearer tiger")',
        'HSTSTransport("scott:tiger@proxy.example:8080")',
        'HSTSTransport(STUB, "http://scott:tiger@proxy.example:8080")',
        'RetryTransport("http://scott:tiger@proxy.example:8080")',
        'retry_if_status("password=tiger")',
    ],
)
def test_is_told_nothing_secret(written: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        eval(written, NAMES)
    assert "tiger" not in str(raised.value)


def test_is_told_nothing_of_arguments_that_were_left_out() -> None:
    with pytest.raises(ValueError, match=r"^verify='nowhere.pem': there is no such file"):
        transportkit.RetryTransport(verify="nowhere.pem")
