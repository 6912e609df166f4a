"""A shop's budget of calls, shared by all workers: one UPDATE, exact over processes, by the database's clock."""

import time
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop, ShopHealth
from providers.errors import RateLimited

BURST_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 2.0
LEAST_WAIT_SECONDS = 30.0
MOST_WAIT_SECONDS = 24 * 3600.0


def take(shop: Shop) -> float:
    """Take one call out of the shop's budget.

    The budget fills at the card's rate up to what ``BURST_SECONDS`` bring, and at least to one whole call.

    Returns:
        0 when the call may be made now, else the seconds to wait before asking again.
    """
    rate = card_of(shop).calls_per_second
    most = max(1.0, rate * BURST_SECONDS)
    while True:  # somebody else's call in between costs one more round
        health = ShopHealth.objects.annotate(clock=Now()).filter(shop=shop).first()
        if health is None:
            ShopHealth.objects.get_or_create(shop=shop)
            continue
        now: datetime = health.clock
        if health.wait_until and health.wait_until > now:
            return (health.wait_until - now).total_seconds()
        filled = _filled(health, now, rate, most)
        seen = ShopHealth.objects.filter(pk=health.pk, tokens=health.tokens, tokens_at=health.tokens_at)
        if filled < 1:
            if health.tokens_at and health.tokens_at > now:  # the clock was set back: count from now on
                seen.update(tokens_at=now)
            return (1 - filled) / rate
        if seen.update(tokens=filled - 1, tokens_at=now):
            return 0.0


def take_soon(shop: Shop) -> bool:
    """Take one call out of the budget, waiting a little; False when that would take long."""
    while wait := take(shop):
        if wait > LONGEST_PAUSE_SECONDS:
            return False
        time.sleep(wait)
    return True


def _filled(health: ShopHealth, now: datetime, rate: float, most: float) -> float:
    if health.tokens_at is None:
        return most
    return min(most, health.tokens + max(0.0, (now - health.tokens_at).total_seconds()) * rate)


def wait_for(error: RateLimited, least: float = LEAST_WAIT_SECONDS) -> float:
    """Return how many seconds to wait: what the platform asked for, within reason."""
    wanted = LEAST_WAIT_SECONDS if error.retry_after is None else error.retry_after
    return min(wanted, MOST_WAIT_SECONDS) if wanted >= least else least  # NaN is never the larger


def pause(shop: Shop, error: RateLimited) -> None:
    """Send nothing for so long, because the platform asked for it."""
    until = Now() + timedelta(seconds=wait_for(error, least=1.0))
    health, _made = ShopHealth.objects.get_or_create(shop=shop)
    ShopHealth.objects.filter(Q(wait_until=None) | Q(wait_until__lt=until), pk=health.pk).update(wait_until=until)
