"""Connections, kept and shared: urllib3's pools with TLS verified and proxies as the environment says.

Only ``HTTPConnectionPool.urlopen`` with a path sends it as it stands; ``PoolManager.request``, and any request through
a proxy that is not tunnelled, take ``/../`` out of it and so read another object.
"""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from urllib3 import PoolManager, ProxyManager, Timeout, make_headers
from urllib3.connection import HTTPConnection

from scanner_tasks.core.errors import InvalidInput

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from scanner_tasks.aws.lean.addresses import Address

#: Hosts whose connections are kept; the bucket that was longest unused goes first.
_HOSTS = 100
#: Bytes of one call to the socket: urllib3's 16 KiB cost much of a large body's time.
_BLOCK_BYTES = 128 * 1024
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_CA_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


class Pools:
    """A pool for each host; safe to share between threads.

    Args:
        pool_size: connections kept for each host; at least the bodies open at a time.
        connect_timeout_s: seconds to connect.
        read_timeout_s: longest silence of the server.
    """

    def __init__(self, *, pool_size: int, connect_timeout_s: float, read_timeout_s: float) -> None:
        self._timeout = Timeout(connect=connect_timeout_s, read=read_timeout_s)
        self._options: dict[str, Any] = {
            "num_pools": _HOSTS,
            "maxsize": pool_size,
            "timeout": self._timeout,
            "ssl_context": _trusting(),
            "blocksize": _BLOCK_BYTES,
            "socket_options": [
                *HTTPConnection.default_socket_options,
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
            ],
        }
        self._direct = PoolManager(**self._options)
        self._proxied: dict[str, ProxyManager] = {}
        self._proxies: dict[str, str | None] = {}

    def send(self, method: str, address: Address, target: str, headers: dict[str, str]) -> BaseHTTPResponse:
        """The response, its body not yet read; raises urllib3's HTTPError."""
        return self._pool(address).urlopen(
            method,
            target,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Close what is idle."""
        for manager in (self._direct, *self._proxied.values()):
            for host in manager.pools.keys():  # noqa: SIM118 (urllib3's container refuses to be iterated)
                manager.pools[host].close()
            manager.clear()

    def _pool(self, address: Address) -> HTTPConnectionPool:
        origin = address.origin
        if origin not in self._proxies:
            self._proxies[origin] = proxy_of(origin)
        proxy = self._proxies[origin]
        manager = self._direct if proxy is None else self._through(proxy)
        return manager.connection_from_host(address.host, address.port, address.scheme)

    def _through(self, proxy: str) -> ProxyManager:
        if proxy not in self._proxied:
            parts = urlsplit(proxy)
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
            headers = make_headers(proxy_basic_auth=user) if user else None
            self._proxied[proxy] = ProxyManager(proxy, proxy_headers=headers, **self._options)
        return self._proxied[proxy]


def proxy_of(origin: str) -> str | None:
    """The proxy that HTTPS_PROXY and NO_PROXY give for an origin, with its scheme; None for none.

    Raises InvalidInput for HTTP_PROXY over an http:// endpoint: such requests carry the whole URL, in which client and
    proxy may rewrite keys (``x/../y`` reads ``y``), so reading through it would be reading other objects.
    """
    scheme = origin.partition(":")[0]
    if urlsplit(origin).hostname in _LOOPBACK:
        return None
    proxy = get_environ_proxies(origin).get(scheme)
    if not proxy:
        return None
    if scheme == "http":
        raise InvalidInput(
            f"HTTP_PROXY would rewrite keys on the way to {origin}: add its host to NO_PROXY, or use https."
        )
    return proxy if "://" in proxy else f"http://{proxy}"


def _trusting() -> ssl.SSLContext:
    """Certificates are verified against AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, or the bundle that botocore uses."""
    bundle = next((os.environ[name] for name in _CA_VARIABLES if os.environ.get(name)), None)
    where = bundle or get_cert_path(verify=True)
    if os.path.isdir(where):  # noqa: PTH112 (a path of ssl's own kinds)
        return ssl.create_default_context(capath=where)
    return ssl.create_default_context(cafile=where)
