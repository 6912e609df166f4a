"""One order as Shoplazza tells it → a PlatformOrder. Every field may be missing, null or of another type."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.contract import Buyer, PlatformItem, PlatformOrder, Standing, Status, Trace
from providers.errors import gettext_noop
from providers.shoplazza.envelope import identifier, plain

_UNSHIPPED = frozenset({"initialled", "waiting"})
_GONE = frozenset({"shipped", "partially_finished", "finished", "returning", "partially_returned", "returned"})

_FACTS = (
    ("financial_status", gettext_noop("Payment")),
    ("fulfillment_status", gettext_noop("Shipping")),
    ("payment_method", gettext_noop("Paid with")),
    ("total_paid", gettext_noop("Paid")),
    ("total_refund_price", gettext_noop("Refunded")),
    ("cancel_reason", gettext_noop("Reason kept there")),
    ("canceled_at", gettext_noop("Cancelled at")),
    ("deleted_at", gettext_noop("Deleted at")),
    ("tags", gettext_noop("Tags")),
)
_AMOUNTS = ("total_paid", "total_refund_price")

CANCELLED = Standing(False, gettext_noop("The order is cancelled already."))
FINISHED = Standing(False, gettext_noop("The order is finished. Arrange a refund in the store's admin instead."))
NOT_SHIPPED = Standing(True, gettext_noop("Nothing of it has shipped. Shoplazza has the last word."))
PARTLY_SHIPPED = Standing(
    None, gettext_noop("A part has shipped. Shoplazza may refuse, and cancelling does not stop a parcel on its way.")
)
ALL_SHIPPED = Standing(
    None, gettext_noop("It has shipped. Shoplazza may refuse, and cancelling does not stop a parcel on its way.")
)
UNKNOWN = Standing(
    None, gettext_noop("We do not know this state of an order. Only Shoplazza can tell whether it can be cancelled.")
)


def status_of(order: Mapping[str, Any]) -> Status:
    """Return our word for the order's state.

    Source: seed 003 (``cancelled``); "Order List" (the other words). ``canceled_at`` is null even on cancelled orders,
    so it says nothing.
    """
    word = plain(order.get("status"))
    if word in ("opened", "placed"):
        return Status.SHIPPED if plain(order.get("fulfillment_status")) in _GONE else Status.OPEN
    return {"cancelled": Status.CANCELLED, "finished": Status.CLOSED}.get(word, Status.UNKNOWN)


def standing_of(order: Mapping[str, Any]) -> Standing:
    """Return whether the order can be cancelled now.

    Assumed: which states allow it is not documented. What is open and not shipped is offered, what is finished or
    cancelled is not, and everything else is left to the platform.
    """
    status, shipping = status_of(order), plain(order.get("fulfillment_status"))
    known = {Status.CANCELLED: CANCELLED, Status.CLOSED: FINISHED, Status.SHIPPED: ALL_SHIPPED}.get(status)
    if known:
        return known
    if status is Status.OPEN and shipping in _UNSHIPPED:
        return NOT_SHIPPED
    return PARTLY_SHIPPED if status is Status.OPEN and shipping == "partially_shipped" else UNKNOWN


def state_in_words(order: Mapping[str, Any]) -> str:
    """Return the platform's own words for where an order stands, for the message of a refusal."""
    words = ((key, plain(order.get(key))) for key in ("status", "fulfillment_status", "financial_status"))
    return ", ".join(f"{key} {word}" for key, word in words if word)


def moment(value: Any) -> datetime | None:
    """Read an ISO-8601 time as aware UTC, with or without ``T``, fraction and offset; ``None`` when unreadable.

    Assumed: a time without an offset is UTC.
    """
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"\s+(?=(UTC|Z|[+-]\d\d:?\d\d)$)", "", value.strip()).replace("UTC", "Z"))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def money(value: Any) -> Decimal | None:
    """Read an amount given as text or number; ``None`` when there is none or it is beyond any price."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    try:
        amount = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        return None
    exponent = amount.as_tuple().exponent
    return amount if isinstance(exponent, int) and -9 < exponent < 9 and amount.adjusted() < 15 else None


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))


def _quantity(value: Any) -> int:
    text = plain(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _buyer(order: Mapping[str, Any]) -> Buyer:
    customer, address = _part(order.get("customer")), _part(order.get("shipping_address"))
    names = [" ".join(filter(None, (plain(one.get("first_name")), plain(one.get("last_name")))))
             for one in (customer, address)]  # fmt: skip
    return Buyer(
        name=names[0] or plain(address.get("name")) or names[1],
        email=plain(customer.get("email")) or plain(address.get("email")),
        phone=plain(customer.get("phone")) or plain(address.get("phone")),
    )


def _items(order: Mapping[str, Any]) -> Iterator[PlatformItem]:
    status, standing, currency = status_of(order), standing_of(order), plain(order.get("currency"))
    for line in _parts(order.get("line_items")):
        titles = (plain(line.get("product_title")), plain(line.get("variant_title")))
        quantity, price, total = _quantity(line.get("quantity")), money(line.get("price")), money(line.get("total"))
        yield PlatformItem(
            ref=identifier(line.get("id")),
            name=" · ".join(filter(None, titles)),
            sku=plain(line.get("sku")),
            status=status,
            status_text=plain(line.get("fulfillment_status")),
            quantity=quantity,
            amount=total if total is not None else price * quantity if price is not None else None,
            currency=currency,
            standing=standing,
        )


def _keys(order: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", identifier(order.get("id"))
    yield "number", plain(order.get("number"))
    for line in _parts(order.get("line_items")):
        yield "item", identifier(line.get("id"))
        yield "sku", plain(line.get("sku"))
    for parcel in _parts(order.get("fulfillments")):
        yield "waybill", plain(parcel.get("tracking_number"))
        yield "other", identifier(parcel.get("id"))
    yield "other", plain(_part(order.get("payment_line")).get("transaction_no"))


def _traces(order: Mapping[str, Any]) -> Iterator[Trace]:
    for parcel in _parts(order.get("fulfillments")):
        words = (plain(parcel.get("tracking_company")), plain(parcel.get("tracking_number")))
        at = moment(parcel.get("updated_at")) or moment(parcel.get("created_at"))
        yield Trace(at, plain(parcel.get("status")), " ".join(filter(None, words)))


def _fact(order: Mapping[str, Any], key: str) -> str:
    """Return a fact as people read it: an amount with its currency, a time without its letters."""
    text = plain(order.get(key))
    if key.endswith("_at") and (at := moment(order.get(key))):
        return at.strftime("%Y-%m-%d %H:%M UTC")
    return f"{text} {plain(order.get('currency'))}".strip() if text and key in _AMOUNTS else text


def order_of(order: Mapping[str, Any]) -> PlatformOrder:
    """Return an order as the contract has it; the caller has seen to it that there is an id.

    ``placed_at`` is when it was paid, or begun where it never was.

    Source: seed 003, success response; "Order List" (before payment ``placed_at`` is null).
    """
    order_id = identifier(order.get("id"))
    facts = ((label, _fact(order, key)) for key, label in _FACTS)
    return PlatformOrder(
        ref={"order_id": order_id},
        number=plain(order.get("number")) or order_id,
        status=status_of(order),
        status_text=plain(order.get("status")),
        placed_at=moment(order.get("placed_at")) or moment(order.get("created_at")),
        updated_at=moment(order.get("updated_at")),
        amount=money(order.get("total_price")),
        currency=plain(order.get("currency")),
        buyer=_buyer(order),
        items=tuple(_items(order)),
        keys=tuple(dict.fromkeys(pair for pair in _keys(order) if pair[1])),
        standing=standing_of(order),
        traces=tuple(_traces(order)),
        facts=tuple((label, text) for label, text in facts if text),
    )
