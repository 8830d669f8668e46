"""Every routing example of httpx's documentation, one test a row.

See https://www.python-httpx.org/advanced/transports/#mounting-transports and what
follows it. Each row goes through `Mounts` and through a stock client as well: what the
documentation says, both have to do.
"""

import pytest
from support.flavours import SpyTransport
from support.library import httpx
from support.transportkit import Mounts

DEFAULT = SpyTransport("default")

WILDCARD = {"all://": "proxy"}
SCHEMES = {"http://": "8030", "https://": "8031"}
DOMAIN = {"all://example.com": "proxy"}
DOMAIN_AND_SCHEME = {"http://example.com": "proxy"}
DOMAIN_AND_SUBDOMAINS = {"all://*example.com": "proxy"}
STRICT_SUBDOMAINS = {"all://*.example.com": "proxy"}
DOMAIN_AND_PORT = {"https://example.com:1234": "proxy"}
PORT = {"all://*:1234": "proxy"}
NO_PROXY = {"all://": "8031", "all://example.com": None}
COMPLEX = {
    "all://": "8030",
    "https://domain.io": None,
    "all://*example.com": "8031",
    "http://internal.example.com:5550": "8032",
}
HTTPS_REDIRECT = {"http://": "redirect"}
HTTPS_REDIRECT_WITH_HTTPS = {"http://": "redirect", "https://": "network"}
NO_HTTP2_ON_ONE_DOMAIN = {"all://": "http2", "all://*example.org": "http1"}
MOCKED_DOMAIN = {"all://example.org": "mock"}
CUSTOM_SCHEME = {"file://": "files"}

Routes = dict[str, str] | dict[str, str | None]

# The routes, a URL, and the key that takes it: None when the default does.
EXAMPLES: list[tuple[Routes, str, str | None]] = [
    (WILDCARD, "http://example.com/", "all://"),
    (WILDCARD, "https://www.example.org:8443/a?b", "all://"),
    (WILDCARD, "file:///etc/hosts", "all://"),
    (WILDCARD, "http://[::1]/", "all://"),
    (SCHEMES, "http://example.com/", "http://"),
    (SCHEMES, "http://example.com:443/", "http://"),
    (SCHEMES, "https://example.com/", "https://"),
    (SCHEMES, "HTTPS://example.com:8443/", "https://"),
    (SCHEMES, "ws://example.com/", None),
    (DOMAIN, "http://example.com/", "all://example.com"),
    (DOMAIN, "https://example.com/", "all://example.com"),
    (DOMAIN, "https://EXAMPLE.com:8443/a?b", "all://example.com"),
    (DOMAIN, "http://www.example.com/", None),
    (DOMAIN, "http://example.com.evil.example/", None),
    (DOMAIN, "http://example.org/", None),
    (DOMAIN_AND_SCHEME, "http://example.com/", "http://example.com"),
    (DOMAIN_AND_SCHEME, "http://example.com:8080/", "http://example.com"),
    (DOMAIN_AND_SCHEME, "https://example.com/", None),
    (DOMAIN_AND_SCHEME, "http://example.org/", None),
    (DOMAIN_AND_SUBDOMAINS, "http://example.com/", "all://*example.com"),
    (DOMAIN_AND_SUBDOMAINS, "http://www.example.com/", "all://*example.com"),
    (DOMAIN_AND_SUBDOMAINS, "https://a.b.example.com:8443/", "all://*example.com"),
    (DOMAIN_AND_SUBDOMAINS, "http://wwwexample.com/", None),
    (DOMAIN_AND_SUBDOMAINS, "http://example.org/", None),
    (STRICT_SUBDOMAINS, "http://www.example.com/", "all://*.example.com"),
    (STRICT_SUBDOMAINS, "https://a.b.example.com/", "all://*.example.com"),
    (STRICT_SUBDOMAINS, "http://example.com/", None),
    (STRICT_SUBDOMAINS, "http://wwwexample.com/", None),
    (STRICT_SUBDOMAINS, "http://example.org/", None),
    (DOMAIN_AND_PORT, "https://example.com:1234/", "https://example.com:1234"),
    (DOMAIN_AND_PORT, "https://example.com/", None),
    (DOMAIN_AND_PORT, "http://example.com:1234/", None),
    (DOMAIN_AND_PORT, "https://www.example.com:1234/", None),
    (PORT, "https://example.com:1234/", "all://*:1234"),
    (PORT, "http://anything.example.org:1234/a?b", "all://*:1234"),
    (PORT, "http://10.0.0.1:1234/", "all://*:1234"),
    (PORT, "https://example.com/", None),
    (PORT, "https://example.com:12345/", None),
    (NO_PROXY, "http://example.org/", "all://"),
    (NO_PROXY, "http://www.example.com/", "all://"),
    (NO_PROXY, "http://example.com/", "all://example.com"),
    (NO_PROXY, "https://example.com:8443/", "all://example.com"),
    (COMPLEX, "http://elsewhere.example/", "all://"),
    (COMPLEX, "http://domain.io/", "all://"),
    (COMPLEX, "https://www.domain.io/", "all://"),
    (COMPLEX, "https://domain.io/", "https://domain.io"),
    (COMPLEX, "https://domain.io:8443/", "https://domain.io"),
    (COMPLEX, "http://example.com/", "all://*example.com"),
    (COMPLEX, "https://www.example.com/", "all://*example.com"),
    (COMPLEX, "http://internal.example.com/", "all://*example.com"),
    (COMPLEX, "http://internal.example.com:5551/", "all://*example.com"),
    (COMPLEX, "https://internal.example.com:5550/", "all://*example.com"),
    (COMPLEX, "http://internal.example.com:5550/", "http://internal.example.com:5550"),
    (HTTPS_REDIRECT, "http://example.com/", "http://"),
    (HTTPS_REDIRECT, "https://example.com/", None),
    (HTTPS_REDIRECT_WITH_HTTPS, "http://example.com/", "http://"),
    (HTTPS_REDIRECT_WITH_HTTPS, "https://example.com/", "https://"),
    (NO_HTTP2_ON_ONE_DOMAIN, "https://example.com/", "all://"),
    (NO_HTTP2_ON_ONE_DOMAIN, "https://example.org/", "all://*example.org"),
    (NO_HTTP2_ON_ONE_DOMAIN, "https://www.example.org/", "all://*example.org"),
    (MOCKED_DOMAIN, "https://example.org/", "all://example.org"),
    (MOCKED_DOMAIN, "https://www.example.org/", None),
    (
        CUSTOM_SCHEME,
        "file:///Users/sylvia_green/websites/new_client/index.html",
        "file://",
    ),
    (CUSTOM_SCHEME, "file://localhost/etc/hosts", "file://"),
    (CUSTOM_SCHEME, "https://example.org/file:///etc/hosts", None),
]


def _transports(routes: Routes) -> dict[str, SpyTransport | None]:
    return {key: SpyTransport(target) if target else None for key, target in routes.items()}


@pytest.mark.parametrize(("routes", "url", "key"), EXAMPLES)
def test_mounts_does_what_the_documentation_says(routes: Routes, url: str, key: str | None) -> None:
    transports = _transports(routes)
    route = Mounts(transports, default=DEFAULT).route_for(url)
    assert route.pattern == key
    assert route.transport is ((key and transports[key]) or DEFAULT)


@pytest.mark.slow  # httpx does not change with our code
@pytest.mark.parametrize(("routes", "url", "key"), EXAMPLES)
def test_a_stock_client_does_what_the_documentation_says(
    routes: Routes, url: str, key: str | None
) -> None:
    transports = _transports(routes)
    with httpx.Client(transport=DEFAULT, mounts=transports, trust_env=False) as client:
        transport = client._transport_for_url(httpx.URL(url))
    assert transport is ((key and transports[key]) or DEFAULT)


def test_every_key_of_every_example_takes_something() -> None:
    every = [(id(routes), key) for routes, _, _ in EXAMPLES for key in routes]
    assert {(id(routes), key) for routes, _, key in EXAMPLES if key} == set(every)
