"""Ten thousand lines, one in twenty bad: each bad one named by its line, each good one asked for exactly once."""

import random
import time
from collections import Counter
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.batches import decisions, planning, running
from cancellations.batches.states import BatchState, Verdict
from cancellations.orders.models import Order
from cancellations.requests import together
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import ShopAccess
from tests.desk import person
from tests.integration.bulk import blind, fresh, hand_in, many_orders, open_shop, requests, states, verdicts, waiting

pytestmark = pytest.mark.django_db

GOOD, EACH = 9_500, 50


def poisoned(orders: list[Order], foreign: list[Order], cancelled: list[Order]) -> tuple[bytes, dict[int, str]]:
    """Return a file in GB18030, and what each of its bad lines is to be called, by line number."""
    bad: list[tuple[str, str]] = []
    for at in range(EACH):
        bad += [
            (f"77{at:04d}990099", Verdict.UNKNOWN),
            (orders[at * 7].number, Verdict.DOUBLED),
            (foreign[at].number, Verdict.UNKNOWN),
            (cancelled[at].number, Verdict.CANCELLED),
            ("9" * 4096, Verdict.BAD),
            (f"=1+{at}", Verdict.UNKNOWN),
            (f"\U0001f4a3{at}", Verdict.UNKNOWN),
            (f"طلب{at}", Verdict.UNKNOWN),
            (f"12\x00{at}", Verdict.BAD),
            (f"订单{at}号", Verdict.UNKNOWN),
        ]
    lines = [(one.number, "") for one in orders] + bad
    random.Random(19).shuffle(lines)
    seen: set[str] = set()
    told: dict[int, str] = {}
    for number, (text, what) in enumerate(lines, start=2):
        if what != Verdict.DOUBLED and text not in seen:
            seen.add(text)
            if what:
                told[number] = what
            continue
        told[number] = Verdict.DOUBLED if what in ("", Verdict.DOUBLED) and text in seen else what
        if text not in seen:  # the double came first: it is the other that is the double
            seen.add(text)
            del told[number]
    content = "order,备注\r\n" + "".join(f"{text},说明\r\n" for text, _what in lines)
    return content.encode("gb18030"), told


def test_R19_ten_thousand_lines_with_bad_ones(
    monkeypatch: Any, rung: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    platform = blind(monkeypatch)
    shop, theirs = open_shop("mine"), open_shop("theirs")
    by = person(every_shop=False)
    ShopAccess.objects.create(shop=shop, person=by)
    orders = many_orders(shop, GOOD)
    foreign = many_orders(theirs, EACH, start=300_000)
    cancelled = many_orders(shop, EACH, start=400_000)
    Order.objects.filter(pk__in=[one.pk for one in cancelled]).update(status="cancelled")
    content, bad = poisoned(orders, foreign, cancelled)
    assert len(bad) == 10 * EACH

    with django_capture_on_commit_callbacks(execute=True):
        batch = hand_in("", upload=SimpleUploadedFile("ids.csv", content), by=by)
        planning.plan(batch.pk)
    batch = fresh(batch)
    assert batch.error == ""
    assert batch.plan_total == GOOD + 10 * EACH == sum(verdicts(batch).values())
    assert verdicts(batch)[Verdict.READY] == GOOD
    named = dict(batch.rows.exclude(verdict=Verdict.READY).values_list("line", "verdict"))
    assert named == bad
    assert platform.called == []

    # Asked for exactly once, though the worker is killed now and then.
    with django_capture_on_commit_callbacks(execute=True):
        decisions.start(batch, by=by, typed=str(GOOD))
        running.advance(batch.pk)
        requests(batch).update(state=State.SUCCEEDED, confirmed_at=timezone.now(), due_at=None)
        killed = _asked_with_kills(monkeypatch, batch)
    assert killed > 5
    assert waiting(batch) == 0
    asked = list(requests(batch).values_list("order_id", flat=True))
    assert len(asked) == GOOD
    assert set(asked) == {one.pk for one in orders}
    assert CancellationRequest.objects.count() == GOOD
    assert AuditEvent.objects.filter(verb="cancellation.requested").count() == GOOD
    assert len(rung) <= GOOD / 100 + 2 * killed  # P7: at most one message per hundred rows

    # Stopped: everything unsent is withdrawn, in few statements.
    begun = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        assert decisions.stop(batch, by=by) == GOOD - running.CANARY
    assert time.process_time() - begun < 5
    assert len(queries) < 16 * (GOOD / together.CHUNK + 2)
    assert states(batch) == {State.SUCCEEDED: running.CANARY, State.WITHDRAWN: GOOD - running.CANARY}
    assert AuditEvent.objects.filter(verb="cancellation.withdrawn").count() == GOOD - running.CANARY
    assert fresh(batch).state == BatchState.STOPPED


class Killed(BaseException):
    """A worker dies here."""


def _asked_with_kills(monkeypatch: Any, batch: Any) -> int:
    """Ask for all of it, with a worker that dies in the middle of every fourth wave; return how often it did."""
    show, calls, killed = together.show_on_orders, [], 0

    def sometimes(made: Any) -> None:
        show(made)
        calls.append(1)
        if len(calls) % 4 == 0:
            raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(together, "show_on_orders", sometimes)
        for _ring in range(200):
            try:
                if not running.advance(batch.pk):
                    break
            except Killed:
                killed += 1
    return killed


def test_R19_the_same_file_again_adds_nothing(monkeypatch: Any) -> None:
    blind(monkeypatch)
    orders = many_orders(open_shop(), 300)
    first = hand_in(orders)
    planning.plan(first.pk)
    first = fresh(first)
    decisions.start(first, by=first.requested_by, typed="300")
    running.advance(first.pk)
    requests(first).update(state=State.SUCCEEDED, confirmed_at=timezone.now(), due_at=None)
    while running.advance(first.pk):
        pass  # a slice of time may be over before the rows are
    assert requests(first).count() == 300
    half = requests(first).filter(pk__lte=requests(first).order_by("pk")[149].pk)
    half.update(state=State.SUCCEEDED)
    lines = "\n".join(one.number for one in orders)
    again = hand_in(lines)
    planning.plan(again.pk)
    assert Counter(verdicts(again)) == {Verdict.CANCELLED: 150, Verdict.OPEN: 150}
    assert decisions.ready(again) == 0
    assert CancellationRequest.objects.count() == 300
