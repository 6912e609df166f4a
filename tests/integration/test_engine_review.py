"""The engine under suspicion: races, doubt carried over a resend, faults of one shop, clocks, and odd characters."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.people.models import Person
from cancellations.requests import (
    asking,
    claiming,
    decisions,
    delivery,
    pacing,
    reading,
    reconciliation,
    sweeping,
    tasks,
)
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.refusals import NotAllowed
from cancellations.requests.states import State
from cancellations.shops.models import ShopHealth
from providers.contract import PlatformOrder, Receipt, Status
from providers.errors import AuthFailed, Cause, OutcomeUnknown, RateLimited, Rejected, Unreachable
from tests.desk import Stall, person, stall, unit_of
from tests.throwaway import database

AGO = timedelta(seconds=1)


def ask(made: Stall, *, by: Person | None = None) -> CancellationRequest:
    order = made.orders()[0]
    (asked,) = asking.request_cancellation(
        by=by or person(), order=order, units=[unit_of(order)], reason_code="out_of_stock"
    )
    return asked.cancellation


def now_is(cancellation: CancellationRequest) -> CancellationRequest:
    return CancellationRequest.objects.select_related("shop", "shop__health").get(pk=cancellation.pk)


def put(cancellation: CancellationRequest, **columns: Any) -> CancellationRequest:
    CancellationRequest.objects.filter(pk=cancellation.pk).update(**columns)
    return now_is(cancellation)


def look(cancellation: CancellationRequest) -> CancellationRequest:
    put(cancellation, due_at=timezone.now() - AGO)
    reconciliation.reconcile(cancellation.pk)
    return now_is(cancellation)


def verbs(cancellation: CancellationRequest) -> list[str]:
    found = AuditEvent.objects.filter(subject_kind="cancellation", subject_id=str(cancellation.pk)).order_by("id")
    return [verb.partition(".")[2] for verb in found.values_list("verb", flat=True)]


def answer(monkeypatch: pytest.MonkeyPatch, told: Receipt | Exception) -> None:
    """Let every cancel be answered so, whatever the platform."""
    real = delivery.connect

    def connected(shop: Any, **more: Any) -> Any:
        made = real(shop, **more)

        def cancel(command: Any) -> Receipt:
            if isinstance(told, Exception):
                raise told
            return told

        made.client.cancel = cancel
        return made

    monkeypatch.setattr(delivery, "connect", connected)


def readings_say(monkeypatch: pytest.MonkeyPatch, told: Callable[[PlatformOrder], PlatformOrder] | Exception) -> None:
    """Let every order be read so."""
    real = reading.connect

    def connected(shop: Any, **more: Any) -> Any:
        made = real(shop, **more)
        whole = made.client.get_order

        def get_order(ref: Any) -> PlatformOrder:
            if isinstance(told, Exception):
                raise told
            return told(whole(ref))

        made.client.get_order = get_order
        return made

    monkeypatch.setattr(reading, "connect", connected)


def resent_in_doubt(made: Stall, monkeypatch: pytest.MonkeyPatch) -> CancellationRequest:
    """A request whose first send is in doubt, was seen open, and which a person sends again."""
    with monkeypatch.context() as patch:
        answer(patch, OutcomeUnknown("timeout"))
        cancellation = ask(made)
        delivery.drain(made.shop.pk)
    seen_open = look(cancellation)
    assert seen_open.state == State.UNCERTAIN
    decisions.resend(seen_open, by=person())
    return now_is(cancellation)


# -- What is in doubt stays in doubt until somebody looked


@pytest.mark.django_db
@pytest.mark.parametrize("told", [Rejected("406", "too late"), Unreachable("connect-failed")])
def test_R04_a_resend_that_does_nothing_does_not_take_the_doubt_off_the_send_before(
    told: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza")
    cancellation = resent_in_doubt(made, monkeypatch)
    put(cancellation, unsent=7)
    answer(monkeypatch, told)
    delivery.drain(made.shop.pk)
    now = now_is(cancellation)
    assert now.state == State.UNCERTAIN
    assert now.due_at


@pytest.mark.django_db
def test_R04_a_resend_that_meets_a_fault_of_ours_leaves_the_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = resent_in_doubt(made, monkeypatch)
    monkeypatch.setattr(delivery, "connect", lambda shop, **more: 1 / 0)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.UNCERTAIN


@pytest.mark.django_db
def test_R04_a_withdrawn_resend_is_not_called_withdrawn_before_anything_was_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = stall("shoplazza")
    cancellation = resent_in_doubt(made, monkeypatch)
    decisions.withdraw(cancellation, by=person())
    now = now_is(cancellation)
    assert now.state == State.UNCERTAIN
    assert now.due_at
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).attempt_no == 1


@pytest.mark.django_db
def test_R04_a_doubt_that_readings_settled_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = resent_in_doubt(made, monkeypatch)
    decisions.withdraw(cancellation, by=person())
    put(cancellation, sent_at=timezone.now() - timedelta(days=1))
    look(cancellation)
    assert look(cancellation).state == State.FAILED
    decisions.resend(now_is(cancellation), by=person())
    answer(monkeypatch, Rejected("406", "too late"))
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.REJECTED


@pytest.mark.django_db
def test_R08_a_late_yes_keeps_what_waits_for_its_resend_from_being_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    attempt = delivery.claim(cancellation)
    assert attempt
    put(cancellation, lease_until=timezone.now() - AGO)
    sweeping.lost_sends()
    decisions.resend(look(cancellation), by=person())
    assert delivery.conclude(cancellation, attempt, delivery.Sent(Receipt(), None, []))
    assert now_is(cancellation).state == State.SUCCEEDED
    delivery.drain(made.shop.pk)
    assert made.called() == []


@pytest.mark.django_db
def test_R08_a_reading_under_way_that_shows_it_cancelled_stops_a_resend(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    with monkeypatch.context() as patch:
        answer(patch, OutcomeUnknown("timeout"))
        cancellation = ask(made)
        delivery.drain(made.shop.pk)
    look(cancellation)

    def cancelled_meanwhile(order: PlatformOrder) -> PlatformOrder:
        decisions.resend(now_is(cancellation), by=person())
        return replace(order, status=Status.CANCELLED)

    readings_say(monkeypatch, cancelled_meanwhile)
    assert look(cancellation).state == State.SUCCEEDED
    delivery.drain(made.shop.pk)
    assert made.called() == []


@pytest.mark.django_db
def test_a_resend_needs_a_check_since_the_last_send_whatever_the_clocks_say(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = resent_in_doubt(made, monkeypatch)
    put(cancellation, seen_open_at=timezone.now() + timedelta(minutes=12))  # a worker whose clock was ahead
    answer(monkeypatch, OutcomeUnknown("timeout"))
    delivery.drain(made.shop.pk)
    with pytest.raises(NotAllowed):
        decisions.resend(now_is(cancellation), by=person())


# -- Late answers


@pytest.mark.django_db
def test_a_late_definite_answer_ends_the_review() -> None:
    made = stall("taobao")
    made.shop.options["detail"] = False
    made.shop.save()
    cancellation = ask(made)
    attempt = delivery.claim(cancellation)
    assert attempt
    put(cancellation, lease_until=timezone.now() - AGO)
    sweeping.lost_sends()
    assert now_is(cancellation).in_review
    assert delivery.conclude(cancellation, attempt, delivery.Sent(Receipt(), None, []))
    now = now_is(cancellation)
    assert (now.state, now.in_review) == (State.SUCCEEDED, False)


@pytest.mark.django_db
def test_R08_a_worker_that_slept_past_its_lease_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    whole = claiming.claim_together

    def claim_and_sleep(some: Sequence[CancellationRequest], *more: Any) -> list[Attempt]:
        attempts = whole(some, *more)
        real = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: real + settings.LEASE_SECONDS + 1)
        return attempts

    monkeypatch.setattr(claiming, "claim_together", claim_and_sleep)
    delivery.drain(made.shop.pk)
    assert made.called() == []
    assert now_is(cancellation).attempts.filter(kind="send").count() == 1


@pytest.mark.django_db
def test_R11_a_conclusion_whose_commit_was_not_heard_of_is_not_drawn_twice() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    attempt = delivery.claim(cancellation)
    assert attempt
    sent = delivery.Sent(Receipt(), None, [])
    before = now_is(cancellation)
    assert delivery.conclude(cancellation, attempt, sent)
    assert delivery.conclude(before, attempt, sent)
    assert verbs(cancellation) == ["requested", "sending", "succeeded"]


@pytest.mark.django_db(transaction=True)
def test_R12_an_answer_outlives_a_database_that_is_away_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    whole, away = Attempt.close, [OperationalError("away"), OperationalError("away")]

    def close(self: Attempt, **columns: Any) -> bool:
        if away:
            raise away.pop()
        return whole(self, **columns)

    monkeypatch.setattr(Attempt, "close", close)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.SUCCEEDED


@pytest.mark.django_db
def test_an_answer_is_kept_though_the_shops_health_cannot_be_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)

    def broken(shop: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(delivery.health, "note_good", broken)
    with pytest.raises(OperationalError):
        delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.SUCCEEDED


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [1e15, float("inf"), float("nan"), -5.0])
def test_an_absurd_wait_a_platform_asks_for_loses_nothing(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    answer(monkeypatch, RateLimited("429", retry_after=seconds))
    delivery.drain(made.shop.pk)
    now = now_is(cancellation)
    assert now.state == State.QUEUED
    assert now.due_at
    assert timezone.now() < now.due_at < timezone.now() + timedelta(days=2)


# -- Nothing is left open, nothing goes on for ever


@pytest.mark.django_db
def test_an_attempt_whose_worker_died_is_closed_as_lost_and_a_late_answer_still_counts() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    attempt = delivery.claim(cancellation)
    assert attempt
    put(cancellation, lease_until=timezone.now() - AGO)
    tasks.sweep()
    assert not Attempt.objects.get(pk=attempt.pk).closed_at  # its answer may still come
    Attempt.objects.update(opened_at=timezone.now() - timedelta(hours=1))
    tasks.sweep()
    lost = Attempt.objects.get(pk=attempt.pk)
    assert lost.closed_at
    assert lost.outcome == "Lost"
    sent = delivery.Sent(Receipt(), None, [{"status": 200}])
    assert delivery.conclude(cancellation, attempt, sent)
    told = AuditEvent.objects.get(verb="cancellation.succeeded")
    assert told.data["exchanges"] == [{"status": 200}]  # what no attempt can keep any more, the record does


@pytest.mark.django_db
def test_R07_an_order_that_we_may_not_read_ends_in_review(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    answer(monkeypatch, OutcomeUnknown("timeout"))
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    readings_say(monkeypatch, AuthFailed("403", cause=Cause.PERMISSION))
    for _check in range(len(reconciliation.LADDER_SECONDS)):
        look(cancellation)
    assert now_is(cancellation).in_review


@pytest.mark.django_db
def test_R07_a_fault_of_ours_while_reading_ends_in_review(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    answer(monkeypatch, OutcomeUnknown("timeout"))
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    readings_say(monkeypatch, KeyError("ours"))
    for _check in range(len(reconciliation.LADDER_SECONDS)):
        look(cancellation)
    now = now_is(cancellation)
    assert now.in_review
    assert not now.attempts.filter(closed_at=None).exists()


@pytest.mark.django_db
def test_R15_a_reading_that_is_told_to_come_back_later_comes_back_later(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    answer(monkeypatch, OutcomeUnknown("timeout"))
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    readings_say(monkeypatch, RateLimited("429", retry_after=600))
    now = look(cancellation)
    assert now.due_at
    assert now.due_at > timezone.now() + timedelta(minutes=9)
    assert now.readings == 0


# -- One shop's trouble is its own


@pytest.mark.django_db(transaction=True)
def test_R17_a_shop_of_a_platform_this_version_does_not_know_holds_up_nobody(
    rung: list[tuple[str, tuple[object, ...]]],
) -> None:
    strange, made = stall("shoplazza"), stall("shoplazza")
    lost, waiting = ask(strange), ask(made)
    assert delivery.claim(lost)
    put(lost, lease_until=timezone.now() - AGO)
    strange.shop.platform = "gone"
    strange.shop.save()
    rung.clear()
    tasks.sweep()
    assert ("deliver", (made.shop.pk,)) in rung
    assert now_is(lost).state == State.UNCERTAIN
    assert waiting.state == State.QUEUED


@pytest.mark.django_db(transaction=True)
def test_R17_many_checks_of_one_shop_are_one_doorbell(rung: list[tuple[str, tuple[object, ...]]]) -> None:
    made = stall("shoplazza")
    for order in made.orders()[:5]:
        asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
    CancellationRequest.objects.update(state=State.UNCERTAIN, due_at=timezone.now() - AGO, sent_at=timezone.now())
    rung.clear()
    tasks.sweep()
    assert len(rung) == 1
    ((task, args),) = rung
    getattr(tasks, task)(*args)
    assert CancellationRequest.objects.filter(checks=1).count() == 5


@pytest.mark.django_db(transaction=True)
def test_R17_a_shop_that_hangs_takes_no_more_than_its_places(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    for order in made.orders()[:6]:
        asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
    may_answer, inside = threading.Event(), threading.Semaphore(0)

    def hanging(cancellation: CancellationRequest, *more: Any) -> None:
        inside.release()
        may_answer.wait(20)

    monkeypatch.setattr(delivery, "deliver", hanging)
    threads = [threading.Thread(target=_then_close, args=(tasks.deliver, made.shop.pk)) for _bell in range(6)]
    for thread in threads:
        thread.start()
    assert inside.acquire(timeout=20)
    ends = time.monotonic() + 10
    while sum(thread.is_alive() for thread in threads) > 2 and time.monotonic() < ends:
        time.sleep(0.05)
    held = sum(thread.is_alive() for thread in threads)
    may_answer.set()
    for thread in threads:
        thread.join(40)
    assert held <= 2


def _then_close(act: Callable[..., Any], *args: Any) -> None:
    try:
        act(*args)
    finally:
        connection.close()


@pytest.mark.django_db
def test_R18_a_permission_that_pinging_does_not_show_is_not_tried_every_minute() -> None:
    made = stall("shoplazza")
    ShopHealth.objects.update_or_create(
        shop=made.shop,
        defaults={"held_since": timezone.now(), "hold_cause": "permission", "probed_at": timezone.now()},
    )
    ShopHealth.objects.update(probed_at=timezone.now() - timedelta(minutes=2))
    assert sweeping.shops_to_probe() == []
    ShopHealth.objects.update(hold_cause="settings")
    assert sweeping.shops_to_probe() == [made.shop.pk]


# -- Clocks


@pytest.mark.django_db
def test_R14_the_settle_window_is_measured_by_the_databases_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    answer(monkeypatch, OutcomeUnknown("timeout"))
    real = timezone.now
    with monkeypatch.context() as patch:
        cancellation = ask(made)
        patch.setattr(timezone, "now", lambda: real() - timedelta(hours=1))  # the sending worker's clock is behind
        delivery.drain(made.shop.pk)
    with monkeypatch.context() as patch:
        for _check in range(3):
            put(cancellation, due_at=real() - AGO)
            reconciliation.reconcile(cancellation.pk)
        assert now_is(cancellation).state == State.UNCERTAIN
        patch.setattr(timezone, "now", lambda: real() + timedelta(hours=1))  # and the reading one's ahead
        for _check in range(3):
            put(cancellation, due_at=real() - AGO)
            reconciliation.reconcile(cancellation.pk)
    assert now_is(cancellation).state == State.UNCERTAIN


@pytest.mark.django_db
def test_R14_a_budget_written_by_a_clock_that_was_ahead_does_not_stop_a_shop() -> None:
    made = stall("shoplazza")
    assert pacing.take(made.shop) == 0
    ShopHealth.objects.update(tokens=0, tokens_at=timezone.now() + timedelta(minutes=12))
    wait = pacing.take(made.shop)
    time.sleep(min(wait, 2))
    assert pacing.take(made.shop) == 0


def test_a_call_that_could_outlast_its_lease_keeps_the_desk_from_starting(settings: Any) -> None:
    settings.CALL_SECONDS, settings.LEASE_SECONDS = 60.0, 60.0
    assert [one.id for one in run_checks() if "CALL_SECONDS" in one.msg] == ["rescind.E005"]


# -- The same on both databases


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def vendor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[str]:
    with django_db_blocker.unblock(), database(request.param, tmp_path_factory.mktemp("engine")):
        yield request.param


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do all at the same moment, each over a connection of its own; return results or errors."""
    gate, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(at: int) -> None:
        try:
            gate.wait(20)
            results[at] = acts[at]()
        except Exception as error:  # noqa: BLE001 - it is the result
            results[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_G_characters_no_database_takes_do_not_keep_a_reading_from_settling(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza")
    with monkeypatch.context() as patch:
        answer(patch, OutcomeUnknown("timeout"))
        cancellation = ask(made)
        delivery.drain(made.shop.pk)
    readings_say(monkeypatch, lambda order: replace(order, status=Status.CANCELLED, status_text="gone\x00\ud800"))
    assert look(cancellation).state == State.SUCCEEDED


def test_G_characters_no_database_takes_do_not_keep_an_answer_from_being_written(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    answer(monkeypatch, Rejected("4\x0006", "no\x00\ud800"))
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.REJECTED


def test_R02_of_many_claims_at_once_one_wins(vendor: str) -> None:
    made = stall("shoplazza")
    for order in made.orders()[:3]:
        (asked,) = asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
        stale = [now_is(asked.cancellation) for _worker in range(8)]
        won = together(*(lambda one=one: delivery.claim(one) for one in stale))  # type: ignore[misc]
        assert [type(one).__name__ for one in won if one is not None] == ["Attempt"]
        assert asked.cancellation.attempts.count() == 1


def test_R02_a_withdrawal_and_a_claim_at_once_have_one_winner(vendor: str) -> None:
    made, by = stall("shoplazza"), person()
    for order in made.orders()[:5]:
        (asked,) = asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
        mine, theirs = now_is(asked.cancellation), now_is(asked.cancellation)

        def take_back(one: CancellationRequest = theirs) -> bool:
            try:
                decisions.withdraw(one, by=by)
            except NotAllowed:
                return False
            return True

        claimed, withdrawn = together(lambda one=mine: delivery.claim(one), take_back)  # type: ignore[misc]
        assert bool(claimed) != withdrawn
        assert now_is(asked.cancellation).state == (State.SENDING if claimed else State.WITHDRAWN)


def test_R03_many_asking_at_once_for_overlapping_items_all_get_an_answer(vendor: str) -> None:
    made = stall("sellercenter", count=60)
    people = [person() for _asker in range(4)]
    order = next(one for one in made.orders() if one.items.exclude(cancellable=False).count() >= 2)
    units = list(order.items.exclude(cancellable=False).values_list("ref", flat=True))
    for _round in range(4):
        CancellationRequest.objects.update(state=State.REJECTED)

        def asks(by: Person, wanted: list[str]) -> list[str]:
            found = asking.request_cancellation(by=by, order=order, units=wanted, reason_code="out_of_stock")
            return [one.cancellation.item_ref for one in found]

        wishes = [units, units[::-1], units[1:], units[::-1]]
        got = together(*(lambda by=by, wish=wish: asks(by, wish) for by, wish in zip(people, wishes, strict=True)))  # type: ignore[misc]
        assert got == wishes
        assert CancellationRequest.objects.filter(state=State.QUEUED).count() == len(units)


def test_R03_two_resends_and_a_new_request_at_once_make_one_open_request(vendor: str) -> None:
    made, by = stall("shoplazza"), person()
    for order in made.orders()[:4]:
        (asked,) = asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
        put(asked.cancellation, state=State.FAILED, due_at=None)
        first, second = now_is(asked.cancellation), now_is(asked.cancellation)
        results = together(
            lambda one=first: decisions.resend(one, by=by),  # type: ignore[misc]
            lambda one=second: decisions.resend(one, by=by),  # type: ignore[misc]
            lambda order=order: asking.request_cancellation(  # type: ignore[misc]
                by=by, order=order, units=[""], reason_code="out_of_stock"
            ),
        )
        assert all(one is None or isinstance(one, list | NotAllowed) for one in results), results
        assert CancellationRequest.objects.filter(order=order, state=State.QUEUED).count() == 1


def test_R08_a_settlement_a_reading_and_a_late_answer_at_once_have_one_winner(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, by, boss = stall("shoplazza"), person(), person("manager")
    for order in made.orders()[:4]:
        (asked,) = asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
        cancellation = now_is(asked.cancellation)
        attempt = delivery.claim(cancellation)
        assert attempt
        sent = delivery.send(cancellation)
        put(cancellation, lease_until=timezone.now() - AGO)
        sweeping.lost_sends()
        unclear = put(cancellation, due_at=timezone.now() - AGO)

        def settle(one: CancellationRequest = unclear) -> None:
            decisions.settle(one, by=boss, cancelled=True, note="seen")

        results = together(
            lambda one=cancellation, mine=attempt, told=sent: delivery.conclude(one, mine, told),  # type: ignore[misc]
            lambda one=cancellation: reconciliation.reconcile(one.pk),  # type: ignore[misc]
            settle,
            lambda: sweeping.lost_sends(),
        )
        assert not [one for one in results if isinstance(one, Exception) and not isinstance(one, NotAllowed)], results
        moves = [one.data.get("to") for one in AuditEvent.objects.filter(subject_id=str(cancellation.pk))]
        assert moves.count("succeeded") == 1
        assert now_is(cancellation).state == State.SUCCEEDED
        assert not cancellation.attempts.filter(closed_at=None).exists()


def test_the_lease_is_counted_from_the_claim_also_in_a_long_transaction(vendor: str) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    with transaction.atomic():
        AuditEvent.objects.count()
        time.sleep(1.2)
        assert delivery.claim(now_is(cancellation))
    claimed = now_is(cancellation)
    assert claimed.lease_until
    left = (claimed.lease_until - timezone.now()).total_seconds()
    assert settings.LEASE_SECONDS - 1 < left <= settings.LEASE_SECONDS + 0.1


def test_R15_a_budget_is_exact_over_threads(vendor: str) -> None:
    made = stall("sellercenter")
    taken = together(*(lambda: pacing.take(made.shop) for _worker in range(8)))
    assert taken.count(0.0) == 2  # one a second, two at once
