"""How the gateway knows us: a signature over every parameter that is sent. Pure: the time is an argument.

Source: API调用方法详解 (document 101617).
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

# The gateway's clock and all its times: GMT+8 the whole year round.
GATEWAY_ZONE = timezone(timedelta(hours=8))
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def stamp(at: datetime) -> str:
    """Return an aware time as the gateway writes times: ``yyyy-MM-dd HH:mm:ss`` in GMT+8."""
    return at.astimezone(GATEWAY_ZONE).strftime(TIME_FORMAT)


def sign(params: Mapping[str, str], secret: str, sign_method: str) -> str:
    """Return the signature of exactly these parameters, in upper-case hexadecimal.

    Args:
        params: Every text parameter on the wire except ``sign``, raw; a blank value counts as its name alone.
        sign_method: ``md5``, ``hmac`` or ``hmac-sha256``.

    Raises:
        ValueError: The method is none of the three.

    Source: API调用方法详解, the section on signing.
    """
    key = secret.encode()
    text = "".join(name + params[name] for name in sorted(params)).encode()
    if sign_method == "md5":
        return hashlib.md5(key + text + key, usedforsecurity=False).hexdigest().upper()
    if sign_method == "hmac":
        return hmac.new(key, text, hashlib.md5).hexdigest().upper()
    if sign_method == "hmac-sha256":
        return hmac.new(key, text, hashlib.sha256).hexdigest().upper()
    raise ValueError("unknown sign method")


def signed_form(params: Mapping[str, str], secret: str) -> bytes:
    """Return the form body: blanks dropped, ``sign`` added, encoded once and ready to send.

    Assumed: session and signature may stand in the body rather than the address, as several public clients do; so
    they stay out of access logs.
    """
    sent = {name: value for name, value in params.items() if value}
    sent["sign"] = sign(sent, secret, sent["sign_method"])
    return urlencode(sent).encode("ascii")
