"""Orders as the list shows them. Most cells of a page are alike: each different one is drawn once."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypedDict

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from cancellations.orders.models import Order, OrderStatus
from cancellations.orders.search import Listed
from cancellations.shops.models import Shop
from cancellations.shops.scope import Seen
from cancellations.templatetags import desk
from providers import registry

# Words of ``Order.desk_state`` while a request is open; the layer that owns them stands above this one.
ASKED = frozenset({"pending_approval", "queued", "sending", "accepted", "uncertain"})


class Row(TypedDict):
    """One order, its cells ready to be put into the page: texts in a dictionary are what templates read fastest."""

    pk: str
    number: str
    buyer: str
    placed_known: bool
    select: str
    state: SafeString
    shop: SafeString
    amount: SafeString
    placed: SafeString
    verdict: SafeString


def rows_of(orders: Iterable[Order | Listed], shops: Iterable[Shop | Seen]) -> Iterator[Row]:
    """Yield the rows of a page, in the reader's language and zone; ``shops``: those of the orders, or more."""
    badge, verdict, platform = cache(desk.badge), cache(desk.verdict), cache(desk.platform)
    is_by_item = cache(_by_item)
    select, known = gettext("Select order %(number)s"), {shop.pk: shop for shop in shops}
    for order in orders:
        shop = known[order.shop_id]
        by_item = is_by_item(shop.platform)
        yield Row(
            pk=str(order.pk),
            number=order.number,
            buyer=order.buyer,
            placed_known=order.placed_known,
            select=select % {"number": order.number},
            state=badge(order.desk_state or order.status, label=_label(order, by_item)),
            shop=platform(shop),
            amount=desk.money(order.amount, order.currency),
            placed=desk.when(order.placed_at),
            verdict=verdict(*_verdict(order, by_item)),
        )


def _by_item(platform: str) -> bool:
    provider = registry.PROVIDERS.get(platform)
    return bool(provider and provider.card.unit == "item")


def _label(order: Order | Listed, by_item: bool) -> str:
    """Return other words for the state where it is that of one item and would be read as the whole order's."""
    if by_item and order.desk_state == "succeeded" and order.status != OrderStatus.CANCELLED:
        return gettext("Item cancelled")
    return ""


def _verdict(order: Order | Listed, by_item: bool) -> tuple[bool | None, str]:
    """Return whether it can be cancelled and why not; what was asked for here counts before the platform's word."""
    if order.desk_state in ASKED and not by_item:
        return False, gettext("A cancellation has been asked for already.")
    return order.cancellable, order.why
