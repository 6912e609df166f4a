"""Orders as the list shows them. Most cells of a page are alike: each different one is drawn once."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypedDict

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from cancellations.orders.models import Order
from cancellations.shops.models import Shop
from cancellations.shops.scope import Seen
from cancellations.templatetags import desk


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


def rows_of(orders: Iterable[Order], shops: Iterable[Shop | Seen]) -> Iterator[Row]:
    """Yield the rows of a page, in the reader's language and zone; ``shops``: those of the orders, or more."""
    badge, verdict, platform = cache(desk.badge), cache(desk.verdict), cache(desk.platform)
    select, known = gettext("Select order %(number)s"), {shop.pk: shop for shop in shops}
    for order in orders:
        yield Row(
            pk=str(order.pk),
            number=order.number,
            buyer=order.buyer,
            placed_known=order.placed_known,
            select=select % {"number": order.number},
            state=badge(order.desk_state or order.status),
            shop=platform(known[order.shop_id]),
            amount=desk.money(order.amount, order.currency),
            placed=desk.when(order.placed_at),
            verdict=verdict(order.cancellable, order.why),
        )
