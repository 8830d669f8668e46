"""openai, on httpx2."""

import anyio
import httpx2
from openai import AsyncOpenAI, OpenAI
from support.sdks import CHUNKS, COMPLETION, MESSAGES, POLICY, busy, events, reply

from transportkit.httpx2 import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport


def sdk(url: str) -> OpenAI:
    client = httpx2.Client(transport=RetryTransport(Mounts({url: "direct"}), POLICY))
    return OpenAI(api_key="k", base_url=url, max_retries=0, http_client=client)


def async_sdk(url: str) -> AsyncOpenAI:
    client = httpx2.AsyncClient(transport=AsyncRetryTransport(AsyncMounts({url: "direct"}), POLICY))
    return AsyncOpenAI(api_key="k", base_url=url, max_retries=0, http_client=client)


def test_asks() -> None:
    with busy(reply(COMPLETION)) as url, sdk(url) as openai:
        answer = openai.chat.completions.create(model="m", messages=MESSAGES)
    assert answer.choices[0].message.content == "Ada"


def test_streams() -> None:
    with busy(events(*CHUNKS)) as url, sdk(url) as openai:
        stream = openai.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert [chunk.choices[0].delta.content for chunk in stream] == ["A", "da"]


def test_asks_async(backend: str) -> None:
    async def ask() -> None:
        async with async_sdk(url) as openai:
            answer = await openai.chat.completions.create(model="m", messages=MESSAGES)
        assert answer.choices[0].message.content == "Ada"

    with busy(reply(COMPLETION)) as url:
        anyio.run(ask, backend=backend)


def test_streams_async() -> None:
    async def ask() -> None:
        async with async_sdk(url) as openai:
            stream = await openai.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            assert [chunk.choices[0].delta.content async for chunk in stream] == ["A", "da"]

    with busy(events(*CHUNKS)) as url:
        anyio.run(ask)
