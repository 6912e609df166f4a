"""One waybill as WeChat tells it → a PlatformOrder. Every field may be missing, null or of another type.

WeChat tells neither when an order was made nor its amount nor the receiver; those come from the shop's own records.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from providers.contract import PlatformOrder, Ref, Standing, Status, Trace
from providers.errors import gettext_noop
from providers.wechat.notation import plain, whole

IDS = ("order_id", "delivery_id", "waybill_id")
_KNOWN = frozenset({*IDS, "order_status", "print_html", "waybill_data"})

ASSIGNED, CANCELLED_THERE, SIGNED = 100003, 400001, 300003
_GONE = frozenset({100001, 200001, 300002, 300004})
# Source: "getPath" (action_type). Shown only where a trace has no words of its own.
_STEPS = {
    100001: gettext_noop("Picked up"),
    100002: gettext_noop("Pick-up failed"),
    ASSIGNED: gettext_noop("Courier assigned"),
    200001: gettext_noop("In transit"),
    300002: gettext_noop("Out for delivery"),
    SIGNED: gettext_noop("Signed for"),
    300004: gettext_noop("Delivery failed"),
    CANCELLED_THERE: gettext_noop("Order cancelled"),
    400002: gettext_noop("Order held"),
}
_WORDS = {0: "normal (0)", 1: "cancelled (1)"}
_COURIER = gettext_noop("Courier")
_WAYBILL = gettext_noop("Waybill")
# Couriers write phones into traces, mobile and fixed: their middle is nobody's business here.
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d|0\d{2,3}-?\d)\d{4,5}(\d{2,4})(?!\d)")
# The words are each courier's own and nowhere documented: a name can be told from them only where somebody's part
# stands before it (签收人：…, who signed; 派件员【…】, who delivers). What stands alone stays: it may be a place.
_PERSON = re.compile(
    r"((?:签收|收件|收货|代收|取件|派件|派送|配送|投递|揽收|揽件|快递|业务|联系)[人员][是为]?\s*[:：【\[（(]\s*)"
    r"(?!本人)([一-鿿A-Za-z])(?:[一-鿿]{1,3}(?:·[一-鿿]+)?|[A-Za-z]+(?: [A-Za-z]+)*)"
)

CANCELLED = Standing(False, gettext_noop("The waybill is cancelled already."))
NOT_MOVING = Standing(
    True, gettext_noop("The courier shows no movement yet. WeChat and the courier have the last word.")
)
MOVING = Standing(
    False, gettext_noop("The parcel is on its way, so WeChat no longer cancels. Ask the courier to intercept it.")
)
DELIVERED = Standing(False, gettext_noop("The parcel was signed for. Arrange a return instead."))
ASSIGNED_ONLY = Standing(
    None, gettext_noop("A courier is on the way to fetch it. WeChat does not say whether that is too late: ask it.")
)
UNREAD_TRACES = Standing(
    None, gettext_noop("The parcel's traces were not read, so only WeChat can tell whether it can still be cancelled.")
)
CONTRADICTION = Standing(
    None, gettext_noop("A trace says cancelled, and the waybill does not yet. Look again in a few minutes.")
)
UNTOLD = Standing(None, gettext_noop("WeChat does not say what state the waybill is in. Ask it, or ask the courier."))
NO_OPENID = Standing(
    False, gettext_noop("WeChat cancels only with the buyer's OpenID, and none is known. Look it up again with it.")
)


def is_waybill(body: Mapping[str, Any]) -> bool:
    """Tell whether an answer holds anything of what is documented for a waybill."""
    return not _KNOWN.isdisjoint(body)


def differs(body: Mapping[str, Any], ref: Ref) -> bool:
    """Tell whether an answer names another order, courier or waybill than the one asked for."""
    return any(plain(body.get(name)) not in ("", ref.get(name, "")) for name in IDS)


def traces_in(body: Mapping[str, Any]) -> tuple[Trace, ...] | None:
    """Return the traces, oldest first; ``None`` where the answer shows no list of them.

    Source: "getPath" (``path_item_list``: Unix seconds, a number and words).
    """
    rows = body.get("path_item_list")
    if rows is None and whole(body.get("path_item_num")) == 0:
        rows = []
    if not isinstance(rows, list):
        return None
    found = [_trace(row) for row in rows if isinstance(row, dict)]
    return tuple(sorted(found, key=lambda one: one.at or datetime.min.replace(tzinfo=UTC)))


def _trace(row: Mapping[str, Any]) -> Trace:
    kind = plain(row.get("action_type"))
    words = _PERSON.sub(r"\1\2**", _PHONE.sub(r"\1****\2", plain(row.get("action_msg"))))
    return Trace(_moment(row.get("action_time")), kind, words or _STEPS.get(whole(kind) or 0, kind))


def _moment(value: Any) -> datetime | None:
    seconds = whole(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds and seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def status_of(body: Mapping[str, Any], traces: Sequence[Trace] | None) -> Status:
    """Return our word for the waybill's state.

    Source: "getOrder" (``order_status``: 0 normal, 1 cancelled); "getPath". An older edition has no status: then it
    is unknown and never taken for normal.
    """
    told = whole(body.get("order_status"))
    if told == 1:
        return Status.CANCELLED
    steps = _steps(traces)
    if told != 0 or CANCELLED_THERE in steps:
        return Status.UNKNOWN
    if SIGNED in steps:
        return Status.CLOSED
    return Status.SHIPPED if steps & _GONE else Status.OPEN


def standing_of(status: Status, traces: Sequence[Trace] | None) -> Standing:
    """Return whether the waybill can be cancelled now; a hint only.

    Source: seed 001 (9300506: not once there are traces). Assumed: no traces, no refusal. Whether an assigned courier
    is trace enough is not documented.
    """
    if status is Status.CANCELLED:
        return CANCELLED
    steps = _steps(traces)
    if CANCELLED_THERE in steps:
        return CONTRADICTION
    if status is Status.UNKNOWN:
        return UNTOLD
    if traces is None:
        return UNREAD_TRACES
    if status is Status.CLOSED:
        return DELIVERED
    if not traces:
        return NOT_MOVING
    return ASSIGNED_ONLY if steps == {ASSIGNED} else MOVING


def _steps(traces: Sequence[Trace] | None) -> set[int]:
    return {whole(one.kind) or 0 for one in traces or ()}


def order_of(ref: Ref, body: Mapping[str, Any], traces: Sequence[Trace] | None = None) -> PlatformOrder:
    """Return a waybill as the contract has it.

    The OpenID stays in the ref, for a cancel needs it, and never becomes a key to search by: it is a person's.

    Args:
        ref: The IDs it was asked for by.
        traces: ``None`` when they were not read.
    """
    status = status_of(body, traces)
    standing = standing_of(status, traces)
    if not ref.get("openid") and standing.cancellable is not False:
        standing = NO_OPENID
    order_id, courier, waybill = (ref.get(name, "") for name in IDS)
    told = whole(body.get("order_status"))
    return PlatformOrder(
        ref={name: value for name, value in ref.items() if value},
        number=order_id,
        status=status,
        status_text=_WORDS.get(told, str(told)) if told is not None else "",
        keys=(("id", order_id), ("waybill", waybill)),
        standing=standing,
        traces=tuple(traces or ()),
        facts=((_COURIER, courier), (_WAYBILL, waybill)),
    )


def couriers_in(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """Return (code, name) of every courier; ``None`` where the answer shows no list.

    Source: "getAllDelivery".
    """
    rows = body.get("data")
    if not isinstance(rows, list):
        return None
    pairs = ((plain(row.get("delivery_id")), plain(row.get("delivery_name"))) for row in rows if isinstance(row, dict))
    return tuple((code, f"{name} ({code})" if name else code) for code, name in pairs if code)
