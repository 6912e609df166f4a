"""Can this unit be cancelled now; if not, why, who says so, and as of when."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cancellations.moments import exact_text
from cancellations.orders.models import Order, OrderItem, OrderStatus
from cancellations.requests.models import CancellationRequest
from cancellations.shops.models import Shop
from cancellations.templatetags.desk import gap


@dataclass(frozen=True)
class Verdict:
    """An opinion, never a guard: the platform's own answer decides.

    Attributes:
        can: ``True``, ``False``, or ``None`` when nobody but the platform can tell.
        why: A translated sentence; "" when it plainly can.
        source: Who says so: ``request`` (one is open, or was done), ``desk`` (the shop's settings), ``platform`` (its
            last word), ``file`` (an import).
        as_of: When that was learned.
        cancellation: The open request that stands in the way, if any.
        done: The request that cancelled it from here before, if any.
    """

    can: bool | None
    why: str
    source: str
    as_of: datetime
    cancellation: CancellationRequest | None = None
    done: CancellationRequest | None = None

    @property
    def asks_anyway(self) -> bool:
        """Whether a person may still insist on asking the platform."""
        return self.can is False and (self.done is not None or self.source in ("platform", "file"))


def verdict_on(
    shop: Shop,
    order: Order,
    unit: Order | OrderItem,
    running: CancellationRequest | None,
    done: CancellationRequest | None = None,
) -> Verdict:
    """Judge one unit of an order.

    Args:
        unit: The order itself, or one of its items where the card cancels items.
        running: The open request about this unit, if any.
        done: The latest one that succeeded, if any.
    """
    if running is not None:
        return Verdict(False, _("A cancellation has been asked for already."), "request", running.state_since, running)
    if not shop.active:
        why = _("This shop is switched off. An admin can switch it on again.")
        return Verdict(False, why, "desk", order.seen_at)
    source = "file" if order.source == "file" else "platform"
    if unit.status == OrderStatus.CANCELLED:
        why = _("It is cancelled already.")
        return Verdict(False, f"{why}{gap()}{_by_us(done)}" if done else why, source, order.seen_at, done=done)
    if done:
        since = source == "platform" and order.seen_at > done.state_since
        told = _("But the platform shows it otherwise since: look at it there first.") if since else ""
        return Verdict(False, f"{_by_us(done)}{gap()}{told}".strip(), "request", done.state_since, done=done)
    return Verdict(unit.cancellable, _(unit.why) if unit.why else "", source, order.seen_at)


def _by_us(done: CancellationRequest) -> str:
    facts = {"person": done.requested_by.get_username(), "when": exact_text(done.state_since)}
    return _("It was cancelled from here: asked for by %(person)s, done %(when)s.") % facts
