"""supabase, on httpx. Its answers come whole."""

import anyio
import httpx
from supabase import AsyncClientOptions, ClientOptions, acreate_client, create_client
from support.sdks import POLICY, busy, reply

from transportkit import AsyncMounts, AsyncRetryTransport, Mounts, RetryTransport

ROWS = [{"id": 1, "name": "Ada"}]


def test_asks() -> None:
    with (
        busy(reply(ROWS)) as url,
        httpx.Client(transport=RetryTransport(Mounts({url: "direct"}), POLICY)) as client,
    ):
        options = ClientOptions(httpx_client=client, postgrest_client_retry=False)
        supabase = create_client(url, "k", options)
        assert supabase.table("people").select("*").execute().data == ROWS


def test_asks_async(backend: str) -> None:
    async def ask() -> None:
        transport = AsyncRetryTransport(AsyncMounts({url: "direct"}), POLICY)
        async with httpx.AsyncClient(transport=transport) as client:
            options = AsyncClientOptions(httpx_client=client, postgrest_client_retry=False)
            supabase = await acreate_client(url, "k", options)
            answer = await supabase.table("people").select("*").execute()
        assert answer.data == ROWS

    with busy(reply(ROWS)) as url:
        anyio.run(ask, backend=backend)
