"""The real platforms' clients, against their pretend worlds, through the shops' door."""

import dataclasses

import pytest
from django.db import connection as database

from cancellations.audit.trail import Machine
from cancellations.orders import sync
from cancellations.requests import asking, delivery
from cancellations.requests.models import BULK, CancellationRequest
from cancellations.schema import asked_for
from cancellations.shops import configuring, connection
from cancellations.shops.checkup import check_connection
from cancellations.shops.from_file import configure
from cancellations.shops.health import is_held
from cancellations.shops.models import Shop
from providers import registry
from providers.errors import AuthFailed, Cause
from tests.desk import person, stall, unit_of
from tests.integration.shops import everything_stored

pytestmark = pytest.mark.django_db
SLUGS = sorted(registry.PROVIDERS)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_good_connection_is_found_good(slug):
    shop = stall(slug, count=3, learn=False).shop
    found = check_connection(shop, by=person("admin"))
    assert found.good, found
    assert [line for line in found.lines if line.good is False] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_wrong_keys_are_told_from_everything_else_and_hold_the_shop(slug):
    shop = stall(slug, count=3, learn=False).shop
    provider = registry.PROVIDERS[slug]
    keys = dict(provider.sandbox.credential)
    (secret,) = [
        one.name for one in provider.card.credential
        if one.kind == "secret" and one.required and asked_for(one, shop.options)
    ]  # fmt: skip
    wrong = "wrong-canary-" + "0" * 12
    configuring.replace_credential(shop, {**keys, secret: wrong}, by=person("admin"))
    found = check_connection(shop, by=person("admin"))
    assert not found.good
    assert found.cause == Cause.KEYS, found
    assert is_held(shop)
    assert wrong not in repr(dataclasses.asdict(found)) + everything_stored()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_platform_that_cannot_be_reached_is_a_matter_of_the_network(slug, settings):
    shop = stall(slug, count=3, learn=False).shop
    settings.PLATFORM_HOSTS = frozenset({"127.0.0.1:1"})
    address = "http://127.0.0.1:1"
    further = {one.name: address for one in registry.PROVIDERS[slug].card.options if one.kind == "url"}
    connection.TRANSPORTS.clear()
    Shop.objects.filter(pk=shop.pk).update(base_url=address, options={**shop.options, **further})
    shop.refresh_from_db()
    configuring.replace_credential(shop, dict(registry.PROVIDERS[slug].sandbox.credential), by=person("admin"))
    found = check_connection(shop, by=person("admin"))
    assert found.cause == Cause.NETWORK, found
    assert not is_held(shop)


def test_reading_that_is_not_granted_holds_up_no_cancel():
    made = stall("taobao")
    keys = dict(registry.PROVIDERS["taobao"].sandbox.credential)
    configuring.replace_credential(made.shop, {**keys, "session": ""}, by=person("admin"))
    made.world.switches["session"] = "to-read"
    assert check_connection(made.shop, by=person("admin")).cause == Cause.PERMISSION
    sync.pull(made.shop)
    first, second = made.orders()[:2]
    for order in (first, second):
        asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
        delivery.drain(made.shop.pk)
        assert not is_held(Shop.objects.get(pk=made.shop.pk))
    assert made.performed() == [first.number, second.number]


def test_an_item_of_another_seller_is_refused_and_holds_up_no_other():
    made = stall("sellercenter")
    theirs, ours = made.orders()[:2]
    made.world.switches["foreign"] = [theirs.ref["order_id"]]
    for order in (theirs, ours):
        asking.request_cancellation(by=person(), order=order, units=[unit_of(order)], reason_code="out_of_stock")
        delivery.drain(made.shop.pk)
    states = CancellationRequest.objects.order_by("pk").values_list("state", "code")
    assert [*states] == [("rejected", "E009"), ("succeeded", "")]


@pytest.mark.parametrize("twice", ["refused", "success"])
def test_items_that_went_with_a_sibling_of_their_bulk_come_out_cancelled_and_nothing_else_goes(twice):
    made = stall("sellercenter")
    made.world.switches |= {"cancel_scope": "package", "second_cancel": twice}
    order = made.shop.orders.get(key="1130001")  # two pending items in one package
    for item in order.items.all():
        asking.request_cancellation(
            by=person(), order=order, units=[item.ref], reason_code="out_of_stock", priority=BULK
        )  # fmt: skip
    delivery.drain(made.shop.pk)
    assert [*CancellationRequest.objects.values_list("state", flat=True)] == ["succeeded"] * 2
    assert len(made.performed()) == 1


# -- Several shops of one app


def neighbour(made, secret="", **options):
    """Make another shop of the same app behind the same address."""
    keys = dict(registry.PROVIDERS[made.slug].sandbox.credential)
    shop = Shop.objects.create(
        name=f"{made.shop.name}-too", title="Too", platform=made.slug, environment="sandbox",
        base_url=made.shop.base_url, options={**made.shop.options, **options},
    )  # fmt: skip
    configuring.replace_credential(shop, {**keys, "secret": secret or keys["secret"]}, by=person("admin"))
    return shop


def app_with_plain_tokens():
    made = stall("wechat", count=3, learn=False)
    made.world.switches["token_grace"] = 0
    made.shop.options["token"] = "plain"
    made.shop.save()
    return made


def test_shops_of_one_app_do_not_end_each_others_token():
    made = app_with_plain_tokens()
    other = neighbour(made, route="cloud")
    for shop in (made.shop, other) * 3:
        connection.connect(shop).client.ping()
    assert len(made.world.scratch["tokens"]) == 1


def test_a_shop_with_an_old_secret_of_the_app_gets_no_token_of_the_others():
    made = app_with_plain_tokens()
    other = neighbour(made, secret="an-older-secret-0123456789abcdef")
    connection.connect(made.shop).client.ping()
    for _twice in range(2):
        with pytest.raises(AuthFailed) as refused:
            connection.connect(other).client.ping()
        assert refused.value.cause == Cause.KEYS
    connection.connect(made.shop).client.ping()
    assert len(made.world.scratch["tokens"]) == 1


def test_a_token_of_an_app_goes_to_no_other_address():
    for made in (app_with_plain_tokens(), app_with_plain_tokens()):
        there = connection.connect(made.shop)
        there.client.ping()
        assert len(there.exchanges) == 2, "a token is fetched, and the first call is let in with it"


def test_S9_the_cache_names_neither_the_app_nor_its_token():
    made = app_with_plain_tokens()
    connection.connect(made.shop).client.ping()
    (token,) = made.world.scratch["tokens"]
    with database.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        kept = repr(cursor.fetchall())
    assert "platform-token" in kept
    assert token not in kept
    assert registry.PROVIDERS["wechat"].sandbox.credential["appid"] not in kept


EVERY_PLATFORM = """\
[[person]]
username = "agent1"
password = { env = "AGENT1_PASSWORD" }
role = "agent"
shops = ["hw-main", "lazy-cat"]

[[shop]]
name = "hw-main"
title = "Huawei Cloud, main account"
platform = "huaweicloud"
environment = "live"
base_url = "https://bss-intl.myhuaweicloud.com"
options = { auth = "aksk", iam_url = "https://iam.myhuaweicloud.com" }
credential = { access_key = "ACCESS0000", secret_key = "secret-0000" }

[[shop]]
name = "hw-token"
title = "Huawei Cloud by token"
platform = "huaweicloud"
environment = "live"
base_url = "http://127.0.0.1:8765/huaweicloud"
options = { auth = "token", iam_url = "http://127.0.0.1:8765/huaweicloud" }
credential = { domain_name = "account", user_name = "iam-user", password = "pass-word" }

[[shop]]
name = "wx"
title = "WeChat"
platform = "wechat"
environment = "live"
options = { token = "plain", route = "cloud", env = "env-1", function = "cancel" }
credential = { appid = "wx0123456789abcdef", secret = "0123456789abcdef0123456789abcdef" }

[[shop]]
name = "sc"
title = "Seller Center"
platform = "sellercenter"
environment = "live"
options = { format = "xml", user_agent = "SC/1", reasons = ["SHORTAGE", "Wrong address"] }
credential = { user_id = "seller@example.com", api_key = "0123456789abcdef" }

[[shop]]
name = "lazy-cat"
title = "Lazy Cat"
platform = "shoplazza"
environment = "sandbox"
base_url = "https://lazy-cat.myshoplaza.com"
options = { api_version = "2022-01" }
credential = { access_token = "token-0000" }

[[shop]]
name = "tb"
title = "Taobao"
platform = "taobao"
environment = "live"
options = { sign_method = "hmac-sha256", format = "json", simplify = true, detail = true, list = true }
credential = { app_key = "12345678", app_secret = "secret-1111", session = "session-1111" }
"""


def test_a_file_with_every_platform_as_documented_is_taken_and_every_shop_opens(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENT1_PASSWORD", "of-the-tests-0815")
    path = tmp_path / "shops.toml"
    path.write_text(EVERY_PLATFORM)
    by = Machine("system", "configure")
    assert len(configure(path, by=by)) == 7
    assert configure(path, by=by) == []
    for shop in Shop.objects.all():
        connection.connect(shop)
