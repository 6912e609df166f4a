"""S3: a sign-in is new when it begins, ends when it is not used, and ends everywhere when something about it changes."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from cancellations.people.models import Person
from config.middleware import POLLED
from tests.desk import PASSWORD, person
from tests.security.ground import ROUTES, build

pytestmark = pytest.mark.django_db
FRAGMENT = {"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/"}


def sign_in(who: Person, browser: Client | None = None, password: str = PASSWORD) -> Client:
    browser = browser or Client()
    answer = browser.post("/accounts/login/", {"login": who.username, "password": password})
    assert answer.status_code == 302
    return browser


def is_in(browser: Client) -> bool:
    """Tell whether a fragment is still answered; when not, the whole page has to go to the door."""
    answer = browser.get("/orders/", headers=FRAGMENT)
    if answer.status_code == 200 and "HX-Redirect" not in answer.headers:
        return True
    assert answer.headers["HX-Redirect"].startswith("/accounts/login/")
    return False


def age(browser: Client, **seconds: int) -> None:
    """Let a session's marks be older by so much."""
    session: Any = browser.session
    for mark, by in seconds.items():
        session[mark] -= by
    session.save()


def test_S03_the_key_of_a_session_is_another_one_after_signing_in() -> None:
    browser = Client()
    browser.post("/me/language/", {"language": "en"})
    session: Any = browser.session
    session["planted"] = "by somebody else"
    session.save()
    before = session.session_key
    sign_in(person(), browser)
    assert browser.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    browser.cookies["session"] = before
    assert not is_in(browser)


def test_S03_a_key_somebody_made_up_is_not_taken() -> None:
    browser = Client()
    browser.cookies["session"] = "attackerchosenkey0123456789abcdef"
    sign_in(person(), browser)
    assert browser.session.session_key != "attackerchosenkey0123456789abcdef"


def test_S03_another_person_at_the_same_browser_finds_nothing_of_the_one_before() -> None:
    browser = sign_in(person("admin"))
    session: Any = browser.session
    session["checkup"] = {"shop": 1, "secret": "of the one before"}
    session.save()
    browser.post("/accounts/logout/")
    sign_in(person("agent"), browser)
    assert "checkup" not in browser.session


def test_S03_half_an_hour_without_use_ends_it_and_using_it_does_not() -> None:
    browser = sign_in(person())
    assert is_in(browser)
    for _ in range(3):
        age(browser, used=1700)
        assert is_in(browser)
    key = browser.session.session_key
    age(browser, used=1801)
    assert not is_in(browser)
    assert not Session.objects.filter(session_key=key).exists()


def test_S03_a_page_left_open_that_asks_by_itself_is_no_use_of_it() -> None:
    house = build()
    browser = sign_in(house.people["admin"])
    assert set(ROUTES()) >= POLLED
    browser.get("/")
    for route in POLLED:
        age(browser, used=120)
        before = browser.session["used"]
        assert browser.get(house.url(route), headers=FRAGMENT).status_code == 200
        assert browser.session["used"] == before, route
    assert not is_in(browser) or browser.session["used"] > before
    age(browser, used=1801)
    assert "HX-Redirect" in browser.get(house.url("requests:status"), headers=FRAGMENT).headers


def test_S03_half_a_day_ends_it_however_much_it_is_used() -> None:
    browser = sign_in(person())
    assert is_in(browser)
    for _ in range(30):
        age(browser, begun=1450, used=1450)
        assert browser.get("/orders/").status_code in (200, 302)
        if "_auth_user_id" not in browser.session:
            break
    assert not is_in(browser)


def test_S03_use_is_noted_at_most_once_a_minute() -> None:
    browser = sign_in(person())
    browser.get("/orders/")
    age(browser, used=59)
    before = browser.session["used"]
    browser.get("/orders/")
    assert browser.session["used"] in (before, before + 60, before + 59)
    age(browser, used=61)
    browser.get("/orders/")
    assert browser.session["used"] > before


def test_S03_another_password_ends_the_others_and_keeps_the_one_at_hand() -> None:
    who = person()
    here, elsewhere = sign_in(who), sign_in(who)
    key = here.session.session_key
    given = {"oldpassword": PASSWORD, "password1": "another-long-1", "password2": "another-long-1"}
    assert here.post("/accounts/password/change/", given).status_code == 302
    assert is_in(here)
    assert here.session.session_key != key
    assert not is_in(elsewhere)


@pytest.mark.parametrize("act", ["role", "deactivate", "link"])
def test_S03_role_link_and_deactivation_end_every_session_at_the_next_fragment(act: str) -> None:
    who, admin = person("manager"), sign_in(person("admin"))
    open_ones = [sign_in(who), sign_in(who)]
    if act == "role":
        admin.post(f"/people/{who.pk}/change/", {"role": "agent", "every_shop": "on"})
        assert Person.objects.get(pk=who.pk).role == "agent"
    else:
        admin.post(f"/people/{who.pk}/{'deactivate' if act == 'deactivate' else 'link'}/")
    assert [is_in(one) for one in open_ones] == [False, False]


@pytest.mark.parametrize("line", ['password = "quite-another-long-1"', 'role = "manager"'])
def test_S03_another_password_or_role_in_a_file_ends_every_session(line: str, tmp_path: Path) -> None:
    who = person("agent", username="agent1")
    open_ones = [sign_in(who), sign_in(who)]
    file = tmp_path / "people.toml"
    role = "" if "role" in line else 'role = "agent"\n'
    for text, still in ((f'role = "agent"\npassword = "{PASSWORD}"', True), (f"{role}{line}", False)):
        file.write_text(f'[[person]]\nusername = "agent1"\n{text}\n')
        call_command("configure", str(file), stdout=io.StringIO())
        assert [is_in(one) for one in open_ones] == [still, still], text


def test_S03_a_shop_taken_away_is_gone_at_the_next_fragment() -> None:
    house = build()
    browser = sign_in(house.people["agent"])
    pages = [house.url(route) for route in ("orders:order", "requests:status", "requests:cancellation", "shops:shop")]
    assert [browser.get(page, headers=FRAGMENT).status_code for page in pages] == [200] * len(pages)
    sign_in(house.people["admin"]).post(f"/shops/{house.stall.shop.name}/access/set/", {"people": []})
    assert not house.stall.shop.access.exists()
    assert [browser.get(page, headers=FRAGMENT).status_code for page in pages] == [404] * len(pages)


def test_S03_who_is_let_in_again_finds_no_session_of_before() -> None:
    who, admin = person("agent"), sign_in(person("admin"))
    browser = sign_in(who)
    admin.post(f"/people/{who.pk}/deactivate/")
    admin.post(f"/people/{who.pk}/reactivate/")
    assert Person.objects.get(pk=who.pk).is_active
    assert not is_in(browser)


def test_S03_signing_out_ends_the_session_in_the_database() -> None:
    browser = sign_in(person())
    key = browser.session.session_key
    browser.post("/accounts/logout/")
    assert not Session.objects.filter(session_key=key).exists()
    browser.cookies["session"] = key
    assert not is_in(browser)


def test_S03_a_session_row_says_nothing_in_clear_that_opens_anything() -> None:
    """What lies in the database is signed, and belongs to this person, role and password."""
    browser = sign_in(person())
    session: Any = browser.session
    other = person("admin")
    session["_auth_user_id"] = str(other.pk)
    session.save()
    assert not is_in(browser)


def test_S03_the_door_leads_nowhere_but_into_this_house() -> None:
    for there in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\thttps:evil"):
        who = person()
        answer = Client().post(
            f"{reverse('account_login')}?next={there}", {"login": who.username, "password": PASSWORD, "next": there}
        )
        assert answer.headers["Location"] == "/", there
