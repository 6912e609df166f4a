"""Orders as the list shows them. Most cells of a page are alike: each different one is drawn once.

A row is put together here and not by a template, which takes three times as long over a page of fifty.
"""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from cancellations.moments import Clock
from cancellations.orders.listed import Listed
from cancellations.orders.models import Order, OrderStatus
from cancellations.shops.models import Shop
from cancellations.shops.scope import Seen
from cancellations.templatetags import desk
from providers import registry

# Words of ``Order.desk_state`` while a request is open; the layer that owns them stands above this one.
ASKED = frozenset({"pending_approval", "queued", "sending", "accepted", "uncertain"})
CAME_TO_NOTHING = frozenset({"failed", "rejected", "declined", "withdrawn"})
_TICK = (
    '<td class="tight"><input type="checkbox" name="orders" value="{pk}" form="selection" aria-label="{select}"></td>'
)
_ROW = """<tr data-row>{tick}
    <td class="main"><a class="mono" href="{here}{pk}/" data-main>{number}</a></td>
    <td class="side">{state}</td>
    <td class="wider" data-label="{shop_label}">{shop}</td>
    <td class="medium masked" data-label="{buyer_label}">{buyer}</td>
    <td class="num" data-label="{amount_label}">{amount}</td>
    <td class="nowrap" data-label="{placed_label}">{placed}</td>
    <td class="roomy" data-label="{verdict_label}">{verdict}</td>
  </tr>
"""
_CELLS = ("pk", "select", "number", "state", "shop", "buyer", "amount", "placed", "verdict")


def rows_of(
    orders: Iterable[Order | Listed], shops: Iterable[Shop | Seen], selectable: bool = False
) -> Iterator[SafeString]:
    """Yield the rows of a page, in the reader's language and zone; ``shops``: those of the orders, or more."""
    badge, verdict, platform = cache(desk.badge), cache(desk.verdict), cache(desk.platform)
    is_by_item = cache(_by_item)
    row = _row(get_language(), selectable)
    select = gettext("Select order %(number)s")
    nobody = format_html('<span class="muted">{}</span>', gettext("not told"))
    known = {one.pk: one for one in shops}
    clock = Clock()
    for order in orders:
        shop = known[order.shop_id]
        by_item = is_by_item(shop.platform)
        yield format_html(
            row,
            pk=order.pk,
            select=select % {"number": order.number} if selectable else "",
            number=order.number,
            state=badge(_state(order), label=_label(order, by_item)),
            shop=platform(shop),
            buyer=order.buyer or nobody,
            amount=desk.money(order.amount, order.currency),
            placed=_placed(order, clock),
            verdict=verdict(*_verdict(order, by_item)),
        )


@lru_cache(maxsize=8)
def _row(language: str | None, selectable: bool) -> SafeString:
    """Return a row with its labels in it, and a place for each cell."""
    cells = {name: "{" + name + "}" for name in _CELLS}
    return format_html(
        _ROW,
        tick=format_html(_TICK, **cells) if selectable else "",
        here=reverse("orders:list"),
        shop_label=gettext("Shop"),
        buyer_label=gettext("Buyer"),
        amount_label=gettext("Amount"),
        placed_label=gettext("Placed"),
        verdict_label=gettext("Verdict"),
        **cells,
    )


def _placed(order: Order | Listed, clock: Clock) -> SafeString:
    shown = desk.when(order.placed_at, clock=clock)
    if order.placed_known:
        return shown
    return format_html('<span class="muted">{} {}</span>', gettext("not told; seen"), shown)


def _by_item(platform: str) -> bool:
    provider = registry.PROVIDERS.get(platform)
    return bool(provider and provider.card.unit == "item")


def _state(order: Order | Listed) -> str:
    """Return what became of what was asked for here; where that came to nothing and it is cancelled, that."""
    if order.desk_state in CAME_TO_NOTHING and order.status == OrderStatus.CANCELLED:
        return order.status
    return order.desk_state or order.status


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
