"""A real SOCKS5 proxy (pproxy): `python socks.py PORT [USER:PASSWORD]`, on loopback.

Its own command line asks for an event loop in a way that newer Pythons refuse.
"""

import asyncio
import importlib
import sys


async def serve(port: str, credentials: str) -> None:
    # Untyped, and nobody needs its types for these lines.
    pproxy = importlib.import_module("pproxy")
    uri = f"socks5://127.0.0.1:{port}" + (f"#{credentials}" if credentials else "")
    server = await pproxy.Server(uri).start_server({"rserver": []})
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], "".join(sys.argv[2:])))
