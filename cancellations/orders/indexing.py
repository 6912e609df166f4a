"""The only writer of the index: puts what a platform answered, or a file said, into orders, items and keys.

A reading that is silent about something keeps what was known of it: a list says less than a page of details. An older
reading never overwrites a newer one, and a file never a platform.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models import OuterRef, Subquery

from cancellations.orders.models import Order, OrderItem, OrderKey
from cancellations.orders.reading import Reading, Unindexable, read
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from providers.contract import PlatformOrder

logger = logging.getLogger(__name__)

Source = Literal["platform", "file"]
PLATFORM: Source = "platform"
FILE: Source = "file"

_MATTERS = ("ref", "number", "status", "status_text", "amount", "currency", "cancellable", "why")
_ITEM_MATTERS = ("status", "status_text", "quantity", "amount", "currency", "cancellable", "why")
_ITEM_COLUMNS = ("position", "name", "sku", *_ITEM_MATTERS)
_SAID = (*_MATTERS, "buyer", "facts", "traces", "placed_at", "placed_known")
_COLUMNS = (*_SAID, "seen_at", "source", "version")


@dataclass(frozen=True)
class Written:
    """What one batch came to: rows made, rows that changed, rows only seen again, orders without identity."""

    made: int = 0
    changed: int = 0
    same: int = 0
    unusable: int = 0


def put(shop: Shop, platform_order: PlatformOrder, *, seen_at: datetime, source: Source = PLATFORM) -> Order:
    """Put one order into the index and return its row.

    Args:
        seen_at: When it was asked for; an older reading than the index holds changes nothing.

    Raises:
        Unindexable: It has no usable identity.
    """
    reading = read(card_of(shop), platform_order)
    _write(shop, {reading.key: reading}, seen_at, source)
    return Order.objects.select_related("shop").get(shop=shop, key=reading.key)


def put_many(
    shop: Shop, platform_orders: Iterable[PlatformOrder], *, seen_at: datetime, source: Source = PLATFORM
) -> Written:
    """Put a batch into the index, in one transaction and a constant number of queries; hundreds, not millions.

    An order without a usable identity is left out, counted and logged: it must not hold up the others.
    """
    card, readings, unusable = card_of(shop), {}, 0
    for order in platform_orders:
        try:
            reading = read(card, order)
        except Unindexable as error:
            unusable += 1
            logger.warning("Shop %s: %s was left out of the index.", shop.name, error)
        else:
            readings[reading.key] = reading
    made, changed, same = _write(shop, readings, seen_at, source)
    return Written(made, changed, same, unusable)


@transaction.atomic
def _write(shop: Shop, readings: Mapping[str, Reading], seen_at: datetime, source: Source) -> tuple[int, int, int]:
    # Locked in one order, so that two batches wait for each other instead of dying of each other.
    known = {
        order.key: order
        for order in Order.objects.select_for_update().filter(shop=shop, key__in=list(readings)).order_by("pk")
    }
    items = _items_of(known.values())
    new: list[Order] = []
    changed: list[Order] = []
    same: list[int] = []
    moved = 0
    speaking: list[tuple[Order, Reading]] = []  # the readings that may say what is, not only add to it
    for key, reading in readings.items():
        order = known.get(key)
        if order is None:
            order = Order(shop=shop, key=key, seen_at=seen_at, placed_at=seen_at, placed_known=False, source=source)
            _take(order, reading, seen_at, source)
            new.append(order)
        elif order.seen_at > seen_at or (source == FILE and order.source == PLATFORM):
            if _add(order, reading):
                changed.append(order)
            continue
        else:
            said = _take(order, reading, seen_at, source)
            if said & {*_MATTERS} or _items_differ(items.get(order.pk, {}), reading):
                order.version += 1
                moved += 1
                changed.append(order)
            elif said:
                changed.append(order)
            else:
                same.append(order.pk)
        speaking.append((order, reading))
    Order.objects.filter(pk__in=same).update(seen_at=seen_at, source=source)
    for order in changed:
        order.pk = None  # so that the conflict is met on (shop, key); the statement gives the same number back
    Order.objects.bulk_create(
        [*new, *changed],
        batch_size=200,
        update_conflicts=True,
        unique_fields=["shop", "key"],
        update_fields=_COLUMNS,
    )
    rows = {order.key: order for order in (*known.values(), *new)}
    _write_items(speaking, items)
    _write_keys(shop, [(rows[key], reading) for key, reading in readings.items()], {one.key for one, _ in speaking})
    return len(new), moved, len(readings) - len(new) - moved


def _take(order: Order, reading: Reading, seen_at: datetime, source: Source) -> set[str]:
    """Set what the reading says; return the names of the columns that changed by it."""
    before = {name: getattr(order, name) for name in _SAID}
    for name, value in reading.columns.items():
        setattr(order, name, {**(order.ref or {}), **value} if name == "ref" else value)
    if reading.placed_at:
        order.placed_at, order.placed_known = reading.placed_at, True
    order.seen_at, order.source = seen_at, source
    return {name for name, value in before.items() if getattr(order, name) != value}


def _add(order: Order, reading: Reading) -> bool:
    """Fill in only what is not known yet, from an older reading or a file; return whether there was anything."""
    ref = {**reading.columns["ref"], **order.ref}
    buyer = order.buyer or reading.columns.get("buyer", "")
    placed = bool(reading.placed_at) and not order.placed_known
    if ref == order.ref and buyer == order.buyer and not placed:
        return False
    order.ref, order.buyer = ref, buyer
    if placed:
        order.placed_at, order.placed_known = reading.placed_at, True  # type: ignore[assignment]
    return True


def _items_of(orders: Iterable[Order]) -> dict[int, dict[str, OrderItem]]:
    found: dict[int, dict[str, OrderItem]] = {}
    for item in OrderItem.objects.filter(order__in=list(orders)).order_by():
        found.setdefault(item.order_id, {})[item.ref] = item
    return found


def _items_differ(known: Mapping[str, OrderItem], reading: Reading, columns: Iterable[str] = _ITEM_MATTERS) -> bool:
    if not reading.items:
        return False
    return known.keys() != reading.items.keys() or any(
        getattr(known[ref], name) != values[name] for ref, values in reading.items.items() for name in columns
    )


def _write_items(readings: list[tuple[Order, Reading]], known: dict[int, dict[str, OrderItem]]) -> None:
    rows: list[OrderItem] = []
    gone: list[int] = []
    for order, reading in readings:
        old = known.get(order.pk, {})
        if _items_differ(old, reading, _ITEM_COLUMNS):
            rows += [OrderItem(order=order, ref=ref, **values) for ref, values in reading.items.items()]
            gone += [item.pk for ref, item in old.items() if ref not in reading.items]
    if gone:
        OrderItem.objects.filter(pk__in=gone).delete()
    OrderItem.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["order", "ref"], update_fields=_ITEM_COLUMNS
    )


def _write_keys(shop: Shop, readings: list[tuple[Order, Reading]], speaking: set[str]) -> None:
    """Replace by difference the kinds of key a reading speaks of; a reading that may only add takes none away."""
    known: dict[int, dict[tuple[str, str], int]] = {}
    placed = {order.pk: order.placed_at for order, _ in readings}
    moved = set[int]()
    for pk, order_id, kind, value, at in OrderKey.objects.filter(order__in=placed).values_list(
        "pk", "order_id", "kind", "value", "placed_at"
    ):
        known.setdefault(order_id, {})[kind, value] = pk
        if at != placed[order_id]:
            moved.add(order_id)
    rows: list[OrderKey] = []
    gone: list[Any] = []
    for order, reading in readings:
        old, kinds = known.get(order.pk, {}), {kind for kind, _ in reading.keys}
        rows += [
            OrderKey(shop=shop, order=order, kind=kind, value=value, placed_at=order.placed_at)
            for kind, value in sorted(reading.keys - old.keys())
        ]
        if order.key in speaking:
            gone += [pk for one, pk in old.items() if one[0] in kinds and one not in reading.keys]
    if gone:
        OrderKey.objects.filter(pk__in=gone).delete()
    if moved:
        times = Subquery(Order.objects.filter(pk=OuterRef("order")).values("placed_at"))
        OrderKey.objects.filter(order__in=moved).update(placed_at=times)
    OrderKey.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
