"""Learns hosts and saves after each: `python saver.py FILE NAME COUNT`, in turn with others.

Says `ready`, and begins when it is told to.
"""

import os
import sys

if "TRANSPORTKIT_HTTPX2" in os.environ:
    import httpx2

    httpx2.alias_httpx()

from transportkit import HSTSStore


def main() -> None:
    file, name, count = sys.argv[1:]
    store = HSTSStore(file)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(count)):
        store._learn(f"{name}{number}.example", "max-age=31536000")
        store.save()


if __name__ == "__main__":
    main()
