"""The operators' page says what is wrong, why, and what to do."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations import operations, ring
from cancellations.requests import asking, pacing, tasks
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops import health, heartbeat
from cancellations.shops.models import Pulse
from providers.errors import AuthFailed, OutcomeUnknown, RateLimited
from tests.desk import Stall, person, stall

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client, monkeypatch: pytest.MonkeyPatch) -> Stall:
    monkeypatch.setattr(ring, "broker_answers", lambda: None)
    made = stall("shoplazza")
    asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    Pulse.beat()
    client.force_login(person("admin"))
    return made


def page(client: Client) -> str:
    return client.get(reverse("operations")).content.decode()


def late(**columns: Any) -> None:
    CancellationRequest.objects.update(**columns)


def test_R22_when_all_is_well_it_says_so(client: Client, desk: Stall) -> None:
    text = page(client)
    assert "nothing is stuck" in text
    assert "the oldest since" in text


def broker_gone(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses() -> None:
        raise OSError

    monkeypatch.setattr(ring, "broker_answers", refuses)


def worker_gone(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    Pulse.objects.update(at=timezone.now() - timedelta(minutes=2))


def beat_gone(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    worker_gone(desk, monkeypatch)
    heartbeat.beat()


def keys_refused(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    health.hold(desk.shop, AuthFailed("401"))


def platform_silent(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    for _failure in range(health.FAILURES_TO_HOLD):
        health.note_failure(desk.shop, OutcomeUnknown("timeout"))


def banned(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    pacing.pause(desk.shop, RateLimited("429", retry_after=600))


def stuck(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    late(due_at=timezone.now() - timedelta(minutes=16))


def unreviewed(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = timezone.now() - timedelta(hours=25)
    late(state=State.UNCERTAIN, in_review=True, due_at=None, state_since=long_ago)


def lost(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    late(state=State.SENDING, due_at=None, lease_until=timezone.now() - timedelta(minutes=2))


def disk_full(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "LEAST_ROOM", 2**62)


def revived(desk: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    late(state=State.SUCCEEDED, due_at=None, alarm="revived")


@pytest.mark.parametrize(
    ("fault", "cause", "step"),
    [
        (broker_gone, "The broker does not answer", "BROKER_URL"),
        (disk_full, "The disk of DATA_DIR is full", "Make room there"),
        (worker_gone, "No sweep has run", "No worker shows a sign of life"),
        (beat_gone, "No sweep has run", "Start beat"),
        (keys_refused, "is on hold", "Mend its keys"),
        (platform_silent, "The platform does not answer", "whether the platform is down"),
        (banned, "wants no call until", "set fewer calls"),
        (stuck, "past its deadline", "who acts next"),
        (unreviewed, "past its deadline", "who acts next"),
        (lost, "past its deadline", "who acts next"),
        (revived, "not what its cancellation was said to have made of it", "close the alarm"),
    ],
)
def test_R22_each_fault_has_its_cause_and_the_next_step(
    client: Client, desk: Stall, fault: Any, cause: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(desk, monkeypatch)
    text = page(client)
    assert cause in text
    assert step in text
    assert "nothing is stuck" not in text


def test_R22_what_a_hold_explains_is_not_called_stuck(client: Client, desk: Stall) -> None:
    late(due_at=timezone.now() - timedelta(hours=1))
    health.hold(desk.shop, AuthFailed("401"))
    assert "past its deadline" not in page(client)


def test_R20_a_worker_that_ends_sends_nothing_of_its_own_and_has_the_others_look(
    desk: Stall,
    rung: list[tuple[str, tuple[object, ...]]],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(ring, "is_ending", lambda: True)
    tasks.deliver(desk.shop.pk)
    assert desk.called() == []
    with django_capture_on_commit_callbacks(execute=True):
        tasks.leave_the_rest_to_others()
    assert rung[-1] == ("sweep", ())


def test_R10_a_frozen_broker_holds_the_page_up_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    freeze = threading.Event()
    monkeypatch.setattr(ring, "broker_answers", lambda: freeze.wait(30))
    assert ring.is_broker_there(0.2) is False
    freeze.set()
