"""Send a request through a transport and read what comes, whatever the flavour."""

from typing import Any

from support.library import httpx

from .flavours import Flavour


async def fetch(
    flavour: Flavour, transport: Any, url: str | httpx.URL, method: str = "GET", **headers: str
) -> tuple[httpx.Response, bytes]:
    """The response and its body; the names of headers are written with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await flavour.send(transport, httpx.Request(method, url, headers=named))
    body = b"".join([chunk async for chunk in flavour.chunks(response)])
    await flavour.close(response)
    return response, body
