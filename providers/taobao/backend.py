"""The pretend service behind the pretend gateway: cancel, detail and list over the world's orders.

Codes with ``FAKE_`` in front are inventions: the real ones are not documented.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from providers.taobao.auth import stamp
from providers.taobao.seeding import STATES
from providers.world import World, refuses

_WORDS = "参数错误"  # the documented success sample has "parameter error" beside success, and so has ours
_MOST_ROWS = 20


class Refusal(Exception):
    """An ``error_response``: code, message, sub-code, sub-message."""

    def __init__(self, code: int, message: str, sub_code: str = "", sub_message: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.sub_code, self.sub_message = code, message, sub_code, sub_message


def timed_out() -> Refusal:
    """Return the refusal of a service that did not answer the gateway in time."""
    return Refusal(15, "Remote service error", "isp.remote-service-timeout", "服务超时")


def _field(params: Mapping[str, str], name: str) -> dict[str, Any]:
    if not params.get(name):
        raise Refusal(40, f"Missing required arguments:{name}")
    try:
        value = json.loads(params[name])
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(15, "Remote service error", "isp.top-mapping-parse-error", f"{name} 解析错误")
    return value


def _order(params: Mapping[str, str], name: str, world: World) -> dict[str, Any] | None:
    """Return the order asked for, or ``None``: unknown, or another buyer's."""
    asked = _field(params, name)
    for key in ("biz_order_id", "buyer_id"):
        if asked.get(key) in (None, ""):
            raise Refusal(40, f"Missing required arguments:{name}.{key}")
    if not isinstance(asked["biz_order_id"], str):
        raise Refusal(41, f"Invalid arguments:{name}.biz_order_id")
    if not isinstance(asked["buyer_id"], int) or isinstance(asked["buyer_id"], bool):
        raise Refusal(41, f"Invalid arguments:{name}.buyer_id")
    order = world.get(asked["biz_order_id"])
    return order if order and order["buyer_id"] == asked["buyer_id"] else None


def _no(code: str, words: str) -> dict[str, Any]:
    return {"result": {"success": False, "error_code": code, "error_msg": words}}


def _no_order(world: World) -> dict[str, Any]:
    if world.switches.get("unknown_order") == "refused":
        return _no("FAKE_ORDER_NOT_FOUND", "订单不存在")
    raise Refusal(50, "Remote service error", "isv.invalid-parameter", "非法参数")


def cancel(params: Mapping[str, str], world: World) -> dict[str, Any]:
    """Cancel an order that is neither shipped nor done."""
    order = _order(params, "param", world)
    if order is None:
        return _no_order(world)
    number = order["biz_order_id"]
    if order["state"] in ("CANCELLED", "REFUNDED"):
        if world.switches.get("second_cancel") == "success":
            return _yes(order, world)
        return _no("FAKE_ORDER_ALREADY_CANCELLED", "订单已取消")
    if order["state"] in ("SHIPPED", "DONE") or refuses(number):
        return _no("FAKE_ORDER_NOT_CANCELLABLE", "订单状态不允许取消")
    busy = world.switches.get("busy")
    if busy == "before":
        raise Refusal(10, "Service Currently Unavailable")
    with world.performing(number, number):
        world.put(
            number,
            {
                **order,
                "state": "CANCELLED" if order["state"] == "UNPAID" else "REFUNDED",
                "end_time": stamp(world.now()),
            },
        )
    if busy == "after":
        raise Refusal(10, "Service Currently Unavailable")
    return _yes(order, world)


def _yes(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    result: dict[str, Any] = {"success": True, "error_code": "200", "error_msg": _WORDS}
    changed: dict[str, dict[str, Any]] = {
        "null-code": {"error_code": None},
        "zero-code": {"error_code": "0"},
        "text-success": {"success": "true"},
        "odd-code": {"error_code": "FAKE_ODD"},
        "control": {"error_msg": "参数\t错误"},
        "other-order": {"contract_place_order": {"biz_order_ids": ["2309999999999999999"]}},
        "bare": {"contract_place_order": None},
    }
    placed = {
        "contract_no": order["contract_no"],
        "out_order_id": order["out_order_id"],
        "biz_order_ids": [order["biz_order_id"]],
    }
    return {"result": {**result, "contract_place_order": placed, **changed.get(world.switches.get("answer", ""), {})}}


def _told(order: Mapping[str, Any]) -> dict[str, Any]:
    pay, logistics = STATES[order["state"]]
    number = order["biz_order_id"]
    parcels = [order["parcel"]] if order["parcel"] else []
    subs = [
        {
            **sub,
            "parent_id": number,
            "out_order_id": order["out_order_id"],
            "item_pic": "https://img.example.com/item.jpg",
            "status": 2,
            "pay_status": pay,
            "logistics_status": logistics,
            "create_time": order["create_time"],
            "pay_time": order["pay_time"] or None,
            "end_time": order["end_time"] or None,
            "logistics": parcels,
        }
        for sub in order["subs"]
    ]
    total = sum(sub["item_price"] * sub["buy_amount"] for sub in order["subs"])
    paid = {"pay_type": 1, "total_price": total, "pay_time": order["pay_time"] or None}
    return {"sub_order_details": subs, "pay_info": paid, "logistics": parcels}


def detail(params: Mapping[str, str], world: World) -> dict[str, Any]:
    """Tell one order."""
    order = _order(params, "tp_request", world)
    if order is None:
        return _no_order(world)
    return {"result": {"success": True, "error_code": "200", "error_msg": "", "order_detail_item": _told(order)}}


def list_orders(params: Mapping[str, str], world: World) -> dict[str, Any]:
    """Tell the newest orders within the asked times; more than fit are left out without a word."""
    asked = _field(params, "contract_order_list_req")
    fitting = [order for _key, order in world.all() if all(_fits(order, name, asked[name]) for name in asked)]
    fitting.sort(key=lambda order: str(order["create_time"]), reverse=True)
    most = int(world.switches.get("list_most", _MOST_ROWS))
    rows = [
        {"biz_order_id": order["biz_order_id"], "buyer_id": order["buyer_id"], **_told(order)}
        for order in fitting[:most]
    ]
    return {"result": {"success": True, "error_code": "200", "error_msg": "", "order_list": rows}}


def _fits(order: Mapping[str, Any], name: str, wanted: Any) -> bool:
    field, _, side = name.rpartition("_")
    if side in ("start", "end") and f"{field}_{side}" != "end_time_end" and field in order:
        return bool(order[field]) and (order[field] >= wanted if side == "start" else order[field] <= wanted)
    if name == "biz_order_id_list":
        return order["biz_order_id"] in wanted
    raise Refusal(41, f"Invalid arguments:contract_order_list_req.{name}")


def tell_time(params: Mapping[str, str], world: World) -> dict[str, Any]:
    """Tell the gateway's time."""
    return {"time": stamp(world.now())}


APIS: dict[str, Callable[[Mapping[str, str], World], dict[str, Any]]] = {
    "taobao.pc.order.cancel": cancel,
    "taobao.pc.order.detail": detail,
    "taobao.pc.order.list": list_orders,
    "taobao.time.get": tell_time,
}
