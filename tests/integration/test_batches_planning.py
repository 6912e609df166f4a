"""A plan: every line in exactly one place, and nothing sent; killed anywhere, it goes on where it was."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cancellations.audit.models import AuditEvent
from cancellations.batches import decisions, handing_in, judging, planning
from cancellations.batches.models import Batch, BatchRow
from cancellations.batches.states import BatchState, Verdict
from cancellations.orders.models import Order, OrderKey
from cancellations.requests import asking
from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.states import State
from cancellations.shops.models import ShopAccess
from tests.desk import person, stall
from tests.integration import bulk
from tests.integration.bulk import fresh, install, many_orders, open_shop, planned, verdicts

pytestmark = pytest.mark.django_db


def ask(order: Order) -> CancellationRequest:
    (asked,) = asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock")
    return asked.cancellation


def rows(batch: Batch) -> dict[int, BatchRow]:
    return {one.line: one for one in batch.rows.select_related("cancellation")}


def test_R19_every_line_gets_the_one_verdict_that_is_true(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    shop, foreign = open_shop("mine"), open_shop("foreign")
    approving = open_shop("careful", needs_approval=True)
    shut = open_shop("shut", active=False)
    by = person(every_shop=False)
    for one in (shop, approving, shut):
        ShopAccess.objects.create(shop=one, person=by)
    good, cancelled, barred, running, done, refused = many_orders(shop, 6)
    (careful,) = many_orders(approving, 1, start=200_000)
    (asleep,) = many_orders(shut, 1, start=300_000)
    (theirs,) = many_orders(foreign, 1, start=400_000)
    twin = many_orders(shop, 1, start=500_000)[0], many_orders(approving, 1, start=600_000)[0]
    OrderKey.objects.bulk_create(OrderKey(shop=one.shop, order=one, kind="waybill", value="SF77001122") for one in twin)
    Order.objects.filter(pk=cancelled.pk).update(status="cancelled")
    Order.objects.filter(pk=barred.pk).update(cancellable=False, why="It has been shipped.")
    open_one = ask(running)
    for one, state in ((done, State.SUCCEEDED), (refused, State.REJECTED)):
        CancellationRequest.objects.filter(pk=ask(one).pk).update(state=state)
    lines = [good, cancelled, barred, running, done, refused, careful, asleep, theirs]
    batch = planned([*(one.number for one in lines), good.number, "SF77001122", "990011990011"], by=by)
    found = rows(batch)
    assert [found[at].verdict for at in range(1, 13)] == [
        Verdict.READY, Verdict.CANCELLED, Verdict.CANNOT, Verdict.OPEN, Verdict.CANCELLED, Verdict.CANNOT,
        Verdict.READY_APPROVAL, Verdict.CANNOT, Verdict.UNKNOWN, Verdict.DOUBLED, Verdict.AMBIGUOUS, Verdict.UNKNOWN,
    ]  # fmt: skip
    assert found[3].why == "It has been shipped."
    assert found[4].cancellation == open_one
    assert found[6].why == judging.REFUSED
    assert found[9].why == found[12].why  # another's shop is as unknown as no order
    assert found[9].order is found[9].shop is None
    assert found[10].why_data == {"line": 1}
    assert set(found[11].choices) == {one.pk for one in twin}
    assert batch.state == BatchState.PLANNED
    assert batch.plan_total == sum(verdicts(batch).values()) == 12
    assert platform.asked == platform.called == []


def test_R19_what_was_cancelled_once_is_never_ready_again_whatever_a_later_reading_shows(monkeypatch: Any) -> None:
    install(monkeypatch)
    (order,) = many_orders(open_shop(), 1)
    CancellationRequest.objects.filter(pk=ask(order).pk).update(state=State.SUCCEEDED)
    assert verdicts(planned([order.number])) == {Verdict.CANCELLED: 1}
    Order.objects.filter(pk=order.pk).update(seen_at="2099-01-01T00:00Z")
    (row,) = planned([order.number]).rows.all()
    assert (row.verdict, row.why) == (Verdict.CANNOT, judging.CONTRADICTED)


def test_an_order_of_items_gives_a_row_for_each_and_an_item_only_itself() -> None:
    made = stall("sellercenter")
    order = next(one for one in made.orders() if one.items.exclude(cancellable=False).count() > 1)
    items = [one.ref for one in order.items.all() if one.cancellable is not False]
    batch = planned([order.number])
    assert [row.item_ref for row in batch.rows.all()] == items
    assert {row.verdict for row in batch.rows.all()} == {Verdict.READY}
    one = planned([items[1]])
    assert [row.item_ref for row in one.rows.all()] == [items[1]]
    both = planned([items[0], order.number])
    assert verdicts(both) == {Verdict.READY: len(items), Verdict.DOUBLED: 1}


def test_an_item_named_where_only_whole_orders_are_cancelled_cancels_no_order(monkeypatch: Any) -> None:
    install(monkeypatch)
    (order,) = many_orders(open_shop(), 1)
    OrderKey.objects.create(shop=order.shop, order=order, kind="item", value="ITEM77889900")
    (row,) = planned(["ITEM77889900"]).rows.all()
    assert (row.verdict, row.why) == (Verdict.CANNOT, planning.WHOLE)


def test_a_reason_that_cannot_be_picked_in_a_shop_keeps_its_rows_from_being_asked() -> None:
    made = stall("shoplazza")
    order = made.orders()[0]
    batch = bulk.hand_in([order])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(judging, "reasons_by_shop", lambda shops: {shop.pk: [] for shop in shops})
        planning.plan(batch.pk)
    (row,) = fresh(batch).rows.all()
    assert (row.verdict, row.why) == (Verdict.CANNOT, judging.NO_REASON)


def test_R03_the_same_form_twice_is_one_batch_and_another_persons_is_refused(monkeypatch: Any) -> None:
    install(monkeypatch)
    (order,) = many_orders(open_shop(), 1)
    by, key = person(), uuid.uuid4()
    first = bulk.hand_in([order], by=by, submission=key)
    again = bulk.hand_in([order], by=by, submission=key)
    assert again.pk == first.pk
    assert Batch.objects.count() == 1
    assert len(list(handing_in.folder().glob("*"))) >= 1
    with pytest.raises(PermissionError):
        bulk.hand_in([order], by=person(), submission=key)
    planning.plan(first.pk)
    planning.plan(first.pk)
    assert fresh(first).rows.count() == 1


class Killed(BaseException):
    """A worker dies here."""


@pytest.mark.parametrize("point", ["before the first chunk", "in the second chunk", "before it is planned", "after"])
def test_R09_a_planner_killed_anywhere_is_taken_over_without_a_row_twice(monkeypatch: Any, point: str) -> None:
    install(monkeypatch)
    orders = many_orders(open_shop(), 10)
    monkeypatch.setattr(planning, "CHUNK", 4)
    lines = [*(one.number for one in orders), orders[0].number, orders[5].number]
    whole = planned(lines)
    batch = bulk.hand_in(lines)
    with pytest.MonkeyPatch.context() as patched:
        _kill(patched, point)
        with pytest.raises(Killed):
            planning.plan(batch.pk)
    left = fresh(batch)
    if point != "after":
        assert left.state == BatchState.PLANNING
        assert (
            left.rows.count()
            == left.planned_to
            == {"before the first chunk": 0, "in the second chunk": 4}.get(point, 12)
        )
    planning.plan(batch.pk)
    done = fresh(batch)
    assert done.state == BatchState.PLANNED
    told = ("place", "line", "order", "verdict", "why", "why_data")
    assert list(done.rows.values_list(*told)) == list(whole.rows.values_list(*told))
    assert done.plan_total == 12
    assert AuditEvent.objects.filter(verb="batch.planned", subject_id=str(batch.pk)).count() == 1


_PLANNED = {"before the first chunk": 0, "in the second chunk": 4}


def _kill(patched: pytest.MonkeyPatch, point: str) -> None:
    def die(*_args: Any, **_more: Any) -> Any:
        raise Killed

    if point == "before the first chunk":
        patched.setattr(planning.Planner, "rows_of", die)
    elif point == "in the second chunk":
        write, calls = BatchRow.objects.bulk_create, []

        def second(rows: Any, **more: Any) -> Any:
            calls.append(write(rows, **more))
            if len(calls) == 2:
                raise Killed
            return calls[-1]

        patched.setattr(BatchRow.objects, "bulk_create", second)
    elif point == "before it is planned":
        patched.setattr(Batch, "move_to", die)
    else:
        patched.setattr(Path, "unlink", die)


def test_what_was_handed_in_is_private_and_gone_once_planned_even_if_a_worker_died(monkeypatch: Any) -> None:
    install(monkeypatch)
    (order,) = many_orders(open_shop(), 1)
    batch = bulk.hand_in([order])
    path = handing_in.folder() / batch.path
    assert path.stat().st_mode & 0o077 == 0
    with pytest.MonkeyPatch.context() as patched:
        _kill(patched, "after")
        with pytest.raises(Killed):
            planning.plan(batch.pk)
    assert path.exists()
    planning.forget_leftovers()
    assert path.exists()  # another worker may be writing
    monkeypatch.setattr(planning, "LEFTOVER_SECONDS", -1)
    other = bulk.hand_in([order])
    planning.forget_leftovers()
    assert not path.exists()
    assert (handing_in.folder() / other.path).exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "empty"),
        (b"\xff\xfe\xff\xff\x00\xd8", ""),
        (b"colour,size\r\nred,3\r\n", "order"),
        (b"order\r\n" + b"1\r\n" * 20_010, "20"),
    ],
)
def test_S11_a_file_that_cannot_be_read_is_planned_as_nothing_and_says_why(content: bytes, error: str) -> None:
    batch = bulk.hand_in("", upload=SimpleUploadedFile("ids.csv", content))
    planning.plan(batch.pk)
    done = fresh(batch)
    assert (done.state, done.plan_total, done.rows.count()) == (BatchState.PLANNED, 0, 0)
    assert error in done.error % done.error_data
    assert done.error
    with pytest.raises(NotAllowed):
        decisions.start(done, by=done.requested_by)


def test_a_file_that_is_gone_says_so() -> None:
    batch = bulk.hand_in("100000100000")
    (handing_in.folder() / batch.path).unlink()
    planning.plan(batch.pk)
    assert fresh(batch).error


def test_an_ambiguous_row_gets_the_verdict_on_the_order_chosen_once(monkeypatch: Any) -> None:
    install(monkeypatch)
    one, other, third = many_orders(open_shop(), 3)
    for order in (one, other):
        OrderKey.objects.create(shop=order.shop, order=order, kind="waybill", value="SF77001122")
    batch = planned(["SF77001122", one.number])
    row = batch.rows.get(verdict=Verdict.AMBIGUOUS)
    for wrong in (third.pk, 0):
        with pytest.raises(NotAllowed):
            decisions.choose(row, wrong, by=batch.requested_by)
    with pytest.raises(NotAllowed):
        decisions.choose(row, other.pk, by=person())
    decisions.choose(row, other.pk, by=batch.requested_by)
    chosen = batch.rows.get(pk=row.pk)
    assert (chosen.verdict, chosen.order_id, chosen.place) == (Verdict.READY, other.pk, 1)
    with pytest.raises(NotAllowed):
        decisions.choose(row, one.pk, by=batch.requested_by)
    assert decisions.ready(batch) == 2


def test_choosing_an_order_that_stands_elsewhere_makes_the_row_a_double(monkeypatch: Any) -> None:
    install(monkeypatch)
    one, other = many_orders(open_shop(), 2)
    for order in (one, other):
        OrderKey.objects.create(shop=order.shop, order=order, kind="waybill", value="SF77001122")
    batch = planned(["SF77001122", one.number])
    decisions.choose(batch.rows.get(verdict=Verdict.AMBIGUOUS), one.pk, by=batch.requested_by)
    assert verdicts(batch) == {Verdict.READY: 1, Verdict.DOUBLED: 1}


def test_P4_a_chunk_costs_the_same_queries_however_many_rows_it_has(monkeypatch: Any) -> None:
    install(monkeypatch)
    orders = many_orders(open_shop(), 200)
    batch = bulk.hand_in(orders)
    planner, counts = planning.Planner(batch), []
    for some in ([orders[0].pk], [one.pk for one in orders]):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            planner.rows_of(some, 0)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 4


def test_a_large_one_wants_its_count_typed_and_only_its_maker_starts_it(monkeypatch: Any) -> None:
    install(monkeypatch)
    batch = planned(many_orders(open_shop(), decisions.LARGE + 1))
    for typed in ("", "50", "510"):
        with pytest.raises(NotAsked):
            decisions.start(batch, by=batch.requested_by, typed=typed)
    with pytest.raises(NotAllowed):
        decisions.start(batch, by=person("admin"), typed="51")
    decisions.start(batch, by=batch.requested_by, typed="51")
    with pytest.raises(NotAllowed):
        decisions.start(batch, by=batch.requested_by, typed="51")
    assert fresh(batch).state == BatchState.RUNNING


def test_a_discarded_plan_can_not_be_started_and_a_plan_under_way_ends(monkeypatch: Any) -> None:
    install(monkeypatch)
    batch = bulk.hand_in(many_orders(open_shop(), 3))
    decisions.discard(batch, by=batch.requested_by)
    planning.plan(batch.pk)
    assert fresh(batch).state == BatchState.DISCARDED
    with pytest.raises(NotAllowed):
        decisions.start(batch, by=batch.requested_by)
