"""Cancelling at the pretend gateway, through the real wire."""

from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from providers.contract import Cancel, OrderQuery, Status
from providers.errors import AuthFailed, OutcomeUnknown, ProviderError, RateLimited, Rejected, Unreachable
from providers.taobao.sandbox import SANDBOX
from providers.world import FAULTS, SandboxRequest, SandboxTransport
from tests.providers.taobao.shop import (
    NOW,
    SESSION,
    demonstration,
    one,
    open_client,
    performed,
    refs,
    truth,
)

MODES = [
    {"sign_method": method, "format": form, "simplify": simplify}
    for method in ("md5", "hmac", "hmac-sha256")
    for form, simplify in (("json", False), ("json", True), ("xml", False))
]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(map(str, mode.values())))
@pytest.mark.parametrize("session", ["", SESSION])
def test_every_call_works_in_every_mode(world, shop, mode, session):
    client, _wire = shop(credential={"session": session}, **mode)
    ref = one(world, "PAID")
    client.ping()
    assert client.get_order(ref).status is Status.OPEN
    receipt = client.cancel(Cancel(ref, reason="ignored", detail="ignored"))
    assert (receipt.final, receipt.already, receipt.code) == (True, False, "200")
    assert receipt.request_id
    assert "参数错误" not in receipt.message
    assert performed(world) == [ref["biz_order_id"]]
    order = client.get_order(ref)
    assert (order.status, order.standing.cancellable) == (Status.CANCELLED, False)
    assert client.list_orders(OrderQuery(since=NOW - timedelta(hours=12))).orders


def test_what_is_sent_is_what_the_page_documents(world):
    seen = []

    class Listening(SandboxTransport):
        def handle_request(self, request):
            seen.append(request)
            return super().handle_request(request)

    client, _wire = open_client(Listening(world, SANDBOX.respond), credential={"session": ""})
    ref = one(world, "PAID")
    client.cancel(Cancel(ref))
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://eco.taobao.com/router/rest")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
    assert form.pop("sign")
    assert form == {
        "method": "taobao.pc.order.cancel",
        "app_key": "99990001",
        "timestamp": "2026-03-04 13:06:07",
        "format": "json",
        "v": "2.0",
        "sign_method": "md5",
        "param": f'{{"biz_order_id":"{ref["biz_order_id"]}","buyer_id":{ref["buyer_id"]}}}',
    }


@pytest.mark.parametrize("detail", [False, True])
@pytest.mark.parametrize("fault", [*FAULTS, *(f"{kind}-after" for kind in FAULTS if kind not in ("limit", "auth"))])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_no_fault_makes_the_client_say_what_is_not_so(world, shop, fault, detail, form):
    client, _wire = shop(detail=detail, format=form)
    ref = one(world, "PAID")
    world.plan(ref["biz_order_id"], fault)
    with pytest.raises(ProviderError) as caught:
        client.cancel(Cancel(ref))
    done = truth(world, ref) is Status.CANCELLED
    assert done == fault.endswith("-after")
    definite = {"limit": RateLimited, "auth": AuthFailed}
    if fault in definite:
        assert type(caught.value) is definite[fault]
    else:
        assert isinstance(caught.value, OutcomeUnknown)
    assert [event for _key, event, _at in world.ledger()] == ["called", *["performed"] * done]


@pytest.mark.parametrize(
    ("word", "kind", "done"),
    [
        ("REJECT", Rejected, False),
        ("TIMEOUT", OutcomeUnknown, True),
        ("DROP", OutcomeUnknown, True),
        ("GARBAGE", OutcomeUnknown, True),
    ],
)
def test_the_demonstration_orders_do_what_they_say(world, shop, word, kind, done):
    client, _wire = shop()
    ref = demonstration(world, word)
    assert client.get_order(ref).status is Status.OPEN
    with pytest.raises(kind):
        client.cancel(Cancel(ref))
    assert (client.get_order(ref).status is Status.CANCELLED) == done == bool(performed(world))


def test_a_failed_connection_before_anything_left_is_unreachable(dictated):
    with pytest.raises(Unreachable):
        dictated(httpx.ConnectTimeout("slow")).cancel(Cancel({"biz_order_id": "1", "buyer_id": "2"}))


@pytest.mark.parametrize("busy", ["before", "after"])
def test_service_unavailable_is_doubt_whether_or_not_it_was_done(world, shop, busy):
    world.switches["busy"] = busy
    ref = one(world, "UNPAID")
    with pytest.raises(OutcomeUnknown) as caught:
        shop()[0].cancel(Cancel(ref))
    assert caught.value.code == "10"
    assert (truth(world, ref) is Status.CANCELLED) == (busy == "after")


@pytest.mark.parametrize("answer", ["null-code", "zero-code", "text-success", "control", "bare"])
@pytest.mark.parametrize("mode", [{"format": "json"}, {"simplify": True}], ids=["full", "slim"])
def test_every_form_of_success_is_understood(world, shop, answer, mode):
    world.switches["answer"] = answer
    ref = one(world, "PAID")
    assert shop(**mode)[0].cancel(Cancel(ref)).final
    assert performed(world) == [ref["biz_order_id"]]


@pytest.mark.parametrize("answer", ["odd-code", "other-order"])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_success_that_contradicts_itself_is_doubt(world, shop, answer, form):
    world.switches["answer"] = answer
    with pytest.raises(OutcomeUnknown):
        shop(format=form)[0].cancel(Cancel(one(world, "PAID")))


def test_compressed_answers_are_read(world):
    class Plain(httpx.BaseTransport):
        def handle_request(self, request):
            seen = SandboxRequest("POST", "", "/router/rest", "", dict(request.headers), request.read())
            reply = SANDBOX.respond(seen, world)
            assert reply.headers["content-encoding"] == "gzip"
            return httpx.Response(reply.status, headers=dict(reply.headers), stream=httpx.ByteStream(reply.body))

    world.switches["gzip"] = True
    assert open_client(Plain())[0].cancel(Cancel(one(world, "PAID"))).final


# -- refused, and what the order says then


@pytest.mark.parametrize("state", ["CANCELLED", "REFUNDED"])
def test_an_order_cancelled_before_is_told_so_where_it_can_be_read(world, shop, state):
    ref = one(world, state)
    receipt = shop()[0].cancel(Cancel(ref))
    assert (receipt.final, receipt.already, receipt.code) == (True, True, "FAKE_ORDER_ALREADY_CANCELLED")
    assert receipt.advice
    assert not world.ledger()


def test_an_order_cancelled_before_is_a_refusal_where_it_cannot_be_read(world, shop):
    with pytest.raises(Rejected) as caught:
        shop(detail=False)[0].cancel(Cancel(one(world, "CANCELLED")))
    assert (caught.value.code, caught.value.message) == ("FAKE_ORDER_ALREADY_CANCELLED", "订单已取消")


def test_a_second_success_is_a_success(world, shop):
    world.switches["second_cancel"] = "success"
    assert shop()[0].cancel(Cancel(one(world, "CANCELLED"))).final


@pytest.mark.parametrize("state", ["SHIPPED", "DONE"])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_shipped_order_is_refused_and_stays_as_it_is(world, shop, state, form):
    ref = one(world, state)
    with pytest.raises(Rejected) as caught:
        shop(format=form)[0].cancel(Cancel(ref))
    assert caught.value.code == "FAKE_ORDER_NOT_CANCELLABLE"
    assert world.get(ref["biz_order_id"])["state"] == state


def test_a_refusal_stands_when_the_order_cannot_be_read_after_it(world, shop):
    world.switches["deny"] = {"taobao.pc.order.detail": "isv.permission-api-package-empty"}
    with pytest.raises(Rejected) as caught:
        shop()[0].cancel(Cancel(one(world, "CANCELLED")))
    assert caught.value.code == "FAKE_ORDER_ALREADY_CANCELLED"


@pytest.mark.parametrize("switch", ["error", "refused"])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_an_order_taobao_does_not_know_is_rejected_everywhere(world, shop, switch, form):
    world.switches["unknown_order"] = switch
    client, _wire = shop(format=form)
    stranger = {**one(world, "PAID"), "buyer_id": "5"}
    for ref in (stranger, {"biz_order_id": "404", "buyer_id": "1"}):
        with pytest.raises(Rejected) as caught:
            client.cancel(Cancel(ref))
        assert caught.value.code
        with pytest.raises(Rejected):
            client.get_order(ref)
    assert not world.ledger()
    known = refs(world, "PAID")[:2]
    assert [order.ref for order in client.get_orders([known[0], stranger, known[1]])] == known


@pytest.mark.parametrize("number", ["", " 1", "1\n", "\ud800", "1\x00"])
def test_an_unsendable_order_number_is_refused_before_anything_is_sent(shop, number):
    client, wire = shop()
    with pytest.raises(Rejected):
        client.cancel(Cancel({"biz_order_id": number, "buyer_id": "1"}))
    assert not wire.exchanges


@pytest.mark.parametrize("buyer", ["", "x", "-1", "1.0", "01", "１２", "1_0", " 1", str(2**63), "9" * 5000])
def test_an_unsendable_buyer_is_refused_before_anything_is_sent(shop, buyer):
    client, wire = shop()
    for call in (lambda ref: client.cancel(Cancel(ref)), client.get_order):
        with pytest.raises(Rejected):
            call({"biz_order_id": "1", "buyer_id": buyer})
    with pytest.raises(Rejected):
        client.cancel(Cancel({"biz_order_id": "1"}))
    assert not wire.exchanges


def test_nineteen_digits_and_chinese_survive_the_way(world, shop):
    ref = {"biz_order_id": "企业购-10000002", "buyer_id": str(2**63 - 1)}
    world.put(ref["biz_order_id"], {**world.get(one(world, "PAID")["biz_order_id"]), **ref, "buyer_id": 2**63 - 1})
    assert shop()[0].cancel(Cancel(ref)).final
    assert performed(world) == ["企业购-10000002"]
