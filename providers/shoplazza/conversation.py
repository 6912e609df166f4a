"""Asking one store: addresses and headers, what a refusal is, and the reads from which the client's calls are made."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from providers.errors import Advice, AuthFailed, Cause, ProviderError, Rejected
from providers.shoplazza import auth, errors
from providers.shoplazza.card import CARD
from providers.shoplazza.envelope import count_in, identifier, order_in, orders_in, parse
from providers.wire import Answer, Wire, undocumented

_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}")


def fits(text: str) -> bool:
    """Tell whether a text may stand as one step of a path; dots would be taken as steps back."""
    return 0 < len(text) <= 255 and text.strip() == text and bool(text.strip("."))


def step(text: str) -> str:
    """Return a text percent-encoded as one step of a path."""
    return quote(text, safe="", errors="replace")


def advised(refused: Rejected, advice: Advice, message: str = "") -> Rejected:
    """Return the same refusal with other words."""
    return Rejected(refused.code, message or refused.message, advice=advice, request_id=refused.request_id)


class Conversation:
    """One store, one token, one API version; every ``rest`` is what follows ``/orders`` in the address."""

    def __init__(self, wire: Wire, version: str, access_token: str, now: Callable[[], datetime]) -> None:
        self._wire, self._version, self._token, self._now = wire, version, access_token, now

    def _address(self, rest: str) -> str:
        if CARD.is_example(self._wire.base_url):  # that may be somebody's store, and the token is not for them
            raise AuthFailed("base-url", "still the example", advice=errors.PLACEHOLDER, cause=Cause.SETTINGS)
        if not _VERSION.fullmatch(self._version):
            raise AuthFailed("api-version", self._version, advice=errors.BAD_VERSION, cause=Cause.SETTINGS)
        return f"/openapi/{self._version}/orders{rest}"

    def post(self, rest: str, content: bytes) -> Answer:
        """Ask for a change, once; see :meth:`Wire.write`."""
        return self._wire.write("POST", self._address(rest), headers=auth.headers(self._token), content=content)

    def ask(self, rest: str) -> Answer:
        """Read, whatever the status; see :meth:`Wire.read`."""
        return self._wire.read("GET", self._address(rest), headers=auth.headers(self._token))

    def clean(self, text: str) -> str:
        """Return the platform's words with the shop's secrets out."""
        return self._wire.redactor.text(text)

    def refusal(self, answer: Answer) -> ProviderError:
        """Return what an answer other than 200 means."""
        return errors.refusal(answer, now=self._now(), clean=self.clean)

    def judge_400(self, refused: Rejected) -> ProviderError:
        """Tell a bad request from bad credentials, both 400, by a plain read with the same token.

        Source: seed 003, error detail. A probe that cannot tell leaves the refusal what it is: nothing was done.
        """
        try:
            probe = self.ask("/count").status
        except ProviderError:
            probe = 0
        if probe in (400, 401):
            return errors.keys_refused(refused)
        return refused if probe == 200 else advised(refused, errors.KEYS_OR_REQUEST)

    def read(self, rest: str) -> Answer:
        """Read an answer of status 200.

        Raises:
            ProviderError: What any other status means.
        """
        answer = self.ask(rest)
        if answer.status == 200:
            return answer
        error = self.refusal(answer)
        raise self.judge_400(error) if answer.status == 400 and isinstance(error, Rejected) else error

    def order(self, order_id: str) -> Mapping[str, Any]:
        """Read the order with exactly this id.

        Source: "API Usage" (one order, by its id).
        """
        answer = self.read(f"/{step(order_id)}")
        order = order_in(parse(answer))
        if order is None or identifier(order.get("id")) != order_id:
            raise undocumented(answer, "unreadable", "not the order asked for", errors.request_id(answer, self.clean))
        return order

    def rows(self, query: Mapping[str, str]) -> tuple[list[Any], int | None]:
        """Read a page of the list: its rows, unread, and the total where it is told.

        Source: "Order List".
        """
        answer = self.read("?" + urlencode(query))
        value = parse(answer)
        rows = orders_in(value)
        if rows is None:
            raise undocumented(answer, "unreadable", "the answer holds no list", errors.request_id(answer, self.clean))
        return rows, count_in(value)

    def total(self, filters: Mapping[str, str]) -> int | None:
        """Count the orders; ``None`` when that fails, for it is only a number to show.

        Source: "Order Count".
        """
        try:
            return count_in(parse(self.read("/count" + ("?" + urlencode(filters) if filters else ""))))
        except ProviderError:
            return None
