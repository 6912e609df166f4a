"""How a shop's connection has been of late, and the hold that keeps requests waiting while it does not work.

The hold is the circuit: refused keys open it at once, a platform that does not answer after some calls in a row. A
probe that reads closes it; after that the first call that fails again opens it again.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Case, F, When
from django.db.models.functions import Now
from django.utils import timezone

from cancellations.audit import trail
from cancellations.shops import arming
from cancellations.shops.models import Shop, ShopHealth
from providers.errors import AuthFailed, Cause, OutcomeUnknown, ProviderError, gettext_noop

MOST_MESSAGE = 500
FAILURES_TO_HOLD = 5
# A good call is not noted again so soon: every send would wait for the one row.
GOOD_FOR = timedelta(seconds=5)
NO_ANSWER = gettext_noop(
    "The platform does not answer. Nothing is sent until it does; we look every few seconds, and go on by ourselves."
)


def health_of(shop: Shop) -> ShopHealth:
    """Return the shop's health as it stands in the database; made on first use."""
    found, _made = ShopHealth.objects.get_or_create(shop=shop)
    shop.health = found
    return found


def held(shop: Shop) -> ShopHealth | None:
    """Return the health of a held shop, else ``None``. Believes what was read together with the shop."""
    found: ShopHealth | None = getattr(shop, "health", None)
    return found if found and found.held_since else None


def is_held(shop: Shop) -> bool:
    """Tell whether nothing is sent for this shop until its connection is mended."""
    return held(shop) is not None


def hold(shop: Shop, error: ProviderError, *, by: Any = trail.WORKER) -> bool:
    """Send nothing for this shop until somebody mends it; of a hold that goes on only the reason is renewed.

    Returns:
        Whether this call began the hold; only then an event is written.
    """
    if arming.standing() == arming.Standing.COPY:  # what a copy meets says nothing of the shop
        return False
    cause = (error.cause or "") if isinstance(error, AuthFailed) else Cause.NETWORK
    why: dict[str, Any] = {
        "hold_cause": str(cause),
        "hold_code": error.code,
        "hold_message": error.message[:MOST_MESSAGE],
        "hold_advice": NO_ANSWER if cause == Cause.NETWORK else error.advice.admin or error.advice.agent,
    }
    if isinstance(error, AuthFailed):
        why["refused_at"] = Now()
    row = ShopHealth.objects.filter(pk=health_of(shop).pk)
    with transaction.atomic():
        begun = bool(row.filter(held_since=None).update(held_since=Now(), **why))
        if begun:
            data = {"cause": why["hold_cause"], "code": error.code, "message": why["hold_message"]}
            _record("shop.held", shop, by, data)
        else:
            row.update(**why)
    health_of(shop)
    return begun


def release(shop: Shop, *, by: Any, because: str = "") -> bool:
    """Let the shop's requests go again.

    Args:
        because: A word for the event, as ``checked`` or ``credential``.

    Returns:
        Whether it was held; only then an event is written.
    """
    with transaction.atomic():
        row = ShopHealth.objects.filter(shop=shop)
        tried = Case(When(hold_cause=Cause.NETWORK.value, then=FAILURES_TO_HOLD - 1), default=0)
        released = bool(
            row.exclude(held_since=None).update(
                held_since=None, hold_cause="", hold_code="", hold_message="", hold_advice="", failures=tried
            )
        )
        if released:
            _record("shop.released", shop, by, {"because": because} if because else {})
    health_of(shop)
    return released


def note_good(shop: Shop) -> None:
    """Note that the platform was reached and let us in. Believes what was read together with the shop."""
    known: ShopHealth | None = getattr(shop, "health", None)
    now = timezone.now()
    if known and not known.failures and known.good_at and now - known.good_at < GOOD_FOR:
        return
    ShopHealth.objects.filter(pk=health_of(shop).pk).update(good_at=now, failures=0)


def note_failure(shop: Shop, error: ProviderError) -> None:
    """Note a call that did not get through: refused keys hold the shop at once, and no answer after some in a row."""
    if isinstance(error, AuthFailed):
        hold(shop, error)
        return
    ShopHealth.objects.filter(pk=health_of(shop).pk).update(failures=F("failures") + 1)
    silent = isinstance(error, OutcomeUnknown) or error.cause == Cause.NETWORK
    if silent and health_of(shop).failures >= FAILURES_TO_HOLD:
        hold(shop, error)


def _record(verb: str, shop: Shop, by: Any, data: dict[str, Any]) -> None:
    trail.record(verb, by=by, subject_kind="shop", subject_id=shop.pk, subject=shop.title, shop=shop, data=data)
