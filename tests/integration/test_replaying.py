"""The events explain every state and every send, or the replay says which they do not."""

import io
from typing import Any

import pytest
from django.core.management import call_command

from cancellations.audit import trail
from cancellations.requests import asking, decisions, delivery, replaying
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import ShopHealth
from providers.errors import OutcomeUnknown, RateLimited, Rejected
from tests.desk import person
from tests.integration.bulk import Till, install, many_orders, open_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def all_kinds(monkeypatch: pytest.MonkeyPatch) -> Till:
    """Requests of many ends: done, refused, not known, put back, withdrawn, in a bulk and one by one."""
    platform, shop, by = install(monkeypatch), open_shop(), person()
    orders = many_orders(shop, 40, platform=platform)
    for order, error in zip(orders, [Rejected("no"), OutcomeUnknown("timeout"), RateLimited("429")] * 3, strict=False):
        platform.answers[order.key] = error
    for order in orders:
        (asked,) = asking.request_cancellation(by=by, order=order, units=[""], reason_code="out_of_stock")
        if order is orders[-1]:
            decisions.withdraw(asked.cancellation, by=by)
    for _round in range(4):
        ShopHealth.objects.update(wait_until=None)
        delivery.drain(shop.pk)
    return platform


def replay() -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("audit", "replay", stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


@pytest.mark.usefixtures("all_kinds")
def test_R21_a_replay_of_all_events_finds_no_difference() -> None:
    states = set(CancellationRequest.objects.values_list("state", flat=True))
    assert {State.SUCCEEDED, State.REJECTED, State.UNCERTAIN, State.WITHDRAWN} <= states
    told, code = replay()
    assert told.startswith("0 differences over 40 requests")
    assert code == 0


def move_behind_the_history(one: CancellationRequest) -> None:
    CancellationRequest.objects.filter(pk=one.pk).update(state=State.FAILED)


def tell_of_a_move_that_was_none(one: CancellationRequest) -> None:
    one.record("cancellation.sending", by=trail.WORKER, data={"from": State.QUEUED, "to": State.SENDING, "attempt": 2})


def send_once_more(one: CancellationRequest) -> None:
    CancellationRequest.objects.filter(pk=one.pk).update(attempt_no=2)


@pytest.mark.usefixtures("all_kinds")
@pytest.mark.parametrize("harm", [move_behind_the_history, tell_of_a_move_that_was_none, send_once_more])
def test_R21_what_the_events_do_not_explain_is_named(harm: Any) -> None:
    one = CancellationRequest.objects.filter(state=State.SUCCEEDED).earliest("pk")
    harm(one)
    told, code = replay()
    assert f"request {one.pk}: " in told
    assert code == 1
    assert {line.split(":")[0] for line in replaying.replay().differences} == {f"request {one.pk}"}
