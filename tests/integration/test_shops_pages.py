"""The pages of the shops: who sees what, what an admin can do, and that keys never come back."""

import pytest
from django.urls import reverse

from cancellations.shops.health import hold
from cancellations.shops.models import Credential, Shop, ShopAccess, ShopHealth
from providers import registry
from providers.errors import Advice, AuthFailed, Cause
from tests.integration.pretend import SECRET, PretendPlatform
from tests.integration.shops import make_person, make_shop, verbs

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def platform(monkeypatch) -> PretendPlatform:
    pretend = PretendPlatform()
    monkeypatch.setitem(registry.PROVIDERS, "pretend", pretend.provider())
    return pretend


@pytest.fixture
def admin(platform):
    return make_person()


@pytest.fixture
def shop(admin) -> Shop:
    return make_shop(admin)


@pytest.fixture
def as_admin(client, admin):
    client.force_login(admin)
    return client


def _url(name: str, *args: str) -> str:
    return reverse(f"shops:{name}", args=args)


def _followed(client, path: str, given=None) -> str:
    """Post, and return the page the answer leads to."""
    answer = client.post(path, given or {})
    assert answer.status_code == 303
    return client.get(answer["Location"]).content.decode()


NEW = {
    "name": "market", "title": "Market", "environment": "sandbox", "base_url": "http://127.0.0.1:8765/pretend",
    "options.mode": "keys", "options.version": "1.0", "options.list": "on",
    "credential.user": "someone", "credential.secret": "canary-secret-2",
}  # fmt: skip

ACTS = ("check", "change", "replace_keys", "set_access", "switch_on", "switch_off")


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_S1_people_who_are_no_admins_see_health_and_may_change_nothing(client, shop, role):
    client.force_login(make_person("someone1", role))
    assert shop.title in client.get(_url("list")).content.decode()
    page = client.get(_url("shop", shop.name)).content.decode()
    assert "Last good call" in page
    assert "Check connection" not in page
    assert "Replace keys" not in page
    for name in ("edit", "keys", "access"):
        assert client.get(_url(name, shop.name)).status_code == 403
    for path in (_url("choose"), _url("new", "pretend")):
        assert client.get(path).status_code == 403
    for act in ACTS:
        assert client.post(_url(act, shop.name)).status_code == 403
    assert client.post(_url("create", "pretend"), NEW).status_code == 403
    assert verbs() == ["shop.created"]


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_S1_another_shop_is_as_absent_as_one_that_does_not_exist(client, shop, role):
    client.force_login(make_person("someone1", role, every_shop=False))
    assert shop.title not in client.get(_url("list")).content.decode()
    assert client.get(_url("shop", shop.name)).status_code == 404
    if role == "admin":
        for name in ("edit", "keys", "access"):
            assert client.get(_url(name, shop.name)).status_code == 404
        for act in ACTS:
            assert client.post(_url(act, shop.name)).status_code == 404


def test_nobody_who_is_signed_out_sees_anything(client, shop):
    for path in (_url("list"), _url("shop", shop.name), _url("choose")):
        assert client.get(path).status_code == 302


def test_a_new_shop_begins_with_the_platforms_and_then_asks_for_its_fields(as_admin):
    cards = as_admin.get(_url("choose")).content.decode()
    assert _url("new", "pretend") in cards
    assert "In the pretend console." in cards
    form = as_admin.get(_url("new", "pretend")).content.decode()
    assert 'name="credential.secret"' in form
    assert "Shown once." in form
    assert "Only where “Mode” is “Keys”." in form
    assert as_admin.get(_url("new", "nowhere")).status_code == 404


def test_a_shop_is_made_and_its_page_says_what_it_is(as_admin):
    answer = as_admin.post(_url("create", "pretend"), NEW)
    assert (answer.status_code, answer["Location"]) == (303, _url("shop", "market"))
    page = as_admin.get(answer["Location"]).content.decode()
    assert Credential.objects.get().fingerprint in page
    assert "canary" not in page
    assert "nothing here is real" in page


def test_S8_a_form_with_errors_keeps_what_was_typed_but_never_a_key(as_admin):
    answer = as_admin.post(_url("create", "pretend"), {**NEW, "base_url": "https://evil.example"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "is not reached at evil.example" in page
    assert 'value="Market"' in page
    assert "canary" not in page
    assert not Shop.objects.exists()


def test_the_address_that_only_shows_how_one_looks_is_nobodys_shop(as_admin):
    page = as_admin.get(_url("new", "shoplazza")).content.decode()
    assert 'value="https://your-shop' not in page
    assert "Your shop&#x27;s own address, such as https://your-shop" in page
    given = {
        **NEW,
        "base_url": registry.PROVIDERS["shoplazza"].card.base_url,
        "credential.access_token": "canary-token-1",
    }
    answer = as_admin.post(_url("create", "shoplazza"), given)
    assert answer.status_code == 422
    assert "This is only an example" in answer.content.decode()
    assert not Shop.objects.exists()


def test_a_missing_key_is_said_beside_its_field(as_admin):
    answer = as_admin.post(_url("create", "pretend"), {**NEW, "credential.secret": ""})
    assert answer.status_code == 422
    assert "Secret is missing." in answer.content.decode()


def test_settings_are_changed_without_touching_the_keys(as_admin, shop):
    before = Credential.objects.get().sealed
    form = as_admin.get(_url("edit", shop.name)).content.decode()
    assert "credential." not in form
    given = {"title": "Corner 2", "environment": "live", "base_url": shop.base_url, "options.mode": "keys"}
    answer = as_admin.post(_url("change", shop.name), given)
    assert answer.status_code == 303
    shop.refresh_from_db()
    assert (shop.title, shop.options["list"], shop.options["version"]) == ("Corner 2", False, "1.0")
    assert Credential.objects.get().sealed == before


def test_a_change_that_makes_the_keys_unfit_says_so(as_admin, shop):
    given = {"title": "Corner", "environment": "live", "base_url": shop.base_url, "options.mode": "token"}
    page = _followed(as_admin, _url("change", shop.name), given)
    assert "the keys do not fit them" in page


def test_S8_keys_are_replaced_and_never_shown(as_admin, shop):
    page = as_admin.get(_url("keys", shop.name)).content.decode()
    assert SECRET not in page
    assert "someone" not in page
    assert 'autocomplete="new-password"' in page
    wrong = as_admin.post(_url("replace_keys", shop.name), {"credential.secret": "canary-secret-3"})
    assert wrong.status_code == 422
    assert "canary" not in wrong.content.decode()
    given = {"credential.user": "someone", "credential.secret": "canary-secret-3"}
    page = _followed(as_admin, _url("replace_keys", shop.name), given)
    assert "The keys are replaced." in page
    assert "canary" not in page
    assert verbs()[-1] == "credential.replaced"


def test_a_held_shop_says_why_and_what_to_do(client, shop):
    hold(shop, AuthFailed("E1", "wrong key", advice=Advice("wait.", "Make a new key."), cause=Cause.KEYS))
    client.force_login(make_person("agent1", "agent"))
    page = client.get(_url("shop", shop.name)).content.decode()
    assert "On hold: nothing is sent." in page
    assert "Make a new key." in page
    assert "wrong key" in page
    assert "On hold" in client.get(_url("list")).content.decode()


def test_the_connection_is_checked_with_and_without_script(as_admin, platform, shop):
    fragment = as_admin.post(_url("check", shop.name), headers=HTMX).content.decode()
    assert fragment.lstrip().startswith('<div id="health"')
    assert "The connection works." in fragment
    answer = as_admin.post(_url("check", shop.name))
    assert answer.status_code == 303
    assert "The connection works." in as_admin.get(answer["Location"]).content.decode()
    assert "The connection works." not in as_admin.get(answer["Location"]).content.decode()


def test_S6_what_the_platform_says_is_quoted_as_text(as_admin, platform, shop):
    platform.error = AuthFailed("E1", "<script>alert(1)</script>")
    page = as_admin.post(_url("check", shop.name), headers=HTMX).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_S4_looking_at_pages_writes_nothing(as_admin, shop):
    for path in (_url("list"), _url("choose"), _url("new", "pretend")):
        as_admin.get(path)
    for name in ("shop", "edit", "keys", "access"):
        as_admin.get(_url(name, shop.name))
    assert not ShopHealth.objects.exists()
    assert verbs() == ["shop.created"]


def test_a_live_shop_at_a_local_address_is_shown_as_such(as_admin, admin):
    make_shop(admin, "odd", base_url="http://127.0.0.1:8765/pretend")
    assert "Marked live, but not at the platform." in as_admin.get(_url("shop", "odd")).content.decode()


def test_access_is_chosen_on_a_page_of_its_own(as_admin, shop):
    agent = make_person("agent1", "agent", every_shop=False)
    assert "agent1" in as_admin.get(_url("access", shop.name)).content.decode()
    answer = as_admin.post(_url("set_access", shop.name), {"people": [agent.pk]})
    assert answer.status_code == 303
    assert ShopAccess.objects.get().person == agent
    assert as_admin.post(_url("set_access", shop.name), {"people": [4711]}).status_code == 422


def test_a_shop_is_switched_off_and_on(as_admin, shop):
    page = _followed(as_admin, _url("switch_off", shop.name))
    assert "switched off" in page
    as_admin.post(_url("switch_on", shop.name))
    shop.refresh_from_db()
    assert shop.active


@pytest.mark.parametrize("act", ACTS)
def test_S4_acts_are_posts(as_admin, shop, act):
    assert as_admin.get(_url(act, shop.name)).status_code == 405
    assert verbs() == ["shop.created"]


def test_P4_the_list_takes_the_same_number_of_queries_for_any_number_of_shops(
    as_admin, admin, shop, django_assert_num_queries, django_assert_max_num_queries
):
    as_admin.get(_url("list"))
    with django_assert_max_num_queries(12) as few:
        as_admin.get(_url("list"))
    for number in range(10):
        make_shop(admin, f"more-{number}")
    with django_assert_num_queries(len(few)):
        as_admin.get(_url("list"))
