"""Pulling goes on where it stopped, misses nothing, and never runs twice at once for one shop."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from cancellations.orders import indexing, sync, tasks
from cancellations.orders.models import Order, Pull
from cancellations.shops import health
from cancellations.shops.models import Shop
from providers.contract import Capabilities, Page, Status
from providers.errors import AuthFailed, Cause, RateLimited, Rejected, Unreachable
from tests.integration.counter_platform import CounterPlatform, install, open_shop, order

pytestmark = pytest.mark.django_db


def no_pause(seconds: float) -> None:
    pass


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> CounterPlatform:
    return install(monkeypatch)


@pytest.fixture
def shop(platform: CounterPlatform) -> Shop:
    platform.add(*(order(f"A-{at}") for at in range(5)))
    return open_shop()


def state(shop: Shop) -> Pull:
    return Pull.objects.get(shop=shop)


def test_a_run_reads_page_after_page_and_moves_the_watermark(shop: Shop, platform: CounterPlatform) -> None:
    before = timezone.now()
    assert sync.pull(shop, pause=no_pause) is False
    assert Order.objects.filter(shop=shop).count() == 5
    done = state(shop)
    assert (done.seen, done.total, done.cursor, done.error, done.lease_until) == (5, 5, "", "", None)
    assert done.watermark
    assert done.watermark >= before
    assert done.finished_at
    assert [query.cursor for query in platform.asked] == ["", "2", "4"]
    assert platform.asked[0].since is None


def test_the_next_run_looks_back_a_little_behind_the_watermark(shop: Shop, platform: CounterPlatform) -> None:
    sync.pull(shop, pause=no_pause)
    watermark = state(shop).watermark
    platform.asked.clear()
    sync.pull(shop, pause=no_pause)
    assert watermark
    assert {query.since for query in platform.asked} == {watermark - sync.OVERLAP}


def test_a_run_whose_time_is_over_goes_on_where_it_stopped(shop: Shop, platform: CounterPlatform) -> None:
    assert sync.pull(shop, seconds=0, pause=no_pause) is True
    assert (state(shop).cursor, state(shop).seen, state(shop).watermark) == ("2", 2, None)
    begun = state(shop).next_watermark
    while sync.pull(shop, seconds=0, pause=no_pause):
        pass
    assert Order.objects.count() == 5
    assert (state(shop).watermark, state(shop).seen) == (begun, 5)
    assert [query.cursor for query in platform.asked] == ["", "2", "4"]


def test_a_worker_that_died_costs_one_page_read_again(shop: Shop, platform: CounterPlatform) -> None:
    platform.errors = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        sync.pull(shop, pause=no_pause)
    assert sync.pull(shop, pause=no_pause) is False
    assert Order.objects.count() == 0, "the dead worker's lease still runs"
    Pull.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sync.pull(shop, pause=no_pause)
    assert Order.objects.count() == 5


def test_two_workers_never_pull_one_shop_at_once(shop: Shop, platform: CounterPlatform) -> None:
    seen: list[bool] = []

    def meanwhile(seconds: float) -> None:
        seen.append(sync.pull(shop, pause=no_pause))

    sync.pull(shop, pause=meanwhile)
    assert seen == [False, False]
    assert len(platform.asked) == 3


def test_a_worker_that_lost_its_lease_writes_nothing_more(shop: Shop, platform: CounterPlatform) -> None:
    def another_takes_over(seconds: float) -> None:
        Pull.objects.update(lease_until=timezone.now() + timedelta(hours=1))

    sync.pull(shop, pause=another_takes_over)
    assert Order.objects.count() == 2
    assert state(shop).cursor == "2"


@pytest.mark.parametrize(
    ("error", "held"),
    [
        (Unreachable("timeout"), False),
        (RateLimited("429"), False),
        (AuthFailed("401", cause=Cause.KEYS), True),
        (AuthFailed("403", cause=Cause.PERMISSION), False),
        (Rejected("400", "bad cursor"), False),
    ],
)
def test_an_error_is_kept_as_a_sentence_and_only_refused_keys_hold_the_shop(
    shop: Shop, platform: CounterPlatform, error: Any, held: bool
) -> None:
    sync.pull(shop, seconds=0, pause=no_pause)
    platform.errors = [error]
    assert sync.pull(shop, pause=no_pause) is False
    kept = state(shop)
    assert kept.error == (error.advice.admin or error.advice.agent)
    assert kept.error.endswith(".")
    assert (kept.lease_until, kept.watermark) == (None, None)
    assert kept.cursor == ("" if isinstance(error, Rejected) else "2")
    shop.refresh_from_db()
    assert health.is_held(Shop.objects.select_related("health").get()) is held
    sync.pull(shop, pause=no_pause)
    assert Order.objects.count() == 5
    assert state(shop).error == ""


def test_a_platform_that_pages_in_a_circle_does_not_keep_a_worker(
    shop: Shop, platform: CounterPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "list_orders", lambda query: Page((), "again"))
    assert sync.pull(shop, pause=no_pause) is False
    assert state(shop).error == sync.STUCK


def test_a_platform_that_cannot_list_is_asked_again_for_what_is_still_open(
    shop: Shop, platform: CounterPlatform
) -> None:
    platform.can = Capabilities(list_orders=False, get_orders=2)
    told = [order(f"A-{at}", status=Status.OPEN if at else Status.CANCELLED) for at in range(5)]
    indexing.put_many(shop, told, seen_at=timezone.now(), source="file")
    platform.add(order("A-3", status=Status.SHIPPED))
    del platform.orders["A-4"]
    sync.pull(shop, pause=no_pause)
    assert [[ref["order_id"] for ref in refs] for refs in platform.asked] == [["A-1", "A-2"], ["A-3", "A-4"]]
    assert Order.objects.get(number="A-3").status == "shipped"
    assert Order.objects.get(number="A-4").source == "file"
    assert (state(shop).seen, state(shop).total) == (4, 4)


def test_a_platform_that_can_do_neither_is_skipped_with_a_sentence(shop: Shop, platform: CounterPlatform) -> None:
    platform.can = Capabilities(list_orders=False, get_orders=0)
    assert sync.pull(shop, pause=no_pause) is False
    assert state(shop).error == sync.CANNOT
    assert platform.asked == []


def test_only_active_unheld_shops_whose_last_run_is_old_are_due(shop: Shop, platform: CounterPlatform) -> None:
    assert list(sync.due()) == [shop]
    sync.pull(shop, pause=no_pause)
    assert not sync.due()
    Pull.objects.update(finished_at=timezone.now() - timedelta(seconds=settings.SYNC_SECONDS + 1))
    assert list(sync.due()) == [shop]
    health.hold(shop, AuthFailed("401"))
    assert not sync.due()


def test_a_shop_that_is_switched_off_is_never_pulled(shop: Shop, platform: CounterPlatform) -> None:
    Shop.objects.update(active=False)
    assert not sync.due()
    tasks.sync_shop(shop.pk)
    assert platform.asked == []


@pytest.mark.django_db(transaction=True)
def test_the_doorbell_rings_for_every_shop_that_is_due_and_again_for_one_cut_short(
    shop: Shop, rung: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.sync_due()
    assert rung == [("sync_shop", (shop.pk,))]
    rung.clear()
    monkeypatch.setattr(sync.pull, "__kwdefaults__", {"seconds": 0, "pause": no_pause})
    tasks.sync_shop(shop.pk)
    assert rung == [("sync_shop", (shop.pk,))]


def test_the_command_pulls_until_nothing_is_left(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sync_orders", shop="counter-1")
    assert "counter-1: 5 orders read." in capsys.readouterr().out


def test_the_command_names_what_could_not_be_pulled(
    shop: Shop, platform: CounterPlatform, capsys: pytest.CaptureFixture[str]
) -> None:
    platform.errors = [Unreachable("timeout")]
    with pytest.raises(CommandError, match="1 of 1 shops"):
        call_command("sync_orders")
    with pytest.raises(CommandError, match="no shop called"):
        call_command("sync_orders", shop="nowhere")
