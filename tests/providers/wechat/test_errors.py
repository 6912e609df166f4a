"""Every documented code is one error with a sentence; everything else is never taken for an answer."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from providers.contract import Cancel
from providers.errors import (
    AuthFailed,
    Cause,
    OutcomeUnknown,
    ProtocolError,
    ProviderError,
    RateLimited,
    Rejected,
    Unreachable,
)
from providers.wechat import advice, errors
from providers.wechat.errors import Speaker, raise_for, seconds_to_tomorrow
from providers.wire import Answer
from tests.providers.wechat.stage import REF, Shop, said

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RID = " rid: 5f3a1b2c-0a1b2c3d-7e8f9a0b"

EXPRESS = {
    -1: OutcomeUnknown, 40001: AuthFailed, 40003: Rejected, 40014: AuthFailed, 40033: Rejected, 40199: Rejected,
    41001: AuthFailed, 42001: AuthFailed, 43001: Rejected, 43002: Rejected, 44002: Rejected, 45009: RateLimited,
    45011: RateLimited, 45035: AuthFailed, 47001: Rejected, 48001: AuthFailed, 48004: AuthFailed, 48006: OutcomeUnknown,
    50002: AuthFailed, 61004: AuthFailed, 930557: OutcomeUnknown, 930561: Rejected, 930563: Rejected,
    9300501: Rejected, 9300503: Rejected, 9300506: Rejected, 9300522: OutcomeUnknown, 9300524: OutcomeUnknown,
    9300526: Rejected, 9300528: Rejected, 9909001: OutcomeUnknown,
}  # fmt: skip
TOKEN = {
    -1: (Unreachable, Cause.PLATFORM), 40001: (AuthFailed, Cause.KEYS), 40002: (AuthFailed, Cause.SETTINGS),
    40013: (AuthFailed, Cause.KEYS), 40125: (AuthFailed, Cause.KEYS), 40164: (AuthFailed, Cause.IP),
    40243: (AuthFailed, Cause.KEYS), 41002: (AuthFailed, Cause.SETTINGS), 41004: (AuthFailed, Cause.SETTINGS),
    45009: (RateLimited, Cause.PLATFORM), 45011: (RateLimited, Cause.PLATFORM), 48001: (AuthFailed, Cause.PERMISSION),
    50004: (AuthFailed, Cause.KEYS), 50007: (AuthFailed, Cause.KEYS), 61004: (AuthFailed, Cause.IP),
    89503: (AuthFailed, Cause.IP), 89506: (AuthFailed, Cause.IP), 89507: (AuthFailed, Cause.IP),
    12345: (AuthFailed, Cause.KEYS),
}  # fmt: skip
CLOUD = {
    -1: OutcomeUnknown, -1000: OutcomeUnknown, 40014: AuthFailed, 40101: AuthFailed, 41001: AuthFailed,
    42001: AuthFailed, 43002: Rejected, 44002: Rejected, 85088: AuthFailed, -501000: ProtocolError,
    40199: ProtocolError, 9300506: ProtocolError, 9300524: ProtocolError,
}  # fmt: skip
FUNCTION = {
    -1: OutcomeUnknown, -2: AuthFailed, -604101: AuthFailed, 40199: Rejected, 9300506: Rejected,
    9300524: OutcomeUnknown, 9300501: Rejected, 930563: Rejected, 40001: ProtocolError,
    45011: ProtocolError, 77: ProtocolError,
}  # fmt: skip
CAUSES = {
    40001: Cause.KEYS, 40014: Cause.KEYS, 41001: Cause.KEYS, 42001: Cause.KEYS, 48001: Cause.PERMISSION,
    48004: Cause.PERMISSION, 50002: Cause.PERMISSION, 61004: Cause.IP, 45035: Cause.IP,
}  # fmt: skip


def answer(body, write=True, status=200, kind="application/json"):
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, {"content-type": kind}, raw, write)


def refused(body, speaker=Speaker.EXPRESS, **more):
    with pytest.raises(ProviderError) as caught:
        raise_for(answer(body, **more), speaker, now=NOW)
    return caught.value


def test_the_express_table_has_exactly_the_documented_codes():
    assert errors.TABLES[Speaker.EXPRESS].keys() == EXPRESS.keys()


@pytest.mark.parametrize(("code", "kind"), EXPRESS.items())
def test_every_express_code_is_one_error_with_a_sentence(code, kind):
    error = refused({"errcode": code, "errmsg": f"some words{RID}"})
    assert type(error) is kind
    assert error.code == str(code)
    assert error.cause is CAUSES.get(code, Cause.PLATFORM if kind is RateLimited else None)
    assert error.request_id == "5f3a1b2c-0a1b2c3d-7e8f9a0b"
    assert error.advice.agent
    assert error.advice != kind.default_advice
    assert bool(error.advice.admin) or kind is not AuthFailed


@pytest.mark.parametrize(("code", "kind"), EXPRESS.items())
def test_doubt_on_a_read_is_only_unreachable(code, kind):
    error = refused({"errcode": code, "errmsg": "some words"}, write=False)
    assert type(error) is (Unreachable if kind is OutcomeUnknown else kind)


@pytest.mark.parametrize(("code", "expected"), TOKEN.items())
def test_every_code_of_a_token_call_says_what_to_mend(code, expected):
    error = refused({"errcode": code, "errmsg": f"some words{RID}"}, Speaker.TOKEN, write=False)
    assert (type(error), error.cause) == expected
    assert error.code == str(code)
    assert error.advice.agent
    assert error.advice.admin or code == 45011


@pytest.mark.parametrize(("code", "kind"), CLOUD.items())
def test_every_code_before_a_cloud_function_is_one_error(code, kind):
    error = refused({"errcode": code, "errmsg": "some words"}, Speaker.CLOUD)
    assert type(error) is kind
    assert error.advice.agent


@pytest.mark.parametrize(("code", "kind"), FUNCTION.items())
def test_every_code_of_a_cloud_function_is_one_error(dictated, code, kind):
    inner = json.dumps({"errCode": code, "errMsg": "openapi.logistics.cancelOrder:fail words"})
    unread = {"errcode": 48001, "errmsg": "api unauthorized"}
    one, _ = dictated({"errcode": 0, "errmsg": "ok", "resp_data": inner}, unread, route="cloud")
    with pytest.raises(ProviderError) as caught:
        one.client.cancel(Cancel(REF))
    assert type(caught.value) is kind
    assert caught.value.code == str(code)
    assert caught.value.advice.agent


def test_a_moving_parcel_has_the_courier_named_as_the_way_out():
    assert "intercept" in refused({"errcode": 9300506, "errmsg": "x"}).advice.agent


def test_the_couriers_own_words_stand_beside_its_refusal():
    body = {
        "errcode": 9300501,
        "errmsg": f"delivery logic fail{RID}",
        "delivery_resultcode": 30004,
        "delivery_resultmsg": "快递不支持取消运单",
    }
    assert "30004: 快递不支持取消运单" in refused(body).message


def test_an_unknown_number_is_doubt_on_a_cancel_and_nothing_on_a_read():
    assert type(refused({"errcode": 4711, "errmsg": "?"})) is ProtocolError
    assert type(refused({"errcode": 4711, "errmsg": "?"}, write=False)) is Unreachable


def test_the_minute_quota_waits_a_minute_and_the_daily_one_until_midnight_in_china():
    assert refused({"errcode": 45011, "errmsg": "x"}).retry_after == 60
    wait = refused({"errcode": 45009, "errmsg": "x"}).retry_after
    assert wait == seconds_to_tomorrow(NOW) == (10 * 3600 + 53 * 60 + 53)


def test_a_secret_in_the_platforms_words_is_blotted_out():
    with pytest.raises(Rejected) as caught:
        raise_for(
            answer({"errcode": 930561, "errmsg": "args error s3cret"}),
            Speaker.EXPRESS,
            now=NOW,
            clean=lambda text: text.replace("s3cret", "▇"),
        )
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (404, "text/html", Cause.SETTINGS), (302, "text/html", Cause.SETTINGS), (200, "text/html", Cause.SETTINGS),
        (502, "text/html", Cause.PLATFORM), (500, "application/json", Cause.PLATFORM),
    ],
)  # fmt: skip
def test_another_server_is_told_from_a_fault_of_wechats(status, kind, cause):
    error = refused(b"<html>no</html>", Speaker.TOKEN, write=False, status=status, kind=kind)
    assert (type(error), error.cause) == (Unreachable, cause)


def test_every_sentence_is_of_use_to_an_agent_and_holds_no_bare_code():
    every = [one for one in vars(advice).values() if isinstance(one, advice.Advice)]
    assert len(every) > 30
    assert all(len(one.agent) > 40 and one.agent.endswith(".") for one in every)
    assert all(one.admin == "" or one.admin.endswith(".") for one in every)


OK = b'{"errcode":0,"errmsg":"ok"}'
ODD = [
    said(b""), said(b"null"), said(b"true"), said(b"0"), said(b'"ok"'), said(b"[]"), said(b"{}"), said(OK[:-1]),
    said([{"errcode": 0, "errmsg": "ok"}]), said({"errmsg": "ok"}), said({"errcode": None, "errmsg": "ok"}),
    said({"errcode": "0", "errmsg": "ok"}), said({"errcode": False, "errmsg": "ok"}), said({"errcode": "ok"}),
    said(b'{"errcode":0.0,"errmsg":"ok"}'), said(b'{"errcode":0,"errmsg":"ok","errcode":9300506}'),
    said(b'{"errcode":9300506,"errmsg":"ok","errcode":0}'), said(b'{"errcode":NaN,"errmsg":"ok"}'),
    said({"errcode": 0}), said({"errcode": 0, "errmsg": None}), said({"errcode": [0], "errmsg": "ok"}),
    said({"errcode": {"a": 0}, "errmsg": "ok"}), said(OK + OK), said({"errcode": 0, "errmsg": 5}),
    said({"errcode": 0, "errmsg": ["ok"]}), said({"errCode": 0, "errMsg": "ok"}),
    said({"data": {"errcode": 0, "errmsg": "ok"}}), said({"ErrCode": 0}), said({"errcode ": 0}),
    said({"errcode": 0, "errmsg": "ok", "order_id": "other"}), said({"errcode": 0, "errmsg": "ok", "waybill_id": "9"}),
    said({"errcode": 0, "errmsg": "ok", "delivery_id": "ZTO"}),
    said({"errcode": 0, "errmsg": "ok", "delivery_resultcode": 30004}),
    said({"errcode": 0, "errmsg": "ok", "delivery_resultcode": "0"}),
    said({"errcode": 0, "errmsg": "ok", "delivery_resultcode": [1]}), said({"errcode": 9300000, "errmsg": "?"}),
    said({"errcode": 1, "errmsg": "ok"}), said(b"\xff\xfe" + OK), said(b"\xef\xbb\xbf" + OK),
    said(OK.decode().encode("utf-16")), said(b'{"errcode":0,"errmsg":"\xff"}'), said(b"[" * 100000),
    said(b'{"errcode":' + b"9" * 5000 + b"}"), said(OK, kind="text/html"), said(OK, kind=""),
    said(OK, kind="text/plain"), said(OK, kind="application/xml"), said(b"<html>ok</html>", kind="text/html"),
    said(OK, 201), said(OK, 202), said(b"", 204), said(OK, 206), said(b"", 302, location="https://elsewhere.invalid/"),
    said(OK, 400), said({"errcode": 9300506, "errmsg": "x"}, 400), said(OK, 401), said(OK, 403), said(OK, 404),
    said(OK, 429), said(OK, 500), said({"errcode": 40001, "errmsg": "x"}, 500), said(OK, 502), said(OK, 503),
    said(b"", 504), said(OK, **{"content-encoding": "gzip"}), said(b"x" * (1024 * 1024 + 1)),
    said({"errcode": "40001", "errmsg": "x"}), said({"errcode": "9300506", "errmsg": "x"}), httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("gone"), httpx.WriteError("cut"), httpx.DecodingError("bad"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_answer_to_a_cancel_is_doubt_and_asked_only_once(dictated, odd):
    one, transport = dictated(odd)
    with pytest.raises(OutcomeUnknown):
        one.client.cancel(Cancel(REF))
    assert [request.url.path for request in transport.requests].count("/cgi-bin/express/business/order/cancel") == 1


INNER = [
    None, "", "null", "[]", "{}", "0", '"ok"', '{"errCode":0', '{"errMsg":"x"}', '{"errCode":"0"}',
    '{"errCode":false}', '{"errcode":0,"errmsg":"ok"}', '{"errCode":0,"errCode":0}', '{"errCode":0}',
    '{"errCode":0,"errMsg":null}', '{"errCode":0,"errMsg":"openapi.logistics.cancelOrder:fail system error"}',
    '{"errCode":0,"errMsg":"openapi.logistics.getOrder:ok"}', '{"errCode":0,"errMsg":"openapi.logistics.addOrder:ok"}',
    '{"errCode":0,"errMsg":5}', '{"errCode":0,"errMsg":"ok","orderId":"x"}',
    '{"errCode":0,"errMsg":"ok","waybillId":"x"}', '{"errCode":0,"errMsg":"ok","deliveryResultcode":7}',
    '{"errCode":0,"errMsg":"ok","orderId":"1","order_id":"2"}', '{"errCode":0.0}', '{"errCode":NaN}', '{"errCode":12}',
    {"errCode": 0}, 0, ["x"], '{"errCode":0}{"errCode":0}', '{"statusCode":200,"body":"{}"}', '"{\\"errCode\\":0}"',
]  # fmt: skip


@pytest.mark.parametrize("inner", INNER, ids=range(len(INNER)))
def test_an_odd_answer_of_a_cloud_function_is_doubt_and_asked_only_once(dictated, inner):
    one, transport = dictated({"errcode": 0, "errmsg": "ok", "resp_data": inner}, route="cloud")
    with pytest.raises(OutcomeUnknown):
        one.client.cancel(Cancel(REF))
    assert [request.url.path for request in transport.requests].count("/tcb/invokecloudfunction") == 1


def attempt(read, one):
    """Return the error of ours a read ends in, or ``None``; any other exception is the test's failure."""
    try:
        read(one)
    except ProviderError as error:
        return error
    return None


READS = {
    "ping": lambda one: one.client.ping(),
    "get_order": lambda one: one.client.get_order(REF),
    "get_orders": lambda one: one.client.get_orders([REF]),
    "choices": lambda one: one.client.choices("delivery_id"),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_answer_to_a_read_ends_in_a_value_or_an_error_of_ours(dictated, odd, read):
    one, _ = dictated(odd)
    assert not isinstance(attempt(READS[read], one), OutcomeUnknown)


STRANGE = [None, True, 0, -1, 5, "x", "", [], {}, [None], [1, "x"], {"a": 1}, 10**30, "1" * 30]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_a_strange_value_in_any_field_of_a_read_breaks_nothing(dictated, strange):
    path = {"action_time": strange, "action_type": strange, "action_msg": strange}
    body = {
        "order_status": strange, "waybill_data": strange, "path_item_num": strange, "openid": strange,
        "path_item_list": [path, strange], "data": [{"delivery_id": strange, "delivery_name": strange}, strange],
        "order_list": [{**REF, "order_status": strange, "errcode": strange}, {"order_id": strange}, strange],
    }  # fmt: skip
    for field in ("path_item_list", "data", "order_list"):
        for shape in (body, {**body, field: strange}):
            one: Shop = dictated(shape)[0]
            for read in READS.values():
                assert not isinstance(attempt(read, one), OutcomeUnknown)
