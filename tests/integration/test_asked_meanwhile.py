"""An order that is cancelled between the look at it and the asking: nobody who looked before asks a second time."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cancellations.batches import judging, running
from cancellations.orders.models import Order
from cancellations.requests import asking, delivery, order_views, together
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from tests.desk import person
from tests.integration.bulk import Till, install, many_orders, open_shop, planned, requests, run, started, verdicts

pytestmark = pytest.mark.django_db


def one_by_one(order: Order, **more: Any) -> CancellationRequest:
    """Ask for it, and have it sent: it is cancelled."""
    (asked,) = asking.request_cancellation(by=person(), order=order, units=[""], reason_code="out_of_stock", **more)
    delivery.drain(order.shop_id)
    return CancellationRequest.objects.get(pk=asked.cancellation.pk)


def before(monkeypatch: Any, module: Any, name: str, act: Callable[[], Any]) -> None:
    """Have something happen right before the next call of a function."""
    plain, left = getattr(module, name), [act]

    def wrapped(*args: Any, **more: Any) -> Any:
        if left:
            left.pop()()
        return plain(*args, **more)

    monkeypatch.setattr(module, name, wrapped)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        pytest.param(running, "request_together", id="after the wave was judged"),
        pytest.param(together, "draft", id="after it was looked whether somebody asked"),
    ],
)
def test_R02_a_bulk_does_not_ask_for_what_somebody_cancelled_since_it_was_judged(
    monkeypatch: Any, module: Any, name: str
) -> None:
    platform = install(monkeypatch)
    orders = many_orders(open_shop(), 3, platform=platform)
    batch = started(orders)
    before(monkeypatch, module, name, lambda: one_by_one(orders[1]))
    run(batch)
    assert sorted(platform.called) == sorted(one.key for one in orders)
    assert requests(batch).count() == 2
    row = batch.rows.get(order=orders[1])
    assert (row.not_asked, row.waits) == (judging.ALREADY, False)
    assert row.cancellation
    assert row.cancellation.batch is None
    assert row.cancellation.state == State.SUCCEEDED


def filled_in(order: Order, **more: Any) -> dict[str, Any]:
    return {"reason": "out_of_stock", "note": "", "version": order.version, "submission": uuid.uuid4(), **more}


def click(client: Client, order: Order, **more: Any) -> Any:
    order.refresh_from_db()
    return client.post(reverse("orders:cancel", args=[order.pk]), filled_in(order, **more))


def shown_open(platform: Till) -> Order:
    """An order whose cancellation the index does not see."""
    platform.hidden = True
    (order,) = many_orders(open_shop(), 1, platform=platform)
    return order


def test_R03_a_click_does_not_ask_for_what_somebody_cancelled_since_the_page_was_judged(
    monkeypatch: Any, client: Client
) -> None:
    platform = install(monkeypatch)
    order = shown_open(platform)
    client.force_login(person())
    before(monkeypatch, order_views.asking, "request_cancellation", lambda: one_by_one(order))
    answer = click(client, order)
    (there,) = CancellationRequest.objects.all()
    assert answer.status_code == 303
    assert answer["Location"] == reverse("requests:cancellation", args=[there.pk])
    delivery.drain(order.shop_id)
    assert platform.called == [order.key]


def test_R03_who_expressly_asks_again_asks_in_spite_of_what_was_seen_and_not_of_what_came_since(
    monkeypatch: Any, client: Client
) -> None:
    platform = install(monkeypatch)
    order = shown_open(platform)
    first = one_by_one(order)
    client.force_login(person())
    assert click(client, order).status_code == 422  # it wants the tick
    before(
        monkeypatch, order_views.asking, "request_cancellation", lambda: one_by_one(order, again=frozenset({first.pk}))
    )
    assert click(client, order, anyway="on").status_code == 303
    delivery.drain(order.shop_id)
    assert len(platform.called) == CancellationRequest.objects.count() == 2
    assert click(client, order, anyway="on").status_code == 303
    delivery.drain(order.shop_id)
    assert len(platform.called) == 3


def test_R03_the_same_order_asked_for_twice_without_a_word_is_sent_once(monkeypatch: Any) -> None:
    platform = install(monkeypatch)
    order = shown_open(platform)
    assert one_by_one(order) == one_by_one(order)
    assert platform.called == [order.key]


def test_what_was_cancelled_by_us_is_not_ready_again_though_it_was_asked_for_once_more_and_refused(
    monkeypatch: Any,
) -> None:
    platform = install(monkeypatch)
    order = shown_open(platform)
    first = one_by_one(order)
    refused = one_by_one(order, again=frozenset({first.pk}))
    CancellationRequest.objects.filter(pk=refused.pk).update(state=State.REJECTED)
    Order.objects.filter(pk=order.pk).update(version=order.version + 5)
    assert not set(verdicts(planned([order]))) & {"ready", "ready_approval"}
