"""Line: sends one request with the shop's access, and reads what an answer holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from providers.huaweicloud.access import Access
from providers.huaweicloud.errors import describe, raise_for
from providers.huaweicloud.notation import read_json
from providers.wire import Answer, Wire, undocumented


@dataclass(frozen=True)
class Line:
    """The wire to the billing service with a way of being let in."""

    wire: Wire
    access: Access
    now: Callable[[], datetime]

    def send(
        self,
        send: Callable[..., Answer],
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send once; a second time only when a stale token was definitely refused and a fresh one is there.

        Args:
            send: The wire's ``read`` or ``write``.
            path: Percent-encoded, with its query; sent and signed as it is.
        """
        url = self.wire.base_url + path
        plain = {"Content-Type": "application/json", **(headers or {})}
        answer = send(method, url, headers=self.access.admit(method, url, plain, body), content=body)
        if self.access.renew(answer):
            answer = send(method, url, headers=self.access.admit(method, url, plain, body), content=body)
            self.access.give_up(answer)
        return answer

    def raise_for(self, answer: Answer) -> NoReturn:
        """Raise what an answer that is no success means."""
        raise_for(answer, now=self.now(), signed=self.access.signed, blot=self.wire.redactor.text)


def read_object(answer: Answer) -> dict[str, Any]:
    """Return the JSON object an answer holds.

    Raises:
        ProviderError: It holds anything else.
    """
    try:
        value = read_json(answer.body) if answer.content_type == "application/json" else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise undocumented(answer, "unreadable", describe(answer))
    return value
