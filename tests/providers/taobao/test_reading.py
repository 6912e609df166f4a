"""Orders as they are read and listed."""

import json
from datetime import timedelta

import pytest

from providers.contract import Cancel, OrderQuery, Status
from providers.errors import Cause, Unreachable
from providers.taobao import PROVIDER
from providers.taobao.leaves import time_of
from providers.taobao.sandbox import SANDBOX
from providers.world import SandboxTransport, World
from tests.providers.taobao.shop import (
    NOW,
    open_client,
    refs,
)


def test_capabilities_follow_the_switches():
    can = PROVIDER.capabilities({"detail": True, "list": False})
    assert (can.get_order, can.list_orders, can.get_orders, can.list_reasons) == (True, False, 0, False)
    can = PROVIDER.capabilities({"detail": False, "list": True})
    assert (can.get_order, can.list_orders) == (False, True)


def test_what_is_switched_off_is_not_asked(shop):
    client, wire = shop(detail=False, list=False)
    for call in (lambda: client.get_order({"biz_order_id": "1", "buyer_id": "2"}),
                 lambda: client.list_orders(OrderQuery())):  # fmt: skip
        with pytest.raises(Unreachable) as caught:
            call()
        assert caught.value.cause is Cause.SETTINGS
    assert not wire.exchanges
    assert (client.list_reasons(), client.choices("buyer_id")) == ((), ())


@pytest.mark.parametrize(
    "mode", [{"format": "json"}, {"simplify": True}, {"format": "xml"}], ids=["json", "slim", "xml"]
)
def test_every_order_is_read_as_what_it_is(world, shop, mode):
    client, _wire = shop(**mode)
    for key, document in world.all():
        ref = {"biz_order_id": key, "buyer_id": str(document["buyer_id"])}
        order = client.get_order(ref)
        assert (order.ref, order.number, order.status) == (ref, key, SANDBOX.truth(document))
        assert order.standing.cancellable is (False if order.status is Status.CANCELLED else None)
        assert order.standing.why
        assert len(order.items) == len(document["subs"])
        assert {item.name for item in order.items} == {sub["item_name"] for sub in document["subs"]}
        assert all(item.quantity == sub["buy_amount"] for item, sub in zip(order.items, document["subs"], strict=True))
        assert order.placed_at
        assert order.placed_at.utcoffset() == timedelta(0)
        assert ("id", key) in order.keys
        assert ("number", document["out_order_id"]) in order.keys
        assert {("item", sub["biz_order_id"]) for sub in document["subs"]} <= set(order.keys)
        assert bool(order.traces) == bool(document["parcel"])
        if document["parcel"]:
            assert ("waybill", document["parcel"]["mail_no"]) in order.keys
        assert order.amount is None, "the unit of money is not documented"


def listed(client, since):
    """Walk the whole list; return the orders met and how many pages it took."""
    found, cursor = {}, ""
    for pages in range(1, 400):
        page = client.list_orders(OrderQuery(since=since, cursor=cursor))
        found |= {order.number: order for order in page.orders}
        cursor = page.cursor
        if not cursor:
            return found, pages
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_first_walk_lists_every_order_though_answers_are_cut_short(shop, form):
    world = World("taobao", now=lambda: NOW)
    SANDBOX.seed(world, 400)
    client, _wire = open_client(SandboxTransport(world, SANDBOX.respond), list=True, format=form)
    found, _pages = listed(client, None)
    assert set(found) == {key for key, _document in world.all()}
    assert all(found[key].status is SANDBOX.truth(document) for key, document in world.all())
    assert all(found[key].ref["buyer_id"] == str(document["buyer_id"]) for key, document in world.all())


def test_a_later_walk_finds_what_was_made_paid_or_ended_since(world, shop):
    client, _wire = shop()
    since = NOW - timedelta(days=2)
    old = next(ref for ref in refs(world, "PAID") if client.get_order(ref).placed_at < since - timedelta(days=5))
    before, _pages = listed(client, since)
    assert old["biz_order_id"] not in before
    client.cancel(Cancel(old))
    after, pages = listed(client, since)
    assert after[old["biz_order_id"]].status is Status.CANCELLED
    made = {key for key, document in world.all() if time_of(document["create_time"]) >= since}
    assert made
    assert made <= set(after)
    assert pages < 12


def test_a_cursor_that_is_not_ours_begins_anew(shop):
    client, _wire = shop()
    for cursor in ("nonsense", "create_time|x|1|", "other|1|1|1", "create_time|1|0|"):
        assert (
            client.list_orders(OrderQuery(since=NOW, cursor=cursor)).cursor
            == client.list_orders(OrderQuery(since=NOW)).cursor
        )


def detail_of(*subs, **more):
    item = {"sub_order_details": {"sub_order_detail_item": list(subs)}, **more}
    tree = {"pc_order_detail_response": {"result": {"success": True, "order_detail_item": item}}}
    return 200, json.dumps(tree).encode(), {"content-type": "application/json"}


def sub(pay, logistics, **more):
    return {"biz_order_id": "7", "pay_status": pay, "logistics_status": logistics, **more}


@pytest.mark.parametrize(
    ("subs", "status"),
    [
        ([sub(1, 8)], Status.OPEN),
        ([sub(2, 1)], Status.OPEN),
        ([sub("2", "9")], Status.OPEN),
        ([sub(7, 1)], Status.OPEN),
        ([sub(9, 8)], Status.OPEN),
        ([sub(8, 8)], Status.CANCELLED),
        ([sub(4, 1)], Status.CANCELLED),
        ([sub(4, None)], Status.CANCELLED),
        ([sub(4, 4)], Status.CLOSED),
        ([sub(4, 2)], Status.CLOSED),
        ([sub(6, 3)], Status.CLOSED),
        *(([sub(2, logistics)], Status.SHIPPED) for logistics in (2, 3, 5, 6)),
        ([sub(8, 8), sub(2, 1)], Status.OPEN),
        ([sub(8, 8), sub(2, 2)], Status.SHIPPED),
        ([sub(8, 8), sub(6, 3)], Status.CLOSED),
        ([sub(8, 8), sub(None, None)], Status.UNKNOWN),
        ([sub(3, 1)], Status.UNKNOWN),
        ([sub(2, 7)], Status.UNKNOWN),
        ([sub(2, None)], Status.UNKNOWN),
        ([sub("paid", "odd")], Status.UNKNOWN),
        ([sub(True, True)], Status.UNKNOWN),
        ([], Status.UNKNOWN),
        ([sub(8, 8, parent_id="7"), sub(2, 1, biz_order_id="8", parent_id="9")], Status.CANCELLED),
    ],
)
def test_states_are_read_only_as_far_as_the_numbers_bear(dictated, subs, status):
    order = dictated(detail_of(*subs), detail=True).get_order({"biz_order_id": "7", "buyer_id": "1"})
    assert order.status is status


@pytest.mark.parametrize("odd", [None, "", [], {}, 0, -1, 1.5, True, "\x00", "\ud800", "9" * 400, {"a": {"b": [1]}}])
def test_odd_fields_of_an_order_become_nothing(dictated, odd):
    fields = (
        *("parent_id", "tp_order_id", "out_order_id", "item_id", "item_name", "sku_id", "sku_property", "buy_amount"),
        *("create_time", "pay_time", "end_time", "logistics", "pay_status", "logistics_status"),
    )
    row = {**dict.fromkeys(fields, odd), "biz_order_id": "7"}
    order = dictated(detail_of(row, pay_info=odd, logistics=odd), detail=True).get_order(
        {"biz_order_id": "7", "buyer_id": "1"}
    )
    assert order.status is Status.UNKNOWN
    assert (order.placed_at, order.updated_at) == (None, None)
    told = json.dumps([order.keys, order.facts, order.status_text, order.items[0].name], ensure_ascii=False)
    assert "\\u0000" not in told
    assert told.encode()


def test_an_order_of_another_number_is_no_reading_of_ours(dictated):
    for row in ({"biz_order_id": "8"}, {"biz_order_id": "8", "parent_id": "9"}, {"biz_order_id": 71, "parent_id": 0}):
        with pytest.raises(Unreachable):
            dictated(detail_of({**row, "pay_status": 8}), detail=True).get_order({"biz_order_id": "7", "buyer_id": "1"})
