"""Reading and listing against the pretend platform: nothing is missed, nothing made up."""

from datetime import datetime, timedelta

import pytest

from providers.contract import OrderQuery, PlatformReason, Status
from providers.errors import (
    AuthFailed,
    Rejected,
    Unreachable,
)
from providers.sellercenter import PROVIDER
from providers.world import Reply, World
from tests.providers.sellercenter.desk import (
    MIXED,
    REF,
    STYLES,
    command,
    sends,
    state,
)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("lists", ["nested", "flat"])
def test_an_order_reads_the_same_in_both_formats_and_both_list_styles(dial, world, style, lists):
    plain = dial(format="json")[0].get_order(MIXED)
    world.switches["json_lists"] = lists
    order = dial(format=style)[0].get_order(MIXED)
    assert order == plain
    assert [one.status for one in order.items] == [Status.OPEN, Status.SHIPPED, Status.CANCELLED]
    document = world.get("1130000")
    assert order.placed_at == datetime.fromisoformat(document["CreatedAt"])
    assert order.buyer.name == f"{document['CustomerFirstName']} {document['CustomerLastName']}"
    assert f"{order.amount}" == document["GrandTotal"]


def test_an_order_costs_two_reads(dial):
    client, _wire, line = dial()
    client.get_order(REF)
    assert [(one.method, one.url.params["Action"]) for one in line.seen] == [
        ("GET", "GetOrder"),
        ("GET", "GetOrderItems"),
    ]


def test_an_order_that_is_not_there_is_refused_with_a_clear_code(dial):
    with pytest.raises(Rejected) as raised:
        dial()[0].get_order({"order_id": "99"})
    assert raised.value.code == "E016"


def test_an_empty_answer_is_no_order(told):
    body = b'{"SuccessResponse": {"Head": {"RequestAction": "GetOrder"}, "Body": {"Orders": ""}}}'
    with pytest.raises(Rejected) as raised:
        told(Reply(200, body, {"content-type": "application/json"}))[0].get_order(REF)
    assert raised.value.code == "not-found"


def test_another_orders_answer_is_not_taken_for_this_one(told):
    body = (
        b'{"SuccessResponse": {"Head": {"RequestAction": "GetOrder"}, "Body": {"Orders": {"Order": {"OrderId": 6}}}}}'
    )
    with pytest.raises(Unreachable):
        told(Reply(200, body, {"content-type": "application/json"}))[0].get_order(REF)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("lists", ["nested", "flat"])
def test_paging_sees_every_order_once_with_all_its_items(style, lists, dial, world):
    big = World("sellercenter", now=world._now)
    PROVIDER.sandbox.seed(big, 230)
    big.switches["json_lists"] = lists
    client, _wire, line = dial(format=style)
    line.world = big
    found, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = client.list_orders(OrderQuery(cursor=cursor))
        found, cursor, pages = [*found, *page.orders], page.cursor, pages + 1
        assert page.total == big.count()
    assert pages == 3
    assert sorted(one.ref["order_id"] for one in found) == [key for key, _ in big.all()]
    truth = {key: [one["Status"] for one in document["Items"]] for key, document in big.all()}
    assert {one.ref["order_id"]: [item.status_text for item in one.items] for one in found} == truth
    assert len(line.seen) == 3 + 5  # pages of 100, items in batches of 50


@pytest.mark.parametrize("total", [True, False])
def test_a_page_without_a_total_goes_by_its_length(told, total):
    order = '{"OrderId": "5", "Statuses": {"Status": "pending"}}'
    count = ', "TotalCount": "2"' if total else ""
    head = f'{{"RequestAction": "GetOrders"{count}}}'
    page = f'{{"SuccessResponse": {{"Head": {head}, "Body": {{"Orders": {{"Order": {order}}}}}}}}}'
    items = (
        '{"SuccessResponse": {"Head": {"RequestAction": "GetMultipleOrderItems"}, "Body": {"Orders": {"Order": '
        '{"OrderId": "5", "OrderItems": {"OrderItem": {"OrderItemId": "7", "Status": "pending"}}}}}}}'
    )
    answers = [Reply(200, text.encode(), {"content-type": "application/json"}) for text in (page, items)]
    assert told(*answers)[0].list_orders(OrderQuery(limit=1)).cursor == "1"  # full, so there may be more
    assert told(*answers)[0].list_orders(OrderQuery(limit=2)).cursor == ("1" if total else "")


def test_only_what_changed_since_is_listed(dial, world):
    client, _wire, line = dial()
    client.cancel(command(world))
    page = client.list_orders(OrderQuery(since=world.now() - timedelta(seconds=1)))
    assert [one.ref for one in page.orders] == [REF]
    assert page.orders[0].items[0].status is Status.CANCELLED
    assert "UpdatedAfter" in line.seen[1].url.params


def test_where_the_batch_call_is_unknown_items_are_read_order_by_order(dial, world):
    world.switches["unknown_actions"] = ["GetMultipleOrderItems"]
    client, _wire, line = dial()
    page = client.list_orders(OrderQuery())
    assert all(one.items for one in page.orders)
    client.list_orders(OrderQuery())
    assert [one.url.params["Action"] for one in line.seen].count("GetMultipleOrderItems") == 1


@pytest.mark.parametrize("code", [37, 38, 39, 56])
def test_where_a_batch_is_refused_items_are_read_order_by_order(dial, world, code):
    client, _wire, line = dial()
    plain = client.list_orders(OrderQuery())
    respond = line._respond

    def refuse_batches(request, world):
        if "Action=GetMultipleOrderItems" in request.query:
            world.switches["next_code"] = code
        return respond(request, world)

    line._respond = refuse_batches
    assert client.list_orders(OrderQuery()) == plain


def test_any_other_refusal_of_a_batch_is_not_papered_over(dial, world):
    client, _wire, line = dial()
    respond = line._respond

    def refuse_batches(request, world):
        if "Action=GetMultipleOrderItems" in request.query:
            world.switches["next_code"] = 9
        return respond(request, world)

    line._respond = refuse_batches
    with pytest.raises(AuthFailed):
        client.list_orders(OrderQuery())


def test_known_orders_are_read_again_and_missing_ones_left_out(dial):
    found = dial()[0].get_orders([REF, {"order_id": "99"}, MIXED])
    assert [one.ref for one in found] == [REF, MIXED]


# -- reasons


@pytest.mark.parametrize("style", STYLES)
def test_the_operators_own_reasons_for_cancelling_are_listed(dial, world, style):
    world.switches["reasons"] = ["SHORTAGE", "Precio inválido"]
    listed = dial(format=style)[0].list_reasons()
    assert [one.value for one in listed] == ["SHORTAGE", "Precio inválido"]


@pytest.mark.parametrize("configured", [["SHORTAGE", "Otro"], {"out_of_stock": "SHORTAGE", "other": "Otro"}])
def test_where_the_operator_lists_none_the_configured_reasons_stand(dial, world, configured):
    world.switches["reasons"] = []
    assert [one.value for one in dial(reasons=configured)[0].list_reasons()] == ["SHORTAGE", "Otro"]
    world.switches["unknown_actions"] = ["GetFailureReasons"]
    assert [one.value for one in dial(reasons=configured)[0].list_reasons()] == ["SHORTAGE", "Otro"]


@pytest.mark.parametrize("configured", [[], {}, None, ""])
def test_without_any_the_one_documented_reason_stands(dial, world, configured):
    world.switches["reasons"] = []
    assert dial(reasons=configured)[0].list_reasons() == PROVIDER.card.reasons


def test_an_operator_that_wants_numbers_is_given_numbers(dial, world):
    world.switches["reason_parameter"] = "ReasonId"
    client, _wire, line = dial(reason_parameter="ReasonId")
    reason = client.list_reasons()[1]
    assert reason == PlatformReason("2", "Wrong sale price")
    client.cancel(command(world, reason=reason.value))
    assert "Reason" not in sends(line)[0].url.params
    assert state(world) == "canceled"
