"""A platform's answer: how it is taken in within its limits, and what it is when nobody documented it."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from providers.errors import Cause, ProtocolError, ProviderError, Unreachable

MOST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """A whole answer, read within its limits.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        body: Decompressed bytes, at most :data:`MOST_BYTES`.
        write: Whether it answers a write; a platform's ``errors.py`` passes it on to :func:`undocumented`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    write: bool = False

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def text(self) -> str:
        """The body as UTF-8; undecodable bytes become U+FFFD."""
        return self.body.decode("utf-8", "replace")


def undocumented(answer: Answer, code: str, message: str = "", request_id: str = "") -> ProviderError:
    """Return the error for an answer the platform's documents do not describe.

    On a write that is a :class:`ProtocolError`, for it may have been done; on a read, which may be repeated, an
    :class:`Unreachable`.
    """
    if answer.write:
        return ProtocolError(code, message, request_id=request_id)
    return Unreachable(code, message, cause=Cause.PLATFORM, request_id=request_id)


class TooLarge(Exception):
    """An answer is larger than :data:`MOST_BYTES`."""


class Intake:
    """Gathers an answer's body piece by piece and never holds much more than :data:`MOST_BYTES`.

    It unpacks by itself: httpx would unpack a whole piece of a compressed bomb before anybody can look.
    """

    def __init__(self, response: httpx.Response, *, write: bool) -> None:
        self._status, self._write, self._body, self._empty = response.status_code, write, bytearray(), True
        self._headers = {name.lower(): value for name, value in response.headers.items()}
        coding = self._headers.get("content-encoding", "").strip().lower()
        packed = coding in ("gzip", "x-gzip", "deflate")
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None

    def add(self, part: bytes) -> None:
        """Take the next piece as it came over the wire.

        Raises:
            TooLarge: It is more than anybody needs.
            httpx.DecodingError: It cannot be unpacked, or goes on behind its end.
        """
        self._empty = self._empty and not part
        room = MOST_BYTES + 1 - len(self._body)
        try:
            self._body += self._unpack.decompress(part, room) if self._unpack else part[:room]
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
        if len(self._body) > MOST_BYTES:
            raise TooLarge
        if self._unpack and self._unpack.unused_data:
            raise httpx.DecodingError("the compressed answer goes on behind its end")

    def so_far(self) -> Answer:
        """Return what has come, whole or not."""
        return Answer(self._status, self._headers, bytes(self._body[:MOST_BYTES]), self._write)

    def whole(self) -> Answer:
        """Return the answer at its end.

        Raises:
            httpx.DecodingError: It is compressed and its end is missing.
        """
        if self._unpack and not self._unpack.eof and not self._empty:
            raise httpx.DecodingError("the compressed answer is cut short")
        return self.so_far()
