"""What may be picked as a reason in a shop, and what will be sent to its platform for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from cancellations.reasons.models import ListedReasons, Reason, ReasonMapping
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop
from providers.contract import Card

Mappings = Mapping[tuple[int, str, int | None], str]


@dataclass(frozen=True)
class Choice:
    """One reason as offered in one shop.

    Attributes:
        value: What the platform is told; "" when it takes no reason.
        pickable: Whether it can be chosen here; ``why`` says why not.
        told: Whether the platform is told anything at all.
    """

    reason: Reason
    value: str
    pickable: bool
    told: bool
    why: str = ""


def values_of(shop: Shop) -> list[str]:
    """Return the values this shop's platform lists: configured and last read; the card's where there are neither."""
    return values_by_shop([shop])[shop.pk]


def values_by_shop(shops: Iterable[Shop]) -> dict[int, list[str]]:
    """Return the same for many shops, by their keys, in one query. Raises as :func:`reasons_by_shop`."""
    shops = list(shops)
    listed = dict(ListedReasons.objects.filter(shop__in=shops).values_list("shop", "values"))
    return {shop.pk: _values(shop, card_of(shop), listed.get(shop.pk, [])) for shop in shops}


def reasons_for(shop: Shop) -> list[Choice]:
    """Return every reason that is not retired, pickable or with a sentence that says why not."""
    return reasons_by_shop([shop])[shop.pk]


def reasons_by_shop(shops: Iterable[Shop]) -> dict[int, list[Choice]]:
    """Return the same for many shops, by their keys, in three queries.

    Raises:
        AuthFailed: Cause ``settings``: this version does not know a shop's platform.
    """
    shops = list(shops)
    reasons = list(Reason.objects.filter(retired_at=None))
    mapped = mappings_of(shops)
    listed = values_by_shop(shops)
    return {shop.pk: [choice(shop, one, mapped, listed[shop.pk]) for one in reasons] for shop in shops}


def mappings_of(shops: Iterable[Shop]) -> Mappings:
    """Return the mappings of these shops and of their platforms, by (reason, platform, shop or ``None``)."""
    shops = list(shops)
    wide = ReasonMapping.objects.filter(platform__in={shop.platform for shop in shops}, shop=None)
    found = wide | ReasonMapping.objects.filter(shop__in=shops)
    return {(one.reason_id, one.platform, one.shop_id): one.value for one in found}


def choice(shop: Shop, reason: Reason, mapped: Mappings, values: list[str]) -> Choice:
    """Return a reason as offered in a shop: its own mapping counts, else the platform's, else the default."""
    card = card_of(shop)
    wide = mapped.get((reason.pk, shop.platform, None), default_for(shop, reason))
    return _choice(card, reason, mapped.get((reason.pk, shop.platform, shop.pk), wide), values)


def default_for(shop: Shop, reason: Reason) -> str:
    """Return what is sent where nobody mapped anything: the shop's own table says, else the card."""
    configured = shop.options.get("reasons")
    table = configured if isinstance(configured, Mapping) else {}
    return str(table.get(reason.code, card_of(shop).reason_defaults.get(reason.code, "")))


def _values(shop: Shop, card: Card, listed: Iterable[object]) -> list[str]:
    configured = shop.options.get("reasons")
    values = list(configured.values()) if isinstance(configured, Mapping) else list(configured or ())
    known = [*values, *listed] or [one.value for one in card.reasons]
    return list(dict.fromkeys(str(value) for value in known))


def _choice(card: Card, reason: Reason, value: str, values: list[str]) -> Choice:
    if card.reason == "none":
        return Choice(reason, "", True, False)
    if card.reason == "text":
        return Choice(reason, value or reason.label, True, True)
    if not value:
        why = _("%(platform)s has no value for this reason yet; an admin can map one under Reasons.")
        return Choice(reason, "", False, True, why % {"platform": _(card.name)})
    if value not in values:
        why = _("It is mapped to “%(value)s”, which this shop's platform does not list.")
        return Choice(reason, value, False, True, why % {"value": value})
    return Choice(reason, value, True, True)
