"""Orders as the detail and list calls tell them → PlatformOrder. Never more than the documents bear out.

Source: taobao.pc.order.detail (apiId 71997); taobao.pc.order.list (apiId 71998) for the numbers' meanings.
Assumed: which numbers mean "cancelled", "shipped" or "closed" is our reading of those meanings.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from providers.contract import PlatformItem, PlatformOrder, Ref, Standing, Status, Trace
from providers.errors import gettext_noop as _
from providers.taobao.leaves import rows_of, text_of, time_of, whole_of

Row = Mapping[str, Any]

_REFUNDED, _COMPLETED, _CLOSED_THERE = 4, 6, 8
_UNDER_WAY = frozenset({2, 3, 4, 5, 6})  # shipped, received, returned, partly received, partly shipped
_AT_REST = frozenset({1, 8, 9})  # not shipped, no logistics order yet, picking
_PAYABLE = frozenset({1, 2, 7, 9})  # unpaid, paid, no external trade, cannot pay

_PAY_WORDS = {
    1: "unpaid",
    2: "paid",
    4: "refunded",
    6: "completed",
    7: "no external trade",
    8: "closed",
    9: "cannot pay",
}
_LOGISTICS_WORDS = {
    1: "not shipped", 2: "shipped", 3: "received", 4: "returned", 5: "partly received", 6: "partly shipped",
    8: "no logistics order", 9: "picking",
}  # fmt: skip

_STANDINGS = {
    Status.OPEN: Standing(
        None, _("Not shipped, so Taobao probably still cancels it. It does not document which states it accepts.")
    ),
    Status.CANCELLED: Standing(False, _("Taobao has already closed this order.")),
    Status.SHIPPED: Standing(
        None, _("Goods are on their way, so Taobao will probably refuse. Ask for a refund at Taobao instead.")
    ),
    Status.CLOSED: Standing(
        None, _("The order is finished, so Taobao will probably refuse. Ask for a refund at Taobao instead.")
    ),
    Status.UNKNOWN: Standing(None, _("Taobao does not say how far this order is. Look at it there before you cancel.")),
}


def names_other_order(rows: Iterable[Row], biz_order_id: str) -> bool:
    """Tell whether rows name order numbers, and none of them the one asked for."""
    named = {text_of(row.get(key)) for row in rows for key in ("biz_order_id", "parent_id")} - {"", "0"}
    return bool(named) and biz_order_id not in named


def read_order(item: Row, ref: Ref) -> PlatformOrder:
    """Read one ``order_detail_item``.

    Of several sub orders those count that name the asked number as their own or their parent's.
    """
    number = ref["biz_order_id"]
    subs = list(rows_of(item.get("sub_order_details")))
    ours = [sub for sub in subs if number in (text_of(sub.get("biz_order_id")), text_of(sub.get("parent_id")))]
    subs = ours or subs
    status = _order_status([_status(sub) for sub in subs])
    pay = item.get("pay_info") if isinstance(item.get("pay_info"), dict) else {}
    parcels = [*rows_of(item.get("logistics")), *(row for sub in subs for row in rows_of(sub.get("logistics")))]
    times = [time for sub in subs for key in ("create_time", "pay_time", "end_time") if (time := time_of(sub.get(key)))]
    placed = [time for sub in subs if (time := time_of(sub.get("create_time")))]
    return PlatformOrder(
        ref=dict(ref),
        number=number,
        status=status,
        status_text="; ".join(dict.fromkeys(filter(None, map(_status_text, subs))))[:200],
        placed_at=min(placed, default=None),
        updated_at=max(times, default=None),
        items=tuple(_item(sub) for sub in subs),
        keys=tuple(dict.fromkeys(_keys(ref, subs, parcels))),
        standing=_STANDINGS[status],
        traces=tuple(
            Trace(time_of(row.get("consign_time")), text_of(row.get("status_code")), text_of(row.get("standard_desc")))
            for row in parcels
            if text_of(row.get("standard_desc")) or text_of(row.get("consign_time"))
        ),
        facts=tuple(_facts(pay or {}, subs, parcels)),
    )


def read_list(result: Row) -> Iterator[PlatformOrder]:
    """Yield the orders of a list answer; rows without both look-up fields are passed over.

    Assumed: the list's answer is not documented, so whatever holds the detail's fields is taken.
    """
    for row in _walk(result):
        subs: list[Row] = [*rows_of(row.get("sub_order_details"))] or [row]
        number = text_of(row.get("biz_order_id")) or text_of(subs[0].get("parent_id"))
        buyer_id = text_of(row.get("buyer_id")) or text_of(subs[0].get("buyer_id"))
        if number and buyer_id:
            detail = {**row, "sub_order_details": subs}
            yield read_order(detail, {"biz_order_id": number, "buyer_id": buyer_id})


def _walk(value: Any) -> Iterator[Row]:
    if isinstance(value, list):
        for one in value:
            yield from _walk(one)
    elif isinstance(value, dict):
        if "biz_order_id" in value or "sub_order_details" in value:
            yield value
        else:
            yield from _walk(list(value.values()))


def _status(sub: Row) -> Status:
    pay, logistics = whole_of(sub.get("pay_status")), whole_of(sub.get("logistics_status"))
    if pay == _CLOSED_THERE:
        return Status.CANCELLED
    if pay == _REFUNDED:  # money back after the goods had left is a refund; a cancel comes before
        return Status.CLOSED if logistics in _UNDER_WAY else Status.CANCELLED
    if pay == _COMPLETED:
        return Status.CLOSED
    if logistics in _UNDER_WAY:
        return Status.SHIPPED
    return Status.OPEN if pay in _PAYABLE and logistics in _AT_REST else Status.UNKNOWN


def _order_status(parts: list[Status]) -> Status:
    found = set(parts)
    if not found or Status.UNKNOWN in found:
        return Status.UNKNOWN
    if len(found) == 1:
        return parts[0]
    if Status.SHIPPED in found:
        return Status.SHIPPED
    return Status.OPEN if Status.OPEN in found else Status.CLOSED


def _status_text(sub: Row) -> str:
    named = ((key, text_of(sub.get(key))) for key in ("pay_status", "logistics_status"))
    return ", ".join(f"{key} {value}" for key, value in named if value)


def _item(sub: Row) -> PlatformItem:
    status = _status(sub)
    ids = (("item", text_of(sub.get("biz_order_id"))), ("sku", text_of(sub.get("sku_id"))))
    return PlatformItem(
        ref=text_of(sub.get("biz_order_id")),
        name=text_of(sub.get("item_name")),
        sku=text_of(sub.get("sku_property")) or text_of(sub.get("sku_id")),
        status=status,
        status_text=_status_text(sub),
        quantity=whole_of(sub.get("buy_amount")) or 1,
        standing=_STANDINGS[status],
        keys=tuple((kind, value) for kind, value in ids if value),
    )


def _keys(ref: Ref, subs: Sequence[Row], parcels: Sequence[Row]) -> Iterator[tuple[str, str]]:
    yield "id", ref["biz_order_id"]
    yield "other", ref["buyer_id"]
    fields = (("out_order_id", "number"), ("tp_order_id", "number"), ("biz_order_id", "item"), ("sku_id", "sku"),
              ("item_id", "other"))  # fmt: skip
    for sub in subs:
        yield from ((kind, value) for key, kind in fields if (value := text_of(sub.get(key))))
    yield from (("waybill", value) for parcel in parcels if (value := text_of(parcel.get("mail_no"))))


def _facts(pay: Row, subs: Sequence[Row], parcels: Sequence[Row]) -> Iterator[tuple[str, str]]:
    yield from _worded(_("Payment"), _PAY_WORDS, (whole_of(sub.get("pay_status")) for sub in subs))
    yield from _worded(_("Delivery"), _LOGISTICS_WORDS, (whole_of(sub.get("logistics_status")) for sub in subs))
    # Money is shown as delivered and never reckoned with: its unit is not documented.
    if total := text_of(pay.get("total_price")):
        yield _("Total price, unit not stated by Taobao"), total
    for parcel in parcels:
        if waybill := text_of(parcel.get("mail_no")):
            yield _("Parcel"), f"{text_of(parcel.get('cp_name'))} {waybill}".strip()


def _worded(label: str, words: Mapping[int, str], numbers: Iterable[int | None]) -> Iterator[tuple[str, str]]:
    for number in sorted({number for number in numbers if number is not None}):
        yield label, f"{number} – {words[number]}" if number in words else str(number)
