"""The token travels in one header of its own, or nothing travels at all."""

import httpx
import pytest

from providers.contract import Cancel
from providers.errors import AuthFailed, Cause
from providers.shoplazza.auth import headers


def test_the_token_stands_in_its_own_header_and_not_as_a_bearer():
    assert headers("tok-123") == {"access-token": "tok-123", "content-type": "application/json"}


@pytest.mark.parametrize(
    "token", ["", " ", "tok 123", "tok-123\n", "tok\r\nx: y", "tök", "ｔoken", "\x00abcd", "tok\t1"]
)
def test_a_token_that_cannot_stand_in_a_header_is_refused_before_anything_is_sent(token):
    with pytest.raises(AuthFailed) as caught:
        headers(token)
    assert caught.value.cause is Cause.KEYS
    assert caught.value.advice.admin
    assert not token.strip() or token.strip() not in str(caught.value)


def test_a_cancel_sends_exactly_the_documented_request(dictated):
    client, transport = dictated((200, {"order": {"id": "633130-00000004", "status": "cancelled"}}))
    client.cancel(Cancel({"order_id": "633130-00000004"}, reason="Très déçue, 不要了"))
    (request,) = transport.requests
    assert request.method == "POST"
    assert str(request.url) == "https://linen-and-lamp.myshoplaza.com/openapi/2022-01/orders/633130-00000004/cancel"
    assert request.headers["access-token"].startswith("sandbox-")
    assert "authorization" not in request.headers
    assert request.headers["content-type"] == "application/json"
    assert request.read() == '{"reason": "Très déçue, 不要了"}'.encode()


def test_without_a_reason_the_body_is_an_empty_object(dictated):
    client, transport = dictated((200, {"order": {"id": "1-2", "status": "cancelled"}}))
    client.cancel(Cancel({"order_id": "1-2"}, reason="  "))
    assert transport.requests[0].read() == b"{}"


def test_a_long_reason_is_cut_and_one_that_is_no_unicode_still_goes(dictated):
    client, transport = dictated((200, {"order": {"id": "1-2", "status": "cancelled"}}))
    client.cancel(Cancel({"order_id": "1-2"}, reason="\ud800" + "字" * 300))
    assert transport.requests[0].read().decode() == '{"reason": "?' + "字" * 254 + '"}'


@pytest.mark.parametrize(
    ("order_id", "path"),
    [
        ("10234136520598611512", "10234136520598611512"),
        ("102341365205986115123", "102341365205986115123"),
        ("00000004", "00000004"),
        ("a/../b", "a%2F..%2Fb"),
        ("a?b#c&d=%41", "a%3Fb%23c%26d%3D%2541"),
        ("单号 7", "%E5%8D%95%E5%8F%B7%207"),
    ],
)
def test_an_id_is_one_step_of_the_path_whatever_it_holds(dictated, order_id, path):
    client, transport = dictated((200, {"order": {"id": order_id, "status": "cancelled"}}))
    client.cancel(Cancel({"order_id": order_id}))
    assert transport.requests[0].url.raw_path.decode() == f"/openapi/2022-01/orders/{path}/cancel"


def test_a_token_that_cannot_be_sent_stops_a_cancel_before_the_wire(store):
    client, wire = store(token="two words")
    with pytest.raises(AuthFailed):
        client.cancel(Cancel({"order_id": "633130-00000001"}))
    assert wire.exchanges == []


def test_httpx_does_not_rewrite_the_path_that_was_encoded():
    assert httpx.Request("GET", "https://h/a%2F..%2Fb").url.raw_path == b"/a%2F..%2Fb"
