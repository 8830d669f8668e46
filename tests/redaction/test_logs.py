"""`RedactingFilter`: on every kind of record, and on what httpx and httpcore really log."""

import datetime as dt
import decimal
import json
import logging
import logging.config
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.corpus import Secret, in_turn, served
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.raw import raw_server, read_head, respond, wait_for_end
from support.transportkit import RedactingFilter, Redaction

from transportkit.redaction import logs

URL = httpx.URL("https://scott:tiger@example.com/?token=tiger&page=2")
SHOWN_URL = "https://****@example.com/?token=****&page=2"
HTTP_LOGGERS = ("httpx", "httpcore", "httpx2", "httpcore2")


class Keeping(logging.Handler):
    """Keeps what it writes, and the records that it wrote it from."""

    def __init__(self, formatter: logging.Formatter | None = None) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(self.format(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        raise AssertionError(record) from sys.exc_info()[1]


WAYS = ["a copy", "in place"]


@pytest.fixture(params=WAYS)
def handler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Keeping:
    """A handler with the filter, as on this Python and as on Python 3.11."""
    if request.param == "in place":
        monkeypatch.setattr(logs, "_REPLACES", False)
    elif not logs._REPLACES:
        pytest.skip("a filter cannot replace a record here")
    handler = Keeping()
    handler.addFilter(RedactingFilter())
    return handler


@pytest.fixture
def logger(handler: Keeping) -> logging.Logger:
    # One that nobody else gets.
    logger = logging.Logger("test", logging.DEBUG)  # noqa: LOG001
    logger.addHandler(handler)
    return logger


class Secretive:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("tiger")

    __repr__ = __str__


def fail() -> None:
    token = "tiger"
    raise ValueError(f"Bearer {token}") from OSError(f"to {URL}")


@pytest.mark.parametrize(
    ("message", "args", "written"),
    [
        ("nothing at all", (), "nothing at all"),
        ("100% sure", (), "100% sure"),
        ("GET %s", (URL,), f"GET {SHOWN_URL}"),
        ("%r", (URL,), f"URL('{SHOWN_URL}')"),
        ("%-3s|%s", (URL, 1), f"{SHOWN_URL}|1"),
        ("%s and %s", ("Bearer tiger", "lion"), "Bearer **** and lion"),
        ("%s %d %.1f %s", (("a", "b"), 2, 3.25, None), "('a', 'b') 2 3.2 None"),
        ("%d %s", (decimal.Decimal(3), dt.date(2025, 1, 2)), "3 2025-01-02"),
        ("token=%s page=%s", ("tiger", 2), "token=**** page=2"),
        ("Authorization: %s", ("Basic dGlnZXI=",), "Authorization: Basic ****"),
        ("100% of %s", ("tiger",), "100% of %s ('tiger',)"),
        ("%s %s", ("Bearer tiger",), "%s %s ('Bearer ****',)"),
        ("%(name)s %(token)s", ({"name": "scott", "token": "tiger"},), "scott ****"),
        ("%(a)s", ({"a": {"password": 5, "page": 2}},), "{'password': '****', 'page': 2}"),
        ("%s", ({"Authorization": "Bearer tiger"},), "{'Authorization': 'Bearer ****'}"),
        (
            "%s",
            ([b"token=tiger", [("Cookie", "a=tiger")]],),
            "[b'token=****', [('Cookie', 'a=****')]]",
        ),
        ("%s %s", (httpx.Headers({"Cookie": "a=b"}), 1), "Headers({'cookie': 'a=****'}) 1"),
        ("%s", ({"page": 2},), "{'page': 2}"),
        ("%r", ({"pin": 2},), "{'pin': ****}"),
        ("%s", (httpx.Headers({"X-Api-Key": "tiger"}),), "Headers({'x-api-key': '****'})"),
        ("%s", (httpx.Request("GET", URL),), f"<Request('GET', '{SHOWN_URL}')>"),
        ("%s", (httpx.ConnectError(f"to {URL}"),), f"to {SHOWN_URL}"),
        ("%s", (Secretive("token=tiger a=1"),), "token=**** a=1"),
        ("%s", (Broken(),), "<Broken that cannot be shown>"),
        (Broken(), (), "<Broken that cannot be shown> ()"),
        (Secretive("Bearer tiger"), (), "Bearer ****"),
        (ValueError("Bearer tiger"), (), "Bearer ****"),
        (URL, (), SHOWN_URL),
        ({"event": "sent", "token": "tiger"}, (), "{'event': 'sent', 'token': '****'}"),
        (7, (), "7"),
    ],
    ids=range(30),
)
def test_a_message_is_written_without_its_secrets(
    handler: Keeping, logger: logging.Logger, message: object, args: tuple[Any, ...], written: str
) -> None:
    logger.info(message, *args)
    assert handler.lines == [written]


def test_a_message_keeps_its_template_and_arguments(
    handler: Keeping, logger: logging.Logger
) -> None:
    when = dt.date(2025, 1, 2)
    logger.info("%s %s %d %s", "GET", URL, 200, when)
    (record,) = handler.records
    assert record.msg == "%s %s %d %s"
    assert isinstance(record.args, tuple)
    method, url, status, day = record.args
    assert (method, str(url), f"{url:s}", status) == ("GET", SHOWN_URL, SHOWN_URL, 200)
    assert day is when


def test_a_formatter_that_takes_the_arguments_apart_still_can(
    handler: Keeping, logger: logging.Logger
) -> None:
    # As uvicorn's does with its access log.
    class Apart(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            assert isinstance(record.args, tuple)
            client, path = record.args
            return f"{client} asked for {path}"

    handler.setFormatter(Apart())
    logger.info('%s - "%s"', "127.0.0.1", "/?token=tiger&page=2")
    assert handler.lines == ["127.0.0.1 asked for /?token=****&page=2"]


def test_an_error_and_a_stack_are_written_without_their_secrets(
    handler: Keeping, logger: logging.Logger
) -> None:
    try:
        fail()
    except ValueError:
        logger.exception("failed", stack_info=True)
    (line,) = handler.lines
    assert "tiger" not in line
    assert "ValueError: Bearer ****" in line
    assert f"OSError: to {SHOWN_URL}" in line
    assert "Stack (most recent call last):" in line
    assert handler.records[0].exc_info is None


def test_what_stands_beside_the_message_is_written_without_its_secrets(
    handler: Keeping, logger: logging.Logger
) -> None:
    class JSON(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            standard = vars(logging.makeLogRecord({})).keys() - {"msg"}
            shown = {name: each for name, each in vars(record).items() if name not in standard}
            return json.dumps(shown, default=str)

    handler.setFormatter(JSON())
    nested: list[object] = []
    nested.append(nested)
    extra = {
        "url": URL,
        "api_key": "tiger",
        "token": 7,
        "password": None,
        "headers": {"Cookie": "a=tiger", "Accept": "*/*"},
        "pairs": [("Authorization", "tiger")],
        "page": 2,
        "nested": nested,
    }
    logger.info("sent", extra=extra)
    (line,) = handler.lines
    assert "tiger" not in line
    shown = json.loads(line)
    assert shown["nested"] == [[[[["[[...]]"]]]]]
    del shown["nested"]
    assert shown == {
        "msg": "sent",
        "url": SHOWN_URL,
        "api_key": "****",
        "token": "****",
        "password": None,
        "headers": {"Cookie": "a=****", "Accept": "*/*"},
        "pairs": ["('Authorization', '****')"],
        "page": 2,
    }
    assert extra["api_key"] == "tiger"


def test_what_is_nested_is_masked_by_its_own_names(
    handler: Keeping, logger: logging.Logger
) -> None:
    key = "ghp_0123456789abcdefghij"
    extra = {
        "tokens": {"prompt": 5, "name": "lion", key: 1},
        "keys": ("a", 2),
        "max_sessions": 4,
        "sessions": 7,
        "pass": True,
        "auth": object(),
        "credentials": ["tiger"],
    }
    logger.info("sent", extra=extra)
    shown = {name: vars(handler.records[0])[name] for name in extra}
    assert shown == {
        "tokens": {"prompt": 5, "name": "lion", "ghp_****": 1},
        "keys": ("a", 2),
        "max_sessions": 4,
        "sessions": 7,
        "pass": True,
        "auth": "****",
        "credentials": "****",
    }


def test_what_another_handler_left_in_the_record_is_masked(
    handler: Keeping, logger: logging.Logger
) -> None:
    class Leaving(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.format(record)

    class Taking(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return f"{record.message} {record.exc_text}"

    handler.setFormatter(Taking())
    logger.handlers.insert(0, Leaving())
    try:
        fail()
    except ValueError:
        logger.exception("token=tiger")
    assert "tiger" not in handler.lines[0]
    assert handler.lines[0].startswith(f"token=**** OSError: to {SHOWN_URL}")


@pytest.mark.parametrize("is_first", [True, False])
def test_the_record_stays_as_it_was_for_other_handlers(
    handler: Keeping, logger: logging.Logger, is_first: bool
) -> None:
    other = Keeping()
    logger.handlers.insert(1 - is_first, other)
    try:
        fail()
    except ValueError as error:
        logger.exception("GET %s", URL, extra={"token": "tiger"})
        expected = "".join(traceback.format_exception(error)).strip()
    assert "****" in handler.lines[0]
    if logs._REPLACES or is_first:
        assert other.lines == [f"GET {URL}\n{expected}"]
        assert not logs._REPLACES or vars(other.records[0])["token"] == "tiger"
    else:
        # Python 3.11 has no way; better too little than too much.
        assert other.lines == handler.lines


def test_a_handler_writes_the_same_when_it_has_the_filter_twice(
    handler: Keeping, logger: logging.Logger
) -> None:
    handler.addFilter(RedactingFilter())
    logger.info("GET %s %s", URL, [("token", "tiger")])
    assert handler.lines == [f"GET {SHOWN_URL} [('token', '****')]"]


def test_what_is_masked_can_be_chosen() -> None:
    handler = Keeping()
    handler.addFilter(RedactingFilter(Redaction(mask=["page"], show=["token"])))
    logger = logging.Logger("test")  # noqa: LOG001 - one that nobody else gets
    logger.addHandler(handler)
    logger.info("token=%s page=%s pin=%s", 1, 2, 3)
    assert handler.lines == ["token=1 page=**** pin=****"]


def test_it_can_be_written_in_a_dict_config() -> None:
    name = "transportkit.test"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"redact": {"()": "transportkit.RedactingFilter"}},
            "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["redact"]}},
            "loggers": {name: {"handlers": ["console"]}},
        }
    )
    logger = logging.getLogger(name)
    (handler,) = logger.handlers
    logger.removeHandler(handler)
    assert [type(each) for each in handler.filters] == [RedactingFilter]


@pytest.fixture
def attach() -> Iterator[Callable[[logging.Handler], None]]:
    """Let a handler write all that httpx and httpcore log."""
    with ExitStack() as stack:

        def attached(handler: logging.Handler) -> None:
            for name in HTTP_LOGGERS:
                logger = logging.getLogger(name)
                stack.callback(logger.setLevel, logger.level)
                stack.callback(logger.removeHandler, handler)
                logger.setLevel(logging.DEBUG)
                logger.addHandler(handler)

        yield attached


@pytest.mark.parametrize(
    ("secret", "flavour", "handler"), in_turn(NAMES, WAYS), indirect=["flavour", "handler"]
)
async def test_a_secret_is_in_no_line_of_httpx_and_httpcore(
    secret: Secret, flavour: Flavour, handler: Keeping, attach: Callable[[logging.Handler], None]
) -> None:
    clear = Keeping()
    attach(clear)
    attach(handler)
    with served(secret) as (request, proxy):
        async with flavour.client(proxy=proxy, verify=False, trust_env=False) as client:
            try:
                await client.send(request)
            except httpx.TransportError:
                assert secret.place == "error"
    assert len(handler.lines) == len(clear.lines) > 3
    assert secret.found_in("\n".join(handler.lines)) == []
    in_clear = secret.found_in("\n".join(clear.lines))
    if secret.place in {"url", "response header", "error"} or secret.name.startswith("socks5"):
        assert in_clear
        assert secret.neighbour in "\n".join(handler.lines)


async def test_a_line_without_secrets_is_written_as_it_is(
    flavour: Flavour, handler: Keeping, attach: Callable[[logging.Handler], None]
) -> None:
    def talk(connection: Any) -> None:
        read_head(connection)
        respond(connection, "200 OK", "Content-Type: text/html", 'ETag: "a"', body=b"fine")
        wait_for_end(connection)

    clear = Keeping()
    attach(clear)
    attach(handler)
    with raw_server(talk) as url:
        async with flavour.client(trust_env=False, verify=False) as client:
            await client.get(f"{url}/a/b?page=2&q=a%20b#c")
    assert handler.lines == clear.lines


class Seeing(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        self.names.append(record.name)
        return True


def test_a_filter_on_a_parent_logger_would_see_next_to_nothing() -> None:
    # What the docstring says of it.
    seen = Seeing()
    parent, child = logging.getLogger("transportkit.a"), logging.getLogger("transportkit.a.b")
    clear = Keeping()
    parent.addHandler(clear)
    parent.addFilter(seen)
    child.warning("token=tiger")
    parent.removeHandler(clear)
    parent.filters.clear()
    assert (seen.names, clear.lines) == ([], ["token=tiger"])


@pytest.mark.parametrize("given", ["httpx", 1, Redaction])
def test_what_is_no_redaction_is_refused(given: object) -> None:
    # A logging.Filter takes a name; a filter that fails would break whoever logs.
    with pytest.raises(TypeError, match=r"write handler.addFilter\(RedactingFilter\(\)\)$"):
        RedactingFilter(given)  # type: ignore[arg-type]
