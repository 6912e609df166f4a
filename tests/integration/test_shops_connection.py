"""From a shop to its platform, and what is said when that does not work."""

import importlib
import json

import pytest
from django.apps import apps

from cancellations.audit.models import AuditEvent
from cancellations.shops import configuring, vault
from cancellations.shops.checkup import check_connection
from cancellations.shops.connection import connect
from cancellations.shops.health import health_of, held, hold, is_held, note_failure, note_good, release
from cancellations.shops.models import Credential, Shop
from providers import registry
from providers.errors import (
    Advice,
    AuthFailed,
    Cause,
    ProviderError,
    RateLimited,
    Unreachable,
)
from providers.wire import Wire
from tests.integration.pretend import BASE_URL, CREDENTIAL, SECRET, PretendPlatform
from tests.integration.shops import everything_stored, make_person, make_shop, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(monkeypatch) -> PretendPlatform:
    pretend = PretendPlatform()
    monkeypatch.setitem(registry.PROVIDERS, "pretend", pretend.provider())
    return pretend


@pytest.fixture
def admin():
    return make_person()


@pytest.fixture
def shop(platform, admin) -> Shop:
    return make_shop(admin)


def test_a_client_is_opened_with_the_stored_keys_and_the_filled_in_options(platform, shop):
    connection = connect(shop, seconds=3)
    (given,) = platform.opened
    assert given["credential"] == CREDENTIAL
    assert given["options"] == {"mode": "keys", "token_url": "", "list": True, "reasons": [], "version": "1.0"}
    assert (connection.wire.base_url, connection.wire.total_seconds) == (BASE_URL, 3)
    assert connection.capabilities.list_orders
    assert connection.exchanges == []


def test_S9_the_wire_blots_out_secrets_but_not_names(shop):
    wire: Wire = connect(shop).wire
    assert SECRET not in wire.redactor.text(f"key {SECRET} of someone")
    assert "someone" in wire.redactor.text(f"key {SECRET} of someone")
    assert "555" not in wire.redactor.body(b'{"phone": "555"}')


def test_S9_a_platform_that_repeats_the_key_in_its_error_does_not_carry_it_further(platform, shop):
    platform.error = AuthFailed("E1", f"bad key {SECRET}", request_id=SECRET)
    with pytest.raises(AuthFailed) as caught:
        connect(shop).client.ping()
    assert SECRET not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def _settings_fault(shop: Shop) -> AuthFailed:
    with pytest.raises(AuthFailed) as caught:
        connect(Shop.objects.get(pk=shop.pk))
    assert caught.value.cause == Cause.SETTINGS
    assert caught.value.advice.admin
    return caught.value


def test_a_shop_without_keys_says_so(shop):
    shop.credential.delete()
    assert _settings_fault(shop).code == "no-credential"


def test_keys_sealed_under_a_lost_key_say_which(shop, settings):
    settings.CREDENTIAL_KEYS = ["other:" + "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="]
    fault = _settings_fault(shop)
    assert fault.code == "lost-key"
    assert "'t1'" in fault.message


def test_S8_keys_copied_from_another_shops_row_are_refused(shop, admin):
    other = make_shop(admin, "other")
    Credential.objects.filter(shop=other).update(sealed=Credential.objects.get(shop=shop).sealed)
    assert _settings_fault(other).code == "broken-seal"


def test_keys_that_no_longer_fit_the_options_are_not_used(shop):
    Shop.objects.filter(pk=shop.pk).update(options={**shop.options, "mode": "token"})
    assert _settings_fault(shop).code == "incomplete-credential"


@pytest.mark.parametrize("address", ["http://api.pretend.example", "https://evil.example", "http://127.0.0.1:8765"])
def test_S7_keys_do_not_go_to_an_address_that_is_not_allowed_any_more(shop, settings, address):
    settings.PLATFORM_HOSTS = frozenset()
    Shop.objects.filter(pk=shop.pk).update(base_url=address)
    assert _settings_fault(shop).code == "address"


SANDBOX = "http://127.0.0.1:8765/pretend"


def test_S7_keys_of_the_platform_are_not_sent_to_a_sandbox(platform, shop, admin):
    """127.0.0.1:8765 stands in PLATFORM_HOSTS; pointing the shop there does not take its keys along."""
    opened = len(platform.opened)
    for way in ("form", "row"):
        if way == "form":
            assert configuring.change_shop(shop, by=admin, base_url=SANDBOX, environment="sandbox")
        else:
            Shop.objects.filter(pk=shop.pk).update(base_url=SANDBOX)
        fault = _settings_fault(shop)
        assert fault.code == "keys-of-elsewhere"
        assert "Enter the keys that belong there" in fault.advice.admin
        checked = check_connection(shop, by=admin)
        assert not checked.good
        assert len(platform.opened) == opened
    assert configuring.replace_credential(shop, CREDENTIAL, by=admin)  # entered for that address, knowingly
    connect(shop)
    assert configuring.change_shop(shop, by=admin, base_url=BASE_URL)
    connect(shop)


def test_S7_an_address_of_the_operators_among_the_options_counts_as_well(platform, shop, admin):
    options = {**shop.options, "mode": "token", "token_url": SANDBOX}
    Shop.objects.filter(pk=shop.pk).update(options=options)
    assert _settings_fault(shop).code == "keys-of-elsewhere"


def test_keys_that_are_there_already_belong_to_where_their_shop_is(shop, admin):
    module = importlib.import_module("cancellations.migrations.0006_keys_of_an_address")
    other = make_shop(admin, "other", base_url=SANDBOX)
    Credential.objects.update(local=False)
    module.mark(apps, None)
    assert {one.shop.name: one.local for one in Credential.objects.all()} == {"corner": False, "other": True}
    connect(other)


def test_a_platform_this_version_does_not_know_is_a_sentence_and_no_crash(shop, monkeypatch):
    monkeypatch.delitem(registry.PROVIDERS, "pretend")
    assert _settings_fault(shop).code == "unknown-platform"


def test_tokens_of_the_old_keys_are_not_used_with_the_new_ones(platform, shop, admin):
    connect(shop)
    platform.opened[-1]["tokens"].put("access", "old token", 60)
    connect(shop)
    assert platform.opened[-1]["tokens"].get("access") == "old token"
    configuring.replace_credential(shop, {**CREDENTIAL, "secret": "another-secret"}, by=admin)
    connect(shop)
    assert platform.opened[-1]["tokens"].get("access") is None


# -- Check connection


def _by_name(checkup) -> dict[str, bool | None]:
    return {line.what: line.good for line in checkup.lines}


def test_a_good_connection_shows_all_that_works_and_lifts_a_hold(platform, shop, admin):
    hold(shop, AuthFailed("E1"), by=admin)
    found = check_connection(shop, by=admin)
    assert found.good
    assert all(_by_name(found).values())
    assert {"Lists orders", "Reads orders", "Lists reasons"} <= set(_by_name(found))
    assert not is_held(shop)
    assert health_of(shop).good_at is not None


@pytest.mark.parametrize(
    ("cause", "works", "not_known"),
    [
        (Cause.NETWORK, "Settings", "Clock"),
        (Cause.IP, "Network", "Clock"),
        (Cause.CLOCK, "Our address", "Keys"),
        (Cause.KEYS, "Clock", "Permission"),
        (Cause.PERMISSION, "Keys", None),
    ],
)
def test_each_cause_is_told_apart_with_what_to_do(platform, shop, admin, cause, works, not_known):
    kind = Unreachable if cause == Cause.NETWORK else AuthFailed
    platform.error = kind("E9", "platform words", advice=Advice("wait.", "mend this."), cause=cause)
    found = check_connection(shop, by=admin)
    lines = _by_name(found)
    (broken,) = [line for line in found.lines if line.good is False]
    assert (broken.say, broken.quote) == ("mend this.", "platform words (E9)")
    assert lines[works] is True
    if not_known:
        assert lines[not_known] is None
    assert found.cause == cause


@pytest.mark.parametrize(("cause", "holds"), [(Cause.KEYS, True), (Cause.PERMISSION, False), (Cause.NETWORK, False)])
def test_a_check_holds_the_shop_only_when_the_keys_are_refused(platform, shop, admin, cause, holds):
    platform.error = (Unreachable if cause == Cause.NETWORK else AuthFailed)("E9", cause=cause)
    check_connection(shop, by=admin)
    assert is_held(shop) is holds


def test_a_list_call_that_fails_is_a_line_and_not_a_broken_connection(platform, shop, admin):
    platform.error, platform.failing = RateLimited("429", "slow down"), ("list_orders",)
    found = check_connection(shop, by=admin)
    assert found.good
    assert _by_name(found)["Lists orders"] is False


def test_a_missing_key_is_found_by_the_check_and_not_by_a_crash(shop, admin):
    shop.credential.delete()
    found = check_connection(Shop.objects.get(pk=shop.pk), by=admin)
    assert not found.good
    assert found.lines[0].good is False


def test_a_check_is_on_record_without_secrets(platform, shop, admin):
    platform.error = AuthFailed("E1", f"bad key {SECRET}")
    check_connection(shop, by=admin)
    assert verbs()[-2:] == ["shop.checked", "shop.held"]
    assert SECRET not in everything_stored()


# -- Health


def test_a_hold_is_recorded_once_and_its_reason_renewed(shop):
    assert hold(shop, AuthFailed("E1", "first", cause=Cause.KEYS))
    assert not hold(shop, AuthFailed("E2", "second", cause=Cause.IP))
    row = held(Shop.objects.get(pk=shop.pk))
    assert row is not None
    assert (row.hold_cause, row.hold_code, row.hold_message) == ("ip", "E2", "second")
    assert row.hold_advice == AuthFailed.default_advice.admin
    assert verbs().count("shop.held") == 1


def test_a_release_is_recorded_once(shop, admin):
    hold(shop, AuthFailed("E1"))
    assert release(shop, by=admin)
    assert not release(shop, by=admin)
    assert held(Shop.objects.get(pk=shop.pk)) is None
    assert verbs().count("shop.released") == 1


@pytest.mark.parametrize(
    ("error", "failures", "is_on_hold"),
    [(Unreachable("x"), 2, False), (AuthFailed("x"), 0, True)],
)
def test_failures_in_a_row_are_counted_and_forgotten_after_a_good_call(
    shop, error: ProviderError, failures, is_on_hold
):
    note_failure(shop, error)
    note_failure(shop, error)
    assert health_of(shop).failures == failures
    assert is_held(shop) is is_on_hold
    note_good(shop)
    assert health_of(shop).failures == 0


# -- Sealing at rest


def test_S8_the_database_holds_the_keys_sealed_and_bound_to_the_shop(shop):
    stored = Credential.objects.get(shop=shop)
    assert SECRET not in everything_stored()
    assert json.loads(vault.unseal(stored.sealed, purpose="credential", shop_pk=shop.pk)) == CREDENTIAL
    assert AuditEvent.objects.get(verb="shop.created").data["after"]["credential"] == stored.fingerprint
