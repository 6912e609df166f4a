"""The pace a platform really bears, where it refuses calls sooner than its documents say.

A refusal (429) takes a part off what was tried; then the pace creeps back, so that it is learnt once and not forgotten
between two refusals. All by the database's clock, in the row that keeps the budget.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now

from cancellations.requests.models import Attempt
from cancellations.shops.connection import rate_of
from cancellations.shops.models import Shop, ShopHealth

LESS = 0.7
# The pace doubles in so many calls, and in no fewer seconds: of the calls few are refused, and a refusal now and then,
# which says nothing about the pace, is made up for before the next.
DOUBLE_CALLS = 600
DOUBLE_SECONDS = 300.0
FORGET_SECONDS = 7200.0
# What was under way when the first was refused is refused, too, and says nothing new.
SAME_SECONDS = 2.0
MEASURED_SECONDS = 10.0
MEASURED_SENDS = 1000
LEAST_RATE = 0.05


def eased(rate: float, health: ShopHealth | None, now: datetime) -> float:
    """Return the calls a second that are tried now: what is allowed, or less; 0 for any number."""
    if health is None or health.eased is None or health.eased_at is None:
        return rate
    age = max(0.0, (now - health.eased_at).total_seconds())
    doubling = max(DOUBLE_SECONDS, DOUBLE_CALLS / max(health.eased, LEAST_RATE))
    bearable: float = health.eased * 2.0 ** min(age / doubling, 20.0)
    if rate:
        return min(rate, bearable)
    return bearable if age < FORGET_SECONDS else 0.0


def ease_off(shop: Shop, sharing: Sequence[int]) -> None:
    """Try fewer calls a second from now on; to be called before it is noted that the platform wants a pause.

    Args:
        sharing: The shops that live on one budget with this one, the keeper of that budget first.
    """
    health = ShopHealth.objects.annotate(clock=Now()).get(shop=sharing[0])
    tried = eased(rate_of(shop), health, health.clock) or _measured(shop, health.clock)
    over = Q(wait_until=None) | Q(wait_until__lte=Now())
    before = Q(eased_at=None) | Q(eased_at__lte=Now() - timedelta(seconds=SAME_SECONDS)) | Q(eased_at__gt=Now())
    # The moment as a value: SQLite writes one of its own in other digits, and who takes a call compares it.
    ShopHealth.objects.filter(over, before, shop__in=sharing).update(
        eased=max(LEAST_RATE, tried * LESS), eased_at=health.clock, tokens=0, tokens_at=health.clock
    )


def _measured(shop: Shop, now: datetime) -> float:
    """Return how many calls a second were made of late, where nothing limits them."""
    highest = Attempt.objects.aggregate(highest=Max("pk"))["highest"] or 0
    sent = Attempt.objects.filter(
        pk__gt=highest - MEASURED_SENDS,
        cancellation__shop=shop,
        kind=Attempt.Kind.SEND,
        opened_at__gt=now - timedelta(seconds=MEASURED_SECONDS),
    ).aggregate(count=Count("pk"), first=Min("opened_at"))
    seconds = (now - sent["first"]).total_seconds() if sent["first"] else 0.0
    return float(sent["count"]) / max(1.0, seconds)
