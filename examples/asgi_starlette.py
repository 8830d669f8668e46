"""Call an ASGI application, here Starlette's, for one host; requests to others are sent as ever.

ASGI is for async clients; wsgi_flask.py beside this shows WSGI for sync ones. What the application
does at its start is in asgi_startup.py.
"""

import anyio
import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from transportkit import AsyncMounts


# To copy (async)
async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Hello {request.client}, this is {request.scope['root_path']}")


app = Starlette(routes=[Route("/", hello), Route("/broken", lambda _: 1 / 0)])
transport = httpx.ASGITransport(
    app,
    root_path="/v1",  # where the application is mounted
    client=("1.2.3.4", 123),  # who asks
    raise_app_exceptions=False,  # answer 500, as a server would
)
client = httpx.AsyncClient(transport=AsyncMounts({"http://testserver": transport}))


# To run
async def main() -> None:
    async with client:
        print((await client.get("http://testserver/")).text)
        print(await client.get("http://testserver/broken"))


if __name__ == "__main__":
    anyio.run(main)

# It prints
#
#     Hello Address(host='1.2.3.4', port=123), this is /v1
#     <Response [500 Internal Server Error]>
