"""The senders over a real PostgreSQL: one refresh in a storm, and a single cancel beside a bulk."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db.models import Count

from cancellations.orders.models import Order
from cancellations.requests import asking, delivery, sweeping
from cancellations.requests.models import BULK, ONE_BY_ONE, Attempt, CancellationRequest
from cancellations.requests.senders import MOST_SLOW, Senders
from cancellations.requests.states import State
from cancellations.requests.stock import Stock
from cancellations.shops import configuring, connection
from cancellations.shops.models import ShopHealth
from providers import registry
from tests.desk import Stall, person, stall, unit_of
from tests.throwaway import database

pytestmark = pytest.mark.services


@pytest.fixture
def senders(tmp_path: Path, django_db_blocker: Any) -> Iterator[Senders]:
    with django_db_blocker.unblock(), database("postgresql", tmp_path):
        stock = Stock()
        made = Senders(stock.serve, stock.tidy)
        made.open(8)
        yield made
        made.close()
        wait_until(lambda: made._threads == 0 and stock.outcomes.is_idle)


def wait_until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it never came to be so"
        time.sleep(0.02)


def ask(order: Order, by: Any, priority: int) -> CancellationRequest:
    (asked,) = asking.request_cancellation(
        by=by, order=order, units=[unit_of(order)], reason_code="out_of_stock", priority=priority
    )
    return asked.cancellation


def queued() -> int:
    return CancellationRequest.objects.filter(state__in=[State.QUEUED, State.SENDING]).count()


def with_token(made: Stall) -> None:
    """Let a shop sign in for a token, and come in once, so that it has one."""
    made.shop.options = {**made.shop.options, "auth": "token", "iam_url": made.shop.base_url}
    made.shop.save()
    sandbox: Any = registry.PROVIDERS[made.slug].sandbox
    configuring.replace_credential(made.shop, dict(sandbox.token_credential), by=person("admin"))


def test_R18_many_that_meet_an_expired_token_cost_one_refresh_and_go_once(senders: Senders) -> None:
    made, by = stall("huaweicloud", count=2600, calls_per_second=0), person()
    with_token(made)
    first, *orders = made.orders()[:1001]
    ask(first, by, ONE_BY_ONE)
    delivery.drain(made.shop.pk)
    assert made.world.scratch["sign_ins"] == 1
    made.world.scratch["tokens"].clear()  # expired there, and nobody here knows
    for order in orders:
        ask(order, by, BULK)
    senders.want(made.shop.pk)
    wait_until(lambda: queued() == 0, 120)
    assert len(orders) == 1000
    assert made.world.scratch["sign_ins"] == 2
    assert CancellationRequest.objects.filter(state=State.SUCCEEDED).count() == len(orders) + 1
    assert len(made.performed()) == len(set(made.performed())) == len(orders) + 1
    sends = Attempt.objects.filter(kind=Attempt.Kind.SEND).values("cancellation").annotate(number=Count("pk"))
    assert {one["number"] for one in sends} == {1}


def test_R18_a_refresh_that_is_refused_pauses_the_shop_and_the_rows_wait(senders: Senders) -> None:
    made, by = stall("huaweicloud", count=60, calls_per_second=0), person()
    with_token(made)
    for order in made.orders():
        ask(order, by, BULK)
    wrong = {**registry.PROVIDERS[made.slug].sandbox.token_credential, "password": "wrong"}  # type: ignore[attr-defined]
    configuring.replace_credential(made.shop, wrong, by=person("admin"))
    senders.want(made.shop.pk)
    made.shop.refresh_from_db()
    wait_until(lambda: bool(type(made.shop).objects.get(pk=made.shop.pk).health.held_since))
    wait_until(lambda: CancellationRequest.objects.filter(state=State.SENDING).count() == 0)
    assert set(CancellationRequest.objects.values_list("state", flat=True)) == {State.QUEUED}
    assert made.called() == []
    assert made.world.scratch["sign_ins"] <= 8


def test_R17_a_single_cancel_goes_within_two_seconds_beside_a_bulk(senders: Senders) -> None:
    made, by = stall("huaweicloud", count=260), person()
    orders = made.orders()
    singles, many = orders[:6], orders[6:]
    for order in many:
        ask(order, by, BULK)
    senders.want(made.shop.pk)
    wait_until(lambda: len(made.called()) > 10)  # what the budget saved up is spent
    waited = []
    for order in singles:
        begun = time.monotonic()
        one = ask(order, by, ONE_BY_ONE)
        senders.want(made.shop.pk)
        wait_until(lambda one=one: one.order_key in made.called())
        waited.append(time.monotonic() - begun)
    assert queued() > 10, "the bulk was over too soon to tell"
    assert max(waited) <= 2.0, waited


class Hanging:
    """A platform that takes every call and answers none, until it is told to."""

    def __init__(self, made: Stall) -> None:
        self.free, self.begun = threading.Event(), time.monotonic()
        self._whole = connection.TRANSPORTS[made.shop.base_url]
        connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if not self.free.wait(20 - (time.monotonic() - self.begun) % 20):
            raise httpx.ReadTimeout("total deadline", request=request)
        return self._whole.handle_request(request)


def held(made: Stall) -> bool:
    return ShopHealth.objects.filter(shop=made.shop).exclude(held_since=None).exists()


def test_R16_calls_that_only_hang_open_the_circuit_within_ten_seconds_and_a_read_closes_it(senders: Senders) -> None:
    made, by = stall("shoplazza", count=60, calls_per_second=0), person()
    for order in made.orders()[:20]:
        ask(order, by, BULK)
    way = Hanging(made)
    senders.want(made.shop.pk)
    wait_until(lambda: held(made), 10)
    assert made.called() == []
    assert CancellationRequest.objects.filter(state=State.SENDING).count() <= MOST_SLOW + 4
    waiting = CancellationRequest.objects.filter(state=State.QUEUED).count()
    assert waiting >= 12, "they wait"
    way.free.set()  # it recovers: what hung is answered
    wait_until(lambda: CancellationRequest.objects.filter(state=State.SENDING).count() == 0)
    assert CancellationRequest.objects.filter(state=State.QUEUED).count() == waiting, "nothing goes before a probe"
    assert sweeping.probe(made.shop.pk)
    senders.want(made.shop.pk)
    wait_until(lambda: queued() == 0)
    assert len(made.called()) == len(set(made.called())) == 20
    assert not held(made)
