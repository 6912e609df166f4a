"""Every shape the operators write becomes the same order; what cannot be read is left out, never made up."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from providers.contract import Status
from providers.sellercenter.envelope import children
from providers.sellercenter.reading import fold_statuses, read_items, read_order, read_time

ITEM = {"OrderItemId": 7, "OrderId": "5", "Status": "pending", "PaidPrice": "499.90", "Currency": "CLP"}


@pytest.mark.parametrize(
    "node",
    [{"Order": {"a": 1}}, {"Order": [{"a": 1}]}, [{"a": 1}], [{"Order": {"a": 1}}], {"Order": [{"Order": {"a": 1}}]}],
)
def test_one_child_reads_the_same_in_every_shape(node):
    assert children(node, "Order") == [{"a": 1}]


@pytest.mark.parametrize("node", [None, "", {}, [], {"Order": ""}, {"Order": []}, {"Order": None}, [[[[[{"a": 1}]]]]]])
def test_an_empty_or_bottomless_container_holds_nothing(node):
    assert children(node, "Order") == []


@pytest.mark.parametrize(
    "statuses",
    [{"Status": ["pending", "canceled"]}, [{"Status": "pending"}, {"Status": "canceled"}], ["pending", "canceled"]],
)
def test_an_order_without_items_goes_by_its_statuses(statuses):
    order = read_order({"OrderId": "5", "Statuses": statuses}, [])
    assert (order.status, order.status_text) == (Status.OPEN, "pending, canceled")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["pending", "canceled"], Status.OPEN),
        (["ready_to_ship", "shipped"], Status.OPEN),
        (["canceled", "canceled"], Status.CANCELLED),
        (["canceled", "shipped", "delivered"], Status.SHIPPED),
        (["canceled", "delivered"], Status.CLOSED),
        (["canceled", "teleported"], Status.UNKNOWN),
        ([], Status.UNKNOWN),
    ],
)
def test_an_order_is_what_its_items_are_together(words, status):
    assert fold_statuses(words) is status


@pytest.mark.parametrize(
    ("word", "shipping", "cancellable"),
    [
        ("pending", "Dropshipping", True),
        ("pending", "Own Warehouse", False),
        ("pending", "Fulfillment", False),
        ("ready_to_ship", "Dropshipping", False),
        ("shipped", "", False),
        ("canceled", "", False),
        ("returned", "", False),
        ("teleported", "", None),
    ],
)
def test_an_item_says_whether_it_can_be_cancelled_and_why_not(word, shipping, cancellable):
    standing = read_order({"OrderId": "5"}, [{**ITEM, "Status": word, "ShippingType": shipping}]).items[0].standing
    assert standing.cancellable is cancellable
    assert bool(standing.why) is (cancellable is not True)


def test_an_unknown_status_is_shown_as_given_and_claimed_to_be_nothing():
    item = read_order({"OrderId": "5"}, [{**ITEM, "Status": "teleported"}]).items[0]
    assert (item.status, item.status_text) == (Status.UNKNOWN, "teleported")


def test_every_id_a_person_may_type_is_a_key():
    row = {**ITEM, "Sku": "A-1", "ShopSku": "99", "TrackingCode": "MFA1", "PackageId": "P1"}
    order = read_order({"OrderId": 5, "OrderNumber": "3001"}, [row])
    assert order.ref == {"order_id": "5"}
    assert set(order.keys) == {
        ("id", "5"), ("number", "3001"), ("item", "7"), ("sku", "A-1"), ("sku", "99"), ("waybill", "MFA1"),
        ("other", "P1"),
    }  # fmt: skip


def test_a_bare_record_is_read_without_a_fault():
    order = read_order({"OrderId": "5", "Price": None, "CreatedAt": {}, "AddressShipping": ""}, [{"OrderItemId": "7"}])
    assert (order.amount, order.placed_at, order.buyer.name, order.number) == (None, None, "", "5")
    assert order.items[0].status is Status.UNKNOWN


@pytest.mark.parametrize("price", ["NaN", "Infinity", "1e99", "twelve", "", None, [], {}, "1,5"])
def test_money_that_is_no_number_is_no_money(price):
    assert read_order({"OrderId": "5", "Price": price}, []).amount is None


def test_money_is_exact():
    assert read_order({"OrderId": "5", "Price": "499.90"}, [ITEM]).items[0].amount == Decimal("499.90")


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2025-03-21 13:16:33", timezone(timedelta(hours=-3)), datetime(2025, 3, 21, 16, 16, 33, tzinfo=UTC)),
        ("2025-03-21 13:16:33", None, datetime(2025, 3, 21, 13, 16, 33, tzinfo=UTC)),
        ("2015-07-01T11:11:11+0000", None, datetime(2015, 7, 1, 11, 11, 11, tzinfo=UTC)),
        ("2025-04-03T19:51:00.348Z", None, datetime(2025, 4, 3, 19, 51, 0, 348_000, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None, None),
        ("0001-01-01T00:00:00+14:00", None, None),
        ("yesterday", None, None),
    ],
)
def test_times_are_aware_utc_or_nothing(text, zone, moment):
    assert read_time(text, zone) == moment


def test_text_a_database_cannot_hold_is_made_harmless():
    order = read_order({"OrderId": "5", "CustomerFirstName": "A\x00\ud800B"}, [])
    assert order.buyer.name == "A?B"


def test_an_item_given_twice_is_one_item():
    assert len(read_items({"OrderItems": {"OrderItem": [ITEM, ITEM, {**ITEM, "OrderItemId": "8"}]}})) == 2
