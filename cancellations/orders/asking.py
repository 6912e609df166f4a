"""One shop asked live for what the index does not hold: what to ask for, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from cancellations.audit import trail
from cancellations.orders.lookup import choices_of, missing_fields, read_fresh
from cancellations.orders.models import Order
from cancellations.orders.understanding import Understanding, understand
from cancellations.shops.connection import capabilities_of, card_of, connect
from cancellations.shops.models import Shop
from cancellations.shops.scope import Seen
from providers.contract import Card, Field
from providers.errors import AuthFailed, ProviderError, RateLimited, Rejected

INACTIVE = gettext_noop("This shop is switched off, so it is not asked.")
CANNOT = gettext_noop("This platform cannot be asked for a single order. Import its orders from a file.")
NO_NUMBER = gettext_noop("Platforms are asked by an order's id, and this does not look like one.")
DIGITS_ONLY = gettext_noop("Order IDs of this platform are digits only, so it was not asked.")
BROKEN = gettext_noop("This shop's connection is broken, so it could not be asked. An admin has to mend it.")
NOT_THERE = gettext_noop("The platform has no such order for us.")
BUSY = gettext_noop("The platform asks us to slow down. Ask again in a minute.")
SILENT = gettext_noop("The platform did not answer, or not in a way we understand. Ask again in a moment.")


@dataclass(frozen=True)
class Answer:
    """What came of asking one shop.

    Attributes:
        order: What was found.
        why: Otherwise why not: a sentence, untranslated; ``words`` and ``code`` are the platform's own.
        again: Whether asking again may help.
        missing: Fields to be filled in first, and per field what the platform lists for it.
    """

    order: Order | None = None
    why: str = ""
    words: str = ""
    code: str = ""
    again: bool = False
    missing: tuple[Field, ...] = ()
    listed: Mapping[str, tuple[tuple[str, str], ...]] | None = None


def can_be_asked(shop: Shop | Seen) -> bool:
    """Tell whether a shop can be asked for one order by its id."""
    try:
        return shop.active and capabilities_of(shop).get_order
    except ProviderError:
        return False


def ask(shop: Shop, text: str, given: Mapping[str, str], *, by: Any) -> Answer:
    """Ask a shop for an order by what was typed, and write the event.

    Args:
        given: Further look-up fields by name.
    """
    understood = understand(text)
    if not shop.active:
        return Answer(why=INACTIVE)
    if not understood.number:
        return Answer(why=NO_NUMBER)
    try:
        if not capabilities_of(shop).get_order:
            return Answer(why=CANNOT)
        card = card_of(shop)
        ref = ref_of(card, understood.number, given)
        if any(one.kind == "integer" and not ref.get(one.name, "0").isdecimal() for one in card.lookup):
            return Answer(why=DIGITS_ONLY)
        if missing := missing_fields(card, ref):
            listed = choices_of(connect(shop, seconds=settings.LOOKUP_SECONDS), missing)
            return Answer(missing=tuple(missing), listed=listed)
        order = read_fresh(shop, ref)
    except ProviderError as error:
        _record(shop, understood, by, found=None, code=error.code)
        return _refused(error)
    _record(shop, understood, by, found=order)
    return Answer(order=order)


def ref_of(card: Card, number: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return a reference: what was typed as the first look-up field, and the others as given."""
    ref = {one.name: given.get(one.name, "").strip()[: one.max_length] for one in card.lookup[1:]}
    return {card.lookup[0].name: number, **{name: value for name, value in ref.items() if value}}


def _refused(error: ProviderError) -> Answer:
    """Word an error for somebody who only looked: what is said of requests that wait does not hold here."""
    if isinstance(error, AuthFailed):
        return Answer(why=BROKEN, code=error.code, again=True)
    if isinstance(error, RateLimited):
        return Answer(why=BUSY, words=error.message, code=error.code, again=True)
    own = error.advice is not error.default_advice
    if isinstance(error, Rejected):
        return Answer(why=error.advice.agent if own else NOT_THERE, words=error.message, code=error.code)
    return Answer(why=error.advice.agent if own else SILENT, words=error.message, code=error.code, again=True)


def _record(shop: Shop, understood: Understanding, by: Any, *, found: Order | None, code: str = "") -> None:
    # What was typed may be a buyer's phone: only its kind is written down, and the order's number once there is one.
    data: dict[str, Any] = {"kind": " ".join(understood.kinds), "found": found is not None}
    if code:
        data["code"] = code
    trail.record(
        "order.looked_up",
        by=by,
        subject_kind="order",
        subject_id=found.pk if found else "",
        subject=found.number if found else "",
        shop=shop,
        order_number=found.number if found else "",
        data=data,
    )
