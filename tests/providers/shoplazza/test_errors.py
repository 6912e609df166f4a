"""Every documented refusal is one error with a sentence; everything else is never taken for an answer."""

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
from providers.shoplazza import errors
from providers.wire import Answer

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ID = "633130-00000004"
ORDER = {"id": ID, "status": "cancelled"}
WRITES = [
    (400, Rejected, None),
    (401, AuthFailed, Cause.KEYS),
    (403, AuthFailed, Cause.PERMISSION),
    (404, Rejected, None),
    (405, AuthFailed, Cause.SETTINGS),
    (406, Rejected, None),
    (422, Rejected, None),
    (429, RateLimited, Cause.PLATFORM),
    (500, OutcomeUnknown, None),
]
SHAPES = [
    {"errors": ["file number error"]},
    {"errors": "file number error"},
    {"error": "file number error"},
    {"code": "Failed", "message": "file number error"},
]


def outcome(act):
    """Return what a call gives back, and the platform error it raises instead."""
    try:
        return act(), None
    except ProviderError as error:
        return None, error


def answer(status, body, write=True, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {"content-type": "application/json", **headers}, raw, write)


def test_the_table_has_exactly_the_documented_statuses():
    assert sorted(errors.MEANINGS) == [status for status, *_ in WRITES]


@pytest.mark.parametrize("shape", SHAPES, ids=["list", "text", "error", "later"])
@pytest.mark.parametrize(("status", "kind", "cause"), WRITES)
def test_every_documented_status_is_one_error_in_every_documented_shape(status, kind, cause, shape):
    error = errors.refusal(answer(status, shape, **{"request-id": "r-1"}), now=NOW)
    assert type(error) is kind
    assert error.cause is cause
    assert error.code == str(status)
    assert "file number error" in error.message
    assert error.request_id == "r-1"
    assert error.advice.agent.endswith(".")
    assert bool(error.advice.admin) == (kind is AuthFailed or status == 400)


def test_every_documented_status_has_a_sentence_of_its_own_for_somebody():
    sentences = [(one.advice.agent, one.advice.admin) for one in errors.MEANINGS.values()]
    assert len(set(sentences)) == len(sentences)


def test_raise_for_lets_only_a_plain_200_pass():
    errors.raise_for(answer(200, b"anything"), now=NOW)
    for status in (201, 202, 204, 206, 301, 302, 304, 402, 409, 410, 418, 501, 502, 503, 504):
        with pytest.raises(ProtocolError):
            errors.raise_for(answer(status, {"errors": ["x"]}), now=NOW)


def test_a_fault_of_the_server_leaves_a_write_in_doubt_and_a_read_to_be_repeated():
    body = {"errors": ["StatusInternalServerError: DeadlineExceeded"]}
    assert type(errors.refusal(answer(500, body), now=NOW)) is OutcomeUnknown
    assert type(errors.refusal(answer(500, body, write=False), now=NOW)) is Unreachable


@pytest.mark.parametrize("status", [status for status, *_ in WRITES])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"<html>no</html>", "text/html"),
        (b'{"errors": ["x"]}', "text/html"),
        (b'{"message": "no Route matched"}', "application/json"),
        (b'{"errors": [1]}', "application/json"),
        (b'{"errors": ["x"], "errors": ["y"]}', "application/json"),
        (b'{"errors": ["x"], "order": {"id": "1"}}', "application/json"),
        (b'["x"]', "application/json"),
        (b'{"errors": ["x', "application/json"),
        (b'{"errors": ["\xff"]}', "application/json"),
        (b'{"code": "Success", "message": "done"}', "application/json"),
    ],
)
def test_a_documented_status_without_the_platforms_own_shape_decides_nothing(status, body, kind):
    told = Answer(status, {"content-type": kind}, body, write=True)
    wordless_429 = status == 429 and body == b""
    assert type(errors.refusal(told, now=NOW)) is (RateLimited if wordless_429 else ProtocolError)
    read = Answer(status, {"content-type": kind}, body, write=False)
    assert type(errors.refusal(read, now=NOW)) is (RateLimited if wordless_429 else Unreachable)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Rejected), (406, Rejected), (404, ProtocolError), (403, ProtocolError)]
)
def test_a_wordless_refusal_counts_where_the_documents_have_one(status, kind):
    for body in ({}, {"errors": []}):
        assert type(errors.refusal(answer(status, body), now=NOW)) is kind


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None), ("7", 7.0), ("1.5", 1.5), ("-3", 0.0), ("999999", 3600.0), ("nan", None), ("inf", None),
        ("soon", None), ("Wed, 04 Mar 2026 05:07:07 GMT", 60.0), ("Wed, 04 Mar 2026 05:00:00 GMT", 0.0),
        ("Wed, 99 Mar 2026 05:00:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_where_it_can_be(text, seconds):
    told = answer(429, {"errors": ["Too Many Requests"]}, **({"retry-after": text} if text else {}))
    error = errors.refusal(told, now=NOW)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_secrets_are_blotted_out_of_the_platforms_words(store, dictated):
    token = "sandbox-4rT9wQx2LmZk7Vb8-shoplazza"
    client, _ = dictated((404, {"errors": [f"no rights for {token}"]}))
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": ID}))
    assert token not in str(caught.value)
    assert "no rights for" in caught.value.message


# -- the 400 rule


@pytest.mark.parametrize(
    ("probe", "kind", "cause"),
    [
        ((200, {"count": 3}), Rejected, None),
        ((400, {"errors": ["Unauthorized"]}), AuthFailed, Cause.KEYS),
        ((401, {"errors": ["Unauthorized"]}), AuthFailed, Cause.KEYS),
        ((403, {"errors": ["no"]}), Rejected, None),
        ((500, {"errors": ["no"]}), Rejected, None),
        ((429, b""), Rejected, None),
        ((502, b"<html>", "text/html"), Rejected, None),
        (httpx.ReadTimeout("slow"), Rejected, None),
        (httpx.ConnectError("gone"), Rejected, None),
    ],
)
@pytest.mark.parametrize("act", ["cancel", "get_order", "list_orders"])
def test_400_is_the_keys_only_when_a_plain_read_is_refused_too(dictated, act, probe, kind, cause):
    client, transport = dictated((400, {"errors": ["Bad Request"]}), probe)
    from_act = {
        "cancel": lambda: client.cancel(Cancel({"order_id": ID}, reason="x")),
        "get_order": lambda: client.get_order({"order_id": ID}),
        "list_orders": lambda: client.get_orders([{"order_id": ID}]),
    }[act]
    with pytest.raises(ProviderError) as caught:
        from_act()
    assert type(caught.value) is kind
    assert caught.value.cause is cause
    assert caught.value.message == "Bad Request"
    assert caught.value.advice.agent
    assert [request.url.path for request in transport.requests[1:]] == ["/openapi/2022-01/orders/count"]
    assert [request.method for request in transport.requests[1:]] == ["GET"]


def test_a_400_nobody_could_explain_says_so(dictated):
    client, _ = dictated((400, {"errors": ["Bad Request"]}), httpx.ConnectError("gone"))
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": ID}))
    assert caught.value.advice == errors.KEYS_OR_REQUEST


def test_an_inactive_store_has_its_own_sentence(dictated):
    client, _ = dictated((400, {"error": "store is not active"}))
    with pytest.raises(AuthFailed) as caught:
        client.cancel(Cancel({"order_id": ID}))
    assert caught.value.advice == errors.INACTIVE


# -- 406 and 422


@pytest.mark.parametrize(
    ("state", "word", "advice"),
    [
        ({"status": "finished"}, "status finished", errors.FINISHED),
        ({"status": "placed", "fulfillment_status": "shipped"}, "fulfillment_status shipped", errors.SHIPPED),
        ({"status": "placed", "fulfillment_status": "waiting"}, "status placed", errors.MEANINGS[406].advice),
        ({"status": "on_hold"}, "status on_hold", errors.MEANINGS[406].advice),
        ({}, "not allowed", errors.MEANINGS[406].advice),
    ],
)
def test_406_names_the_state_the_order_was_read_in(dictated, state, word, advice):
    client, _ = dictated((406, {"errors": ["not allowed"]}), (200, {"order": {"id": ID, **state}}))
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": ID}))
    assert word in caught.value.message
    assert "not allowed" in caught.value.message
    assert caught.value.advice == advice


def test_406_on_a_cancelled_order_is_a_receipt_that_says_already(dictated):
    client, _ = dictated((406, {"error": "x"}), (200, {"order": {**ORDER, "canceled_at": None}}))
    receipt = client.cancel(Cancel({"order_id": ID}))
    assert receipt.final
    assert receipt.already


@pytest.mark.parametrize(
    "read",
    [
        (404, {"errors": ["Unable to find resource"]}),
        (500, {"errors": ["x"]}),
        (401, {"errors": ["x"]}),
        (200, {"order": {"id": "another", "status": "cancelled"}}),
        (200, b'{"order": {"id": "633130-00000004", "status": "placed", "status": "cancelled"}}'),
        (200, b"<html>", "text/html"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_406_stays_a_refusal_when_the_order_cannot_be_read(dictated, read):
    client, _ = dictated((406, {"errors": ["not allowed"]}), read)
    with pytest.raises(Rejected) as caught:
        client.cancel(Cancel({"order_id": ID}))
    assert caught.value.message == "not allowed"


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        ((200, {"order": {"id": ID, "status": "placed"}}), Rejected),
        ((404, {"errors": ["Unable to find resource"]}), Rejected),
        ((200, {"order": ORDER}), ProtocolError),
        ((200, {"order": {"id": ID, "status": "mystery"}}), ProtocolError),
        ((500, {"errors": ["x"]}), ProtocolError),
        (httpx.ReadTimeout("slow"), ProtocolError),
    ],
)
def test_422_is_believed_only_when_the_order_is_seen_not_cancelled(dictated, read, kind):
    client, _ = dictated((422, {"errors": ["reason is invalid"]}), read)
    with pytest.raises(ProviderError) as caught:
        client.cancel(Cancel({"order_id": ID}))
    assert type(caught.value) is kind


# -- answers no document describes

GOOD = json.dumps({"order": ORDER}).encode()
ODD = {
    "nothing": (200, b""),
    "null": (200, b"null"),
    "a text": (200, b'"cancelled"'),
    "a number": (200, b"1"),
    "true": (200, b"true"),
    "a list": (200, b"[" + GOOD + b"]"),
    "an empty object": (200, {}),
    "an order without content": (200, {"order": {}}),
    "an order that is null": (200, {"order": None}),
    "an order that is a list": (200, {"order": [ORDER]}),
    "no id": (200, {"order": {"status": "cancelled"}}),
    "an id that is null": (200, {"order": {"id": None, "status": "cancelled"}}),
    "an id that is true": (200, {"order": {"id": True, "status": "cancelled"}}),
    "an id that is a list": (200, {"order": {"id": [ID], "status": "cancelled"}}),
    "an id with a blank": (200, {"order": {"id": ID + " ", "status": "cancelled"}}),
    "another order": (200, {"order": {"id": "633130-00000005", "status": "cancelled"}}),
    "still placed": (200, {"order": {"id": ID, "status": "placed"}}),
    "no status": (200, {"order": {"id": ID}}),
    "American spelling": (200, {"order": {"id": ID, "status": "canceled"}}),
    "another case": (200, {"order": {"id": ID, "status": "Cancelled"}}),
    "a status that is a list": (200, {"order": {"id": ID, "status": ["cancelled"]}}),
    "a status that is true": (200, {"order": {"id": ID, "status": True}}),
    "only canceled_at": (200, {"order": {"id": ID, "canceled_at": "2026-03-04T05:06:07Z"}}),
    "two statuses": (200, b'{"order": {"id": "633130-00000004", "status": "placed", "status": "cancelled"}}'),
    "two orders": (200, b'{"order": {"id": "x"}, "order": {"id": "633130-00000004", "status": "cancelled"}}'),
    "errors beside the order": (200, {"order": ORDER, "errors": ["store is not active"]}),
    "an error beside the order": (200, {"order": ORDER, "error": "no"}),
    "errors in 200": (200, {"errors": ["Unable to find resource"]}),
    "a code that is no success": (200, {"code": "Failed", "data": {"order": ORDER}}),
    "ok that is false": (200, {"ok": False, "data": {"order": ORDER}}),
    "ok that is a text": (200, {"ok": "true", "data": {"order": ORDER}}),
    "data that is null": (200, {"code": "Success", "data": None}),
    "data that is a list": (200, {"code": "Success", "data": [ORDER]}),
    "html": (200, b"<html>ok</html>", "text/html"),
    "html that says it is json": (200, b"<html>ok</html>"),
    "json that says it is html": (200, GOOD, "text/html"),
    "json that says it is text": (200, GOOD, "text/plain"),
    "json that says nothing": (200, GOOD, ""),
    "cut short": (200, GOOD[:-2]),
    "more after it": (200, GOOD + GOOD),
    "no utf-8": (200, GOOD.replace(b"cancelled", b"cancelled\xff")),
    "utf-16": (200, GOOD.decode().encode("utf-16")),
    "NaN": (200, b'{"order": {"id": "633130-00000004", "status": "cancelled", "x": NaN}}'),
    "too deep": (200, b'{"a":' * 20000 + b"1" + b"}" * 20000),
    "too many digits": (200, b'{"order": {"id": ' + b"9" * 5000 + b', "status": "cancelled"}}'),
    "too large": (200, b'{"x": "' + b"x" * (1024 * 1024) + b'"}'),
    "created": (201, GOOD),
    "accepted": (202, GOOD),
    "no content": (204, b""),
    "partial": (206, GOOD),
    "moved": (301, b"", "text/html", {"location": "https://elsewhere.invalid/"}),
    "found": (302, GOOD, "application/json", {"location": "https://elsewhere.invalid/"}),
    "not modified": (304, b""),
    "kept method": (307, b"", "", {"location": "/openapi/2022-01/orders/1/cancel"}),
    "payment required": (402, {"errors": ["pay"]}),
    "not found in html": (404, b"<h1>Not Found</h1>", "text/html"),
    "not found by a gateway": (404, {"message": "no Route matched with those values"}),
    "conflict": (409, {"errors": ["busy"]}),
    "gone": (410, {"errors": ["gone"]}),
    "forbidden by a wall": (403, b"<html>blocked</html>", "text/html"),
    "slow down in html": (429, b"<html>slow down</html>", "text/html"),
    "an error that is a number": (404, {"error": 5}),
    "errors that are objects": (404, {"errors": [{"message": "x"}]}),
    "refused with an order": (406, {"errors": ["x"], "order": ORDER}),
    "bad gateway": (502, b"<html>", "text/html"),
    "busy": (503, {"errors": ["busy"]}),
    "late": (504, b""),
    "a server fault in html": (500, b"<html>", "text/html"),
    "a server fault without a word": (500, b""),
    "a status nobody knows": (599, {"errors": ["x"]}),
    "a compressed bomb": (200, b"no gzip", "application/json", {"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_answer_to_a_cancel_is_never_a_receipt_and_always_in_doubt(dictated, odd):
    client, transport = dictated(odd)
    with pytest.raises(OutcomeUnknown):
        client.cancel(Cancel({"order_id": ID}, reason="x"))
    assert len(transport.requests) == 1


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_an_odd_answer_to_a_read_is_never_an_order_of_another_and_never_a_crash(dictated, odd):
    client, _ = dictated(odd)
    acts = (
        lambda: client.get_order({"order_id": ID}).ref["order_id"] == ID,
        lambda: client.get_order({"order_id": "#00000004"}),
        lambda: client.get_orders([{"order_id": ID}]),
        client.ping,
    )
    for act in acts:
        result, error = outcome(act)
        assert error is None or (not isinstance(error, OutcomeUnknown) and error.advice.agent)
        assert error is not None or result is True


@pytest.mark.parametrize(
    "good",
    [
        {"order": ORDER},
        ORDER,
        {"code": "Success", "data": {"order": ORDER}},
        {"code": "Success", "message": "", "data": ORDER},
        {"ok": True, "data": {"order": ORDER}},
        {"order": {**ORDER, "new_field": {"deep": [1, 2.5, None]}}},
        {"order": ORDER, "errors": [], "error": None},
    ],
)
def test_every_known_wrapping_of_the_cancelled_order_is_a_receipt(dictated, good):
    client, _ = dictated((200, good, "application/json; charset=utf-8", {"request_id": "r-9"}))
    receipt = client.cancel(Cancel({"order_id": ID}))
    assert receipt.final
    assert not receipt.already
    assert receipt.request_id == "r-9"
    assert receipt.advice


def test_an_id_beyond_64_bits_is_the_same_as_text_and_as_number(dictated):
    order_id = "102341365205986115123"
    client, _ = dictated((200, b'{"order": {"id": 102341365205986115123, "status": "cancelled"}}'))
    assert client.cancel(Cancel({"order_id": order_id})).final
