"""Answers nobody documented: never a success, never a refusal, never a crash."""

import gzip
import json

import httpx
import pytest

from providers.contract import Cancel, OrderQuery
from providers.errors import (
    Cause,
    OutcomeUnknown,
    ProviderError,
    Unreachable,
)
from tests.providers.taobao.answers import JSON, REF, SEED_XML, XML, body, refusal

GOOD = body({"success": True, "error_code": "200"})
DEEP = b"[" * 50_000
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><pc_order_cancel_response><result><success>true</success>'
    b"<error_msg>&b;</error_msg></result></pc_order_cancel_response>"
)
ODD = {
    "html": (200, b"<html><body>ok</body></html>", {"content-type": "text/html"}),
    "html called json": (200, b"<html><body>ok</body></html>", JSON),
    "success called html": (200, GOOD, {"content-type": "text/html"}),
    "success called text": (200, GOOD, {"content-type": "text/plain"}),
    "success without a type": (200, GOOD, {}),
    "success with 201": (201, GOOD, JSON),
    "success with 202": (202, GOOD, JSON),
    "success with 204": (204, b"", JSON),
    "success with 302": (302, GOOD, {**JSON, "location": "https://elsewhere.invalid/"}),
    "success with 400": (400, GOOD, JSON),
    "success with 500": (500, GOOD, JSON),
    "refusal with 500": (500, refusal(25)[1], JSON),
    "refusal with 403": (403, refusal(25)[1], JSON),
    "gateway 502": (502, b"<html>Bad Gateway</html>", {"content-type": "text/html"}),
    "too many requests": (429, b"", {"retry-after": "1"}),
    "unauthorised": (401, b"", {}),
    "empty": (200, b"", JSON),
    "empty xml": (200, b"", XML),
    "blank": (200, b"  \n", JSON),
    "null": (200, b"null", JSON),
    "true": (200, b"true", JSON),
    "number": (200, b"200", JSON),
    "text": (200, b'"success"', JSON),
    "list": (200, b'[{"success":true}]', JSON),
    "object": (200, b"{}", JSON),
    "not a number": (200, b'{"result":{"success":true,"x":NaN}}', JSON),
    "infinite": (200, b'{"result":{"success":true,"x":Infinity}}', JSON),
    "endless number": (200, b'{"result":{"success":true,"x":' + b"9" * 5000 + b"}}", JSON),
    "deep": (200, DEEP, JSON),
    "deep object": (200, b'{"a":' * 20_000, JSON),
    "deep xml": (200, b"<a>" * 20_000 + b"</a>" * 20_000, XML),
    "not utf-8": (200, GOOD.replace(b"200", b"\xb2\xce\xca\xfd"), JSON),
    "gb18030": (200, body({"success": True}, note="参").decode().encode("gb18030"), JSON),
    "byte order mark": (200, b"\xef\xbb\xbf" + GOOD, JSON),
    "utf-16": (200, GOOD.decode().encode("utf-16"), JSON),
    "two documents": (200, GOOD + GOOD, JSON),
    "trailing garbage": (200, GOOD + b"}", JSON),
    "doubled success": (200, b'{"pc_order_cancel_response":{"result":{"success":false,"success":true}}}', JSON),
    "doubled result": (
        200,
        b'{"pc_order_cancel_response":{"result":{"success":true},"result":{"success":true}}}',
        JSON,
    ),
    "doubled success xml": (
        200,
        b"<pc_order_cancel_response><result><success>true</success><success>false</success></result>"
        b"</pc_order_cancel_response>",
        XML,
    ),
    "doubled result xml": (
        200,
        b"<pc_order_cancel_response><result><success>true</success></result><result><success>true</success></result>"
        b"</pc_order_cancel_response>",
        XML,
    ),
    "other envelope": (200, json.dumps({"pc_order_get_response": {"result": {"success": True}}}).encode(), JSON),
    "other root": (200, b"<pc_order_got><result><success>true</success></result></pc_order_got>", XML),
    "envelope is text": (200, b'{"pc_order_cancel_response":"ok"}', JSON),
    "envelope is a list": (200, b'{"pc_order_cancel_response":[]}', JSON),
    "result missing": (200, b'{"pc_order_cancel_response":{"request_id":"r"}}', JSON),
    "result null": (200, body(None), JSON),
    "result true": (200, body(True), JSON),
    "result list": (200, body([{"success": True}]), JSON),
    "success missing": (200, body({"error_code": "200"}), JSON),
    "success null": (200, body({"success": None}), JSON),
    "success one": (200, body({"success": 1}), JSON),
    "success 1.0": (200, body({"success": 1.0}), JSON),
    "success zero": (200, body({"success": 0}), JSON),
    "success yes": (200, body({"success": "yes"}), JSON),
    "success TRUE": (200, body({"success": "TRUE"}), JSON),
    "success list": (200, body({"success": [True]}), JSON),
    "success object": (200, body({"success": {"value": True}}), JSON),
    "code object": (200, body({"success": True, "error_code": {}}), JSON),
    "code list": (200, body({"success": False, "error_code": []}), JSON),
    "code false": (200, body({"success": True, "error_code": False}), JSON),
    "order is text": (200, body({"success": True, "contract_place_order": "x"}), JSON),
    "order is a list": (200, body({"success": True, "contract_place_order": []}), JSON),
    "another order": (200, body({"success": True, "contract_place_order": {"biz_order_ids": ["10000002"]}}), JSON),
    "other orders": (
        200,
        body({"success": True, "contract_place_order": {"biz_order_ids": {"string": ["10000002", 10000003]}}}),
        JSON,
    ),
    "error and answer": (200, json.dumps({"error_response": {"code": 25}, **json.loads(GOOD)}).encode(), JSON),
    "error is text": (200, b'{"error_response":"no"}', JSON),
    "error is null": (200, b'{"error_response":null}', JSON),
    "error is a list": (200, b'{"error_response":[{"code":25}]}', JSON),
    "error without code": (200, b'{"error_response":{"msg":"Invalid signature"}}', JSON),
    "error code true": (200, b'{"error_response":{"code":true}}', JSON),
    "error code 25.0": (200, b'{"error_response":{"code":25.0}}', JSON),
    "error code words": (200, b'{"error_response":{"code":"twenty-five"}}', JSON),
    "error code negative": (200, b'{"error_response":{"code":-25}}', JSON),
    "error code huge": (200, b'{"error_response":{"code":25000000000}}', JSON),
    "error in capitals": (200, b'{"Error_Response":{"code":25}}', JSON),
    "entity bomb": (200, BOMB, XML),
    "document type": (200, b"<!DOCTYPE pc_order_cancel_response>" + SEED_XML.encode(), XML),
    "json called xml": (200, GOOD, XML),
    "xml called json": (200, SEED_XML.encode(), JSON),
    "two roots": (200, SEED_XML.encode() * 2, XML),
    "packed badly": (200, b"not gzip", {**JSON, "content-encoding": "gzip"}),
    "packed and cut": (200, gzip.compress(GOOD)[:-9], {**JSON, "content-encoding": "gzip"}),
    "huge": (200, b" " * (1024 * 1024 + 1) + GOOD, JSON),
}  # fmt: skip


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_to_a_cancel_is_doubt(error_of, name, form):
    error = error_of(ODD[name], format=form)
    assert isinstance(error, OutcomeUnknown)
    assert error.code
    assert error.advice.agent


def answering(name, method):
    """Return an odd answer as one to another method."""
    status, raw, headers = ODD[name]
    return status, raw.replace(b"pc_order_cancel_response", method.encode() + b"_response"), headers


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_shows_no_order(dictated, name):
    with pytest.raises(ProviderError) as caught:
        dictated(answering(name, "pc_order_detail"), detail=True).get_order(REF)
    assert not isinstance(caught.value, OutcomeUnknown)


# Odd as the answer to a cancel only: these hold a good verdict, and no order.
WITHOUT_ORDERS = {"order is text", "order is a list", "another order", "other orders"}


@pytest.mark.parametrize("name", sorted(set(ODD) - WITHOUT_ORDERS))
def test_an_odd_answer_is_neither_a_list_nor_a_sign_of_good_keys(dictated, name):
    for ask in (
        lambda: dictated(answering(name, "pc_order_list"), list=True).list_orders(OrderQuery()),
        lambda: dictated(answering(name, "pc_order_detail"), detail=True).ping(),
        lambda: dictated(answering(name, "time_get")).ping(),
    ):
        with pytest.raises(ProviderError) as caught:
            ask()
        assert not isinstance(caught.value, OutcomeUnknown)


def test_an_answer_in_the_format_not_asked_for_is_doubt(error_of):
    assert isinstance(error_of((200, SEED_XML.encode(), XML), format="json"), OutcomeUnknown)
    assert isinstance(error_of((200, GOOD, JSON), format="xml"), OutcomeUnknown)


@pytest.mark.parametrize(("whole", "headers", "form"), [(GOOD, JSON, "json"), (SEED_XML.encode(), XML, "xml")])
def test_a_success_cut_anywhere_is_doubt(error_of, whole, headers, form):
    for length in range(len(whole)):
        assert isinstance(error_of((200, whole[:length], headers), format=form), OutcomeUnknown)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((404, b"<html>", {"content-type": "text/html"}), Cause.SETTINGS),
        ((200, b"<html>", {"content-type": "text/html"}), Cause.SETTINGS),
        ((502, b"<html>", {"content-type": "text/html"}), Cause.PLATFORM),
    ],
)
def test_a_wrong_address_is_told_from_a_failing_platform(dictated, answer, cause):
    with pytest.raises(Unreachable) as caught:
        dictated(answer).ping()
    assert caught.value.cause is cause


def test_the_network_is_told_from_the_platform(dictated):
    client = dictated(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable) as caught:
        client.ping()
    assert caught.value.cause is Cause.NETWORK
    with pytest.raises(Unreachable):
        client.cancel(Cancel(REF))
