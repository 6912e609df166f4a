"""Wire: sends with httpx, translates its errors at one seam, and collects Exchanges.

A wire belongs to one call of one shop. It never retries, follows no redirect, and reads no more than it must.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from providers.answer import MOST_BYTES, Answer, Intake, TooLarge, undocumented
from providers.errors import Cause, OutcomeUnknown, ProtocolError, ProviderError, Unreachable
from providers.exchange import Exchange, Redactor
from providers.network import CONNECT_SECONDS, NetworkTransport, transport_for_thread

__all__ = ["MOST_BYTES", "TOTAL_SECONDS", "Answer", "Wire", "undocumented", "wire_for"]

TOTAL_SECONDS = 20.0

# Nothing of the request can have left when one of these is raised. Everything else may have arrived.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_WORDS = {
    httpx.ConnectTimeout: "connect-timeout",
    httpx.ConnectError: "connect-failed",
    httpx.PoolTimeout: "connect-timeout",
    httpx.ReadTimeout: "timeout",
    httpx.WriteTimeout: "timeout",
    httpx.DecodingError: "unreadable",
}
_SENDABLE = re.compile(r"[!-~](?:[\t -~]*[!-~])?|")


class _Unsendable(Exception):
    """It cannot stand on a wire. What it is is not repeated: it may be a secret."""


@dataclass
class Wire:
    """The way to one platform for one shop.

    Args:
        base_url: Without a trailing slash; paths are appended to it as they are.
        redactor: Knows the shop's secrets; clients add tokens to it with :meth:`hide`.
        transport: An httpx transport; by default this thread's own way out to the network.
        local: ``host:port`` pairs that may be private addresses.
        total_seconds: Deadline of each exchange; all exchanges of a wire together get twice that, so that a worker's
            lease outlasts them.
    """

    base_url: str
    redactor: Redactor
    transport: httpx.BaseTransport | None = None
    local: frozenset[str] = frozenset()
    total_seconds: float = TOTAL_SECONDS
    exchanges: list[Exchange] = field(default_factory=list)
    writing: bool = False  # a write was begun: from here on a fault of our own leaves doubt, too
    ends: float = 0.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def hide(self, secret: str) -> None:
        """Blot this value out of everything kept from now on."""
        self.redactor.hide(secret)

    def read(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"") -> Answer:
        """Ask for something that changes nothing.

        Args:
            url: Absolute, or a path beginning with ``/`` that is appended to the base URL. Sent as given, so it must
                be percent-encoded already.
            content: The body, exactly as sent.

        Raises:
            Unreachable: No whole answer came, whatever the cause: a read may be repeated.
        """
        return self._send(False, method, url, headers or {}, content)

    def write(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"") -> Answer:
        """Ask for a change, once.

        Raises:
            Unreachable: It provably never left.
            OutcomeUnknown: It may have arrived, and no answer came.
            ProtocolError: An answer came that cannot be decoded or is too large.
        """
        self.writing = True
        return self._send(True, method, url, headers or {}, content)

    def _send(self, write: bool, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        url = url if "://" in url else self.base_url + url
        transport = self.transport or transport_for_thread(self.local)
        network = transport if isinstance(transport, NetworkTransport) else None
        begun, at = time.monotonic(), self.clock()
        self.ends = self.ends or begun + 2 * self.total_seconds
        seconds = min(self.total_seconds, self.ends - begun)
        if seconds <= 0:
            raise Unreachable("timeout", "no time was left to ask", cause=Cause.NETWORK)
        if network:
            network.deadline.start(seconds)
        intake: Intake | None = None
        error: ProviderError | None = None
        cause: Exception | None = None
        left = True
        try:
            request = self._request(method, url, headers, content, seconds)
            response = transport.handle_request(request)
            intake = Intake(response, write=write)
            try:
                for part in response.iter_raw():
                    if time.monotonic() > begun + seconds:
                        raise httpx.ReadTimeout("total deadline")
                    intake.add(part)
                intake.whole()
            finally:
                response.close()
        except _Unsendable as problem:
            left, error = False, Unreachable("unsendable", str(problem), cause=Cause.SETTINGS)
        except TooLarge as problem:
            error, cause = self._too_large(write), problem
        except (httpx.TransportError, httpx.DecodingError, httpx.StreamError) as problem:
            # The socket's own word is better than the kind of error.
            left = network.deadline.sent if network else not isinstance(problem, _NEVER_LEFT)
            error, cause = self._error(write, left, problem), problem
        answer = intake.so_far() if intake else None
        self.exchanges.append(
            Exchange(
                method=method,
                url=self.redactor.url(url),
                write=write,
                at=at.isoformat(timespec="milliseconds"),
                seconds=round(time.monotonic() - begun, 3),
                sent=left,
                request_headers=self.redactor.headers(headers.items()),
                request_body=self.redactor.body(content),
                request_bytes=len(content),
                status=answer.status if answer else None,
                answer_headers=self.redactor.headers(answer.headers.items()) if answer else None,
                answer_body=self.redactor.body(answer.body) if answer else "",
                answer_bytes=len(answer.body) if answer else 0,
                fault=self.redactor.text(f"{error.code}: {error.message}") if error else "",
            )
        )
        if error:
            raise error from cause
        assert answer is not None
        return answer

    @staticmethod
    def _request(method: str, url: str, headers: Mapping[str, str], content: bytes, seconds: float) -> httpx.Request:
        """Put a request together.

        Raises:
            _Unsendable: The address or a header holds what no wire carries.
        """
        plain = {"accept-encoding": "identity", "accept": "application/json", "user-agent": "Rescind/1"}
        given = {name.lower() for name in headers}
        every = [*headers.items(), *((name, value) for name, value in plain.items() if name not in given)]
        if not all(_SENDABLE.fullmatch(value) for _, value in every):
            raise _Unsendable("a header holds characters that cannot be sent")
        try:
            request = httpx.Request(method, url, headers=every, content=content or None)
        except (httpx.InvalidURL, ValueError):
            raise _Unsendable("the address cannot be read") from None
        request.extensions["timeout"] = {
            "connect": CONNECT_SECONDS,
            "read": seconds,
            "write": seconds,
            "pool": CONNECT_SECONDS,
        }
        return request

    def _error(self, write: bool, left: bool, problem: Exception) -> ProviderError:
        word = next((text for kind, text in _WORDS.items() if isinstance(problem, kind)), "connection-lost")
        message = self.redactor.text(str(problem))
        if not left or not write:
            return Unreachable(word, message, cause=Cause.NETWORK)
        if isinstance(problem, httpx.DecodingError):
            return ProtocolError(word, message)
        return OutcomeUnknown(word, message, cause=Cause.NETWORK)

    @staticmethod
    def _too_large(write: bool) -> ProviderError:
        text = f"the answer is larger than {MOST_BYTES} bytes"
        return ProtocolError("too-large", text) if write else Unreachable("too-large", text, cause=Cause.PLATFORM)


def wire_for(base_url: str, secrets: Iterable[str], private: Iterable[str], **more: object) -> Wire:
    """Make a wire that knows these secrets; ``more`` are further fields of :class:`Wire`."""
    return Wire(base_url.rstrip("/"), Redactor(secrets, private), **more)  # type: ignore[arg-type]
