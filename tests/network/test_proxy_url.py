"""The URL of a proxy: what it is made of, and what to write instead of what is none."""

import re
import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import other
from support.library import LIBRARY, httpx

from transportkit.network.proxy_url import parse_proxy
from transportkit.redaction.redaction import REDACTION

SECRET = "tiger"


class TestAProxy:
    @pytest.mark.parametrize(
        ("text", "url", "auth"),
        [
            ("http://proxy.example:8080", "http://proxy.example:8080", None),
            ("http://proxy.example", "http://proxy.example", None),
            ("https://proxy.example:8443", "https://proxy.example:8443", None),
            ("HTTP://proxy.example:8080", "http://proxy.example:8080", None),
            ("http://127.0.0.1:3128/", "http://127.0.0.1:3128/", None),
            ("http://[::1]:3128", "http://[::1]:3128", None),
            ("socks5://proxy.example:1080", "socks5://proxy.example:1080", None),
            ("socks5h://proxy.example", "socks5h://proxy.example", None),
            ("http://scott:tiger@h:8080", "http://h:8080", ("scott", "tiger")),
            ("socks5://scott:tiger@h:1080", "socks5://h:1080", ("scott", "tiger")),
            ("http://scott@h:8080", "http://h:8080", ("scott", "")),
            ("http://scott:ti%2Fger%40@h:8080", "http://h:8080", ("scott", "ti/ger@")),
            ("http://scott:ti@ger@h:8080", "http://h:8080", ("scott", "ti@ger")),
        ],
    )
    def test_is_made_of_its_url(self, text: str, url: str, auth: tuple[str, str] | None) -> None:
        proxy = parse_proxy(text, httpx.BaseTransport)
        assert (proxy.url, proxy.auth) == (httpx.URL(url), auth)

    def test_is_made_of_a_parsed_url(self) -> None:
        proxy = parse_proxy(httpx.URL("http://scott:tiger@proxy.example:8080"), httpx.BaseTransport)
        assert (str(proxy.url), proxy.auth) == ("http://proxy.example:8080", ("scott", "tiger"))

    def test_of_the_other_library_is_refused_with_what_to_write(self) -> None:
        with pytest.raises(TypeError, match=rf"write {LIBRARY}\.Proxy\(\.\.\.\)$"):
            parse_proxy(other.httpx.Proxy("http://proxy.example"), httpx.BaseTransport)

    def test_that_is_one_already_stays_what_it_is(self) -> None:
        proxy = httpx.Proxy("http://proxy.example", headers={"X-Key": "abc"})
        assert parse_proxy(proxy, httpx.BaseTransport) is proxy

    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            (
                "proxy.example:8080",
                "'proxy.example:8080' is not a proxy URL: write 'http://proxy.ex",
            ),
            ("proxy.example", "'proxy.example' is not a proxy URL: write 'http://proxy.example'"),
            (
                "h:80:scott:tiger",
                "'h:80:****' is not a proxy URL: write 'http://user:password@h:80'",
            ),
            (
                "http://h:80:scott:ti:ger",
                "'h:80:****' is not a proxy URL: write 'http://user:passwor",
            ),
            (" http://scott:tiger@h", "'http://****@h' has whitespace around it: strip() it"),
            ("http://h:80\n", "'http://h:80' has whitespace around it: strip() it"),
            ("[::1]:80", "'[::1]:80' is not a proxy URL: write 'http://[::1]:80'"),
            ("scott:tiger@h:80", "'****@h:80' is not a proxy URL: write 'http://****@h:80'"),
            ("scott:ti//ger@h:80", "'****@h:80' is not a proxy URL such as 'http://"),
            (
                "ftp://h",
                "'ftp://h' is not a proxy URL: httpx speaks http, https, socks5, socks5h; ",
            ),
            ("socks4://scott:tiger@h", "'socks4://****@h' is not a proxy URL: httpx speaks http, "),
            ("scott:ti://ger@h", "'****@h' is not a proxy URL: httpx speaks "),
            ("://scott:tiger@h", "'****@h' is not a proxy URL: httpx speaks "),
            ("ht tp://scott:tiger@h", "'****@h' is not a proxy URL: httpx speaks "),
            ("http://", "'http://' is not a proxy URL: it names no host"),
            ("http://:8080", "'http://:8080' is not a proxy URL: it names no host"),
            ("http:///path", "'http:///path' is not a proxy URL: it names no host"),
            ("http://scott:tiger@", "'http://****@' is not a proxy URL: it names no host"),
            ("http://scott:tiger@:80", "'http://****@:80' is not a proxy URL: it names no host"),
            (
                "http://scott:ti/ger@h:80",
                "'http://****@h:80' is not a proxy URL: percent-encode '/'",
            ),
            (
                "http://scott:ti?ger@h:80",
                "'http://****@h:80' is not a proxy URL: percent-encode '/'",
            ),
            (
                "http://scott:ti#ger@h:80",
                "'http://****@h:80' is not a proxy URL: percent-encode '/'",
            ),
            (
                "http://scott:tiger@h:port",
                "'http://****@h:port' is not a proxy URL: percent-encode ",
            ),
            ("http://scott:tiger@h:80:80", "'http://****@h:80:80' is not a proxy URL: percent-enc"),
            ("http://scott:ti\nger@h:80", "'http://****@h:80' is not a proxy URL: percent-encode "),
            (
                "http://h:port",
                "'http://h:port' is not a proxy URL: percent-encode '/', '?', '#' and ",
            ),
            ("http://[::1", "'http://[::1' is not a proxy URL: percent-encode "),
        ],
    )
    def test_that_is_none_is_refused_with_advice_and_without_credentials(
        self, text: str, refusal: str
    ) -> None:
        with pytest.raises(ValueError, match=f"^{re.escape(refusal)}") as caught:
            parse_proxy(text, httpx.BaseTransport)
        for part in ("scott", "tiger", "ger@"):
            assert part not in str(caught.value)

    def test_with_a_bad_port_is_told_to_write_a_number(self) -> None:
        with pytest.raises(ValueError, match=r"write its port as a number$"):
            parse_proxy("http://proxy.example:port", httpx.BaseTransport)

    def test_of_another_scheme_is_told_to_use_a_transport(self) -> None:
        with pytest.raises(ValueError, match=r"pass a transport that speaks it$"):
            parse_proxy("quic://proxy.example", httpx.BaseTransport)

    def test_that_is_refused_shows_no_credentials_in_its_traceback(self) -> None:
        password = f"{SECRET}/{SECRET}"
        with pytest.raises(ValueError, match="percent-encode") as caught:
            parse_proxy(f"http://scott:{password}@proxy.example", httpx.BaseTransport)
        assert SECRET not in "".join(traceback.format_exception(caught.value))

    @given(
        prefix=st.sampled_from(["http://", "HTTPS://", "socks5://", "ftp://", "://", "//", "", " "])
        | st.text(max_size=5),
        before=st.text(max_size=8),
        after=st.text(max_size=8),
        host=st.sampled_from(["h", "h:80", "h:port", "[::1]:80", "[::1", "", ":80", "-.de"])
        | st.text(max_size=8),
    )
    @example(prefix="http://", before="scott:1/", after="", host="h:port")
    @example(prefix="", before="scott:", after="/x@y", host="h")
    @example(prefix="", before="scott:a://", after="", host="h")
    def test_never_has_a_secret_in_its_refusal(
        self, prefix: str, before: str, after: str, host: str
    ) -> None:
        try:
            parse_proxy(f"{prefix}{before}{SECRET}{after}@{host}", httpx.BaseTransport)
        except ValueError as refusal:
            assert SECRET not in "".join(traceback.format_exception(refusal))

    @pytest.mark.parametrize(
        "text",
        [
            "http://scott:12/tiger@proxy.example:8080",
            "http://scott:12?tiger@proxy.example:8080",
            "http://scott:12#tiger@proxy.example:8080",
            "http://scott:/tiger@proxy.example:8080",
            "http://sc/tiger@proxy.example:8080",
            "http://scott:t@ge/tiger@proxy.example:8080",
        ],
    )
    def test_never_takes_half_its_credentials_for_a_host(self, text: str) -> None:
        with pytest.raises(ValueError, match="percent-encode") as caught:
            parse_proxy(text, httpx.BaseTransport)
        assert SECRET not in str(caught.value)

    @given(
        scheme=st.sampled_from(["http", "https", "socks5", "socks5h"]),
        user=st.text(max_size=8),
        password=st.text(max_size=8),
    )
    def test_with_credentials_is_never_shown_with_them(
        self, scheme: str, user: str, password: str
    ) -> None:
        url = httpx.URL(f"{scheme}://proxy.example", username=user, password=password + SECRET)
        proxy = parse_proxy(url, httpx.BaseTransport)
        assert proxy.auth == (user, password + SECRET)
        assert REDACTION.proxy(proxy) == f"{scheme}://****@proxy.example"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://a.example,b.example", "it is one URL, without spaces or commas"),
        ("http://a example", "it is one URL, without spaces or commas"),
        ("http://a.example:65536", "a port is a number from 1 to 65535"),
        ("http://a.example:0", "a port is a number from 1 to 65535"),
        ("http:/a.example", "write 'http://a.example'"),
        ("//a.example:80", "write 'http://a.example:80'"),
    ],
)
def test_a_proxy_that_could_not_be_reached_is_refused(url: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{re.escape(text)}$"):
        parse_proxy(url, httpx.BaseTransport)
