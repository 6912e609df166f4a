"""What the pretend store's list and count let through, and how they are paged."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from providers.world import World

MOST_ROWS = 250
_WORDS = {
    "status": {"opened", "placed", "finished", "cancelled"},
    "financial_status": {
        "waiting", "paying", "paid", "cancelled", "failed", "refunding", "refund_failed", "refunded",
        "partially_refunded",
    },
    "fulfillment_status": {
        "initialled", "waiting", "partially_shipped", "shipped", "partially_finished", "finished", "cancelled",
        "returning", "returned", "partially_returned",
    },
}  # fmt: skip
_TIMES = ("created_at", "updated_at", "placed_at")


class Malformed(Exception):
    """A parameter is of no use."""


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed(f"invalid time {text}") from error
    if found.tzinfo is None:
        raise Malformed(f"invalid time {text}")
    return found


def _whole(args: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = args.get(name, str(default))
    if not text.isdigit() or not 0 < int(text) <= most:
        raise Malformed(f"invalid {name} {text}")
    return int(text)


def ids_of(args: Mapping[str, str]) -> frozenset[str]:
    """Return the ids asked for; none means all."""
    return frozenset(filter(None, args.get("ids", "").split(",")))


def selected(world: World, args: Mapping[str, str], ids: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Return the orders that pass every filter; both ends of a time are inclusive.

    Raises:
        Malformed: A time or a status word is none.
    """
    for name, words in _WORDS.items():
        if name in args and args[name] not in words:
            raise Malformed(f"invalid {name} {args[name]}")
    bounds = [
        (field, end, _time(args[f"{field}_{end}"]))
        for field in _TIMES
        for end in ("min", "max")
        if f"{field}_{end}" in args
    ]

    def passes(order: Mapping[str, Any]) -> bool:
        if any(name in args and order[name] != args[name] for name in _WORDS):
            return False
        for field, end, bound in bounds:
            at = order[field] and datetime.fromisoformat(order[field])
            if not at or (at < bound if end == "min" else at > bound):
                return False
        return True

    rows = (world.get(one) for one in sorted(ids)) if ids else (order for _, order in world.all())
    return [order for order in rows if order and passes(order)]


def newest_first(orders: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort by creation, the newest first."""
    return sorted(orders, key=lambda order: (order["created_at"], order["id"]), reverse=True)


def paged(orders: list[dict[str, Any]], args: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return one page of them.

    Raises:
        Malformed: ``limit`` or ``page`` is no number or out of its range.
    """
    limit, page = _whole(args, "limit", 10, MOST_ROWS), _whole(args, "page", 1, 1_000_000)
    return orders[(page - 1) * limit : page * limit]
