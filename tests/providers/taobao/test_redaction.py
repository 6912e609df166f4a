"""What is kept of an exchange, and what is told in an error: nothing secret, nothing private."""

import json
from datetime import timedelta

import pytest

from providers.contract import Cancel, OrderQuery
from providers.errors import AuthFailed, Rejected
from providers.taobao.sandbox import SANDBOX
from tests.providers.taobao.shop import (
    NOW,
    SESSION,
    one,
)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_no_secret_and_nothing_private_is_kept(world, shop, form):
    client, wire = shop(format=form)
    for ref in (one(world, "PAID"), one(world, "SHIPPED")):
        client.get_order(ref)
        try:
            client.cancel(Cancel(ref))
        except Rejected:
            pass
    client.list_orders(OrderQuery(since=NOW - timedelta(days=9)))
    kept = json.dumps([exchange.as_json() for exchange in wire.exchanges], ensure_ascii=False)
    phones = [document["parcel"]["phone"] for _key, document in world.all() if document["parcel"]]
    assert phones
    for hidden in (SANDBOX.credential["app_secret"], SESSION, *phones):
        assert hidden not in kept
    assert "sign=▇▇▇" in kept
    assert "taobao.pc.order.cancel" in kept
    assert one(world, "SHIPPED")["biz_order_id"] in kept


def test_no_secret_stands_in_an_error(world, shop):
    client, _wire = shop(credential={"app_secret": "wrong-secret-here"})
    with pytest.raises(AuthFailed) as caught:
        client.ping()
    told = repr(caught.value) + str(vars(caught.value))
    assert "wrong-secret-here" not in told
    assert SESSION not in told
