"""Many of a shop claimed by one transaction, sent by many threads, and written down by one transaction again."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.requests import asking, claiming, delivery, outcomes, stock, sweeping
from cancellations.requests.claiming import Claimed
from cancellations.requests.concluding import Sent
from cancellations.requests.models import BULK, Attempt, CancellationRequest
from cancellations.requests.states import State
from cancellations.requests.stock import Stock
from cancellations.shops.models import ShopHealth
from providers.contract import Receipt
from providers.errors import AuthFailed, Cause, OutcomeUnknown, ProviderError, RateLimited, Rejected, Unreachable
from tests.desk import Stall, person, stall, unit_of
from tests.throwaway import database

KEPT = (
    "state", "due_at", "lease_until", "attempt_no", "unsent", "readings", "doubt", "in_review", "already", "code",
    "message", "advice", "platform_request_id",
)  # fmt: skip
ANSWERS: tuple[Receipt | ProviderError, ...] = (
    Receipt(request_id="one", message="done"),
    Receipt(request_id="two", already=True),
    Receipt(final=False),
    Rejected("300", "it is too late"),
    Rejected("301", "\x00 odd \ud800"),
    OutcomeUnknown("timeout"),
    Unreachable("connect-failed", cause=Cause.NETWORK),
    AuthFailed("401"),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def desk(request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), database(request.param, tmp_path):
        yield


@pytest.fixture
def file_desk(tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), database("sqlite", tmp_path):
        yield


def ask(made: Stall, count: int, priority: int = BULK) -> list[CancellationRequest]:
    by = person()
    return [
        asked.cancellation
        for order in made.orders()[:count]
        for asked in asking.request_cancellation(
            by=by, order=order, units=[unit_of(order)], reason_code="out_of_stock", priority=priority
        )
    ]


def claimed(made: Stall, count: int) -> list[Claimed]:
    ask(made, count)
    some, _wait = claiming.claim_due(made.shop.pk, count)
    assert len(some) == count
    return some


def test_an_attempt_is_dated_when_it_is_claimed_however_long_its_worker_slept_before(
    desk: None, monkeypatch: Any
) -> None:
    made = stall("shoplazza")
    ask(made, 2)

    def sleep_long(*_asked: Any) -> bool:
        time.sleep(0.3)
        return False

    monkeypatch.setattr(claiming.easing, "eased", sleep_long)
    some, _wait = claiming.claim_due(made.shop.pk, 2)
    sent_at = CancellationRequest.objects.get(pk=some[0].cancellation.pk).sent_at
    assert len(some) == 2
    assert sent_at
    assert abs(sent_at - Attempt.objects.get(pk=some[0].attempt.pk).opened_at) < timedelta(seconds=0.25)


def sent(told: Receipt | ProviderError) -> Sent:
    exchanges = [{"status": 200, "answer_body": "▇▇▇ ünï 取消"}]
    return Sent(told, None, exchanges) if isinstance(told, Receipt) else Sent(None, told, exchanges)


def kept(cancellation: CancellationRequest) -> dict[str, Any]:
    """What is known of a request afterwards, without what tells one from another."""
    now = CancellationRequest.objects.get(pk=cancellation.pk)
    columns = {name: getattr(now, name) for name in KEPT}
    soon = columns["due_at"]
    columns["due_at"] = soon and round((soon - timezone.now()).total_seconds() / 10)
    attempts = now.attempts.values("number", "kind", "outcome", "code", "message", "exchanges", "closed_at")
    columns["attempts"] = [{**one, "closed_at": bool(one["closed_at"])} for one in attempts]
    about = AuditEvent.objects.filter(subject_kind="cancellation", subject_id=str(now.pk)).order_by("id")
    columns["events"] = [
        (verb, who, {name: fact for name, fact in facts.items() if name != "seen"})
        for verb, who, facts in about.values_list("verb", "actor_kind", "data")
    ]
    columns["order"] = now.order and now.order.desk_state
    return columns


def states() -> set[str]:
    return set(CancellationRequest.objects.values_list("state", flat=True))


def test_R21_written_together_is_the_same_as_written_one_by_one(desk: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: (low + high) / 2)
    first, second = stall("shoplazza", calls_per_second=0), stall("shoplazza", calls_per_second=0)
    together, apart = claimed(first, len(ANSWERS)), claimed(second, len(ANSWERS))
    outcomes.write([(one, sent(told)) for one, told in zip(together, ANSWERS, strict=True)])
    for one, told in zip(apart, ANSWERS, strict=True):
        delivery.conclude(one.cancellation, one.attempt, sent(told))
    for one, other in zip(together, apart, strict=True):
        assert kept(one.cancellation) == kept(other.cancellation)
    assert states() == {
        State.SUCCEEDED, State.ACCEPTED, State.REJECTED, State.UNCERTAIN, State.QUEUED,
    }  # fmt: skip


def test_R02_of_many_claimed_at_once_each_is_one_attempt_and_one_event(file_desk: None) -> None:
    made = stall("shoplazza", calls_per_second=0)
    some = claimed(made, 6)
    assert claiming.claim_due(made.shop.pk, 6) == ([], None)
    assert Attempt.objects.count() == AuditEvent.objects.filter(verb="cancellation.sending").count() == 6
    for one in some:
        now = kept(one.cancellation)
        assert (now["state"], now["attempt_no"], now["order"]) == (State.SENDING, 1, State.SENDING)
        assert now["events"][-1][2] == {"from": "queued", "to": "sending", "attempt": 1}
        assert one.attempt.pk
        assert one.cancellation.attempt_no == one.attempt.number == 1


def test_R08_one_that_moved_meanwhile_does_not_spoil_the_others(desk: None) -> None:
    made = stall("shoplazza", calls_per_second=0)
    some = claimed(made, 5)
    late = some[2].cancellation
    CancellationRequest.objects.filter(pk=late.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweeping.lost_sends() == 1
    outcomes.write([(one, sent(Receipt())) for one in some])
    assert states() == {State.SUCCEEDED}
    verbs = [verb for verb, _kind, _data in kept(late)["events"]]
    assert verbs == [
        "cancellation.requested",
        "cancellation.sending",
        "cancellation.uncertain",
        "cancellation.succeeded",
    ]
    assert kept(late)["events"][-1][2]["late"] is True


def test_R11_many_whose_commit_was_not_heard_of_are_not_written_twice(
    desk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza", calls_per_second=0)
    some = [(one, sent(Receipt())) for one in claimed(made, 5)]
    whole, lost = outcomes.conclude_together, []

    def unheard(some: Any) -> Any:
        left = whole(some)
        if not lost:
            lost.append(True)
            raise OperationalError("the word that it was committed got lost")
        return left

    monkeypatch.setattr(outcomes, "conclude_together", unheard)
    outcomes.write(some)
    assert lost
    assert states() == {State.SUCCEEDED}
    assert AuditEvent.objects.filter(verb="cancellation.succeeded").count() == 5
    assert not AuditEvent.objects.filter(verb="cancellation.late_answer").exists()


def test_R12_what_cannot_be_written_together_is_written_one_by_one(
    file_desk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza", calls_per_second=0)
    some = [(one, sent(Receipt())) for one in claimed(made, 3)]
    monkeypatch.setattr(outcomes, "show_on_orders", lambda _some: 1 / 0)
    outcomes.write(some)
    assert states() == {State.SUCCEEDED}
    assert AuditEvent.objects.filter(verb="cancellation.succeeded").count() == 3


# -- What lies claimed and unsent


def shelf_of(made: Stall, lying: Stock) -> int:
    return len(lying._shelves[made.shop.pk].claimed)


def test_R02_one_claim_serves_many_sends_and_each_is_sent_once(
    file_desk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, lying = stall("shoplazza", calls_per_second=0), Stock()
    requests = ask(made, 9)
    claims: list[int] = []
    whole = claiming.claim_due
    monkeypatch.setattr(claiming, "claim_due", lambda shop, most: claims.append(most) or whole(shop, most))
    while lying.serve(made.shop.pk, 6) is not None:
        pass
    wait_until(lambda: lying.outcomes.is_idle)
    assert states() == {State.SUCCEEDED}
    assert sorted(made.called()) == sorted(one.order_key for one in requests)
    assert len(claims) < len(requests)


def test_R05_what_lay_too_long_goes_back_unsent_and_does_not_count_as_a_try(
    file_desk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, lying = stall("shoplazza", calls_per_second=0), Stock()
    ask(made, 4)
    lying.serve(made.shop.pk, 4)
    assert shelf_of(made, lying) == 3
    lying.tidy(False)
    assert shelf_of(made, lying) == 3
    monkeypatch.setattr(stock, "STALE_SECONDS", 0.0)
    lying.tidy(False)
    assert shelf_of(made, lying) == 0
    wait_until(lambda: lying.outcomes.is_idle)
    assert len(made.called()) == 1
    back = CancellationRequest.objects.filter(state=State.QUEUED)
    assert [(one.unsent, one.doubt, one.due_at is not None) for one in back] == [(0, False, True)] * 3
    assert set(Attempt.objects.filter(cancellation__in=back).values_list("outcome", flat=True)) == {"NotBegun"}
    monkeypatch.undo()
    delivery.drain(made.shop.pk)
    assert states() == {State.SUCCEEDED}
    assert len(made.called()) == len(set(made.called())) == 4


def test_R20_who_ends_puts_back_what_was_not_begun(file_desk: None) -> None:
    made, lying = stall("shoplazza", calls_per_second=0), Stock()
    ask(made, 5)
    lying.serve(made.shop.pk, 5)
    lying.tidy(True)
    wait_until(lambda: lying.outcomes.is_idle)
    assert CancellationRequest.objects.filter(state=State.QUEUED).count() == 4
    assert not CancellationRequest.objects.filter(state=State.SENDING).exists()


@pytest.mark.parametrize("told", [AuthFailed("401", cause=Cause.SETTINGS), RateLimited("429", retry_after=60.0)])
def test_R15_what_a_platform_turned_away_is_not_followed_by_the_rest(
    file_desk: None, monkeypatch: pytest.MonkeyPatch, told: ProviderError
) -> None:
    made, lying = stall("shoplazza", calls_per_second=0), Stock()
    ask(made, 6)
    calls: list[int] = []

    def refused(cancellation: CancellationRequest, *_more: Any) -> Sent:
        calls.append(cancellation.pk)
        return Sent(None, told, [])

    monkeypatch.setattr(delivery, "send", refused)
    lying.serve(made.shop.pk, 6)
    wait_until(lambda: lying.outcomes.is_idle)
    assert len(calls) == 1
    assert states() == {State.QUEUED}
    told_next = lying.serve(made.shop.pk, 6)
    health = ShopHealth.objects.get(shop=made.shop)
    assert bool(health.held_since) == isinstance(told, AuthFailed)
    assert told_next is None if health.held_since else told_next and told_next > 30
    assert len(calls) == 1


def test_R17_who_asked_for_one_goes_before_what_lies_claimed_of_a_bulk(file_desk: None) -> None:
    made, lying = stall("shoplazza", calls_per_second=0), Stock()
    ask(made, 6)
    lying.serve(made.shop.pk, 4)  # three of them lie claimed
    (single,) = (
        asked.cancellation
        for asked in asking.request_cancellation(
            by=person(), order=made.orders()[9], units=[unit_of(made.orders()[9])], reason_code="out_of_stock"
        )
    )
    lying.serve(made.shop.pk, 16)  # fetches for the shelf, the single among them
    lying.serve(made.shop.pk, 1)
    assert single.order_key in made.called()[:3]


def test_R02_threads_that_share_a_shelf_send_each_once(desk: None) -> None:
    made, lying = stall("shoplazza", count=60, calls_per_second=0), Stock()
    requests = ask(made, 40)

    def work() -> None:

        while lying.serve(made.shop.pk, 8) is not None:
            pass
        connection.close()

    threads = [threading.Thread(target=work) for _number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    wait_until(lambda: lying.outcomes.is_idle)
    assert sorted(made.called()) == sorted(one.order_key for one in requests)
    assert states() == {State.SUCCEEDED}


def wait_until(is_so: Any, seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it never came to be so"
        time.sleep(0.01)
