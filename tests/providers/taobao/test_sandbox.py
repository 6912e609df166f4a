"""The pretend gateway lets in what the real one would, and nothing else."""

import json
from urllib.parse import urlencode

import pytest

from providers.contract import Status
from providers.taobao import PROVIDER
from providers.taobao.auth import sign, stamp
from providers.taobao.sandbox import SANDBOX
from providers.world import SandboxRequest, World
from tests.providers.taobao.shop import NOW

SECRET = SANDBOX.credential["app_secret"]
FORM = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
TIME = {
    "method": "taobao.time.get",
    "app_key": "99990001",
    "timestamp": stamp(NOW),
    "format": "json",
    "v": "2.0",
    "sign_method": "md5",
}


@pytest.fixture
def answer(world):
    """Send parameters, signed unless they bring a signature; return the answer's tree, or its text if XML."""

    def ask(params, verb="POST", in_query=()):
        params = {name: value for name, value in params.items() if value is not None}
        if "sign" not in params and params.get("sign_method") in ("md5", "hmac", "hmac-sha256"):
            params["sign"] = sign(params, SECRET, params["sign_method"])
        query = urlencode({name: value for name, value in params.items() if name in in_query or verb == "GET"})
        body = urlencode({name: value for name, value in params.items() if name not in in_query and verb != "GET"})
        request = SandboxRequest(verb, "/taobao", "/router/rest", query, FORM, body.encode())
        reply = SANDBOX.respond(request, world)
        assert reply.status == 200
        return json.loads(reply.body) if "json" in reply.headers["content-type"] else reply.body.decode()

    return ask


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"method": None}, 21),
        ({"app_key": None}, 28),
        ({"app_key": "1"}, 29),
        ({"timestamp": None}, 30),
        ({"timestamp": "yesterday"}, 31),
        ({"timestamp": "2026-03-04 05:06:07"}, 31),
        ({"v": None}, 32),
        ({"v": "3.0"}, 33),
        ({"format": "yaml"}, 23),
        ({"sign_method": "none"}, 24),
        ({"sign_method": "none", "sign": "A"}, 25),
        ({"sign": sign(TIME, SECRET, "md5").lower()}, 25),
        ({"sign": sign(TIME, SECRET, "hmac")}, 25),
        ({"sign": sign(TIME, SECRET, "md5"), "extra": ""}, 25),
        ({"method": "taobao.pc.order.forget"}, 22),
        ({"method": "taobao.pc.order.cancel"}, 40),
        ({"method": "taobao.pc.order.cancel", "param": "{'a': 1}"}, 15),
        ({"method": "taobao.pc.order.cancel", "param": "[]"}, 15),
        ({"method": "taobao.pc.order.cancel", "param": '{"biz_order_id":"1"}'}, 40),
        ({"method": "taobao.pc.order.cancel", "param": '{"biz_order_id":"1","buyer_id":"1"}'}, 41),
        ({"method": "taobao.pc.order.cancel", "param": '{"biz_order_id":1,"buyer_id":1}'}, 41),
    ],
)
def test_a_faulty_call_is_refused_by_its_number(answer, changed, code):
    tree = answer({**TIME, **changed})
    if isinstance(tree, str):
        assert f"<code>{code}</code>" in tree
    else:
        assert tree["error_response"]["code"] == code


def test_only_get_and_post_are_known(answer):
    assert answer(TIME, verb="PUT")["error_response"]["code"] == 9


@pytest.mark.parametrize("way", [{"verb": "GET"}, {"in_query": ("method", "app_key", "sign")}, {}])
def test_parameters_may_stand_in_query_or_body(answer, way):
    assert answer(TIME, **way)["time_get_response"]["time"] == stamp(NOW)


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
def test_every_sign_method_is_let_in_with_blanks_signed_as_sent(answer, method):
    assert "time_get_response" in answer({**TIME, "sign_method": method, "partner_id": ""})


def test_milliseconds_are_a_time_too(answer):
    assert "time_get_response" in answer({**TIME, "timestamp": str(int(NOW.timestamp() * 1000))})


def test_xml_is_the_default(answer):
    assert "<time_get_response><time>" in answer({**TIME, "format": None})


def test_a_slim_answer_has_no_envelope_but_a_slim_refusal_has(answer):
    assert set(answer({**TIME, "simplify": "true"})) == {"time", "request_id"}
    assert set(answer({**TIME, "simplify": "true", "v": "1"})) == {"error_response"}


def test_another_address_is_not_the_gateway(world):
    request = SandboxRequest("POST", "", "/", "", FORM, b"")
    assert SANDBOX.respond(request, world).status == 404


def test_the_pretend_world_is_the_same_every_time_and_mostly_cancellable():
    worlds = [World("taobao", now=lambda: NOW) for _ in range(2)]
    for made in worlds:
        SANDBOX.seed(made, 400)
    assert list(worlds[0].all()) == list(worlds[1].all())
    truths = [SANDBOX.truth(document) for _key, document in worlds[0].all()]
    assert set(truths) == {Status.OPEN, Status.SHIPPED, Status.CLOSED, Status.CANCELLED}
    assert truths.count(Status.OPEN) > len(truths) / 2
    rows = list(SANDBOX.rows(worlds[0]))
    assert len(rows) == 404
    assert len({(row["biz_order_id"], row["buyer_id"]) for row in rows}) == 404
    for row in rows:
        assert set(row) >= {field.name for field in PROVIDER.card.lookup} | {"order_number", "placed_at", "status"}
        assert all(isinstance(value, str) for value in row.values())
    assert any(not row["buyer_name"].isascii() for row in rows)
