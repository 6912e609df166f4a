"""The one way out: resolves once, checks every address, keeps a total deadline, knows whether a byte left.

httpx's own time-outs are per operation, so a server that trickles is never caught by them, and its errors do not say
for certain whether the request had begun to leave. Both are decided here, under httpx, where the sockets are.
"""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx

CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 2.0  # a connection idle for longer may be half closed, and a failed send on it would pose as doubt

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        # Of version 6 only 2000::/3 is given out; what maps or translates version 4 lies outside or is named here.
        "::/3", "4000::/2", "8000::/1", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip


def is_public(address: str) -> bool:
    """Tell whether an IP address may be a platform's; everything private, mapped or tunnelled may not."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return not any(ip.version == net.version and ip in net for net in _NOT_PUBLIC)


class Deadline:
    """The time left for one call, and what passed over its socket.

    Attributes:
        sent: Any byte of the request may have left.
        heard: Any byte came in since the call began.
    """

    def __init__(self) -> None:
        self.ends = 0.0
        self.sent = self.heard = False

    def start(self, seconds: float) -> None:
        self.ends = time.monotonic() + seconds
        self.sent = self.heard = False

    def left(self, at_most: float | None) -> float:
        left = self.ends - time.monotonic()
        return max(0.0, left if at_most is None else min(left, at_most))


class _Stream(httpcore.NetworkStream):
    """A socket whose every operation ends by the deadline of the call under way."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._deadline.left(timeout)
        if left <= 0:
            raise error("total deadline")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))
        self._deadline.heard = True
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Not by httpcore's own loop: its time-out counts anew for every piece, so a reader that sips has for ever.
        line = self.get_extra_info("socket")
        # Python hands out a TLS socket without TLS where the other side was gone before the handshake.
        is_tls = isinstance(line, ssl.SSLSocket) and line.version() is not None
        rest = memoryview(buffer)
        while rest:
            left = self._left(timeout, httpcore.WriteTimeout)
            self._deadline.sent |= is_tls  # a plain send that fails sent nothing; of a TLS record a part may be gone
            try:
                line.settimeout(left)
                count = line.send(rest)
            except TimeoutError as error:
                raise httpcore.WriteTimeout(str(error)) from error
            except OSError as error:
                raise httpcore.WriteError(str(error)) from error
            self._deadline.sent = True
            rest = rest[count:]

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Lookup(threading.Thread):
    """Looks a name up beside the call, for the system's own look-up knows no deadline."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(name="look-up", daemon=True)
        self._host, self._port = host, port
        self.addresses: list[str] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, ValueError, OverflowError) as error:
            self.error = error
        else:
            self.addresses = [str(one[4][0]) for one in found]

    def within(self, seconds: float) -> list[str]:
        """Return the addresses, at least one. Raises httpcore's errors of connecting."""
        self.start()
        self.join(seconds)
        if self.is_alive():
            raise httpcore.ConnectTimeout("the name was not found in time")
        if self.error or not self.addresses:
            raise httpcore.ConnectError(f"name not found: {self.error}") from self.error
        return self.addresses


class _Backend(httpcore.NetworkBackend):
    """Connects only to addresses that were looked at."""

    def __init__(self, deadline: Deadline, local: frozenset[str]) -> None:
        self._deadline, self._local, self._plain = deadline, local, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _Lookup(host, port).within(self._deadline.left(timeout))
        if f"{host}:{port}" not in self._local and not all(is_public(address) for address in addresses):
            raise httpcore.ConnectError("address not allowed")
        left = self._deadline.left(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout("total deadline")
        stream = self._plain.connect_tcp(addresses[0], port, left, local_address, socket_options or ())
        return _Stream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        raise RuntimeError("nothing sleeps on the wire")


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _translated():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _translated:
    """httpcore's errors as httpx's of the same name."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is not None and kind.__module__.startswith("httpcore"):
            ours = next((getattr(httpx, one.__name__) for one in kind.__mro__ if hasattr(httpx, one.__name__)), None)
            raise (ours or httpx.TransportError)(str(error)) from error


class NetworkTransport(httpx.BaseTransport):
    """One thread's connections; not to be shared between threads.

    Args:
        local: ``host:port`` pairs that may be private addresses (from the operator's environment only).
        tls: The TLS context, shared by all transports for it is costly to make.
    """

    def __init__(self, local: frozenset[str], tls: ssl.SSLContext) -> None:
        self.deadline = Deadline()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=16,
            max_keepalive_connections=16,
            keepalive_expiry=KEEPALIVE_SECONDS,
            http1=True,
            retries=0,
            network_backend=_Backend(self.deadline, local),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        core = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _translated():
            answer = self._pool.handle_request(core)
        if not self.deadline.heard:  # it came along with the answer before it, so it cannot be this request's
            answer.close()
            raise httpx.RemoteProtocolError("the answer was there before the request")
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


_threads = threading.local()
_tls = httpx.create_ssl_context(trust_env=False)


def transport_for_thread(local: frozenset[str]) -> NetworkTransport:
    """Return this thread's transport, made on first use and kept while warm."""
    known: dict[frozenset[str], NetworkTransport] = _threads.__dict__.setdefault("transports", {})
    if local not in known:
        known[local] = NetworkTransport(local, _tls)
    return known[local]
