"""Write a transport of your own around another one: `Wrapper` opens, closes and shows it.

It sends a request of its own, as the caller's may be sent a second time, by a retry or a redirect.
"""

import anyio
import httpx

from transportkit import AsyncRetryTransport, AsyncWrapper, RetryTransport, Wrapper

from local import internet


# To copy (both)
def signed(request: httpx.Request) -> httpx.Request:
    headers = [*request.headers.raw, (b"X-Signature", b"blue")]
    body, more = request.stream, request.extensions
    return httpx.Request(request.method, request.url, headers=headers, stream=body, extensions=more)


# To copy (sync)
class Signed(Wrapper):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(signed(request))


# To copy (async)
class AsyncSigned(AsyncWrapper):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await super().handle_async_request(signed(request))


# To run
async def main(url: str) -> None:
    async with httpx.AsyncClient(transport=AsyncSigned(AsyncRetryTransport())) as client:
        print((await client.get(url)).text)


if __name__ == "__main__":
    print(Signed(RetryTransport()))
    with internet(lambda request: httpx.Response(200, text=request.headers["X-Signature"])):
        with httpx.Client(transport=Signed(RetryTransport())) as client:
            print(client.get("https://example.com/").text)
        anyio.run(main, "https://example.com/")

# It prints
#
#     Signed
#     └─ RetryTransport
#        └─ NetworkTransport
#     blue
#     blue
