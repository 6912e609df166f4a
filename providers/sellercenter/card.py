"""Seller Center described as data: its fields, its reasons and what a cancel does there."""

from providers.contract import Card, Field, PlatformReason
from providers.errors import gettext_noop as _

_OPTIONS = (
    Field(
        "format",
        _("Answer format"),
        _("How the platform writes its answers. JSON unless this operator only speaks XML."),
        kind="choice",
        required=False,
        default="json",
        choices=(("json", "JSON"), ("xml", "XML")),
    ),
    Field(
        "user_agent",
        _("User-Agent"),
        _(
            "How this shop introduces itself. Falabella asks for seller id, technology, its version, PROPIA and the "
            "business unit (FACL, FACO or FAPE), joined by slashes."
        ),
        required=False,
    ),
    Field(
        "reasons",
        _("Reasons"),
        _("The cancel reasons this operator accepts, spelled exactly as the operator spells them."),
        kind="list",
        required=False,
        default=(),
    ),
    Field(
        "reason_parameter",
        _("Reason parameter"),
        _("The name under which this operator wants the reason. Reason, except at some older operators."),
        kind="choice",
        required=False,
        default="Reason",
        choices=(("Reason", "Reason"), ("ReasonId", "ReasonId")),
    ),
    Field(
        "version",
        _("API version"),
        _("The version named in every call. Leave it at 1.0 unless the operator told you otherwise."),
        required=False,
        default="1.0",
        max_length=8,
    ),
)

_CREDENTIAL = (
    Field(
        "user_id",
        _("User id"),
        _("The e-mail address of the Seller Center user who makes the calls. Give that user only the order role."),
    ),
    Field(
        "api_key",
        _("API key"),
        _("That user's API key. It signs every call and never leaves this machine."),
        kind="secret",
    ),
)

# Names, addresses and the like; `userid` and `signature` stand in every URL and are nobody else's business either.
_PRIVATE = frozenset(
    {
        "address1", "address2", "address3", "address4", "address5", "city", "customeremail", "customerfirstname",
        "customerlastname", "customerverifierdigit", "deliveryinfo", "extraattributes", "extrabillingattributes",
        "firstname", "fiscalperson", "giftmessage", "lastname", "legalid", "nationalregistrationnumber", "phone",
        "phone2", "postcode", "receiveraddress", "receiveremail", "receiverlegalname", "receiverlocality",
        "receivermunicipality", "receiverphonenumber", "receiverpostcode", "receiverregion", "region", "remarks",
        "signature", "userid", "ward",
    }
)  # fmt: skip

CARD = Card(
    slug="sellercenter",
    name="Seller Center",
    unit="item",
    base_url="https://sellercenter-api.falabella.com",
    hosts=(
        ".falabella.com", ".linio.cl", ".linio.com.mx", ".linio.com.co", ".linio.com.pe", ".linio.com.ar",
        ".linio.com.ec", ".linio.com.pa", ".dafiti.com.br", ".dafiti.com.co", ".dafiti.cl", ".sellercenter.net",
    ),
    options=_OPTIONS,
    credential=_CREDENTIAL,
    lookup=(
        Field(
            "order_id",
            _("Order ID"),
            _("Seller Center's own OrderId: digits. It is not the order number the buyer sees."),
            kind="integer",
        ),
    ),
    reason="listed",
    reasons=(PlatformReason("SHORTAGE", _("Out of stock")),),
    note_sent=255,  # assumed: no limit is published
    reason_defaults={"out_of_stock": "SHORTAGE"},
    private=_PRIVATE,
    consequences=(
        _("One item is cancelled for good, perhaps with others in its package; the rest of the order stays."),
        _("The operator may charge the seller a penalty, and refunds the buyer; nothing is paid back from here."),
        _("Every unit bought is an item of its own."),
        _("We read the order again after each one, to see what was cancelled with it."),
    ),
    settle_seconds=900,
    calls_per_second=1.0,
    home=_(
        "In Seller Center under Settings, Integration management or Manage users: the user's e-mail address and its "
        "API key. The user needs the role Seller API Order Access."
    ),
)  # fmt: skip
