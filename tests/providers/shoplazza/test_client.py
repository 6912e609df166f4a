"""The client and the pretend store through the real wire: what the client says is what happened there."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from providers.contract import Cancel, OrderQuery, Status
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
from providers.shoplazza import PROVIDER
from providers.shoplazza.card import CARD
from providers.shoplazza.sandbox import SANDBOX
from providers.world import FAULTS, SandboxRequest, World

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
DEMO = {"REJECT": 61, "TIMEOUT": 62, "DROP": 63, "GARBAGE": 64}


def where(world, truth, **fields):
    """Return the id of an order that truly is so, and is no demonstration."""
    for order_id, order in world.all():
        plain_number = order["number"].isdigit()
        if plain_number and SANDBOX.truth(order) is truth and all(order[key] == one for key, one in fields.items()):
            return order_id
    raise AssertionError("the seed has no such order")


def performed(world):
    return [key for key, event, _ in world.ledger() if event == "performed"]


def outcome(act):
    try:
        return act(), None
    except ProviderError as error:
        return None, error


def cancel(client, order_id, reason="Customer asked to cancel"):
    return outcome(lambda: client.cancel(Cancel({"order_id": order_id}, reason=reason)))


# -- cancelling


def test_a_cancel_is_a_final_receipt_and_the_order_is_cancelled_there(store, world):
    client, wire = store()
    order_id = where(world, Status.OPEN)
    receipt, error = cancel(client, order_id, "Très déçue, 不要了")
    assert error is None
    assert (receipt.final, receipt.already) == (True, False)
    assert receipt.request_id.startswith("req-")
    assert world.get(order_id)["status"] == "cancelled"
    assert world.get(order_id)["cancel_reason"] == "Très déçue, 不要了"
    assert world.get(order_id)["financial_status"] == "paid"
    assert performed(world) == [order_id]
    assert len(wire.exchanges) == 1
    assert wire.exchanges[0].write


@pytest.mark.parametrize("envelope", ["order", "bare", "data", "ok"])
@pytest.mark.parametrize("version", ["2022-01", "2026-01"])
def test_every_wrapping_and_version_serves_all_calls(store, world, envelope, version):
    world.switches["envelope"] = envelope
    client, _ = store(version=version)
    order_id = where(world, Status.OPEN)
    client.ping()
    assert client.get_order({"order_id": order_id}).status is Status.OPEN
    assert client.get_orders([{"order_id": order_id}])[0].ref == {"order_id": order_id}
    assert client.list_orders(OrderQuery()).orders
    assert cancel(client, order_id)[0].final
    assert client.get_order({"order_id": order_id}).status is Status.CANCELLED


@pytest.mark.parametrize("at", [False, True])
def test_the_time_of_the_cancel_may_be_missing_or_not(store, world, at):
    world.switches["canceled_at"] = at
    client, _ = store()
    order_id = where(world, Status.OPEN)
    assert cancel(client, order_id)[0].final
    assert bool(world.get(order_id)["canceled_at"]) == at
    assert client.get_order({"order_id": order_id}).status is Status.CANCELLED


def test_an_id_of_21_digits_is_cancelled_by_its_text(store, world):
    order_id = next(key for key, order in world.all() if "-" not in key and SANDBOX.truth(order) is Status.OPEN)
    assert len(order_id) == 21
    assert cancel(store()[0], order_id)[0].final
    assert performed(world) == [order_id]


@pytest.mark.parametrize("shape", ["errors", "error", "later"])
def test_an_already_cancelled_order_is_a_receipt_that_says_so(store, world, shape):
    world.switches["error_shape"] = shape
    client, wire = store()
    receipt, error = cancel(client, where(world, Status.CANCELLED))
    assert error is None
    assert receipt.final
    assert receipt.already
    assert performed(world) == []
    assert [one.write for one in wire.exchanges] == [True, False]


def test_a_second_cancel_answered_with_200_is_a_receipt_too(store, world):
    world.switches["second_cancel"] = 200
    assert cancel(store()[0], where(world, Status.CANCELLED))[0].final
    assert performed(world) == []


@pytest.mark.parametrize("shape", ["errors", "error", "later"])
@pytest.mark.parametrize(
    ("truth", "word"), [(Status.CLOSED, "status finished"), (Status.SHIPPED, "fulfillment_status shipped")]
)
def test_an_order_past_cancelling_is_rejected_with_its_state(store, world, truth, word, shape):
    world.switches["error_shape"] = shape
    _, error = cancel(store()[0], where(world, truth))
    assert type(error) is Rejected
    assert error.code == "406"
    assert word in error.message
    assert performed(world) == []


@pytest.mark.parametrize("order_id", ["633130-99999999", "00000001", "10234136520598611512", "a/b", "单"])
def test_an_unknown_id_and_a_number_used_as_one_are_rejected_and_cancel_nothing(store, world, order_id):
    client, wire = store()
    _, error = cancel(client, order_id)
    assert type(error) is Rejected
    assert error.code == "404"
    assert world.ledger() == []
    assert len(wire.exchanges) == 1


@pytest.mark.parametrize("order_id", ["", " ", ".", "..", "...", " 633130-00000001", "9" * 256])
def test_an_id_that_cannot_stand_in_the_path_is_never_sent(store, world, order_id):
    client, wire = store()
    _, error = cancel(client, order_id)
    assert type(error) is Rejected
    assert error.advice.agent
    assert wire.exchanges == []


def test_a_ref_without_an_id_is_rejected_before_the_wire(store):
    client, wire = store()
    for act in (lambda: client.cancel(Cancel({})), lambda: client.get_order({})):
        assert type(outcome(act)[1]) is Rejected
    assert client.get_orders([{}]) == ()
    assert wire.exchanges == []


def test_the_double_slash_of_the_documents_is_no_address(world):
    token = SANDBOX.credential["access_token"]
    assert _raw(world, "POST", "/openapi/2022-01/orders//cancel", b"{}", token).status == 404


def _raw(world, method, path, body, token, **headers):
    sent = {"access-token": token, "content-type": "application/json", **headers}
    return SANDBOX.respond(SandboxRequest(method, "", path, "", sent, body), world)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b'{"reason": 5}', b'{"reason": null}', b"\xff"])
def test_the_store_refuses_a_body_that_is_no_object_or_a_reason_that_is_no_text(world, body):
    order_id = where(world, Status.OPEN)
    reply = _raw(world, "POST", f"/openapi/2022-01/orders/{order_id}/cancel", body, SANDBOX.credential["access_token"])
    assert reply.status == 400
    assert performed(world) == []


# -- every fault, before and after


@pytest.mark.parametrize("after", ["", "-after"])
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_the_result_never_contradicts_the_ledger(store, world, fault, after):
    client, wire = store()
    order_id = where(world, Status.OPEN)
    world.plan(order_id, fault + after)
    receipt, error = cancel(client, order_id)
    assert receipt is None
    definite = {"limit": RateLimited, "auth": AuthFailed}.get(fault)  # these strike before, whatever was planned
    is_done = bool(after) and not definite
    assert performed(world) == ([order_id] if is_done else [])
    if definite:
        assert type(error) is definite
    else:
        assert isinstance(error, OutcomeUnknown)
    assert len([one for one in wire.exchanges if one.write]) == 1
    read = client.get_order({"order_id": order_id})
    assert (read.status is Status.CANCELLED) == is_done


def test_a_limit_says_how_long_to_wait_or_nothing(store, world):
    client, _ = store()
    order_id = where(world, Status.OPEN)
    world.plan(order_id, "limit", "limit")
    assert cancel(client, order_id)[1].retry_after == 1.0
    world.switches["retry_after"] = None
    assert cancel(client, order_id)[1].retry_after is None
    assert cancel(client, order_id)[0].final


@pytest.mark.parametrize(
    ("word", "kind", "done"),
    [("REJECT", Rejected, False), ("TIMEOUT", OutcomeUnknown, True), ("DROP", OutcomeUnknown, True),
     ("GARBAGE", ProtocolError, True)],
)  # fmt: skip
def test_an_orders_number_tells_it_to_misbehave(store, world, word, kind, done):
    client, _ = store()
    found = client.get_order({"order_id": f"000000{DEMO[word]}-{word}"})
    _, error = cancel(client, found.ref["order_id"])
    assert type(error) is kind
    assert bool(performed(world)) == done


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Rejected), (401, AuthFailed), (403, AuthFailed), (404, Rejected), (405, AuthFailed), (406, Rejected),
     (409, ProtocolError), (422, Rejected), (429, RateLimited), (500, OutcomeUnknown), (503, ProtocolError)],
)  # fmt: skip
def test_a_cancel_refused_with_any_status_is_its_one_error(store, world, status, kind):
    world.switches["cancel_status"] = status
    _, error = cancel(store()[0], where(world, Status.OPEN))
    assert type(error) is kind
    assert performed(world) == []


# -- check connection


def test_a_good_connection_pings_with_one_read(store):
    client, wire = store()
    client.ping()
    assert [(one.method, one.write) for one in wire.exchanges] == [("GET", False)]


@pytest.mark.parametrize("status", [400, 401])
def test_a_wrong_token_is_told_whatever_status_the_store_has_for_it(store, world, status):
    world.switches["unauthorized_status"] = status
    client, _ = store(token="another-token-altogether")
    order_id = where(world, Status.OPEN)
    for act in (
        client.ping,
        lambda: client.cancel(Cancel({"order_id": order_id})),
        lambda: client.get_order({"order_id": order_id}),
        lambda: client.list_orders(OrderQuery()),
    ):
        error = outcome(act)[1]
        assert type(error) is AuthFailed
        assert error.cause is Cause.KEYS
        assert error.advice.admin
    assert world.ledger() == []


def test_a_token_that_may_not_cancel_still_reads(store, world):
    world.switches["scopes"] = ["read_order"]
    client, _ = store()
    order_id = where(world, Status.OPEN)
    client.ping()
    assert client.get_order({"order_id": order_id}).status is Status.OPEN
    _, error = cancel(client, order_id)
    assert type(error) is AuthFailed
    assert error.cause is Cause.PERMISSION
    assert "write_order" in error.advice.admin


def test_a_token_that_may_not_read_is_told_by_the_ping(store, world):
    world.switches["scopes"] = ["write_order"]
    error = outcome(store()[0].ping)[1]
    assert type(error) is AuthFailed
    assert error.cause is Cause.PERMISSION


def test_an_inactive_store_is_told(store, world):
    world.switches["active"] = False
    error = outcome(store()[0].ping)[1]
    assert type(error) is AuthFailed
    assert "not active" in error.message
    assert "not active" in error.advice.admin


@pytest.mark.parametrize(
    ("answer", "kind", "cause"),
    [
        ((401, b"", ""), AuthFailed, Cause.KEYS),
        ((400, b"<html>", "text/html"), AuthFailed, Cause.KEYS),
        ((403, {"message": "no"}), AuthFailed, Cause.PERMISSION),
        ((404, b"<html>", "text/html"), Unreachable, Cause.SETTINGS),
        ((404, {"errors": ["page not found"]}), Unreachable, Cause.SETTINGS),
        ((405, b""), AuthFailed, Cause.SETTINGS),
        ((200, b"<html>", "text/html"), Unreachable, Cause.SETTINGS),
        ((200, {}), Unreachable, Cause.SETTINGS),
        ((200, {"count": -1}), Unreachable, Cause.SETTINGS),
        ((200, {"count": True}), Unreachable, Cause.SETTINGS),
        ((301, b"", "text/html", {"location": "https://elsewhere.invalid/"}), Unreachable, Cause.SETTINGS),
        ((429, {"errors": ["Too Many Requests"]}), RateLimited, Cause.PLATFORM),
        ((500, {"errors": ["x"]}), Unreachable, Cause.PLATFORM),
        ((502, b"<html>", "text/html"), Unreachable, Cause.PLATFORM),
        (httpx.ConnectError("no such host"), Unreachable, Cause.NETWORK),
        (httpx.ReadTimeout("slow"), Unreachable, Cause.NETWORK),
    ],
)
def test_a_ping_tells_keys_permission_settings_platform_and_network_apart(dictated, answer, kind, cause):
    error = outcome(dictated(answer)[0].ping)[1]
    assert type(error) is kind
    assert error.cause is cause
    assert error.advice.agent


@pytest.mark.parametrize("base", [CARD.base_url, "https://your-shop.myshoplazza.com"])
def test_the_example_address_is_never_sent_a_token(store, world, base):
    client, wire = store(base=base)
    for act in (client.ping, lambda: client.cancel(Cancel({"order_id": "633130-00000001"}))):
        error = outcome(act)[1]
        assert type(error) is AuthFailed
        assert error.cause is Cause.SETTINGS
    assert wire.exchanges == []


@pytest.mark.parametrize("version", ["2022", "..", "2022-01/../x", "latest", "2022-1"])
def test_an_api_version_that_is_none_is_the_admins_to_mend_and_is_not_sent(store, version):
    client, wire = store(version=version)
    error = outcome(client.ping)[1]
    assert type(error) is AuthFailed
    assert error.cause is Cause.SETTINGS
    assert wire.exchanges == []


def test_a_version_the_platform_does_not_have_is_told_as_a_setting(store):
    error = outcome(store(version="1999-01")[0].ping)[1]
    assert error.cause is Cause.SETTINGS


# -- reading one


@pytest.mark.parametrize("typed", ["00000007", " #00000007 ", "#00000007"])
def test_a_typed_number_finds_the_order_and_gives_its_true_id(store, typed):
    found = store()[0].get_order({"order_id": typed})
    assert found.ref == {"order_id": "633130-00000007"}
    assert found.number == "00000007"


def test_an_id_is_read_once_and_by_no_other_way(store):
    client, wire = store()
    assert client.get_order({"order_id": "633130-00000007"}).number == "00000007"
    assert [one.url.rpartition("/orders")[2] for one in wire.exchanges] == ["/633130-00000007"]


def test_the_number_is_asked_for_only_after_the_id_is_not_there(store):
    client, wire = store()
    client.get_order({"order_id": "00000007"})
    assert [one.url.rpartition("/orders")[2] for one in wire.exchanges] == ["/00000007", "/number/00000007"]
    assert not any(one.write for one in wire.exchanges)


def test_an_order_whose_number_is_anothers_id_never_stands_in_for_it(store, world):
    one, other = where(world, Status.OPEN), where(world, Status.CANCELLED)
    document = world.get(other)
    world.put(other, {**document, "number": one})
    assert store()[0].get_order({"order_id": one}).ref == {"order_id": one}


def test_a_text_number_with_other_letters_than_ascii_is_asked_for_as_a_number_only(store, world):
    order_id = where(world, Status.OPEN)
    world.put(order_id, {**world.get(order_id), "number": "单号 7/é"})
    client, wire = store()
    assert client.get_order({"order_id": "单号 7/é"}).ref == {"order_id": order_id}
    assert len(wire.exchanges) == 1


def test_neither_id_nor_number_is_rejected_as_not_found(store):
    error = outcome(lambda: store()[0].get_order({"order_id": "633130-99999999"}))[1]
    assert type(error) is Rejected
    assert error.code == "404"


@pytest.mark.parametrize(
    "answer", [(500, {"errors": ["x"]}), (429, b""), (502, b"", "text/html"), (403, {"error": "x"})]
)
def test_only_a_404_makes_the_client_try_the_number(dictated, answer):
    client, transport = dictated(answer)
    assert outcome(lambda: client.get_order({"order_id": "00000007"}))[1] is not None
    assert len(transport.requests) == 1


def test_an_order_given_for_another_number_is_not_believed(dictated):
    client, _ = dictated((404, {"errors": ["x"]}), (200, {"order": {"id": "1-2", "number": "00000008"}}))
    assert type(outcome(lambda: client.get_order({"order_id": "00000007"}))[1]) is Unreachable


def test_an_order_is_read_whole(store, world):
    order_id = where(world, Status.SHIPPED)
    document, read = world.get(order_id), store()[0].get_order({"order_id": order_id})
    assert read.amount == Decimal(document["total_price"])
    assert read.currency == document["currency"]
    assert read.placed_at.tzinfo is UTC
    assert read.status_text == "placed"
    assert read.buyer.email == document["customer"]["email"]
    assert read.buyer.name == f"{document['customer']['first_name']} {document['customer']['last_name']}"
    assert read.buyer.phone == document["customer"]["phone"]
    keys = dict.fromkeys(read.keys)
    assert ("id", order_id) in keys
    assert ("number", document["number"]) in keys
    assert ("waybill", document["fulfillments"][0]["tracking_number"]) in keys
    for line in document["line_items"]:
        assert {("item", line["id"]), ("sku", line["sku"])} <= set(keys)
    assert [item.ref for item in read.items] == [line["id"] for line in document["line_items"]]
    assert sum(item.amount for item in read.items) == Decimal(document["sub_total"])
    assert read.traces[0].text.startswith("PostNord ")


def test_an_unknown_status_is_shown_as_it_is_and_nothing_is_claimed(store, world):
    world.switches["shown_status"] = "on_hold"
    read = store()[0].get_order({"order_id": where(world, Status.OPEN)})
    assert (read.status, read.status_text) == (Status.UNKNOWN, "on_hold")
    assert read.standing.cancellable is None
    assert read.standing.why


def test_a_cancel_shown_in_an_unknown_word_is_in_doubt_though_it_happened(store, world):
    world.switches["shown_status"] = "archived"
    order_id = where(world, Status.OPEN)
    assert type(cancel(store()[0], order_id)[1]) is ProtocolError
    assert performed(world) == [order_id]


def test_missing_fields_are_no_obstacle(store, world):
    every = set(next(iter(world.all()))[1]) - {"id", "status"}
    world.switches["hidden_fields"] = sorted(every)
    order_id = where(world, Status.OPEN)
    client, _ = store()
    read = client.get_order({"order_id": order_id})
    assert (read.number, read.amount, read.items) == (order_id, None, ())
    assert cancel(client, order_id)[0].final


# -- reading many


def pages(client, limit, since=None):
    cursor, found = "", []
    for _ in range(200):
        page = client.list_orders(OrderQuery(since=since, cursor=cursor, limit=limit))
        found.append(page)
        cursor = page.cursor
        if not cursor:
            return found
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 7, 16, 32, 50, 64, 100, 10_000])
def test_paging_gives_every_order_once(store, world, limit):
    found = pages(store()[0], limit)
    ids = [order.ref["order_id"] for page in found for order in page.orders]
    assert sorted(ids) == [key for key, _ in world.all()]
    assert found[0].total == 64


def test_a_total_that_comes_with_the_list_is_not_asked_for_again(store, world):
    world.switches["list_count"] = True
    client, wire = store()
    assert client.list_orders(OrderQuery(limit=10)).total == 64
    assert len(wire.exchanges) == 1


def test_an_order_that_comes_in_between_pages_hides_none(store, world):
    before = {key for key, _ in world.all()}
    world.switches["insert_between_pages"] = True
    found = pages(store()[0], 20)
    assert before <= {order.ref["order_id"] for page in found for order in page.orders}


def test_only_what_changed_since_is_listed_the_moment_itself_included(store, world):
    moments = sorted(order["updated_at"] for _, order in world.all())
    since = datetime.fromisoformat(moments[40]) + timedelta(microseconds=900_000)
    found = pages(store()[0], 10, since)
    ids = {order.ref["order_id"] for page in found for order in page.orders}
    assert ids == {key for key, order in world.all() if order["updated_at"] >= moments[40]}
    assert found[0].total == len(ids)


def test_a_store_that_ignores_the_page_is_found_out_and_not_read_for_ever(store, world):
    world.switches["ignore_page"] = True
    client, _ = store()
    first = client.list_orders(OrderQuery(limit=10))
    error = outcome(lambda: client.list_orders(OrderQuery(limit=10, cursor=first.cursor)))[1]
    assert type(error) is Unreachable
    assert error.cause is Cause.SETTINGS


def test_rows_that_cannot_be_read_are_left_out_and_do_not_end_the_list(dictated):
    rows = [{"id": "1-1"}, None, 5, {"number": "x"}, {"id": "1-1", "status": "placed"}, {"id": "1-2"}]
    page = dictated((200, {"orders": rows, "count": 99}))[0].list_orders(OrderQuery(limit=6))
    assert [order.ref["order_id"] for order in page.orders] == ["1-1", "1-2"]
    assert page.cursor
    assert page.total == 99


@pytest.mark.parametrize("body", [{"orders": None}, {"orders": []}, {"code": "Success", "data": {"orders": []}}])
def test_no_orders_is_an_empty_last_page(dictated, body):
    page = dictated((200, body))[0].list_orders(OrderQuery())
    assert (page.orders, page.cursor, page.total) == ((), "", 0)


@pytest.mark.parametrize("body", [{}, {"orders": {}}, {"orders": "x"}, [], {"errors": ["x"], "orders": []}])
def test_a_list_that_is_none_is_not_taken_for_an_empty_one(dictated, body):
    assert type(outcome(lambda: dictated((200, body))[0].list_orders(OrderQuery()))[1]) is Unreachable


def test_known_orders_are_read_in_batches_and_strangers_are_left_out(store, world):
    client, wire = store()
    refs = [{"order_id": key} for key, _ in world.all()]
    found = client.get_orders([*refs, {"order_id": "633130-99999999"}, {"order_id": ""}, {"order_id": "a,b"}])
    assert sorted(order.ref["order_id"] for order in found) == [one["order_id"] for one in refs]
    assert len(wire.exchanges) == 2
    assert PROVIDER.capabilities({}).get_orders == 50


def test_a_store_that_ignores_the_ids_gives_no_order_nobody_asked_for(dictated):
    client, _ = dictated((200, {"orders": [{"id": "1-1"}, {"id": "1-2"}]}))
    assert [order.ref["order_id"] for order in client.get_orders([{"order_id": "1-2"}])] == ["1-2"]


def test_there_are_no_reasons_or_choices_to_list(store):
    client, wire = store()
    assert (client.list_reasons(), client.choices("order_id")) == ((), ())
    assert wire.exchanges == []


# -- the pretend store's own rules


def test_both_buckets_run_over_and_drain(store, world):
    moment = [NOW]
    timed = World("shoplazza", now=lambda: moment[0])
    SANDBOX.seed(timed, 5)
    timed.switches["buckets"] = 1
    assert [_count(timed) for _ in range(41)] == [200] * 40 + [429]
    moment[0] += timedelta(seconds=1)
    assert [_count(timed) for _ in range(3)] == [200, 200, 429]


def _count(world):
    return _raw(world, "GET", "/openapi/2022-01/orders/count", b"", SANDBOX.credential["access_token"]).status


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=251", 422), ("limit=0", 422), ("limit=x", 422), ("page=0", 422), ("updated_at_min=yesterday", 422),
     ("updated_at_min=2026-01-01T00:00:00", 422), ("status=unfulfilled", 422), ("status=placed", 200),
     ("financial_status=paid&fulfillment_status=waiting&limit=250", 200)],
)  # fmt: skip
def test_the_store_is_strict_about_its_parameters(world, query, status):
    token = SANDBOX.credential["access_token"]
    headers = {"access-token": token, "content-type": "application/json"}
    reply = SANDBOX.respond(SandboxRequest("GET", "", "/openapi/2022-01/orders", query, headers, b""), world)
    assert reply.status == status


def test_a_missing_content_type_is_a_bad_request_there(world):
    path, token = "/openapi/2022-01/orders/count", SANDBOX.credential["access_token"]
    assert _raw(world, "GET", path, b"", token, **{"content-type": ""}).status == 400
    assert _raw(world, "GET", path, b"", "Bearer " + token).status == 400


def test_the_seed_is_the_same_every_time_mixed_and_mostly_cancellable():
    first, second = World("shoplazza", now=lambda: NOW), World("shoplazza", now=lambda: NOW)
    SANDBOX.seed(first, 400)
    SANDBOX.seed(second, 400)
    assert list(first.all()) == list(second.all())
    truths = [SANDBOX.truth(order) for _, order in first.all()]
    assert len(truths) == 404
    assert truths.count(Status.OPEN) > 240
    assert {Status.OPEN, Status.CANCELLED, Status.SHIPPED, Status.CLOSED} <= set(truths)
    ages = [NOW - datetime.fromisoformat(order["created_at"]) for _, order in first.all()]
    assert timedelta(days=50) < max(ages) < timedelta(days=61)
    numbers = [order["number"] for _, order in first.all()]
    assert len(set(numbers)) == 404
    assert any(order["customer"]["last_name"] == "王" for _, order in first.all())


def test_what_the_client_reads_is_what_the_store_knows_to_be_true(store, world):
    for page in pages(store()[0], 50):
        for order in page.orders:
            assert order.status is SANDBOX.truth(world.get(order.ref["order_id"]))


def test_every_order_is_a_row_of_an_import_file(world):
    rows = list(SANDBOX.rows(world))
    assert len(rows) == 64
    assert {field.name for field in CARD.lookup} <= set(rows[0])
    for row in rows:
        assert all(isinstance(value, str) for value in row.values())
        assert Status(row["status"]) is SANDBOX.truth(world.get(row["order_id"]))


# -- what is kept


def test_no_exchange_keeps_the_token_or_a_persons_data(store, world):
    client, wire = store()
    for page in pages(client, 50):
        assert page.orders
    for order_id, order in list(world.all()):
        client.get_order({"order_id": order["number"]})
        cancel(client, order_id)
    kept = json.dumps([one.as_json() for one in wire.exchanges], ensure_ascii=False)
    assert SANDBOX.credential["access_token"] not in kept
    for _, order in world.all():
        for person in (order["customer"], order["shipping_address"]):
            for key in ("email", "phone", "last_name", "address1", "city", "zip"):
                assert person.get(key, "nobody@") not in kept
        assert order["id"] in kept
