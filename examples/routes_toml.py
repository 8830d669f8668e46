"""A routing table in TOML with named transports, whose retries and logs are set in the file.

A route names one of them, or is a target as in any routing dict: "direct", a proxy, a list of
proxies, a dict of arguments. For async clients, write `Async` before each name.
"""

import tomllib
from typing import Any

import httpx
import tenacity

from transportkit import DebuggingTransport, Mounts, RetryPolicy, RetryTransport

from local import get, in_turn, internet

TABLE = """
[transports]
patient = { attempts = 5, log = true, http2 = true }
[routes]
"http://api.example.com" = "patient"
"all://*.internal.example" = "direct"
"""


# To copy (sync)
def load(text: str) -> Mounts:
    table = tomllib.loads(text)
    named = {name: transport(**settings) for name, settings in table["transports"].items()}
    return Mounts({key: named.get(str(to), to) for key, to in table["routes"].items()})


def transport(attempts: int = 4, log: bool = False, **options: Any) -> httpx.BaseTransport:
    policy = RetryPolicy(stop=tenacity.stop_after_attempt(attempts))
    retrying = RetryTransport(policy=policy, **options)
    return DebuggingTransport(retrying) if log else retrying


# To run
if __name__ == "__main__":
    with internet(in_turn(503, 503, 200)):
        get(httpx.Client(transport=load(TABLE)), "http://api.example.com/")
    print(load(TABLE))

# It prints
#
#     >>> GET http://api.example.com/
#     <<< 200 OK http/1.1 2 B in ... after 3 attempts via http://127.0.0.1:...
#     http://api.example.com    DebuggingTransport  ConsoleLog
#        └─ RetryTransport  5 attempts
#           └─ NetworkTransport...
#     all://*.internal.example  direct
#     (anything else)           direct
