"""What the fault campaign found: commits cut away, a cache that is away, and machines whose clocks disagree."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker.request import Request
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from cancellations.audit import sealing
from cancellations.audit.models import Seal
from cancellations.batches import running
from cancellations.requests import asking, concluding, delivery, sweeping, tasks
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.states import State
from cancellations.shops import tokens
from cancellations.shops.models import Pulse, ShopHealth
from config.celery import app
from tests.desk import Stall, person, stall
from tests.integration import bulk
from tests.integration.records import found, record, sealed, vendor, write

__all__ = ["record", "vendor"]


def ask(made: Stall) -> CancellationRequest:
    (asked,) = asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    return asked.cancellation


def clock_is_off_by(patch: pytest.MonkeyPatch, **by: float) -> None:
    now: Any = timezone.now

    def other() -> datetime:
        return now() + timedelta(**by)

    patch.setattr(timezone, "now", other)


@pytest.mark.django_db(transaction=True)
def test_R11_an_answer_whose_commit_was_cut_away_is_written_down_by_the_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, tries, whole = stall("shoplazza"), [], concluding.conclude

    def cut_once(*args: Any) -> bool:
        tries.append(args)
        with transaction.atomic():
            moved = whole(*args)
            if len(tries) == 1:
                raise OperationalError("server closed the connection unexpectedly")
            return moved

    monkeypatch.setattr(concluding, "conclude", cut_once)
    monkeypatch.setattr(concluding, "PATIENCE_SECONDS", (0.0, 0.0))
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    assert len(tries) == 2
    assert CancellationRequest.objects.get(pk=cancellation.pk).state == State.SUCCEEDED
    assert Attempt.objects.get(cancellation=cancellation, kind="send").outcome == "Receipt"
    assert len(made.called()) == 1


@pytest.mark.usefixtures("record")
def test_R14_seals_of_a_machine_whose_clock_is_behind_are_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(2)
    write(2)
    with monkeypatch.context() as patch:
        clock_is_off_by(patch, hours=-2)
        assert sealing.seal()
    sealed(2)
    sealed(2)
    covered = [number for runs in Seal.objects.values_list("events", flat=True) for run in runs for number in run]
    assert len(covered) == len(set(covered)) == 8
    assert found() == []


@pytest.mark.usefixtures("record")
def test_R14_events_of_a_machine_whose_clock_is_twelve_minutes_off_are_not_called_inserted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for minutes in (0, -12, 12, -12):
        with monkeypatch.context() as patch:
            clock_is_off_by(patch, minutes=minutes)
            sealed(2)
    assert found() == []


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [-12, 12])
def test_R14_a_held_shop_is_probed_in_time_whoever_probed_it_last(
    minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza")
    ShopHealth.objects.update_or_create(shop=made.shop, defaults={"held_since": timezone.now(), "hold_cause": "clock"})
    with monkeypatch.context() as patch:
        clock_is_off_by(patch, minutes=minutes)
        sweeping.probe(made.shop.pk)
    ShopHealth.objects.filter(shop=made.shop).update(held_since=timezone.now())
    assert sweeping.shops_to_probe() == []
    probed = ShopHealth.objects.get(shop=made.shop).probed_at
    assert probed
    ShopHealth.objects.filter(shop=made.shop).update(probed_at=probed - timedelta(seconds=61))
    assert sweeping.shops_to_probe() == [made.shop.pk]


@pytest.mark.django_db
def test_R14_what_is_asked_on_a_machine_whose_clock_is_ahead_is_sent_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    with monkeypatch.context() as patch:
        clock_is_off_by(patch, minutes=12)
        cancellation = ask(made)
    delivery.drain(made.shop.pk)
    assert CancellationRequest.objects.get(pk=cancellation.pk).state == State.SUCCEEDED


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [-12, 12])
def test_R14_a_wave_asked_for_by_a_worker_whose_clock_is_off_stands_in_its_place(
    minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bulk.install(monkeypatch)
    first, second, *many = bulk.many_orders(bulk.open_shop(), 8, platform=made)
    by = person()
    asking.request_cancellation(by=by, order=first, units=[""], reason_code="out_of_stock")
    batch = bulk.started(many)
    with monkeypatch.context() as patch:
        clock_is_off_by(patch, minutes=minutes)
        running.advance(batch.pk)
    asking.request_cancellation(by=by, order=second, units=[""], reason_code="out_of_stock")
    rows = list(CancellationRequest.objects.order_by("-requested_at", "-id").values_list("order_key", "batch"))
    assert rows[0] == (second.key, None)
    assert rows[-1] == (first.key, None)
    assert {of for _key, of in rows[1:-1]} == {batch.pk}


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [-12, 12])
def test_R14_a_worker_whose_clock_is_off_neither_looks_dead_nor_alive_for_longer(
    minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        clock_is_off_by(patch, minutes=minutes)
        tasks.sweep()
    assert Pulse.is_heard()
    with monkeypatch.context() as patch:
        clock_is_off_by(patch, minutes=minutes)
        assert Pulse.is_heard(), "a web server whose clock is off hears it, too"
    Pulse.objects.update(at=F("at") - timedelta(seconds=61))
    assert not Pulse.is_heard()


@pytest.mark.parametrize("name", sorted(app.conf.beat_schedule))
def test_R14_a_worker_whose_clock_is_ahead_does_not_go_deaf_to_beat(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(minutes=12)

    entry = app.conf.beat_schedule[name]
    headers = app.amqp.as_task_v2("1", entry["task"], (), entry["kwargs"], **entry["options"]).headers
    message: Any = SimpleNamespace(delivery_info={}, properties={})
    ring = Request(message, app=app, task=tasks.sweep, headers=headers, body=((), {}, {}), decoded=True)
    monkeypatch.setattr("celery.worker.request.datetime", Ahead)
    assert not ring.maybe_expire()


@pytest.mark.django_db
def test_R10_a_heap_of_rings_costs_one_sweep(rung: list[Any]) -> None:
    made = stall("shoplazza")
    ask(made)
    told = app.conf.beat_schedule["sweep"]["kwargs"]
    for _ring in range(50):
        tasks.sweep(**told)
    assert rung.count(("deliver", (made.shop.pk,))) <= 2


class _CacheAway:
    def __getattr__(self, name: str) -> Any:
        def away(*args: Any, **kwargs: Any) -> Any:
            raise RedisConnectionError("Connection refused")

        return away


@pytest.mark.django_db
def test_R16_while_the_cache_is_away_a_request_waits_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("wechat")
    cancellation = ask(made)
    with monkeypatch.context() as patch:
        patch.setattr(tokens, "cache", _CacheAway())
        delivery.drain(made.shop.pk)
    assert CancellationRequest.objects.get(pk=cancellation.pk).state == State.QUEUED
    assert made.called() == []
