"""The straight line on every platform: asked, claimed, sent once, concluded, confirmed; and every way it can bend."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.requests import asking, decisions, delivery, reconciliation, sweeping
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.states import State
from cancellations.shops import configuring
from cancellations.shops.models import ShopHealth
from providers.errors import Rejected
from providers.registry import PROVIDERS
from tests.desk import Stall, person, stall, unit_of

pytestmark = pytest.mark.django_db
platforms = pytest.mark.parametrize("slug", sorted(PROVIDERS))


def ask(made: Stall, *, by: Any = None, order: Any = None, **more: Any) -> CancellationRequest:
    order = order or made.orders()[0]
    (asked,) = asking.request_cancellation(
        by=by or person(), order=order, units=[unit_of(order)], reason_code="out_of_stock", **more
    )
    assert asked.fresh
    return asked.cancellation


def now_is(cancellation: CancellationRequest) -> CancellationRequest:
    return CancellationRequest.objects.select_related("shop", "shop__health").get(pk=cancellation.pk)


def make_due(cancellation: CancellationRequest) -> None:
    CancellationRequest.objects.filter(pk=cancellation.pk).update(due_at=timezone.now() - timedelta(seconds=1))


@platforms
def test_R02_a_request_is_sent_once_and_its_outcome_confirmed_by_reading(slug: str) -> None:
    made = stall(slug)
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    delivery.drain(made.shop.pk)
    done = now_is(cancellation)
    assert done.state == State.SUCCEEDED
    assert done.confirmed_at
    assert done.due_at  # the watch goes on
    assert done.due_at > timezone.now() + timedelta(minutes=50)
    assert len(made.called()) == len(made.performed()) == 1
    assert [one.kind for one in done.attempts.order_by("opened_at", "id")] == ["send", "check"]


@platforms
def test_R21_every_step_has_its_event(slug: str) -> None:
    made = stall(slug)
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    verbs = list(
        AuditEvent.objects.filter(subject_kind="cancellation", subject_id=str(cancellation.pk))
        .order_by("id")
        .values_list("verb", flat=True)
    )
    assert verbs == [
        "cancellation.requested",
        "cancellation.sending",
        "cancellation.succeeded",
        "cancellation.confirmed",
    ]


@platforms
@pytest.mark.parametrize(
    "fault", ["drop", "hang", "drip", "error", "html", "garbage", "truncated", "empty", "huge", "bomb", "redirect"]
)
@pytest.mark.parametrize("done_there", [True, False])
def test_R04_a_lost_answer_is_uncertain_until_a_reading_settles_it(slug: str, fault: str, done_there: bool) -> None:
    made = stall(slug)
    order = made.orders()[0]
    key = order.key.partition("|")[0] if PROVIDERS[slug].card.unit == "order" else unit_of(order)
    for one in {key, order.key, unit_of(order) or key, *_keys(made, order)}:
        made.world.plan(one, fault + ("-after" if done_there else ""))
    cancellation = ask(made, order=order)
    delivery.drain(made.shop.pk)
    asked = now_is(cancellation)
    assert len(made.performed()) == int(done_there)
    assert asked.state != State.SUCCEEDED or done_there
    if asked.state != State.UNCERTAIN:  # the platform's own documented form of a failure may be definite
        assert asked.state in (State.REJECTED, State.QUEUED, State.SUCCEEDED)
        assert (asked.state == State.SUCCEEDED) <= done_there
        assert (asked.state in (State.REJECTED, State.QUEUED)) <= (not done_there)
        return
    make_due(asked)
    reconciliation.reconcile(asked.pk)
    settled = now_is(asked)
    if done_there:
        assert settled.state == State.SUCCEEDED
    else:
        assert settled.state == State.UNCERTAIN
        assert settled.seen_open_at
    assert len(made.called()) == 1


def _keys(made: Stall, order: Any) -> list[str]:
    """Every key of the world that could mean this order."""
    return [key for key, _document in made.world.all() if key in order.key or order.key in key]


@platforms
def test_R07_not_cancelled_needs_the_settle_window_and_two_equal_readings(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    for one in {unit_of(order), order.key, *_keys(made, order)}:
        made.world.plan(one, "drop")
    cancellation = ask(made, order=order)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.UNCERTAIN
    for _reading in range(2):  # inside the window any number of readings decide nothing
        make_due(cancellation)
        reconciliation.reconcile(cancellation.pk)
    assert now_is(cancellation).state == State.UNCERTAIN
    CancellationRequest.objects.filter(pk=cancellation.pk).update(sent_at=timezone.now() - timedelta(days=1))
    make_due(cancellation)
    reconciliation.reconcile(cancellation.pk)
    assert now_is(cancellation).state == State.UNCERTAIN
    make_due(cancellation)
    reconciliation.reconcile(cancellation.pk)
    failed = now_is(cancellation)
    assert failed.state == State.FAILED
    assert failed.code == "not-cancelled"
    decisions.resend(failed, by=person())
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.SUCCEEDED
    assert len(made.called()) == 2
    assert len(made.performed()) == 1


def test_R03_a_unit_has_one_open_request_whoever_asks() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    first = ask(made, order=order)
    (second,) = asking.request_cancellation(
        by=person(), order=order, units=[""], reason_code="customer_request", submission=uuid.uuid4()
    )
    assert not second.fresh
    assert second.cancellation.pk == first.pk
    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


def test_R03_the_same_form_twice_gives_the_first_result_even_when_it_is_over() -> None:
    made = stall("shoplazza")
    order, by, key = made.orders()[0], person(), uuid.uuid4()
    cancellation = ask(made, order=order, by=by, submission=key)
    delivery.drain(made.shop.pk)
    (again,) = asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock", submission=key)
    assert not again.fresh
    assert again.cancellation.pk == cancellation.pk


def test_R02_a_claim_that_somebody_else_took_sends_nothing() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    stale = now_is(cancellation)
    assert delivery.claim(cancellation)
    assert delivery.claim(stale) is None


def test_R09_a_worker_lost_after_its_claim_leaves_uncertain_never_queued() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    attempt = delivery.claim(cancellation)
    assert attempt
    sweeping.lost_sends()
    assert now_is(cancellation).state == State.SENDING  # the lease runs
    CancellationRequest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweeping.lost_sends()
    lost = now_is(cancellation)
    assert lost.state == State.UNCERTAIN
    assert lost.due_at
    delivery.drain(made.shop.pk)
    assert made.called() == []


def test_R08_a_late_definite_answer_moves_uncertain_but_never_a_final() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    attempt = delivery.claim(cancellation)
    assert attempt
    sent = delivery.send(cancellation)
    CancellationRequest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweeping.lost_sends()
    frozen = now_is(cancellation)
    frozen.state = State.SENDING  # what a second frozen thread of the same worker still believes
    assert delivery.conclude(cancellation, attempt, sent)
    assert now_is(cancellation).state == State.SUCCEEDED
    refused = delivery.Sent(None, Rejected("406", "too late"), [])
    assert not delivery.conclude(frozen, attempt, refused)
    assert now_is(cancellation).state == State.SUCCEEDED


@platforms
def test_R05_keys_refused_hold_the_shop_and_the_request_waits(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    cancellation = ask(made, order=order)
    _break_keys(made)
    delivery.drain(made.shop.pk)
    waiting = now_is(cancellation)
    assert waiting.state == State.QUEUED
    assert made.performed() == []
    health = ShopHealth.objects.get(shop=made.shop)
    assert health.held_since
    assert health.hold_advice
    delivery.drain(made.shop.pk)  # held: not even tried
    assert now_is(cancellation).attempt_no == 1
    assert not sweeping.probe(made.shop.pk)
    _mend_keys(made)
    assert sweeping.probe(made.shop.pk)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.SUCCEEDED


def _break_keys(made: Stall) -> None:
    good = PROVIDERS[made.slug].sandbox.credential
    secret = {field.name for field in PROVIDERS[made.slug].card.credential if field.kind == "secret"}
    bad = {
        name: value[:-1] + ("x" if value[-1] != "x" else "y") if name in secret else value
        for name, value in good.items()
    }
    configuring.replace_credential(made.shop, bad, by=person("admin"))


def _mend_keys(made: Stall) -> None:
    configuring.replace_credential(made.shop, dict(PROVIDERS[made.slug].sandbox.credential), by=person("admin"))


@platforms
def test_R18_a_rate_limit_puts_it_back_and_it_goes_later(slug: str) -> None:
    made = stall(slug)
    order = made.orders()[0]
    for one in {unit_of(order), order.key, *_keys(made, order)}:
        made.world.plan(one, "limit")
    cancellation = ask(made, order=order)
    delivery.drain(made.shop.pk)
    waiting = now_is(cancellation)
    assert waiting.state == State.QUEUED
    assert waiting.due_at
    assert waiting.due_at > timezone.now()
    make_due(cancellation)
    ShopHealth.objects.update(wait_until=None)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.SUCCEEDED
    assert len(made.performed()) == 1


def test_R08_a_shop_that_needs_approval_waits_for_somebody_else() -> None:
    made = stall("shoplazza", needs_approval=True)
    asker, boss = person("manager"), person("manager")
    cancellation = ask(made, by=asker)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.PENDING_APPROVAL
    with pytest.raises(NotAllowed):
        decisions.approve(now_is(cancellation), by=asker)
    with pytest.raises(NotAllowed):
        decisions.approve(now_is(cancellation), by=person("agent"))
    decisions.approve(now_is(cancellation), by=boss)
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.SUCCEEDED


def test_a_withdrawn_request_is_never_sent() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    decisions.withdraw(now_is(cancellation), by=person())
    delivery.drain(made.shop.pk)
    assert now_is(cancellation).state == State.WITHDRAWN
    assert made.called() == []
    with pytest.raises(NotAllowed):
        decisions.withdraw(now_is(cancellation), by=person())


def test_S01_nobody_acts_on_a_shop_that_is_not_theirs() -> None:
    made = stall("shoplazza")
    stranger = person(every_shop=False)
    with pytest.raises(NotAllowed):
        asking.request_cancellation(by=stranger, order=made.orders()[0], units=[""], reason_code="out_of_stock")
    assert not CancellationRequest.objects.exists()


def test_what_cannot_be_read_is_reviewed_and_settled_by_a_second_person() -> None:
    made = stall("taobao")
    made.shop.options["detail"] = False
    made.shop.save()
    order = made.orders()[0]
    for one in {order.key, *_keys(made, order)}:
        made.world.plan(one, "drop-after")
    asker, boss = person("manager"), person("manager")
    cancellation = ask(made, order=order, by=asker)
    delivery.drain(made.shop.pk)
    unclear = now_is(cancellation)
    assert unclear.state == State.UNCERTAIN
    assert unclear.in_review
    assert unclear.due_at is None
    assert decisions.can_resend(unclear)
    with pytest.raises(NotAllowed):
        decisions.settle(unclear, by=asker, cancelled=True, note="seen at the platform")
    with pytest.raises(NotAsked):
        decisions.settle(unclear, by=boss, cancelled=True, note=" ")
    decisions.settle(unclear, by=boss, cancelled=True, note="seen at the platform")
    assert now_is(cancellation).state == State.SUCCEEDED


def test_a_reason_that_needs_a_note_is_not_accepted_without_one() -> None:
    made = stall("shoplazza")
    with pytest.raises(NotAsked) as refusal:
        asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="other")
    assert refusal.value.field == "note"


def test_a_reason_the_operator_does_not_list_cannot_be_picked() -> None:
    made = stall("sellercenter")
    made.shop.options["reasons"] = ["SHORTAGE"]
    made.shop.save()
    order = made.orders()[0]
    with pytest.raises(NotAsked) as refusal:
        asking.request_cancellation(by=person(), order=order, units=[unit_of(order)], reason_code="wrong_address")
    assert refusal.value.field == "reason"


def test_a_closed_attempt_cannot_be_changed() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    attempt = Attempt.objects.filter(cancellation=cancellation, kind="send").get()
    assert not attempt.close(outcome="Rejected", exchanges=[])
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(outcome="Rejected")


def test_R05_a_fault_of_ours_before_the_write_fails_and_after_it_is_uncertain(monkeypatch: Any) -> None:
    made = stall("shoplazza")
    first, second = made.orders()[:2]
    broken = ask(made, order=first)
    monkeypatch.setattr(delivery, "connect", lambda shop, **more: 1 / 0)
    delivery.drain(made.shop.pk)
    assert now_is(broken).state == State.FAILED
    monkeypatch.undo()
    unclear = ask(made, order=second)

    def broken_cancel(shop: Any, **more: Any) -> Any:
        connection = real(shop, **more)
        whole = connection.client.cancel

        def cancel(command: Any) -> Any:
            whole(command)
            raise KeyError("ours")

        connection.client.cancel = cancel
        return connection

    real = delivery.connect
    monkeypatch.setattr(delivery, "connect", broken_cancel)
    delivery.drain(made.shop.pk)
    assert now_is(unclear).state == State.UNCERTAIN
    assert len(made.performed()) == 1
