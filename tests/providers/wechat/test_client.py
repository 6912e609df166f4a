"""What a cancel sends, and what its answers come to, on both routes and with both kinds of token."""

import json

import pytest

from providers.contract import Cancel, Status
from providers.errors import AuthFailed, Cause, OutcomeUnknown, ProtocolError, ProviderError, RateLimited, Rejected
from providers.wechat import advice
from providers.wechat.sandbox import SANDBOX
from providers.world import FAULTS
from tests.providers.wechat.stage import REF, cancel_of, events, order_in, ref_of, ways

# -- what is sent


def test_a_cancel_is_sent_as_the_seed_has_it(dictated):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"})
    receipt = one.client.cancel(Cancel(REF, reason="not sent", detail="nor this"))
    sent = transport.requests[-1]
    assert (sent.method, sent.url.path) == ("POST", "/cgi-bin/express/business/order/cancel")
    assert list(sent.url.params) == ["access_token"]
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.content) == REF
    assert (receipt.final, receipt.already, receipt.code, receipt.message) == (True, False, "0", "ok")


def test_text_leaves_as_raw_utf_8(dictated):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"})
    one.client.cancel(Cancel({**REF, "order_id": "订单-é-1"}))
    assert "订单-é-1".encode() in transport.requests[-1].content
    assert b"\\u" not in transport.requests[-1].content


def test_a_cloud_cancel_names_the_function_and_spells_the_ids_as_the_seed_has_them(dictated):
    inner = json.dumps({"errCode": 0, "errMsg": "openapi.logistics.cancelOrder:ok"})
    one, transport = dictated({"errcode": 0, "errmsg": "ok", "resp_data": inner}, route="cloud")
    assert one.client.cancel(Cancel(REF)).final
    sent = transport.requests[-1]
    assert (sent.method, sent.url.path) == ("POST", "/tcb/invokecloudfunction")
    assert dict(sent.url.params) | {"access_token": ""} == {
        "access_token": "",
        "env": SANDBOX.options["env"],
        "name": SANDBOX.options["function"],
    }
    assert json.loads(sent.content) == {
        "action": "cancelOrder",
        "openid": REF["openid"],
        "orderId": REF["order_id"],
        "deliveryId": REF["delivery_id"],
        "waybillId": REF["waybill_id"],
    }


def test_the_newer_cloud_form_puts_everything_into_the_body(dictated):
    inner = json.dumps({"errCode": 0, "errMsg": "openapi.logistics.cancelOrder:ok"})
    one, transport = dictated({"errcode": 0, "errmsg": "ok", "resp_data": inner}, route="cloud", invoke="body")
    one.client.cancel(Cancel(REF))
    sent = transport.requests[-1]
    assert list(sent.url.params) == ["access_token"]
    body = json.loads(sent.content)
    assert (body["env"], body["name"]) == (SANDBOX.options["env"], SANDBOX.options["function"])
    assert json.loads(body["req_data"])["waybillId"] == REF["waybill_id"]


@pytest.mark.parametrize("missing", ["order_id", "delivery_id", "waybill_id", "openid"])
def test_without_one_of_the_four_ids_nothing_is_sent(dictated, missing):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"})
    for ref in ({**REF, missing: ""}, {name: value for name, value in REF.items() if name != missing}):
        with pytest.raises(Rejected):
            one.client.cancel(Cancel(ref))
    assert transport.requests == []


@pytest.mark.parametrize("odd", ["a\nb", "a\x00", "a\x7f", "\ud83d", "x" * 513, "字" * 171])
def test_an_id_that_cannot_be_sent_as_it_is_is_not_sent(dictated, odd):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"})
    for act in (lambda ref: one.client.cancel(Cancel(ref)), one.client.get_order):
        with pytest.raises(Rejected):
            act({**REF, "order_id": odd})
    assert one.client.get_orders([{**REF, "order_id": odd}]) == ()
    assert transport.requests == []


def test_a_cloud_shop_without_a_function_is_told_so(dictated):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"}, route="cloud", function="")
    with pytest.raises(AuthFailed) as caught:
        one.client.cancel(Cancel(REF))
    assert caught.value.cause is Cause.SETTINGS
    assert transport.requests == []


# -- cancelling


@ways
@pytest.mark.parametrize("answers", ["new", "seed"])
def test_a_waybill_is_cancelled_once_and_read_as_cancelled(world, shop, way, answers):
    world.switches["answers"] = answers
    order, one = order_in(world), shop(**way)
    receipt = one.client.cancel(cancel_of(order))
    assert (receipt.final, receipt.already, receipt.code) == (True, False, "0")
    assert events(world, order) == ["called", "performed"]
    read = one.client.get_order(ref_of(order))
    assert (read.status, read.standing.cancellable) == (Status.CANCELLED, False)


@ways
def test_a_second_cancel_is_read_and_told_as_done_before(world, shop, way):
    order, one = order_in(world, "CANCELLED"), shop(**way)
    receipt = one.client.cancel(cancel_of(order))
    assert (receipt.final, receipt.already, receipt.code) == (True, True, "9300524")
    assert events(world, order) == []


@pytest.mark.parametrize("code", [9300506, 9300501])
def test_a_cancelled_waybill_refused_for_another_reason_is_still_told_as_done_before(world, shop, code):
    world.switches["second_cancel"] = code
    order = order_in(world, "CANCELLED")
    assert shop().client.cancel(cancel_of(order)).already


@ways
@pytest.mark.parametrize("state", ["MOVING", "SIGNED"])
def test_a_moving_parcel_is_refused(world, shop, way, state):
    order = order_in(world, state)
    with pytest.raises(Rejected) as caught:
        shop(**way).client.cancel(cancel_of(order))
    assert caught.value.code == "9300506"
    assert caught.value.request_id
    assert events(world, order) == []


@ways
def test_a_courier_that_takes_no_cancellations_is_quoted(world, shop, way):
    order = order_in(world, courier="STO")
    with pytest.raises(Rejected) as caught:
        shop(**way).client.cancel(cancel_of(order))
    assert caught.value.code == "9300501"
    assert "30004: 快递不支持取消运单" in caught.value.message


@ways
def test_wrong_ids_are_refused_each_with_its_own_code(world, shop, way):
    order, one = order_in(world), shop(**way)
    wrong = {"order_id": "930563", "delivery_id": "40199", "waybill_id": "40199", "openid": "40003"}
    for name, code in wrong.items():
        with pytest.raises(Rejected) as caught:
            one.client.cancel(Cancel({**ref_of(order), name: "ZTO"}))
        assert caught.value.code == code
    with pytest.raises(Rejected) as caught:
        one.client.cancel(Cancel({**ref_of(order), "delivery_id": "NONE"}))
    assert caught.value.code == "9300503"
    assert world.ledger() == []


def test_cancelled_before_but_read_as_open_is_a_refusal(world, shop):
    world.switches["cancel_code"] = 9300524
    with pytest.raises(Rejected) as caught:
        shop().client.cancel(cancel_of(order_in(world)))
    assert caught.value.advice == advice.NOT_CANCELLED


@pytest.mark.parametrize("blind", [{"api_code": 48001, "api_path": "order/get"}, {"hide_order_status": True}])
def test_cancelled_before_that_cannot_be_read_stays_unknown(world, shop, blind):
    world.switches |= blind
    with pytest.raises(OutcomeUnknown) as caught:
        shop().client.cancel(cancel_of(order_in(world, "CANCELLED")))
    assert caught.value.code == "9300524"


def test_a_refusal_that_cannot_be_looked_after_stays_a_refusal(world, shop):
    world.switches |= {"api_code": -1, "api_path": "order/get"}
    with pytest.raises(Rejected) as caught:
        shop().client.cancel(cancel_of(order_in(world, "MOVING")))
    assert caught.value.code == "9300506"


def test_a_code_of_the_way_to_a_function_is_never_looked_after(dictated):
    outer = {"errcode": 9300524, "errmsg": "?"}
    inner = {"errcode": 0, "errmsg": "ok", "resp_data": json.dumps({"errCode": 0, "orderStatus": 1})}
    one, _ = dictated(outer, inner, route="cloud")
    with pytest.raises(ProtocolError):
        one.client.cancel(Cancel(REF))


@ways
@pytest.mark.parametrize(("when", "done"), [("before", ["called"]), ("after", ["called", "performed"])])
def test_a_system_failure_is_doubt_whether_it_was_done_or_not(world, shop, way, when, done):
    world.switches["minus_one"] = when
    order = order_in(world)
    with pytest.raises(OutcomeUnknown) as caught:
        shop(**way).client.cancel(cancel_of(order))
    assert caught.value.code == "-1"
    assert events(world, order) == done


DEFINITE = {"limit": RateLimited, "auth": AuthFailed}


@ways
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_nothing_false_is_said_and_nothing_is_sent_twice(world, shop, way, fault, after):
    order, one = order_in(world), shop(**way)
    world.plan(order["order_id"], f"{fault}-after" if after else fault)
    with pytest.raises(DEFINITE.get(fault, OutcomeUnknown)):
        one.client.cancel(cancel_of(order))
    done = after and fault not in DEFINITE  # nobody speaks of a limit or of keys once it is done
    assert events(world, order) == (["called", "performed"] if done else ["called"])
    read = one.client.get_order(ref_of(order))
    assert read.status is (Status.CANCELLED if done else Status.OPEN)


@pytest.mark.parametrize(
    ("word", "kind", "done"),
    [
        ("REJECT", Rejected, []), ("TIMEOUT", OutcomeUnknown, ["called", "performed"]),
        ("DROP", OutcomeUnknown, ["called", "performed"]), ("GARBAGE", ProtocolError, ["called", "performed"]),
    ],
)  # fmt: skip
def test_the_demonstration_orders_do_what_their_numbers_say(world, shop, word, kind, done):
    order = order_in(world, word=word)
    with pytest.raises(ProviderError) as caught:
        shop().client.cancel(cancel_of(order))
    assert type(caught.value) is kind
    assert events(world, order) == done
