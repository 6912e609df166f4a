"""Huawei Cloud's answers read into our words. Any field may be missing, null or of an unexpected kind.

Source: "Querying Orders", "Querying Order Details", and the models of the official Python SDK.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.contract import CANNOT_TELL, Buyer, PlatformItem, PlatformOrder, Standing, Status
from providers.errors import gettext_noop
from providers.huaweicloud.notation import clean_text

PENDING_PAYMENT = 6
# number: (the platform's word, ours). Assumed: 10 to 13, of hardware orders, are described by their names alone.
STATUSES: dict[int, tuple[str, Status]] = {
    1: ("pending approval", Status.OPEN),
    2: ("pending refund", Status.OPEN),
    3: ("processing", Status.OPEN),
    4: ("cancelled", Status.CANCELLED),
    5: ("completed", Status.CLOSED),
    PENDING_PAYMENT: ("pending payment", Status.OPEN),
    9: ("pending confirmation", Status.OPEN),
    10: ("awaiting shipment", Status.OPEN),
    11: ("awaiting receipt", Status.SHIPPED),
    12: ("awaiting door-step pick-up", Status.OPEN),
    13: ("replacement in progress", Status.OPEN),
}
PAID = frozenset({3, 5})
ORDER_TYPES = {
    1: "new", 2: "renewal", 3: "change", 4: "unsubscription", 10: "to pay-per-use", 11: "from pay-per-use",
    13: "trial", 14: "trial to commercial", 15: "fee adjustment",
}  # fmt: skip
_MOST, _PLACES = Decimal(10) ** 15, 12  # anything beyond is no price

CAN = Standing(True)
PART = Standing(
    False,
    gettext_noop("It is part of a combined order, and those are cancelled only as a whole. Open the combined order."),
)
IS_CANCELLED = Standing(False, gettext_noop("It is cancelled already."))
IS_PAID = Standing(
    False,
    gettext_noop("It has been paid. Unsubscribe in the Billing Center instead; only unpaid orders are cancelled."),
)
NOT_PENDING = Standing(
    False, gettext_noop("Huawei Cloud cancels only orders that await payment, and this one does not.")
)


def read_order(info: dict[str, Any], lines: Any = None, line_count: Any = None) -> PlatformOrder | None:
    """Return one order of a list or of details, or ``None`` when it does not say which order it is.

    Args:
        info: An entry of ``order_infos``, or ``order_info``.
        lines: ``order_line_items``, which only details have.
        line_count: How many line items there are in all.
    """
    order_id = read_text(info.get("order_id"))
    if not order_id:
        return None
    number = read_status(info)
    items = tuple(_items(lines))
    parts = [text for one in _objects(info.get("sub_order_infos")) if (text := read_text(one.get("order_id")))]
    facts = [
        (gettext_noop("Service"), read_text(info.get("service_type_name"))),
        (gettext_noop("Kind of order"), ORDER_TYPES.get(read_count(info.get("order_type")) or 0, "")),
        (gettext_noop("To be paid by"), _shown(info.get("pending_payment_end_time"))),
        (gettext_noop("Paid at"), _shown(info.get("payment_time"))),
        (gettext_noop("Combines the orders"), ", ".join(parts)),
    ]
    count = read_count(line_count)
    if count and count > len(items) > 0:
        facts.append((gettext_noop("Line items in all"), str(count)))
    contract = read_text(info.get("contract_id"))
    return PlatformOrder(
        ref={"order_id": order_id},
        number=order_id,
        status=STATUSES[number][1] if number in STATUSES else Status.UNKNOWN,
        status_text=_status_text(info.get("status"), number),
        placed_at=read_time(info.get("create_time")),
        amount=_amount(info),
        currency=read_text(info.get("currency"))[:8],
        buyer=Buyer(name=read_text(info.get("user_name"))),
        items=items,
        keys=(
            ("id", order_id),
            *(("other", part) for part in parts),
            *((("other", contract),) if contract else ()),
            *(key for item in items for key in item.keys),
        ),
        standing=_standing(number),
        facts=tuple(fact for fact in facts if fact[1]),
    )


def read_status(info: dict[str, Any]) -> int | None:
    """Return the status number, or ``None`` when there is none that can be read."""
    return read_count(info.get("status"))


def holds_part(info: dict[str, Any], order_id: str) -> bool:
    """Tell whether an entry of the list is a combined order that this order is part of."""
    parts = (read_text(one.get("order_id")) for one in _objects(info.get("sub_order_infos")))
    return any(part and part.casefold() == order_id.casefold() for part in parts)


def _standing(number: int | None) -> Standing:
    if number not in STATUSES:
        return CANNOT_TELL
    if number == PENDING_PAYMENT:
        return CAN
    if number == 4:
        return IS_CANCELLED
    return IS_PAID if number in PAID else NOT_PENDING


def _status_text(raw: Any, number: int | None) -> str:
    if number in STATUSES:
        return f"{STATUSES[number][0]} ({number})"
    return "" if raw is None else f"unknown ({read_text(raw)[:40]})"


def _items(lines: Any) -> Iterator[PlatformItem]:
    for one in _objects(lines):
        ref = read_text(one.get("order_line_item_id"))
        sku = read_text(one.get("product_id"))
        yield PlatformItem(
            ref=ref,
            name=read_text(one.get("product_spec_desc")) or read_text(one.get("service_type_name")),
            sku=sku,
            quantity=max(read_count(one.get("subscription_num")) or 1, 1),
            amount=_amount(one),
            currency=read_text(one.get("currency"))[:8],
            keys=tuple((kind, value) for kind, value in (("item", ref), ("sku", sku)) if value),
        )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def read_text(value: Any) -> str:
    """Return text or a number as text; anything else is ""."""
    plain = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
    return clean_text(str(value)).strip() if plain else ""


def read_count(value: Any) -> int | None:
    """Return a whole number of ours to count with, or ``None``."""
    text = read_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _amount(one: dict[str, Any]) -> Decimal | None:
    for name in ("amount_after_discount", "official_amount"):
        value = one.get(name)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and -_MOST < value < _MOST:
            exponent = Decimal(value).as_tuple().exponent
            return Decimal(value) if isinstance(exponent, int) and exponent > -_PLACES else None
    return None


def read_time(value: Any) -> datetime | None:
    """Return aware UTC, or ``None``; a time without a zone is UTC, as all of Huawei Cloud's are."""
    try:
        at = datetime.fromisoformat(value.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (AttributeError, ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    at = read_time(value)
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else ""
