"""groq, on httpx."""

import anyio
import httpx
from groq import AsyncGroq, Groq
from support.sdks import CHUNKS, COMPLETION, MESSAGES, POLICY, busy, events, reply

from transportkit import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport


def sdk(url: str) -> Groq:
    client = httpx.Client(transport=RetryTransport(Mounts({url: "direct"}), POLICY))
    return Groq(api_key="k", base_url=url, max_retries=0, http_client=client)


def async_sdk(url: str) -> AsyncGroq:
    client = httpx.AsyncClient(transport=AsyncRetryTransport(AsyncMounts({url: "direct"}), POLICY))
    return AsyncGroq(api_key="k", base_url=url, max_retries=0, http_client=client)


def test_asks() -> None:
    with busy(reply(COMPLETION)) as url, sdk(url) as groq:
        answer = groq.chat.completions.create(model="m", messages=MESSAGES)
    assert answer.choices[0].message.content == "Ada"


def test_streams() -> None:
    with busy(events(*CHUNKS)) as url, sdk(url) as groq:
        stream = groq.chat.completions.create(model="m", messages=MESSAGES, stream=True)
        assert [chunk.choices[0].delta.content for chunk in stream] == ["A", "da"]


def test_asks_async(backend: str) -> None:
    async def ask() -> None:
        async with async_sdk(url) as groq:
            answer = await groq.chat.completions.create(model="m", messages=MESSAGES)
        assert answer.choices[0].message.content == "Ada"

    with busy(reply(COMPLETION)) as url:
        anyio.run(ask, backend=backend)


def test_streams_async() -> None:
    async def ask() -> None:
        async with async_sdk(url) as groq:
            stream = await groq.chat.completions.create(model="m", messages=MESSAGES, stream=True)
            assert [chunk.choices[0].delta.content async for chunk in stream] == ["A", "da"]

    with busy(events(*CHUNKS)) as url:
        anyio.run(ask)
