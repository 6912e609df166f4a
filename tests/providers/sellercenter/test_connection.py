"""What ping tells apart, and that nothing kept holds a secret or a buyer."""

import pytest

from providers.contract import OrderQuery
from providers.errors import (
    AuthFailed,
    Cause,
    ProviderError,
    RateLimited,
    Unreachable,
)
from providers.exchange import BLOT
from providers.sellercenter import PROVIDER
from providers.world import Reply
from tests.providers.sellercenter.desk import (
    MIXED,
    REF,
    STYLES,
    command,
    item_of,
)


def test_ping_is_content_with_keys_clock_and_role(dial):
    for style in STYLES:
        dial(format=style)[0].ping()


@pytest.mark.parametrize(
    ("credential", "options", "switches", "cause"),
    [
        ({"api_key": "another-key"}, {}, {}, Cause.KEYS),
        ({"user_id": "nobody@example.test"}, {}, {}, Cause.KEYS),
        ({}, {}, {"role": "none"}, Cause.PERMISSION),
        ({}, {}, {"skew": 720}, Cause.CLOCK),
        ({}, {}, {"skew": -720}, Cause.CLOCK),
        ({}, {}, {"insecure": True}, Cause.SETTINGS),
        ({}, {"version": "9.9"}, {}, Cause.SETTINGS),
        ({}, {}, {"unknown_actions": ["GetOrders"]}, Cause.SETTINGS),
    ],
)
def test_ping_says_what_is_wrong_and_a_cancel_is_not_let_in_either(dial, world, credential, options, switches, cause):
    world.switches.update(switches)
    client, _wire, _line = dial(credential=credential, **options)
    with pytest.raises(AuthFailed) as raised:
        client.ping()
    assert raised.value.cause is cause
    assert raised.value.advice.admin
    if "unknown_actions" not in switches:
        with pytest.raises(AuthFailed):
            client.cancel(command(world))
        assert world.ledger() == []


@pytest.mark.parametrize("status", [200, 400, 403, 429])
def test_a_busy_platform_has_done_nothing(dial, world, status):
    world.switches.update(rate_limited=True, error_status=status)
    with pytest.raises(RateLimited):
        dial()[0].cancel(command(world))
    assert world.ledger() == []


def test_the_shop_introduces_itself_and_a_line_break_starts_no_header(dial):
    client, _wire, line = dial(user_agent="SC1/Python\r\nX-Evil: 1/ñ/PROPIA/FACL")
    client.ping()
    assert line.seen[0].headers["user-agent"] == "SC1/PythonX-Evil: 1//PROPIA/FACL"
    assert "x-evil" not in line.seen[0].headers


# -- secrecy


@pytest.mark.parametrize("style", STYLES)
def test_no_exchange_holds_a_secret_or_a_buyer(dial, world, style):
    client, wire, line = dial(format=style)
    client.ping()
    client.list_orders(OrderQuery())
    client.get_order(REF)
    client.cancel(command(world))
    with pytest.raises(ProviderError):
        client.cancel(command(world, MIXED, 1))
    kept = "\n".join(str(one.as_json()) for one in wire.exchanges)
    signatures = [one.url.params["Signature"] for one in line.seen]
    account = PROVIDER.sandbox.credential
    people = {
        order["AddressBilling"][name]
        for _key, order in world.all()
        for name in ("FirstName", "LastName", "Phone", "Address1", "CustomerEmail", "PostCode")
    } | {order["NationalRegistrationNumber"] for _key, order in world.all()}
    for secret in (account["api_key"], account["user_id"], "desk%40seller", *signatures):
        assert secret not in kept
    assert [one for one in people if f">{one}<" in kept or f'"{one}"' in kept or (len(one) > 4 and one in kept)] == []
    assert BLOT in kept
    assert item_of(world) in kept  # evidence stays


def test_a_signature_the_platform_repeats_is_not_kept(told):
    client, _wire, line = told(Reply(200, b"", {}))
    with pytest.raises(Unreachable):
        client.ping()
    signature = line.seen[0].url.params["Signature"]
    echo = f'{{"SuccessResponse": {{"Head": {{"RequestAction": "GetOrders", "Echo": "{signature}"}}, "Body": ""}}}}'
    client, wire, line = told(Reply(200, echo.encode(), {"content-type": "application/json"}))
    client.ping()
    assert line.seen[0].url.params["Signature"] == signature  # the clock stands still here
    assert signature not in str(wire.exchanges[0].as_json())
