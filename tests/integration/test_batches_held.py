"""What a paused, braked or stopped bulk holds back stays unsent, whatever becomes of what was under way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations.batches import decisions, running, tasks
from cancellations.batches.models import Batch
from cancellations.batches.states import BatchState
from cancellations.requests import claiming, delivery, stock
from cancellations.requests import decisions as singly
from cancellations.requests.claiming import Claimed
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Shop, ShopHealth
from providers.errors import AuthFailed, OutcomeUnknown, RateLimited, Unreachable
from tests.desk import person
from tests.integration.bulk import Till, fresh, install, many_orders, open_shop, requests, run, started, states

pytestmark = pytest.mark.django_db

CLAIMED = 4


def sent_with(fault: Exception) -> Callable[[Till, Claimed], None]:
    """Send what is claimed, and have the platform answer so."""

    def act(platform: Till, one: Claimed) -> None:
        platform.answers[one.cancellation.order_key] = fault
        delivery.deliver(one)

    return act


def not_begun(_platform: Till, one: Claimed) -> None:
    stock._put_back([one])


BACK = [
    pytest.param(sent_with(RateLimited("429", "slow")), id="rate limited"),
    pytest.param(sent_with(AuthFailed("401", "who")), id="keys refused"),
    pytest.param(sent_with(Unreachable("down", "")), id="unreachable"),
    pytest.param(not_begun, id="put back from the shelf"),
]


def under_way(monkeypatch: Any) -> tuple[Till, Shop, Batch, list[Claimed]]:
    """Bring a bulk past its canary, with some of the others claimed by a worker."""
    platform = install(monkeypatch)
    shop = open_shop()
    batch = started(many_orders(shop, 20, platform=platform))
    running.advance(batch.pk)
    delivery.drain(shop.pk)
    running.advance(batch.pk)
    claimed, _wait = claiming.claim_due(shop.pk, CLAIMED)
    assert states(batch) == {State.SUCCEEDED: 3, State.SENDING: CLAIMED, State.QUEUED: 13}
    return platform, shop, fresh(batch), claimed


def the_way_is_free_again(batch: Batch) -> None:
    """Let the shop go, and have whatever waits for a moment of its own be due."""
    ShopHealth.objects.update(held_since=None, wait_until=None, tokens=100, tokens_at=None, eased=None)
    requests(batch).filter(state=State.QUEUED).exclude(due_at=None).update(due_at=timezone.now())


@pytest.mark.parametrize("come_back", BACK)
def test_R19_what_comes_back_after_a_stop_is_not_sent_but_taken_back(monkeypatch: Any, come_back: Any) -> None:
    platform, shop, batch, claimed = under_way(monkeypatch)
    assert decisions.stop(batch, by=batch.requested_by) == 13
    assert fresh(batch).finished_at is None
    for one in claimed:
        come_back(platform, one)
    the_way_is_free_again(batch)
    platform.answers, calls = {}, len(platform.called)
    delivery.drain(shop.pk)
    assert len(platform.called) == calls  # though nobody has looked after the bulk since
    tasks.sweep()
    assert states(batch) == {State.SUCCEEDED: 3, State.WITHDRAWN: 17}
    assert fresh(batch).finished_at
    delivery.drain(shop.pk)
    assert len(platform.called) == calls


def test_R19_a_stopped_bulk_is_over_once_nothing_of_it_is_being_sent(monkeypatch: Any) -> None:
    platform, _shop, batch, claimed = under_way(monkeypatch)
    decisions.stop(batch, by=batch.requested_by)
    for at, one in enumerate(claimed):
        tasks.sweep()
        assert fresh(batch).finished_at is None
        if at:
            delivery.deliver(one)
        else:
            sent_with(OutcomeUnknown("gone", ""))(platform, one)
    tasks.sweep()
    assert fresh(batch).finished_at
    assert states(batch) == {State.SUCCEEDED: 6, State.UNCERTAIN: 1, State.WITHDRAWN: 13}


def test_what_a_person_sends_again_of_a_stopped_bulk_goes_though_it_is_not_over_yet(monkeypatch: Any) -> None:
    platform, shop, batch, claimed = under_way(monkeypatch)
    decisions.stop(batch, by=batch.requested_by)
    one = claimed[0].cancellation
    requests(batch).filter(pk=one.pk).update(state=State.FAILED, lease_until=None)
    one.refresh_from_db()
    singly.resend(one, by=person())
    tasks.sweep()
    assert fresh(batch).finished_at is None
    (again,), _wait = claiming.claim_due(shop.pk, 1)
    sent_with(RateLimited("429", "slow"))(platform, again)
    tasks.sweep()
    the_way_is_free_again(batch)
    platform.answers = {}
    delivery.drain(shop.pk)
    assert CancellationRequest.objects.get(pk=one.pk).state == State.SUCCEEDED


def test_the_page_of_a_stopped_bulk_says_whether_something_still_ends(monkeypatch: Any, client: Client) -> None:
    _platform, _shop, batch, claimed = under_way(monkeypatch)
    decisions.stop(batch, by=batch.requested_by)
    client.force_login(batch.requested_by)
    address = reverse("batches:batch", args=[batch.pk])
    page = client.get(address).content.decode()
    assert "Stopping." in page
    assert "hx-trigger" in page
    for one in claimed:
        delivery.deliver(one)
    shown = client.get(address).content.decode()
    assert "Stopping." in shown  # nobody has seen yet that it is over
    tasks.sweep()
    page = client.get(address).content.decode()
    assert "Stopped." in page
    assert "Stopping." not in page


@pytest.mark.parametrize("come_back", BACK)
def test_what_comes_back_while_its_bulk_is_paused_waits_with_it(monkeypatch: Any, come_back: Any) -> None:
    platform, shop, batch, claimed = under_way(monkeypatch)
    decisions.pause(batch, by=batch.requested_by)
    for one in claimed:
        come_back(platform, one)
    the_way_is_free_again(batch)
    platform.answers, calls = {}, len(platform.called)
    delivery.drain(shop.pk)
    assert len(platform.called) == calls
    assert states(batch) == {State.SUCCEEDED: 3, State.QUEUED: 17}
    decisions.resume(batch, by=batch.requested_by)
    assert run(batch).state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 20}


def test_what_comes_back_after_a_pause_was_over_goes_at_its_time(monkeypatch: Any) -> None:
    platform, _shop, batch, claimed = under_way(monkeypatch)
    decisions.pause(batch, by=batch.requested_by)
    decisions.resume(batch, by=batch.requested_by)
    for one in claimed:
        sent_with(Unreachable("down", ""))(platform, one)
    assert requests(batch).filter(state=State.QUEUED, due_at=None).count() == 0
    the_way_is_free_again(batch)
    platform.answers = {}
    assert run(batch).state == BatchState.DONE
    assert states(batch) == {State.SUCCEEDED: 20}


def test_what_is_approved_while_its_bulk_is_paused_waits_with_it_and_says_so(monkeypatch: Any, client: Client) -> None:
    platform = install(monkeypatch)
    shop = open_shop("careful", needs_approval=True)
    batch = run(started(many_orders(shop, 3, platform=platform)))
    decisions.pause(batch, by=batch.requested_by)
    by_page, *others = requests(batch)
    client.force_login(person("manager"))
    answer = client.post(reverse("requests:approve", args=[by_page.pk]))
    assert "Approved. Its bulk is paused" in client.get(answer.headers["Location"]).content.decode()
    for one in others:
        singly.approve(one, by=person("manager"))
    delivery.drain(shop.pk)
    assert platform.called == []
    assert states(batch) == {State.QUEUED: 3}
    decisions.resume(batch, by=batch.requested_by)
    assert run(batch).state == BatchState.DONE
    assert len(platform.called) == 3


def test_what_lay_claimed_when_the_brake_was_pulled_and_is_put_back_is_not_taken_up_again(monkeypatch: Any) -> None:
    platform, shop, batch, claimed = under_way(monkeypatch)
    monkeypatch.setattr(running.brake, "judge", lambda _batch: ("failures", {}))
    running.advance(batch.pk)
    assert fresh(batch).state == BatchState.PAUSED
    stock._put_back(claimed)
    assert claiming.claim_due(shop.pk, 32) == ([], None)
    assert len(platform.called) == 3
