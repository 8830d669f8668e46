"""The decisions of `HSTSTransport`: answer a request or send it; learn from a response or not."""

import os
import ssl

from ..redaction.redaction import echoed
from ..wire.library import URL, Response
from .location import https_location, is_plain
from .rfc6797 import HEADER, canonical_name
from .store import HSTSStore


def internal_redirect(store: HSTSStore, url: URL) -> dict[str, str] | None:
    """The headers of the redirect that answers a request (8.3); None if it is to be sent.

    Browsers show the same headers for a request that they did not send.

    >>> import httpx
    >>> store = HSTSStore()
    >>> store.preload(["example.com"])
    >>> internal_redirect(store, httpx.URL("http://example.com/login"))
    {'Location': 'https://example.com/login', 'Non-Authoritative-Reason': 'HSTS'}
    """
    if not is_plain(url) or url.raw_host.decode("ascii") not in store:
        return None
    return {"Location": https_location(url), "Non-Authoritative-Reason": "HSTS"}


def learn(store: HSTSStore, url: URL, response: Response) -> bool:
    """Take in the header of a response (8.1); True if the store is to be saved now.

    Arguments:
        store: learns it, if it came over verified TLS.
        url: of the request.
        response: one that has the header.
    """
    host = url.raw_host.decode("ascii")
    if url.scheme not in ("https", "wss") or not _is_verified(response, host):
        return False
    # Only the first one counts, and httpx would join them to one text.
    return store._learn(host, response.headers.get_list(HEADER)[0])


def _is_verified(response: Response, host: str) -> bool:
    """True if nothing suggests that another than this host has answered."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        # MockTransport and ASGITransport have no wire that anyone could tap. A transport
        # that does TLS in its own way is taken at its word, as its https:// answers are.
        return True
    # Of three types, according to the backend, one of them without a public name. None where
    # an inner transport has sent an https:// request in the clear.
    tls = stream.get_extra_info("ssl_object")
    context = getattr(tls, "context", None)
    return (
        isinstance(context, ssl.SSLContext)
        # In Python the name on a certificate cannot be checked without verifying it.
        and context.check_hostname
        # With the extension "sni_hostname" the name that was checked is not that of the URL.
        and canonical_name(tls.server_hostname or "") == canonical_name(host)
    )


def check_store(transport: object, store: object) -> None:
    """Refuse what is not a store, and a store in the place of the transport.

    Raises:
        TypeError: the text says what to write instead.
    """
    if isinstance(transport, HSTSStore):
        raise TypeError("transport must be a transport, not an HSTSStore: write store=...")
    if isinstance(transport, (str, os.PathLike)) and "://" not in str(transport):
        raise TypeError(
            f"transport must be a transport, not a path: write store={_made(transport)}"
        )
    if store is not None and not isinstance(store, HSTSStore):
        given = type(store).__name__
        raise TypeError(f"store must be an HSTSStore, not {given}: write {_made(store)}")


def _made(store: object) -> str:
    return (
        f"HSTSStore({echoed(str(store))})"
        if isinstance(store, (str, os.PathLike))
        else "HSTSStore()"
    )
