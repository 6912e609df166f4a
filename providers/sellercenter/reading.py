"""Seller Center's orders and items read into ours, however the operator writes them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.contract import Buyer, PlatformItem, PlatformOrder, Standing, Status
from providers.errors import gettext_noop as _
from providers.sellercenter.envelope import Envelope, children, text_of, within

_MOST_MONEY = Decimal(10) ** 15

# Source: "GetOrderItems" and "Order flow", developers.falabella.com, which spell some differently; `failed` is the
# spelling of the listing's filter.
_STATUSES = {
    "pending": Status.OPEN,
    "ready_to_ship": Status.OPEN,
    "canceled": Status.CANCELLED,
    "shipped": Status.SHIPPED,
    "delivered": Status.CLOSED,
    "failed": Status.CLOSED,
    "failed_delivery": Status.CLOSED,
    "returned": Status.CLOSED,
    "return_rejected": Status.CLOSED,
    "returned_rejected": Status.CLOSED,
    "return_shipped_by_customer": Status.CLOSED,
    "return_ship_by_customer": Status.CLOSED,
    "return_waiting_for_approval": Status.CLOSED,
    "return_awaiting_for_approval": Status.CLOSED,
}
_MARKETPLACE_SHIPS = frozenset({"fulfillment", "own_warehouse"})

_PENDING = Standing(True)
_BY_MARKETPLACE = Standing(
    False,
    _("The marketplace ships this item from its own warehouse, so the seller cannot cancel it. Ask the operator."),
)
# Assumed for every operator: Falabella documents it, others may be more lenient.
_READY = Standing(
    False, _("It is ready to ship; from here on neither seller nor buyer can cancel it. Ask the buyer to refuse it.")
)
_GONE = Standing(False, _("It is already cancelled. There is nothing left to do."))
_UNDER_WAY = Standing(False, _("It is already on its way. Arrange a return once it has arrived."))
_OVER = Standing(
    False, _("It was delivered, returned or given up, so it can no longer be cancelled. Arrange a refund.")
)
_STRANGE = Standing(
    None, _("The platform calls its state something it does not document. Ask it, or look in Seller Center first.")
)


def read_orders(envelope: Envelope) -> list[Mapping[str, Any]]:
    """Return the order records of an answer, each once; what has no id is left out."""
    found = {text_of(one.get("OrderId")): one for one in _records(envelope.body, "Orders", "Order")}
    return [one for order_id, one in found.items() if order_id]


def count_orders(envelope: Envelope) -> int:
    """Return how many records a page held, repeated ones too: what its successor's offset counts."""
    return len(_records(envelope.body, "Orders", "Order"))


def item_records(node: Any) -> list[Mapping[str, Any]]:
    """Return the item records under a body or an order record just as they stand."""
    return _records(node, "OrderItems", "OrderItem")


def read_items(node: Any) -> list[Mapping[str, Any]]:
    """Return the item records under a body or an order record, each once; what has no id is left out."""
    found = {text_of(one.get("OrderItemId")): one for one in item_records(node)}
    return [one for item_id, one in found.items() if item_id]


def read_order(
    record: Mapping[str, Any], items: Iterable[Mapping[str, Any]], zone: tzinfo | None = None
) -> PlatformOrder:
    """Return one order.

    Args:
        record: As GetOrders or GetOrder give it.
        items: As GetOrderItems gives them.
        zone: The zone of times written without one: that of the answer's head.
    """
    rows = list(items)
    read = tuple(_item(row) for row in rows)
    order_id, number = text_of(record.get("OrderId")), text_of(record.get("OrderNumber"))
    words = [one.status_text for one in read] or [
        text_of(one) for one in children(record.get("Statuses"), "Status")
    ]  # an order has no status of its own, only the set of its items'
    keys = [("id", order_id), ("number", number), *(key for one in read for key in one.keys)]
    extra = ((_("Payment"), record.get("PaymentMethod")), (_("Shipping"), record.get("ShippingType")))
    return PlatformOrder(
        ref={"order_id": order_id},
        number=number or order_id,
        status=fold_statuses(words),
        status_text=", ".join(dict.fromkeys(word for word in words if word)),
        placed_at=read_time(record.get("CreatedAt"), zone),
        updated_at=read_time(record.get("UpdatedAt"), zone),
        amount=_first(_money(record.get(name)) for name in ("GrandTotal", "Price")),
        currency=next((one.currency for one in read if one.currency), text_of(record.get("Currency"))),
        buyer=_buyer(record),
        items=read,
        keys=tuple(dict.fromkeys(key for key in keys if key[1])),
        standing=_order_standing(read),
        facts=tuple((name, text_of(value)) for name, value in extra if text_of(value)),
    )


def fold_statuses(words: Iterable[str]) -> Status:
    """Return what an order is whose items are these: open while one is, cancelled when all are."""
    found = {_status(word) for word in words} or {Status.UNKNOWN}
    left = found - {Status.CANCELLED}
    order = (Status.OPEN, Status.UNKNOWN, Status.SHIPPED, Status.CLOSED)
    return next((one for one in order if one in left), Status.CANCELLED)


def read_zone(envelope: Envelope) -> tzinfo | None:
    """Return the zone of the answer's own time.

    Assumed: times of orders, which are written without a zone, are in this one.
    """
    at = _moment(envelope.told("Timestamp"))
    return at.tzinfo if at else None


def read_time(value: Any, zone: tzinfo | None = None) -> datetime | None:
    """Return a time as aware UTC; ``None`` when it cannot be read. Without any zone it is taken for UTC."""
    at = _moment(text_of(value))
    if at is None:
        return None
    try:
        return (at if at.tzinfo else at.replace(tzinfo=zone or UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _item(row: Mapping[str, Any]) -> PlatformItem:
    word = text_of(row.get("Status"))
    ref, sku, shop_sku = (text_of(row.get(name)) for name in ("OrderItemId", "Sku", "ShopSku"))
    keys = (
        ("item", ref),
        ("sku", sku),
        ("sku", shop_sku),
        ("waybill", text_of(row.get("TrackingCode"))),
        ("other", text_of(row.get("PackageId"))),
    )
    return PlatformItem(
        ref=ref,
        name=text_of(row.get("Name")),
        sku=sku or shop_sku,
        status=_status(word),
        status_text=word,
        amount=_first(_money(row.get(name)) for name in ("PaidPrice", "ItemPrice")),
        currency=text_of(row.get("Currency")),
        standing=_standing(word, text_of(row.get("ShippingType"))),
        keys=tuple(dict.fromkeys(key for key in keys if key[1])),
    )


def _status(word: str) -> Status:
    return _STATUSES.get(word.casefold(), Status.UNKNOWN)


def _standing(word: str, shipping: str) -> Standing:
    word = word.casefold()
    if word == "pending":
        by_marketplace = shipping.casefold().replace(" ", "_") in _MARKETPLACE_SHIPS
        return _BY_MARKETPLACE if by_marketplace else _PENDING
    if word == "ready_to_ship":
        return _READY
    known = {Status.CANCELLED: _GONE, Status.SHIPPED: _UNDER_WAY, Status.CLOSED: _OVER}
    return known.get(_status(word), _STRANGE)


def _order_standing(items: tuple[PlatformItem, ...]) -> Standing:
    """Items are what is cancelled here; the order's own word is that of the item with the best chance left."""
    chances = (True, None, False)
    by_chance = sorted(items, key=lambda one: (chances.index(one.standing.cancellable), one.status is Status.CANCELLED))
    return by_chance[0].standing if by_chance else _STRANGE


def _buyer(record: Mapping[str, Any]) -> Buyer:
    addresses = [record.get("AddressShipping"), record.get("AddressBilling")]
    names = (text_of(record.get(name)) for name in ("CustomerFirstName", "CustomerLastName"))
    mails = (text_of(within(one, "CustomerEmail")) for one in addresses)
    phones = (text_of(within(one, name)) for one in addresses for name in ("Phone", "Phone2"))
    return Buyer(
        " ".join(name for name in names if name), next(filter(None, mails), ""), next(filter(None, phones), "")
    )


def _records(node: Any, outer: str, inner: str) -> list[Mapping[str, Any]]:
    return [one for one in children(within(node, outer), inner) if isinstance(one, Mapping)]


def _first(values: Iterable[Decimal | None]) -> Decimal | None:
    return next((one for one in values if one is not None), None)


def _money(value: Any) -> Decimal | None:
    try:
        money = Decimal(text_of(value))
    except InvalidOperation:
        return None
    return money if money.is_finite() and abs(money) < _MOST_MONEY else None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
