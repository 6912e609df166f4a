"""The calls of the contract, as Huawei Cloud's billing service takes them.

Source: "Canceling Orders in the Pending Payment Status" (updated 2023-11-02), "Querying Orders", "Querying Order
Details".
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers.contract import Cancel, OrderQuery, Page, PlatformOrder, PlatformReason, Receipt, Ref, Status, TokenStore
from providers.errors import Advice, AuthFailed, Cause, ProviderError, Rejected, gettext_noop
from providers.huaweicloud import advice
from providers.huaweicloud.access import access_for
from providers.huaweicloud.auth import canonical_query
from providers.huaweicloud.errors import ACCESS_DENIED, PART_OF_COMBINED, WRONG_STATE, describe
from providers.huaweicloud.line import Line, read_object
from providers.huaweicloud.listing import MOST_ROWS, Place
from providers.huaweicloud.reading import (
    CAN,
    IS_PAID,
    PART,
    PENDING_PAYMENT,
    holds_part,
    read_count,
    read_order,
    read_text,
)
from providers.wire import Wire, undocumented

ORDERS = "/v2/orders/customer-orders"
# A second read for the sake of one more line on the page is worth it only where the first was quick.
QUICK_SECONDS = 2.0
PARENT_PAGES = 2


@dataclass(frozen=True)
class HuaweiCloudClient:
    """One shop's customer account."""

    line: Line

    def ping(self) -> None:
        self._list([("limit", "1"), ("offset", "0")])

    def list_orders(self, query: OrderQuery) -> Page:
        place = Place.parse(query.cursor, query.since, self.line.now())
        limit = min(max(query.limit, 1), MOST_ROWS)
        rows, total = self._list(place.query(limit))
        orders = [read_order(row) for row in rows if isinstance(row, dict)]
        after = place.after(len(rows), limit, total)
        return Page(
            tuple(order for order in orders if order),
            after.text() if after else "",
            total if query.since is None else None,
        )

    def get_order(self, ref: Ref) -> PlatformOrder:
        order = self._read(_order_id(ref))
        if order.standing is not CAN or self.line.wire.exchanges[-1].seconds > QUICK_SECONDS:
            return order
        parent = self._find_parent(order.number, pages=0)
        if not parent:
            return order
        facts = (*order.facts, (gettext_noop("Part of the combined order"), parent))
        return replace(order, standing=PART, facts=facts, keys=(*order.keys, ("other", parent)))

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        found = []
        for ref in refs:
            try:
                found.append(self._read(_order_id(ref)))
            except Rejected:  # there is no such order, or no longer: the others still count
                continue
        return tuple(found)

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        return ()

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        return ()

    def cancel(self, command: Cancel) -> Receipt:
        order_id = _order_id(command.ref)
        body = json.dumps({"order_id": order_id}, ensure_ascii=False).encode()
        answer = self.line.send(self.line.wire.write, "PUT", f"{ORDERS}/cancel", body=body)
        # The documented success has no body, whatever its headers say.
        if answer.status == 204 and not answer.body:
            return Receipt(request_id=answer.headers.get("x-request-id", "")[:128])
        try:
            self.line.raise_for(answer)
        except Rejected as error:
            if error.code == WRONG_STATE:
                return self._already(order_id, error)
            if error.code == PART_OF_COMBINED and (parent := self._find_parent(order_id, pages=PARENT_PAGES)):
                message = f"{error.message} · {parent}" if error.message else parent
                raise _reworded(error, advice.COMBINED_NAMED, message) from error
            raise
        except AuthFailed as error:
            if self._names_no_permission(error) and self._is_hidden(order_id):
                raise _reworded(error, advice.FOREIGN) from error
            raise

    def _already(self, order_id: str, error: Rejected) -> Receipt:
        """Look what an order has become that may not be cancelled; the refusal stands unless it proves cancelled."""
        try:
            order = self._read(order_id)
        except ProviderError:
            raise error from None
        if order.status is Status.CANCELLED:
            return Receipt(already=True, code=error.code, message=error.message, request_id=error.request_id)
        if order.standing is IS_PAID:
            raise _reworded(error, advice.PAID) from error
        raise error

    def _find_parent(self, order_id: str, pages: int) -> str:
        """Return the combined order that holds this one, or "" where none can be found.

        Assumed: asked for a part's ID, the list may answer with the combined order. Where it does not, the orders
        awaiting payment are looked through, newest first, for so many pages.
        """
        queries = [[("order_id", order_id), ("limit", str(MOST_ROWS)), ("offset", "0")]]
        for page in range(pages):
            offset = ("offset", str(page * MOST_ROWS))
            status = ("status", str(PENDING_PAYMENT))
            queries.append([status, ("order_by", "-createTime"), ("limit", str(MOST_ROWS)), offset])
        try:
            for number, query in enumerate(queries):
                rows, _ = self._list(query)
                for row in rows:
                    if isinstance(row, dict) and holds_part(row, order_id):
                        return read_text(row.get("order_id"))
                if number and len(rows) < MOST_ROWS:
                    break
        except ProviderError:  # the refusal itself is definite; only its explanation is poorer
            pass
        return ""

    def _read(self, order_id: str) -> PlatformOrder:
        path = f"{ORDERS}/details/{quote(order_id, safe='-_.~')}"
        query = canonical_query([("limit", str(MOST_ROWS)), ("offset", "0")])
        answer = self.line.send(self.line.wire.read, "GET", f"{path}?{query}", {"X-Language": "en_US"})
        if answer.status != 200:
            try:
                self.line.raise_for(answer)
            except AuthFailed as error:
                if self._names_no_permission(error) and self._may_list():
                    raise _reworded(error, advice.FOREIGN) from error
                raise
        value = read_object(answer)
        info = value.get("order_info", "missing")
        if info is None or info == {}:  # Assumed: how an unknown order may look when it is no error
            raise Rejected("not-found", advice=advice.NOT_FOUND)
        order = None
        if isinstance(info, dict):
            order = read_order(info, value.get("order_line_items"), value.get("total_count"))
        if order is None or order.number.casefold() != order_id.casefold():
            raise undocumented(answer, "other-order", describe(answer))
        return order

    def _list(self, pairs: list[tuple[str, str]]) -> tuple[list[Any], int | None]:
        answer = self.line.send(self.line.wire.read, "GET", f"{ORDERS}?{canonical_query(pairs)}")
        if answer.status != 200:
            self.line.raise_for(answer)
        value = read_object(answer)
        total = read_count(value.get("total_count"))
        rows = value.get("order_infos", [] if total == 0 else "missing")
        if not isinstance(rows, list | None):
            raise undocumented(answer, "no-list", describe(answer))
        return rows or [], total

    def _names_no_permission(self, error: AuthFailed) -> bool:
        """Tell whether a denial leaves open if it is about this order alone."""
        is_denial = error.code == ACCESS_DENIED and error.cause is Cause.PERMISSION
        return is_denial and "permission" not in error.message.lower()

    def _may_list(self) -> bool:
        try:
            self.ping()
        except ProviderError:
            return False
        return True

    def _is_hidden(self, order_id: str) -> bool:
        try:
            self._read(order_id)
        except Rejected:
            return True
        except ProviderError:
            return False
        return False


def _order_id(ref: Ref) -> str:
    order_id = ref.get("order_id", "")
    is_plain = 0 < len(order_id) <= 64 and order_id.isprintable() and "/" not in order_id and order_id.strip(".")
    if not is_plain or order_id != order_id.strip():
        raise Rejected("order-id", advice=advice.BAD_ORDER_ID)
    return order_id


def _reworded(error: ProviderError, words: Advice, message: str | None = None) -> Rejected:
    text = error.message if message is None else message
    return Rejected(error.code, text, advice=words, request_id=error.request_id)


def open_client(
    *,
    wire: Wire,
    options: Mapping[str, Any],
    credential: Mapping[str, str],
    tokens: TokenStore,
    now: Callable[[], datetime],
) -> HuaweiCloudClient:
    """Make a client; nothing is sent."""
    return HuaweiCloudClient(Line(wire, access_for(wire, options, credential, tokens, now), now))
