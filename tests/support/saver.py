"""Learns hosts and saves after each: `python -m support.saver FILE NAME COUNT`, in turn with others.

Says `ready`, and begins when it is told to.
"""

import sys

from support.library import httpx
from support.transportkit import HSTSStore, HSTSTransport


def main() -> None:
    file, name, count = sys.argv[1:]
    store = HSTSStore(file)
    strict = {"Strict-Transport-Security": "max-age=31536000"}
    inner = httpx.MockTransport(lambda request: httpx.Response(200, headers=strict))
    transport = HSTSTransport(inner, store)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(count)):
        transport.handle_request(httpx.Request("GET", f"https://{name}{number}.example/"))
        store.save()


if __name__ == "__main__":
    main()
