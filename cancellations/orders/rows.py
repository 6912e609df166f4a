"""Orders as the list shows them. Most cells of a page are alike: each different one is drawn once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from cancellations.orders.models import Order
from cancellations.templatetags import desk


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
            state=badge(order.desk_state or order.status),
            shop=shops[order.shop_id],
            amount=desk.money(order.amount, order.currency),
            placed=desk.when(order.placed_at),
            verdict=verdict(order.cancellable, order.why),
        )
