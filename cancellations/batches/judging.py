"""Whether one unit would be asked for in a batch: judged when it is planned, and again when its turn comes."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext_noop

from cancellations.batches.matching import Found
from cancellations.batches.states import Verdict
from cancellations.orders.models import Order, OrderItem, OrderStatus
from cancellations.reasons.choosing import reasons_by_shop
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Shop

ALREADY = gettext_noop("It is cancelled already.")
ASKED = gettext_noop("A cancellation has been asked for already.")
REFUSED = gettext_noop("The platform refused this before. Look at it, and ask for it on its own if need be.")
CONTRADICTED = gettext_noop("We cancelled this before, but the platform shows it otherwise. Look at it on its own.")
SHUT = gettext_noop("This shop is switched off. An admin can switch it on again.")
NO_REASON = gettext_noop("The reason chosen can't be picked in this shop.")

Judgement = tuple[Verdict, str, CancellationRequest | None]


def pickable(shops: Iterable[Shop], reason_id: int) -> Mapping[int, bool]:
    """Tell for each shop, by its key, whether a reason can be picked there."""
    return {
        pk: any(one.reason.pk == reason_id and one.pickable for one in choices)
        for pk, choices in reasons_by_shop(shops).items()
    }


def judge(found: Found, order: Order, item: OrderItem | None, can_pick: Mapping[int, bool]) -> Judgement:
    """Return the verdict, why (untranslated, or ""), and the request that stands in the way."""
    unit: Order | OrderItem = item or order
    key = (order.shop_id, order.key, item.ref if item else "")
    running, earlier = found.running.get(key), found.earlier.get(key)
    if running:
        return Verdict.OPEN, ASKED, running
    if unit.status == OrderStatus.CANCELLED:
        return Verdict.CANCELLED, ALREADY, earlier
    if earlier and earlier.state == State.SUCCEEDED:  # never a second time by many, whatever the index shows
        seen_since = order.source == "platform" and order.seen_at > earlier.state_since
        return (Verdict.CANNOT, CONTRADICTED, earlier) if seen_since else (Verdict.CANCELLED, ALREADY, earlier)
    if not order.shop.active:
        return Verdict.CANNOT, SHUT, None
    if unit.cancellable is False:
        return Verdict.CANNOT, unit.why, None
    if earlier and earlier.state == State.REJECTED and earlier.snapshot.get("version") == order.version:
        return Verdict.CANNOT, REFUSED, earlier
    if not can_pick.get(order.shop_id):
        return Verdict.CANNOT, NO_REASON, None
    verdict = Verdict.READY_APPROVAL if order.shop.needs_approval else Verdict.READY
    return verdict, unit.why if unit.cancellable is None else "", None
