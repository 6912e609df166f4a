"""Can this unit be cancelled now; if not, why, who says so, and as of when."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cancellations.orders.models import Order, OrderItem, OrderStatus
from cancellations.requests.models import CancellationRequest
from cancellations.shops.models import Shop


@dataclass(frozen=True)
class Verdict:
    """An opinion, never a guard: the platform's own answer decides.

    Attributes:
        can: ``True``, ``False``, or ``None`` when nobody but the platform can tell.
        why: A translated sentence; "" when it plainly can.
        source: Who says so: ``request`` (one is open), ``desk`` (the shop's settings), ``platform`` (its last word),
            ``file`` (an import).
        as_of: When that was learned.
        cancellation: The open request that stands in the way, if any.
    """

    can: bool | None
    why: str
    source: str
    as_of: datetime
    cancellation: CancellationRequest | None = None

    @property
    def asks_anyway(self) -> bool:
        """Whether a person may still insist on asking the platform."""
        return self.can is False and self.source in ("platform", "file")


def verdict_on(shop: Shop, order: Order, unit: Order | OrderItem, running: CancellationRequest | None) -> Verdict:
    """Judge one unit of an order.

    Args:
        unit: The order itself, or one of its items where the card cancels items.
        running: The open request about this unit, if any.
    """
    if running is not None:
        return Verdict(False, _("A cancellation has been asked for already."), "request", running.state_since, running)
    if not shop.active:
        why = _("This shop is switched off. An admin can switch it on again.")
        return Verdict(False, why, "desk", order.seen_at)
    source = "file" if order.source == "file" else "platform"
    if unit.status == OrderStatus.CANCELLED:
        return Verdict(False, _("It is cancelled already."), source, order.seen_at)
    return Verdict(unit.cancellable, _(unit.why) if unit.why else "", source, order.seen_at)
