"""The pages of the people: who may open them, what admins can do and cannot, and that every change is recorded."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from cancellations.audit.models import AuditEvent
from cancellations.people.models import Person
from cancellations.shops.models import Shop
from cancellations.staff import managing
from tests.desk import PASSWORD, person

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ACTS = ("change", "deactivate", "reactivate", "make_link")


def shop(name: str) -> Shop:
    return Shop.objects.create(name=name, title=name.title(), platform="taobao", environment="sandbox", base_url="")


def url(name: str, *args: object) -> str:
    return reverse(f"people:{name}", args=args)


def events(verb: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(verb=verb).order_by("id"))


def messages(client, path: str, given=None) -> str:
    """Post, and return the page the answer leads to."""
    answer = client.post(path, given or {})
    assert answer.status_code == 303
    return client.get(answer["Location"]).content.decode()


@pytest.fixture
def admin(client):
    admin = person("admin", username="boss")
    client.force_login(admin)
    return admin


@pytest.mark.parametrize("role", ["agent", "manager", None])
def test_only_admins_reach_the_people(client, role):
    somebody = person("agent", username="somebody")
    if role:
        client.force_login(person(role))
    answers = [client.get(url("list")), client.get(url("new")), client.get(url("person", somebody.pk))]
    answers += [client.post(url("create"), {"username": "new1", "role": "admin", "every_shop": "on"})]
    answers += [client.post(url(act, somebody.pk), {"role": "admin"}) for act in ACTS]
    if role:
        assert {one.status_code for one in answers} == {403}
    else:
        assert all(one.status_code == 302 and one["Location"].startswith("/accounts/login/") for one in answers)
    somebody.refresh_from_db()
    assert (somebody.role, somebody.is_active, somebody.generation) == ("agent", True, 0)
    assert not AuditEvent.objects.filter(verb__startswith="person.").exists()


def test_the_acts_are_posts(client, admin):
    somebody = person("agent")
    assert {client.get(url(act, somebody.pk)).status_code for act in ACTS} == {405}
    assert client.get(url("create")).status_code == 405


def test_a_person_is_made_with_role_and_shops_and_no_password(client, admin):
    one, other = shop("one"), shop("other")
    page = messages(client, url("create"), {"username": "newcomer", "role": "manager", "shops": [one.pk]})
    made = Person.objects.get(username="newcomer")
    assert (made.role, made.every_shop, list(made.shops.all())) == ("manager", False, [one])
    assert not made.has_usable_password()
    assert "Has not set a password" in page
    assert other not in made.shops.all()
    (event,) = events("person.created")
    assert (event.actor, event.subject) == ("boss", "newcomer")
    assert event.data == {"after": {"role": "manager", "every_shop": False, "shops": ["one"]}}


@pytest.mark.parametrize("name", ["boss", "BOSS", "", "two words", "x" * 151])
def test_a_name_that_cannot_be_used_is_refused_beside_its_field_and_nothing_is_lost(client, admin, name):
    answer = client.post(url("create"), {"username": name, "role": "manager", "every_shop": "on"}, headers=HTMX)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="id_username_error"' in page
    assert '<option value="manager" selected>' in page
    assert Person.objects.count() == 1


def test_a_change_of_role_and_shops_is_recorded_before_and_after(client, admin):
    one, other = shop("one"), shop("other")
    somebody = person("agent", every_shop=False)
    somebody.access.create(shop=one)
    messages(client, url("change", somebody.pk), {"role": "manager", "shops": [other.pk]})
    somebody.refresh_from_db()
    assert (somebody.role, list(somebody.shops.all())) == ("manager", [other])
    (event,) = events("person.changed")
    assert event.data == {
        "before": {"role": "agent", "shops": ["one"]},
        "after": {"role": "manager", "shops": ["other"]},
    }


def test_a_change_that_changes_nothing_writes_nothing(client, admin):
    somebody = person("agent")
    page = messages(client, url("change", somebody.pk), {"role": "agent", "every_shop": "on"})
    assert "Nothing changed" in page
    assert events("person.changed") == []


def test_nobody_demotes_or_deactivates_themselves(client, admin):
    person("admin")
    messages(client, url("change", admin.pk), {"role": "agent", "every_shop": "on"})
    page = messages(client, url("deactivate", admin.pk))
    assert "cannot deactivate yourself" in page
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)
    for refused in (
        lambda: managing.change_person(admin, role="agent", shops=None, by=admin),
        lambda: managing.make_link(admin, by=admin),
    ):
        with pytest.raises(ValidationError):
            refused()


def test_the_last_active_admin_stays_one_whoever_asks(admin):
    overtaken = person("admin")
    Person.objects.filter(pk=overtaken.pk).update(role="agent")
    with pytest.raises(ValidationError, match="last active admin"):
        managing.deactivate(admin, by=overtaken)
    with pytest.raises(ValidationError, match="last active admin"):
        managing.change_person(admin, role="manager", shops=None, by=overtaken)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)


def test_deactivating_and_reactivating_are_recorded_once_each(client, admin):
    somebody = person("agent")
    for act in ("deactivate", "deactivate", "reactivate", "reactivate"):
        messages(client, url(act, somebody.pk))
    somebody.refresh_from_db()
    assert somebody.is_active
    assert somebody.check_password(PASSWORD)
    assert [len(events(f"person.{one}")) for one in ("deactivated", "reactivated")] == [1, 1]
    assert events("person.deactivated")[0].subject == somebody.username


class TestAnAdminOfSomeShops:
    @pytest.fixture
    def limited(self, client):
        limited = person("admin", username="limited", every_shop=False)
        limited.access.create(shop=shop("mine"))
        client.force_login(limited)
        return limited

    @pytest.mark.parametrize("given", [{"every_shop": "on"}, {"shops": ["theirs"]}])
    def test_gives_nothing_they_do_not_have(self, client, limited, given):
        theirs = shop("theirs")
        given = {name: [theirs.pk] if name == "shops" else value for name, value in given.items()}
        client.post(url("create"), {"username": "puppet", "role": "admin", **given})
        made = Person.objects.filter(username="puppet").first()
        assert made is None or (made.every_shop, made.access.count()) == (False, 0)
        with pytest.raises(ValidationError, match="only give shops"):
            managing.create_person(username="puppet2", role="agent", shops=None, by=limited)

    def test_cannot_become_somebody_who_acts_on_more(self, client, limited):
        greater = person("admin", username="greater")
        page = messages(client, url("make_link", greater.pk))
        assert "acts on shops that you do not" in page
        assert "/accounts/password/" not in page.replace(reverse("account_change_password"), "")
        messages(client, url("deactivate", greater.pk))
        client.post(url("change", greater.pk), {"role": "agent"})
        greater.refresh_from_db()
        assert (greater.role, greater.is_active, greater.generation) == ("admin", True, 0)

    def test_manages_those_who_act_on_the_same_shops(self, client, limited):
        messages(client, url("create"), {"username": "junior", "role": "agent", "shops": [Shop.objects.get().pk]})
        junior = Person.objects.get(username="junior")
        messages(client, url("deactivate", junior.pk))
        junior.refresh_from_db()
        assert not junior.is_active


class TestTheList:
    def test_finds_by_name_role_shop_and_state(self, client, admin):
        one = shop("one")
        anna = person("agent", username="anna", every_shop=False)
        anna.access.create(shop=one)
        person("manager", username="bert", every_shop=False)
        person("manager", username="carl", is_active=False, every_shop=False)

        def found(**query: str) -> set[str]:
            page = client.get(url("list"), query, headers=HTMX).content.decode()
            return {name for name in ("boss", "anna", "bert", "carl") if f">{name}</a>" in page}

        assert found() == {"boss", "anna", "bert", "carl"}
        assert found(q="NN") == {"anna"}
        assert found(role="manager") == {"bert", "carl"}
        assert found(role="manager", state="active") == {"bert"}
        assert found(state="inactive") == {"carl"}
        assert found(shop="one") == {"boss", "anna"}
        assert found(shop="nowhere") == set()

    def test_costs_the_same_for_one_and_for_a_page_full(
        self, client, admin, django_assert_num_queries, django_assert_max_num_queries
    ):
        shops = [shop(f"shop{number}") for number in range(5)]
        person("agent", every_shop=False).access.create(shop=shops[0])
        client.get(url("list"))  # a sitting's first page is not counted
        with django_assert_max_num_queries(20) as few:
            client.get(url("list"))
        for number in range(60):
            made = person("agent", username=f"p{number:02}", every_shop=False)
            for one in shops[: number % 6]:
                made.access.create(shop=one)
        with django_assert_num_queries(len(few)):
            page = client.get(url("list")).content.decode()
        assert page.count("data-row") == 50
        assert "Shop0, Shop1" in page
        assert "5 shops" in page
        second = client.get(url("list"), {"page": "2"}).content.decode()
        assert second.count("data-row") == 12
        assert client.get(url("list"), {"page": "99"}).content.decode().count("data-row") == 50
        assert client.get(url("list"), {"page": "x"}).status_code == 200
