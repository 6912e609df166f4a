"""What a check of the connection tells, and what is kept of the exchanges."""

import json
from datetime import UTC, datetime

import pytest

from providers.contract import Cancel
from providers.errors import AuthFailed, Cause, ProviderError, Rejected
from providers.wechat.sandbox import SANDBOX
from tests.providers.wechat.stage import REF, TOKEN, cancel_of, events, order_in, ref_of, said, ways

# -- the connection


@ways
def test_a_good_connection_answers_a_ping(shop, way):
    shop(**way).client.ping()


@pytest.mark.parametrize(
    ("switches", "options", "cause"),
    [
        ({"token_call_code": 40164}, {}, Cause.IP), ({"token_call_code": 89503}, {}, Cause.IP),
        ({"token_call_code": 40243}, {}, Cause.KEYS), ({"api_code": 48001}, {}, Cause.PERMISSION),
        ({"api_code": 61004}, {}, Cause.IP), ({"api_code": 50002}, {}, Cause.PERMISSION),
        ({"cloud_open": False}, {"route": "cloud"}, Cause.SETTINGS),
        ({}, {"route": "cloud", "env": ""}, Cause.SETTINGS),
    ],
)  # fmt: skip
def test_a_ping_tells_what_to_mend(world, shop, switches, options, cause):
    world.switches |= switches
    with pytest.raises(AuthFailed) as caught:
        shop(**options).client.ping()
    assert caught.value.cause is cause
    assert caught.value.advice.admin


def test_the_address_to_allow_stands_in_the_platforms_words(world, shop):
    world.switches["token_call_code"] = 40164
    with pytest.raises(AuthFailed) as caught:
        shop().client.ping()
    assert "203.0.113.7" in caught.value.message


def test_another_server_is_told_from_an_unreachable_one(dictated):
    one, _ = dictated(said(b"<html>not found</html>", 404, "text/html"))
    with pytest.raises(ProviderError) as caught:
        one.client.ping()
    assert caught.value.cause is Cause.SETTINGS


def test_an_older_function_answers_a_ping_too_and_shows_no_traces(world, shop):
    world.switches["function_actions"] = ["cancelOrder", "getOrder"]
    order, one = order_in(world), shop(route="cloud")
    one.client.ping()
    assert one.client.get_order(ref_of(order)).standing.cancellable is None
    assert one.client.cancel(cancel_of(order)).final


def test_a_function_that_may_not_cancel_keeps_the_request(world, shop):
    world.switches["function_permission"] = False
    order = order_in(world)
    with pytest.raises(AuthFailed) as caught:
        shop(route="cloud").client.cancel(cancel_of(order))
    assert caught.value.cause is Cause.PERMISSION
    assert events(world, order) == []


# -- what is kept


@ways
def test_no_secret_and_nothing_personal_is_kept_of_any_exchange(world, shop, tokens, way):
    orders = [order_in(world), order_in(world, "SIGNED"), order_in(world, "CANCELLED")]
    one = shop(**way)
    one.client.ping()
    issued = set(world.scratch["tokens"])
    world.switches |= {"api_code": 42001, "api_times": 1}
    for order in orders:
        one.client.get_order(ref_of(order))
        try:
            one.client.cancel(cancel_of(order))
        except Rejected:
            continue
    one.client.get_orders([ref_of(order) for order in orders])
    one.client.choices("delivery_id")
    kept = json.dumps([exchange.as_json() for exchange in one.wire.exchanges], ensure_ascii=False)
    issued |= set(world.scratch["tokens"])
    personal = [order["openid"] for order in orders] + [order["receiver"]["city"] for order in orders]
    assert len(issued) >= 2
    for value in [SANDBOX.credential["secret"], *issued, *personal, "13912345678"]:
        assert value not in kept
    assert all(order["waybill_id"] in kept for order in orders)


@pytest.mark.parametrize("kept", [False, True], ids=["fetched", "from the store"])
def test_a_token_repeated_in_wechats_words_goes_no_further(dictated, tokens, kept):
    if kept:
        tokens.kept[f"stable:{SANDBOX.credential['appid']}"] = (TOKEN, datetime.max.replace(tzinfo=UTC))
    one, _ = dictated({"errcode": 930561, "errmsg": f"args error, token {TOKEN}"})
    with pytest.raises(Rejected) as caught:
        one.client.cancel(Cancel(REF))
    assert len(one.wire.exchanges) == (1 if kept else 2)
    assert TOKEN not in str(caught.value)
    assert TOKEN not in json.dumps([exchange.as_json() for exchange in one.wire.exchanges])
