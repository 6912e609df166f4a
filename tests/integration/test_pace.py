"""What goes first, how fast, and what waits: the pace of a shop."""

import time
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.orders.models import Order
from cancellations.requests import asking, delivery, easing, pacing, reconciliation, sweeping
from cancellations.requests.models import BULK, ONE_BY_ONE, Attempt, CancellationRequest
from cancellations.requests.states import State
from cancellations.requests.waiting import wait_of, with_wait
from cancellations.shops import configuring, connection
from cancellations.shops.health import FAILURES_TO_HOLD
from cancellations.shops.models import Shop, ShopHealth
from providers import registry
from providers.errors import RateLimited
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


def checks_of_a_bulk(made: Stall, count: int) -> None:
    """Have so many rows of a bulk wait to be read back."""
    for one in ask_many(made, count):
        CancellationRequest.objects.filter(pk=one.pk).update(
            state=State.SUCCEEDED, due_at=timezone.now() - timedelta(seconds=1)
        )


@pytest.mark.django_db
@pytest.mark.parametrize("at", [0, 1, 2])
def test_R17_a_bulks_checks_let_go_first_what_somebody_waits_for(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    made = stall("shoplazza", calls_per_second=1)
    waits_for = made.orders()[-1]
    checks_of_a_bulk(made, 20)
    asked_at: list[float] = []
    pauses = 0

    def somebody_asks_meanwhile(seconds: float) -> None:
        nonlocal pauses
        if pauses == at:
            asked_at.append(time.monotonic())
            ask(waits_for)
        pauses += 1
        pause(seconds)

    pause = time.sleep
    with monkeypatch.context() as checking:
        checking.setattr(reconciliation, "SLICE_SECONDS", 8.0)
        checking.setattr(time, "sleep", somebody_asks_meanwhile)
        assert reconciliation.check_shop(made.shop.pk)  # there is more to do, and it is rung for again
    assert asked_at
    delivery.drain(made.shop.pk)
    attempt = Attempt.objects.get(kind=Attempt.Kind.SEND)
    assert made.called() == [waits_for.key]
    assert attempt.opened_at - attempt.cancellation.requested_at < timedelta(seconds=2)


@pytest.mark.django_db
def test_R17_a_bulks_checks_do_not_wait_for_what_is_not_sent_anyway() -> None:
    made = stall("shoplazza", calls_per_second=0)
    one = ask(made.orders()[-1])
    CancellationRequest.objects.filter(pk=one.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    checks_of_a_bulk(made, 3)
    assert not reconciliation.check_shop(made.shop.pk)
    assert Attempt.objects.filter(kind=Attempt.Kind.CHECK).count() == 3


@pytest.mark.django_db
def test_R17_what_somebody_asked_for_is_checked_before_a_bulk_and_while_another_waits() -> None:
    made = stall("shoplazza", calls_per_second=0)
    checks_of_a_bulk(made, 3)
    alone = CancellationRequest.objects.order_by("pk").last()
    assert alone
    CancellationRequest.objects.filter(pk=alone.pk).update(priority=ONE_BY_ONE)
    ask(made.orders()[-1])
    assert reconciliation.check_shop(made.shop.pk)
    (check,) = Attempt.objects.filter(kind=Attempt.Kind.CHECK)
    assert check.cancellation == alone


# -- The circuit


class Outage:
    """A way to a platform that can be cut: then nothing leaves. Counts the calls tried, and those that got through."""

    def __init__(self, made: Stall) -> None:
        self.cut, self.calls, self.through = True, 0, 0
        self._whole = connection.TRANSPORTS[made.shop.base_url]
        connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        self.through += 1
        return self._whole.handle_request(request)


def pass_time(seconds: float) -> None:
    """Have everything that waits for a moment wait for so much less."""
    ago = timedelta(seconds=seconds)
    CancellationRequest.objects.exclude(due_at=None).update(due_at=F("due_at") - ago)
    ShopHealth.objects.exclude(probed_at=None).update(probed_at=F("probed_at") - ago)


def sweep(shop_id: int) -> None:
    """What the sweep rings for, done at once."""
    for one in sweeping.shops_to_probe():
        sweeping.probe(one)
    if shop_id in sweeping.shops_with_work():
        delivery.drain(shop_id)


def ask_many(made: Stall, count: int) -> list[CancellationRequest]:
    """Ask for more orders than the pretend world has: what is not there is refused, which is an answer, too."""
    like = made.orders()[0]
    found = []
    for number in range(count):
        Order.objects.filter(pk=like.pk).update(key=f"{like.key}-{number}", number=f"{like.number}-{number}")
        like.refresh_from_db()
        found.append(ask(like, BULK))
    return found


@pytest.mark.django_db
def test_R15_R16_an_outage_costs_a_few_calls_and_no_request() -> None:
    made = stall("shoplazza", calls_per_second=0)
    asked, way = ask_many(made, 1000), Outage(made)
    delivery.drain(made.shop.pk)
    health = ShopHealth.objects.get(shop=made.shop)
    assert health.held_since, "the circuit opens within one look at the queue"
    assert health.hold_cause == "network"
    assert way.calls == FAILURES_TO_HOLD
    for _moment in range(5 * 60 // 15):
        pass_time(15)
        sweep(made.shop.pk)
    assert set(CancellationRequest.objects.values_list("state", flat=True)) == {State.QUEUED}
    assert AuditEvent.objects.filter(verb="shop.held").count() == 1, "admins are told once"
    way.cut = False
    pass_time(15)
    sweep(made.shop.pk)
    assert not ShopHealth.objects.get(shop=made.shop).held_since, "closed by the first look after the recovery"
    for _moment in range(5):
        pass_time(60)
        sweep(made.shop.pk)
    assert CancellationRequest.objects.filter(state=State.QUEUED).count() == 0
    assert CancellationRequest.objects.filter(state=State.FAILED).count() == 0
    assert way.calls - way.through <= 0.1 * len(asked), "what the outage cost"
    sends = Attempt.objects.filter(kind=Attempt.Kind.SEND).count()
    assert sends <= 1.1 * len(asked)


@pytest.mark.django_db
def test_R16_after_a_probe_one_failure_opens_the_circuit_again() -> None:
    made = stall("shoplazza", calls_per_second=0)
    ask_many(made, 20)
    way = Outage(made)
    delivery.drain(made.shop.pk)
    way.cut = False
    pass_time(15)
    assert sweeping.probe(made.shop.pk)
    way.cut, before = True, way.calls
    delivery.drain(made.shop.pk)
    assert ShopHealth.objects.get(shop=made.shop).held_since
    assert way.calls == before + 1


@pytest.mark.django_db
def test_R16_the_probe_is_a_read_and_never_a_cancel() -> None:
    made = stall("shoplazza", calls_per_second=0)
    ask_many(made, 10)
    way = Outage(made)
    delivery.drain(made.shop.pk)
    way.cut = False
    assert sweeping.probe(made.shop.pk)
    assert made.called() == []


@pytest.mark.django_db
def test_R16_answers_nobody_understands_open_the_circuit_before_a_hundred_are_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = stall("shoplazza", calls_per_second=0)
    ask_many(made, 30)
    page = httpx.Response(200, headers={"content-type": "text/html"}, text="<h1>Maintenance</h1>")
    connection.TRANSPORTS[made.shop.base_url] = httpx.MockTransport(lambda request: page)
    delivery.drain(made.shop.pk)
    counts = Counter(CancellationRequest.objects.values_list("state", flat=True))
    assert counts == {State.UNCERTAIN: FAILURES_TO_HOLD, State.QUEUED: 30 - FAILURES_TO_HOLD}


@pytest.mark.django_db
def test_R16_every_page_that_shows_what_waits_says_why(client: Client) -> None:
    made = stall("shoplazza", calls_per_second=0)
    asked = ask_many(made, 10)
    Outage(made)
    delivery.drain(made.shop.pk)
    client.force_login(person("admin"))
    waiting = asked[-1]
    addresses = [
        reverse("home"),
        reverse("requests:list"),
        reverse("requests:cancellation", args=[waiting.pk]),
        reverse("shops:shop", args=[made.shop.name]),
        reverse("shops:list"),
    ]
    for address in addresses:
        assert "does not answer" in client.get(address).content.decode(), address


# -- The budget


@pytest.mark.django_db
def test_R17_an_admin_sets_a_shops_budget_and_leaves_the_cards_by_saying_nothing(client: Client) -> None:
    made = stall("sellercenter")
    assert connection.rate_of(made.shop) == 1.0
    Shop.objects.update(base_url=registry.PROVIDERS["sellercenter"].card.base_url)
    client.force_login(person("admin"))
    form = client.get(reverse("shops:edit", args=[made.shop.name])).context["form"]
    values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    client.post(reverse("shops:change", args=[made.shop.name]), {**values, "calls_per_second": "0.5"})
    made.shop.refresh_from_db()
    assert connection.rate_of(made.shop) == 0.5
    assert [pacing.take(made.shop) > 0 for _call in range(3)] == [False, True, True]
    assert AuditEvent.objects.get(verb="shop.changed").data["after"] == {"calls_per_second": 0.5}
    client.post(reverse("shops:change", args=[made.shop.name]), {**values, "calls_per_second": ""})
    made.shop.refresh_from_db()
    assert connection.rate_of(made.shop) == 1.0


@pytest.mark.django_db
@pytest.mark.parametrize(("slug", "app"), [("taobao", {"app_key": "99887766"}), ("wechat", {"appid": "wx99887766"})])
def test_R17_shops_of_one_app_live_on_one_budget(slug: str, app: dict[str, str]) -> None:
    first, second, other = (stall(slug, learn=False) for _shop in range(3))
    keys = {**first_keys(slug), **app}
    configuring.replace_credential(other.shop, keys, by=person("admin"))
    shops = [first.shop, second.shop] * 10
    assert [pacing.take(shop) for shop in shops].count(0.0) == 10  # five a second, two seconds' worth at once
    assert pacing.take(other.shop) == 0
    pacing.pause(first.shop, RateLimited("7", "this ban will last for 90 more seconds", retry_after=90))
    for shop, least in ((first.shop, 80), (second.shop, 80)):
        assert pacing.take(shop) > least
    assert pacing.take(other.shop) == 0


def first_keys(slug: str) -> dict[str, str]:
    return dict(registry.PROVIDERS[slug].sandbox.credential)


@pytest.mark.django_db
def test_R17_a_ban_keeps_everything_of_the_shop_waiting_and_the_page_says_until_when(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza", calls_per_second=0)
    asked = ask_many(made, 5)
    pacing.pause(made.shop, RateLimited("429", retry_after=600))
    delivery.drain(made.shop.pk)
    assert made.called() == []
    client.force_login(person())
    page = client.get(reverse("requests:cancellation", args=[asked[0].pk])).content.decode()
    assert "asked us to wait until" in page


class Limited:
    """A platform that bears so many calls a second, whatever its documents say; its time is a test's."""

    def __init__(self, rate: float) -> None:
        self.rate, self.now, self._left, self._at = rate, 0.0, rate, 0.0
        self.taken = self.refused = 0

    def call(self) -> None:
        self._left = min(self.rate, self._left + (self.now - self._at) * self.rate)
        self._at = self.now
        if self._left < 1:
            self.refused += 1
            return
        self.taken += 1
        self._left -= 1


def wait_in_the_row(shop: Shop, seconds: float) -> None:
    """Have so much time passed for the budget, without waiting."""
    names = ("tokens_at", "wait_until", "eased_at")
    ShopHealth.objects.filter(shop=shop).update(**{name: F(name) - timedelta(seconds=seconds) for name in names})


@pytest.mark.django_db
def test_R17_refusals_stay_under_one_per_cent_where_a_platform_bears_less_than_it_documents() -> None:
    made = stall("shoplazza", calls_per_second=10)
    way, begun = Limited(4), time.monotonic()
    slept = 0.0
    while way.taken < 1000:
        way.now = slept + time.monotonic() - begun
        if wait := pacing.take(made.shop):
            wait_in_the_row(made.shop, wait)
            slept += wait
            continue
        before = way.refused
        way.call()
        if way.refused > before:
            pacing.pause(made.shop, RateLimited("429", retry_after=1))
    assert way.refused > 0, "the platform did not bear what its documents say"
    assert way.refused < 0.01 * way.taken
    assert way.taken / way.now > 0.6 * way.rate, "and it is used well"


@pytest.mark.django_db
def test_R17_a_shop_without_a_limit_learns_one_from_a_refusal_and_forgets_it_in_time() -> None:
    made = stall("shoplazza", calls_per_second=0, count=60)
    ask_many(made, 30)
    delivery.drain(made.shop.pk)
    pacing.pause(made.shop, RateLimited("429", retry_after=1))
    wait_in_the_row(made.shop, 3)
    learnt = [pacing.take(made.shop) for _call in range(100)]
    assert learnt.count(0.0) < 70
    wait_in_the_row(made.shop, 3 * 3600)
    assert [pacing.take(made.shop) for _call in range(100)] == [0.0] * 100


@pytest.mark.django_db
def test_R17_a_refusal_now_and_then_does_not_slow_a_shop_ever_more() -> None:
    made = stall("shoplazza", calls_per_second=10)
    for _refusal in range(20):
        pacing.pause(made.shop, RateLimited("429", retry_after=1))
        wait_in_the_row(made.shop, 180)
    health = ShopHealth.objects.annotate(clock=Now()).get(shop=made.shop)
    assert easing.eased(10, health, health.clock) == pytest.approx(10, rel=0.1)


@pytest.mark.django_db
def test_R17_many_refused_at_once_say_it_once() -> None:
    made = stall("shoplazza", calls_per_second=10)
    for _call in range(16):
        pacing.pause(made.shop, RateLimited("429", retry_after=1))
    assert ShopHealth.objects.get(shop=made.shop).eased == pytest.approx(7.0)


@pytest.mark.django_db
def test_R17_after_a_refusal_the_next_call_goes_when_its_time_has_come() -> None:
    made = stall("shoplazza", calls_per_second=10)
    pacing.pause(made.shop, RateLimited("429", retry_after=1))
    ShopHealth.objects.update(wait_until=None)
    assert 0 < pacing.take(made.shop) < 0.2
    time.sleep(0.2)
    assert pacing.take(made.shop) == 0
