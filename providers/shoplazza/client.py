"""The calls of the contract against Shoplazza's Order API. Ids are text always, and only an exact one is cancelled."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from providers.contract import Cancel, OrderQuery, Page, PlatformOrder, PlatformReason, Receipt, Ref, Status, TokenStore
from providers.errors import AuthFailed, Cause, ProtocolError, ProviderError, Rejected, Unreachable, gettext_noop
from providers.shoplazza import errors
from providers.shoplazza.card import CARD
from providers.shoplazza.conversation import Conversation, advised, fits, step
from providers.shoplazza.envelope import count_in, identifier, order_in, parse, plain
from providers.shoplazza.reading import order_of, state_in_words, status_of
from providers.wire import Answer, Wire, undocumented

MOST_IDS = 50
MOST_ROWS = 50  # the documents allow 250, but a full page must stay within what one answer may weigh
LONGEST_REASON = 255

# Both forms in the documents (633130-00000004, and up to 21 digits) and any other a store may have been given.
_MAY_BE_ID = re.compile(r"(?=.*[0-9])[0-9A-Za-z]+(?:[-_][0-9A-Za-z]+)*")
_APART = gettext_noop("A refund, stock and a parcel on its way are separate: see to them in the store's admin.")


class ShoplazzaClient:
    """One store. See :class:`providers.contract.Client`."""

    def __init__(
        self,
        *,
        wire: Wire,
        options: Mapping[str, Any],
        credential: Mapping[str, str],
        tokens: TokenStore,
        now: Callable[[], datetime],
    ) -> None:
        version = str(options.get("api_version") or CARD.options[0].default)
        self._store = Conversation(wire, version, credential.get("access_token", ""), now)

    def ping(self) -> None:
        """Count the orders. The scope to cancel, write_order, shows only when something is cancelled.

        Source: "Order Count"; "Response status codes".
        """
        answer = self._store.ask("/count")
        if answer.status == 200 and count_in(parse(answer)) is not None:
            return
        error = self._store.refusal(answer)
        if answer.status == 400:
            raise errors.keys_refused(error)
        known = errors.MEANINGS.get(answer.status)
        if known and known.kind is AuthFailed:  # whatever its shape: nothing is lost by taking a read at its word
            raise AuthFailed(error.code, error.message, advice=known.advice, cause=known.cause)
        if answer.status in (200, 404) or 300 <= answer.status < 400:
            word = "not the Shoplazza API"
            raise Unreachable(error.code, word, advice=errors.WRONG_ADDRESS, cause=Cause.SETTINGS)
        raise error

    def list_orders(self, query: OrderQuery) -> Page:
        """List a page of orders changed since a moment (inclusive, whole seconds); all orders without one.

        The cursor is ``page:first id``: by the id a server that does not page as documented is noticed.

        Source: "Order List" (``page``, ``limit``, ``updated_at_min``); "Order Count".
        Assumed: a page shorter than its limit is the last; the order of rows is not documented.
        """
        number, _, first_before = query.cursor.partition(":")
        page = int(number) if number.isascii() and number.isdigit() else 1
        limit = min(max(query.limit, 1), MOST_ROWS)
        filters = {}
        if query.since:
            filters["updated_at_min"] = query.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows, total = self._store.rows({**filters, "limit": str(limit), "page": str(page)})
        first = identifier(rows[0].get("id")) if rows and isinstance(rows[0], dict) else ""
        if first and first == first_before:
            raise Unreachable("paging", "the same page again", advice=errors.PAGING_IGNORED, cause=Cause.SETTINGS)
        more = len(rows) >= limit
        if total is None and page == 1:
            total = self._store.total(filters) if more else len(rows)
        return Page(_orders(rows), f"{page + 1}:{first}" if more else "", total)

    def get_order(self, ref: Ref) -> PlatformOrder:
        """Read one order by its id, or by its number where there is no such id.

        The id is always tried first where the text may be one, so that a true id never finds the order that happens
        to have it as its number. The ref given back carries the true id.

        Source: "API Usage" (by id); "Get Order Details by Number" (the number without ``#``).
        Assumed: the answer by number is wrapped like the answer by id.

        Raises:
            Rejected: Neither an order's id nor its number (404).
        """
        typed = ref.get("order_id", "").strip()
        if _MAY_BE_ID.fullmatch(typed):
            try:
                return order_of(self._store.order(typed))
            except Rejected as refused:
                if refused.code != "404":
                    raise
        number = typed.lstrip("#").strip()
        if not fits(number):
            raise Rejected("no-id", "no order id or number", advice=errors.NO_ID)
        answer = self._store.read(f"/number/{step(number)}")
        order = order_in(parse(answer))
        if order is None or plain(order.get("number")).casefold() != number.casefold():
            raise undocumented(
                answer, "unreadable", "not the order asked for", errors.request_id(answer, self._store.clean)
            )
        return order_of(order)

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        """Read known orders by their ids, at most :data:`MOST_IDS` a call; what is not there is left out.

        Source: "Order List" (``ids``, comma-separated).
        """
        asked = dict.fromkeys(one.get("order_id", "") for one in refs)
        ids = [one for one in asked if _MAY_BE_ID.fullmatch(one)]
        found: list[PlatformOrder] = []
        for begin in range(0, len(ids), MOST_IDS):
            some = ids[begin : begin + MOST_IDS]
            rows, _ = self._store.rows({"ids": ",".join(some), "limit": str(len(some)), "page": "1"})
            found += [order for order in _orders(rows) if order.ref["order_id"] in some]
        return tuple(found)

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        """Return nothing: the reason is free text."""
        return ()

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        """Return nothing: no look-up field is listed."""
        return ()

    def cancel(self, command: Cancel) -> Receipt:
        """Cancel a whole order.

        Source: seed 003 (``POST …/orders/{id}/cancel``, optional ``reason``); "Response status codes".
        Assumed: a reason longer than 255 characters is cut, for no limit is documented; without one the body is
        ``{}``. A cancelled order is not cancelled again with 200 but refused with 406.

        Raises:
            Rejected: No such order, its state forbids it, or the request was not understood.
            OutcomeUnknown: 500, or nothing readable.
            ProtocolError: 200 without this order as ``cancelled``, or anything undocumented.
        """
        order_id = command.ref.get("order_id", "")
        if not fits(order_id):
            raise Rejected("no-id", "no order id", advice=errors.NO_ID)
        body = {"reason": command.reason[:LONGEST_REASON]} if command.reason.strip() else {}
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        answer = self._store.post(f"/{step(order_id)}/cancel", content)
        if answer.status != 200:
            return self._refused(answer, order_id)
        handle, order = errors.request_id(answer, self._store.clean), order_in(parse(answer))
        if order is None:
            raise undocumented(answer, "unreadable", "the answer holds no order", handle)
        if identifier(order.get("id")) != order_id:
            raise undocumented(answer, "other-order", "the answer is about another order", handle)
        if order.get("status") != "cancelled":
            raise undocumented(answer, "not-cancelled", self._store.clean(state_in_words(order)), handle)
        return Receipt(code="200", message="cancelled", advice=_APART, request_id=handle)

    def _refused(self, answer: Answer, order_id: str) -> Receipt:
        refused = self._store.refusal(answer)
        if not isinstance(refused, Rejected):
            raise refused
        if answer.status == 400:
            raise self._store.judge_400(refused)
        if answer.status == 406:
            return self._forbidden(refused, order_id)
        if answer.status == 422:
            raise self._malformed(refused, order_id)
        raise refused

    def _forbidden(self, refused: Rejected, order_id: str) -> Receipt:
        """Read the order whose state forbids a cancel: it may be cancelled already; if not, its state is why."""
        try:
            order = self._store.order(order_id)
        except ProviderError as blind:
            raise refused from blind
        if status_of(order) is Status.CANCELLED:
            return Receipt(already=True, code=refused.code, message=refused.message, request_id=refused.request_id)
        advice = {Status.CLOSED: errors.FINISHED, Status.SHIPPED: errors.SHIPPED}.get(status_of(order))
        state = self._store.clean(state_in_words(order))
        raise advised(refused, advice or refused.advice, "; ".join(filter(None, (refused.message, state))))

    def _malformed(self, refused: Rejected, order_id: str) -> ProviderError:
        """Believe a 422 only when the order is seen not cancelled: it is, if rarely, a fault inside the platform.

        Source: "Response status codes".
        """
        doubt = ProtocolError(refused.code, refused.message, request_id=refused.request_id)
        try:
            status = status_of(self._store.order(order_id))
            return refused if status in (Status.OPEN, Status.SHIPPED, Status.CLOSED) else doubt
        except Rejected:
            return refused
        except ProviderError:
            return doubt


def _orders(rows: Sequence[Any]) -> tuple[PlatformOrder, ...]:
    """Read the rows that have an id, each once."""
    found = {identifier(row.get("id")): row for row in rows if isinstance(row, dict)}
    return tuple(order_of(row) for order_id, row in found.items() if order_id)
