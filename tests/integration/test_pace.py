"""What goes first, how fast, and what waits: the pace of a shop."""

import pytest

from cancellations.orders.models import Order
from cancellations.requests import asking, delivery
from cancellations.requests.models import BULK, ONE_BY_ONE, CancellationRequest
from cancellations.requests.waiting import wait_of, with_wait
from tests.desk import Stall, person, stall, unit_of


def ask(order: Order, priority: int = ONE_BY_ONE) -> CancellationRequest:
    (asked,) = asking.request_cancellation(
        by=person(), order=order, units=[unit_of(order)], reason_code="out_of_stock", priority=priority
    )
    return asked.cancellation


def bulk_then_one(made: Stall) -> tuple[list[CancellationRequest], CancellationRequest]:
    first, second, third = made.orders()[:3]
    return [ask(first, BULK), ask(second, BULK)], ask(third)


@pytest.mark.django_db
def test_R17_what_is_asked_one_by_one_goes_before_the_many_asked_earlier() -> None:
    made = stall("shoplazza")
    bulk, one = bulk_then_one(made)
    waits = {each.pk: wait_of(each).ahead for each in with_wait(CancellationRequest.objects.all())}
    assert waits == {one.pk: 0, bulk[0].pk: 1, bulk[1].pk: 2}
    assert [wait_of(each).ahead for each in (one, *bulk)] == [0, 1, 2]
    delivery.drain(made.shop.pk)
    assert made.called() == [each.order_key for each in (one, *bulk)]


@pytest.mark.django_db
def test_R17_what_somebody_asks_for_again_one_by_one_leaves_its_bulk_behind() -> None:
    made = stall("shoplazza")
    bulk, one = bulk_then_one(made)
    assert bulk[1].order
    assert ask(bulk[1].order).pk == bulk[1].pk
    delivery.drain(made.shop.pk)
    assert made.called() == [each.order_key for each in (bulk[1], one, bulk[0])]
