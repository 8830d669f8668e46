"""An origin server for tests: HTTP/1.1, HTTP/2 and a Unix socket, in a process of its own.

Started as `python origin.py CERTIFICATE HTTP_FD HTTPS_FD UNIX_FD`, each FD a listening
socket. Answers every request with what it saw, as JSON.
"""

import asyncio
import hashlib
import json
import os
import sys
from typing import Any

import hypercorn.asyncio
import hypercorn.config


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"].removeprefix("lifespan.")
            await send({"type": f"lifespan.{event}.complete"})
            if event == "shutdown":
                return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    seen = {
        "method": scope["method"],
        "scheme": scope["scheme"],
        "http_version": scope["http_version"],
        "path": scope["raw_path"].decode("ascii"),
        "headers": [[name.decode(), value.decode()] for name, value in scope["headers"]],
        "body": hashlib.sha256(body).hexdigest(),
        "query": scope["query_string"].decode(),
    }
    content = json.dumps(seen).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _is_orphaned() -> None:
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - who started it may be killed, and say nothing
        await asyncio.sleep(1)


def main() -> None:
    certificate, http, https, unix = sys.argv[1:]
    config = hypercorn.config.Config()
    config.certfile = config.keyfile = certificate
    config.bind = [f"fd://{https}"]
    config.insecure_bind = [f"fd://{http}", f"fd://{unix}"]
    config.loglevel = "ERROR"
    asyncio.run(hypercorn.asyncio.serve(app, config, shutdown_trigger=_is_orphaned))


if __name__ == "__main__":
    main()
