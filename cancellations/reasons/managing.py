"""What admins do to the catalogue: make, change, retire, restore a reason, and map it to what a platform is told.

Each is one transaction with its event, and changes nothing when nothing differs. A code never changes and nothing is
deleted: old requests keep pointing at it.
"""

import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellations import ring
from cancellations.audit import trail
from cancellations.reasons.choosing import values_by_shop, values_of
from cancellations.reasons.models import ListedReasons, Reason, ReasonMapping
from cancellations.reasons.tasks import refresh_reasons
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from providers import registry

CHANGEABLE = ("label", "label_zh", "note_required", "position")
RESERVED_CODES = ("new", "lists")  # addresses of the pages
MOST_VALUE = 255


@transaction.atomic
def create_reason(*, by: Any, code: str, **facts: Any) -> Reason:
    """Make a reason; ``facts`` are those of ``CHANGEABLE``.

    Raises:
        ValidationError: The code is taken, or something cannot be kept; keyed by field.
    """
    reason = Reason(code=code.strip(), **facts)
    taken = ValidationError({"code": [_("This code is taken. Choose another.")]})
    if reason.code in RESERVED_CODES:
        raise taken
    reason.full_clean()
    try:
        with transaction.atomic():
            reason.save(force_insert=True)
    except IntegrityError as error:  # somebody else was faster
        raise taken from error
    _record("reason.created", reason, by, after={name: getattr(reason, name) for name in CHANGEABLE})
    return reason


@transaction.atomic
def change_reason(reason: Reason, *, by: Any, **facts: Any) -> bool:
    """Change some of ``CHANGEABLE``.

    Returns:
        Whether anything differed.

    Raises:
        ValidationError: As :func:`create_reason`.
    """
    if unknown := set(facts) - set(CHANGEABLE):
        raise TypeError(f"these cannot be changed: {sorted(unknown)}")
    current = Reason.objects.select_for_update().get(pk=reason.pk)
    before = {name: getattr(current, name) for name in facts if getattr(current, name) != facts[name]}
    if not before:
        return False
    for name in before:
        setattr(current, name, facts[name])
    current.full_clean()
    current.save(update_fields=list(before))
    _record("reason.changed", current, by, before=before, after={name: facts[name] for name in before})
    return True


@transaction.atomic
def retire(reason: Reason, *, by: Any) -> bool:
    """Offer a reason no more; what was asked with it stays as it is.

    Returns:
        Whether it was offered.

    Raises:
        ValidationError: It is the last one, and nothing could be cancelled any more.
    """
    offered = list(Reason.objects.select_for_update().filter(retired_at=None).order_by("pk"))
    if reason.pk not in {one.pk for one in offered}:
        return False
    if len(offered) == 1:
        raise ValidationError(
            _("This is the last reason on offer, and nothing is cancelled without one. Make another.")
        )
    Reason.objects.filter(pk=reason.pk).update(retired_at=timezone.now())
    _record("reason.retired", reason, by)
    return True


@transaction.atomic
def restore(reason: Reason, *, by: Any) -> bool:
    """Offer a retired reason again; ``False`` when it was on offer already."""
    if not Reason.objects.filter(pk=reason.pk).exclude(retired_at=None).update(retired_at=None):
        return False
    _record("reason.restored", reason, by)
    return True


@transaction.atomic
def map_reason(reason: Reason, *, platform: str, value: str, by: Any, shop: Shop | None = None) -> bool:
    """Say what is sent for a reason on a platform, or in one shop of it; "" takes that word back.

    Returns:
        Whether anything differed.

    Raises:
        ValidationError: The platform takes no reason, or not this value.
    """
    Reason.objects.select_for_update().get(pk=reason.pk)  # one at a time: SQLite cannot keep two equal rows apart here
    value = value.strip()
    mapping = ReasonMapping.objects.filter(reason=reason, platform=platform, shop=shop).first()
    before = mapping.value if mapping else ""
    if value == before:
        return False
    if value:
        _judge(platform, shop, value)
        ReasonMapping.objects.update_or_create(reason=reason, platform=platform, shop=shop, defaults={"value": value})
    elif mapping:
        mapping.delete()
    _record("reason.mapped", reason, by, shop, platform=platform, before={"value": before}, after={"value": value})
    return True


def ask_for_list(shop: Shop, *, by: Any) -> None:
    """Have a worker read what a shop's platform lists.

    Raises:
        ValidationError: The shop is switched off, or there is nothing to read.
    """
    if not shop.active:
        raise ValidationError(_("%(shop)s is switched off. Switch it on first.") % {"shop": shop})
    if not registry.PROVIDERS[shop.platform].capabilities(shop.options).list_reasons:
        raise ValidationError(_("%(shop)s has no list of reasons to read.") % {"shop": shop})
    with transaction.atomic():
        ListedReasons.objects.update_or_create(shop=shop, defaults={"asked_at": timezone.now()})
        trail.record(
            "shop.reasons_asked", by=by, subject_kind="shop", subject_id=shop.pk, subject=shop.title, shop=shop
        )
        ring.ring(refresh_reasons, shop.pk)


def offered(platform: str, shop: Shop | None) -> list[str]:
    """Return the values a mapping may have: what the shop's platform lists, or any shop of the platform."""
    if shop:
        return values_of(shop)
    known = [[one.value for one in registry.PROVIDERS[platform].card.reasons]]
    known += values_by_shop(Shop.objects.filter(platform=platform)).values()
    return list(dict.fromkeys(value for values in known for value in values))


def _judge(platform: str, shop: Shop | None, value: str) -> None:
    provider = registry.PROVIDERS.get(platform)
    if provider is None or (shop and shop.platform != platform):
        raise ValidationError(_("There is no such platform here. Open the page again."))
    card = card_of(shop) if shop else provider.card
    if card.reason == "none":
        raise ValidationError(_("%(platform)s takes no reason; there is nothing to map.") % {"platform": _(card.name)})
    if len(value) > MOST_VALUE or any(unicodedata.category(char).startswith("C") for char in value):
        raise ValidationError(_("At most %(most)d characters, on one line.") % {"most": MOST_VALUE})
    if card.reason == "listed" and value not in offered(platform, shop):
        known = _("“%(value)s” is not among the values the platform lists. Read them again, or choose another.")
        raise ValidationError(known % {"value": value})


def _record(verb: str, reason: Reason, by: Any, shop: Shop | None = None, **data: Any) -> None:
    trail.record(verb, by=by, subject_kind="reason", subject_id=reason.code, subject=reason.label, shop=shop, data=data)
