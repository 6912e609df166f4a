"""Which pretend orders a list query asks for.

Source: "Querying Orders". Assumed: what its tables rule out is refused as a parameter error.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.huaweicloud.seeding import OURS
from providers.world import World

_FILTERED = {1, 3, 4, 5, 6, 9}


def page_of(args: Mapping[str, str]) -> tuple[int, int] | None:
    """Return limit and offset, or ``None`` when they are out of range."""
    limit, offset = args.get("limit", "10"), args.get("offset", "0")
    if not (limit.isdecimal() and offset.isdecimal()) or not 1 <= int(limit) <= 100:
        return None
    return int(limit), int(offset)


def may_ask(args: Mapping[str, str]) -> bool:
    """Tell whether the documents allow such a query."""
    try:
        if "status" in args and int(args["status"]) not in _FILTERED:
            return False
        for name in ("create_time", "payment_time"):
            begin, end = (
                _time(args[f"{name}_{side}"]) if f"{name}_{side}" in args else None for side in ("begin", "end")
            )
            if begin and end and not timedelta(0) <= end - begin <= timedelta(days=366):
                return False
    except ValueError:
        return False
    is_ordered = args.get("order_by", "createTime") in ("createTime", "-createTime")
    return is_ordered and len(args.get("order_id", "")) <= 64 and "" not in args.values()


def listed(world: World) -> Iterator[dict[str, Any]]:
    """Yield the account's orders; parts stand within their combined order."""
    for _, document in world.all():
        if not document["parent"] and document["info"]["customer_id"] == OURS:
            yield document["info"]


def matches(info: Mapping[str, Any], args: Mapping[str, str], by_part: bool) -> bool:
    """Tell whether an order passes the filters; ``by_part``: also by the ID of one of its parts."""
    if wanted := args.get("order_id", "").lower():
        parts = [part["order_id"].lower() for part in info.get("sub_order_infos") or ()] if by_part else []
        if wanted not in (info["order_id"].lower(), *parts):
            return False
    if "status" in args and info["status"] != int(args["status"]):
        return False
    if "service_type_code" in args and info["service_type_code"].lower() != args["service_type_code"].lower():
        return False
    if "order_type" in args and str(info["order_type"]) != args["order_type"]:
        return False
    for name in ("create_time", "payment_time"):
        at = info.get(name) or ""
        if f"{name}_begin" in args and not at >= args[f"{name}_begin"]:
            return False
        if f"{name}_end" in args and not (at and at <= args[f"{name}_end"]):
            return False
    return True


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
