"""Start and stop an ASGI application around the requests to it: asgi-lifespan does it.

pip install asgi-lifespan
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
from asgi_lifespan import LifespanManager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from transportkit import AsyncMounts


# To copy (async)
async def fetch(app: Starlette, url: str) -> str:
    async with LifespanManager(app) as manager:
        mounts = AsyncMounts({"http://testserver": httpx.ASGITransport(manager.app)})
        async with httpx.AsyncClient(transport=mounts) as client:
            return (await client.get(url)).text


# To run
@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
    print("starts")
    yield {"database": "connected"}
    print("stops")


app = Starlette(
    routes=[Route("/", lambda request: PlainTextResponse(request.state.database))],
    lifespan=lifespan,
)

if __name__ == "__main__":
    print(anyio.run(fetch, app, "http://testserver/"))

# It prints
#
#     starts
#     stops
#     connected
