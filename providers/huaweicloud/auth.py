"""How Huawei Cloud knows a request signed with an access key: SDK-HMAC-SHA256, a pure function of its arguments."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    access_key: str,
    secret_key: str,
    at: datetime,
) -> dict[str, str]:
    """Return the headers a request must be sent with: those given, and ``Host``, ``X-Sdk-Date``, ``Authorization``.

    Args:
        url: Absolute and percent-encoded, exactly as it will be sent.
        headers: All of them are signed, but names with an underscore. Header names are kept as given.
        body: Exactly the bytes that will be sent.
        at: Aware; the gateway refuses a signature more than 15 minutes from its own clock.

    Source: "Calling APIs Through App Authentication: Signature Algorithm" and the official Python SDK's signer.
    """
    parts = urlsplit(url)
    date = at.astimezone(UTC).strftime(DATE_FORMAT)
    sent = {**headers, "Host": host_of(url), "X-Sdk-Date": date}
    signed = {name.lower(): value for name, value in sent.items() if "_" not in name}
    names = sorted(signed)
    signature = signature_of(
        canonical_request(method, parts.path, parts.query, signed, names, body), date=date, secret_key=secret_key
    )
    authorization = f"{ALGORITHM} Access={access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {**sent, "Authorization": authorization}


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], names: list[str], body: bytes
) -> str:
    """Return the text both sides derive from a request; ``headers`` by lower-case name, ``names`` those signed."""
    lines = [
        method.upper(),
        _canonical_path(path),
        canonical_query(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)),
        *(f"{name}:{headers[name].strip()}" for name in names),
        "",
        ";".join(names),
        hashlib.sha256(body).hexdigest(),
    ]
    return "\n".join(lines)


def signature_of(canonical: str, *, date: str, secret_key: str) -> str:
    """Return the lower-case hex signature of a canonical request; ``date`` as in ``X-Sdk-Date``."""
    text = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def canonical_query(pairs: list[tuple[str, str]]) -> str:
    """Return decoded pairs sorted, then encoded: also the form in which a query is best sent."""
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(pairs))


def host_of(url: str) -> str:
    """Return the ``Host`` value that goes on the wire: with the port, unless it is the scheme's own."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, "")).rpartition("@")[2]


def _canonical_path(path: str) -> str:
    # An encoded slash becomes a real one here, as it does in the official signer.
    encoded = "/".join(_encoded(segment) for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
