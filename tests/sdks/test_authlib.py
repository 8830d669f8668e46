"""authlib, whose clients are subclasses: of httpx2's where it is installed, of httpx's where not."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

import anyio
import pytest
from support.sdks import POLICY, busy, reply

import transportkit
import transportkit.httpx2

TOKEN = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}


class Sides(NamedTuple):
    """authlib on a library, and transportkit for it."""

    library: str
    authlib: ModuleType
    transportkit: ModuleType


@pytest.fixture(params=["httpx", "httpx2"])
def sides(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sides]:
    for name in [name for name in sys.modules if name.startswith("authlib.integrations.httpx_")]:
        monkeypatch.delitem(sys.modules, name)
    if request.param == "httpx2":
        authlib = importlib.import_module("authlib.integrations.httpx_client")
        yield Sides("httpx2", authlib, transportkit.httpx2)
        return
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "httpx2", None)
        with pytest.warns(match="httpx module is deprecated"):
            authlib = importlib.import_module("authlib.integrations.httpx_client")
    yield Sides("httpx", authlib, transportkit)
    for name in [name for name in sys.modules if name.startswith("authlib.integrations.httpx_")]:
        monkeypatch.delitem(sys.modules, name)


def test_its_clients_are_of_the_library(sides: Sides) -> None:
    assert issubclass(sides.authlib.OAuth2Client, importlib.import_module(sides.library).Client)


def test_asks_for_a_token_and_with_it(sides: Sides) -> None:
    kit = sides.transportkit
    with busy(reply(TOKEN), reply({"name": "Ada"})) as url:
        transport = kit.RetryTransport(kit.Mounts({url: "direct"}), POLICY)
        with sides.authlib.OAuth2Client("id", "secret", transport=transport) as client:
            client.fetch_token(f"{url}/token", grant_type="client_credentials")
            assert client.get(f"{url}/me").json() == {"name": "Ada"}


def test_streams(sides: Sides) -> None:
    kit = sides.transportkit
    with busy(reply({"name": "Ada"})) as url:
        transport = kit.RetryTransport(kit.Mounts({url: "direct"}), POLICY)
        with (
            sides.authlib.OAuth2Client("id", "secret", token=TOKEN, transport=transport) as client,
            client.stream("GET", f"{url}/me") as response,
        ):
            assert b"".join(response.iter_bytes()) == b'{"name": "Ada"}'


def test_asks_async(sides: Sides, backend: str) -> None:
    kit = sides.transportkit

    async def ask() -> None:
        transport = kit.AsyncRetryTransport(kit.AsyncMounts({url: "direct"}), POLICY)
        async with sides.authlib.AsyncOAuth2Client("id", "secret", transport=transport) as client:
            await client.fetch_token(f"{url}/token", grant_type="client_credentials")
            assert (await client.get(f"{url}/me")).json() == {"name": "Ada"}

    with busy(reply(TOKEN), reply({"name": "Ada"})) as url:
        anyio.run(ask, backend=backend)


def test_streams_async(sides: Sides, backend: str) -> None:
    kit = sides.transportkit

    async def ask() -> None:
        transport = kit.AsyncRetryTransport(kit.AsyncMounts({url: "direct"}), POLICY)
        async with (
            sides.authlib.AsyncOAuth2Client(
                "id", "secret", token=TOKEN, transport=transport
            ) as client,
            client.stream("GET", f"{url}/me") as response,
        ):
            assert b"".join([part async for part in response.aiter_bytes()]) == b'{"name": "Ada"}'

    with busy(reply({"name": "Ada"})) as url:
        anyio.run(ask, backend=backend)
