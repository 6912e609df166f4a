"""Shoplazza described as data."""

from providers.contract import Card, Field
from providers.errors import gettext_noop

# Every part of an address, a person or a way to one. Ids of orders, items and parcels are evidence and stay.
_PRIVATE = frozenset(
    {
        "address", "address1", "address2", "area", "browser_ip", "checkout_url", "city", "client_ip", "company",
        "custom_properties", "customer_note", "email", "extra_info", "first_name", "invoice_url", "landing_site",
        "last_name", "latitude", "longitude", "merchant_email", "name", "note", "phone", "phone_area_code",
        "properties", "province", "province_code", "refer_info", "value", "zip",
    }
)  # fmt: skip

CARD = Card(
    slug="shoplazza",
    name="Shoplazza",
    unit="order",
    # A form to be filled in, not an address: the client refuses to send a token there.
    base_url="https://your-shop.myshoplaza.com",
    hosts=(".myshoplaza.com", ".myshoplazza.com"),
    options=(
        Field(
            name="api_version",
            label=gettext_noop("API version"),
            help=gettext_noop("Year and month as they stand in the API's address. Keep 2022-01 unless told otherwise."),
            default="2022-01",
            required=False,
            max_length=7,
        ),
    ),
    credential=(
        Field(
            name="access_token",
            label=gettext_noop("Access token"),
            help=gettext_noop("The token of a private app of this store, with the scopes read_order and write_order."),
            kind="secret",
        ),
    ),
    lookup=(
        Field(
            name="order_id",
            label=gettext_noop("Order ID"),
            help=gettext_noop("Such as 633130-00000004. To look an order up, its order number will do as well."),
        ),
    ),
    reason="text",
    reason_defaults={
        "customer_request": "Customer asked to cancel",
        "out_of_stock": "Item out of stock",
        "wrong_address": "Wrong delivery address",
        "duplicate_order": "Duplicate order",
        "payment_problem": "Problem with the payment",
        "price_error": "Wrong price",
        "fraud_suspected": "Suspected fraud",
        "undeliverable": "Cannot be delivered to this address",
        "other": "Cancelled by customer service",
    },
    private=_PRIVATE,
    consequences=(
        gettext_noop("The whole order becomes cancelled, and the reason is kept with it."),
        gettext_noop("No refund is promised: refund the buyer in the store's admin where one is due."),
        gettext_noop("A parcel already handed over is not stopped, and stock may have to be put back by hand."),
    ),
    calls_per_second=2.0,
    home=gettext_noop(
        "In the store's admin, create a private app with the scopes read_order and write_order, copy its access "
        "token, and enter the store's own address as the base URL."
    ),
)
