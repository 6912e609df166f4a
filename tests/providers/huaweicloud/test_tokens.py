"""Tokens are shared, renewed once, and never fetched in a loop; a wrong password is not tried again and again."""

import json
import threading
from datetime import timedelta

import pytest

from providers.contract import Cancel
from providers.errors import Cause, OutcomeUnknown, Unreachable
from providers.huaweicloud import advice
from providers.huaweicloud.sandbox import SANDBOX
from providers.world import SandboxTransport

from .conftest import as_json, caught, failing, open_client

EMPTY = as_json(200, {"total_count": 0, "order_infos": []})
TOKEN = "T" * 3000
SIGNED_IN = as_json(201, {"token": {"expires_at": "2026-03-05T05:06:07.000000Z"}}, x_subject_token=TOKEN)


def sign_ins(wire):
    return [exchange for exchange in wire.exchanges if exchange.url.endswith("/v3/auth/tokens?nocatalog=true")]


def test_a_token_is_fetched_once_and_shared(shop, world):
    first, wire = shop(auth="token")
    first.ping()
    first.ping()
    second, other = shop(auth="token")
    second.ping()
    assert world.scratch["sign_ins"] == 1
    assert len(sign_ins(wire)) == 1
    assert sign_ins(other) == []


def test_a_sign_in_has_the_documented_form(dictated):
    client, wire, transport = dictated(SIGNED_IN, EMPTY, auth="token")
    client.ping()
    request = transport.requests[0]
    assert str(request.url) == "https://iam.myhuaweicloud.com/v3/auth/tokens?nocatalog=true"
    keys = SANDBOX.token_credential
    assert json.loads(request.content) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {
                    "user": {
                        "name": keys["user_name"],
                        "password": keys["password"],
                        "domain": {"name": keys["domain_name"]},
                    }
                },
            },
            "scope": {"domain": {"name": keys["domain_name"]}},
        }
    }
    assert transport.requests[1].headers["x-auth-token"] == TOKEN
    assert "authorization" not in transport.requests[1].headers
    assert not any(exchange.write for exchange in wire.exchanges)


def test_a_project_gives_the_token_its_scope(shop, world):
    client, wire = shop(auth="token", credential={"project_name": "ap-southeast-1"})
    client.ping()
    assert '"scope": {"project": {"name": "ap-southeast-1"}}' in sign_ins(wire)[0].request_body


def test_a_token_is_renewed_ten_minutes_before_its_end(shop, world, tokens, clock):
    client, wire = shop(auth="token")
    client.ping()
    assert tokens.seconds["token"] == pytest.approx(24 * 3600 - 600, abs=1)
    clock.wind(hours=23, minutes=49)
    client.ping()
    assert len(sign_ins(wire)) == 1
    clock.wind(minutes=2)
    client.ping()
    assert len(sign_ins(wire)) == 2
    assert all(exchange.status in (200, 201) for exchange in wire.exchanges)


@pytest.mark.parametrize("ends", [None, "", "soon", 7, "2020-01-01T00:00:00Z", "2026-03-04T05:07:00Z"])
def test_a_token_whose_end_is_odd_is_kept_only_for_a_while(dictated, tokens, ends):
    client, _, _ = dictated(as_json(201, {"token": {"expires_at": ends}}, x_subject_token=TOKEN), EMPTY, auth="token")
    client.ping()
    assert 60 <= tokens.seconds["token"] <= 3600


@pytest.mark.parametrize("form", ["0301", "0307", "text"])
def test_a_cancel_refused_for_its_token_is_sent_once_more_with_a_fresh_one(shop, world, order_id, form):
    world.switches["stale_token"] = form
    client, wire = shop(auth="token")
    client.ping()
    world.scratch["tokens"].clear()  # as after a change of password
    assert client.cancel(Cancel({"order_id": order_id})).final
    assert [event for _, event, _ in world.ledger()] == ["called", "performed"]
    assert len(sign_ins(wire)) == 2
    assert sum(exchange.write for exchange in wire.exchanges) == 2


@pytest.mark.parametrize("form", ["0301", "0307"])
def test_a_fresh_token_that_is_refused_too_ends_it_and_nobody_signs_in_again_for_five_minutes(
    dictated, clock, tokens, form
):
    refused = failing(401, f"APIGW.{form}", "decrypt token fail")
    client, _, transport = dictated(SIGNED_IN, refused, SIGNED_IN, refused, auth="token")
    error = caught(lambda: client.cancel(Cancel({"order_id": "CS1"})))
    assert error.advice is advice.TOKEN
    assert [request.method for request in transport.requests] == ["POST", "PUT", "POST", "PUT"]
    again, wire, _ = dictated(EMPTY, auth="token")
    assert caught(again.ping).advice is advice.TOKEN
    assert wire.exchanges == []
    clock.wind(minutes=5, seconds=1)
    later, _, transport = dictated(SIGNED_IN, EMPTY, auth="token")
    later.ping()
    assert len(transport.requests) == 2


@pytest.mark.parametrize("second", [(500, {}, b""), (502, {"content-type": "text/html"}, b"<html>"), (200, {}, b"")])
def test_a_repeated_cancel_without_a_readable_answer_is_in_doubt_and_not_repeated_again(dictated, second):
    refused = failing(401, "APIGW.0307")
    client, _, transport = dictated(SIGNED_IN, refused, SIGNED_IN, second, auth="token")
    caught(lambda: client.cancel(Cancel({"order_id": "CS1"})), OutcomeUnknown)
    assert [request.method for request in transport.requests] == ["POST", "PUT", "POST", "PUT"]


@pytest.mark.parametrize("status", [401, 500, 502])
def test_an_unreadable_refusal_of_a_cancel_is_not_taken_for_a_stale_token(dictated, status):
    client, _, transport = dictated(SIGNED_IN, (status, {"content-type": "text/html"}, b"<html>"), auth="token")
    caught(lambda: client.cancel(Cancel({"order_id": "CS1"})), OutcomeUnknown)
    assert [request.method for request in transport.requests] == ["POST", "PUT"]


def test_a_cancel_definitely_refused_while_no_token_can_be_had_was_not_done(dictated):
    client, _, transport = dictated(SIGNED_IN, failing(401, "APIGW.0301"), (503, {}, b""), auth="token")
    caught(lambda: client.cancel(Cancel({"order_id": "CS1"})), Unreachable)
    assert [request.method for request in transport.requests] == ["POST", "PUT", "POST"]


def test_an_access_key_that_is_refused_is_never_tried_twice(dictated):
    client, _, transport = dictated(failing(401, "APIGW.0301"))
    caught(lambda: client.cancel(Cancel({"order_id": "CS1"})))
    assert len(transport.requests) == 1


def test_a_wrong_password_is_tried_once_in_five_minutes_however_often_it_is_asked(shop, world, clock):
    wrong = {"password": "mistyped-Password"}
    for _ in range(20):
        client, _ = shop(auth="token", credential=wrong)
        error = caught(client.ping)
        assert (error.cause, error.code, error.advice) == (Cause.KEYS, "401", advice.PASSWORD)
    assert world.scratch["sign_ins"] == 1
    clock.wind(minutes=5, seconds=1)
    caught(shop(auth="token", credential=wrong)[0].ping)
    assert world.scratch["sign_ins"] == 2


def test_a_replaced_password_is_tried_at_once(shop, world):
    caught(shop(auth="token", credential={"password": "mistyped-Password"})[0].ping)
    shop(auth="token")[0].ping()
    assert world.scratch["sign_ins"] == 2


def test_a_token_of_replaced_keys_or_of_another_address_is_not_used(shop, world):
    shop(auth="token")[0].ping()
    shop(auth="token", credential={"project_name": "ap-southeast-1"})[0].ping()
    shop(auth="token", base="https://bss.myhuaweicloud.eu")[0].ping()
    shop(auth="token", iam="https://iam.ap-southeast-1.myhuaweicloud.com")[0].ping()
    assert world.scratch["sign_ins"] == 4


def test_twenty_callers_with_an_expired_token_sign_in_once(shop, world, order_ids):
    shop(auth="token")[0].ping()
    world.scratch["tokens"].clear()
    wanted, failed = order_ids(6)[:20], []

    def run(order_id):
        try:
            shop(auth="token")[0].cancel(Cancel({"order_id": order_id}))
        except Exception as error:  # noqa: BLE001 (whatever it is, the test is to see it)
            failed.append(error)

    threads = [threading.Thread(target=run, args=(order_id,)) for order_id in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failed == []
    assert world.scratch["sign_ins"] == 2
    events = [(key, event) for key, event, _ in world.ledger()]
    assert sorted(events) == sorted((key, event) for key in wanted for event in ("called", "performed"))


def test_a_token_somebody_else_renewed_meanwhile_is_used_instead_of_signing_in_again(
    shop, world, tokens, clock, order_id
):
    shop(auth="token")[0].ping()
    world.scratch["tokens"].clear()

    class Meanwhile(SandboxTransport):
        """Lets another process renew the token just when the first refusal is on its way."""

        pending = True

        def handle_request(self, request):
            answer = super().handle_request(request)
            if self.pending:
                self.pending = False
                shop(auth="token")[0].ping()
            return answer

    transport = Meanwhile(world, SANDBOX.respond)
    client, wire = open_client(transport, tokens=tokens, clock=clock, auth="token")
    assert client.cancel(Cancel({"order_id": order_id})).final
    assert [exchange.method for exchange in wire.exchanges] == ["PUT", "PUT"]
    assert world.scratch["sign_ins"] == 2


def test_who_waits_too_long_for_somebody_elses_sign_in_sends_nothing(shop, tokens, order_id):
    tokens.is_locked_elsewhere = True
    client, wire = shop(auth="token")
    caught(lambda: client.cancel(Cancel({"order_id": order_id})), Unreachable)
    assert wire.exchanges == []


@pytest.mark.parametrize(
    "rubbish", ["", "null", "[]", "{}", "a token", '{"token": "x"}', '{"for": "me", "token": "x"}']
)
def test_rubbish_in_the_store_is_no_token(shop, world, tokens, rubbish):
    tokens.put("token", rubbish, 1000)
    tokens.put("refused", rubbish, 1000)
    shop(auth="token")[0].ping()
    assert world.scratch["sign_ins"] == 1


def test_a_tokens_life_is_what_is_left_of_it_by_our_clock(dictated, tokens, clock):
    clock.wind(hours=-1)
    client, _, _ = dictated(SIGNED_IN, EMPTY, auth="token")
    client.ping()
    assert timedelta(seconds=tokens.seconds["token"]) == timedelta(hours=24, minutes=50)
