"""Ids as given → the units they mean, a chunk at a time: the same few queries for one id as for hundreds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cancellations.batches.given import Given
from cancellations.orders import keys
from cancellations.orders.models import Order, OrderItem, OrderKey
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import OPEN, State
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop

# What an order is called by. Not what it is about: a SKU or a buyer would take in orders nobody named.
KINDS = ("id", "number", "item", "waybill", "other")


@dataclass
class Found:
    """The orders of a chunk, with their items and open requests.

    Attributes:
        orders: By key.
        by_value: Normalised id → (order's key, kind of id), within the person's shops.
        running: (shop, order key, item ref) → the open request; ``earlier``: the latest that was done, else refused.
    """

    orders: dict[int, Order] = field(default_factory=dict)
    by_value: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    items: dict[int, list[OrderItem]] = field(default_factory=dict)
    running: dict[tuple[int, str, str], CancellationRequest] = field(default_factory=dict)
    earlier: dict[tuple[int, str, str], CancellationRequest] = field(default_factory=dict)

    def meant(self, given: Given) -> list[Order]:
        """Return the orders an id may mean, in the shop its line names."""
        found = dict.fromkeys(pk for pk, _kind in self.by_value.get(given.key, ()))
        orders = [self.orders[pk] for pk in found]
        shop = given.shop.strip().casefold()
        return [one for one in orders if not shop or shop in (one.shop.name.casefold(), one.shop.title.casefold())]

    def means_part(self, order: Order, given: Given) -> bool:
        """Tell whether an item is meant on a platform that cancels whole orders only."""
        kinds = {kind for pk, kind in self.by_value.get(given.key, ()) if pk == order.pk}
        return card_of(order.shop).unit == "order" and (bool(keys.normalise(given.item)) or kinds == {"item"})

    def units(self, order: Order, given: Given) -> list[OrderItem | None]:
        """Return what of an order is meant: the order, the item named, or all items that can be cancelled."""
        if card_of(order.shop).unit == "order":
            return [None]
        items = self.items.get(order.pk, [])
        kinds = {kind for pk, kind in self.by_value.get(given.key, ()) if pk == order.pk}
        wanted = keys.normalise(given.item) or (given.key if kinds == {"item"} else "")
        if wanted:
            return [one for one in items if keys.normalise(one.ref) == wanted]
        return [one for one in items if one.cancellable is not False] or list(items[:1])


def find(given: Iterable[Given], shops: Sequence[Shop]) -> Found:
    """Look a chunk of ids up in some shops."""
    values = {one.key for one in given if not one.fault} - {""}
    mine = {shop.pk: shop for shop in shops}
    met = OrderKey.objects.filter(value__in=values, shop__in=mine, kind__in=KINDS) if values else ()
    found = Found()
    for key in met:
        found.by_value.setdefault(key.value, []).append((key.order_id, key.kind))
    return _filled(found, {pk for pairs in found.by_value.values() for pk, _kind in pairs}, mine)


def of_orders(ids: Sequence[int], shops: Sequence[Shop]) -> Found:
    """Look up orders by their own keys."""
    return _filled(Found(), set(ids), {shop.pk: shop for shop in shops})


def _filled(found: Found, ids: set[int], mine: dict[int, Shop]) -> Found:
    for order in Order.objects.filter(pk__in=ids, shop__in=mine).defer("facts", "traces"):
        order.shop = mine[order.shop_id]
        found.orders[order.pk] = order
    by_item: set[int] = {pk for pk, order in found.orders.items() if card_of(order.shop).unit == "item"}
    for item in OrderItem.objects.filter(order__in=by_item):
        found.items.setdefault(item.order_id, []).append(item)
    known = CancellationRequest.objects.filter(
        order__in=found.orders, state__in=(*OPEN, State.SUCCEEDED, State.REJECTED)
    )
    for one in known.order_by("pk"):
        unit, which = (one.shop_id, one.order_key, one.item_ref), found.running if one.state in OPEN else found.earlier
        if one.state != State.REJECTED or unit not in which or which[unit].state == State.REJECTED:
            which[unit] = one
    return found
