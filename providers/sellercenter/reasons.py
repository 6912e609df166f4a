"""Why an item may be cancelled here: the values an operator accepts, configured or asked for."""

from collections.abc import Mapping
from typing import Any

from providers.contract import PlatformReason
from providers.sellercenter.card import CARD
from providers.sellercenter.envelope import Envelope, children, text_of, within


def read_configured(reasons: Any) -> tuple[PlatformReason, ...]:
    """Return the operator's values from a list or a table of our codes; the card's where there are none."""
    given = reasons.values() if isinstance(reasons, Mapping) else reasons if isinstance(reasons, list | tuple) else ()
    known = {one.value: one.label for one in CARD.reasons}
    values = dict.fromkeys(text_of(one) for one in given)
    return tuple(PlatformReason(one, known.get(one, one)) for one in values if one) or CARD.reasons


def read_listed(envelope: Envelope, parameter: str) -> tuple[PlatformReason, ...]:
    """Return the reasons for cancelling among all the reasons of an answer.

    Args:
        parameter: ``Reason`` where the operator wants the reason's name, ``ReasonId`` where it wants its number.
    """
    rows = [one for one in children(within(envelope.body, "Reasons"), "Reason") if isinstance(one, Mapping)]
    field = "ReasonId" if parameter == "ReasonId" else "Name"
    listed = (
        PlatformReason(text_of(one.get(field)), text_of(one.get("Name")))
        for one in rows
        if text_of(one.get("Type")).casefold() == "canceled"
    )
    return tuple(dict.fromkeys(one for one in listed if one.value))
