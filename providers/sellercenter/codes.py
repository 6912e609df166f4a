"""Seller Center's error codes: what each means for what was asked, and what to do about it.

Source: "Cancel Order", developers.falabella.com v600.0.0 (codes 1, 3, 7, 8); "Errores globales" and the error lists of
the pages of each action there (the others); codes marked so in the dossier from the operators' published clients.
"""

from dataclasses import dataclass
from enum import Enum, auto

from providers.errors import Advice, Cause
from providers.errors import gettext_noop as _


class Kind(Enum):
    """What a code says about what was asked."""

    REFUSED = auto()  # nothing was done, and the same call gets the same answer
    LOCKED_OUT = auto()  # nothing was done; the connection has to be mended first
    BUSY = auto()  # refused before it ran
    UNCLEAR = auto()  # it may have run


@dataclass(frozen=True)
class Meaning:
    """One code: kind, advice, and the cause where it is the connection's fault."""

    kind: Kind
    advice: Advice
    cause: Cause | None = None


_WAITS = _("This shop's connection is broken. Your request waits and goes by itself once an admin has mended it.")
_OURS = _("Rescind sent something this operator cannot read. Nothing was changed; tell an admin.")


def _refused(agent: str, admin: str = "") -> Meaning:
    return Meaning(Kind.REFUSED, Advice(agent, admin))


def _locked_out(cause: Cause, admin: str) -> Meaning:
    return Meaning(Kind.LOCKED_OUT, Advice(_WAITS, admin), cause)


def _unclear(agent: str) -> Meaning:
    return Meaning(Kind.UNCLEAR, Advice(agent))


_FEED = _refused(_("The platform refused a product feed, which Rescind never sends. Tell an admin."))
_DATE = _refused(_OURS, _("The operator cannot read the date of a listing. Check the API version in the settings."))
_SHIPPING = _refused(
    _("The platform spoke of shipping, not of cancelling. Nothing was cancelled; look at the order in Seller Center."),
    _("A shipping error answered a call of ours. Check that the base URL leads straight to the operator's API."),
)
_DOCUMENT = _refused(
    _("The platform spoke of shipping documents, not of cancelling. Look at the order in Seller Center."),
    _("A document error answered a call of ours. Check that the base URL leads straight to the operator's API."),
)
_SORTING = _refused(_OURS, _("The operator does not sort listings the documented way. Report it with the code."))

# What a cancel itself may answer: its own list and the general one. A code of another call proves less.
OF_CANCEL = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 21, 22, 28, 30, 429, 1000})

CODES: dict[int, Meaning] = {
    1: _refused(
        _("The request lacked something the platform wants. Nothing was changed; report it to an admin."),
        _("Look at the parameter the platform names. If it is the reason, check the shop's reason parameter."),
    ),
    2: _locked_out(Cause.SETTINGS, _("The operator does not know this API version. Set it back to 1.0.")),
    3: _locked_out(
        Cause.CLOCK,
        _("This machine's clock is wrong, so the platform found the request expired. Turn on time synchronisation."),
    ),
    4: _refused(_OURS, _("The operator does not read our time stamps. Report it with the code.")),
    5: _refused(_OURS, _("The operator does not accept this answer format. Try the other one in the shop's settings.")),
    6: _unclear(_("Seller Center had a fault of its own. We look at the item to find out whether it is cancelled.")),
    7: _locked_out(
        Cause.KEYS,
        _("User id and API key do not belong together, or the key was made anew. Enter both again, then check."),
    ),
    8: _locked_out(
        Cause.SETTINGS,
        _("This operator does not know the call. Check that the base URL is this operator's Seller Center API."),
    ),
    9: _locked_out(
        Cause.PERMISSION,
        _("The Seller Center user may not do this. Give it the role Seller API Order Access for this seller."),
    ),
    10: _locked_out(Cause.SETTINGS, _("The base URL must begin with https://. Correct it, then check.")),
    11: _refused(_("The request was too long for the platform. Shorten the note and ask again.")),
    12: _FEED,
    13: _FEED,
    14: _refused(_OURS, _("The operator does not page listings the documented way. Report it with the code.")),
    15: _refused(_OURS, _("The operator wants another page size than documented. Report it with the code.")),
    16: _refused(_("The platform knows no such order for this seller. Check the order id and the shop.")),
    17: _DATE,
    18: _refused(_OURS, _("The operator wants a listing to begin at a date and did not see ours. Report it.")),
    19: _refused(_OURS, _("The operator wants smaller pages than documented. Report it with the code.")),
    20: _refused(_("The platform knows no such item for this seller. Read the order again and pick the item there.")),
    21: _unclear(
        _("The order system behind Seller Center failed. We look at the item to find out whether it is cancelled.")
    ),
    22: _refused(
        _("The operator does not accept this reason. Nothing was cancelled; pick another reason and ask again."),
        _("Read the operator's reasons again and map ours to the ones it lists."),
    ),
    23: _SHIPPING,
    24: _SHIPPING,
    25: _SHIPPING,
    26: _SHIPPING,
    28: _refused(
        _(
            "This item is past the point where it can be cancelled, or the marketplace ships it itself. "
            "Read the order again; if it is on its way, arrange a return."
        )
    ),
    29: _SHIPPING,
    30: _refused(_OURS, _("The operator saw an empty request. Check for a proxy that strips the address's query.")),
    31: _SHIPPING,
    32: _DOCUMENT,
    34: _DOCUMENT,
    35: _refused(_("The platform found nothing under this id. Read the order again, or check the shop.")),
    36: _refused(_OURS, _("The operator does not know the status a listing asked for. Report it with the code.")),
    37: _refused(_("The platform knows one of these orders not at all. Read them one by one.")),
    38: _refused(_("Too many orders were asked for at once. Read them one by one.")),
    39: _refused(_("The platform found none of these orders. Check the order ids and the shop.")),
    46: _DATE,
    47: _DATE,
    56: _refused(_OURS, _("The operator writes lists of orders another way. Report it with the code.")),
    63: _SHIPPING,
    73: _refused(_("Some items are neither pending nor ready to ship. Nothing was cancelled; read the order again.")),
    74: _SORTING,
    75: _SORTING,
    91: _SHIPPING,
    94: _SHIPPING,
    95: _SHIPPING,
    96: _SHIPPING,
    119: _refused(_("The platform is still preparing this order. Nothing was cancelled; ask again in a few minutes.")),
    121: _SHIPPING,
    122: _SHIPPING,
    429: Meaning(
        Kind.BUSY,
        Advice(_("The platform asked us to slow down; nothing was done. We try again by ourselves.")),
        Cause.PLATFORM,
    ),
    1000: _unclear(_("Seller Center failed inside. We look at the item to find out whether it is cancelled.")),
}
