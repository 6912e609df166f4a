"""The index says what the platform said last: no more, no less, and nothing of a buyer in clear."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.utils import timezone

from cancellations.orders import indexing
from cancellations.orders.models import Order, OrderItem, OrderKey
from cancellations.orders.reading import Unindexable
from cancellations.shops.models import Shop
from providers.contract import Buyer, PlatformItem, Standing, Status
from tests.integration.counter_platform import PLACED, CounterPlatform, install, open_shop, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> CounterPlatform:
    return install(monkeypatch)


@pytest.fixture
def shop(platform: CounterPlatform) -> Shop:
    return open_shop()


def keys_of(found: Order, kind: str) -> set[str]:
    return set(found.keys.filter(kind=kind).values_list("value", flat=True))


def test_an_order_is_kept_as_it_was_told(shop: Shop) -> None:
    found = indexing.put(shop, order(), seen_at=timezone.now())
    assert (found.number, found.status, found.status_text, found.placed_at) == ("A-1001", "open", "awaiting", PLACED)
    assert (found.amount, found.currency, found.buyer) == (Decimal("12.5"), "EUR", "M••• G•••, •••• 4321")
    assert (found.cancellable, found.shelf, found.version, found.placed_known) == (True, "open y", 1, True)
    assert [item.ref for item in found.items.all()] == ["i1"]
    assert keys_of(found, "number") == {"A1001"}
    assert keys_of(found, "waybill") == {"SFA1001"}
    assert keys_of(found, "sku") == {"SKU7"}


def test_nothing_of_a_buyer_is_kept_in_clear(shop: Shop) -> None:
    indexing.put(shop, order(), seen_at=timezone.now())
    rows = [*Order.objects.all(), *OrderItem.objects.all(), *OrderKey.objects.all()]
    kept = serializers.serialize("json", rows).lower()
    for datum in ("maria", "garcia", "600004321", "600 004 321", "maria@"):
        assert datum not in kept


def test_the_same_again_changes_nothing_but_when_it_was_seen(shop: Shop) -> None:
    first = indexing.put(shop, order(), seen_at=timezone.now())
    keys = set(first.keys.values_list("pk", flat=True))
    later = timezone.now() + timedelta(minutes=5)
    again = indexing.put(shop, order(), seen_at=later)
    assert (again.pk, again.version, again.seen_at) == (first.pk, 1, later)
    assert set(again.keys.values_list("pk", flat=True)) == keys


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.SHIPPED},
        {"amount": Decimal("13")},
        {"standing": Standing(False, "The parcel has left.")},
        {"items": (PlatformItem("i1", "Mug", "SKU-7", Status.SHIPPED, amount=Decimal("12.50"), currency="EUR"),)},
        {"items": (PlatformItem("i2"),)},
    ],
)
def test_the_version_grows_when_something_changed_that_a_decision_rests_on(shop: Shop, change: dict[str, Any]) -> None:
    first = indexing.put(shop, order(), seen_at=timezone.now())
    changed = indexing.put(shop, order(**change), seen_at=timezone.now())
    assert (changed.pk, changed.version) == (first.pk, 2)


def test_the_version_stays_when_only_the_parcel_moved(shop: Shop) -> None:
    indexing.put(shop, order(), seen_at=timezone.now())
    assert indexing.put(shop, order(facts=(("Note", "2"),)), seen_at=timezone.now()).version == 1
    assert Order.objects.get().facts == [["Note", "2"]]


def test_an_older_reading_never_overwrites_a_newer_one(shop: Shop) -> None:
    now = timezone.now()
    indexing.put(shop, order(status=Status.CANCELLED), seen_at=now)
    late = indexing.put(shop, order(status=Status.OPEN), seen_at=now - timedelta(seconds=1))
    assert (late.status, late.version, late.seen_at) == ("cancelled", 1, now)


def test_a_reading_that_is_silent_keeps_what_was_known(shop: Shop) -> None:
    indexing.put(shop, order(), seen_at=timezone.now())
    thin = order(amount=None, currency="", buyer=Buyer(), items=(), keys=(), placed_at=None, status=Status.CANCELLED)
    found = indexing.put(shop, thin, seen_at=timezone.now())
    assert (found.status, found.amount, found.buyer) == ("cancelled", Decimal("12.5"), "M••• G•••, •••• 4321")
    assert (found.placed_at, found.placed_known, found.items.count()) == (PLACED, True, 1)
    assert keys_of(found, "email")
    assert keys_of(found, "waybill") == {"SFA1001"}


def test_keys_of_a_kind_that_is_told_anew_are_replaced(shop: Shop) -> None:
    before = indexing.put(shop, order(), seen_at=timezone.now())
    old_email = keys_of(before, "email")
    told = order(keys=(("waybill", "SF-2"),), buyer=Buyer(email="other@example.com"))
    after = indexing.put(shop, told, seen_at=timezone.now())
    assert keys_of(after, "waybill") == {"SF2"}
    assert keys_of(after, "email")
    assert not keys_of(after, "email") & old_email


def test_items_that_are_gone_are_forgotten_and_the_others_keep_their_rows(shop: Shop) -> None:
    two = (PlatformItem("i1", "Mug"), PlatformItem("i2", "Cup"))
    first = indexing.put(shop, order(items=two), seen_at=timezone.now())
    kept = first.items.get(ref="i2").pk
    found = indexing.put(shop, order(items=(PlatformItem("i2", "Cup, blue"),)), seen_at=timezone.now())
    assert [(item.pk, item.name) for item in found.items.all()] == [(kept, "Cup, blue")]


def test_what_the_desk_did_is_left_alone(shop: Shop) -> None:
    indexing.put(shop, order(), seen_at=timezone.now())
    Order.objects.update(desk_state="uncertain")
    assert indexing.put(shop, order(status=Status.CANCELLED), seen_at=timezone.now()).desk_state == "uncertain"


def test_a_placing_time_is_never_made_up(shop: Shop) -> None:
    seen = timezone.now()
    found = indexing.put(shop, order(placed_at=None), seen_at=seen)
    assert (found.placed_at, found.placed_known) == (seen, False)
    again = indexing.put(shop, order(placed_at=None, status=Status.CLOSED), seen_at=seen + timedelta(hours=1))
    assert (again.placed_at, again.placed_known) == (seen, False)
    assert indexing.put(shop, order(), seen_at=seen + timedelta(hours=2)).placed_at == PLACED


def test_keys_know_when_their_order_was_placed_and_learn_it_when_it_is_told_late(shop: Shop) -> None:
    seen = timezone.now()
    found = indexing.put(shop, order(placed_at=None), seen_at=seen)
    assert set(found.keys.values_list("placed_at", flat=True)) == {seen}
    indexing.put(shop, order(), seen_at=seen + timedelta(hours=1))
    assert set(found.keys.values_list("placed_at", flat=True)) == {PLACED}
    found.keys.update(placed_at=seen)  # as a worker of the version before leaves them
    indexing.put(shop, order(), seen_at=seen + timedelta(hours=2))
    assert set(found.keys.values_list("placed_at", flat=True)) == {PLACED}


def test_a_file_only_adds_to_what_a_platform_told(shop: Shop) -> None:
    told = indexing.put(shop, order(buyer=Buyer()), seen_at=timezone.now())
    said = order(
        ref={"order_id": "A-1001", "courier": "SF"},
        status=Status.CLOSED,
        amount=Decimal(1),
        keys=(("waybill", "OTHER-9"),),
    )
    found = indexing.put(shop, said, seen_at=timezone.now() + timedelta(hours=1), source="file")
    assert (found.status, found.amount, found.source) == ("open", Decimal("12.5"), "platform")
    assert (found.version, found.seen_at) == (1, told.seen_at)
    assert found.ref == {"order_id": "A-1001", "courier": "SF"}
    assert found.buyer
    assert keys_of(found, "waybill") == {"SFA1001", "OTHER9"}


def test_a_platform_overwrites_what_a_file_said(shop: Shop) -> None:
    indexing.put(shop, order(status=Status.UNKNOWN), seen_at=timezone.now(), source="file")
    found = indexing.put(shop, order(), seen_at=timezone.now())
    assert (found.status, found.source, found.version) == ("open", "platform", 2)


def test_text_a_database_refuses_is_cleaned_and_cut(shop: Shop) -> None:
    wild = order(
        status_text="a\x00b" + "x" * 500,
        facts=(("La\x00bel", "\ud800"),),
        amount=Decimal("NaN"),
        items=(PlatformItem("i1", name="n" * 900, quantity=-4),),
    )
    found = indexing.put(shop, wild, seen_at=timezone.now())
    assert found.status_text.startswith("abx")
    assert len(found.status_text) == 120
    assert found.amount is None
    assert found.items.get().quantity == 0
    assert json.dumps(found.facts)


def test_an_order_without_identity_is_refused_alone_and_left_out_among_others(shop: Shop) -> None:
    with pytest.raises(Unindexable):
        indexing.put(shop, order(ref={}), seen_at=timezone.now())
    written = indexing.put_many(shop, [order(ref={}), order("A-2")], seen_at=timezone.now())
    assert (written.made, written.unusable) == (1, 1)


def test_the_same_order_twice_in_a_batch_is_one_row(shop: Shop) -> None:
    written = indexing.put_many(shop, [order(), order(status=Status.CLOSED)], seen_at=timezone.now())
    assert (written.made, Order.objects.get().status) == (1, "closed")


def test_a_batch_says_what_it_came_to(shop: Shop) -> None:
    indexing.put_many(shop, [order("A-1"), order("A-2")], seen_at=timezone.now())
    batch = [order("A-1"), order("A-2", status=Status.CLOSED), order("A-3")]
    written = indexing.put_many(shop, batch, seen_at=timezone.now())
    assert (written.made, written.changed, written.same) == (1, 1, 1)


def test_a_batch_takes_few_queries_however_many_orders_it_has(shop: Shop, django_assert_max_num_queries: Any) -> None:
    for change in ({}, {"status": Status.CLOSED}):
        with django_assert_max_num_queries(30):  # SQLite takes some fifty rows a statement
            indexing.put_many(shop, [order(f"Q{at}", **change) for at in range(200)], seen_at=timezone.now())


def test_two_shops_may_have_the_same_order_number(shop: Shop) -> None:
    other = open_shop("counter-2")
    first, second = (indexing.put(one, order(), seen_at=timezone.now()) for one in (shop, other))
    assert first.pk != second.pk
    assert set(OrderKey.objects.filter(order=second).values_list("shop", flat=True)) == {other.pk}
