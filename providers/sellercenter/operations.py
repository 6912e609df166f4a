"""What the pretend Seller Center does for each action, once a call was let in."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from providers.world import World, refuses

ZONE = timezone(timedelta(hours=-3))  # what the platform prints its times in
VERBS = {
    "GetOrders": "GET",
    "GetOrder": "GET",
    "GetOrderItems": "GET",
    "GetMultipleOrderItems": "GET",
    "GetFailureReasons": "GET",
    "SetStatusToCanceled": "POST",
}
REASONS = ("SHORTAGE", "Wrong sale price", "Duplicate order", "Wrong address", "Unpaid")
TEXTS = {
    3: "Timestamp has expired",
    6: "Unexpected internal error",
    7: "Login failed. Signature mismatching",
    9: "Access Denied",
    10: "Insecure Channel",
    21: "OMS Api Error Occurred",
    28: 'It is not possible to set the order to the status "canceled"',
    429: "Too many requests",
    1000: "Internal Application Error",
}
_FILTERS = frozenset({"pending", "canceled", "ready_to_ship", "delivered", "returned", "shipped", "failed"})
_MOST_ORDERS = 50


class Refused(Exception):
    """The platform says no, with one of its codes."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code)
        self.code, self.message = code, message or TEXTS.get(code, "Refused")


def read_moment(text: str, code: int, message: str) -> datetime:
    """Return a time as aware; one without a zone is a call's fault, but no listing's. Raises :class:`Refused`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(code, message) from None
    if at.tzinfo is None and code == 4:
        raise Refused(code, message)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _need(params: Mapping[str, str], name: str) -> str:
    if name not in params:
        raise Refused(1, f"Parameter {name} is mandatory")
    return params[name]


def _number(params: Mapping[str, str], name: str, default: int, code: int) -> int:
    text = params.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise Refused(code, f'"{text}" Invalid {name}')
    return int(text)


def _order_of(params: Mapping[str, str], world: World) -> dict[str, Any]:
    order_id = _need(params, "OrderId")
    order = world.get(order_id)
    if order is None:
        raise Refused(16, f'"{order_id}" Invalid Order ID')
    _keep_to_owner(order_id, world)
    return order


def _keep_to_owner(order_id: str, world: World) -> None:
    """Assumed: the platform knows another seller's order and shows it to nobody else."""
    if order_id in world.switches.get("foreign", ()):
        raise Refused(9)


def _shown_order(order: Mapping[str, Any]) -> dict[str, Any]:
    items = order["Items"]
    shown = {name: value for name, value in order.items() if name != "Items"}
    shown |= {name: _local(order[name]) for name in ("CreatedAt", "UpdatedAt")}
    statuses = list(dict.fromkeys(one["Status"] for one in items))
    return {**shown, "ItemsCount": len(items), "Statuses": {"Status": statuses}}


def _shown_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, **{name: _local(item[name]) for name in ("CreatedAt", "UpdatedAt")}}


def _local(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _get_orders(params: Mapping[str, str], world: World) -> tuple[Any, str]:
    created, updated = params.get("CreatedAfter"), params.get("UpdatedAfter")
    if not created and not updated:
        raise Refused(18, "Either CreatedAfter or UpdatedAfter is mandatory")
    limit, offset = _number(params, "Limit", 100, 19), _number(params, "Offset", 0, 14)
    by, direction = params.get("SortBy", "created_at"), params.get("SortDirection", "DESC")
    wanted = params.get("Status")
    if wanted and wanted not in _FILTERS:
        raise Refused(36, "Invalid status filter")
    if direction not in ("ASC", "DESC"):
        raise Refused(74, "Invalid sort direction")
    if by not in ("created_at", "updated_at"):
        raise Refused(75, "Invalid sort filter")
    since = {name: read_moment(text, 17, f'"{text}" Invalid Date Format')
             for name, text in (("CreatedAt", created), ("UpdatedAt", updated)) if text}  # fmt: skip
    found = [
        order
        for _key, order in world.all()
        if all(datetime.fromisoformat(order[name]) >= at for name, at in since.items())
        and (not wanted or any(one["Status"] == wanted for one in order["Items"]))
    ]
    column = "CreatedAt" if by == "created_at" else "UpdatedAt"
    found.sort(key=lambda order: (order[column], order["OrderId"]), reverse=direction == "DESC")
    shown = [_shown_order(one) for one in found[offset : offset + limit]]
    return {"Orders": {"Order": shown}}, str(len(found))


def _get_order(params: Mapping[str, str], world: World) -> tuple[Any, str]:
    return {"Orders": {"Order": [_shown_order(_order_of(params, world))]}}, ""


def _get_items(params: Mapping[str, str], world: World) -> tuple[Any, str]:
    return {"OrderItems": {"OrderItem": [_shown_item(one) for one in _order_of(params, world)["Items"]]}}, ""


def _get_many_items(params: Mapping[str, str], world: World) -> tuple[Any, str]:
    text = _need(params, "OrderIdList")
    if not (text.startswith("[") and text.endswith("]")):
        raise Refused(56, "OrdersIdList must be array format [1,2]")
    wanted = [one.strip() for one in text[1:-1].split(",") if one.strip()]
    if not wanted:
        raise Refused(39, "No orders found")
    if len(wanted) > _MOST_ORDERS:
        raise Refused(38, "Too many orders were requested")
    orders = [world.get(one) for one in wanted]
    if None in orders:
        raise Refused(37, "One or more order ids are incorrect")
    shown = [
        {
            "OrderId": one["OrderId"],
            "OrderNumber": one["OrderNumber"],
            "OrderItems": {"OrderItem": [_shown_item(item) for item in one["Items"]]},
        }
        for one in orders
        if one
    ]
    return {"Orders": {"Order": shown}}, ""


def _reasons(world: World) -> list[str]:
    return list(world.switches.get("reasons", REASONS))


def _get_reasons(params: Mapping[str, str], world: World) -> tuple[Any, str]:
    names = [("canceled", name) for name in _reasons(world)] + [("returned", "Wrong size"), ("failed", "Not at home")]
    rows = [{"Type": kind, "Name": name, "ReasonId": str(at)} for at, (kind, name) in enumerate(names, 1)]
    return {"Reasons": {"Reason": rows}}, ""


def _cancel(params: Mapping[str, str], world: World) -> tuple[Any, str]:
    item_id = _need(params, "OrderItemId")
    parameter = str(world.switches.get("reason_parameter", "Reason"))
    reason, names = _need(params, parameter), _reasons(world)
    order = _order_with(item_id, world)
    if order is None:
        raise Refused(20, f'"{item_id}" Invalid Order Item ID')
    _keep_to_owner(order["OrderId"], world)
    if reason not in (names if parameter == "Reason" else [str(at + 1) for at in range(len(names))]):
        raise Refused(22, f'"{reason}" Invalid Reason')
    item = next(one for one in order["Items"] if one["OrderItemId"] == item_id)
    again = item["Status"] == "canceled" and world.switches.get("second_cancel") == "success"
    by_marketplace = item["ShippingType"] in ("Own Warehouse", "Fulfillment")
    if not again and (item["Status"] != "pending" or by_marketplace or refuses(order["OrderNumber"])):
        raise Refused(28)
    if not again:
        with world.performing(item_id, order["OrderNumber"]):
            _perform(order, item, reason, params.get("ReasonDetail", ""), world)
    if world.switches.get("success_body") != "items":
        return "", ""
    row = {"OrderItemId": item_id, "PurchaseOrderId": "", "PurchaseOrderNumber": "", "PackageId": item["PackageId"]}
    return {"OrderItems": {"OrderItem": [row]}}, ""


def _perform(order: dict[str, Any], item: dict[str, Any], reason: str, detail: str, world: World) -> None:
    package = item["PackageId"] if world.switches.get("cancel_scope") == "package" else ""
    at = world.now().replace(microsecond=0).isoformat()
    for one in order["Items"]:
        if one is item or (package and one["PackageId"] == package and one["Status"] == "pending"):
            one |= {"Status": "canceled", "Reason": reason, "ReasonDetail": detail, "UpdatedAt": at}
    order["UpdatedAt"] = at
    world.put(order["OrderId"], order)


def _order_with(item_id: str, world: World) -> dict[str, Any] | None:
    """Find an item's order; items never move, so where they are is remembered."""
    known: dict[str, str] = world.scratch.setdefault("orders_by_item", {})
    if item_id not in known:
        known.update({one["OrderItemId"]: key for key, order in world.all() for one in order["Items"]})
    return world.get(known[item_id]) if item_id in known else None


ACTIONS: dict[str, Callable[[Mapping[str, str], World], tuple[Any, str]]] = {
    "GetOrders": _get_orders,
    "GetOrder": _get_order,
    "GetOrderItems": _get_items,
    "GetMultipleOrderItems": _get_many_items,
    "GetFailureReasons": _get_reasons,
    "SetStatusToCanceled": _cancel,
}
