"""Seller Center's part of the contract: what is asked for, and what an answer amounts to."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from providers.contract import (
    Cancel,
    Capabilities,
    OrderQuery,
    Page,
    PlatformOrder,
    PlatformReason,
    Receipt,
    Ref,
    Status,
    TokenStore,
)
from providers.errors import Advice, AuthFailed, ProviderError, Rejected
from providers.errors import gettext_noop as _
from providers.sellercenter.acceptance import check_accepted, check_holds
from providers.sellercenter.auth import stamp
from providers.sellercenter.caller import Caller
from providers.sellercenter.card import CARD
from providers.sellercenter.envelope import text_of
from providers.sellercenter.errors import raise_for
from providers.sellercenter.items import NO_SUCH_ORDER, Items
from providers.sellercenter.reading import count_orders, read_order, read_orders, read_zone
from providers.sellercenter.reasons import read_configured, read_listed
from providers.wire import Wire, undocumented

CANCEL_ACTION = "SetStatusToCanceled"
MOST_ORDERS = 100
_BEGINNING = "2000-01-01T00:00:00+00:00"  # a listing must begin somewhere
_ALREADY = _("It was already cancelled when we asked. There is nothing left to do.")
_NO_ITEM = Advice(_("No item was named, so nothing was sent. Open the order and pick the item to cancel."))
_NO_REASON = Advice(
    _("No reason was given, and Seller Center wants one. Nothing was sent; pick a reason and ask again."),
    _("Map our reason to one this operator accepts."),
)
_NO_ORDER = Advice(_("The platform knows no such order for this seller. Check the order id and the shop."))
_FOREIGN = Advice(
    _(
        "Seller Center lets this shop read its own orders, but not this item: it seems to belong to another seller. "
        "Nothing was cancelled. Check the order and the shop, then ask again."
    )
)


class SellerCenterClient:
    """One shop's calls."""

    def __init__(self, caller: Caller, options: Mapping[str, Any], now: Callable[[], datetime]) -> None:
        self._caller, self._items, self._now = caller, Items(caller), now
        self._reason_parameter = text_of(options.get("reason_parameter")) or "Reason"
        self._reasons = read_configured(options.get("reasons"))

    def ping(self) -> None:
        """Ask for one order of the last day: needs keys, clock and role, and nothing else."""
        since = stamp(self._now() - timedelta(days=1))
        self._caller.ask("GetOrders", {"CreatedAfter": since, "Limit": "1", "Offset": "0"})

    def list_orders(self, query: OrderQuery) -> Page:
        """Return a page of changed orders with their items.

        Sorted by creation, for then an order that changes meanwhile can shift others only towards pages still to come;
        what is seen twice is indexed twice, and nothing is missed.

        Source: "GetOrders" and "GetMultipleOrderItems", developers.falabella.com.
        """
        limit, offset = max(1, min(query.limit, MOST_ORDERS)), int(query.cursor) if query.cursor.isdecimal() else 0
        params = {"Limit": str(limit), "Offset": str(offset), "SortBy": "created_at", "SortDirection": "ASC"}
        params |= {"UpdatedAfter": stamp(query.since)} if query.since else {"CreatedAfter": _BEGINNING}
        answer, envelope = self._caller.ask("GetOrders", params)
        check_holds(answer, envelope, "Orders")
        records, got = read_orders(envelope), count_orders(envelope)
        items = self._items.of_many([text_of(one.get("OrderId")) for one in records])
        zone, told = read_zone(envelope), envelope.told("TotalCount")
        total = int(told) if told.isdecimal() and len(told) < 10 else None
        if not got and total is not None and offset < total:
            raise undocumented(answer, "odd-page", "an empty page before the end of the list")
        more = offset + got < total if total is not None else got >= limit
        orders = tuple(read_order(one, items.get(text_of(one.get("OrderId")), []), zone) for one in records)
        return Page(orders, str(offset + got) if more else "", total)

    def get_order(self, ref: Ref) -> PlatformOrder:
        """Read one order and its items: two calls.

        Raises:
            Rejected: There is none (``E016``, or ``not-found`` where the answer is empty).

        Source: "GetOrder" and "GetOrderItems", developers.falabella.com.
        """
        order_id = ref.get("order_id", "")
        answer, envelope = self._caller.ask("GetOrder", {"OrderId": order_id})
        check_holds(answer, envelope, "Orders")
        records = read_orders(envelope)
        if not records:
            raise Rejected("not-found", "the answer holds no order", advice=_NO_ORDER)
        if text_of(records[0].get("OrderId")) != order_id or len(records) > 1:
            raise undocumented(answer, "other-order", "the answer speaks of another order")
        return read_order(records[0], self._items.of(order_id), read_zone(envelope))

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        """Read known orders one by one, for no call gives whole orders by id; what is not found is left out."""
        found = []
        for ref in refs:
            try:
                found.append(self.get_order(ref))
            except Rejected as error:
                if error.code not in ("E016", "not-found"):
                    raise
        return tuple(found)

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        """Return the operator's reasons for cancelling; the configured ones where it lists none or has no such call.

        Source: "GetFailureReasons" in the operators' published clients; the call is named in Falabella's roles.
        """
        try:
            _answer, envelope = self._caller.ask("GetFailureReasons", {})
        except ProviderError as error:
            if error.code != "E008":
                raise
            return self._reasons
        return read_listed(envelope, self._reason_parameter) or self._reasons

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        """Return nothing: no look-up field has a list."""
        return ()

    def cancel(self, command: Cancel) -> Receipt:
        """Cancel one item.

        After "the state forbids it" the item is read: cancelled already is no refusal. So it is after "access denied",
        which a lacking role and another seller's item have in common.

        Source: "Cancel Order", developers.falabella.com v600.0.0. Assumed: parameters travel in the query of a POST
        without body, as in the operators' own clients; item and reason are mandatory, the detail is not.
        """
        if not command.item_ref:
            raise Rejected("no-item", "no item was named", advice=_NO_ITEM)
        if not command.reason:
            raise Rejected("no-reason", "no reason was given", advice=_NO_REASON)
        params = {"OrderItemId": command.item_ref, self._reason_parameter: command.reason}
        if command.detail:
            params["ReasonDetail"] = command.detail[: CARD.note_sent]
        answer = self._caller.write(CANCEL_ACTION, params)
        try:
            envelope = raise_for(answer, CANCEL_ACTION)
        except Rejected as refusal:
            if refusal.code != "E028":
                raise
            return self._explain(refusal, command)
        except AuthFailed as refusal:
            if refusal.code != "E009" or not self._is_foreign(command):
                raise
            words, handle = refusal.message, refusal.request_id
            raise Rejected(refusal.code, words, advice=_FOREIGN, request_id=handle) from refusal
        check_accepted(answer, envelope, command)
        return Receipt(message=envelope.told("ResponseType"), request_id=envelope.told("RequestId"))

    def _explain(self, refusal: Rejected, command: Cancel) -> Receipt:
        """Read the item the state of which forbids the cancel; keep the refusal where that tells nothing more."""
        try:
            order = read_order(command.ref, self._items.of(command.ref.get("order_id", "")))
        except ProviderError:
            raise refusal from None
        item = next((one for one in order.items if one.ref == command.item_ref), None)
        if item and item.status is Status.CANCELLED:
            return Receipt(
                already=True,
                code=refusal.code,
                message=refusal.message,
                advice=_ALREADY,
                request_id=refusal.request_id,
            )
        if item and item.standing.cancellable is False:
            refusal.advice = Advice(item.standing.why, refusal.advice.admin)
        raise refusal

    def _is_foreign(self, command: Cancel) -> bool:
        """Tell whether access is denied to this item alone: its order is not shown to this seller, and others are.

        Assumed: the role that lets cancel lets read, as in the operators' table of roles; and an item that can be read
        is this seller's, so that there the role is at fault.
        """
        try:
            items = self._items.of(command.ref.get("order_id", ""))
        except Rejected as refusal:
            return refusal.code in NO_SUCH_ORDER
        except AuthFailed as refusal:
            return refusal.code == "E009" and self._may_list()
        except ProviderError:
            return False
        return all(text_of(one.get("OrderItemId")) != command.item_ref for one in items)

    def _may_list(self) -> bool:
        try:
            self.ping()
        except ProviderError:
            return False
        return True


def capabilities(options: Mapping[str, Any]) -> Capabilities:
    """Return what can be asked of a shop with these options."""
    return Capabilities(list_reasons=True)


def open_client(
    *,
    wire: Wire,
    options: Mapping[str, Any],
    credential: Mapping[str, str],
    tokens: TokenStore,
    now: Callable[[], datetime],
) -> SellerCenterClient:
    """Make a client; no network is touched. Tokens are not used here."""
    return SellerCenterClient(Caller(wire, options, credential, now), options, now)
