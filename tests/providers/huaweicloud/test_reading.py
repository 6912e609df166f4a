"""An order is read into our words, whatever its fields are, and what cannot be read is not invented."""

from decimal import Decimal

import pytest

from providers.contract import Cancel, OrderQuery, Status
from providers.errors import (
    AuthFailed,
    Cause,
    Rejected,
)
from providers.huaweicloud import PROVIDER, advice
from providers.huaweicloud.reading import CAN, IS_PAID, NOT_PENDING
from providers.huaweicloud.sandbox import SANDBOX
from providers.huaweicloud.seeding import OURS, THEIRS

from .conftest import as_json, failing, is_cancelled


def test_an_order_is_read_with_everything_people_ask_for(shop, world, order_id):
    document = world.get(order_id)
    document["info"] |= {"amount_after_discount": 0.1, "user_name": "李静", "create_time": "2026-03-01T10:00:00Z"}
    document["info"]["pending_payment_end_time"] = "2026-03-08T10:00:00Z"
    world.put(order_id, document)
    order = shop()[0].get_order({"order_id": order_id})
    assert order.ref == {"order_id": order_id}
    assert (order.status, order.status_text, order.standing) == (Status.OPEN, "pending payment (6)", CAN)
    assert order.amount == Decimal("0.1")
    assert order.currency in ("USD", "EUR")
    assert order.placed_at.isoformat() == "2026-03-01T10:00:00+00:00"
    assert order.buyer.name == "李静"
    assert ("To be paid by", "2026-03-08 10:00 UTC") in order.facts
    [item] = order.items
    line = document["lines"][0]
    assert (item.ref, item.sku, item.quantity) == (
        line["order_line_item_id"],
        line["product_id"],
        line["subscription_num"],
    )
    assert {("id", order_id), ("item", item.ref), ("sku", item.sku)} <= set(order.keys)
    assert "李静" not in str(order.facts)


@pytest.mark.parametrize(
    ("raw", "status", "text", "standing"),
    [
        (1, Status.OPEN, "pending approval (1)", NOT_PENDING),
        (2, Status.OPEN, "pending refund (2)", NOT_PENDING),
        (3, Status.OPEN, "processing (3)", IS_PAID),
        (4, Status.CANCELLED, "cancelled (4)", None),
        ("4", Status.CANCELLED, "cancelled (4)", None),
        (5, Status.CLOSED, "completed (5)", IS_PAID),
        (9, Status.OPEN, "pending confirmation (9)", NOT_PENDING),
        (10, Status.OPEN, "awaiting shipment (10)", NOT_PENDING),
        (11, Status.SHIPPED, "awaiting receipt (11)", NOT_PENDING),
        (12, Status.OPEN, "awaiting door-step pick-up (12)", NOT_PENDING),
        (13, Status.OPEN, "replacement in progress (13)", NOT_PENDING),
        (77, Status.UNKNOWN, "unknown (77)", None),
        ("paid", Status.UNKNOWN, "unknown (paid)", None),
        (4.0, Status.UNKNOWN, "unknown (4.0)", None),
        (True, Status.UNKNOWN, "unknown ()", None),
        (None, Status.UNKNOWN, "", None),
        ([4], Status.UNKNOWN, "unknown ()", None),
    ],
)
def test_a_status_is_told_in_our_word_and_theirs(dictated, raw, status, text, standing):
    client, _, _ = dictated(as_json(200, {"order_info": {"order_id": "CS1", "status": raw}}))
    order = client.get_order({"order_id": "CS1"})
    assert (order.status, order.status_text) == (status, text)
    assert order.standing.cancellable is not True
    assert order.standing.why
    assert standing is None or order.standing is standing


@pytest.mark.parametrize("odd", [None, "", [], {}, "soon", -1, 0, True, 10**30, "9999-99-99T99:99:99Z", "\ud800\x00"])
def test_an_order_whose_every_other_field_is_odd_can_be_read(dictated, odd):
    names = (
        "amount_after_discount", "official_amount", "create_time", "payment_time", "pending_payment_end_time",
        "currency", "contract_id", "sub_order_infos", "amount_info", "user_name", "service_type_name", "order_type",
        "customer_id",
    )  # fmt: skip
    info = {"order_id": "CS1", "status": 4, **dict.fromkeys(names, odd)}
    lines = [odd, dict.fromkeys(("order_line_item_id", "product_id", "subscription_num", "amount_after_discount"), odd)]
    value = {"total_count": odd, "order_info": info, "order_line_items": lines}
    client, _, _ = dictated(as_json(200, value))
    order = client.get_order({"order_id": "CS1"})
    assert order.status is Status.CANCELLED
    assert order.placed_at is None
    assert order.amount is None or abs(order.amount) < 2
    str(order).encode()
    assert "\x00" not in str([order.buyer, order.facts, order.keys])


def test_money_is_never_a_float(dictated):
    body = b'{"order_info": {"order_id": "CS1", "status": 4, "amount_after_discount": 1234.50}}'
    client, _, _ = dictated((200, {"content-type": "application/json"}, body))
    assert str(client.get_order({"order_id": "CS1"}).amount) == "1234.50"


@pytest.mark.parametrize("number", [b"1e999999", b"1e99999999", b"1E-99999999", b"-1e400"])
def test_a_price_no_price_can_be_is_left_out(dictated, number):
    body = b'{"order_info": {"order_id": "CS1", "status": 4, "amount_after_discount": ' + number + b"}}"
    client, _, _ = dictated((200, {"content-type": "application/json"}, body))
    assert client.get_order({"order_id": "CS1"}).amount is None


@pytest.mark.parametrize("mode", ["error", "empty"])
def test_an_order_that_does_not_exist_is_refused(shop, world, mode):
    world.switches["unknown_order"] = mode
    client, _ = shop()
    with pytest.raises(Rejected) as caught:
        client.get_order({"order_id": "CS404"})
    assert caught.value.code in ("CBC.0100", "not-found")
    assert client.get_orders([{"order_id": "CS404"}]) == ()


def test_an_order_of_another_account_is_that_orders_matter_not_the_shops(shop, world):
    theirs = next(key for key, document in world.all() if document["info"]["customer_id"] == THEIRS)
    client, _ = shop()
    for call in (lambda: client.get_order({"order_id": theirs}), lambda: client.cancel(Cancel({"order_id": theirs}))):
        with pytest.raises(Rejected) as caught:
            call()
        assert caught.value.advice is advice.FOREIGN


@pytest.mark.parametrize("denied", ["view", "update"])
def test_a_lacking_permission_is_the_shops_matter(shop, world, order_id, denied):
    world.switches["denied"] = denied
    client, _ = shop()
    with pytest.raises(AuthFailed) as caught:
        client.cancel(Cancel({"order_id": order_id})) if denied == "update" else client.get_order(
            {"order_id": order_id}
        )
    assert caught.value.cause is Cause.PERMISSION
    assert "permission" in caught.value.advice.admin
    assert not is_cancelled(world, order_id)


def test_a_denial_that_names_no_permission_is_the_shops_if_the_order_can_be_read(dictated):
    details = as_json(200, {"order_info": {"order_id": "CS1", "status": 6}})
    client, _, transport = dictated(failing(403, "CBC.0151", "Access denied."), details)
    with pytest.raises(AuthFailed):
        client.cancel(Cancel({"order_id": "CS1"}))
    assert [request.method for request in transport.requests] == ["PUT", "GET"]


def test_a_denial_that_names_the_permission_needs_no_further_look(dictated):
    denied = failing(403, "CBC.0151", "user access denied,correct permission code is bss:order:update")
    client, _, transport = dictated(denied, failing(400, "CBC.0100"))
    with pytest.raises(AuthFailed):
        client.cancel(Cancel({"order_id": "CS1"}))
    assert len(transport.requests) == 1


def test_several_orders_are_read_and_the_missing_left_out(shop, order_ids):
    wanted = order_ids(6)[:3]
    client, _ = shop()
    found = client.get_orders([{"order_id": one} for one in (*wanted, "CS404")])
    assert [order.number for order in found] == wanted
    assert PROVIDER.capabilities({}).get_orders == 0


def test_more_line_items_than_one_page_are_counted(dictated):
    lines = [{"order_line_item_id": str(number)} for number in range(100)]
    value = {"total_count": 230, "order_info": {"order_id": "CS1", "status": 4}, "order_line_items": lines}
    client, _, _ = dictated(as_json(200, value))
    assert ("Line items in all", "230") in client.get_order({"order_id": "CS1"}).facts


def test_there_are_no_reasons_and_no_choices(shop):
    client, wire = shop()
    assert (client.list_reasons(), client.choices("order_id"), wire.exchanges) == ((), (), [])


def test_seeding_is_quick_and_the_same_every_time(world, clock):
    again = type(world)("huaweicloud", now=clock)
    SANDBOX.seed(again, 60)
    assert list(again.all()) == list(world.all())
    assert {document["info"]["customer_id"] for _, document in world.all()} == {OURS, THEIRS}
    rows = list(SANDBOX.rows(world))
    assert len(rows) == world.count() - 1
    assert all(row["order_id"] and row["placed_at"] and row["status"] for row in rows)


def test_rows_of_a_list_that_say_not_which_order_they_are_are_passed_over(dictated):
    rows = [None, 7, "CS1", [], {}, {"order_id": None}, {"order_id": "CS1", "status": "?"}]
    client, _, _ = dictated(as_json(200, {"total_count": "many", "order_infos": rows}))
    page = client.list_orders(OrderQuery())
    assert [order.number for order in page.orders] == ["CS1"]
