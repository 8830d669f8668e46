"""Every secret of the corpus is sent for real, and found in no output."""

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.corpus import SECRETS, Secret, in_turn, served
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.transportkit import (
    ConsoleLog,
    CurlLog,
    DebuggingTransport,
    Exchange,
    HARRecorder,
    RedactingFilter,
)

# httpx's own loggers and httpcore's, by either name.
LOGGERS = ("httpx", "httpcore", "httpx2", "httpcore2", "transportkit")

# Where the neighbour is to be seen.
SHOWN = {
    "url": {"console", "curl", "har", "exchange", "logs"},
    "request header": {"console", "curl", "har", "exchange"},
    "request body": {"console", "curl", "har", "exchange"},
    "response header": {"console", "har", "exchange", "logs"},
    "response body": {"console", "har", "exchange"},
    "error": {"console", "har", "exchange", "logs"},
    "proxy": {"logs"},
}


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What a handler writes that has a `RedactingFilter`."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keep()
    handler.addFilter(RedactingFilter())
    with pytest.MonkeyPatch.context() as monkeypatch, ExitStack() as stack:
        for name in LOGGERS:
            logger = logging.getLogger(name)
            monkeypatch.setattr(logger, "handlers", [handler])
            monkeypatch.setattr(logger, "propagate", False)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        yield lines


def shown(exchange: Exchange) -> str:
    """All that an exchange tells, but for what it has in the clear."""
    parts = [repr(exchange), str(exchange)]
    for name in dir(exchange):
        if not name.startswith("_") and name != "unmasked":
            value = getattr(exchange, name)
            parts.append(f"{value} {value!r}")
    for body in (exchange.request_body, exchange.response_body):
        parts += (repr(body), repr(body.content), repr(body.text))
    return "\n".join(parts)


async def outputs(
    secret: Secret, flavour: Flavour, path: Path, logged: list[str]
) -> dict[str, str]:
    """Send a secret, and keep what is shown of it."""
    console: list[str] = []
    curl: list[str] = []
    exchanges: list[Exchange] = []
    errors: list[str] = []
    with served(secret) as (request, proxy), HARRecorder(path) as recorder:
        inner = flavour.HTTPTransport(proxy=proxy, verify=False)
        observers = (ConsoleLog(console.append, headers=True), CurlLog(curl.append), recorder)
        transport = flavour.DebuggingTransport(inner, *observers, exchanges.append, bodies=4096)
        errors.append(repr(transport))
        async with flavour.client(transport=transport) as client:
            try:
                await client.send(request)
            except httpx.TransportError:
                # The error is httpx's own and not ours to change, but a log of it is.
                logging.getLogger("httpx").exception("failed", stack_info=True)
    assert len(exchanges) == 1
    assert (exchanges[0].error is not None) == (secret.place == "error")
    if secret.place != "proxy":
        # Else what is found nowhere would prove nothing.
        assert secret.found_in(shown(exchanges[0].unmasked))
    return {
        "console": "\n".join(console),
        "curl": "\n".join(curl),
        "har": path.read_text("utf-8"),  # noqa: ASYNC240 - nothing else runs
        "exchange": "\n".join(map(shown, exchanges)),
        "repr": "\n".join(errors),
        "logs": "\n".join(logged),
    }


@pytest.mark.parametrize(("secret", "flavour"), in_turn(NAMES), indirect=["flavour"])
async def test_a_secret_is_in_no_output_and_its_neighbour_in_each(
    secret: Secret, flavour: Flavour, tmp_path: Path, logged: list[str]
) -> None:
    found = await outputs(secret, flavour, tmp_path / "exchanges.har", logged)
    leaks = {name: secret.found_in(text) for name, text in found.items()}
    assert {name: spellings for name, spellings in leaks.items() if spellings} == {}
    for name in SHOWN[secret.place]:
        assert secret.neighbour in found[name], name
    json.loads(found["har"])


CHARSETS = [
    ("utf-16-le", 'application/json; profile=";charset=utf-8"'),
    ("utf-16-be", "application/json"),
    ("utf-32-le", "application/json; charset=utf-8"),
    ("utf-8", "application/json; charset=punycode"),
    ("utf-8", "application/json; charset=utf-7"),
    ("iso2022_jp", "application/json; charset=iso-2022-jp"),
]


@pytest.mark.parametrize(("charset", "content_type"), CHARSETS)
def test_no_charset_hides_a_secret_from_the_masker_alone(
    charset: str, content_type: str, tmp_path: Path
) -> None:
    body = '{"user": "lion", "password": "tiger"}'.encode(charset)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": content_type}, content=body)

    console: list[str] = []
    path = tmp_path / "exchanges.har"
    with HARRecorder(path) as recorder:
        observers = (ConsoleLog(console.append), recorder)
        transport = DebuggingTransport(httpx.MockTransport(answer), *observers, bodies=4096)
        with httpx.Client(transport=transport) as client:
            client.get("https://example.com/")
    for text in ("\n".join(console), path.read_text("utf-8")):
        assert "tiger" not in text
        assert "lion" in text


@pytest.mark.parametrize("content_type", ["image/svg+xml", "image/x+xml; charset=utf-8"])
def test_a_picture_that_is_text_is_masked(content_type: str) -> None:
    picture = b"<svg><desc>Bearer tiger</desc><token>tiger</token><title>lion</title></svg>"
    seen: list[Exchange] = []

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": content_type}, content=picture)

    transport = DebuggingTransport(httpx.MockTransport(answer), seen.append, bodies=4096)
    with httpx.Client(transport=transport) as client:
        client.get("https://example.com/")
    text = seen[0].response_body.text
    assert text == "<svg><desc>Bearer ****</desc><token>****</token><title>lion</title></svg>"


def test_there_are_enough_of_them() -> None:
    assert len(SECRETS) >= 60
    assert {secret.place for secret in SECRETS} == set(SHOWN)
    assert len({str(secret) for secret in SECRETS}) == len(SECRETS)
