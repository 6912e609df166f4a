"""An order is read whatever its fields hold, and nothing is claimed that was not told."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from providers.contract import Status
from providers.shoplazza.reading import moment, money, order_of, standing_of, status_of
from providers.shoplazza.sandbox import SANDBOX
from providers.world import World

ODD = (None, "", " ", "x\x00y", "\ud800", 0, -1, True, Decimal("1.5"), Decimal("1E+99999"), [], [None], [[]], [{}], {},
       {"id": {}}, [{"id": [], "quantity": "many", "price": "dear"}], "9" * 400, 10**30)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2014-04-25T16:15:47Z", "2014-04-25T16:15:47+00:00"),
        ("2014-04-25T16:15:47.123Z", "2014-04-25T16:15:47.123000+00:00"),
        ("2018-10-31T13:02:19-04:00", "2018-10-31T17:02:19+00:00"),
        ("2018-10-31 13:02:19 -0400", "2018-10-31T17:02:19+00:00"),
        ("2018-10-31 13:02:19", "2018-10-31T13:02:19+00:00"),
        ("2018-10-31 13:02:19 UTC", "2018-10-31T13:02:19+00:00"),
        ("2018-10-31", "2018-10-31T00:00:00+00:00"),
    ],
)
def test_a_time_is_read_in_every_form_seen(text, expected):
    assert moment(text) == datetime.fromisoformat(expected)
    assert moment(text).tzinfo is UTC


@pytest.mark.parametrize(
    "odd", ["", "soon", "2018-13-31T00:00:00Z", "0001-01-01T00:00:00+23:59", 1540990939, None, [], {}]
)
def test_a_time_that_is_none_is_unknown(odd):
    assert moment(odd) is None


@pytest.mark.parametrize(
    ("value", "amount"),
    [("9.99", "9.99"), (" 9.99 ", "9.99"), ("0.00", "0.00"), ("-5", "-5"), (7, "7"), (Decimal("7.10"), "7.10")],
)
def test_money_is_exact_as_text_or_number(value, amount):
    assert money(value) == Decimal(amount)


@pytest.mark.parametrize("odd", [None, "", "free", "NaN", "Infinity", "1E+50", "1E-50", True, [], {}, "9" * 40])
def test_money_that_is_none_is_unknown(odd):
    assert money(odd) is None


def test_facts_say_their_currency_and_their_time_as_people_read_them():
    order = {"id": "1", "currency": "USD", "total_paid": "12.50", "canceled_at": "2018-10-31T13:02:19-04:00"}
    assert order_of(order).facts == (("Paid", "12.50 USD"), ("Cancelled at", "2018-10-31 17:02 UTC"))
    assert order_of(order | {"currency": None, "canceled_at": "soon"}).facts == (
        ("Paid", "12.50"), ("Cancelled at", "soon"),
    )  # fmt: skip


def test_any_field_may_hold_anything():
    world = World("shoplazza", now=lambda: datetime(2026, 3, 4, tzinfo=UTC))
    SANDBOX.seed(world, 20)
    document = next(order for _, order in world.all() if order["fulfillments"])
    for key, odd in itertools.product([*document, "brand_new"], ODD):
        if key == "id":
            continue
        order = order_of({**document, key: odd})
        assert order.ref == {"order_id": document["id"]}
        assert all(kind and value for kind, value in order.keys)
        repr(order).encode()
    for part in ("customer", "shipping_address", "payment_line", "shipping_line"):
        for key, odd in itertools.product(document[part], ODD):
            repr(order_of({**document, part: {**document[part], key: odd}})).encode()
    for part in ("line_items", "fulfillments"):
        for key, odd in itertools.product(document[part][0], ODD):
            repr(order_of({**document, part: [{**document[part][0], key: odd}]})).encode()


@pytest.mark.parametrize(
    ("status", "shipping", "ours", "cancellable"),
    [
        ("opened", "initialled", Status.OPEN, True),
        ("placed", "waiting", Status.OPEN, True),
        ("placed", "partially_shipped", Status.OPEN, None),
        ("placed", "shipped", Status.SHIPPED, None),
        ("placed", "returned", Status.SHIPPED, None),
        ("placed", None, Status.OPEN, None),
        ("placed", "brand_new", Status.OPEN, None),
        ("finished", "finished", Status.CLOSED, False),
        ("cancelled", "partially_shipped", Status.CANCELLED, False),
        ("canceled", "waiting", Status.UNKNOWN, None),
        ("Placed", "waiting", Status.UNKNOWN, None),
        ("", "waiting", Status.UNKNOWN, None),
        (None, None, Status.UNKNOWN, None),
        (["cancelled"], "waiting", Status.UNKNOWN, None),
    ],
)
def test_a_state_is_claimed_only_as_far_as_it_is_documented(status, shipping, ours, cancellable):
    order = {"id": "1-2", "status": status, "fulfillment_status": shipping}
    assert status_of(order) is ours
    assert standing_of(order).cancellable is cancellable
    assert standing_of(order).why.endswith(".")


def test_a_time_of_cancelling_alone_says_nothing():
    order = {"id": "1-2", "status": "placed", "fulfillment_status": "waiting", "canceled_at": "2026-01-01T00:00:00Z"}
    assert status_of(order) is Status.OPEN


def test_an_abandoned_checkout_is_dated_by_its_beginning():
    order = order_of({"id": "1-2", "status": "opened", "placed_at": None, "created_at": "2026-01-01T00:00:00Z"})
    assert order.placed_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_two_parcels_are_two_waybills():
    parcels = [{"id": "F1", "tracking_number": "A1"}, {"id": "F2", "tracking_number": "B2"}]
    keys = order_of({"id": "1-2", "fulfillments": parcels}).keys
    assert [value for kind, value in keys if kind == "waybill"] == ["A1", "B2"]
