"""The access token: shared, fetched under a lock, renewed once after a definite refusal, and never in a loop."""

import json

import pytest

from providers.contract import Cancel
from providers.errors import AuthFailed, Cause, RateLimited, Unreachable
from tests.providers.wechat.stage import (
    REF,
    SANDBOX,
    TOKEN,
    Clock,
    Refusing,
    Shop,
    Tokens,
    cancel_of,
    events,
    order_in,
    ref_of,
    said,
)

STALE = [40001, 40014, 41001, 42001]


def token_calls(shop: Shop) -> list[str]:
    return [path for path in shop.paths() if path in ("token", "stable_token")]


@pytest.mark.parametrize(("kind", "path"), [("stable", "stable_token"), ("plain", "token")])
def test_each_kind_of_token_lets_a_cancel_through(world, shop, kind, path):
    order, one = order_in(world), shop(token=kind)
    assert one.client.cancel(cancel_of(order)).final
    assert one.paths() == [path, "cancel"]


def test_the_stable_token_is_asked_for_in_a_json_body_and_without_force(dictated):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"})
    one.client.cancel(Cancel(REF))
    asked = transport.requests[0]
    assert (asked.method, asked.url.path, asked.url.query) == ("POST", "/cgi-bin/stable_token", b"")
    assert json.loads(asked.content) == {"grant_type": "client_credential", **SANDBOX.credential}


def test_the_plain_token_is_asked_for_in_the_query(dictated):
    one, transport = dictated({"errcode": 0, "errmsg": "ok"}, token="plain")
    one.client.cancel(Cancel(REF))
    asked = transport.requests[0]
    assert (asked.method, asked.url.path) == ("GET", "/cgi-bin/token")
    assert dict(asked.url.params) == {"grant_type": "client_credential", **SANDBOX.credential}


@pytest.mark.parametrize("kind", ["stable", "plain"])
def test_two_processes_share_one_token_and_fetch_it_once(world, shop, kind):
    first, second = shop(token=kind), shop(token=kind)
    first.client.ping()
    second.client.ping()
    assert len(token_calls(first)) == 1
    assert token_calls(second) == []


def test_the_two_kinds_are_kept_apart(world, shop):
    stable, plain = shop(), shop(token="plain")
    stable.client.ping()
    plain.client.ping()
    stable.client.ping()
    assert (len(token_calls(stable)), len(token_calls(plain))) == (1, 1)


def test_every_write_to_the_store_is_made_under_the_lock(world, shop, tokens):
    world.switches |= {"api_code": 42001, "api_times": 1}
    shop().client.ping()
    assert tokens.kept
    assert tokens.unlocked_writes == []


def test_a_token_is_given_up_five_minutes_before_its_end(world, shop, clock):
    one = shop()
    one.client.ping()
    clock.forward(6890)
    one.client.ping()
    assert len(token_calls(one)) == 1
    clock.forward(20)
    one.client.ping()
    assert len(token_calls(one)) == 2


def test_a_short_lived_token_is_kept_for_half_its_life(world, shop, clock):
    world.switches["token_life"] = 200
    one = shop(token="plain")
    one.client.ping()
    clock.forward(90)
    one.client.ping()
    assert len(token_calls(one)) == 1


@pytest.mark.parametrize("route", ["https", "cloud"])
@pytest.mark.parametrize("code", STALE)
def test_a_stale_token_is_renewed_and_the_cancel_repeated_once(world, shop, code, route):
    order, one = order_in(world), shop(route=route)
    one.client.choices("delivery_id")
    world.switches |= {"api_code": code, "api_times": 1}
    assert one.client.cancel(cancel_of(order)).final
    assert events(world, order) == ["called", "performed"]


@pytest.mark.parametrize("code", STALE)
def test_a_stale_token_is_renewed_and_a_read_repeated_once(world, shop, code):
    order, one = order_in(world), shop()
    one.client.ping()
    world.switches |= {"api_code": code, "api_times": 1}
    assert one.client.get_order(ref_of(order)).number == order["order_id"]


@pytest.mark.parametrize("code", STALE)
def test_a_second_refusal_is_a_broken_connection_and_nothing_was_done(world, shop, tokens, code):
    world.switches["api_code"] = code
    order, one = order_in(world), shop()
    with pytest.raises(AuthFailed) as caught:
        one.client.cancel(cancel_of(order))
    assert caught.value.cause is Cause.KEYS
    assert caught.value.advice.admin
    assert one.paths().count("cancel") == 2
    assert events(world, order) == []
    assert not [name for name in tokens.kept if not name.startswith("forced")]


def test_a_token_that_somebody_else_renewed_meanwhile_is_used_as_it_is(world, shop, tokens):
    one, other = shop(token="plain"), shop(token="plain")
    one.client.ping()
    [name] = tokens.kept
    world.switches["token_grace"] = 0
    stale = tokens.get(name)

    def somebody_else() -> None:
        tokens.before_lock = lambda: None
        tokens.drop(name, stale)
        other.client.ping()

    world.scratch["tokens"].pop(stale)
    tokens.before_lock = somebody_else
    one.client.ping()
    assert len(token_calls(one)) == 1
    assert len(token_calls(other)) == 1


def test_a_stable_token_that_comes_back_the_same_is_forced_once(world, shop):
    one = shop()
    one.client.ping()
    world.switches |= {"api_code": 40001, "api_times": 1}
    one.client.ping()
    bodies = [json.loads(e.request_body) for e in one.wire.exchanges if e.url.endswith("stable_token")]
    assert [body.get("force_refresh", False) for body in bodies] == [False, False, True]


def test_a_token_is_not_forced_twice_within_thirty_seconds(world, shop, clock):
    world.switches["api_code"] = 40001
    one = shop()
    for _ in range(2):
        with pytest.raises(AuthFailed):
            one.client.ping()
        clock.forward(10)
    forced = [e for e in one.wire.exchanges if "force_refresh" in e.request_body]
    assert len(forced) == 1
    clock.forward(30)
    with pytest.raises(AuthFailed):
        one.client.ping()
    assert len([e for e in one.wire.exchanges if "force_refresh" in e.request_body]) == 2


def test_a_token_is_forced_at_most_twenty_times_a_day(world, shop, clock):
    world.switches["api_code"] = 40001
    one = shop()
    for _ in range(23):
        with pytest.raises(AuthFailed):
            one.client.ping()
        clock.forward(60)
    assert len([e for e in one.wire.exchanges if "force_refresh" in e.request_body]) == 20


def test_a_superseded_plain_token_lives_on_for_five_minutes(world, shop, clock):
    one = shop(token="plain")
    one.client.ping()
    other = Shop(one.wire.transport, clock, Tokens(clock), token="plain")
    other.client.ping()
    one.client.ping()
    assert len(token_calls(one)) == 1
    clock.forward(301)
    one.client.ping()
    assert len(token_calls(one)) == 2


@pytest.mark.parametrize("kind", ["stable", "plain"])
def test_wrong_keys_are_told_from_one_another(world, shop, kind):
    good = SANDBOX.credential
    for credential, code in (({**good, "appid": "wx-other"}, "40013"), ({**good, "secret": "wrong-secret"}, "40125")):
        with pytest.raises(AuthFailed) as caught:
            shop(token=kind, credential=credential).client.ping()
        assert (caught.value.code, caught.value.cause) == (code, Cause.KEYS)


def test_a_busy_lock_means_that_nothing_was_sent(world, shop, tokens):
    tokens.busy = True
    order, one = order_in(world), shop()
    with pytest.raises(Unreachable):
        one.client.cancel(cancel_of(order))
    assert one.wire.exchanges == []


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"access_token": ""}, {"access_token": TOKEN}, {"access_token": TOKEN, "expires_in": 0},
        {"access_token": TOKEN, "expires_in": -1}, {"access_token": 5, "expires_in": 7200},
        {"access_token": "zwei Wörter", "expires_in": 7200}, {"access_token": TOKEN, "expires_in": "soon"}, b"<html>",
        {"access_token": "x" * 5000, "expires_in": 7200}, {"access_token": None, "expires_in": 7200}, b"", b"null",
    ],
)  # fmt: skip
def test_what_is_no_token_is_not_used_as_one(clock, tokens, body):
    one = Shop(Refusing(said(body)), clock, tokens)
    with pytest.raises(Unreachable):
        one.client.cancel(Cancel(REF))
    assert one.paths() == ["stable_token"]
    assert tokens.kept == {}
    assert not one.wire.writing


def test_a_token_call_over_its_limits_is_to_be_made_later(clock: Clock, tokens: Tokens):
    one = Shop(Refusing(said({"errcode": 45011, "errmsg": "api minute-quota reach limit"})), clock, tokens)
    with pytest.raises(RateLimited) as caught:
        one.client.cancel(Cancel(REF))
    assert caught.value.retry_after == 60
