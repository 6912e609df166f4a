"""Combined orders: their parts are never cancelled alone, and the whole is named to whoever asks for a part."""

import pytest

from providers.contract import Cancel, OrderQuery
from providers.errors import Rejected
from providers.huaweicloud import advice
from providers.huaweicloud.reading import CAN, PART

from .conftest import as_json, failing, is_cancelled


def combined(world):
    whole = next(key for key, document in world.all() if document["info"]["sub_order_infos"])
    return whole, [part["order_id"] for part in world.get(whole)["info"]["sub_order_infos"]]


@pytest.mark.parametrize("part_filter", [True, False])
def test_a_part_of_a_combined_order_is_refused_and_the_combined_order_named(shop, world, part_filter):
    world.switches["part_filter"] = part_filter
    whole, parts = combined(world)
    client, _ = shop()
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": parts[1]}))
    assert caught.value.code == "CBC.99000089"
    assert caught.value.message.endswith(whole)
    assert caught.value.advice is advice.COMBINED_NAMED
    assert not any(is_cancelled(world, one) for one in (whole, *parts))


def test_a_part_whose_combined_order_cannot_be_found_is_refused_all_the_same(dictated):
    client, _, transport = dictated(failing(400, "CBC.99000089"), failing(500, "CBC.0999"))
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": "CS1"}))
    assert caught.value.advice is advice.COMBINED
    assert [request.method for request in transport.requests] == ["PUT", "GET"]


def test_cancelling_the_combined_order_cancels_its_parts(shop, world):
    whole, parts = combined(world)
    client, _ = shop()
    assert client.cancel(Cancel({"order_id": whole})).final
    assert all(is_cancelled(world, one) for one in (whole, *parts))


def test_a_part_is_shown_with_its_combined_order_and_cannot_be_cancelled_alone(shop, world):
    whole, parts = combined(world)
    client, _ = shop()
    order = client.get_order({"order_id": parts[0]})
    assert order.standing is PART
    assert ("Part of the combined order", whole) in order.facts
    assert ("other", whole) in order.keys


def test_a_combined_order_is_found_by_the_numbers_of_its_parts(shop, world):
    whole, parts = combined(world)
    client, _ = shop()
    for order in (client.get_order({"order_id": whole}), *client.list_orders(OrderQuery()).orders):
        if order.number == whole:
            assert order.standing is CAN
            assert {("other", part) for part in parts} <= set(order.keys)
            assert ("Combines the orders", ", ".join(parts)) in order.facts


def test_an_order_is_shown_though_its_combined_order_cannot_be_asked_for(dictated):
    details = as_json(200, {"order_info": {"order_id": "CS1", "status": 6}})
    client, _, _ = dictated(details, failing(500, "CBC.0999"))
    assert client.get_order({"order_id": "CS1"}).standing is CAN
