"""Cancelling against the pretend billing service: what is said is what happened there."""

import json
from dataclasses import replace

import pytest

from providers.contract import Cancel, Status
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    RateLimited,
    Rejected,
)
from providers.huaweicloud import advice
from providers.huaweicloud.sandbox import SANDBOX
from providers.world import FAULTS, SandboxTransport

from .conftest import as_json, failing, is_cancelled, open_client


def events(world, order_id):
    return [event for key, event, _ in world.ledger() if key == order_id]


def test_a_cancel_is_one_call_of_the_documented_form(shop, world, order_id):
    client, wire = shop()
    receipt = client.cancel(Cancel({"order_id": order_id}))
    assert receipt.final
    assert not receipt.already
    assert is_cancelled(world, order_id)
    assert events(world, order_id) == ["called", "performed"]
    [exchange] = wire.exchanges
    assert (exchange.method, exchange.write, exchange.status) == ("PUT", True, 204)
    assert exchange.url == "https://bss-intl.myhuaweicloud.com/v2/orders/customer-orders/cancel"
    assert json.loads(exchange.request_body) == {"order_id": order_id}


def test_a_cancel_works_in_every_way_of_signing_in(any_shop, world, order_id):
    client, _ = any_shop()
    assert client.cancel(Cancel({"order_id": order_id})).final
    assert is_cancelled(world, order_id)


def test_a_reason_is_never_sent(dictated):
    client, _, transport = dictated((204, {}, b""))
    client.cancel(Cancel({"order_id": "CS1"}, reason="out_of_stock", detail="秘密"))
    assert json.loads(transport.requests[0].content) == {"order_id": "CS1"}


def test_a_cancel_behind_a_path_of_its_own_is_signed_as_it_is_sent(clock, tokens, world, order_id):
    # As over HTTP, where every pretend platform has its own first path segment.
    def respond(request, one):
        path = request.path.removeprefix("/huaweicloud")
        return SANDBOX.respond(replace(request, prefix="/huaweicloud", path=path), one)

    transport = SandboxTransport(world, respond)
    base = "http://127.0.0.1:8765/huaweicloud"
    client, _ = open_client(transport, tokens=tokens, clock=clock, base=base)
    assert client.cancel(Cancel({"order_id": order_id})).final


# What a cancel raises for each fault. A key or limit fault strikes before the cancel, whatever was asked.
EXPECTED = {
    "hang": OutcomeUnknown,
    "drip": OutcomeUnknown,
    "drop": OutcomeUnknown,
    "error": OutcomeUnknown,
    "html": OutcomeUnknown,
    "garbage": OutcomeUnknown,
    "truncated": OutcomeUnknown,
    "empty": OutcomeUnknown,
    "huge": OutcomeUnknown,
    "bomb": OutcomeUnknown,
    "redirect": OutcomeUnknown,
    "limit": RateLimited,
    "auth": AuthFailed,
}


@pytest.mark.parametrize("auth", ["aksk", "token"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_the_cancel_is_never_called_done(shop, world, order_id, fault, auth):
    world.plan(order_id, fault)
    client, _ = shop(auth=auth)
    if (fault, auth) == ("auth", "token"):  # a refused token is renewed, and the cancel sent once more
        assert client.cancel(Cancel({"order_id": order_id})).final
        assert events(world, order_id) == ["called", "called", "performed"]
        return
    with pytest.raises(EXPECTED[fault]):
        client.cancel(Cancel({"order_id": order_id}))
    assert events(world, order_id) == ["called"]
    assert client.get_order({"order_id": order_id}).status is Status.OPEN


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("limit", "auth")])
def test_a_fault_after_the_cancel_is_never_called_refused_and_a_reading_settles_it(any_shop, world, order_id, fault):
    world.plan(order_id, f"{fault}-after")
    client, _ = any_shop()
    with pytest.raises(OutcomeUnknown):
        client.cancel(Cancel({"order_id": order_id}))
    assert events(world, order_id) == ["called", "performed"]
    assert client.get_order({"order_id": order_id}).status is Status.CANCELLED


@pytest.mark.parametrize("shape", ["gateway", "api"])
def test_both_bodies_of_a_429_say_that_nothing_was_done(shop, world, order_id, shape):
    world.switches["limit_shape"] = shape
    world.plan(order_id, "limit")
    client, _ = shop()
    with pytest.raises(RateLimited):
        client.cancel(Cancel({"order_id": order_id}))
    assert not is_cancelled(world, order_id)


@pytest.mark.parametrize("word", ["REJECT", "TIMEOUT", "DROP", "GARBAGE"])
def test_a_demonstration_order_does_what_its_number_says(shop, world, word):
    order_id = next(key for key, _ in world.all() if key.endswith(f"-{word}"))
    client, _ = shop()
    with pytest.raises(Rejected if word == "REJECT" else OutcomeUnknown):
        client.cancel(Cancel({"order_id": order_id}))
    assert is_cancelled(world, order_id) == (word != "REJECT")


def test_a_second_cancel_is_told_that_it_was_cancelled_already(any_shop, world, order_id):
    client, _ = any_shop()
    client.cancel(Cancel({"order_id": order_id}))
    receipt = client.cancel(Cancel({"order_id": order_id}))
    assert receipt.already
    assert receipt.final
    assert receipt.code == "CBC.99005010"
    assert events(world, order_id) == ["called", "performed"]


def test_a_customer_who_pays_first_wins_and_the_agent_is_told(shop, world, order_id):
    world.switches["pays_first"] = [order_id]
    client, _ = shop()
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": order_id}))
    assert caught.value.advice is advice.PAID
    assert events(world, order_id) == []


@pytest.mark.parametrize("status", [1, 2, 9, 10, 11, 12, 13, 77])
def test_an_order_in_any_other_state_is_refused_as_such(shop, world, order_id, status):
    document = world.get(order_id)
    document["info"]["status"] = status
    world.put(order_id, document)
    client, _ = shop()
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": order_id}))
    assert caught.value.advice is advice.STATE


@pytest.mark.parametrize(
    "reading", [failing(500, "CBC.0999"), (502, {}, b""), as_json(200, {}), failing(401, "APIGW.0301")]
)
def test_a_refusal_stands_though_the_reading_after_it_fails(dictated, reading):
    client, _, _ = dictated(failing(400, "CBC.99005010"), reading)
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": "CS1"}))
    assert caught.value.code == "CBC.99005010"
    assert caught.value.advice is advice.STATE


def test_a_reading_of_another_order_proves_nothing_cancelled(dictated):
    other = as_json(200, {"order_info": {"order_id": "CS2", "status": 4}})
    client, _, _ = dictated(failing(400, "CBC.99005010"), other)
    with pytest.raises(Rejected):
        client.cancel(Cancel({"order_id": "CS1"}))


@pytest.mark.parametrize("order_id", ["", " ", "CS 1 ", "A" * 65, "CS/1", "..", ".", "CS\n1", "CS\x001", "CS\ud8001"])
def test_what_cannot_be_an_order_id_is_refused_before_anything_is_sent(shop, order_id):
    client, wire = shop()
    for call in (
        lambda: client.cancel(Cancel({"order_id": order_id})),
        lambda: client.get_order({"order_id": order_id}),
    ):
        with pytest.raises(Rejected):
            call()
    with pytest.raises(Rejected):
        client.cancel(Cancel({}))
    assert wire.exchanges == []


@pytest.mark.parametrize("order_id", ["CS1", "订单 1", "a+b c%2F&d=e?f#g", "A" * 64, "~-._"])
def test_an_order_id_of_any_look_is_sent_as_it_is(shop, world, order_ids, order_id):
    document = world.get(order_ids(6)[0])
    document["info"]["order_id"] = order_id
    world.put(order_id, document)
    client, _ = shop()
    assert client.get_order({"order_id": order_id}).number == order_id
    assert client.cancel(Cancel({"order_id": order_id})).final
    assert is_cancelled(world, order_id)
