"""anthropic, on httpx2."""

import anyio
import httpx2
from anthropic import Anthropic, AsyncAnthropic
from support.sdks import MESSAGES, POLICY, busy, events, reply

from transportkit.httpx2 import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport

_MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
MESSAGE = {**_MESSAGE, "content": [{"type": "text", "text": "Ada"}], "stop_reason": "end_turn"}
EVENTS = [
    {"type": "message_start", "message": _MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in ("A", "da")
    ),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_stop"},
]


def sdk(url: str) -> Anthropic:
    client = httpx2.Client(transport=RetryTransport(Mounts({url: "direct"}), POLICY))
    return Anthropic(api_key="k", base_url=url, max_retries=0, http_client=client)


def async_sdk(url: str) -> AsyncAnthropic:
    client = httpx2.AsyncClient(transport=AsyncRetryTransport(AsyncMounts({url: "direct"}), POLICY))
    return AsyncAnthropic(api_key="k", base_url=url, max_retries=0, http_client=client)


def test_asks() -> None:
    with busy(reply(MESSAGE)) as url, sdk(url) as anthropic:
        answer = anthropic.messages.create(model="m", messages=MESSAGES, max_tokens=9)
    assert answer.content[0].text == "Ada"


def test_streams() -> None:
    with (
        busy(events(*EVENTS)) as url,
        sdk(url) as anthropic,
        anthropic.messages.stream(model="m", messages=MESSAGES, max_tokens=9) as stream,
    ):
        assert list(stream.text_stream) == ["A", "da"]


def test_asks_async(backend: str) -> None:
    async def ask() -> None:
        async with async_sdk(url) as anthropic:
            answer = await anthropic.messages.create(model="m", messages=MESSAGES, max_tokens=9)
        assert answer.content[0].text == "Ada"

    with busy(reply(MESSAGE)) as url:
        anyio.run(ask, backend=backend)


def test_streams_async() -> None:
    async def ask() -> None:
        async with (
            async_sdk(url) as anthropic,
            anthropic.messages.stream(model="m", messages=MESSAGES, max_tokens=9) as stream,
        ):
            assert [text async for text in stream.text_stream] == ["A", "da"]

    with busy(events(*EVENTS)) as url:
        anyio.run(ask)
