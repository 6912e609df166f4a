"""A tiny server on loopback that does to a connection exactly what a test says, and keeps what it received."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Visit:
    """One accepted connection."""

    def __init__(self, line: socket.socket) -> None:
        self.line, self.received = line, b""

    def hear(self, most: int = 65536) -> bytes:
        """Take what comes next; nothing once the caller has gone."""
        try:
            data = self.line.recv(most)
        except OSError:
            data = b""
        self.received += data
        return data

    def request(self) -> bytes:
        """Take one whole request."""
        begun = len(self.received)
        while b"\r\n\r\n" not in self.received[begun:] and self.hear():
            pass
        head, _, body = self.received[begun:].partition(b"\r\n\r\n")
        named = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        wanted = int(named[0].partition(b":")[2]) if named else 0
        while len(body) < wanted and (more := self.hear()):
            body += more
        return self.received[begun:]

    def say(self, data: bytes) -> None:
        self.line.sendall(data)

    def reset(self) -> None:
        """Hang up rudely: the caller sees a reset, not an end."""
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.line.close()

    def wait(self) -> None:
        """Do nothing until the caller has gone."""
        while self.hear():
            pass


class Server:
    """Listens on a free port and plays one script to every connection.

    Attributes:
        visits: The connections so far, in order.
    """

    def __init__(self, script: Callable[[Visit], None], tls: ssl.SSLContext | None = None) -> None:
        self.visits: list[Visit] = []
        self._script, self._tls, self._threads = script, tls, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.name = f"127.0.0.1:{self.port}"
        self.local = frozenset({self.name})
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for visit in self.visits:
            with contextlib.suppress(OSError):
                visit.line.shutdown(socket.SHUT_RDWR)
        for thread in [self._thread, *self._threads]:
            thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            visit = Visit(line)
            self.visits.append(visit)
            thread = threading.Thread(target=self._play, args=(visit,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _play(self, visit: Visit) -> None:
        try:
            if self._tls:
                visit.line = self._tls.wrap_socket(visit.line, server_side=True)
            self._script(visit)
        except OSError:
            pass
        finally:
            visit.line.close()

    def settled(self) -> list[bytes]:
        """Wait for every script to end and return what each connection received."""
        for thread in self._threads:
            thread.join(5)
        return [visit.received for visit in self.visits]


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port nobody listens on, kept from others meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue is full: nobody is refused there, and nobody is let in."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def tls_pair(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's context with a fresh certificate of 127.0.0.1, and a client's that trusts just that one."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "loopback.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + made.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))
