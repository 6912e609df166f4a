"""``manage.py cancel`` and ``cancellations``: the exit code and the one JSON object are what scripts rely on."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from django.core.management import ManagementUtility
from django.db import connections
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.management.commands import cancel
from cancellations.orders.models import Order, OrderKey
from cancellations.requests import delivery
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops import connection
from cancellations.shops.models import Pulse
from providers.registry import PROVIDERS
from tests.desk import Stall, person, stall, unit_of

pytestmark = pytest.mark.django_db
platforms = pytest.mark.parametrize("slug", sorted(PROVIDERS))
FACTS = {"id", "state", "code", "message", "attempts", "order", "item", "shop", "reason", "requested_by"}


@dataclass
class Done:
    """How a run ended and what it printed."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        (line,) = self.out.splitlines()
        return json.loads(line)  # type: ignore[no-any-return]


def run(*words: str) -> Done:
    """Run a command as a shell would: arguments in, exit code out."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    # A command closes its connections at its end; this one's is the test's own, with its transaction.
    with redirect_stdout(out), redirect_stderr(err), patch.object(connections, "close_all"):
        try:
            ManagementUtility(["manage.py", *words]).execute()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Done(code, out.getvalue(), err.getvalue())


def ask(made: Stall, order: Order | str, *more: str, by: str = "", item: str | None = None, **given: str) -> Done:
    unit = (unit_of(order) if isinstance(order, Order) else "") if item is None else item
    named = {
        "shop": made.shop.name,
        "order": order if isinstance(order, str) else order.ref[PROVIDERS[made.slug].card.lookup[0].name],
        "reason": "out_of_stock",
        "by": by or person().username,
        **({"item": unit} if unit else {}),
        **given,
    }
    words = [word for name, value in named.items() for word in (f"--{name}", value)]
    return run("cancel", *words, *more)


@pytest.fixture
def works_while_waiting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a worker do its round whenever the command looks again."""

    def work(made: Stall) -> None:
        monkeypatch.setattr(cancel.time, "sleep", lambda seconds: delivery.drain(made.shop.pk))

    return work


# -- exit codes


@platforms
def test_a_cancellation_that_succeeds_exits_0_with_its_facts(slug: str, works_while_waiting: Any) -> None:
    made = stall(slug)
    order = made.orders()[0]
    unit = unit_of(order)
    works_while_waiting(made)
    done = ask(made, order, "--wait", "30", "--json", "--note", "the buyer rang")
    assert done.exit == 0, done
    facts = done.json
    assert facts.keys() >= FACTS
    one = CancellationRequest.objects.get()
    assert facts["id"] == one.pk
    assert facts["state"] == "succeeded"
    assert facts["attempts"] == 1
    assert facts["order"] == order.number
    assert facts["item"] == unit == one.item_ref
    assert isinstance(facts["code"], str)
    assert isinstance(facts["message"], str)
    assert one.note == "the buyer rang"
    assert len(made.performed()) == 1


def _refused(made: Stall) -> Order:
    return next(one for one in made.shop.orders.order_by("number") if one.number.endswith("-REJECT"))


def test_a_refusal_exits_2_with_the_platforms_own_words(works_while_waiting: Any) -> None:
    made = stall("shoplazza")
    works_while_waiting(made)
    done = ask(made, _refused(made), "--wait", "30", "--json")
    assert done.exit == 2, done
    assert done.json["state"] == "rejected"
    assert done.json["code"]
    assert done.json["message"]


@pytest.mark.parametrize(
    ("state", "more", "code"),
    [
        (State.FAILED, {}, 2),
        (State.DECLINED, {}, 2),
        (State.WITHDRAWN, {}, 2),
        (State.UNCERTAIN, {"in_review": True}, 3),
        (State.PENDING_APPROVAL, {}, 3),
    ],
)
def test_what_is_over_or_waits_for_a_person_ends_the_waiting(
    state: State, more: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza")
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        CancellationRequest.objects.update(state=state, **more)

    monkeypatch.setattr(cancel.time, "sleep", sleep)
    done = ask(made, made.orders()[0], "--wait", "600", "--json")
    assert done.exit == code
    assert done.json["state"] == state
    assert len(looks) == 1


def test_what_still_moves_exits_3_at_once_or_when_the_wait_is_over() -> None:
    made = stall("shoplazza")
    first, second = made.orders()[:2]
    done = ask(made, first, "--json")
    assert (done.exit, done.json["state"], done.json["attempts"]) == (3, "queued", 0)
    begun = timezone.now()
    assert ask(made, second, "--wait", "0.5").exit == 3
    assert 0.4 < (timezone.now() - begun).total_seconds() < 5


def test_an_unclear_outcome_exits_3(works_while_waiting: Any) -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    for key, _document in made.world.all():
        made.world.plan(key, "drop-after")
    works_while_waiting(made)
    done = ask(made, order, "--wait", "1", "--json")
    assert (done.exit, done.json["state"]) == (3, "uncertain")
    assert len(made.called()) == 1


def test_where_approval_is_needed_it_exits_3_and_says_so() -> None:
    made = stall("shoplazza", needs_approval=True)
    done = ask(made, made.orders()[0], "--wait", "60")
    assert done.exit == 3
    assert "Waiting for approval." in done.out


# -- not asked: 64


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"by": "nobody-here"}, "nobody-here"),
        ({"shop": "no-such-shop"}, "no-such-shop"),
        ({"reason": "no_such_reason"}, "no_such_reason"),
        ({"reason": "other"}, "needs a note"),
        ({"order": "   "}, "Name an order."),
        ({"item": "an-item"}, "whole orders"),
        ({"field": "colour=red"}, "colour"),
        ({"field": "no-sign"}, "NAME=VALUE"),
    ],
)
def test_what_cannot_be_asked_exits_64_with_a_sentence_and_writes_nothing(given: dict[str, str], told: str) -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    before = Order.objects.count(), AuditEvent.objects.count()
    for as_json in ((), ("--json",)):
        done = ask(made, given.get("order", order), *as_json, **_without(given, "order"))
        assert done.exit == 64, done
        said = done.json["message"] if as_json else done.err
        assert told in said
        if as_json:
            assert done.json["state"] == "not_asked"
            assert done.json.keys() >= {"id", "state", "code", "message", "attempts"}
    assert not CancellationRequest.objects.exists()
    assert (Order.objects.count(), AuditEvent.objects.filter(verb__startswith="cancellation").count()) == (before[0], 0)


def _without(given: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in given.items() if key != name}


def test_people_who_left_or_have_not_this_shop_ask_nothing() -> None:
    made = stall("shoplazza")
    gone, stranger = person(is_active=False), person(every_shop=False)
    for who in (gone, stranger):
        assert ask(made, made.orders()[0], by=who.username).exit == 64
    made.shop.active = False
    made.shop.save()
    done = ask(made, made.orders()[0])
    assert done.exit == 64
    assert "switched off" in done.err
    assert not CancellationRequest.objects.exists()


def test_a_refused_wish_about_an_unknown_order_neither_asks_the_platform_nor_makes_an_order() -> None:
    made = stall("taobao", learn=False)
    made.shop.options["detail"] = False
    made.shop.save()
    asked: list[httpx.Request] = []

    def never(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ConnectError("nobody is to be asked")

    connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(never)
    assert ask(made, "1234567890", reason="no_such_reason").exit == 64
    assert asked == []
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--shop", "x"],
        ["--shop", "x", "--order", "1", "--reason", "r", "--by", "b", "--wait", "soon"],
        ["--shop", "x", "--order", "1", "--reason", "r", "--by", "b", "--nonsense"],
    ],
)
def test_bad_arguments_exit_64(words: list[str]) -> None:
    done = run("cancel", *words)
    assert done.exit == 64
    assert done.err


def test_one_open_already_exits_64_and_prints_its_state() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    first = ask(made, order, "--json").json
    again = ask(made, order, "--json", "--wait", "60")
    assert again.exit == 64
    assert again.json["id"] == first["id"]
    assert again.json["state"] == "queued"
    assert "open already" in again.err
    assert CancellationRequest.objects.count() == 1


def test_what_is_over_may_be_asked_again() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    ask(made, order)
    CancellationRequest.objects.update(state=State.WITHDRAWN)
    assert ask(made, order).exit == 3
    assert CancellationRequest.objects.count() == 2


# -- which order


@platforms
def test_R03_a_script_that_runs_twice_does_not_ask_the_platform_twice(slug: str, works_while_waiting: Any) -> None:
    made = stall(slug)
    order = made.orders()[0]
    unit = unit_of(order)
    works_while_waiting(made)
    assert ask(made, order, "--wait", "30", item=unit).exit == 0
    again = ask(made, order, "--wait", "30", "--json", item=unit)
    assert again.exit == 64, again
    assert again.json["state"] == "not_asked"
    assert "It was cancelled from here" in again.json["message"]
    assert CancellationRequest.objects.count() == len(made.performed()) == 1


@platforms
def test_an_order_is_named_by_its_number_or_its_id(slug: str) -> None:
    made = stall(slug)
    by_number, by_id = made.orders()[:2]
    assert ask(made, by_number.number, item=unit_of(by_number)).exit == 3
    assert ask(made, by_id).exit == 3
    assert set(CancellationRequest.objects.values_list("order", flat=True)) == {by_number.pk, by_id.pk}


def _forget(order: Order) -> tuple[dict[str, str], str]:
    """Take an order out of the index, as if it was never seen."""
    ref, unit = dict(order.ref), unit_of(order)
    order.items.all().delete()
    OrderKey.objects.filter(order=order).delete()
    Order.objects.filter(pk=order.pk).delete()
    return ref, unit


@platforms
def test_an_order_that_is_not_in_the_index_is_looked_up_first(slug: str, works_while_waiting: Any) -> None:
    made = stall(slug)
    card = PROVIDERS[slug].card
    order = made.orders()[0]
    number = order.number
    ref, unit = _forget(order)
    works_while_waiting(made)
    fields = [word for name in list(ref)[1:] for word in ("--field", f"{name}={ref[name]}")]
    done = ask(made, ref[card.lookup[0].name], *fields, "--wait", "30", "--json", item=unit)
    assert done.exit == 0, done
    assert done.json["order"] == number
    assert made.shop.orders.filter(number=number).count() == 1
    assert len(made.performed()) == 1


def test_a_missing_look_up_field_is_named() -> None:
    made = stall("wechat")
    order = made.orders()[0]
    ref, _unit = _forget(order)
    done = ask(made, ref["order_id"])
    assert done.exit == 64
    assert "delivery_id" in done.err
    assert not CancellationRequest.objects.exists()


def test_an_order_the_platform_does_not_know_is_not_asked_for() -> None:
    made = stall("shoplazza")
    done = ask(made, "999999999999", "--json")
    assert done.exit == 64
    assert "does not know this order" in done.json["message"]
    assert not Order.objects.filter(number="999999999999").exists()


def test_an_order_nobody_can_look_up_just_now_is_asked_for_all_the_same() -> None:
    made = stall("shoplazza")
    ref, _unit = _forget(made.orders()[0])

    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("the cable is cut")

    working = connection.TRANSPORTS[made.shop.base_url]
    connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(cut)
    assert ask(made, next(iter(ref.values()))).exit == 3
    connection.TRANSPORTS[made.shop.base_url] = working
    delivery.drain(made.shop.pk)
    assert CancellationRequest.objects.get().state == State.SUCCEEDED


def test_an_item_is_named_where_items_are_cancelled() -> None:
    made = stall("sellercenter")
    order = made.orders()[0]
    none = ask(made, order, item="")
    assert none.exit == 64
    assert "at least one item" in none.err
    wrong = ask(made, order, item="not-an-item")
    assert wrong.exit == 64
    assert "not-an-item" in wrong.err
    assert ask(made, order).exit == 3
    assert CancellationRequest.objects.get().item_ref == unit_of(order)


# -- the record, and the list


def test_the_record_says_who_asked_and_that_it_was_a_command() -> None:
    made = stall("shoplazza")
    who = person()
    ask(made, made.orders()[0], by=who.username)
    event = AuditEvent.objects.get(verb="cancellation.requested")
    assert (event.actor, event.data["via"], event.origin) == (who.username, "command", "command")


def test_every_cancellation_is_one_line_and_the_filters_narrow() -> None:
    cat, dog = stall("shoplazza"), stall("shoplazza")
    Pulse.objects.create(name="worker", at=timezone.now())
    for made in (cat, dog):
        for order in made.orders()[:2]:
            ask(made, order)
    CancellationRequest.objects.filter(pk=CancellationRequest.objects.earliest("pk").pk).update(
        state=State.REJECTED, code="406", message="zu spät\nsagt man 太晚"
    )
    lines = [json.loads(line) for line in run("cancellations", "--json").out.splitlines()]
    assert len(lines) == 4
    assert [one["id"] for one in lines] == sorted(one["id"] for one in lines)
    assert all(one.keys() >= FACTS for one in lines)
    assert lines[0]["message"] == "zu spät\nsagt man 太晚"
    dogs = [json.loads(line) for line in run("cancellations", "--json", "--shop", dog.shop.name).out.splitlines()]
    assert {one["shop"] for one in dogs} == {dog.shop.name}
    both = run("cancellations", "--json", "--shop", cat.shop.name, "--state", "rejected")
    assert [json.loads(line)["state"] for line in both.out.splitlines()] == ["rejected"]
    assert len(run("cancellations").out.splitlines()) == 4


def test_the_list_prices_no_query_per_line(django_assert_num_queries: Any) -> None:
    made = stall("shoplazza", count=40)
    for order in made.orders()[:12]:
        ask(made, order)
    with django_assert_num_queries(1):
        assert len(run("cancellations", "--json").out.splitlines()) == 12


@pytest.mark.parametrize("words", [("--state", "nonsense"), ("--shop", "no-such-shop")])
def test_a_filter_that_names_nothing_is_an_error_not_an_empty_list(words: tuple[str, str]) -> None:
    done = run("cancellations", "--json", *words)
    assert done.exit == 1
    assert words[1] in done.err
    assert done.out == ""
