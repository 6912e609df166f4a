"""One call of Seller Center: a query on one address, stamped and signed at the moment it is sent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from providers.errors import Advice, AuthFailed, Cause
from providers.errors import gettext_noop as _
from providers.sellercenter.auth import canonical, sign, stamp
from providers.sellercenter.envelope import Envelope, text_of
from providers.sellercenter.errors import raise_for
from providers.wire import Answer, Wire

_NO_KEYS = Advice(
    _("This shop has no keys yet. Your request waits and goes by itself once an admin has entered them."),
    _("User id or API key is empty. Enter both, then check."),
)


class Caller:
    """Signs and sends for one shop, in the form its operator wants."""

    def __init__(
        self, wire: Wire, options: Mapping[str, Any], credential: Mapping[str, str], now: Callable[[], datetime]
    ) -> None:
        self._wire, self._now = wire, now
        self._user_id, self._api_key = credential.get("user_id", ""), credential.get("api_key", "")
        self._format = text_of(options.get("format")).upper() or "JSON"
        self._version = text_of(options.get("version")) or "1.0"
        self._user_agent = _header(text_of(options.get("user_agent")))

    def ask(self, action: str, params: Mapping[str, str]) -> tuple[Answer, Envelope]:
        """Make a read and return its answer, opened. Raises as :func:`raise_for`."""
        url, headers = self._signed(action, params)
        answer = self._wire.read("GET", url, headers=headers)
        return answer, raise_for(answer, action)

    def write(self, action: str, params: Mapping[str, str]) -> Answer:
        """Make a write and return its answer unjudged.

        The parameters stand in the query, for nothing else is signed; the body is empty.
        """
        url, headers = self._signed(action, params)
        return self._wire.write("POST", url, headers=headers)

    def _signed(self, action: str, params: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return address and headers of one send; the stamp is made here and kept nowhere.

        Source: "Requests and responses", developers.falabella.com.

        Raises:
            AuthFailed: There are no keys to sign with.
        """
        if not self._user_id or not self._api_key:
            raise AuthFailed("no-keys", "user id or API key is empty", advice=_NO_KEYS, cause=Cause.KEYS)
        whole = {
            **params,
            "Action": action,
            "Format": self._format,
            "Timestamp": stamp(self._now()),
            "UserID": self._user_id,
            "Version": self._version,
        }
        signature = sign(whole, self._api_key)
        self._wire.hide(signature)  # good until the stamp ages out
        headers = {"Accept": "application/xml" if self._format == "XML" else "application/json"}
        if self._user_agent:
            headers["User-Agent"] = self._user_agent
        return f"/?{canonical(whole)}&Signature={signature}", headers


def _header(text: str) -> str:
    """Return what may stand in a header: printable ASCII, so that a pasted line break starts no header of its own."""
    return "".join(one for one in text if " " <= one <= "~").strip()
