"""Taobao Open Platform described as data: enterprise purchase orders (企业购), cancelled whole."""

from providers.contract import Card, Field
from providers.errors import gettext_noop as _

CARD = Card(
    slug="taobao",
    name=_("Taobao"),
    unit="order",
    base_url="https://eco.taobao.com/router/rest",
    hosts=("eco.taobao.com", "gw.api.taobao.com", "api.taobao.com", "gw.api.tbsandbox.com"),
    options=(
        Field(
            "sign_method",
            _("Signature method"),
            _("How calls are signed. Any of the three works; HMAC-SHA256 is the strongest."),
            kind="choice",
            default="md5",
            choices=(("md5", "MD5"), ("hmac", "HMAC-MD5"), ("hmac-sha256", "HMAC-SHA256")),
        ),
        Field(
            "format",
            _("Answer format"),
            _("The form in which the gateway answers."),
            kind="choice",
            default="json",
            choices=(("json", "JSON"), ("xml", "XML")),
        ),
        Field(
            "simplify",
            _("Simplified answers"),
            _("Ask for slim JSON. Both forms are understood; leave it off unless Taobao support asks for it."),
            kind="switch",
            required=False,
            default=False,
            when=("format", "json"),
        ),
        Field(
            "detail",
            _("Read orders"),
            _("Switch on if the app was granted taobao.pc.order.detail. Without it no outcome can be checked."),
            kind="switch",
            required=False,
            default=False,
        ),
        Field(
            "list",
            _("List orders"),
            _("Switch on if the app was granted taobao.pc.order.list. Otherwise import orders from a file."),
            kind="switch",
            required=False,
            default=False,
        ),
    ),
    credential=(
        Field("app_key", _("App Key"), _("The number of your app, shown in its console.")),
        Field("app_secret", _("App Secret"), _("Stands beside the App Key."), kind="secret"),
        Field(
            "session",
            _("Session key"),
            _("The access token of an authorised user. Leave it empty unless Taobao says a session is missing."),
            kind="secret",
            required=False,
        ),
    ),
    lookup=(
        Field(
            "biz_order_id",
            _("Purchase order number"),
            _("The enterprise purchase order number (企业购订单号)."),
            max_length=64,
        ),
        Field(
            "buyer_id",
            _("Buyer ID"),
            _("The buyer's numeric Taobao ID. Taobao asks for it with every order."),
            kind="integer",
            max_length=19,
        ),
    ),
    reason="none",
    # "sign" is no person's, but a signature is good for ten minutes and has no place among evidence.
    private=frozenset(
        {
            "sign",
            "phone",
            "mobile",
            "tel",
            "telephone",
            "email",
            "buyer_nick",
            "taobao_user_nick",
            "receiver_name",
            "receiver_mobile",
            "receiver_phone",
            "receiver_address",
            "full_name",
            "address",
            "address_detail",
            "remark",
            "social_credit_code",
        }
    ),
    consequences=(
        _("The whole purchase order is cancelled. It cannot be restored, only placed again."),
        _("Taobao does not document whether a paid order is refunded at once. Check the refund there."),
        _("Taobao cannot cancel single items of a purchase order."),
        _("Taobao takes no reason. Yours is kept here and is not sent."),
    ),
    # Assumed: no rate is documented for these calls.
    calls_per_second=5.0,
    # Documented: "accesscontrol.limited-by-app-access-count" counts what all shops of one app ask.
    shared_by="app_key",
    home=_("Taobao Open Platform console: your app, then its overview page, shows App Key and App Secret."),
)
