"""The connection check: what is wrong, and what to mend."""

from datetime import timedelta

import pytest

from providers.contract import Cancel
from providers.errors import AuthFailed, Cause, RateLimited, Rejected
from tests.providers.taobao.shop import NOW, one


@pytest.mark.parametrize("detail", [False, True])
@pytest.mark.parametrize(
    ("given", "switches", "cause"),
    [
        ({"credential": {"app_secret": "wrong-secret"}}, {}, Cause.KEYS),
        ({"credential": {"app_key": "12345678"}}, {}, Cause.KEYS),
        ({"credential": {"session": "stale-session"}}, {"session": "required"}, Cause.KEYS),
        ({"credential": {"session": ""}}, {"session": "required"}, Cause.PERMISSION),
        ({}, {"deny": {"*": "isv.permission-api-package-limit"}}, Cause.PERMISSION),
        ({}, {"deny": {"*": "isv.permission-ip-whitelist-limit"}}, Cause.IP),
        ({"now": NOW + timedelta(minutes=12)}, {}, Cause.CLOCK),
        ({"now": NOW - timedelta(minutes=12)}, {}, Cause.CLOCK),
        ({}, {"skew": 720}, Cause.CLOCK),
    ],
)
def test_ping_tells_what_is_wrong_and_what_to_mend(world, shop, given, switches, cause, detail):
    world.switches.update(switches)
    client, wire = shop(detail=detail, **given)
    with pytest.raises(AuthFailed) as caught:
        client.ping()
    assert caught.value.cause is cause
    assert caught.value.advice.admin
    with pytest.raises(AuthFailed):
        client.cancel(Cancel(one(world, "PAID")))
    assert not world.ledger()
    assert not wire.exchanges[0].write


@pytest.mark.parametrize("switch", ["error", "refused"])
@pytest.mark.parametrize("detail", [False, True])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_ping_is_content_with_good_keys_and_changes_nothing(world, shop, switch, detail, form):
    world.switches.update({"unknown_order": switch, "session": "required"})
    before = list(world.all())
    client, wire = shop(detail=detail, format=form)
    client.ping()
    assert list(world.all()) == before
    assert not any("cancel" in exchange.request_body for exchange in wire.exchanges)
    assert len(wire.exchanges) == 1


@pytest.mark.parametrize("seconds", [1, 31062])
def test_a_ban_is_told_with_its_length(world, shop, seconds):
    world.switches["ban"] = seconds
    client, _wire = shop()
    for call in (client.ping, lambda: client.cancel(Cancel(one(world, "PAID")))):
        with pytest.raises(RateLimited) as caught:
            call()
        assert caught.value.retry_after == seconds + 1
    assert not world.ledger()


def test_a_form_refusal_does_not_prove_the_keys(dictated):
    answer = 200, b'{"error_response":{"code":43,"msg":"Parameter Error"}}', {"content-type": "application/json"}
    with pytest.raises(Rejected):
        dictated(answer, detail=True).ping()
