"""Several workers and people at one bulk at the same moment, on PostgreSQL with real locks."""

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.batches import decisions, handing_in, planning, running
from cancellations.batches.models import Batch
from cancellations.batches.states import BatchState, Verdict
from cancellations.requests import asking, delivery
from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAllowed
from cancellations.requests.states import OPEN, State
from tests.desk import person
from tests.integration.bulk import (
    fresh,
    hand_in,
    install,
    many_orders,
    open_shop,
    requests,
    started,
    states,
    verdicts,
    waiting,
)
from tests.throwaway import database

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True, scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[None]:
    """One database for all of these; each makes shops and orders of its own."""
    with django_db_blocker.unblock(), database("postgresql", tmp_path_factory.mktemp("races")):
        yield


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do things in threads that begin together; return what each returned or raised."""
    gate = threading.Barrier(len(acts))
    came: list[Any] = [None] * len(acts)

    def run(at: int) -> None:
        try:
            gate.wait(20)
            came[at] = acts[at]()
        except Exception as error:  # noqa: BLE001 - it is the result
            came[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(acts))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert not any(one.is_alive() for one in threads)
    return came


def the_canary_came_through(batch: Batch) -> None:
    running.advance(batch.pk)
    requests(batch).update(state=State.SUCCEEDED, confirmed_at=timezone.now(), due_at=None)


def asked_to_the_end(batch: Batch) -> None:
    """Go on where a slice of time was over before the rows were."""
    while running.advance(batch.pk):
        pass


def no_errors(came: list[Any]) -> bool:
    return not [one for one in came if isinstance(one, Exception)]


def test_R09_planners_at_once_write_every_row_once(monkeypatch: Any) -> None:
    install(monkeypatch)
    monkeypatch.setattr(planning, "CHUNK", 10)
    orders = many_orders(open_shop("planned"), 120, start=100_000)
    batch = hand_in([*(one.number for one in orders), orders[0].number])
    assert no_errors(at_once(*[lambda: planning.plan(batch.pk)] * 4))
    planning.plan(batch.pk)  # what gave way to others may have left the rest to the next ring
    done = fresh(batch)
    assert (done.state, done.plan_total) == (BatchState.PLANNED, 121)
    assert verdicts(done) == {Verdict.READY: 120, Verdict.DOUBLED: 1}
    assert AuditEvent.objects.filter(verb="batch.planned", subject_id=str(batch.pk)).count() == 1


def test_R02_workers_that_advance_one_bulk_at_once_ask_for_every_row_once(monkeypatch: Any) -> None:
    install(monkeypatch)
    monkeypatch.setattr(running, "CHUNK", 20)
    batch = started(many_orders(open_shop("waves"), 300, start=200_000))
    the_canary_came_through(batch)
    assert no_errors(at_once(*[lambda: running.advance(batch.pk)] * 6))
    asked_to_the_end(batch)
    assert waiting(batch) == 0
    assert states(batch) == {State.SUCCEEDED: 3, State.QUEUED: 297}
    keys = [str(pk) for pk in requests(batch).values_list("pk", flat=True)]
    asked = AuditEvent.objects.filter(verb="cancellation.requested", subject_id__in=keys)
    assert asked.count() == 300


def test_R03_two_bulks_and_single_clicks_on_the_same_orders_make_one_request_each(monkeypatch: Any) -> None:
    install(monkeypatch)
    monkeypatch.setattr(running, "CHUNK", 25)
    orders = many_orders(open_shop("crowded"), 150, start=300_000)
    one, other, clicker = started(orders), started(list(reversed(orders))), person()
    for batch in (one, other):
        batch.__class__.objects.filter(pk=batch.pk).update(canary_over=True)

    def click() -> None:
        for order in orders[::7]:
            asking.request_cancellation(by=clicker, order=order, units=[""], reason_code="out_of_stock")

    came = at_once(
        lambda: running.advance(one.pk), lambda: running.advance(other.pk), click,
        lambda: running.advance(one.pk), lambda: running.advance(other.pk), click,
    )  # fmt: skip
    assert no_errors(came)
    for batch in (one, other):
        asked_to_the_end(batch)
        assert waiting(batch) == 0
        assert batch.rows.filter(cancellation=None).count() == 0
    made = CancellationRequest.objects.filter(order__in=orders)
    assert made.count() == made.filter(state__in=OPEN).count() == 150


def test_a_stop_in_the_middle_of_a_wave_leaves_nothing_to_be_sent(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    monkeypatch.setattr(running, "CHUNK", 10)
    shop = open_shop("stopped")
    orders = many_orders(shop, 200, platform=platform, start=400_000)
    batch = started(orders)
    the_canary_came_through(batch)
    came = at_once(
        lambda: running.advance(batch.pk),
        lambda: decisions.stop(fresh(batch), by=batch.requested_by),
        lambda: decisions.stop(fresh(batch), by=batch.requested_by),
        lambda: delivery.drain(shop.pk),
    )
    assert len([one for one in came if isinstance(one, NotAllowed)]) == 1
    assert len([one for one in came if isinstance(one, Exception)]) == 1
    assert not requests(batch).filter(state__in=(State.QUEUED, State.SENDING)).exists()
    sent = len(platform.called)
    running.advance(batch.pk)
    delivery.drain(shop.pk)
    assert len(platform.called) == sent == len(set(platform.called))
    assert states(batch)[State.SUCCEEDED] == 3 + sent
    assert fresh(batch).finished_at


def test_pausing_and_resuming_while_it_is_sent_sends_every_row_once(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    monkeypatch.setattr(running, "CHUNK", 10)
    shop = open_shop("paused")
    orders = many_orders(shop, 60, platform=platform, start=500_000)
    batch = started(orders)
    the_canary_came_through(batch)

    def blink() -> None:
        for _time in range(5):
            decisions.pause(fresh(batch), by=batch.requested_by)
            decisions.resume(fresh(batch), by=batch.requested_by)

    def work() -> None:
        for _time in range(10):
            running.advance(batch.pk)
            delivery.drain(shop.pk)

    assert no_errors(at_once(blink, work, work))
    work()
    assert states(batch) == {State.SUCCEEDED: 60}
    assert len(platform.called) == len(set(platform.called)) == 57
    assert fresh(batch).state == BatchState.DONE


def test_R03_a_start_clicked_twice_starts_once(monkeypatch: Any) -> None:
    install(monkeypatch)
    batch = hand_in(many_orders(open_shop("clicked"), 5, start=600_000))
    planning.plan(batch.pk)
    came = at_once(*[lambda: decisions.start(fresh(batch), by=batch.requested_by)] * 4)
    assert len([one for one in came if isinstance(one, NotAllowed)]) == 3
    assert no_errors([one for one in came if not isinstance(one, NotAllowed)])
    assert AuditEvent.objects.filter(verb="batch.started", subject_id=str(batch.pk)).count() == 1


def test_R03_a_form_sent_twice_at_once_is_one_batch(monkeypatch: Any) -> None:
    install(monkeypatch)
    orders, by, key = many_orders(open_shop("doubled"), 3, start=700_000), person(), uuid.uuid4()
    came = at_once(*[lambda: hand_in(orders, by=by, submission=key)] * 6)
    assert no_errors(came)
    assert len({one.pk for one in came}) == 1
    kept = [path.name for path in handing_in.folder().glob("*")]
    assert came[0].path in kept
