"""After the yes: how it is known, how long it is looked at, and what happens when it comes back to life."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.operations import overdue
from cancellations.requests import asking, decisions, delivery, reading, reconciliation
from cancellations.requests.models import CancellationRequest
from cancellations.requests.progress import PERSON_LATE, deadline, owner
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.settling import next_watch
from cancellations.requests.states import OPEN, State
from cancellations.requests.wording import headline
from cancellations.shops import health
from providers.contract import PlatformOrder, Status
from providers.errors import AuthFailed, OutcomeUnknown
from tests.desk import Stall, person, stall, unit_of

pytestmark = pytest.mark.django_db


def ask(made: Stall, **more: Any) -> CancellationRequest:
    order = made.orders()[0]
    (asked,) = asking.request_cancellation(
        by=person(), order=order, units=[unit_of(order)], reason_code="out_of_stock", **more
    )
    return asked.cancellation


def now_is(cancellation: CancellationRequest) -> CancellationRequest:
    return CancellationRequest.objects.select_related("shop", "shop__health", "requested_by").get(pk=cancellation.pk)


def look(cancellation: CancellationRequest) -> CancellationRequest:
    CancellationRequest.objects.filter(pk=cancellation.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    reconciliation.reconcile(cancellation.pk)
    return now_is(cancellation)


def cancelled(made: Stall) -> CancellationRequest:
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    done = now_is(cancellation)
    assert (done.state, bool(done.confirmed_at)) == (State.SUCCEEDED, True)
    return done


def is_read_as(monkeypatch: pytest.MonkeyPatch, status: Status, **more: Any) -> None:
    """Let every unit be read so."""
    monkeypatch.setattr(
        reconciliation, "read", lambda one: reading.Reading(status, status.value.upper(), more.get("order"), None, [])
    )


def verbs(cancellation: CancellationRequest) -> list[str]:
    found = AuditEvent.objects.filter(subject_kind="cancellation", subject_id=str(cancellation.pk)).order_by("id")
    return [verb.partition(".")[2] for verb in found.values_list("verb", flat=True)]


def test_R08_the_watch_goes_on_for_days_and_ever_more_seldom(settings: Any) -> None:
    done, gaps = cancelled(stall("shoplazza")), []
    now = done.state_since
    while at := next_watch(done, now):
        gaps.append(at - now)
        now = at
    assert now - done.state_since == timedelta(days=settings.WATCH_DAYS)
    assert gaps == sorted(gaps)
    assert 4 <= len(gaps) <= 8
    settings.WATCH_DAYS = 0
    assert next_watch(done, done.state_since) is None


def test_R08_an_order_that_comes_back_to_life_raises_one_alarm_and_the_final_stays(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cancelled(stall("shoplazza"))
    before = done.state_since
    is_read_as(monkeypatch, Status.OPEN)
    once = look(done)
    assert once.alarm == ""  # one stale answer is none
    assert once.due_at
    assert once.due_at < timezone.now() + timedelta(minutes=5)
    for _reading in range(4):
        revived = look(done)
    assert revived.alarm == "revived"
    assert (revived.state, revived.state_since) == (State.SUCCEEDED, before)
    assert verbs(done).count("revived") == 1
    manager = person("manager")
    client.force_login(manager)
    assert revived.order
    for address in (
        reverse("home"),
        reverse("requests:cancellation", args=[done.pk]),
        reverse("orders:order", args=[revived.order.pk]),
    ):
        page = client.get(address).content.decode()
        assert "Alarm" in page or "came back to life" in page, address
    # A case for a person: it can be asked for anew, and the alarm is closed with a note.
    is_read_as(monkeypatch, Status.CANCELLED)
    answer = client.post(reverse("requests:close_alarm", args=[done.pk]), {"note": ""})
    assert answer.status_code == 422
    client.post(reverse("requests:close_alarm", args=[done.pk]), {"note": "Asked the seller: shipped by mistake."})
    assert now_is(done).alarm == ""
    assert verbs(done).count("alarm_closed") == 1
    with pytest.raises(NotAllowed):
        decisions.close_alarm(now_is(done), by=manager, note="again")


def test_R08_what_cannot_be_read_or_was_put_away_is_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    done = cancelled(stall("shoplazza"))
    is_read_as(monkeypatch, Status.CLOSED)
    for _reading in range(3):
        watched = look(done)
    assert (watched.alarm, bool(watched.due_at)) == ("", True)


def test_R04_a_yes_that_no_reading_ever_shows_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    is_read_as(monkeypatch, Status.OPEN)
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    for _reading in range(5):
        told = look(cancellation)
    assert (told.state, told.alarm) == (State.SUCCEEDED, "contradicted")
    assert verbs(cancellation).count("contradicted") == 1


def in_doubt(made: Stall, monkeypatch: pytest.MonkeyPatch) -> CancellationRequest:
    def lost(*_args: Any) -> delivery.Sent:
        return delivery.Sent(None, OutcomeUnknown("timeout"), [])

    cancellation = ask(made)
    monkeypatch.setattr(delivery, "send", lost)
    delivery.drain(made.shop.pk)
    return now_is(cancellation)


def test_R04_read_back_says_whether_it_was_cancelled_before_we_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's own word on when it changed tells the two apart; without it nothing is claimed."""
    for ago, already in ((timedelta(days=2), True), (timedelta(seconds=0), False)):
        made = stall("shoplazza")
        doubtful = in_doubt(made, monkeypatch)
        order = PlatformOrder(ref={}, number=doubtful.order_number, updated_at=timezone.now() - ago)
        with monkeypatch.context() as patch:
            is_read_as(patch, Status.CANCELLED, order=order)
            done = look(doubtful)
        assert (done.state, done.already) == (State.SUCCEEDED, already)
        assert ("already" in headline(done).title) is already


def test_R04_not_cancelled_says_as_of_when_it_was_read_twice(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SETTLE_SECONDS = 1
    doubtful = in_doubt(stall("shoplazza"), monkeypatch)
    CancellationRequest.objects.filter(pk=doubtful.pk).update(sent_at=timezone.now() - timedelta(hours=1))
    is_read_as(monkeypatch, Status.OPEN)
    look(doubtful)
    failed = look(doubtful)
    assert failed.state == State.FAILED
    assert "Not cancelled as of" in headline(failed).text
    assert "read twice" in headline(failed).text


@pytest.mark.parametrize("state", OPEN)
def test_R09_every_open_state_has_an_owner_and_a_deadline(state: State) -> None:
    cancellation = ask(stall("shoplazza"))
    due = None if state in (State.PENDING_APPROVAL, State.SENDING) else timezone.now()
    lease = timezone.now() if state == State.SENDING else None
    CancellationRequest.objects.filter(pk=cancellation.pk).update(state=state, due_at=due, lease_until=lease)
    now = now_is(cancellation)
    assert owner(now)
    assert deadline(now)
    CancellationRequest.objects.filter(pk=cancellation.pk).update(in_review=True, due_at=None)
    assert deadline(now_is(cancellation))


def test_R09_what_a_paused_bulk_holds_waits_for_a_person_and_has_until_the_next_day() -> None:
    cancellation, long_ago = ask(stall("shoplazza")), timezone.now() - timedelta(days=9)
    paused = timezone.now() - timedelta(hours=23)
    kept = CancellationRequest.objects.filter(pk=cancellation.pk)
    kept.update(batch=7, due_at=None, held_since=paused, state_since=long_ago)
    held = now_is(cancellation)
    assert "bulk 7" in owner(held)
    assert deadline(held) == paused + PERSON_LATE
    assert not overdue(kept, timezone.now()).exists()
    assert overdue(kept, timezone.now() + timedelta(hours=2)).exists()


def test_R16_the_owner_of_what_waits_for_keys_is_an_admin() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    assert "worker" in owner(now_is(cancellation))
    health.hold(made.shop, AuthFailed("401"))
    assert "admin" in owner(now_is(cancellation))


def test_R08_who_asked_and_who_decides_need_a_note_for_a_closed_alarm() -> None:
    cancellation = ask(stall("shoplazza"))
    CancellationRequest.objects.filter(pk=cancellation.pk).update(alarm="revived")
    with pytest.raises(NotAsked):
        decisions.close_alarm(now_is(cancellation), by=person("manager"), note=" ")
    with pytest.raises(NotAllowed):
        decisions.close_alarm(now_is(cancellation), by=person("agent"), note="I looked.")
