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
from pathlib import Path
from typing import Any

import pytest
import pythonjsonlogger.json
import structlog
from support.corpus import Secret, in_turn, served
from support.flavours import NAMES, Flavour
from support.library import httpx
from support.matrices import thinned
from support.raw import raw_server, read_head, respond, wait_for_end
from support.transportkit import RedactingFilter, Redaction

from transportkit.redaction import logs
from transportkit.redaction.tracebacks import masked_exc_info

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


def test_what_stands_beside_the_message_is_written_without_its_secrets(
    handler: Keeping, logger: logging.Logger
) -> None:
    class JSON(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            standard = vars(logging.makeLogRecord({})).keys() - {"msg"}
            shown = {name: each for name, each in vars(record).items() if name not in standard}
            return json.dumps(shown, default=str)

    handler.setFormatter(JSON())
    nested: list[object] = ["token=tiger"]
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
        "deep": {"a": {"a": {"a": {"a": {"a": {"token": "tiger"}}}}}},
    }
    logger.info("sent", extra=extra)
    (line,) = handler.lines
    assert "tiger" not in line
    shown = json.loads(line)
    for _ in range(5):
        first, shown["nested"] = shown["nested"]
        assert first == "token=****"
    assert shown["nested"] == "['token=****', [...]]"
    del shown["nested"]
    assert "{'token': '****'}" in str(shown.pop("deep"))
    assert shown == {
        "msg": "sent",
        "url": SHOWN_URL,
        "api_key": "****",
        "token": "****",
        "password": None,
        "headers": {"Cookie": "a=****", "Accept": "*/*"},
        "pairs": [["Authorization", "****"]],
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


DATE = dt.date(2025, 1, 2)


class QuotaError(Exception):
    """Its class cannot be called with the text that it shows."""

    def __init__(self, account: str, left: int) -> None:
        super().__init__(account, left)
        self.account = account

    def __str__(self) -> str:
        return f"no quota left for {self.account}"


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("tiger")


def raising(text: str) -> None:
    raise ValueError(text)


def caught(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - so that it has a traceback
    except BaseException as seen:  # noqa: BLE001 - any there may be
        return seen


def plain(text: str) -> BaseException:
    return caught(ValueError(text))


def of_other_arguments(text: str) -> BaseException:
    return caught(QuotaError(text, 0))


def with_notes(text: str) -> BaseException:
    error = caught(ValueError("seven"))
    error.add_note(text)
    error.add_note("and more")
    return error


def with_one_note(text: str) -> BaseException:
    error = caught(ValueError("seven"))
    vars(error)["__notes__"] = text
    return error


def with_a_cause(text: str) -> BaseException:
    error = caught(RuntimeError("above"))
    error.__cause__ = plain(text)
    return error


def with_a_context(text: str) -> BaseException:
    error = caught(RuntimeError("above"))
    error.__context__ = plain(text)
    return error


def with_a_context_that_is_not_shown(text: str) -> BaseException:
    error = with_a_context("lion")
    error.__suppress_context__ = True
    error.add_note(text)
    return error


def in_a_cycle(text: str) -> BaseException:
    error, other = plain(text), caught(OSError("other"))
    error.__context__, other.__context__ = other, error
    return error


def in_a_group(text: str) -> BaseException:
    inner = BaseExceptionGroup("inner", [plain(text), caught(OSError("one"))])
    return caught(BaseExceptionGroup("outer", [inner, caught(KeyboardInterrupt("stop"))]))


def as_a_group(text: str) -> BaseException:
    return caught(BaseExceptionGroup(text, [caught(OSError("one"))]))


def beside_a_mute_one(text: str) -> BaseException:
    error = plain(text)
    error.__cause__ = caught(Mute())
    return error


ERRORS: list[Callable[[str], BaseException]] = [
    plain,
    of_other_arguments,
    with_notes,
    with_one_note,
    with_a_cause,
    with_a_context,
    with_a_context_that_is_not_shown,
    in_a_cycle,
    in_a_group,
    as_a_group,
    beside_a_mute_one,
]


def by_structlog(*processors: Any) -> logging.Formatter:
    formatter = structlog.stdlib.ProcessorFormatter
    return formatter(processors=[formatter.remove_processors_meta, *processors])


def caching() -> logging.Formatter:
    """One that keeps what it has written of the error in the record, as that of logging does."""
    return logging.Formatter("%(levelname)s %(message)s")


def in_one_line() -> logging.Formatter:
    class OneLine(logging.Formatter):
        def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
            return repr("".join(traceback.format_exception(*ei)))

    return OneLine()


def in_json_by_structlog() -> logging.Formatter:
    render = structlog.processors.JSONRenderer(sort_keys=True)
    return by_structlog(structlog.processors.format_exc_info, render)


def in_colors_by_structlog() -> logging.Formatter:
    plainly = structlog.dev.plain_traceback
    return by_structlog(structlog.dev.ConsoleRenderer(False, exception_formatter=plainly))


def in_json() -> logging.Formatter:
    return pythonjsonlogger.json.JsonFormatter("%(levelname)s %(message)s")


BY_STRUCTLOG = [in_json_by_structlog, in_colors_by_structlog]
FORMATTERS = [caching, in_one_line, *BY_STRUCTLOG, in_json]


def by_stdlib(logger: logging.Logger, text: str, error: BaseException | None) -> None:
    logger.warning("%s on %s", text, DATE, exc_info=error, extra={"port": 8080, "beside": text})


def by_stdlib_as_a_dict(logger: logging.Logger, text: str, error: BaseException | None) -> None:
    logger.warning({"event": "sent", "beside": [text, ("a", text)], "port": 80}, exc_info=error)


def through_structlog(logger: logging.Logger, text: str, error: BaseException | None) -> None:
    wrapped: Any = structlog.wrap_logger(
        logger,
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    given = {} if error is None else {"exc_info": error}
    wrapped.warning("sent", port=8080, when=DATE.isoformat(), beside={"a": text}, **given)


def through_structlog_while_handled(
    logger: logging.Logger, text: str, error: BaseException | None
) -> None:
    wrapped: Any = structlog.wrap_logger(
        logger,
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        if error is not None:
            raise error.with_traceback(None)  # noqa: TRY301 - it is to be handled here
    except BaseException:  # noqa: BLE001 - any there may be
        wrapped.exception("failed", beside=text)
    else:
        wrapped.error("failed", beside=text)


# What structlog hands on is an event for its own formatter only, with or without us.
WAYS_TO_WRITE = [
    *((by_stdlib, formatter) for formatter in FORMATTERS),
    *((by_stdlib_as_a_dict, formatter) for formatter in (caching, in_one_line, in_json)),
    *((through_structlog, formatter) for formatter in BY_STRUCTLOG),
    *((through_structlog_while_handled, formatter) for formatter in BY_STRUCTLOG),
]


@pytest.mark.parametrize(
    ("log", "formatter", "error", "handler"),
    thinned(WAYS_TO_WRITE, [None, *ERRORS], WAYS),
    indirect=["handler"],
)
@pytest.mark.parametrize("text", ["harmless", "token=tiger"])
def test_a_formatter_writes_the_same_as_without_it_but_for_the_secrets(
    handler: Keeping,
    logger: logging.Logger,
    log: Callable[..., None],
    formatter: Callable[[], logging.Formatter],
    error: Callable[[str], BaseException] | None,
    text: str,
) -> None:
    made = None if error is None else error(text)
    clear = Keeping(formatter())
    handler.setFormatter(formatter())
    without = logging.Logger("test")  # noqa: LOG001 - one that nobody else gets
    without.addHandler(clear)
    log(without, text, made)
    log(logger, text, made)
    assert handler.lines == [clear.lines[0].replace("tiger", "****")]
    if text == "harmless":
        info = handler.records[0].exc_info
        assert info is None or info[1] is made


def test_a_record_without_a_secret_is_handed_on_as_it_is() -> None:
    error = in_a_cycle("harmless")
    record = logging.makeLogRecord(
        {
            "msg": "%s and %s",
            "args": (URL.copy_with(userinfo=b"", query=b""), [1, ("a", {"b": None})]),
            "exc_info": (type(error), error, error.__traceback__),
            "headers": {"Accept": "*/*"},
        }
    )
    before = dict(vars(record))
    assert RedactingFilter().filter(record) is True
    assert {name: id(each) for name, each in vars(record).items()} == {
        name: id(each) for name, each in before.items()
    }


def test_an_error_keeps_its_traceback_and_the_name_of_its_class() -> None:
    error = of_other_arguments("token=tiger")
    info = (type(error), error, error.__traceback__)
    kind, shown, trace = masked_exc_info(info, Redaction())
    assert (kind, kind.__qualname__, kind.__module__) == (type(shown), "QuotaError", __name__)
    assert str(shown) == "no quota left for token=****"
    assert trace is shown.__traceback__ is error.__traceback__
    assert str(error) == "no quota left for token=tiger"


def test_a_line_of_code_with_a_secret_in_it_is_left_out(
    handler: Keeping, logger: logging.Logger
) -> None:
    try:
        raising("token=tiger")
    except ValueError:
        logger.exception("failed")
    (line,) = handler.lines
    assert "tiger" not in line
    assert "line 0, in test_a_line_of_code" in line
    assert "    raise ValueError(text)\nValueError: token=****" in line


@pytest.mark.parametrize(
    "code",
    [
        'raise ValueError(f"Bearer {token} for {self.name!r}")',
        'raise ValueError("token=%s" % token)',
        "login(user=user, password=password)",
        "headers = {'Authorization': token}",
    ],
)
def test_a_line_of_code_that_only_names_a_secret_stays(
    handler: Keeping, logger: logging.Logger, tmp_path: Path, code: str
) -> None:
    path = tmp_path / "code.py"
    path.write_text(code)
    given = {"token": "x", "self": DATE, "login": raising, "user": 1, "password": 2}
    secret = "token=lion"
    try:
        exec(compile(code, path, "exec"), given)
        raising(secret)
    except (AttributeError, TypeError, ValueError):
        logger.exception("failed")
    if "headers" in code:
        assert "line 0" not in handler.lines[0]
    else:
        assert f"    {code}\n" in handler.lines[0]


def test_what_cannot_be_masked_is_not_shown_and_breaks_nothing(
    handler: Keeping, logger: logging.Logger
) -> None:
    class Failing(Redaction):
        def text(self, text: str) -> str:
            raise ZeroDivisionError

    handler.filters[:] = [RedactingFilter(Failing())]
    handler.setFormatter(in_json_by_structlog())
    shown = "A message that cannot be masked: ZeroDivisionError"
    through_structlog(logger, "token=tiger", plain("token=tiger"))
    handler.setFormatter(logging.Formatter("%(message)s %(beside)s"))
    by_stdlib(logger, "token=tiger", plain("token=tiger"))
    given = {
        **dict.fromkeys(("msg", "message", "stack_info"), "token=tiger"),
        "beside": 1,
        "levelno": 20,
    }
    logger.handle(logging.makeLogRecord(given))
    assert handler.lines == [f'{{"event": "{shown}"}}', f"{shown} ****", f"{shown} ****"]
    assert all("tiger" not in str(vars(record)) for record in handler.records)


def test_a_bare_error_in_a_record_is_masked_with_its_traceback(handler: Keeping) -> None:
    error = of_other_arguments("token=tiger")
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", None, None)
    record.exc_info = error  # type: ignore[assignment] # as structlog has it
    seen: list[logging.LogRecord] = []
    handler.emit = seen.append  # type: ignore[assignment] # a formatter expects three parts
    handler.handle(record)
    (shown,) = seen
    assert str(shown.exc_info) == "no quota left for token=****"


def test_what_is_no_error_but_is_called_so_stays(handler: Keeping) -> None:
    event = {"event": "started", "exc_info": "none"}
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, event, None, None)
    handler.handle(record)
    assert [each.msg for each in handler.records] == [event]


def test_the_frames_around_a_line_that_is_left_out_stay() -> None:
    def around() -> None:
        raising("token=tiger")

    with pytest.raises(ValueError, match="token") as raised:
        around()
    error = raised.value
    _, _, trace = masked_exc_info((type(error), error, error.__traceback__), Redaction())
    functions = [frame.name for frame in traceback.extract_tb(trace)]
    assert functions == [frame.name for frame in traceback.extract_tb(error.__traceback__)]
