"""huggingface_hub, on httpx2. It makes its clients by functions that it is given."""

from collections.abc import Iterator

import anyio
import httpx2
import huggingface_hub
import pytest
from huggingface_hub import AsyncInferenceClient, HfApi, InferenceClient
from support.sdks import CHUNKS, COMPLETION, MESSAGES, POLICY, busy, events, reply

from transportkit.httpx2 import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport

MODEL = {"_id": "1", "id": "ada/m", "modelId": "ada/m", "sha": "s", "siblings": [], "tags": []}


@pytest.fixture(autouse=True)
def _our_clients() -> Iterator[None]:
    def client() -> httpx2.Client:
        return httpx2.Client(transport=RetryTransport(Mounts({"all://": "direct"}), POLICY))

    def async_client() -> httpx2.AsyncClient:
        transport = AsyncRetryTransport(AsyncMounts({"all://": "direct"}), POLICY)
        return httpx2.AsyncClient(transport=transport)

    huggingface_hub.set_client_factory(client)
    huggingface_hub.set_async_client_factory(async_client)
    yield
    huggingface_hub.close_session()


def test_asks() -> None:
    with busy(reply(MODEL)) as url:
        assert HfApi(endpoint=url, token=False).model_info("ada/m").sha == "s"
        huggingface_hub.close_session()


def test_infers() -> None:
    with busy(reply(COMPLETION)) as url, InferenceClient(base_url=url, api_key="k") as hub:
        answer = hub.chat_completion(MESSAGES)
        huggingface_hub.close_session()
    assert answer.choices[0].message.content == "Ada"


def test_streams() -> None:
    with busy(events(*CHUNKS)) as url, InferenceClient(base_url=url, api_key="k") as hub:
        stream = hub.chat_completion(MESSAGES, stream=True)
        assert [chunk.choices[0].delta.content for chunk in stream] == ["A", "da"]
        huggingface_hub.close_session()


def test_infers_async() -> None:
    async def ask() -> None:
        async with AsyncInferenceClient(base_url=url, api_key="k") as hub:
            answer = await hub.chat_completion(MESSAGES)
        assert answer.choices[0].message.content == "Ada"

    with busy(reply(COMPLETION)) as url:
        anyio.run(ask)


def test_streams_async() -> None:
    async def ask() -> None:
        async with AsyncInferenceClient(base_url=url, api_key="k") as hub:
            stream = await hub.chat_completion(MESSAGES, stream=True)
            assert [chunk.choices[0].delta.content async for chunk in stream] == ["A", "da"]

    with busy(events(*CHUNKS)) as url:
        anyio.run(ask)
