"""A static file server of the ecosystem: Starlette's, run by Hypercorn, in a process of its own.

Started as `python static.py DIRECTORY FD`, FD a listening socket.
"""

import asyncio
import sys

import hypercorn.asyncio
import hypercorn.config
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles


def main() -> None:
    directory, descriptor = sys.argv[1:]
    config = hypercorn.config.Config()
    config.bind = [f"fd://{descriptor}"]
    config.loglevel = "ERROR"
    app = Starlette(routes=[Mount("/", StaticFiles(directory=directory))])
    asyncio.run(hypercorn.asyncio.serve(app, config))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
