async def test_proxy(flavour, origin, proxy):
    async with flavour.client(transport=flavour.Mounts({"all://": proxy.url})) as client:
        for u in (origin.http, origin.https):
            r = await client.get(u+"/x?y")
            print(r.json())
            async with client.stream("GET", u) as r: pass
async def test_uds(flavour, origin, locked_proxy):
    async with flavour.client(transport=flavour.Mounts({"all://": {"uds": origin.unix_socket}, "https://127.0.0.1": {"http2":True, "proxy":locked_proxy.url}})) as client:
        r = await client.get("http://docker/x?y")
        print(r.json())
        r = await client.get(origin.https)
        print(r.json(), r.http_version)
