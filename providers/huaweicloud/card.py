"""Huawei Cloud described as data.

Source: "Canceling Orders in the Pending Payment Status" (updated 2023-11-02), "Querying Orders",
"Obtaining a User Token Through Password Authentication".
"""

from collections.abc import Mapping
from typing import Any

from providers.contract import Capabilities, Card, Field
from providers.errors import gettext_noop

# One name per region instead of a whole domain, for buckets and other tenants' services live in the same one.
_REGIONS = (
    "af-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "cn-east-2", "cn-east-3",
    "cn-north-1", "cn-north-4", "cn-north-9", "cn-south-1", "cn-southwest-2", "la-north-2", "la-south-2",
    "na-mexico-1", "sa-brazil-1", "tr-west-1",
)  # fmt: skip

CARD = Card(
    slug="huaweicloud",
    name=gettext_noop("Huawei Cloud"),
    unit="order",
    base_url="https://bss-intl.myhuaweicloud.com",
    hosts=(
        "bss-intl.myhuaweicloud.com",
        "bss.myhuaweicloud.com",
        "bss.myhuaweicloud.eu",
        "iam.myhuaweicloud.com",
        "iam.eu-west-101.myhuaweicloud.com",
        "iam.eu-west-101.myhuaweicloud.eu",
        *(f"iam.{region}.myhuaweicloud.com" for region in _REGIONS),
    ),
    options=(
        Field(
            "auth",
            gettext_noop("Sign in with"),
            gettext_noop("Huawei Cloud advises an access key; a token needs the password of an IAM user."),
            kind="choice",
            default="aksk",
            choices=(("aksk", gettext_noop("Access key (AK/SK)")), ("token", gettext_noop("User token"))),
        ),
        Field(
            "iam_url",
            gettext_noop("IAM address"),
            gettext_noop("Where tokens are issued; it must belong to the same site as the base URL."),
            kind="url",
            default="https://iam.myhuaweicloud.com",
            when=("auth", "token"),
        ),
    ),
    credential=(
        Field(
            "access_key",
            gettext_noop("Access key ID"),
            gettext_noop("From My Credentials, Access Keys, of the customer's own account, not a partner's."),
            when=("auth", "aksk"),
        ),
        Field(
            "secret_key",
            gettext_noop("Secret access key"),
            gettext_noop("Shown by Huawei Cloud only once, when the access key is made."),
            kind="secret",
            when=("auth", "aksk"),
        ),
        Field(
            "domain_name",
            gettext_noop("Account name"),
            gettext_noop("The account the IAM user belongs to; My Credentials shows it."),
            when=("auth", "token"),
        ),
        Field(
            "user_name",
            gettext_noop("IAM user name"),
            gettext_noop("A HUAWEI ID cannot fetch tokens; make an IAM user for this."),
            when=("auth", "token"),
        ),
        Field(
            "password",
            gettext_noop("IAM user's password"),
            gettext_noop("That of the IAM user. Five wrong ones lock the user out for a while."),
            kind="secret",
            when=("auth", "token"),
        ),
        Field(
            "project_name",
            gettext_noop("Project name"),
            gettext_noop("Leave empty: orders belong to the whole account. Fill in only to fetch project tokens."),
            required=False,
            when=("auth", "token"),
        ),
    ),
    lookup=(
        Field(
            "order_id",
            gettext_noop("Order ID"),
            gettext_noop("As My Orders in the Billing Center shows it, such as CS170926155954NO7."),
            max_length=64,
        ),
    ),
    reason="none",
    # Not "name": that word also stands for products and projects, which are evidence.
    private=frozenset({"user_name", "email", "phone", "mobile", "address"}),
    consequences=(
        gettext_noop("The whole order is cancelled, and every order it is made of; it can only be placed anew."),
        gettext_noop("Only an order that awaits payment can be cancelled, so there is nothing to refund."),
        gettext_noop("Huawei Cloud takes no reason: yours is kept here and not sent."),
        gettext_noop("Huawei Cloud does not document what becomes of coupons set aside for the order."),
    ),
    settle_seconds=900,
    # Documented per interface: 10 a second, 20 for the list. Assumed: cancelling has the smaller one.
    calls_per_second=5.0,
    home=gettext_noop("Huawei Cloud console, My Credentials, Access Keys; permissions under IAM."),
)


def capabilities(options: Mapping[str, Any]) -> Capabilities:
    """Return what can be asked: the same for every way of signing in."""
    return Capabilities(get_order=True, list_orders=True, get_orders=0, list_reasons=False)
