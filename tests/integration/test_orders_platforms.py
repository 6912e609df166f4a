"""The index against every platform's sandbox: pulling, looking up, and finding what came of it."""

import io

import pytest

from cancellations.orders import importing, lookup, search, sync
from cancellations.orders.filters import Filters
from cancellations.orders.models import Order, OrderKey, Pull
from cancellations.orders.sheet import columns_of
from cancellations.shops import connection
from providers import registry
from tests.desk import person, stall

pytestmark = pytest.mark.django_db
SLUGS = ["huaweicloud", "wechat", "sellercenter", "shoplazza", "taobao"]


@pytest.mark.parametrize("slug", SLUGS)
def test_an_order_read_live_is_indexed_and_found_by_each_of_its_keys(slug: str) -> None:
    made = stall(slug, count=12)
    seeded = made.shop.orders.order_by("pk").first()
    assert seeded
    fresh = lookup.read_fresh(made.shop, seeded.ref)
    assert (fresh.pk, fresh.source) == (seeded.pk, "platform")
    agent = person()
    typed = OrderKey.objects.filter(order=fresh, kind__in=["id", "number", "item", "waybill", "sku"])
    for value in typed.values_list("value", flat=True):
        found = search.search(agent, Filters(text=value)).page.rows
        assert fresh.pk in [row.pk for row in found], value


@pytest.mark.parametrize("slug", SLUGS)
def test_pulling_brings_every_order_and_again_changes_none(slug: str) -> None:
    made = stall(slug, count=130, learn=False)
    able = connection.capabilities_of(made.shop)
    if not able.list_orders:
        rows = list(registry.PROVIDERS[slug].sandbox.rows(made.world))
        columns = [name for name in columns_of(connection.card_of(made.shop)) if name in rows[0]]
        text = "\n".join([",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)])
        assert importing.import_file(made.shop, io.BytesIO(text.encode())).bad == 0
    while sync.pull(made.shop, pause=lambda seconds: None):
        pass
    state = Pull.objects.get(shop=made.shop)
    expected = "" if able.list_orders or able.get_orders else sync.CANNOT
    assert (state.error, state.cursor, state.lease_until) == (expected, "", None)
    orders = Order.objects.filter(shop=made.shop)
    assert orders.count() >= 100
    assert orders.values("key").distinct().count() == orders.count()
    before = dict(orders.values_list("pk", "version"))
    if able.list_orders:
        Pull.objects.update(watermark=None)
    while sync.pull(made.shop, pause=lambda seconds: None):
        pass
    assert dict(orders.values_list("pk", "version")) == before
