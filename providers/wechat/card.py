"""WeChat's logistics assistant described as data: express waybills of one mini program.

Source: seed 001 (logistics.cancelOrder); "getStableAccessToken"; "batchGetOrder"; "invokeCloudFunction".
"""

from collections.abc import Mapping
from typing import Any

from providers.contract import Capabilities, Card, Field
from providers.errors import gettext_noop

BATCH = 100

_CLOUD = ("route", "cloud")

CARD = Card(
    slug="wechat",
    name=gettext_noop("WeChat"),
    unit="order",
    base_url="https://api.weixin.qq.com",
    hosts=("api.weixin.qq.com",),
    options=(
        Field(
            "token",
            gettext_noop("Access token"),
            gettext_noop(
                "Stable unless other programs of this account need the plain kind: those end each other's tokens."
            ),
            kind="choice",
            default="stable",
            choices=(("stable", gettext_noop("Stable token")), ("plain", gettext_noop("Plain token"))),
        ),
        Field(
            "route",
            gettext_noop("Way to WeChat"),
            gettext_noop("Straight to the express calls, or through a cloud function of your own that makes them."),
            kind="choice",
            default="https",
            choices=(("https", gettext_noop("Straight (HTTPS)")), ("cloud", gettext_noop("Through a cloud function"))),
        ),
        Field(
            "env",
            gettext_noop("Cloud environment"),
            gettext_noop("The ID of the cloud environment the function lives in; the cloud console shows it."),
            when=_CLOUD,
            max_length=128,
        ),
        Field(
            "function",
            gettext_noop("Cloud function"),
            gettext_noop("Its name as deployed. A sample is in docs/wechat-cloud-function."),
            when=_CLOUD,
            max_length=128,
        ),
        Field(
            "invoke",
            gettext_noop("Form of the call"),
            gettext_noop("Keep the first unless WeChat says that a required parameter is missing (40101)."),
            kind="choice",
            required=False,
            default="query",
            choices=(
                ("query", gettext_noop("Function named in the address")),
                ("body", gettext_noop("Function named in the body (newer)")),
            ),
            when=_CLOUD,
        ),
    ),
    credential=(
        Field(
            "appid",
            gettext_noop("AppID"),
            gettext_noop("Of the mini program the waybills were made with."),
            max_length=64,
        ),
        Field(
            "secret",
            gettext_noop("AppSecret"),
            gettext_noop("Shown once when it is made or reset; a reset ends the one before."),
            kind="secret",
        ),
    ),
    lookup=(
        Field(
            "order_id", gettext_noop("Order ID"), gettext_noop("Your own ID the waybill was made for."), max_length=512
        ),
        Field(
            "delivery_id",
            gettext_noop("Courier"),
            gettext_noop("The courier's short code, such as SF or ZTO."),
            max_length=64,
        ),
        Field("waybill_id", gettext_noop("Waybill number"), gettext_noop("As the courier gave it."), max_length=128),
        Field(
            "openid",
            gettext_noop("Buyer's OpenID"),
            gettext_noop("WeChat wants it for every cancel: who the buyer is in this mini program."),
            identity=False,
            max_length=128,
        ),
    ),
    reason="none",
    # The token stands in answers before anybody can know it; a slip and its data print the receiver's address; couriers
    # write names and phones into traces. Ids of orders, couriers and waybills are evidence and stay.
    private=frozenset(
        {"access_token", "openid", "print_html", "printhtml", "waybill_data", "waybilldata", "action_msg", "actionmsg"}
    ),
    consequences=(
        gettext_noop("The waybill is cancelled. It cannot be brought back; a parcel to be sent needs a new one."),
        gettext_noop("Only the waybill: the sale itself, its payment and a refund are separate."),
        gettext_noop("WeChat refuses once the courier has begun to move the parcel."),
        gettext_noop("Some couriers take no cancellations through WeChat and have to be phoned."),
        gettext_noop("WeChat takes no reason: yours is kept here and not sent."),
    ),
    settle_seconds=900,
    # Assumed: no rate is documented for these calls, but the quotas are an account's ("clear_quota" resets all of one).
    calls_per_second=5.0,
    shared_by="appid",
    home=gettext_noop(
        "Sign in to the mini program's account at mp.weixin.qq.com: AppID and AppSecret stand in its development "
        "settings, and so does the list of IP addresses that may call; this server's must be on it."
    ),
)


def capabilities(options: Mapping[str, Any]) -> Capabilities:
    """Return what can be asked: there is no list of waybills, and a cloud function reads one at a time."""
    batch = 0 if options.get("route") == "cloud" else BATCH
    return Capabilities(get_order=True, list_orders=False, get_orders=batch, list_reasons=False)
