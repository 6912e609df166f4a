"""From an id somebody names to an order that can be asked about: the index first, then the platform."""

from collections.abc import Mapping

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellations.orders import indexing, keys, lookup
from cancellations.orders.models import Order
from cancellations.requests.refusals import NotAsked
from cancellations.shops.connection import capabilities_of, card_of
from cancellations.shops.models import Shop
from providers.contract import Card, PlatformOrder
from providers.errors import ProviderError, Rejected


def name_order(shop: Shop, typed: str, fields: Mapping[str, str]) -> Order:
    """Return the order somebody means.

    What is not in the index is read from the platform. Where that is not possible just now, or never, the look-up
    fields alone make an order nobody has seen yet: the platform's own answer to the cancel decides.

    Args:
        typed: The order's id or number; the first look-up field of the card.
        fields: Further look-up fields by name.

    Raises:
        NotAsked: There is none, or a look-up field is missing.
    """
    card = card_of(shop)
    unknown = sorted(set(fields) - {one.name for one in card.lookup})
    if unknown:
        known = ", ".join(one.name for one in card.lookup)
        raise NotAsked(
            _("There is no look-up field %(name)s; there are: %(known)s.") % {"name": unknown[0], "known": known}
        )
    ref = {card.lookup[0].name: typed.strip(), **{name: value.strip() for name, value in fields.items()}}
    if not ref[card.lookup[0].name]:
        raise NotAsked(_("Name an order."))
    found = _indexed(shop, card, ref)
    if found:
        return found
    return _looked_up(shop, card, ref)


def _indexed(shop: Shop, card: Card, ref: dict[str, str]) -> Order | None:
    value = keys.normalise(ref[card.lookup[0].name])
    named = Q(keys__kind__in=("id", "number"), keys__value=value)
    orders = list(Order.objects.select_related("shop").filter(named, shop=shop).distinct()[:20])
    given = {name: text for name, text in ref.items() if name != card.lookup[0].name}
    fitting = [one for one in orders if all(one.ref.get(name, text) == text for name, text in given.items())]
    exact = [one for one in fitting if one.ref.get(card.lookup[0].name) == ref[card.lookup[0].name]]
    fitting = exact or fitting
    if len(fitting) > 1:
        raise NotAsked(_("Several orders are called that; add a look-up field that tells them apart."))
    if not fitting:
        return None
    order = fitting[0]
    missing = {name: text for name, text in ref.items() if text and not order.ref.get(name)}
    if missing:  # what the index did not know helps the next one, too
        order.ref = {**order.ref, **missing}
        Order.objects.filter(pk=order.pk).update(ref=order.ref)
    return order


def _looked_up(shop: Shop, card: Card, ref: dict[str, str]) -> Order:
    missing = [one.name for one in card.lookup if one.required and not ref.get(one.name)]
    if missing:
        raise NotAsked(
            _("This order is not known here. To look it up %(platform)s needs also: %(fields)s.")
            % {"platform": _(card.name), "fields": ", ".join(missing)}
        )
    if capabilities_of(shop).get_order:
        try:
            return lookup.read_fresh(shop, ref)
        except Rejected as error:
            raise NotAsked(
                _("%(platform)s does not know this order: %(message)s (%(code)s)")
                % {"platform": _(card.name), "message": error.message or _(error.advice.agent), "code": error.code}
            ) from error
        except ProviderError:
            pass  # it can't be read just now; that is no reason to lose the request
    unseen = PlatformOrder(ref=ref, number=ref[card.lookup[0].name], keys=(("id", ref[card.lookup[0].name]),))
    return indexing.put(shop, unseen, seen_at=timezone.now(), source="file")
