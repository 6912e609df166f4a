"""What is learned after an outcome was called: it denies it aloud, moves nothing, and nobody decides on an old page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations.orders.models import Order
from cancellations.requests import claiming, concluding, decisions, delivery, reading, reconciliation, settling
from cancellations.requests.concluding import Sent
from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAllowed
from cancellations.requests.states import State
from cancellations.requests.wording import headline
from providers.contract import Receipt, Status
from providers.errors import OutcomeUnknown, RateLimited, Unreachable
from tests.desk import Stall, person, stall
from tests.integration.test_watch import ask, in_doubt, is_read_as, look, now_is, verbs

pytestmark = pytest.mark.django_db


def failed(made: Stall, monkeypatch: pytest.MonkeyPatch) -> CancellationRequest:
    """Return one that was sent in doubt and then called not cancelled by a person."""
    doubtful = in_doubt(made, monkeypatch)
    decisions.settle(doubtful, by=person("manager"), cancelled=False, note="I looked.")
    return now_is(doubtful)


def test_R08_a_reading_that_shows_cancelled_what_was_called_not_cancelled_is_an_alarm(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful = in_doubt(stall("shoplazza"), monkeypatch)

    def read(_one: Any) -> reading.Reading:
        decisions.settle(now_is(doubtful), by=person("manager"), cancelled=False, note="I looked.")
        return reading.Reading(Status.CANCELLED, "CANCELLED", None, None, [])

    monkeypatch.setattr(reconciliation, "read", read)
    denied = look(doubtful)
    assert (denied.state, denied.alarm) == (State.FAILED, "cancelled")
    assert headline(denied).title == "Cancelled after all."
    assert verbs(denied)[-1] == "cancelled_after_all"
    with pytest.raises(NotAllowed, match="nothing to send again"):
        decisions.resend(denied, by=person())
    client.force_login(person("manager"))
    assert "Alarm" in client.get(reverse("home")).content.decode()
    client.post(reverse("requests:close_alarm", args=[denied.pk]), {"note": "The buyer was told."})
    closed = now_is(denied)
    assert (closed.alarm, closed.state, headline(closed).title) == ("", State.FAILED, "Cancelled after all.")
    client.force_login(closed.requested_by)
    assert "Cancelled after all" in client.get(reverse("requests:list")).content.decode()
    assert closed.order_number not in client.get(reverse("requests:list") + "?tab=needs").content.decode()
    Order.objects.update(status=Status.CANCELLED)
    assert "Not cancelled" not in client.get(reverse("orders:list") + f"?q={closed.order_number}").content.decode()
    with pytest.raises(NotAllowed, match="nothing to send again"):
        decisions.resend(closed, by=person())


def test_R08_a_late_yes_to_what_was_called_not_cancelled_is_an_alarm_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cancellation = ask(stall("shoplazza"))
    attempt = claiming.claim(cancellation)
    assert attempt
    CancellationRequest.objects.filter(pk=cancellation.pk).update(
        state=State.UNCERTAIN, doubt=True
    )  # its lease ran out
    decisions.settle(now_is(cancellation), by=person("manager"), cancelled=False, note="I looked.")
    for _time in range(2):
        assert not concluding.conclude(cancellation, attempt, Sent(Receipt(), None, []))
    assert (now_is(cancellation).state, now_is(cancellation).alarm) == (State.FAILED, "cancelled")
    assert verbs(cancellation).count("cancelled_after_all") == 1


@pytest.mark.parametrize(("earlier", "already"), [(OutcomeUnknown("timeout"), False), (Unreachable("connect"), True)])
def test_R04_cancelled_already_is_not_said_where_an_earlier_attempt_may_have_done_it(
    monkeypatch: pytest.MonkeyPatch, earlier: Any, already: bool
) -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    answers = [Sent(None, earlier, []), Sent(Receipt(already=True), None, [])]
    monkeypatch.setattr(delivery, "send", lambda *_args: answers.pop(0))
    delivery.drain(made.shop.pk)
    if now_is(cancellation).state == State.UNCERTAIN:
        decisions.settle(now_is(cancellation), by=person("manager"), cancelled=False, note="I looked.")
        decisions.resend(now_is(cancellation), by=person())
    CancellationRequest.objects.filter(pk=cancellation.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    delivery.drain(made.shop.pk)
    done = now_is(cancellation)
    assert (done.state, done.attempt_no, done.already) == (State.SUCCEEDED, 2, already)


def test_R08_a_yes_that_could_not_be_read_back_is_still_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable = reading.Reading(None, "", None, OutcomeUnknown("timeout"), [])
    monkeypatch.setattr(reconciliation, "read", lambda one: unreadable)
    made = stall("shoplazza")
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    for _reading in range(settling.CONFIRM_TRIES + 1):
        told = look(cancellation)
    assert (told.state, told.alarm, told.confirmed_at) == (State.SUCCEEDED, "", None)
    assert told.due_at
    assert told.due_at > timezone.now() + timedelta(minutes=30)
    is_read_as(monkeypatch, Status.OPEN)
    assert look(cancellation).alarm == "contradicted"


def test_R08_a_platform_that_does_not_let_us_look_just_now_uses_up_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    busy = reading.Reading(None, "", None, RateLimited("429", retry_after=300), [])
    monkeypatch.setattr(reconciliation, "read", lambda one: busy)
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    for _reading in range(settling.CONFIRM_TRIES + 2):
        told = look(cancellation)
    assert told.readings == 0
    assert told.due_at
    assert timedelta(minutes=4) < told.due_at - timezone.now() < timedelta(minutes=6)


def sent_again(made: Stall, monkeypatch: pytest.MonkeyPatch) -> CancellationRequest:
    """Return one whose second attempt is in doubt, too."""
    once = failed(made, monkeypatch)
    decisions.resend(once, by=person())
    delivery.drain(made.shop.pk)
    twice = now_is(once)
    assert (twice.state, twice.attempt_no) == (State.UNCERTAIN, 2)
    return twice


def test_R03_a_settlement_from_a_page_that_showed_an_earlier_attempt_is_refused_and_nothing_typed_is_lost(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = sent_again(stall("shoplazza"), monkeypatch)
    client.force_login(person("manager"))
    address = reverse("requests:settle", args=[twice.pk])
    for attempt in ({"attempt": "1"}, {}, {"attempt": "x"}):
        answer = client.post(address, {"cancelled": "no", "note": "I looked at noon.", **attempt})
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "I looked at noon." in page
        assert "moved on" in page
        assert 'name="attempt" value="2"' in page
    assert now_is(twice).state == State.UNCERTAIN
    assert client.post(address, {"cancelled": "no", "note": "I looked.", "attempt": "2"}).status_code == 303
    assert now_is(twice).state == State.FAILED


def test_R03_sending_again_from_a_page_that_showed_an_earlier_attempt_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = sent_again(stall("shoplazza"), monkeypatch)
    decisions.settle(twice, by=person("manager"), cancelled=False, note="I looked.")
    client.force_login(person())
    address = reverse("requests:resend", args=[twice.pk])
    assert client.post(address, {"attempt": "1"}).status_code == 409
    assert now_is(twice).state == State.FAILED
    page = client.get(reverse("requests:cancellation", args=[twice.pk])).content.decode()
    assert 'name="attempt" value="2"' in page
    assert client.post(address, {"attempt": "2"}).status_code == 303
    assert now_is(twice).state == State.QUEUED


def test_R02_what_another_request_cancelled_since_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza")
    once = failed(made, monkeypatch)
    monkeypatch.setattr(delivery, "send", lambda *_args: Sent(Receipt(), None, []))
    another = ask(made)
    delivery.drain(made.shop.pk)
    assert now_is(another).state == State.SUCCEEDED
    with pytest.raises(NotAllowed, match="Another request has cancelled it since"):
        decisions.resend(now_is(once), by=person())
    assert (now_is(once).state, verbs(once)[-1]) == (State.FAILED, "settled")
