"""No secret and nothing personal is in what is kept of a call."""

from providers.contract import Cancel
from providers.errors import OutcomeUnknown
from providers.huaweicloud.sandbox import SANDBOX

from .conftest import as_json, caught, failing

EMPTY = as_json(200, {"total_count": 0, "order_infos": []})
TOKEN = "T" * 3000
SIGNED_IN = as_json(201, {"token": {"expires_at": "2026-03-05T05:06:07.000000Z"}}, x_subject_token=TOKEN)


def test_no_secret_and_no_buyer_is_in_any_exchange_or_error(any_shop, world, tokens, order_ids):
    for key in order_ids(6):
        document = world.get(key)
        document["info"]["user_name"] = "Zoë Müller-秘"
        world.put(key, document)
    mine = order_ids(6)
    client, wire = any_shop()
    client.ping()
    assert client.get_order({"order_id": mine[0]}).buyer.name == "Zoë Müller-秘"
    world.plan(mine[1], "garbage-after")
    world.plan(mine[2], "error")
    client.cancel(Cancel({"order_id": mine[0]}))
    told = [str(caught(lambda one=one: client.cancel(Cancel({"order_id": one})), OutcomeUnknown)) for one in mine[1:3]]
    kept = str([exchange.as_json() for exchange in wire.exchanges]) + str(told)
    secrets = [SANDBOX.credential["secret_key"], SANDBOX.token_credential["password"], *world.scratch.get("tokens", {})]
    for secret in secrets:
        assert secret not in kept
    assert "MIIPretend" not in kept
    assert "Müller" not in kept
    assert "Signature=" not in kept


def test_a_refusal_that_quotes_a_token_is_told_without_it(dictated):
    quoting = failing(403, "CBC.0151", f"permission: token {TOKEN} may not")
    client, wire, _ = dictated(SIGNED_IN, quoting, auth="token")
    error = caught(client.ping)
    assert TOKEN not in error.message + str(error) + str([exchange.as_json() for exchange in wire.exchanges])
