"""An answer nobody documented is neither a yes nor a no to a cancel, and to a read one to be repeated."""

import json

import pytest

from providers.contract import Cancel, OrderQuery
from providers.errors import (
    ProtocolError,
    Unreachable,
)
from providers.huaweicloud import advice
from providers.huaweicloud.errors import read_refusal, refuses_token
from providers.wire import Answer

from .codes import JSON, ORDER
from .conftest import as_json, failing

REFUSED = failing(400, "CBC.99005010")[2]
ODD = {
    "200 with nothing": (200, JSON, b""),
    "200 with an empty object": (200, JSON, b"{}"),
    "200 with the order": (200, JSON, json.dumps(ORDER).encode()),
    "200 with the right words": (200, JSON, b'{"status": "cancelled", "success": true}'),
    "200 with a refusal": (200, JSON, REFUSED),
    "200 as text": (200, {"content-type": "text/plain"}, b"OK"),
    "200 without a content type": (200, {}, b"{}"),
    "200 as a page": (200, {"content-type": "text/html"}, b"<html>Sign in</html>"),
    "200 cut short": (200, JSON, b'{"order_id": "CS17'),
    "200 in Latin-1": (200, JSON, b'{"a": "\xe9"}'),
    "201": (201, JSON, b"{}"),
    "202": (202, JSON, b""),
    "203": (203, JSON, b""),
    "204 with a body": (204, JSON, b'{"error_code": "CBC.0100", "error_msg": "no"}'),
    "205": (205, {}, b""),
    "206": (206, JSON, b""),
    "301": (301, {"location": "https://elsewhere.invalid/"}, b""),
    "302": (302, {"location": "https://elsewhere.invalid/"}, b""),
    "304": (304, {}, b""),
    "307": (307, {"location": "/again"}, b""),
    "400 with nothing": (400, JSON, b""),
    "400 with null": (400, JSON, b"null"),
    "400 with a list": (400, JSON, b"[]"),
    "400 with a number": (400, JSON, b"7"),
    "400 with a code but no message": (400, JSON, b'{"error_code": "CBC.99005010"}'),
    "400 with a message but no code": (400, JSON, b'{"error_msg": "Orders in this state cannot be canceled."}'),
    "400 with a code of the wrong type": (400, JSON, b'{"error_code": ["CBC.99005010"], "error_msg": "no"}'),
    "400 with a code that is true": (400, JSON, b'{"error_code": true, "error_msg": "no"}'),
    "400 with a code that is null": (400, JSON, b'{"error_code": null, "error_msg": "no"}'),
    "400 with a message of the wrong type": (400, JSON, b'{"error_code": "CBC.99005010", "error_msg": {}}'),
    "400 with two codes under one key": (
        400,
        JSON,
        b'{"error_code": "CBC.0100", "error_code": "CBC.99005010", "error_msg": "no"}',
    ),
    "400 refused, but as a page": (400, {"content-type": "text/html"}, REFUSED),
    "400 refused, but as text": (400, {"content-type": "text/plain"}, REFUSED),
    "400 refused, without a content type": (400, {}, REFUSED),
    "400 refused, cut short": (400, JSON, REFUSED[:-9]),
    "400 refused, with a tail": (400, JSON, REFUSED + b"}"),
    "400 refused, in UTF-16": (400, JSON, REFUSED.decode().encode("utf-16")),
    "400 refused, with a byte order mark": (400, JSON, b"\xef\xbb\xbf" + REFUSED),
    "400 with a number nobody can mean": (400, JSON, b'{"error_code": "CBC.0100", "error_msg": "a", "n": NaN}'),
    "400 with an exponent nobody can mean": (
        400,
        JSON,
        b'{"error_code": "CBC.0100", "error_msg": "", "n": 1e9999999999999999999}',
    ),
    "400 nested too deep": (400, JSON, b"[" * 100_000),
    "400 with the code of a 500": (400, JSON, failing(400, "CBC.0999")[2]),
    "401 with nothing": (401, {}, b""),
    "401 as a page": (401, {"content-type": "text/html"}, b"<html>"),
    "403 as a page": (403, {"content-type": "text/html"}, b"<html>blocked by a firewall</html>"),
    "404 as a page": (404, {"content-type": "text/html"}, b"<html>nginx</html>"),
    "408 refused": (408, JSON, REFUSED),
    "429 with nothing": (429, {"retry-after": "1"}, b""),
    "499 refused": (499, JSON, REFUSED),
    "500 with nothing": (500, JSON, b""),
    "500 with a refusal": (500, JSON, REFUSED),
    "500 with a sign-in problem": (500, JSON, failing(500, "APIGW.0301")[2]),
    "500 with a code nobody listed": (500, JSON, failing(500, "CBC.99009999")[2]),
    "502 as a page": (502, {"content-type": "text/html"}, b"<html>502</html>"),
    "503 throttled": (503, JSON, failing(503, "APIGW.0308")[2]),
    "504 with nothing": (504, {}, b""),
    "gzip that is none": (204, {"content-encoding": "gzip"}, b"plain"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_to_a_cancel_is_never_a_yes_nor_a_no(dictated, name):
    client, wire, _ = dictated(ODD[name])
    with pytest.raises(ProtocolError):
        client.cancel(Cancel(ORDER))
    assert len(wire.exchanges) == 1


@pytest.mark.parametrize("auth", ["aksk", "token"])
@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_to_a_read_is_a_read_to_be_repeated(dictated, tokens, name, auth):
    good = as_json(201, {"token": {}}, x_subject_token="T" * 40)
    for call in (
        lambda one: one.ping(),
        lambda one: one.list_orders(OrderQuery()),
        lambda one: one.get_order(ORDER),
        lambda one: one.get_orders([ORDER]),
    ):
        client, _, _ = dictated(*([good] if auth == "token" and not tokens.get("token") else []), ODD[name], auth=auth)
        with pytest.raises(Unreachable):
            call(client)


@pytest.mark.parametrize(
    "value",
    [
        {"order_info": {"order_id": "CS170926155954NO8", "status": 4}},
        {"order_info": {"status": 4}},
        {"order_info": {"order_id": None, "status": 4}},
        {"order_info": {"order_id": ["CS170926155954NO7"], "status": 4}},
        {"order_info": [{"order_id": "CS170926155954NO7", "status": 4}]},
        {"order_info": "CS170926155954NO7"},
        {"order_id": "CS170926155954NO7", "status": 4},
        {"total_count": 1},
    ],
)
def test_details_that_are_not_of_the_order_asked_for_prove_nothing(dictated, value):
    client, _, _ = dictated(as_json(200, value))
    with pytest.raises(Unreachable):
        client.get_order(ORDER)


@pytest.mark.parametrize("value", [{"order_infos": {}}, {"order_infos": "none"}, {"total_count": 3}, {}])
def test_a_list_without_its_rows_is_not_an_empty_list(dictated, value):
    client, _, _ = dictated(as_json(200, value))
    with pytest.raises(Unreachable):
        client.list_orders(OrderQuery())


@pytest.mark.parametrize(
    ("answer", "is_stale"),
    [
        (failing(401, "APIGW.0301", "decrypt token fail"), True),
        (failing(401, "APIG.0307", "token must be updated"), True),
        (failing(401, "IAM.0001", "unauthorised"), True),
        (failing(400, "CBC.0100", "x_auth_token is expired"), True),
        (failing(403, "CBC.0151", "The Token has Expired."), True),
        (failing(400, "CBC.0100", "Parameter error."), False),
        (failing(500, "CBC.0999", "x_auth_token is expired"), False),
        (failing(500, "APIGW.0301", "decrypt token fail"), False),
        (failing(408, "APIGW.0301", "decrypt token fail"), False),
        ((401, {}, b""), False),
        ((401, {"content-type": "text/html"}, b"<html>token expired</html>"), False),
        ((200, JSON, b'{"error_code": "APIGW.0301", "error_msg": "decrypt token fail"}'), False),
    ],
)
def test_only_a_definite_refusal_of_the_token_may_be_repeated(answer, is_stale):
    status, headers, body = answer
    assert refuses_token(Answer(status, headers, body, write=True)) is is_stale


def test_a_code_longer_than_the_page_says_is_kept_whole_and_a_half_character_hurts_nobody():
    refusal = read_refusal(Answer(400, JSON, b'{"error_code": "CBC.99005010", "error_msg": "a\\ud800\\u0000b"}'))
    assert refusal is not None
    assert (refusal.code, refusal.message) == ("CBC.99005010", "a?b")


def test_every_sentence_names_no_code_and_ends_like_one():
    written = [one for one in vars(advice).values() if isinstance(one, type(advice.PAID))]
    assert len(written) > 20
    for one in written:
        assert one.agent.endswith(".")
        assert "CBC." not in one.agent + one.admin
        assert "APIGW" not in one.agent + one.admin
