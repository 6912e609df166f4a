"""The pretend logistics assistant: waybills, their traces, and what becomes of a cancel."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from providers.wechat.tokenbook import Refused
from providers.world import Misbehave, World, refuses

COURIERS = {
    "BEST": "百世快递", "EMS": "中国邮政速递物流", "JTSD": "极兔速递", "PJ": "品骏物流", "SF": "顺丰速运",
    "STO": "申通快递", "TEST": "测试快递", "YTO": "圆通速递", "YUNDA": "韵达快递", "ZTO": "中通快递",
}  # fmt: skip
_MOVED = {100001: "MOVING", 200001: "MOVING", 300002: "MOVING", 300004: "MOVING", 300003: "SIGNED"}
_MOST = 100

Body = Mapping[str, Any]


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(930561, "args error")
    return value


def _find(body: Body, world: World) -> dict[str, Any]:
    order_id, courier, waybill = (_text(body, name) for name in ("order_id", "delivery_id", "waybill_id"))
    if courier not in COURIERS:
        raise Refused(9300503, "delivery_id not exists")
    order = world.get(order_id)
    if order is None:
        raise Refused(930563, "order not exists")
    if (order["delivery_id"], order["waybill_id"]) != (courier, waybill):
        raise Refused(40199, "waybill id not exists")
    return order


def _meet(order: Mapping[str, Any], body: Body) -> None:
    if body.get("openid", order["openid"]) != order["openid"]:
        raise Refused(40003, "invalid openid")


def cancel(body: Body, world: World) -> dict[str, Any]:
    """Cancel a waybill."""
    _text(body, "openid")
    order = _find(body, world)
    _meet(order, body)
    if code := int(world.switches.get("cancel_code", 0)):
        raise Refused(code, "refused by a switch")
    newer = world.switches.get("answers", "new") == "new"
    if order["state"] == "CANCELLED":
        raise Refused(int(world.switches.get("second_cancel", 9300524)), "cancel order fail")
    if order["traces"] or refuses(order["order_id"]):
        raise Refused(9300506, "waybill already has path, can not cancel")
    if order["delivery_id"] in world.switches.get("no_cancel", ("STO",)):
        told = {"delivery_resultcode": 30004, "delivery_resultmsg": "快递不支持取消运单"}
        raise Refused(9300501, "delivery logic fail", **told)
    try:
        with world.performing(order["order_id"], order["order_id"]):
            if world.switches.get("minus_one") == "before":
                raise Refused(-1, "system error")
            order["state"] = "CANCELLED"
            order["traces"] = [_trace(world, 400001, "订单已取消")]
            world.put(order["order_id"], order)
    except Misbehave as fault:
        raise _own_form(fault) from None
    if world.switches.get("minus_one") == "after":
        raise Refused(-1, "system error")
    return {"errcode": 0, "errmsg": "ok", **({"delivery_resultcode": 0, "delivery_resultmsg": ""} if newer else {})}


def _own_form(fault: Misbehave) -> Exception:
    """Return WeChat's own form of a fault where it has one."""
    return {
        "error": Refused(-1, "system error"),
        "limit": Refused(45011, "api minute-quota reach limit"),
        "auth": Refused(48001, "api unauthorized"),
    }.get(fault.kind, fault)


def _shown(order: Mapping[str, Any], world: World) -> dict[str, Any]:
    slip = base64.b64encode(f"<html>{order['receiver']['name']} {order['receiver']['mobile']}</html>".encode()).decode()
    told: dict[str, Any] = {
        "print_html": slip + "A" * int(world.switches.get("slip_bytes", 0)),
        "waybill_data": [{"key": f"{order['delivery_id']}_bagAddr", "value": order["receiver"]["city"]}],
    }
    if not world.switches.get("hide_order_status"):
        told |= {name: order[name] for name in ("order_id", "delivery_id", "waybill_id")}
        told["order_status"] = 1 if order["state"] == "CANCELLED" else 0
    return told


def _well(world: World, told: dict[str, Any]) -> dict[str, Any]:
    return told if world.switches.get("omit_errcode", True) else {"errcode": 0, "errmsg": "ok", **told}


def get_order(body: Body, world: World) -> dict[str, Any]:
    """Show one waybill."""
    order = _find(body, world)
    _meet(order, body)
    return _well(world, _shown(order, world))


def batch_get(body: Body, world: World) -> dict[str, Any]:
    """Show up to a hundred waybills, the last first, so that nobody relies on places."""
    rows = body.get("order_list")
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST:
        raise Refused(930561, "args error")
    told = []
    for row in reversed(rows):
        try:
            told.append({"errcode": 0, "errmsg": "ok", **_shown(_find(row, world), world)})
        except Refused as refused:
            ids = {name: row.get(name, "") for name in ("order_id", "delivery_id", "waybill_id")}
            told.append({"errcode": refused.code, "errmsg": refused.words, **ids})
    return {"order_list": told}


def get_path(body: Body, world: World) -> dict[str, Any]:
    """Show a waybill's traces."""
    order = _find(body, world)
    traces = order["traces"]
    ids = {name: order[name] for name in ("openid", "delivery_id", "waybill_id")}
    return _well(world, {**ids, "path_item_num": len(traces), "path_item_list": traces})


def get_couriers(body: Body, world: World) -> dict[str, Any]:
    """List the couriers."""
    service = [{"service_type": 0, "service_name": "标准快递"}]
    more = {"can_use_cash": 0, "can_get_quota": 0, "service_type": service}
    rows = [{"delivery_id": code, "delivery_name": name, **more} for code, name in COURIERS.items()]
    return {"count": len(rows), "data": rows}


def get_accounts(body: Body, world: World) -> dict[str, Any]:
    """List the contracts with couriers."""
    made = int(world.now().timestamp()) - 90 * 24 * 3600
    rows = [
        {
            "biz_id": f"{code.lower()}_biz_id",
            "delivery_id": code,
            "create_time": made,
            "update_time": made,
            "status_code": 0,
        }
        for code in ("SF", "TEST", "ZTO")
    ]
    return {"count": len(rows), "list": rows}


def push_trace(body: Body, world: World) -> dict[str, Any]:
    """Put a trace onto a waybill of the test courier, as WeChat's own test call does."""
    order, kind = _find(body, world), body.get("action_type")
    if order["delivery_id"] != "TEST" or not isinstance(kind, int):
        raise Refused(930561, "args error")
    order["traces"] = [*order["traces"], _trace(world, kind, str(body.get("action_msg", "")))]
    order["state"] = _MOVED.get(kind, order["state"])
    world.put(order["order_id"], order)
    return {"errcode": 0, "errmsg": "ok"}


def _trace(world: World, kind: int, words: str) -> dict[str, Any]:
    return {"action_time": int(world.now().timestamp()), "action_type": kind, "action_msg": words}


_EXPRESS = "/cgi-bin/express/business"
# Path → (method, what it does, what a cloud function is asked for it).
CALLS: dict[str, tuple[str, Callable[[Body, World], dict[str, Any]], str]] = {
    f"{_EXPRESS}/order/cancel": ("POST", cancel, "cancelOrder"),
    f"{_EXPRESS}/order/get": ("POST", get_order, "getOrder"),
    f"{_EXPRESS}/order/batchget": ("POST", batch_get, ""),
    f"{_EXPRESS}/path/get": ("POST", get_path, "getPath"),
    f"{_EXPRESS}/delivery/getall": ("GET", get_couriers, "getAllDelivery"),
    f"{_EXPRESS}/account/getall": ("GET", get_accounts, ""),
    f"{_EXPRESS}/test_update_order": ("POST", push_trace, ""),
}
