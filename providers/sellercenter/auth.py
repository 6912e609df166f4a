"""How Seller Center knows us: a pure HMAC over exactly the query that is sent."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote


def canonical(params: Mapping[str, str]) -> str:
    """Return the query as it is both signed and sent: sorted by raw name, RFC 3986, without ``Signature``.

    Lone surrogates, which no UTF-8 can hold, become ``?`` on the wire and in the signature alike.

    Source: "Signing requests", developers.falabella.com, read as in the dossier.
    """
    # Code points sort like UTF-8 bytes, so plain sorting is the byte order the platform uses.
    return "&".join(f"{_encode(name)}={_encode(params[name])}" for name in sorted(params) if name != "Signature")


def sign(params: Mapping[str, str], api_key: str) -> str:
    """Return the signature: 64 lower-case hex digits.

    Args:
        params: Every parameter that will be sent, empty ones included; a ``Signature`` among them is left out.
        api_key: Its characters are the key, also where they look like hex.
    """
    return hmac.new(api_key.encode(), canonical(params).encode(), hashlib.sha256).hexdigest()


def stamp(moment: datetime) -> str:
    """Return an aware moment as the platform reads it: ``2030-04-01T08:00:00+00:00``."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def _encode(text: str) -> str:
    return quote(text, safe="-_.~", errors="replace")
