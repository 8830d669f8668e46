"""mistralai, on httpx2. It retries nothing unless it is told to, and knows asyncio alone."""

import anyio
import httpx2
from mistralai.client import Mistral
from support.sdks import CHUNKS, COMPLETION, MESSAGES, POLICY, busy, events, reply

from transportkit.httpx2 import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport


def client(url: str) -> httpx2.Client:
    return httpx2.Client(transport=RetryTransport(Mounts({url: "direct"}), POLICY))


def async_client(url: str) -> httpx2.AsyncClient:
    transport = AsyncRetryTransport(AsyncMounts({url: "direct"}), POLICY)
    return httpx2.AsyncClient(transport=transport)


def test_asks() -> None:
    with busy(reply(COMPLETION)) as url, client(url) as http:
        mistral = Mistral(api_key="k", server_url=url, client=http)
        answer = mistral.chat.complete(model="m", messages=MESSAGES)
    assert answer.choices[0].message.content == "Ada"


def test_streams() -> None:
    with busy(events(*CHUNKS)) as url, client(url) as http:
        mistral = Mistral(api_key="k", server_url=url, client=http)
        with mistral.chat.stream(model="m", messages=MESSAGES) as stream:
            assert [event.data.choices[0].delta.content for event in stream] == ["A", "da"]


def test_asks_async() -> None:
    async def ask() -> None:
        async with async_client(url) as http:
            mistral = Mistral(api_key="k", server_url=url, async_client=http)
            answer = await mistral.chat.complete_async(model="m", messages=MESSAGES)
        assert answer.choices[0].message.content == "Ada"

    with busy(reply(COMPLETION)) as url:
        anyio.run(ask)


def test_streams_async() -> None:
    async def ask() -> None:
        async with async_client(url) as http:
            mistral = Mistral(api_key="k", server_url=url, async_client=http)
            async with await mistral.chat.stream_async(model="m", messages=MESSAGES) as stream:
                texts = [event.data.choices[0].delta.content async for event in stream]
        assert texts == ["A", "da"]

    with busy(events(*CHUNKS)) as url:
        anyio.run(ask)
