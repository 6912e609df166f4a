"""Which reasons can be picked in a shop, and what its platform is told for each."""

from dataclasses import replace

import pytest
from django.utils import timezone

from cancellations.reasons.choosing import Choice, reasons_for, values_of
from cancellations.reasons.models import ListedReasons, Reason, ReasonMapping
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import PlatformReason, Provider
from tests.integration.pretend import CARD, PretendPlatform

pytestmark = pytest.mark.django_db
CODES = (
    "customer_request", "out_of_stock", "wrong_address", "duplicate_order", "payment_problem", "price_error",
    "fraud_suspected", "undeliverable", "other",
)  # fmt: skip


def shop_on(monkeypatch, reason: str = "listed", **options: object) -> Shop:
    """Make a shop on a pretend platform whose card knows one value, for out_of_stock."""
    card = replace(
        CARD,
        reason=reason,
        reasons=(PlatformReason("NONE_LEFT", "None left"),),
        reason_defaults={"out_of_stock": "NONE_LEFT"},
    )
    pretend = PretendPlatform().provider()
    monkeypatch.setitem(registry.PROVIDERS, "pretend", Provider(card, pretend.open, pretend.capabilities, None))
    return Shop.objects.create(
        name="corner", title="Corner", platform="pretend", environment="sandbox", base_url="", options=options
    )


def choice(shop: Shop, code: str) -> Choice:
    return next(one for one in reasons_for(shop) if one.reason.code == code)


def map_to(code: str, value: str, shop: Shop | None = None) -> None:
    ReasonMapping.objects.create(reason=Reason.objects.get(code=code), platform="pretend", shop=shop, value=value)


def test_the_catalogue_begins_with_nine_reasons_on_every_platform():
    for slug, provider in registry.PROVIDERS.items():
        shop = Shop(name=slug, title=slug, platform=slug, options={})
        shop.save()
        choices = reasons_for(shop)
        assert tuple(one.reason.code for one in choices) == CODES
        for one in choices:
            assert one.pickable or one.why, (slug, one.reason.code)
            assert one.told == (provider.card.reason != "none")


def test_where_no_reason_is_taken_every_one_can_be_picked_and_nothing_is_told(monkeypatch):
    shop = shop_on(monkeypatch, "none")
    map_to("other", "something")
    assert {(one.value, one.pickable, one.told) for one in reasons_for(shop)} == {("", True, False)}


def test_where_text_is_taken_the_label_is_told_unless_something_is_mapped(monkeypatch):
    shop = shop_on(monkeypatch, "text")
    map_to("price_error", "pricing mistake")
    assert choice(shop, "wrong_address").value == "Wrong address"
    assert choice(shop, "out_of_stock").value == "NONE_LEFT"
    assert choice(shop, "price_error").value == "pricing mistake"
    assert all(one.pickable for one in reasons_for(shop))


def test_where_values_are_listed_a_reason_without_one_cannot_be_picked_and_says_why(monkeypatch):
    shop = shop_on(monkeypatch)
    assert choice(shop, "out_of_stock").pickable
    refused = choice(shop, "wrong_address")
    assert (refused.value, refused.pickable) == ("", False)
    assert "Pretend has no value for this reason yet" in refused.why


def test_the_shops_mapping_wins_over_the_platforms_and_that_over_the_card(monkeypatch):
    shop = shop_on(monkeypatch, reasons=["NONE_LEFT", "SOLD_OUT", "GONE"])
    assert choice(shop, "out_of_stock").value == "NONE_LEFT"
    map_to("out_of_stock", "SOLD_OUT")
    assert choice(shop, "out_of_stock").value == "SOLD_OUT"
    map_to("out_of_stock", "GONE", shop)
    assert choice(shop, "out_of_stock").value == "GONE"


def test_another_shops_mapping_counts_nothing_here(monkeypatch):
    shop = shop_on(monkeypatch, reasons=["NONE_LEFT", "GONE"])
    other = Shop.objects.create(name="other", title="Other", platform="pretend", environment="sandbox", base_url="")
    map_to("out_of_stock", "GONE", other)
    assert choice(shop, "out_of_stock").value == "NONE_LEFT"


def test_a_table_in_the_shops_options_maps_our_codes(monkeypatch):
    shop = shop_on(monkeypatch, reasons={"wrong_address": "BAD_ADDRESS"})
    assert choice(shop, "wrong_address").value == "BAD_ADDRESS"
    assert choice(shop, "wrong_address").pickable
    assert not choice(shop, "out_of_stock").pickable  # the card's value is not one this operator was given


def test_once_a_list_was_read_the_cards_value_counts_only_when_the_list_has_it(monkeypatch):
    shop = shop_on(monkeypatch)
    listed = ListedReasons.objects.create(shop=shop, values=["SOLD_OUT", "LOST"], read_at=timezone.now())
    refused = choice(shop, "out_of_stock")
    assert not refused.pickable
    assert "“NONE_LEFT”, which this shop's platform does not list" in refused.why
    listed.values = ["NONE_LEFT", "LOST"]
    listed.save()
    assert choice(shop, "out_of_stock").pickable


def test_values_are_those_configured_and_those_read_and_the_cards_without_either(monkeypatch):
    shop = shop_on(monkeypatch)
    assert values_of(shop) == ["NONE_LEFT"]
    ListedReasons.objects.create(shop=shop, values=["LOST"], read_at=timezone.now())
    assert values_of(shop) == ["LOST"]
    shop.options = {"reasons": ["GONE", "LOST"]}
    assert values_of(shop) == ["GONE", "LOST"]


def test_a_retired_reason_is_not_offered(monkeypatch):
    shop = shop_on(monkeypatch)
    Reason.objects.filter(code="other").update(retired_at=timezone.now())
    assert "other" not in {one.reason.code for one in reasons_for(shop)}
