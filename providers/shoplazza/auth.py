"""How Shoplazza knows us: a long-lived token in a header of its own. Nothing is signed, so no clock matters."""

import re

from providers.errors import Advice, AuthFailed, Cause, gettext_noop

TOKEN_HEADER = "access-token"  # noqa: S105 - a header's name

_SENDABLE = re.compile(r"[!-~]+")
_UNSENDABLE = Advice(
    AuthFailed.default_advice.agent,
    gettext_noop(
        "The access token is empty or holds blanks or characters that no token has. Copy it again from the private app."
    ),
)


def headers(access_token: str) -> dict[str, str]:
    """Return the headers every call carries, by name.

    Raises:
        AuthFailed: The token cannot stand in a header; nothing was sent.

    Source: "API Usage"; "Response status codes" (a missing content type is answered like a bad request).
    """
    if not _SENDABLE.fullmatch(access_token):
        raise AuthFailed(
            "bad-token", "the access token cannot be sent as a header", advice=_UNSENDABLE, cause=Cause.KEYS
        )
    return {TOKEN_HEADER: access_token, "content-type": "application/json"}
