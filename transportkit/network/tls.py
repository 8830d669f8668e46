"""SSL contexts, shared where they may be.

An SSL context takes about 20 ms and 0.8 MB to make, nearly all of what a transport
costs. It is shared only among transports with the same `verify`, `cert` and `trust_env`
that offer the same protocols: httpcore sets ALPN on the context at every connect, so
HTTP/1.1 and HTTP/2 on one context negotiate the wrong protocol now and then.
"""

import ssl
from collections.abc import Mapping
from pathlib import Path

from ..wire.library import library_name, library_of


class SSLContexts:
    """Makes one SSL context for all transports whose arguments allow it.

    Arguments:
        kind: any class of the library that the transports are of.
    """

    def __init__(self, kind: type) -> None:
        self._library = library_of(kind)
        # httpcore offers HTTP/1.1 beside HTTP/2 even with http1=False.
        self._offers_http2_alone = library_name(kind) == "httpx2"
        self._contexts: dict[tuple[object, ...], ssl.SSLContext] = {}
        self._protocols_of_given: dict[ssl.SSLContext, str] = {}

    def context_for(self, options: Mapping[str, object]) -> ssl.SSLContext:
        """The context for a transport with these arguments.

        Arguments:
            options: those of `httpx.HTTPTransport`.

        Raises:
            ValueError: no certificates where `verify` or `cert` says; one given context for
                transports that offer different protocols, or with a certificate to load
                into it.
        """
        verify = options.get("verify", True)
        cert = options.get("cert")
        trust_env = bool(options.get("trust_env", True))
        protocols = self._protocols_offered(options)
        assert isinstance(verify, (ssl.SSLContext, str, bool))
        assert cert is None or isinstance(cert, (str, tuple, list))
        if isinstance(verify, ssl.SSLContext) and cert:
            raise ValueError(
                "cert would be loaded into the SSLContext given as verify, for all that use it: "
                "make an SSLContext of its own and call its load_cert_chain()"
            )
        if (
            isinstance(verify, ssl.SSLContext)
            and self._protocols_of_given.setdefault(verify, protocols) != protocols
        ):
            raise ValueError(
                "verify: one SSLContext cannot serve transports that differ in http1 or http2: "
                "httpcore sets the protocols to offer on the context, so connections would "
                "negotiate the wrong one now and then. Make an SSLContext for each"
            )
        cert = tuple(cert) if isinstance(cert, list) else cert
        key = (verify, cert, trust_env, protocols)
        if key not in self._contexts:
            self._contexts[key] = self._create(verify, cert, trust_env)
        return self._contexts[key]

    def _protocols_offered(self, options: Mapping[str, object]) -> str:
        if not options.get("http2", False):
            return "HTTP/1.1"
        is_alone = self._offers_http2_alone and not options.get("http1", True)
        return "HTTP/2" if is_alone else "HTTP/2 or HTTP/1.1"

    def _create(
        self,
        verify: ssl.SSLContext | str | bool,
        cert: str | tuple[str, ...] | None,
        trust_env: bool,
    ) -> ssl.SSLContext:
        # httpx takes paths too, but warns against them and names these very calls instead.
        if isinstance(verify, str):
            if not verify or not Path(verify).exists():
                raise ValueError(f"verify={verify!r}: there is no such file or directory")
            directory = Path(verify).is_dir()
            try:
                context = ssl.create_default_context(
                    cafile=None if directory else verify, capath=verify if directory else None
                )
            except ssl.SSLError as error:
                raise ValueError(f"verify={verify!r} holds no certificates: {error}") from error
        else:
            context = self._library.create_ssl_context(verify=verify, trust_env=trust_env)
        if cert:
            files = (cert,) if isinstance(cert, str) else cert
            for file in files[:2]:
                if not Path(file).is_file():
                    raise ValueError(f"cert={file!r}: there is no such file")
            context.load_cert_chain(*files)
        return context
