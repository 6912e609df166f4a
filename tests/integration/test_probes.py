"""How soon a held shop is looked at again, by why it is held."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from cancellations.requests import asking, delivery, sweeping
from cancellations.requests.models import CancellationRequest
from cancellations.shops import configuring, connection, health
from cancellations.shops.checkup import check_connection
from cancellations.shops.models import ShopHealth
from providers import registry
from providers.errors import AuthFailed, Cause, ProviderError, Unreachable
from tests.desk import Stall, person, stall

pytestmark = pytest.mark.django_db

KEYS = AuthFailed("401", "no such key", cause=Cause.KEYS)
NO_READING = AuthFailed("403", "may not read", cause=Cause.PERMISSION)
AWAY = Unreachable("connect", "cut", cause=Cause.NETWORK)


def pass_time(seconds: float) -> None:
    """Have everything that was noted of a shop be so much older."""
    ago = timedelta(seconds=seconds)
    for column in ("held_since", "probed_at", "refused_at"):
        ShopHealth.objects.exclude(**{column: None}).update(**{column: F(column) - ago})


def probes(minutes: int) -> list[int]:
    """Sweep every minute, and return those in which a shop was probed."""
    found = []
    for minute in range(1, minutes + 1):
        pass_time(60)
        for shop_id in sweeping.shops_to_probe():
            sweeping.probe(shop_id)
            found.append(minute)
    return found


def about(*minutes: int) -> Any:
    """Each may be a sweep late, which is doubled with the pauses."""
    return pytest.approx(minutes, rel=0.25)


def answer_pings(monkeypatch: pytest.MonkeyPatch, error: ProviderError) -> None:
    def refuse(_client: object) -> None:
        raise error

    monkeypatch.setattr(connection._Guarded, "ping", refuse)


def cause_of(made: Stall) -> str:
    found = ShopHealth.objects.get(shop=made.shop)
    return found.hold_cause if found.held_since else "not held"


def with_wrong_keys() -> Stall:
    """Make a shop whose secret is wrong, as the one request that was sent found out."""
    made = stall("huaweicloud")
    wrong = {**registry.PROVIDERS["huaweicloud"].sandbox.credential, "secret_key": "wrong-secret-key-0123456789"}
    configuring.replace_credential(made.shop, wrong, by=person("admin"))
    asking.request_cancellation(by=person(), order=made.orders()[0], units=[""], reason_code="out_of_stock")
    delivery.drain(made.shop.pk)
    assert cause_of(made) == "keys"
    return made


def test_R18_keys_that_are_refused_are_tried_ever_more_seldom() -> None:
    made = with_wrong_keys()
    assert sweeping.shops_to_probe() == [], "they were refused just now"
    assert probes(60) == about(5, 10, 20, 40)
    assert made.world.scratch["failures"] == (5, None), "a sixth in a row locks the key"
    first, second, third, *_ = probes(4 * 60)
    assert (second - first, third - second) == about(60, 60)


@pytest.mark.parametrize("off", [-12, 12])
def test_R14_how_seldom_is_measured_by_the_databases_clock(off: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = stall("huaweicloud", learn=False), health.timezone.now
    with monkeypatch.context() as patch:
        patch.setattr(health.timezone, "now", lambda: real() + timedelta(minutes=off))
        health.hold(made.shop, KEYS)
    answer_pings(monkeypatch, KEYS)
    assert probes(30) == about(5, 10, 20)


def test_R16_a_platform_that_does_not_answer_is_probed_four_times_a_minute_however_long_it_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = stall("shoplazza", learn=False)
    health.hold(made.shop, KEYS)
    health.hold(made.shop, AWAY)
    pass_time(6 * 60 * 60)
    answer_pings(monkeypatch, AWAY)
    for _quarter in range(8):
        assert sweeping.shops_to_probe() == [made.shop.pk]
        assert not sweeping.probe(made.shop.pk)
        assert sweeping.shops_to_probe() == []
        pass_time(15)


def test_R18_a_probe_that_finds_the_keys_refused_says_so_and_is_not_repeated_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = stall("shoplazza", learn=False)
    health.hold(made.shop, AWAY)
    pass_time(2 * 60 * 60)
    answer_pings(monkeypatch, KEYS)
    assert probes(60) == about(1, 6, 11, 21, 41)
    assert cause_of(made) == "keys"


@pytest.mark.parametrize("by_hand", [False, True])
def test_R16_an_outage_is_over_where_only_reading_is_refused(by_hand: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = stall("shoplazza", learn=False)
    health.hold(made.shop, AWAY)
    answer_pings(monkeypatch, NO_READING)
    if by_hand:
        check_connection(made.shop, by=person("admin"))
    else:
        assert sweeping.probe(made.shop.pk)
    assert cause_of(made) == "not held"


@pytest.mark.parametrize("cause", [Cause.PERMISSION, Cause.SETTINGS, Cause.KEYS])
def test_R18_a_hold_for_what_a_call_refused_outlasts_a_lack_of_permission(
    cause: Cause, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stall("shoplazza", learn=False)
    health.hold(made.shop, AuthFailed("x", cause=cause))
    answer_pings(monkeypatch, NO_READING)
    check_connection(made.shop, by=person("admin"))
    assert not sweeping.probe(made.shop.pk)
    assert cause_of(made) == cause


def test_R18_keys_that_were_replaced_are_not_held_for_what_was_told_of_the_old_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = stall("shoplazza", learn=False)
    health.hold(made.shop, AWAY)

    def replaced_meanwhile(_client: object) -> None:
        health.release(made.shop, by=person("admin"), because="credential")
        raise KEYS

    monkeypatch.setattr(connection._Guarded, "ping", replaced_meanwhile)
    assert not sweeping.probe(made.shop.pk)
    assert cause_of(made) == "not held"


def test_R18_replaced_keys_and_a_good_check_lift_the_hold_at_once() -> None:
    made, right = with_wrong_keys(), dict(registry.PROVIDERS["huaweicloud"].sandbox.credential)
    configuring.replace_credential(made.shop, right, by=person("admin"))
    assert cause_of(made) == "not held"
    health.hold(made.shop, KEYS)
    assert check_connection(made.shop, by=person("admin")).good
    assert cause_of(made) == "not held"
    delivery.drain(made.shop.pk)
    assert CancellationRequest.objects.get().state == "succeeded"
