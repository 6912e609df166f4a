"""What admins do to shops: every change on record, no change no record, no secret anywhere."""

import pytest
from django.core.exceptions import ValidationError

from cancellations.audit.models import AuditEvent
from cancellations.shops import configuring
from cancellations.shops.health import hold, is_held
from cancellations.shops.models import Credential, Shop, ShopAccess
from cancellations.shops.scope import shops_of, visible_to
from providers import registry
from providers.errors import AuthFailed
from tests.integration.pretend import CREDENTIAL, SECRET, PretendPlatform
from tests.integration.shops import everything_stored, make_person, make_shop, verbs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _platform(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS, "pretend", PretendPlatform().provider())


@pytest.fixture
def admin():
    return make_person()


@pytest.fixture
def shop(admin) -> Shop:
    return make_shop(admin)


def test_a_new_shop_has_the_cards_defaults_and_one_event(shop):
    assert shop.base_url == "https://api.pretend.example"
    assert shop.options["version"] == "1.0"
    assert verbs() == ["shop.created"]
    assert AuditEvent.objects.get().data["after"]["environment"] == "live"


def test_all_faults_of_a_new_shop_are_named_at_once_and_nothing_is_made(admin):
    with pytest.raises(ValidationError) as caught:
        make_shop(
            admin, "no good", title="", environment="prod", base_url="http://x.example",
            options={"mode": "?", "k": "v"}, credential={"user": "", "key": "x"},
        )  # fmt: skip
    faults = caught.value.message_dict
    assert set(faults) >= {
        "name", "environment", "base_url", "options.mode", "options.k", "credential.user", "credential.secret",
        "credential.key",
    }  # fmt: skip
    assert not Shop.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("name", ["corner", "new"])
def test_a_name_that_is_taken_is_refused(shop, admin, name):
    with pytest.raises(ValidationError) as caught:
        make_shop(admin, name)
    assert "name" in caught.value.message_dict


def test_an_unknown_platform_is_a_sentence(admin):
    with pytest.raises(ValidationError, match="Choose one of"):
        make_shop(admin, platform="nowhere")


def test_a_change_is_recorded_before_and_after_and_only_what_differs(shop, admin):
    assert configuring.change_shop(shop, by=admin, title="Corner", needs_approval=False, options={"version": "2.0"})
    event = AuditEvent.objects.latest("id")
    assert event.verb == "shop.changed"
    assert set(event.data["after"]) == {"title", "options"}
    assert (event.data["before"]["title"], event.data["after"]["title"]) == ("Corner shop", "Corner")
    assert shop.options["version"] == "2.0"


def test_setting_what_is_so_already_leaves_no_trace(shop, admin):
    assert not configuring.change_shop(shop, by=admin, title="Corner shop ", base_url=shop.base_url + "/")
    assert not configuring.replace_credential(shop, CREDENTIAL, by=admin)
    assert not configuring.set_active(shop, True, by=admin)
    assert not configuring.set_access(shop, [], by=admin)
    assert verbs() == ["shop.created"]


def test_a_refused_change_changes_nothing(shop, admin):
    with pytest.raises(ValidationError):
        configuring.change_shop(shop, by=admin, title="Other", base_url="https://evil.example")
    assert Shop.objects.get().title == "Corner shop"


def test_further_addresses_are_checked_like_the_first(shop, admin):
    with pytest.raises(ValidationError) as caught:
        configuring.change_shop(shop, by=admin, options={"mode": "token", "token_url": "https://evil.example"})
    assert "options.token_url" in caught.value.message_dict


def test_a_shops_name_and_platform_never_change(shop, admin):
    with pytest.raises(TypeError):
        configuring.change_shop(shop, by=admin, platform="taobao")


def test_replaced_keys_are_recorded_by_fingerprint_and_lift_the_hold(shop, admin):
    before = Credential.objects.get().fingerprint
    hold(shop, AuthFailed("E1"))
    assert configuring.replace_credential(shop, {"user": "someone", "secret": "new-canary-secret"}, by=admin)
    stored = Credential.objects.get()
    event = AuditEvent.objects.get(verb="credential.replaced")
    assert event.data == {"before": {"credential": before}, "after": {"credential": stored.fingerprint}}
    assert stored.replaced_by == "admin1"
    assert not is_held(shop)
    assert "canary" not in everything_stored()


def test_keys_are_replaced_whole_or_not_at_all(shop, admin):
    with pytest.raises(ValidationError) as caught:
        configuring.replace_credential(shop, {"secret": "new-canary-secret"}, by=admin)
    assert list(caught.value.message_dict) == ["credential.user"]
    assert SECRET not in str(caught.value)
    assert configuring.credential_fits(shop)


def test_a_changed_way_of_signing_in_shows_that_the_keys_do_not_fit(shop, admin):
    configuring.change_shop(shop, by=admin, options={"mode": "token"})
    assert not configuring.credential_fits(shop)
    configuring.replace_credential(shop, {"user": "someone", "password": "pass-word"}, by=admin)
    assert configuring.credential_fits(shop)


def test_switching_off_and_on_is_on_record(shop, admin):
    assert configuring.set_active(shop, False, by=admin)
    assert not Shop.objects.get().active
    assert configuring.set_active(shop, True, by=admin)
    assert verbs()[1:] == ["shop.switched_off", "shop.switched_on"]


def test_access_is_given_and_taken_and_recorded(shop, admin):
    one, two = (make_person(name, "agent", every_shop=False) for name in ("one", "two"))
    assert configuring.set_access(shop, [one], by=admin)
    assert configuring.set_access(shop, [two], by=admin)
    assert list(shop.people.all()) == [two]
    assert AuditEvent.objects.latest("id").data == {"before": {"people": ["one"]}, "after": {"people": ["two"]}}


def test_an_admin_of_some_shops_may_act_on_the_one_they_made():
    someone = make_person("some", every_shop=False)
    made = make_shop(someone)
    assert list(shops_of(someone)) == [made]


def test_S1_everything_is_filtered_by_the_shops_of_a_person(shop, admin):
    agent = make_person("agent1", "agent", every_shop=False)
    other = make_shop(admin, "other")
    assert not shops_of(agent).exists()
    ShopAccess.objects.create(shop=other, person=agent)
    configuring.set_active(other, False, by=admin)
    assert list(shops_of(agent)) == [other]
    assert list(visible_to(agent, Credential.objects.all())) == [Credential.objects.get(shop=other)]
    assert list(visible_to(agent, ShopAccess.objects.all(), path="shop")) == [ShopAccess.objects.get()]
    assert shops_of(admin).count() == 2
    agent.is_active = False
    assert not shops_of(agent).exists()
