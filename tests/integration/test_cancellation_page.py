"""The page of one cancellation: what it says in every state, what may be done, and the evidence."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.orders.models import Order
from cancellations.requests import asking, decisions, delivery, progress, reconciliation
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.requests.timeline import timeline
from cancellations.shops import connection
from cancellations.shops.models import Pulse, ShopHealth
from providers.registry import PROVIDERS
from tests.desk import Stall, person, stall, unit_of
from tests.integration.seen import doubled_ids, read, words

pytestmark = pytest.mark.django_db
platforms = pytest.mark.parametrize("slug", sorted(PROVIDERS))
BY_FRAGMENT = {"HTTP_HX_REQUEST": "true"}
NOW = timezone.now


def ask(made: Stall, *, by: Any = None, order: Order | None = None, **more: Any) -> CancellationRequest:
    order = order or made.orders()[0]
    (asked,) = asking.request_cancellation(
        by=by or person(), order=order, units=[unit_of(order)], reason_code="out_of_stock", **more
    )
    return asked.cancellation


def put(cancellation: CancellationRequest, state: State, **more: Any) -> CancellationRequest:
    """Put a request into a state, as if its way there had been walked."""
    CancellationRequest.objects.filter(pk=cancellation.pk).update(state=state, **{"due_at": None, **more})
    return CancellationRequest.objects.select_related("shop", "shop__health", "order").get(pk=cancellation.pk)


def signed_in(who: Any) -> Client:
    client = Client()
    client.force_login(who)
    return client


def url(name: str, cancellation: CancellationRequest) -> str:
    return reverse(f"requests:{name}", args=[cancellation.pk])


def acts(answer: Any, cancellation: CancellationRequest) -> set[str]:
    """The acts a page offers."""
    names = {url(name, cancellation): name for name in ("approve", "decline", "withdraw", "check", "resend", "settle")}
    return {names[action] for action in read(answer).actions if action in names}


@pytest.fixture(autouse=True)
def a_worker_is_there(db: None) -> None:
    Pulse.objects.create(name="worker", at=NOW())


# -- every state

SENT = {"attempt_no": 1, "sent_at": NOW()}
STATES: dict[str, tuple[State, dict[str, Any], str]] = {
    "pending": (State.PENDING_APPROVAL, {}, "Waiting for approval."),
    "queued": (State.QUEUED, {"due_at": NOW()}, "Waiting."),
    "sending": (State.SENDING, SENT, "Sending…"),
    "accepted": (State.ACCEPTED, {**SENT, "due_at": NOW()}, "Accepted, not finished."),
    "uncertain": (State.UNCERTAIN, {**SENT, "due_at": NOW()}, "Not sure yet."),
    "review": (State.UNCERTAIN, {**SENT, "in_review": True}, "In review: a person has to find out."),
    "succeeded": (State.SUCCEEDED, {**SENT, "confirmed_at": NOW()}, "Cancelled."),
    "already": (State.SUCCEEDED, {**SENT, "already": True}, "It was cancelled already."),
    "rejected": (State.REJECTED, {**SENT, "code": "406", "message": "Too late, said the shop"}, "Refused."),
    "failed": (State.FAILED, SENT, "Not cancelled."),
    "declined": (State.DECLINED, {}, "Declined."),
    "withdrawn": (State.WITHDRAWN, {}, "Withdrawn."),
}
# What an agent, the agent who asked, a manager, and the manager who asked may do.
ANY, NONE = {"withdraw"}, set[str]()
MAY: dict[str, tuple[set[str], set[str]]] = {  # (everybody but a second manager, a second manager)
    "pending": (ANY, {"withdraw", "approve", "decline"}),
    "queued": (ANY, ANY),
    "sending": (NONE, NONE),
    "accepted": ({"check"}, {"check"}),
    "uncertain": ({"check"}, {"check", "settle"}),
    "review": ({"check"}, {"check", "settle"}),
    "failed": ({"resend"}, {"resend"}),
    **dict.fromkeys(("succeeded", "already", "rejected", "declined", "withdrawn"), (NONE, NONE)),
}


@pytest.mark.parametrize("name", sorted(STATES))
def test_every_state_has_its_headline_its_dots_and_only_its_acts(name: str) -> None:
    state, columns, headline = STATES[name]
    made = stall("shoplazza", count=8)
    for asked_by_manager in (False, True):
        asker = person("manager" if asked_by_manager else "agent")
        cancellation = put(ask(made, by=asker, order=made.orders()[int(asked_by_manager)]), state, **columns)
        for who in (asker, person("agent"), person("manager"), person("admin")):
            answer = signed_in(who).get(url("cancellation", cancellation))
            text = words(answer)
            assert answer.status_code == 200
            assert headline in text
            assert doubled_ids(answer) == []
            second = who.role in ("manager", "admin") and who.pk != asker.pk
            assert acts(answer, cancellation) == MAY[name][second], (name, who.role, second)
            assert [dot for dot in ("Asked", "Sent", "Answered", "Confirmed") if dot not in text] == []


@pytest.mark.parametrize("name", ["pending", "review"])
def test_a_manager_who_asked_reads_that_somebody_else_must_decide(name: str) -> None:
    state, columns, _headline = STATES[name]
    boss = person("manager")
    cancellation = put(ask(stall("shoplazza"), by=boss), state, **columns)
    assert "somebody else has to" in words(signed_in(boss).get(url("cancellation", cancellation)))


def test_sending_again_is_shut_with_its_reason_until_a_check_saw_it_open() -> None:
    cancellation = put(ask(stall("shoplazza")), State.UNCERTAIN, **SENT)
    shut = signed_in(person()).get(url("cancellation", cancellation))
    assert "First a check must have seen the order still open" in words(shut)
    put(cancellation, State.UNCERTAIN, seen_open_at=NOW() + timedelta(seconds=1))
    assert "resend" in acts(signed_in(person()).get(url("cancellation", cancellation)), cancellation)


def test_where_orders_cannot_be_read_there_is_no_look_now_but_a_way_to_settle() -> None:
    made = stall("taobao")
    made.shop.options["detail"] = False
    made.shop.save()
    cancellation = put(ask(made), State.UNCERTAIN, in_review=True, **SENT)
    answer = signed_in(person("manager")).get(url("cancellation", cancellation))
    assert acts(answer, cancellation) == {"settle"}
    assert "look it up at the platform, then settle it" in words(answer)


def test_a_cancellation_of_another_persons_shop_is_not_there() -> None:
    cancellation = ask(stall("shoplazza"))
    stranger = signed_in(person("admin", every_shop=False))
    for name in ("cancellation", "status"):
        assert stranger.get(url(name, cancellation)).status_code == 404
    for name in ("approve", "decline", "withdraw", "check", "resend", "settle"):
        assert stranger.post(url(name, cancellation), {"note": "x", "cancelled": "yes"}).status_code == 404
    cancellation.refresh_from_db()
    assert cancellation.state == State.QUEUED


def test_only_words_of_the_platform_are_told_as_its_words() -> None:
    cancellation = put(ask(stall("shoplazza")), State.REJECTED, code="406", message="too late", **SENT)
    assert "Shoplazza said: too late" in words(signed_in(person()).get(url("cancellation", cancellation)))
    put(cancellation, State.UNCERTAIN, code="timeout", message="total deadline", **SENT)
    text = words(signed_in(person()).get(url("cancellation", cancellation)))
    assert "said:" not in text
    assert "total deadline" in text


# -- the status fragment


@pytest.mark.parametrize("name", sorted(STATES))
def test_the_fragment_asks_again_until_the_request_is_over(name: str) -> None:
    state, columns, headline = STATES[name]
    cancellation = put(ask(stall("shoplazza", count=8)), state, **columns)
    client = signed_in(person())
    answer = client.get(url("status", cancellation) + "?moment=x", **BY_FRAGMENT)
    html = answer.content.decode()
    over = state in (State.SUCCEEDED, State.REJECTED, State.FAILED, State.DECLINED, State.WITHDRAWN)
    assert headline in words(answer)
    assert ("hx-trigger" in html) is not over
    soon = not over and name not in ("pending", "review")
    pace = "700ms" if state in (State.QUEUED, State.SENDING) else "2000ms"  # somebody is on the telephone
    assert (f'hx-trigger="load delay:400ms, every {pace}"' in html) is soon


def test_nothing_new_is_204_and_anything_new_is_shown() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    client = signed_in(person())

    def look() -> tuple[int, str]:
        html = client.get(url("cancellation", cancellation)).content.decode()
        moment = html.partition("?moment=")[2].partition('"')[0]
        return client.get(f"{url('status', cancellation)}?moment={moment}", **BY_FRAGMENT).status_code, moment

    seen = [look()]
    Pulse.objects.all().delete()
    seen.append(look())
    made.shop.active = False
    made.shop.save()
    seen.append(look())
    put(cancellation, State.UNCERTAIN, **{**SENT, "due_at": NOW()})
    seen.append(look())
    put(cancellation, State.UNCERTAIN, **{**SENT, "due_at": NOW(), "checks": 1})
    seen.append(look())
    assert {status for status, _moment in seen} == {204}
    assert len({moment for _status, moment in seen}) == len(seen)
    old = client.get(f"{url('status', cancellation)}?moment={seen[0][1]}", **BY_FRAGMENT)
    assert old.status_code == 200
    assert doubled_ids(old) == []
    assert {"status", "timeline", "asked", "seen"} <= set(read(old).ids)


def test_a_success_is_looked_at_until_it_is_confirmed() -> None:
    made = stall("shoplazza")
    cancellation = put(ask(made), State.SUCCEEDED, **{**SENT, "due_at": NOW()})
    page = url("status", cancellation) + "?moment=x"
    assert "hx-trigger" in signed_in(person()).get(page, **BY_FRAGMENT).content.decode()
    put(cancellation, State.SUCCEEDED, confirmed_at=NOW())
    assert "hx-trigger" not in signed_in(person()).get(page, **BY_FRAGMENT).content.decode()


# -- acts


def act(client: Client, name: str, cancellation: CancellationRequest, **given: str) -> Any:
    """Press a button of the page as it is now."""
    return client.post(url(name, cancellation), {"attempt": str(cancellation.attempt_no), **given})


def test_each_act_does_what_it_says_goes_back_and_tells() -> None:
    made = stall("shoplazza")
    orders = made.orders()
    boss = signed_in(person("manager"))
    for number, (name, before, columns, after, told) in enumerate(
        [
            ("approve", State.PENDING_APPROVAL, {}, State.QUEUED, "Approved."),
            (
                "decline",
                State.PENDING_APPROVAL,
                {"note": "not like this"},
                State.DECLINED,
                "Declined. Nothing is sent.",
            ),
            ("withdraw", State.QUEUED, {}, State.WITHDRAWN, "Withdrawn. Nothing was sent."),
            ("check", State.UNCERTAIN, SENT, State.UNCERTAIN, "A worker looks at the order now."),
            ("resend", State.FAILED, SENT, State.QUEUED, "It is sent once more"),
            ("settle", State.UNCERTAIN, SENT, State.SUCCEEDED, "Settled."),
        ]
    ):
        cancellation = put(ask(made, order=orders[number]), before, **columns)
        answer = act(boss, name, cancellation, note="seen at noon", cancelled="yes")
        assert answer.status_code == 303, name
        assert answer.headers["Location"] == url("cancellation", cancellation)
        assert put(cancellation, after).state == after
        assert told in words(boss.get(answer.headers["Location"]))


NOTHING_SENT = ("Nothing was sent.", "It was taken back before anything was sent.")
TRIED = ("It is not sent again.", "What was tried before did not cancel it.")


@pytest.mark.parametrize(
    ("before", "columns", "title", "true"),
    [
        (State.QUEUED, {}, "Withdrawn.", NOTHING_SENT),
        (State.PENDING_APPROVAL, {}, "Withdrawn.", NOTHING_SENT),
        (State.QUEUED, {**SENT, "unsent": 2, "code": "connect-failed"}, "Withdrawn.", TRIED),  # put back
        (State.QUEUED, {**SENT, "code": "settled"}, "Withdrawn.", TRIED),  # failed, and sent again by a person
        (
            State.QUEUED,
            {**SENT, "doubt": True},
            "Not sure yet.",
            ("It was taken back and is not sent again, but what was sent before may have been done.",),
        ),
    ],
)
def test_what_is_taken_back_says_what_was_sent_before(
    before: State, columns: dict[str, Any], title: str, true: tuple[str, ...]
) -> None:
    cancellation = put(ask(stall("shoplazza")), before, **columns)
    boss = signed_in(person("manager"))
    page = words(boss.get(act(boss, "withdraw", cancellation).headers["Location"]))
    for sentence in (title, *true):
        assert sentence in page, sentence
    if true != NOTHING_SENT:
        said = page + words(boss.get("/audit/"))
        for untrue in ("othing was sent", "before anything was sent", "before it was sent"):
            assert untrue not in said
    assert ("Withdrawn" in words(boss.get(url("cancellation", cancellation)))) is (title == "Withdrawn.")
    assert "Withdrew the cancellation while it waited" in words(boss.get("/audit/"))


def test_what_waits_to_be_sent_again_does_not_say_that_nothing_was_sent() -> None:
    made = stall("shoplazza")
    first, second = made.orders()[:2]
    client, shown = signed_in(person()), []
    put(ask(made, order=first), State.QUEUED, due_at=NOW() - timedelta(minutes=1))
    for columns in ({}, {"due_at": NOW() - timedelta(minutes=2)}):  # behind another one, and before it
        again = CancellationRequest.objects.filter(order=second).first() or ask(made, order=second)
        put(again, State.QUEUED, **{"due_at": NOW(), "code": "settled", **SENT, **columns})
        shown.append(words(client.get(url("cancellation", again))))
    assert "goes first. You can still withdraw it." in shown[0]
    assert "It is sent as soon as a worker is free." in shown[1]
    assert not any("othing was sent" in one for one in shown)


def test_what_was_taken_back_in_doubt_and_is_sent_again_does_not_say_that_it_is_not() -> None:
    made = stall("shoplazza")
    asked = put(ask(made), State.QUEUED, **SENT, doubt=True, code="timeout")
    decisions.withdraw(asked, by=person())
    decisions.resend(put(asked, State.UNCERTAIN, seen_open_at=NOW() + timedelta(seconds=1)), by=person())
    shown = words(signed_in(person()).get(url("cancellation", asked)))
    assert "It is sent as soon as a worker is free." in shown
    assert "not sent again" not in shown


@pytest.mark.parametrize(
    ("name", "before"),
    [("approve", State.PENDING_APPROVAL), ("check", State.UNCERTAIN), ("resend", State.FAILED)],
)
def test_in_a_shop_on_hold_nobody_is_told_that_something_happens_now(name: str, before: State) -> None:
    made = stall("shoplazza")
    cancellation = put(ask(made), before, **({} if before == State.PENDING_APPROVAL else SENT))
    ShopHealth.objects.update_or_create(shop=made.shop, defaults={"held_since": NOW()})
    boss = signed_in(person("manager"))
    told = words(boss.get(act(boss, name, cancellation).headers["Location"]))
    assert "The shop is on hold:" in told
    assert "as soon as a worker is free" not in told
    assert "A worker looks at the order now" not in told


def test_what_a_paused_bulk_holds_back_says_that_and_not_that_it_is_sent_soon() -> None:
    cancellation = put(ask(stall("shoplazza")), State.QUEUED, batch=7, due_at=None)
    text = words(signed_in(person()).get(url("cancellation", cancellation)))
    assert "Waiting: its bulk is paused." in text
    assert "Bulk 7 is paused." in text
    assert "as soon as a worker is free" not in text


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.REJECTED, State.FAILED, State.WITHDRAWN])
def test_R04_what_is_final_says_since_when(state: State) -> None:
    cancellation = put(ask(stall("shoplazza")), state, **SENT, state_since=NOW() - timedelta(hours=3))
    shown = signed_in(person()).get(url("status", cancellation) + "?moment=x", **BY_FRAGMENT).content.decode()
    assert f'datetime="{cancellation.state_since.isoformat()}"' in shown
    seen = put(cancellation, state, confirmed_at=NOW() - timedelta(hours=2))
    shown = signed_in(person()).get(url("status", cancellation) + "?moment=x", **BY_FRAGMENT).content.decode()
    assert f'datetime="{seen.confirmed_at.isoformat()}"' in shown


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("approve", State.QUEUED),
        ("decline", State.SUCCEEDED),
        ("withdraw", State.SENDING),
        ("withdraw", State.SUCCEEDED),
        ("check", State.QUEUED),
        ("resend", State.UNCERTAIN),
        ("resend", State.SUCCEEDED),
        ("settle", State.FAILED),
    ],
)
def test_an_act_that_came_too_late_changes_nothing_and_says_so_with_409(name: str, state: State) -> None:
    cancellation = put(ask(stall("shoplazza")), state, **SENT)
    events = AuditEvent.objects.count()
    answer = act(signed_in(person("manager")), name, cancellation, note="n", cancelled="yes")
    assert answer.status_code == 409
    assert doubled_ids(answer) == []
    cancellation.refresh_from_db()
    assert cancellation.state == state
    assert AuditEvent.objects.count() == events


def test_who_lacks_the_role_or_asked_themselves_decides_nothing() -> None:
    made = stall("shoplazza")
    boss = person("manager")
    waiting = put(ask(made, by=boss), State.PENDING_APPROVAL)
    assert act(signed_in(person()), "approve", waiting).status_code == 403
    assert act(signed_in(boss), "approve", waiting).status_code == 409
    unclear = put(waiting, State.UNCERTAIN, **SENT)
    assert act(signed_in(person()), "settle", unclear, note="n", cancelled="yes").status_code == 403
    assert act(signed_in(boss), "settle", unclear, note="n", cancelled="yes").status_code == 409
    assert put(unclear, State.UNCERTAIN).code == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"cancelled": "yes", "note": "  "}, "Say how you know"),
        ({"note": "seen at noon"}, "Say whether it is cancelled or not."),
        ({"note": "seen at noon", "cancelled": "perhaps"}, "Say whether it is cancelled or not."),
    ],
)
def test_settling_needs_a_choice_and_a_note_and_keeps_what_was_given(given: dict[str, str], told: str) -> None:
    cancellation = put(ask(stall("shoplazza")), State.UNCERTAIN, **SENT)
    answer = act(signed_in(person("manager")), "settle", cancellation, **given)
    assert answer.status_code == 422
    assert told in words(answer)
    assert read(answer).fields["note"] == [given["note"]]
    assert (("cancelled", "yes") in read(answer).ticked) == (given.get("cancelled") == "yes")
    assert doubled_ids(answer) == []
    cancellation.refresh_from_db()
    assert cancellation.state == State.UNCERTAIN


@pytest.mark.parametrize(("answer", "state"), [("yes", State.SUCCEEDED), ("no", State.FAILED)])
def test_what_a_person_settled_names_them_and_their_words(answer: str, state: State) -> None:
    cancellation = put(ask(stall("shoplazza")), State.UNCERTAIN, **SENT)
    boss = person("manager")
    act(signed_in(boss), "settle", cancellation, note="seen in the console at noon", cancelled=answer)
    cancellation.refresh_from_db()
    assert cancellation.state == state
    text = words(signed_in(person()).get(url("cancellation", cancellation)))
    assert "A person looked and said it is" in text
    assert "seen in the console at noon" in text
    assert boss.username in text


# -- evidence


@platforms
def test_the_timeline_holds_decisions_and_attempts_with_their_exchanges(slug: str) -> None:
    made = stall(slug)
    asker = person()
    cancellation = ask(made, by=asker, note="the buyer rang")
    delivery.drain(made.shop.pk)
    answer = signed_in(person()).get(url("cancellation", cancellation))
    text = words(answer)
    entries = timeline(put(cancellation, State.SUCCEEDED))
    kinds = [entry.attempt.kind if entry.attempt else entry.event.verb for entry in entries]  # type: ignore[union-attr]
    assert kinds == ["cancellation.requested", "send", "cancellation.succeeded", "check", "cancellation.confirmed"]
    assert "Sent, attempt 1" in text
    assert "Looked, check 1" in text
    assert "HTTP 20" in text
    assert asker.username in text
    assert "the buyer rang" in text
    exchanges = [one for entry in entries if entry.attempt for one in entry.attempt.exchanges]
    assert len(exchanges) >= 2
    assert answer.content.decode().count('class="panes"') == len(exchanges) + 1  # and what was seen beside what is
    secrets = {field.name for field in PROVIDERS[slug].card.credential if field.kind == "secret"}
    for name, value in PROVIDERS[slug].sandbox.credential.items():
        assert name not in secrets or value not in answer.content.decode()


def test_a_send_that_met_nobody_shows_what_never_left() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)

    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("the cable is cut")

    connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(cut)
    delivery.drain(made.shop.pk)
    text = words(signed_in(person()).get(url("cancellation", cancellation)))
    assert "It never left this machine." in text
    assert "Next try:" in text
    assert "Waiting." in text


def test_what_was_seen_stands_beside_what_is_now() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    Order.objects.filter(pk=cancellation.order_id).update(status="shipped", status_text="handed over")
    text = words(signed_in(person()).get(url("cancellation", cancellation)))
    seen, now = text.index("Seen when asking"), text.index("Last seen")
    assert cancellation.snapshot["status_text"] in text[seen:now]
    assert "handed over" in text[now:]


def test_the_page_stands_without_the_index() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    CancellationRequest.objects.update(order=None)
    answer = signed_in(person()).get(url("cancellation", cancellation))
    assert answer.status_code == 200
    assert cancellation.order_number in words(answer)


def test_queries_do_not_grow_with_attempts_and_decisions() -> None:
    made = stall("shoplazza")
    cancellation = ask(made)
    delivery.drain(made.shop.pk)
    client = signed_in(person())
    few = _queries(client, url("cancellation", cancellation))
    for number in range(20):
        cancellation.attempts.create(number=100 + number, kind="check", outcome="Reading")
        cancellation.record("cancellation.check_asked", by=person())
    assert _queries(client, url("cancellation", cancellation)) == few
    assert few < 20
    assert _queries(client, url("status", cancellation) + "?moment=x") <= few


def _queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(database) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_a_reading_that_contradicts_the_yes_is_an_alarm_not_a_success() -> None:
    made = stall("shoplazza")
    cancellation = put(ask(made), State.SUCCEEDED, **{**SENT, "due_at": NOW() - timedelta(seconds=1)})
    for _time in range(reconciliation.CONFIRM_TRIES):
        reconciliation.reconcile(cancellation.pk)
        CancellationRequest.objects.filter(pk=cancellation.pk, due_at__isnull=False).update(
            due_at=NOW() - timedelta(seconds=1)
        )
    answer = signed_in(person()).get(url("cancellation", cancellation))
    assert "a reading does not show it yet" in words(answer)
    assert 'data-tone="warn"' in answer.content.decode()
    assert "Alarm: the platform said yes" in words(answer)


def test_a_resend_is_refused_while_another_request_for_the_unit_is_open() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    first = put(ask(made, order=order), State.FAILED, **SENT)
    ask(made, order=order)
    answer = act(signed_in(person()), "resend", first)
    assert answer.status_code == 409
    assert "Another cancellation of the same order is open already." in words(answer)
    with pytest.raises(decisions.NotAllowed):
        decisions.resend(put(first, State.FAILED, **SENT), by=person())


@pytest.mark.parametrize(
    ("state", "attempts", "sent"),
    [("queued", 0, "now"), ("queued", 1, "now"), ("pending_approval", 1, "todo"), ("sending", 1, "done")],
)
def test_what_came_back_unsent_is_not_shown_as_sent(state: str, attempts: int, sent: str) -> None:
    steps = dict(progress.steps(CancellationRequest(state=state, attempt_no=attempts)))
    assert steps["Sent"] == sent
