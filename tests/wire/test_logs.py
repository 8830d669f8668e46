"""Loggers whose filters and handlers raise."""

import logging
from collections.abc import Iterator

import pytest
from support.flavours import Flavour
from support.library import httpx
from support.transportkit import RetryPolicy

from transportkit.wire.logs import Log

NAMES = ("transportkit.retrying", "transportkit.rotation")


class Broken(logging.Handler):
    """Raises at whatever it is to tell, as a filter and as a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        raise RuntimeError(f"cannot tell {record.getMessage()!r}")


@pytest.fixture(params=["filter", "handler"])
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    loggers, broken = [logging.getLogger(name) for name in NAMES], Broken()
    for logger in loggers:
        logger.setLevel(logging.INFO)
        (logger.addFilter if request.param == "filter" else logger.addHandler)(broken)
    yield
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
        logger.removeFilter(broken)
        logger.removeHandler(broken)


def ending(outcome: object) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        if outcome is None:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(200)

    return httpx.MockTransport(answer)


@pytest.mark.usefixtures("broken")
async def test_a_request_goes_on_and_the_failure_is_reported(
    flavour: Flavour, capsys: pytest.CaptureFixture[str]
) -> None:
    rotation = flavour.ProxyRoundRobin([ending(None)])
    transport = flavour.RetryTransport(rotation, RetryPolicy(wait=lambda state: 0))
    with pytest.raises(httpx.ConnectError, match="refused"):
        await flavour.send(transport, httpx.Request("GET", "http://h/"))
    assert "RuntimeError: cannot tell 'Retrying GET" in capsys.readouterr().err
    rotation = flavour.ProxyRoundRobin([ending(None), ending(200)])
    response = await flavour.send(rotation, httpx.Request("GET", "http://h/"))
    assert response.status_code == 200
    assert "RuntimeError: cannot tell 'Proxy" in capsys.readouterr().err


def test_is_as_quiet_as_logging_is_told_to_be(
    broken: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    Log(NAMES[0]).info("text")
    assert not capsys.readouterr().err


def test_names_the_line_that_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Log(NAMES[0]).info("%d attempts", 2)
    (record,) = caplog.records
    assert (record.getMessage(), record.module, record.name) == (
        "2 attempts",
        "test_logs",
        NAMES[0],
    )
