"""A bulk under way: its canary, its waves, the brake, pause, resume, stop and retry; killed anywhere, it goes on."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from cancellations import ring
from cancellations.audit.models import AuditEvent
from cancellations.batches import brake, decisions, judging, progress, running, tasks
from cancellations.batches.models import Batch, BatchRow
from cancellations.batches.states import BatchState, PauseCause, Verdict
from cancellations.orders.models import Order
from cancellations.requests import asking, delivery, reconciliation, together
from cancellations.requests import decisions as singly
from cancellations.requests.claiming import Claimed
from cancellations.requests.models import BULK, CancellationRequest
from cancellations.requests.refusals import NotAllowed
from cancellations.requests.states import State
from cancellations.shops.models import Pulse, Shop, ShopAccess, ShopHealth
from providers.errors import OutcomeUnknown, Rejected, Unreachable
from tests.desk import person, stall
from tests.integration.bulk import (
    Till,
    blind,
    fresh,
    install,
    many_orders,
    open_shop,
    planned,
    requests,
    run,
    started,
    states,
    waiting,
)

pytestmark = pytest.mark.django_db


def past_canary(batch: Batch) -> Batch:
    """Let its first rows come through, and ask for what comes after them."""
    running.advance(batch.pk)
    for shop in requests(batch).values_list("shop", flat=True).distinct().order_by():
        delivery.drain(shop)
    running.advance(batch.pk)
    return fresh(batch)


def a_hundred_few_at_a_time(monkeypatch: Any) -> tuple[Till, Batch, list[Order]]:
    """Start a bulk of which only a few rows are asked for at a time, so that a brake finds some unsent."""
    platform = install(monkeypatch)
    monkeypatch.setattr(running, "LEAST_AHEAD", 12)
    monkeypatch.setattr(running, "AHEAD_SECONDS", 0)
    orders = many_orders(open_shop(), 100, platform=platform)
    return platform, started(orders), orders


def events(batch: Batch) -> list[str]:
    return list(
        AuditEvent.objects.filter(subject_kind="batch", subject_id=str(batch.pk))
        .order_by("id")
        .values_list("verb", flat=True)
    )


def test_R02_a_bulk_sends_each_of_its_rows_once_and_is_done(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 30, platform=platform)
    batch = run(started(orders))
    assert batch.state == BatchState.DONE
    assert batch.finished_at
    assert states(batch) == {State.SUCCEEDED: 30}
    assert sorted(platform.called) == sorted(platform.performed) == sorted(one.key for one in orders)
    first = BatchRow.objects.filter(batch=batch, wave=0).values("cancellation")
    assert set(requests(batch).exclude(pk__in=first).values_list("priority", flat=True)) == {BULK}
    assert events(batch) == ["batch.handed_in", "batch.planned", "batch.started", "batch.done"]


def test_R21_every_request_of_a_bulk_has_the_same_events_as_one_alone(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 4, platform=platform)
    asking.request_cancellation(by=person(), order=orders[0], units=[""], reason_code="out_of_stock")
    delivery.drain(orders[0].shop_id)
    batch = run(started(orders[1:]))
    events = AuditEvent.objects.filter(subject_kind="cancellation").order_by("id")
    told = [
        list(events.filter(subject_id=str(one.pk)).values_list("verb", "order_number"))
        for one in CancellationRequest.objects.order_by("pk")
    ]
    assert [[verb for verb, _number in one] for one in told] == [[verb for verb, _number in told[0]]] * 4
    assert [one[0][1] for one in told] == [one.number for one in orders]
    asked = AuditEvent.objects.filter(verb="cancellation.requested").order_by("id")
    assert {frozenset(one.data) for one in asked} == {frozenset(asked[0].data)}
    assert {one.data["via"] for one in asked[1:]} == {"bulk"}
    assert batch.state == BatchState.DONE
    assert set(Order.objects.values_list("desk_state", flat=True)) == {State.SUCCEEDED}


def test_the_canary_goes_first_and_the_others_wait_until_it_is_read_back(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    batch = started(many_orders(open_shop(), 20, platform=platform))
    assert batch.canary == running.CANARY
    running.advance(batch.pk)
    running.advance(batch.pk)
    assert states(batch) == {State.QUEUED: running.CANARY}
    requests(batch).update(state=State.SUCCEEDED, due_at=timezone.now())  # said to be done, not read back yet
    running.advance(batch.pk)
    assert requests(batch).count() == running.CANARY
    assert fresh(batch).state == BatchState.RUNNING
    requests(batch).update(confirmed_at=timezone.now())
    running.advance(batch.pk)
    assert requests(batch).count() == 20


def test_where_orders_cannot_be_read_the_platforms_yes_lets_the_others_go(monkeypatch: Any) -> None:
    blind(monkeypatch)
    batch = past_canary(started(many_orders(open_shop(), 10)))
    assert requests(batch).count() == 10


@pytest.mark.parametrize("fault", [Rejected("406", "no"), OutcomeUnknown("gone", "")])
def test_a_canary_that_goes_wrong_pauses_the_bulk_and_a_person_may_go_on(monkeypatch: Any, fault: Exception) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 20, platform=platform)
    platform.answers[orders[0].key] = fault
    batch = past_canary(started(orders))
    assert (batch.state, batch.paused_why) == (BatchState.PAUSED, PauseCause.CANARY)
    assert requests(batch).count() == running.CANARY
    decisions.resume(batch, by=batch.requested_by)
    batch = run(batch)
    assert requests(batch).count() == 20
    assert batch.state != BatchState.PAUSED
    assert states(batch)[State.SUCCEEDED] == 19


def test_a_canary_that_is_still_open_when_read_back_pauses_the_bulk(monkeypatch: Any) -> None:
    platform = install(monkeypatch, hidden=True)
    batch = started(many_orders(open_shop(), 20, platform=platform))
    past_canary(batch)
    for _try in range(reconciliation.CONFIRM_TRIES + 1):
        requests(batch).exclude(due_at=None).update(due_at=timezone.now() - timedelta(seconds=1))
        for pk in requests(batch).exclude(due_at=None).values_list("pk", flat=True):
            reconciliation.reconcile(pk)
    assert requests(batch).exclude(due_at=None).count() == 0
    running.advance(batch.pk)
    assert fresh(batch).paused_why == PauseCause.CANARY
    assert requests(batch).count() == running.CANARY


def test_R17_a_held_shop_keeps_only_its_own_rows_waiting(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    sick, well = open_shop("sick"), open_shop("well")
    orders = [*many_orders(sick, 10, platform=platform), *many_orders(well, 10, platform=platform, start=300_000)]
    ShopHealth.objects.update_or_create(shop=sick, defaults={"held_since": timezone.now()})
    batch = run(started(orders))
    assert batch.state == BatchState.RUNNING
    assert states(batch) == {State.SUCCEEDED: 10, State.QUEUED: 2}
    ShopHealth.objects.filter(shop=sick).update(held_since=None)
    assert run(batch).state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 20}


@pytest.mark.parametrize(
    ("fault", "share", "why"),
    [(Rejected("406", "no"), 3, PauseCause.FAILURES), (OutcomeUnknown("gone", ""), 12, PauseCause.DOUBT)],
)
def test_the_brake_pauses_when_too_much_goes_wrong_and_says_why(
    monkeypatch: Any, fault: Exception, share: int, why: PauseCause
) -> None:
    platform, batch, orders = a_hundred_few_at_a_time(monkeypatch)
    platform.answers = {one.key: fault for at, one in enumerate(orders) if at % share == share - 1 and at > 3}
    batch = run(batch)
    assert (batch.state, batch.paused_why) == (BatchState.PAUSED, why)
    assert batch.brake["looked at"] >= brake.FEWEST
    assert requests(batch).count() < 60
    assert requests(batch).filter(state=State.QUEUED).exclude(due_at=None).count() == 0
    asked = requests(batch).count()
    running.advance(batch.pk)
    delivery.drain(orders[0].shop_id)
    assert requests(batch).count() == asked
    platform.answers = {}
    decisions.resume(batch, by=batch.requested_by)
    assert run(batch).state == (BatchState.RUNNING if why == PauseCause.DOUBT else BatchState.DONE)
    assert waiting(batch) == 0
    assert not [one for one, count in Counter(platform.called).items() if count > 1]


def test_what_a_person_has_seen_pulls_the_brake_only_once_though_the_clock_of_a_worker_is_ahead(
    monkeypatch: Any,
) -> None:
    platform, batch, orders = a_hundred_few_at_a_time(monkeypatch)
    platform.answers = {one.key: Rejected("406", "no") for at, one in enumerate(orders) if at % 3 == 2 and at > 3}
    with monkeypatch.context() as worker:
        worker.setattr("django.utils.timezone.now", lambda: datetime.now(UTC) + timedelta(minutes=12))
        batch = run(batch)
    assert (batch.state, batch.paused_why) == (BatchState.PAUSED, PauseCause.FAILURES)
    platform.answers = {}
    decisions.resume(batch, by=batch.requested_by)
    assert run(batch).state == BatchState.DONE
    assert events(batch).count("batch.braked") == 1


def test_a_bulk_with_nothing_left_to_send_ends_and_does_not_pause(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 20, platform=platform)
    platform.answers = {one.key: Rejected("406", "no") for one in orders[running.CANARY :]}
    batch = run(started(orders))
    assert batch.state == BatchState.DONE
    assert "batch.braked" not in events(batch)


def test_a_few_failures_do_not_pull_the_brake(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 60, platform=platform)
    platform.answers = {one.key: Rejected("406", "no") for at, one in enumerate(orders) if at % 10 == 9}
    batch = run(started(orders))
    assert batch.state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 54, State.REJECTED: 6}


def test_while_paused_nothing_is_sent_and_resumed_everything_once(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    shop = open_shop()
    batch = past_canary(started(many_orders(shop, 40, platform=platform)))
    decisions.pause(batch, by=batch.requested_by)
    one = requests(batch).filter(state=State.QUEUED).first()
    delivery.drain(shop.pk)
    assert len(platform.called) == running.CANARY
    # One that was under way is put back: it is not sent either.
    requests(batch).filter(pk=one.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    running.advance(batch.pk)
    delivery.drain(shop.pk)
    assert len(platform.called) == running.CANARY
    assert fresh(batch).paused_why == PauseCause.PERSON
    with pytest.raises(NotAllowed):
        decisions.pause(batch, by=batch.requested_by)
    decisions.resume(batch, by=batch.requested_by)
    assert run(batch).state == BatchState.DONE
    assert len(platform.called) == len(set(platform.called)) == 40
    assert "batch.resumed" in events(batch)


def test_R17_a_single_cancel_goes_before_the_bulk_and_through_its_pause(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    shop = open_shop()
    *orders, one = many_orders(shop, 21, platform=platform)
    batch = past_canary(started(orders))
    asking.request_cancellation(by=person(), order=one, units=[""], reason_code="out_of_stock")
    delivery.drain(shop.pk)
    assert platform.called[running.CANARY] == one.key
    batch = past_canary(started(many_orders(shop, 20, platform=platform, start=300_000)))
    decisions.pause(batch, by=batch.requested_by)
    (late,) = many_orders(shop, 1, platform=platform, start=400_000)
    asking.request_cancellation(by=person(), order=late, units=[""], reason_code="out_of_stock")
    delivery.drain(shop.pk)
    assert platform.called[-1] == late.key


def test_R03_a_row_whose_order_was_asked_for_since_the_plan_makes_no_second_request(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 6, platform=platform)
    batch = planned(orders)
    (single,) = asking.request_cancellation(by=person(), order=orders[4], units=[""], reason_code="out_of_stock")
    Order.objects.filter(pk=orders[5].pk).update(status="cancelled")
    decisions.start(batch, by=batch.requested_by)
    running.advance(batch.pk)
    requests(batch).update(state=State.SUCCEEDED, confirmed_at=timezone.now(), due_at=None)
    running.advance(batch.pk)
    row, gone = batch.rows.filter(order__in=orders[4:]).order_by("pk")
    assert row.cancellation == single.cancellation
    assert row.not_asked == judging.ASKED
    assert gone.not_asked == judging.ALREADY
    assert requests(batch).count() == 4
    assert fresh(batch).state == BatchState.RUNNING
    decisions.stop(batch, by=batch.requested_by)
    single.cancellation.refresh_from_db()
    assert single.cancellation.state == State.QUEUED  # the stop takes back only its own


def test_two_bulks_of_the_same_orders_ask_for_each_once(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 15, platform=platform)
    one, other = started(orders), started(list(reversed(orders)))
    for _round in range(5):
        run(one, rounds=1)
        run(other, rounds=1)
    assert {fresh(one).state, fresh(other).state} == {BatchState.DONE}
    assert CancellationRequest.objects.count() == 15
    assert sorted(platform.called) == sorted(one.key for one in orders)


def test_stop_takes_back_what_is_unsent_and_leaves_the_rest_unasked(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    monkeypatch.setattr(running, "LEAST_AHEAD", 10)
    monkeypatch.setattr(running, "AHEAD_SECONDS", 0)
    shop = open_shop()
    batch = past_canary(started(many_orders(shop, 40, platform=platform)))
    assert states(batch) == {State.SUCCEEDED: 3, State.QUEUED: 10}
    sending = requests(batch).filter(state=State.QUEUED).first()
    attempt = delivery.claim(sending)
    assert decisions.stop(batch, by=batch.requested_by) == 9
    assert states(batch) == {State.SUCCEEDED: 3, State.SENDING: 1, State.WITHDRAWN: 9}
    delivery.deliver(Claimed(sending, attempt, time.monotonic()))
    assert states(batch)[State.SUCCEEDED] == 4
    running.advance(batch.pk)
    delivery.drain(shop.pk)
    assert len(platform.called) == 4
    assert waiting(batch) == 27
    batch = fresh(batch)
    assert (batch.state, bool(batch.finished_at)) == (BatchState.STOPPED, True)
    withdrawn = AuditEvent.objects.filter(verb="cancellation.withdrawn")
    assert withdrawn.count() == 9
    assert {one.actor_id for one in withdrawn} == {batch.requested_by_id}
    assert Order.objects.filter(desk_state=State.WITHDRAWN).count() == 9
    for act in (decisions.resume, decisions.pause, decisions.stop, decisions.retry):
        with pytest.raises(NotAllowed):
            act(batch, by=batch.requested_by)


def test_R04_stopping_never_calls_withdrawn_what_may_have_been_done(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    batch = past_canary(started(many_orders(open_shop(), 10, platform=platform)))
    doubtful = requests(batch).filter(state=State.QUEUED).first()
    CancellationRequest.objects.filter(pk=doubtful.pk).update(doubt=True)
    decisions.stop(batch, by=batch.requested_by)
    assert states(batch) == {State.SUCCEEDED: 3, State.UNCERTAIN: 1, State.WITHDRAWN: 6}


class Killed(BaseException):
    """A worker dies here."""


@pytest.mark.parametrize(
    "point",
    [
        "before a wave is written",
        "requests written",
        "events written",
        "rows written",
        "wave committed",
        "before the brake",
        "before done",
    ],
)
def test_R09_a_worker_killed_anywhere_in_a_bulk_loses_no_row_and_sends_none_twice(monkeypatch: Any, point: str) -> None:
    platform = install(monkeypatch)
    monkeypatch.setattr(running, "LEAST_AHEAD", 7)
    monkeypatch.setattr(running, "AHEAD_SECONDS", 0)
    orders = many_orders(open_shop(), 25, platform=platform)
    batch, killed = started(orders), 0
    for _round in range(60):
        with pytest.MonkeyPatch.context() as patched:
            _kill(patched, point, at=1 + _round % 2)
            try:
                running.advance(batch.pk)
            except Killed:
                killed += 1
        if fresh(batch).state == BatchState.DONE:
            break
        if _round % 3 == 2 or point in ("before done",):
            running.advance(batch.pk)
        delivery.drain(orders[0].shop_id)
    assert killed > 0
    assert run(batch).state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 25}
    assert sorted(platform.called) == sorted(one.key for one in orders)
    assert waiting(batch) == 0
    assert AuditEvent.objects.filter(verb="cancellation.requested").count() == 25
    assert BatchRow.objects.filter(batch=batch, cancellation__order_id=F("order_id")).count() == 25


def _kill(patched: pytest.MonkeyPatch, point: str, at: int) -> None:
    def before(*_args: Any, **_more: Any) -> Any:
        raise Killed

    def after(act: Any, nth: int = 1) -> Any:
        calls: list[Any] = []

        def acted(*args: Any, **more: Any) -> Any:
            calls.append(act(*args, **more))
            if len(calls) >= nth:
                raise Killed
            return calls[-1]

        return acted

    if point == "before a wave is written":
        patched.setattr(running, "request_together", before)
    elif point == "requests written":
        patched.setattr(together.trail, "record_all", before)
    elif point == "events written":
        patched.setattr(together, "show_on_orders", before)
    elif point == "rows written":
        patched.setattr(running, "_write", after(running._write))
    elif point == "wave committed":
        patched.setattr(running, "_step", after(running._step, at))
    elif point == "before the brake":
        patched.setattr(brake, "judge", before)
    else:
        patched.setattr(Batch, "move_to", after(Batch.move_to))


def test_R09_a_stop_killed_half_way_is_finished_by_the_sweep(
    monkeypatch: Any, rung: list[tuple[str, tuple[object, ...]]], django_capture_on_commit_callbacks: Any
) -> None:
    platform = install(monkeypatch)
    batch = past_canary(started(many_orders(open_shop(), 30, platform=platform)))
    monkeypatch.setattr(together, "CHUNK", 5)
    with pytest.MonkeyPatch.context() as patched:
        calls: list[int] = []

        def die(requests: Any) -> None:
            calls.append(1)
            if len(calls) == 3:
                raise Killed

        patched.setattr(together, "show_on_orders", die)
        with pytest.raises(Killed):
            decisions.stop(batch, by=batch.requested_by)
    assert states(batch) == {State.SUCCEEDED: 3, State.WITHDRAWN: 10, State.QUEUED: 17}
    delivery.drain(batch.rows.first().shop_id)
    assert len(platform.called) == 3  # what a stop has not reached is not sent either
    rung.clear()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert states(batch) == {State.SUCCEEDED: 3, State.WITHDRAWN: 27}
    rung.clear()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert rung == []


def test_R10_the_sweep_advances_one_rings_for_the_others_that_run_or_are_paused_and_for_nothing_else(
    monkeypatch: Any, rung: list[tuple[str, tuple[object, ...]]], django_capture_on_commit_callbacks: Any
) -> None:
    platform = install(monkeypatch)
    shop = open_shop()

    def some(at: int) -> list[Order]:
        return many_orders(shop, 2, platform=platform, start=at * 1000)

    plan, run_, paused, done = planned(some(200)), started(some(300)), started(some(400)), run(started(some(500)))
    decisions.pause(paused, by=paused.requested_by)
    assert done.state == BatchState.DONE
    dropped = planned(some(600))
    decisions.discard(dropped, by=dropped.requested_by)
    rung.clear()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.sweep()
    assert [bell for bell in rung if bell[0] != "deliver"] == [("advance", (paused.pk,))]
    assert CancellationRequest.objects.filter(batch=run_.pk, state=State.QUEUED).count() == 2
    assert plan.state == BatchState.PLANNED


def test_S13_a_forged_ring_starts_nothing(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    plan = planned(many_orders(open_shop(), 3, platform=platform))
    for forged in (plan.pk, plan.pk + 1000, 0):
        tasks.plan(forged)
        tasks.advance(forged)
    assert fresh(plan).state == BatchState.PLANNED
    assert CancellationRequest.objects.count() == 0


def test_retry_sends_again_only_what_certainly_was_not_done(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    shop = open_shop()
    orders = many_orders(shop, 30, platform=platform)
    refused, failed = orders[10], orders[20]
    platform.answers = {refused.key: Rejected("406", "no"), failed.key: Unreachable("down", "")}
    batch = run(started(orders))
    for _try in range(10):
        run(batch, rounds=1)
        requests(batch).filter(state=State.QUEUED).update(due_at=timezone.now() - timedelta(seconds=1))
    batch = run(batch)
    assert batch.state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 28, State.REJECTED: 1, State.FAILED: 1}
    calls = Counter(platform.called)
    platform.answers = {}
    assert decisions.retry(batch, by=batch.requested_by) == 1
    assert run(batch).state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 29, State.REJECTED: 1}
    assert Counter(platform.called) - calls == {failed.key: 1}
    assert platform.performed.count(failed.key) == 1
    with pytest.raises(NotAllowed):
        decisions.retry(batch, by=batch.requested_by)


@pytest.mark.django_db(transaction=True)
def test_who_looks_after_a_bulk_that_is_sent_again_never_finds_it_done_before_its_rows_wait(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 10, platform=platform)
    batch = run(started(orders))
    assert batch.state == BatchState.DONE
    again = requests(batch).filter(order__in=orders[5:])
    again.update(state=State.FAILED)
    # The bell is heard at once, before whoever rang does anything else.
    bells = {"advance": running.advance, "deliver": lambda _shop: None}
    monkeypatch.setattr(ring, "_publish", lambda task, args: bells[task.name.rpartition(".")[2]](*args))
    assert decisions.retry(batch, by=batch.requested_by) == 5
    assert fresh(batch).state == BatchState.RUNNING
    decisions.pause(fresh(batch), by=batch.requested_by)
    assert again.filter(state=State.QUEUED, due_at=None).count() == 5
    decisions.stop(fresh(batch), by=batch.requested_by)
    assert states(batch) == {State.SUCCEEDED: 5, State.WITHDRAWN: 5}


def test_R02_retry_does_not_send_again_what_was_cancelled_otherwise_since(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 10, platform=platform)
    batch = run(started(orders))
    requests(batch).filter(order__in=orders[8:]).update(state=State.FAILED)
    asking.request_cancellation(by=person(), order=orders[9], units=[""], reason_code="out_of_stock")
    delivery.drain(orders[9].shop_id)
    calls = len(platform.called)
    assert decisions.retry(batch, by=batch.requested_by) == 1
    assert run(batch).state == BatchState.DONE
    assert platform.called[calls:] == [orders[8].key]
    with pytest.raises(NotAllowed):
        decisions.retry(batch, by=batch.requested_by)


def _asked_elsewhere(batch: Batch) -> None:
    for row in batch.rows.filter(wave=0):
        asking.request_cancellation(by=person(), order=row.order, units=[""], reason_code="out_of_stock")


def _withdrawn(batch: Batch) -> None:
    running.advance(batch.pk)
    for one in requests(batch).select_related("shop"):
        singly.withdraw(one, by=person())


@pytest.mark.parametrize("lose", [_asked_elsewhere, _withdrawn])
def test_a_shop_whose_first_rows_prove_nothing_has_others_go_first(monkeypatch: Any, lose: Any) -> None:
    platform = install(monkeypatch)
    shop = open_shop()
    batch = started(many_orders(shop, 20, platform=platform))
    lose(batch)
    for _look in range(3):
        running.advance(batch.pk)
    assert requests(batch).filter(state=State.QUEUED).count() == running.CANARY
    assert waiting(batch) == 20 - 2 * running.CANARY
    assert fresh(batch).canary == 2 * running.CANARY
    batch = run(batch)
    assert batch.state == BatchState.DONE
    assert states(batch)[State.SUCCEEDED] == 20 - running.CANARY
    assert BatchRow.objects.filter(batch=batch, wave=0).count() == 2 * running.CANARY


def test_what_goes_first_in_the_place_of_others_pauses_the_bulk_when_it_goes_wrong(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 20, platform=platform)
    batch = started(orders)
    _withdrawn(batch)
    platform.answers[orders[4].key] = Rejected("406", "no")
    batch = run(batch)
    assert (batch.state, batch.paused_why) == (BatchState.PAUSED, PauseCause.CANARY)
    assert len(platform.called) == running.CANARY


def test_rows_that_cannot_be_asked_for_are_told_so_in_chunks_though_none_went_first(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    batch = planned(many_orders(open_shop(), 60, platform=platform))
    Order.objects.filter(batch_rows__batch=batch).update(cancellable=False)
    decisions.start(batch, by=batch.requested_by, typed="60")
    looks = 0
    while waiting(batch):
        running._step(batch.pk)
        looks += 1
    assert looks <= 3
    assert batch.rows.exclude(not_asked="").count() == 60


def test_a_bulk_in_a_shop_that_needs_approval_waits_for_somebody_else(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    shop = open_shop("careful", needs_approval=True)
    batch = run(started(many_orders(shop, 5, platform=platform)))
    assert states(batch) == {State.PENDING_APPROVAL: 3}
    boss = person("manager")
    for _wave in range(2):
        for one in requests(batch).filter(state=State.PENDING_APPROVAL):
            with pytest.raises(NotAllowed):
                singly.approve(one, by=batch.requested_by)
            singly.approve(one, by=boss)
        batch = run(batch)
    assert (batch.state, states(batch)) == (BatchState.DONE, {State.SUCCEEDED: 5})


def test_S01_who_may_not_act_on_a_shop_any_more_gets_no_row_of_it_sent(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    mine, lost = open_shop("mine"), open_shop("lost")
    by = person(every_shop=False)
    for shop in (mine, lost):
        ShopAccess.objects.create(shop=shop, person=by)
    batch = planned(
        [*many_orders(mine, 3, platform=platform), *many_orders(lost, 3, platform=platform, start=300_000)], by=by
    )
    ShopAccess.objects.filter(shop=lost).delete()
    decisions.start(batch, by=by)
    batch = run(batch)
    assert (batch.state, states(batch)) == (BatchState.DONE, {State.SUCCEEDED: 3})
    assert all(batch.rows.filter(shop=lost).values_list("not_asked", flat=True))
    for act in (decisions.pause, decisions.stop, decisions.resume, decisions.retry):
        with pytest.raises(NotAllowed):
            act(batch, by=person(every_shop=False))


def test_a_shop_switched_off_since_the_plan_keeps_only_its_own_rows(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    on, off = open_shop("on"), open_shop("off")
    batch = planned([*many_orders(on, 4, platform=platform), *many_orders(off, 4, platform=platform, start=300_000)])
    Shop.objects.filter(pk=off.pk).update(active=False)
    decisions.start(batch, by=batch.requested_by)
    batch = run(batch)
    assert (batch.state, states(batch)) == (BatchState.DONE, {State.SUCCEEDED: 4})
    assert set(batch.rows.filter(shop=off).values_list("not_asked", flat=True)) == {judging.SHUT}


def test_an_item_platform_gets_a_request_for_each_item() -> None:
    made = stall("sellercenter")
    order = next(one for one in made.orders() if one.items.exclude(cancellable=False).count() > 1)
    items = order.items.exclude(cancellable=False).count()
    batch = run(started([order]))
    assert states(batch) == {State.SUCCEEDED: items}
    assert len(made.called()) == len(set(made.called())) == items
    assert set(batch.rows.values_list("verdict", flat=True)) == {Verdict.READY}


def test_the_estimate_goes_by_the_shops_own_rate(monkeypatch: Any) -> None:
    install(monkeypatch)
    shop = open_shop(calls_per_second=2)
    batch = started(many_orders(shop, 60))
    Pulse.beat()
    for rate, seconds in ((2, 30), (0.5, 120), (0, 60 / running.MOST_A_SECOND), (None, 0.06)):
        Shop.objects.filter(pk=shop.pk).update(calls_per_second=rate)
        numbers = progress.of_run(batch, batch.rows, requests(batch))
        assert progress.seconds_left(batch, numbers) == pytest.approx(seconds)


def test_where_nobody_sends_no_time_is_named(monkeypatch: Any) -> None:
    install(monkeypatch)
    shop = open_shop(calls_per_second=2)
    batch = started(many_orders(shop, 20))
    numbers = progress.of_run(batch, batch.rows, requests(batch))
    assert progress.seconds_left(batch, numbers) is None, "no worker is heard of"
    Pulse.beat()
    assert progress.seconds_left(batch, numbers)
    ShopHealth.objects.update_or_create(shop=shop, defaults={"held_since": timezone.now()})
    assert progress.seconds_left(batch, numbers) is None, "what waits for its platform has no pace"


def test_the_same_list_again_asks_for_nothing(monkeypatch: Any) -> None:
    platform: Till = blind(monkeypatch)  # nothing tells the index that they are cancelled
    orders = many_orders(open_shop(), 12)
    platform.answers = {orders[11].key: Rejected("406", "no")}
    batch = run(started(orders))
    assert states(batch) == {State.SUCCEEDED: 11, State.REJECTED: 1}
    again = planned(orders)
    assert decisions.ready(again) == 0
    assert Counter(again.rows.values_list("verdict", flat=True)) == {Verdict.CANCELLED: 11, Verdict.CANNOT: 1}
