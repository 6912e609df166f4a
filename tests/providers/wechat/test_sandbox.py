"""The pretend mini program: the same every time, and as strict as the real one."""

import json

import pytest

from providers.errors import Rejected
from providers.wechat import PROVIDER
from providers.wechat.sandbox import SANDBOX
from providers.world import World
from tests.providers.wechat.stage import cancel_of, order_in, ref_of


def test_the_world_is_the_same_every_time_and_seeded_quickly(clock):
    one, two = World("wechat", now=clock), World("wechat", now=clock)
    SANDBOX.seed(one, 400)
    SANDBOX.seed(two, 400)
    assert dict(one.all()) == dict(two.all())
    assert one.count() == 404
    states = [order["state"] for _, order in one.all()]
    assert states.count("NEW") > 200
    assert set(states) == {"NEW", "MOVING", "SIGNED", "CANCELLED"}


def test_every_row_of_the_import_file_names_its_waybill(world):
    rows = list(SANDBOX.rows(world))
    assert len(rows) == world.count()
    lookup = [one.name for one in PROVIDER.card.lookup]
    assert list(rows[0])[: len(lookup)] == lookup
    assert all(row[name] for row in rows for name in [*lookup, "order_number", "placed_at", "status", "amount"])


def test_escaped_text_is_refused_by_the_sandbox_as_by_wechat(world, shop):
    one = shop()
    one.client.ping()
    token = world.scratch["stable"]
    for url in (f"/cgi-bin/express/business/order/get?access_token={token}", "/cgi-bin/stable_token"):
        answer = one.wire.read("POST", url, content=b'{"order_id":"\\u4e2d"}')
        assert json.loads(answer.body)["errcode"] == 40033


def test_a_trace_pushed_onto_a_test_waybill_stops_its_cancel(world, shop):
    order, one = order_in(world, courier="TEST"), shop()
    one.client.ping()
    url = f"/cgi-bin/express/business/test_update_order?access_token={world.scratch['stable']}"
    one.wire.read("POST", url, content=json.dumps({**ref_of(order), "action_type": 100001}).encode())
    with pytest.raises(Rejected) as caught:
        one.client.cancel(cancel_of(order))
    assert caught.value.code == "9300506"
