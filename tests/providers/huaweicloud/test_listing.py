"""The list loses nothing and ends: pages, windows, and what the platform may change between two pages."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs

import pytest

from providers.contract import OrderQuery
from providers.errors import Rejected
from providers.huaweicloud.seeding import OURS

from .conftest import NOW, as_json


def walk(client, most=500, **query):
    """Return every order's number, page by page."""
    numbers, cursor = [], ""
    for _ in range(most):
        page = client.list_orders(OrderQuery(cursor=cursor, **query))
        numbers += [order.number for order in page.orders]
        cursor = page.cursor
        if not cursor:
            return numbers
    raise AssertionError("the list does not end")


def listed(world):
    return {
        key: document["info"]
        for key, document in world.all()
        if not document["parent"] and document["info"]["customer_id"] == OURS
    }


@pytest.mark.parametrize("limit", [1, 7, 32, 100, 5000])
def test_all_orders_are_listed_once_whatever_the_pages_size(any_shop, world, limit):
    client, _ = any_shop()
    numbers = walk(client, limit=limit)
    assert sorted(numbers) == sorted(listed(world))


@pytest.mark.parametrize("days", [0.01, 1, 20, 59, 400, 1000])
def test_what_was_placed_or_paid_since_is_listed_and_older_orders_are_not(shop, world, days):
    since = NOW - timedelta(days=days)
    client, _ = shop()
    numbers = walk(client, since=since, limit=13)
    grace = since - timedelta(minutes=1)
    expected = {
        key
        for key, info in listed(world).items()
        if any(at and datetime.fromisoformat(at) >= grace for at in (info["create_time"], info["payment_time"]))
    }
    assert set(numbers) == expected


def test_an_old_order_that_is_paid_now_is_listed_as_changed(shop, world):
    order_id, info = next((key, info) for key, info in listed(world).items() if info["status"] == 6)
    document = world.get(order_id)
    document["info"] |= {
        "status": 3,
        "create_time": "2025-01-01T00:00:00Z",
        "payment_time": (NOW - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    world.put(order_id, document)
    assert info["status"] == 6
    assert order_id in walk(shop()[0], since=NOW - timedelta(minutes=10))


def test_no_window_is_longer_than_a_year_and_no_parameter_empty(dictated):
    client, _, transport = dictated(as_json(200, {"total_count": 0, "order_infos": []}))
    walk(client, since=NOW - timedelta(days=1000))
    assert len(transport.requests) == 6
    for request in transport.requests:
        query = parse_qs(request.url.query.decode(), keep_blank_values=True, strict_parsing=True)
        assert "" not in {value for values in query.values() for value in values}
        name = "create_time" if "create_time_begin" in query else "payment_time"
        begin, end = (datetime.fromisoformat(query[f"{name}_{side}"][0]) for side in ("begin", "end"))
        assert timedelta(0) < end - begin <= timedelta(days=365)


def test_a_new_order_between_two_pages_shifts_nothing(shop, world, clock):
    client, _ = shop()
    first = client.list_orders(OrderQuery(limit=10))
    key, document = next(iter(world.all()))
    clock.wind(minutes=1)
    document["info"] |= {"order_id": "CSNEW", "create_time": clock().strftime("%Y-%m-%dT%H:%M:%SZ")}
    world.put("CSNEW", document)
    rest = walk_from(client, first)
    assert len(rest) == len(set(rest))
    assert set(rest) >= set(listed(world)) - {"CSNEW"}
    assert key in rest


def walk_from(client, first):
    numbers, page = [order.number for order in first.orders], first
    while page.cursor:
        page = client.list_orders(OrderQuery(cursor=page.cursor, limit=10))
        numbers += [order.number for order in page.orders]
    return numbers


@pytest.mark.parametrize("total", [0, 1, 10**6, None, "many", -5])
def test_a_total_that_is_wrong_neither_loses_orders_nor_goes_on_for_ever(shop, world, total):
    world.switches["total"] = total
    numbers = walk(shop()[0], limit=1)
    assert sorted(numbers) == sorted(listed(world))


def test_a_page_shorter_than_asked_for_is_not_the_last_while_the_total_says_so(dictated):
    pages = [["CS1", "CS2"], ["CS3"]]
    answers = [as_json(200, {"total_count": 3, "order_infos": [{"order_id": one} for one in page]}) for page in pages]
    client, _, transport = dictated(*answers)
    assert walk(client, limit=10) == ["CS1", "CS2", "CS3"]
    assert [parse_qs(request.url.query.decode())["offset"] for request in transport.requests] == [["0"], ["2"]]


def test_the_total_is_told_only_where_it_is_that_of_the_whole_list(shop, world):
    client, _ = shop()
    assert client.list_orders(OrderQuery()).total == len(listed(world))
    assert client.list_orders(OrderQuery(since=NOW)).total is None


@pytest.mark.parametrize(
    "cursor", ["x", "created~soon~now~0", "all~2026-01-01T00:00:00Z~2026-01-01T00:00:00Z~-1", "a~b~c~d~e", "~~~"]
)
def test_a_cursor_that_is_none_of_ours_is_refused_before_anything_is_sent(shop, cursor):
    client, wire = shop()
    with pytest.raises(Rejected):
        client.list_orders(OrderQuery(cursor=cursor))
    assert wire.exchanges == []


def test_orders_that_tell_next_to_nothing_are_listed(shop, world):
    world.switches["bare"] = True
    assert sorted(walk(shop()[0])) == sorted(listed(world))
