"""Reads one order fresh from its platform, indexes it, returns it."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations.orders import indexing, keys
from cancellations.orders.models import Order
from cancellations.orders.reading import Unindexable
from cancellations.shops.connection import Connection, connect
from cancellations.shops.models import Shop
from providers.contract import Card, Field, PlatformOrder, Ref
from providers.errors import Advice, Cause, ProviderError, Rejected, Unreachable

_CANNOT = Advice(gettext_noop("This platform cannot be asked for an order. Import its orders from a file."))
_OTHER = Advice(gettext_noop("The platform answered with another order than the one asked for. Try again later."))


def read_fresh(shop: Shop, ref: Ref, *, seconds: float | None = None) -> Order:
    """Read one order from its platform and put it into the index.

    Args:
        ref: The card's look-up fields, as far as they are known.
        seconds: Total deadline of each call; by default ``LOOKUP_SECONDS``.

    Raises:
        Rejected: There is no such order, or the platform cannot be asked for one (code ``cannot-read``).
        ProviderError: It could not be read.
    """
    connection = connect(shop, seconds=seconds or settings.LOOKUP_SECONDS)
    if not connection.capabilities.get_order:
        raise Rejected("cannot-read", advice=_CANNOT)
    asked_at = timezone.now()
    order = connection.client.get_order(ref)
    if not _same(connection.card, ref, order):
        raise Unreachable("another-order", advice=_OTHER, cause=Cause.PLATFORM)
    try:
        return indexing.put(shop, order, seen_at=asked_at)
    except Unindexable as error:
        raise Unreachable("no-identity", str(error), advice=_OTHER, cause=Cause.PLATFORM) from error


def missing_fields(card: Card, ref: Ref) -> list[Field]:
    """Return the look-up fields the platform needs besides those given."""
    return [one for one in card.lookup if one.required and not ref.get(one.name)]


def choices_of(connection: Connection, fields: list[Field]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return what the platform lists for each field; a field that cannot be asked for lists nothing."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for one in fields:
        try:
            found[one.name] = one.choices or connection.client.choices(one.name)
        except ProviderError:
            found[one.name] = ()
    return found


def _same(card: Card, ref: Ref, order: PlatformOrder) -> bool:
    """Tell whether the answer is about what was asked for: a platform may take an order's number for its id."""
    known = {
        keys.normalise(value) for value in (order.number, *order.ref.values(), *(value for _, value in order.keys))
    }
    return all(keys.normalise(ref[one.name]) in known for one in card.lookup if one.identity and ref.get(one.name))
