"""Reading waybills: one with its traces, many together, and the couriers."""

import json

import pytest

from providers.contract import OrderQuery, Status
from providers.errors import ProviderError, Rejected
from providers.wechat import PROVIDER
from providers.wechat.sandbox import SANDBOX
from tests.providers.wechat.stage import REF, order_in, ref_of, ways


@ways
@pytest.mark.parametrize(
    ("state", "status", "cancellable"),
    [
        ("NEW", Status.OPEN, True), ("MOVING", Status.SHIPPED, False), ("SIGNED", Status.CLOSED, False),
        ("CANCELLED", Status.CANCELLED, False),
    ],
)  # fmt: skip
def test_a_waybill_is_read_with_its_traces(world, shop, way, state, status, cancellable):
    order = order_in(world, state)
    read = shop(**way).client.get_order(ref_of(order))
    assert read.ref == ref_of(order)
    assert read.number == order["order_id"]
    assert (read.status, read.standing.cancellable) == (status, cancellable)
    assert status is SANDBOX.truth(order)
    assert read.standing.why
    assert [trace.kind for trace in read.traces] == [str(one["action_type"]) for one in order["traces"]]
    assert [trace.at.timestamp() for trace in read.traces] == [one["action_time"] for one in order["traces"]]
    assert "13912345678" not in str(read.traces)


def test_the_buyer_is_no_key_to_search_by(world, shop):
    order = order_in(world)
    read = shop().client.get_order(ref_of(order))
    assert dict(read.keys) == {"id": order["order_id"], "waybill": order["waybill_id"]}
    openid = next(one for one in PROVIDER.card.lookup if one.name == "openid")
    assert not openid.identity


def test_leading_zeros_stay(world, shop):
    order = next(one for _, one in world.all() if one["order_id"].startswith("0"))
    assert shop().client.get_order(ref_of(order)).number == order["order_id"]


def test_an_openid_nobody_told_us_is_learnt_from_the_traces(world, shop):
    order = order_in(world)
    ref = {name: value for name, value in ref_of(order).items() if name != "openid"}
    assert shop().client.get_order(ref).ref == ref_of(order)


@pytest.mark.parametrize("code", [-1, 40003, 48001, 45009, 9300528, 4711])
def test_traces_that_cannot_be_read_do_not_hinder_the_reading(world, shop, code):
    world.switches |= {"api_code": code, "api_path": "path/get"}
    order = order_in(world)
    read = shop().client.get_order(ref_of(order))
    assert (read.status, read.traces, read.standing.cancellable) == (Status.OPEN, (), None)


def test_without_an_openid_a_waybill_is_not_called_cancellable(world, shop):
    world.switches |= {"api_code": 48001, "api_path": "path/get"}
    ref = {name: value for name, value in ref_of(order_in(world)).items() if name != "openid"}
    read = shop().client.get_order(ref)
    assert read.standing.cancellable is False
    assert "OpenID" in read.standing.why


def test_a_state_that_is_not_told_is_unknown_and_not_open(world, shop):
    world.switches["hide_order_status"] = True
    read = shop().client.get_order(ref_of(order_in(world)))
    assert (read.status, read.standing.cancellable) == (Status.UNKNOWN, None)


@pytest.mark.parametrize(
    ("told", "steps", "status", "cancellable"),
    [
        (0, [100003], Status.OPEN, None), (0, [100002], Status.OPEN, False), (0, [300001], Status.OPEN, False),
        (0, [400001], Status.UNKNOWN, None), (0, [400002], Status.OPEN, False), (1, [200001], Status.CANCELLED, False),
        (2, [], Status.UNKNOWN, None), (None, [200001], Status.UNKNOWN, None), ("1", [], Status.CANCELLED, False),
        (0, [100003, 100001, 300003], Status.CLOSED, False), (0, [300004], Status.SHIPPED, False),
    ],
)  # fmt: skip
def test_traces_are_a_hint_and_never_a_guess(dictated, told, steps, status, cancellable):
    items = [{"action_time": 1700000000 - at, "action_type": one, "action_msg": ""} for at, one in enumerate(steps)]
    order, path = {**REF, "order_status": told}, {"path_item_num": len(items), "path_item_list": items}
    read = dictated(order, path)[0].client.get_order(REF)
    assert (read.status, read.standing.cancellable) == (status, cancellable)
    assert [trace.kind for trace in read.traces] == [str(one) for one in reversed(steps)]
    assert all(trace.text for trace in read.traces)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("派件中，派件员：张小三，电话：13912345678", "派件中，派件员：张**，电话：139****678"),
        ("已签收,签收人是【李四】,感谢使用", "已签收,签收人是【李**】,感谢使用"),
        ("投递员(欧阳娜娜 13912345678)正在投递", "投递员(欧** 139****678)正在投递"),
        ("取件人: WANG Wu", "取件人: W**"),
        ("签收人：阿卜杜拉·买买提", "签收人：阿**"),
        ("已签收，签收人：本人", "已签收，签收人：本人"),
        ("已签收，签收人凭取货码签收", "已签收，签收人凭取货码签收"),
        ("快件到达【杭州西湖公司】", "快件到达【杭州西湖公司】"),
        ("派送网点：杭州西湖", "派送网点：杭州西湖"),
    ],
)
def test_who_a_trace_names_by_their_part_is_masked_and_places_stay(dictated, words, shown):
    path = {"path_item_num": 1, "path_item_list": [{"action_time": 1700000000, "action_type": 1, "action_msg": words}]}
    (trace,) = dictated({**REF, "order_status": 0}, path)[0].client.get_order(REF).traces
    assert trace.text == shown


@ways
def test_a_waybill_nobody_knows_is_refused_with_a_code(world, shop, way):
    with pytest.raises(Rejected) as caught:
        shop(**way).client.get_order({**ref_of(order_in(world)), "order_id": "nobody"})
    assert caught.value.code == "930563"


def test_an_answer_about_another_waybill_is_not_taken(dictated):
    for name in ("order_id", "delivery_id", "waybill_id"):
        one, _ = dictated({**REF, "order_status": 1, name: "other"})
        with pytest.raises(ProviderError) as caught:
            one.client.get_order(REF)
        assert caught.value.code == "other-order"


@ways
def test_known_waybills_are_read_together_and_unknown_ones_left_out(world, shop, way):
    orders = [order for _, order in world.all()]
    refs = [ref_of(one) for one in orders]
    unknown = [{**refs[0], "order_id": "nobody"}, {**refs[1], "waybill_id": "other"}, {"order_id": "bare"}, {}]
    found = shop(**way).client.get_orders([*unknown, *refs, refs[0]])
    assert [one.ref for one in found] == refs
    cancelled = {one["order_id"] for one in orders if one["state"] == "CANCELLED"}
    assert {one.number for one in found if one.status is Status.CANCELLED} == cancelled
    assert {one.standing.cancellable for one in found} == {None, False}


def test_a_batch_holds_a_hundred_at_most(clock, shop, world):
    SANDBOX.seed(world, 250)
    refs = [ref_of(order) for _, order in world.all()]
    one = shop()
    assert len(one.client.get_orders(refs)) == len(refs) > 250
    bodies = [json.loads(e.request_body) for e in one.wire.exchanges if e.url.partition("?")[0].endswith("batchget")]
    assert max(len(body["order_list"]) for body in bodies) == 100
    assert PROVIDER.capabilities({"route": "https"}).get_orders == 100
    assert PROVIDER.capabilities({"route": "cloud"}).get_orders == 0


def test_a_batch_too_large_for_one_answer_is_halved(world, shop):
    world.switches["slip_bytes"] = 50_000
    refs = [ref_of(order) for _, order in world.all()]
    assert [one.ref for one in shop().client.get_orders(refs)] == refs


@ways
def test_the_couriers_can_be_chosen_from(shop, way):
    one = shop(**way)
    assert ("SF", "顺丰速运 (SF)") in one.client.choices("delivery_id")
    assert one.client.choices("order_id") == ()
    assert one.client.list_reasons() == ()


def test_waybills_cannot_be_listed(shop):
    with pytest.raises(Rejected) as caught:
        shop().client.list_orders(OrderQuery())
    assert caught.value.code == "no-list"
    assert not PROVIDER.capabilities({}).list_orders
