"""One HTTP request and its answer, with every secret already blotted out.

Redaction is by value: whatever equals a known secret is replaced wherever it stands, in every form it may have been
written in. Personal data is masked by the key it stands under, for its values are not known beforehand.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from providers.masking import BLOT, Mask

__all__ = ["BLOT", "KEPT_BYTES", "KEPT_HEADERS", "Exchange", "Redactor"]

KEPT_BYTES = 16 * 1024
SHORTEST_SECRET = 4  # blotting out "1" everywhere would leave nothing; cards refuse such short keys
# Headers worth keeping as evidence; all others (cookies, signatures) are dropped unread.
KEPT_HEADERS = frozenset(
    {"content-type", "content-length", "date", "retry-after", "request-id", "x-request-id", "server", "user-agent"}
)


@dataclass(frozen=True)
class Exchange:
    """What went over the wire once, safe to keep.

    Attributes:
        write: Whether it was meant to change something.
        at: ISO-8601 UTC time the request was begun.
        seconds: Until the answer was read whole or given up.
        sent: Whether any byte of the request left this machine.
        status: HTTP status, or ``None`` when no answer came.
        request_bytes, answer_bytes: Sizes before redaction and cutting.
        fault: Why there is no answer, or "".
    """

    method: str
    url: str
    write: bool
    at: str
    seconds: float
    sent: bool
    request_headers: dict[str, str]
    request_body: str
    request_bytes: int
    status: int | None = None
    answer_headers: dict[str, str] | None = None
    answer_body: str = ""
    answer_bytes: int = 0
    fault: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return asdict(self)


class Redactor:
    """Blots out secrets by value and personal data by key.

    Args:
        secrets: Values that must never be kept; each also in its encoded forms.
        private: Lower-case keys whose values are personal data.
    """

    def __init__(self, secrets: Iterable[str], private: Iterable[str]) -> None:
        self._mask = Mask(private)
        self._forms: list[str] = []
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Add a secret learned on the way, such as a fetched token."""
        if len(secret) >= SHORTEST_SECRET:
            written = map(_storable, _written(secret.encode("utf-8", "replace").decode()))
            self._forms = sorted({*self._forms, *written}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced, in characters every database takes."""
        text = _storable(text)
        for form in self._forms:
            text = text.replace(form, BLOT)
        return text

    def body(self, raw: bytes) -> str:
        """Return a body as text: secrets and personal data out, cut to a size worth keeping."""
        text = self._whole_or_cut(raw[: KEPT_BYTES * 4].decode("utf-8", "replace"))
        # Unescaping may have brought a secret, or half a character, to light.
        text = self._whole_or_cut(self._mask.text(text))
        return text if len(text) <= KEPT_BYTES else text[:KEPT_BYTES] + " …"

    def _whole_or_cut(self, text: str) -> str:
        """Blot out secrets, and the beginning of one where the text breaks off in it."""
        text = self.text(text)
        last = text[-1:]
        for form in self._forms:
            size = min(len(form), len(text))
            # Only a beginning that ends with the last character can stand at the end.
            while last and (size := form.rfind(last, 0, size) + 1) >= SHORTEST_SECRET:
                if text.endswith(form[:size]):
                    return text[:-size] + BLOT
                size -= 1
        return text

    def url(self, url: str) -> str:
        """Return an address with secrets and private query values out."""
        return self.text(self._mask.query(self.text(url)))

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Keep the few headers that are evidence, redacted."""
        return {name.lower(): self.text(value) for name, value in headers if name.lower() in KEPT_HEADERS}


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "␀")


@lru_cache(500)  # the same few secrets for every call
def _written(secret: str) -> frozenset[str]:
    """Return the forms in which a secret may stand in a body, an address or a header."""
    escaped = json.dumps(secret)[1:-1]
    texts = {secret, escaped, json.dumps(secret, ensure_ascii=False)[1:-1]}
    texts |= {one.replace("/", r"\/") for one in texts}
    for signs in ("[<>&]", "[<>&']"):  # escaped by some writers of JSON, lest it end a script
        texts |= {re.sub(signs, lambda mark: f"\\u{ord(mark[0]):04x}", one) for one in texts}
    texts |= {html.escape(secret), html.escape(secret, quote=False), html.escape(secret).replace("&#x27;", "&apos;")}
    texts |= {json.dumps(one)[1:-1] for one in texts}  # JSON inside JSON
    texts |= {way(one) for one in texts for way in (quote, quote_plus, lambda one: quote(one, safe=""))}
    texts |= {quote(one, safe="") for one in texts if "%" in one}  # an address inside an address
    texts |= {re.sub("%[0-9A-F]{2}", lambda mark: mark[0].lower(), one) for one in texts}
    raw = secret.encode()
    return frozenset({*texts, raw.hex(), raw.hex().upper(), *_in_base64(raw)})


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what of a secret is the same in base64 wherever it begins in what was encoded."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for shift in range(3):
            inner = encode(bytes(shift) + raw).decode()[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
            if len(inner) >= 8:
                yield inner
