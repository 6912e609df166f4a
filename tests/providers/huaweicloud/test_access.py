"""Being let in: what a check of the connection tells apart, and what a refused sign-in says."""

import pytest

from providers.contract import Cancel
from providers.errors import Cause, RateLimited, Unreachable
from providers.huaweicloud import advice

from .conftest import as_json, caught, failing

EMPTY = as_json(200, {"total_count": 0, "order_infos": []})
TOKEN = "T" * 3000
SIGNED_IN = as_json(201, {"token": {"expires_at": "2026-03-05T05:06:07.000000Z"}}, x_subject_token=TOKEN)


def test_a_check_of_a_good_shop_says_nothing(any_shop):
    client, wire = any_shop()
    assert client.ping() is None
    assert not any(exchange.write for exchange in wire.exchanges)


@pytest.mark.parametrize("credential", [{"access_key": "SOMEBODYELSE"}, {"secret_key": "mistyped-secret"}])
def test_a_check_tells_wrong_keys(shop, credential):
    error = caught(shop(credential=credential)[0].ping)
    assert error.cause is Cause.KEYS
    assert error.advice is advice.SIGNATURE


@pytest.mark.parametrize("key", ["KEY WITH BLANKS", "KEY\n", "ключ", " KEY"])
def test_an_access_key_that_cannot_be_one_is_told_before_anything_is_sent(shop, key):
    client, wire = shop(credential={"access_key": key})
    error = caught(client.ping)
    assert error.advice is advice.BAD_KEY
    assert wire.exchanges == []


def test_a_check_tells_a_lacking_permission(any_shop, world):
    world.switches["denied"] = "view"
    assert caught(any_shop()[0].ping).cause is Cause.PERMISSION
    world.switches |= {"denied": "", "api_denied": True}
    assert caught(any_shop()[0].ping).cause is Cause.PERMISSION


def test_a_check_tells_an_address_that_is_not_allowed(any_shop, world):
    world.switches["ip_denied"] = True
    assert caught(any_shop()[0].ping).cause is Cause.IP


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_check_tells_a_clock_that_is_off(shop, world, seconds):
    world.switches["skew"] = seconds
    error = caught(shop()[0].ping)
    assert error.cause is Cause.CLOCK
    assert error.advice is advice.CLOCK


@pytest.mark.parametrize(
    ("date", "cause"),
    [
        ("Wed, 04 Mar 2026 05:00:00 GMT", Cause.KEYS),
        ("Wed, 04 Mar 2026 04:40:00 GMT", Cause.CLOCK),
        ("Wed, 04 Mar 2026 04:40:00", Cause.KEYS),
        ("yesterday", Cause.KEYS),
        ("", Cause.KEYS),
    ],
)
def test_the_answers_date_tells_a_clock_that_is_off_from_wrong_keys(dictated, date, cause):
    client, _, _ = dictated(failing(401, "APIGW.0301", "verify aksk signature fail", date=date))
    assert caught(client.ping).cause is cause


def test_a_locked_key_is_called_locked(dictated):
    client, _, _ = dictated(failing(401, "APIGW.0301", "AK access failed to reach the limit,forbidden."))
    assert caught(client.ping).advice is advice.LOCKED


def test_a_check_tells_a_wrong_address(dictated):
    client, _, _ = dictated(failing(404, "APIG.0101", "API not exist or not published"))
    assert caught(client.ping).cause is Cause.SETTINGS


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (as_json(401, {"error": {"code": 401, "title": "Unauthorized", "message": "wrong"}}), Cause.KEYS),
        ((401, {"content-type": "text/html"}, b"<html>"), Cause.KEYS),
        (as_json(403, {"error": {"code": 403, "message": "user is disabled"}}), Cause.PERMISSION),
        (as_json(403, {"error": {"code": 403, "message": "your IP is not in the ACL"}}), Cause.IP),
        (as_json(400, {"error": {"code": 400, "message": "bad scope"}}), Cause.SETTINGS),
        (failing(404, "APIGW.0101"), Cause.SETTINGS),
    ],
)
def test_a_refused_sign_in_tells_why(dictated, answer, cause):
    client, _, transport = dictated(answer, auth="token")
    error = caught(lambda: client.cancel(Cancel({"order_id": "CS1"})))
    assert error.cause is cause
    assert error.advice.admin
    assert [request.method for request in transport.requests] == ["POST"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (failing(429, "IAM.0429"), RateLimited),
        (failing(500, "IAM.0500"), Unreachable),
        ((502, {"content-type": "text/html"}, b"<html>"), Unreachable),
        ((404, {}, b""), Unreachable),
        ((302, {"location": "https://elsewhere.invalid"}, b""), Unreachable),
        (as_json(200, {}, x_subject_token=TOKEN), Unreachable),
        (as_json(201, {"token": {}}), Unreachable),
        (as_json(201, {"token": {}}, x_subject_token="short"), Unreachable),
        (as_json(201, {"token": {}}, x_subject_token="with blanks in it and long"), Unreachable),
    ],
)
def test_a_sign_in_without_a_readable_answer_sends_no_cancel(dictated, answer, kind):
    client, _, transport = dictated(answer, auth="token")
    caught(lambda: client.cancel(Cancel({"order_id": "CS1"})), kind)
    assert [request.method for request in transport.requests] == ["POST"]
