"""How a shop's connection has been of late, and the hold that keeps requests waiting while its keys are refused."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from cancellations.audit import trail
from cancellations.shops.models import Shop, ShopHealth
from providers.errors import AuthFailed, ProviderError

MOST_MESSAGE = 500


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
    now = timezone.now()
    why = {
        "hold_cause": str(error.cause or ""),
        "hold_code": error.code,
        "hold_message": error.message[:MOST_MESSAGE],
        "hold_advice": error.advice.admin or error.advice.agent,
        "refused_at": now,
    }
    row = ShopHealth.objects.filter(pk=health_of(shop).pk)
    with transaction.atomic():
        begun = bool(row.filter(held_since=None).update(held_since=now, **why))
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
        released = bool(
            row.exclude(held_since=None).update(
                held_since=None, hold_cause="", hold_code="", hold_message="", hold_advice="", failures=0
            )
        )
        if released:
            _record("shop.released", shop, by, {"because": because} if because else {})
    health_of(shop)
    return released


def note_good(shop: Shop) -> None:
    """Note that the platform was reached and let us in."""
    ShopHealth.objects.filter(pk=health_of(shop).pk).update(good_at=timezone.now(), failures=0)


def note_failure(shop: Shop, error: ProviderError) -> None:
    """Note a call that did not get through; keys that are refused hold the shop."""
    if isinstance(error, AuthFailed):
        hold(shop, error)
        return
    ShopHealth.objects.filter(pk=health_of(shop).pk).update(failures=F("failures") + 1)


def _record(verb: str, shop: Shop, by: Any, data: dict[str, Any]) -> None:
    trail.record(verb, by=by, subject_kind="shop", subject_id=shop.pk, subject=shop.title, shop=shop, data=data)
