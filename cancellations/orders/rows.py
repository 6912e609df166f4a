"""Orders as the list shows them. Most cells of a page are alike: each different one is drawn once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from cancellations.orders.models import Order, OrderStatus
from cancellations.templatetags import desk
from providers import registry

# Words of ``Order.desk_state`` while a request is open; the layer that owns them stands above this one.
ASKED = frozenset({"pending_approval", "queued", "sending", "accepted", "uncertain"})


@dataclass(frozen=True)
class Row:
    """One order, its cells ready to be put into the page."""

    pk: int
    number: str
    buyer: str
    placed_known: bool
    select: str
    state: SafeString
    shop: SafeString
    amount: SafeString
    placed: SafeString
    verdict: SafeString


def rows_of(orders: Iterable[Order]) -> Iterator[Row]:
    """Yield the rows of a page, in the reader's language and zone."""
    badge, verdict, select = cache(desk.badge), cache(desk.verdict), gettext("Select order %(number)s")
    shops: dict[int, SafeString] = {}
    for order in orders:
        if order.shop_id not in shops:
            shops[order.shop_id] = desk.platform(order.shop)
        yield Row(
            order.pk,
            order.number,
            order.buyer,
            order.placed_known,
            select % {"number": order.number},
            state=badge(order.desk_state or order.status, label=_label(order)),
            shop=shops[order.shop_id],
            amount=desk.money(order.amount, order.currency),
            placed=desk.when(order.placed_at),
            verdict=verdict(*_verdict(order)),
        )


def _by_item(order: Order) -> bool:
    provider = registry.PROVIDERS.get(order.shop.platform)
    return bool(provider and provider.card.unit == "item")


def _label(order: Order) -> str:
    """Return other words for the state where it is that of one item and would be read as the whole order's."""
    if order.desk_state == "succeeded" and order.status != OrderStatus.CANCELLED and _by_item(order):
        return gettext("Item cancelled")
    return ""


def _verdict(order: Order) -> tuple[bool | None, str]:
    """Return whether it can be cancelled and why not; what was asked for here counts before the platform's word."""
    if order.desk_state in ASKED and not _by_item(order):
        return False, gettext("A cancellation has been asked for already.")
    return order.cancellable, order.why
