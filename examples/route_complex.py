"""Combine routes: the most specific one takes a URL, in whatever order they stand.

`print(mounts)` shows them in the order in which they are tried, and `route_for` which of them takes
a URL, without sending anything.
"""

import httpx

from transportkit import AsyncMounts, Mounts

# To copy (both)
ROUTES = {
    # Everything through a proxy by default,
    "all://": "http://localhost:8030",
    # but straight to domain.io over https,
    "https://domain.io": None,
    # through another proxy to example.com and its subdomains,
    "all://*example.com": "http://localhost:8031",
    # and through yet another one over http to port 5550 of this subdomain.
    "http://internal.example.com:5550": "http://localhost:8032",
}

# To copy (sync)
mounts = Mounts(ROUTES)
client = httpx.Client(transport=mounts)

# To copy (async)
async_mounts = AsyncMounts(ROUTES)
async_client = httpx.AsyncClient(transport=async_mounts)

# To run
if __name__ == "__main__":
    print(mounts, end="\n\n")
    for url in (
        "http://domain.io/",
        "https://domain.io/",
        "https://www.example.com/",
        "http://internal.example.com:5550/",
    ):
        route = mounts.route_for(url)
        print(f"{url:<35}{route.pattern}")
        assert async_mounts.route_for(url).pattern == route.pattern

# It prints
#
#     http://internal.example.com:5550  proxy http://localhost:...
#     https://domain.io                 direct
#     all://*example.com                proxy http://localhost:...
#     all://                            proxy http://localhost:...
#     (anything else)                   direct (never reached)
#
#     http://domain.io/                  all://
#     https://domain.io/                 https://domain.io
#     https://www.example.com/           all://*example.com
#     http://internal.example.com:5550/  http://internal.example.com:5550
