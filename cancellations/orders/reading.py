"""A PlatformOrder → the values of our rows: cleaned, cut to size, masked. Touches no database."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from cancellations.orders import buyers, keys
from cancellations.orders.keys import Key
from cancellations.orders.models import OrderStatus
from providers.contract import Card, PlatformItem, PlatformOrder, Ref

MOST_ITEMS = 1000
MOST_KEY = 600
MOST_ITEM_REF = 120
SHORTEST_OTHER = 5
_LARGEST = Decimal(10) ** 16
_MOST_INTEGER = 2**31 - 1


class Unindexable(ValueError):
    """An order that cannot be told from others: no identity, or one longer than any platform's."""


@dataclass(frozen=True)
class Reading:
    """One order, ready for the index.

    Attributes:
        columns: Of :class:`Order`, without shop, key, times and version. What a reading does not speak of is absent.
        items: By ref: columns of :class:`OrderItem`, with ``position``. Empty where the reading shows no items.
        keys: (kind, value), normalised or hashed.
    """

    key: str
    columns: dict[str, Any]
    placed_at: datetime | None
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: frozenset[Key] = frozenset()


def clean(text: Any, most: int | None = None) -> str:
    """Return text a database takes: no NUL, no half of a character, not longer than the column."""
    plain = str(text).encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    return plain if most is None else plain[:most]


def key_of(card: Card, ref: Ref) -> str:
    """Return what tells an order from all others of its shop; "" where its handle does not, or is too long for that."""
    key = card.identity(ref)
    needed = [one.name for one in card.lookup if one.identity and one.required]
    return key if key.strip("|") and all(ref.get(name) for name in needed) and len(key) <= MOST_KEY else ""


def read(card: Card, order: PlatformOrder) -> Reading:
    """Return an order's row values.

    Raises:
        Unindexable: It has no usable identity.
    """
    ref = {clean(name): clean(value) for name, value in order.ref.items() if value not in ("", None)}
    key = key_of(card, ref)
    if not key:
        raise Unindexable(f"an order of {card.slug} without a usable identity")
    number = clean(order.number, 200) or ref[card.lookup[0].name][:200]
    columns: dict[str, Any] = {
        "ref": ref,
        "number": number,
        "status": OrderStatus(order.status),
        "status_text": clean(order.status_text, 120),
        **_standing(card, order),
    }
    amount = _amount(order.amount)
    if amount is not None:
        columns |= {"amount": amount, "currency": clean(order.currency, 8)}
    if masked := clean(buyers.mask(order.buyer), 200):
        columns["buyer"] = masked
    if order.facts:
        columns["facts"] = [[clean(label, 120), clean(value, 500)] for label, value in order.facts[:50]]
    if order.traces:
        columns["traces"] = [
            [one.at.isoformat() if one.at else None, clean(one.kind, 60), clean(one.text, 500)]
            for one in order.traces[:200]
        ]
    items = {clean(item.ref): _item(at, item) for at, item in enumerate(order.items[:MOST_ITEMS]) if item.ref}
    items = {one: values for one, values in items.items() if len(one) <= MOST_ITEM_REF}
    return Reading(key, columns, order.placed_at, items, frozenset(_keys(card, order, ref, number)))


def _standing(card: Card, order: PlatformOrder) -> dict[str, Any]:
    """Sum the items' standings up where items are the unit: cancellable if one of them is."""
    standings = [order.standing]
    if card.unit == "item" and order.items:
        standings = [item.standing for item in order.items]
    best = min(standings, key=lambda one: {True: 0, None: 1, False: 2}[one.cancellable])
    return {"cancellable": best.cancellable, "why": clean(best.why)}


def _item(position: int, item: PlatformItem) -> dict[str, Any]:
    return {
        "position": position,
        "name": clean(item.name, 300),
        "sku": clean(item.sku, 200),
        "status": OrderStatus(item.status),
        "status_text": clean(item.status_text, 120),
        "quantity": min(max(int(item.quantity), 0), _MOST_INTEGER),
        "amount": _amount(item.amount),
        "currency": clean(item.currency, 8),
        "cancellable": item.standing.cancellable,
        "why": clean(item.standing.why),
    }


def _amount(amount: Decimal | None) -> Decimal | None:
    if amount is None or not amount.is_finite() or abs(amount) >= _LARGEST:
        return None
    return amount.quantize(Decimal("0.0001"))


def _keys(card: Card, order: PlatformOrder, ref: dict[str, str], number: str) -> set[Key]:
    raw = [("number", number), *order.keys]
    raw += [("id" if at == 0 else "other", ref.get(one.name, "")) for at, one in enumerate(card.lookup) if one.identity]
    for item in order.items[:MOST_ITEMS]:
        raw += [("item", item.ref), ("sku", item.sku), *item.keys]
    found: dict[str, str] = {}
    for kind, raw_value in raw:
        value = keys.normalise(clean(raw_value))
        if kind not in buyers.KINDS and _tells(kind, value):
            found.setdefault(value, kind[:8])  # an id that is also the number is found once
    return {(kind, value) for value, kind in found.items()} | buyers.keys_of(order.buyer)


def _tells(kind: str, value: str) -> bool:
    """Leave out what every second order shares, as a courier's short name."""
    return bool(value) and (kind != "other" or len(value) >= SHORTEST_OTHER)
