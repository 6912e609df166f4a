"""A shop's budget of calls, shared by all workers: one UPDATE, exact over processes, by the database's clock.

Where a platform counts the calls of an app, all shops with that app's keys live on one budget.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from cancellations.requests import easing
from cancellations.shops.connection import card_of, rate_of
from cancellations.shops.models import Credential, Shop, ShopHealth
from providers.errors import RateLimited

BURST_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 2.0
LEAST_WAIT_SECONDS: float = settings.RETRY_SECONDS
MOST_WAIT_SECONDS = 24 * 3600.0


def take(shop: Shop) -> float:
    """Take one call out of the shop's budget: 0 when it may be made now, else the seconds to wait."""
    return take_some(shop, 1)[1]


def take_some(shop: Shop, calls: int) -> tuple[int, float]:
    """Take up to so many calls out of the shop's budget.

    The budget fills at the shop's rate up to what ``BURST_SECONDS`` bring, and at least to one whole call.

    Returns:
        How many calls may be made now; and, where that is none, the seconds to wait before asking again.
    """
    keeper = _sharing(shop)[0]
    while True:  # somebody else's call in between costs one more round
        health = ShopHealth.objects.annotate(clock=Now()).filter(shop=keeper).first()
        if health is None:
            ShopHealth.objects.get_or_create(shop_id=keeper)
            continue
        now: datetime = health.clock
        if health.wait_until and health.wait_until > now:
            return 0, (health.wait_until - now).total_seconds()
        rate = easing.eased(rate_of(shop), health, now)
        if not rate:
            return calls, 0.0
        filled = _filled(health, now, rate, max(1.0, rate * BURST_SECONDS))
        seen = ShopHealth.objects.filter(pk=health.pk, tokens=health.tokens, tokens_at=health.tokens_at)
        if filled < 1:
            if health.tokens_at and health.tokens_at > now:  # the clock was set back: count from now on
                seen.update(tokens_at=now)
            return 0, (1 - filled) / rate
        granted = min(calls, int(filled))
        if seen.update(tokens=filled - granted, tokens_at=now):
            return granted, 0.0


def told_to_wait(shop: Shop, now: datetime) -> float:
    """Return for how many seconds the platform wants no call; believes what was read together with the shop."""
    until = getattr(getattr(shop, "health", None), "wait_until", None)
    return max(0.0, (until - now).total_seconds()) if until else 0.0


def _sharing(shop: Shop) -> list[int]:
    """Return the shops that live on one budget with this one, the keeper of that budget first."""
    if not card_of(shop).shared_by:
        return [shop.pk]
    own = Credential.objects.filter(shop=shop).exclude(app="").values("app")
    apart = Shop.objects.filter(platform=shop.platform, credential__app__in=own).order_by("pk")
    return list(apart.values_list("pk", flat=True)) or [shop.pk]


def take_soon(shop: Shop, gives_way: Callable[[], bool] = lambda: False) -> bool:
    """Take one call out of the budget, waiting a little; False when that would take long, or another goes first.

    Args:
        gives_way: Asked before each try whether another does.
    """
    while not gives_way():
        wait = take(shop)
        if not wait:
            return True
        if wait > LONGEST_PAUSE_SECONDS:
            return False
        time.sleep(wait)
    return False


def _filled(health: ShopHealth, now: datetime, rate: float, most: float) -> float:
    if health.tokens_at is None:
        return most
    return min(most, health.tokens + max(0.0, (now - health.tokens_at).total_seconds()) * rate)


def wait_for(error: RateLimited, least: float = LEAST_WAIT_SECONDS) -> float:
    """Return how many seconds to wait: what the platform asked for, within reason."""
    wanted = LEAST_WAIT_SECONDS if error.retry_after is None else error.retry_after
    return min(wanted, MOST_WAIT_SECONDS) if wanted >= least else least  # NaN is never the larger


def pause(shop: Shop, error: RateLimited) -> None:
    """Send nothing for so long, because the platform asked for it, and afterwards less than before."""
    until = Now() + timedelta(seconds=wait_for(error, least=1.0))
    sharing = _sharing(shop)
    for pk in sharing:
        ShopHealth.objects.get_or_create(shop_id=pk)
    easing.ease_off(shop, sharing)
    sooner = Q(wait_until=None) | Q(wait_until__lt=until)
    ShopHealth.objects.filter(sooner, shop__in=sharing).update(wait_until=until)
