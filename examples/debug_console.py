"""See what goes over the wire: `DebuggingTransport()` prints it, with secrets masked.

Of bodies so many bytes are kept as `bodies=` says; headers are shown with `ConsoleLog(headers=True)`.
"""

import anyio
import httpx

from transportkit import AsyncDebuggingTransport, DebuggingTransport

from local import https_server


# To copy (sync)
def login(url: str) -> None:
    with httpx.Client(transport=DebuggingTransport(bodies=4096)) as client:
        client.post(url, json={"user": "scott", "password": "tiger"})


# To copy (async)
async def login_async(url: str) -> None:
    async with httpx.AsyncClient(transport=AsyncDebuggingTransport(bodies=4096)) as client:
        await client.post(url, json={"user": "scott", "password": "tiger"})


# To run
if __name__ == "__main__":
    with https_server(lambda _: httpx.Response(200, json={"token": "s3cret"})) as url:
        login(f"{url}/login?session=s3cret")
        anyio.run(login_async, f"{url}/login?session=s3cret")

# It prints
#
#     >>> POST https://127.0.0.1:.../login?session=****
#     <<< 200 OK http/1.1 18 B in ... (...)
#         > {"user":"scott","password":"****"}
#         {"token":"****"}
#     >>> POST https://127.0.0.1:.../login?session=****
#     <<< 200 OK http/1.1 18 B in ... (...)
#         > {"user":"scott","password":"****"}
#         {"token":"****"}
