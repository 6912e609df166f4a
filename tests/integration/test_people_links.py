"""One-time links: shown once, used once, kept nowhere; and what ends an open session."""

import logging
import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from cancellations.audit.models import AuditEvent
from cancellations.people.invitations import LinkTokens
from cancellations.people.models import Person
from tests.desk import PASSWORD, person

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "a-fresh-one-4711"


def url(name: str, *args: object) -> str:
    return reverse(f"people:{name}", args=args)


def link_in(page: str) -> str:
    """Return the path of the link on a page, or ""."""
    found = re.search(r"<code>(http[^<]*/accounts/password/reset/key/[^<]+)</code>", page)
    return urlsplit(found[1]).path if found else ""


def followed(client, path: str, given=None) -> str:
    answer = client.post(path, given or {})
    assert answer.status_code == 303
    return client.get(answer["Location"]).content.decode()


def use(link: str, password: str = NEW_PASSWORD) -> bool:
    """Open a link in a browser of its own and set a password; tell whether that was possible."""
    browser = Client()
    answer = browser.get(link)
    if answer.status_code != 302:
        assert "This link is used up" in answer.content.decode()
        return False
    answer = browser.post(answer["Location"], {"password1": password, "password2": password})
    assert answer.status_code == 302
    return True


def sign_in(name: str, password: str) -> Client:
    browser = Client()
    browser.post(reverse("account_login"), {"login": name, "password": password})
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(reverse("me")).status_code == 200


@pytest.fixture
def admin(client):
    admin = person("admin", username="boss")
    client.force_login(admin)
    return admin


@pytest.fixture
def somebody():
    return person("agent", username="somebody")


def test_the_link_is_shown_once_and_sets_a_password_once(client, admin):
    page = followed(client, url("create"), {"username": "newcomer", "role": "agent", "every_shop": "on"})
    link = link_in(page)
    made = Person.objects.get(username="newcomer")
    assert link
    assert link_in(client.get(url("person", made.pk)).content.decode()) == ""
    assert use(link)
    assert is_in(sign_in("newcomer", NEW_PASSWORD))
    assert not use(link, "another-one-4712")


def test_the_link_is_shown_on_no_other_persons_page(client, admin, somebody):
    made = client.post(url("create"), {"username": "newcomer", "role": "agent", "every_shop": "on"})["Location"]
    assert link_in(client.get(url("person", somebody.pk)).content.decode()) == ""
    assert link_in(client.get(made).content.decode())


def test_the_link_stands_in_no_event_no_log_and_no_session(client, admin, somebody, caplog):
    caplog.set_level(logging.DEBUG)
    made = client.post(url("make_link", somebody.pk))["Location"]
    kept = [one.get_decoded() for one in Session.objects.all()]
    link = link_in(client.get(made).content.decode())
    key = link.rstrip("/").rpartition("/")[2].partition("-")[2]
    assert len(key) > 20
    stored = repr([kept, [one.get_decoded() for one in Session.objects.all()], list(AuditEvent.objects.values())])
    assert key not in stored
    assert key not in caplog.text
    event = AuditEvent.objects.get(verb="person.link_made")
    assert (event.actor, event.subject, list(event.data)) == ("boss", "somebody", ["until"])


def test_a_new_link_ends_the_one_before_and_the_password_works_until_it_is_used(client, admin, somebody):
    first = link_in(followed(client, url("make_link", somebody.pk)))
    second = link_in(followed(client, url("make_link", somebody.pk)))
    assert first != second
    assert not use(first)
    assert sign_in("somebody", "wrong-one-0815").session.get("_auth_user_id") is None
    assert use(second)
    assert not is_in(sign_in("somebody", PASSWORD))
    assert is_in(sign_in("somebody", NEW_PASSWORD))


def test_a_link_made_by_two_admins_is_shown_only_while_it_is_the_newest(client, admin, somebody):
    other = Client()
    other.force_login(person("admin"))
    mine = client.post(url("make_link", somebody.pk))["Location"]
    theirs = other.post(url("make_link", somebody.pk))["Location"]
    assert link_in(client.get(mine).content.decode()) == ""
    assert use(link_in(other.get(theirs).content.decode()))


def test_a_link_ends_after_its_time(client, admin, somebody, settings, monkeypatch):
    link = link_in(followed(client, url("make_link", somebody.pk)))
    now = LinkTokens._now
    late = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 5)
    monkeypatch.setattr(LinkTokens, "_now", lambda self: now(self) + late)
    assert not use(link)


def test_a_link_ends_with_its_person_and_does_not_come_back(client, admin, somebody):
    link = link_in(followed(client, url("make_link", somebody.pk)))
    followed(client, url("deactivate", somebody.pk))
    assert not use(link)
    assert "Reactivate" in followed(client, url("make_link", somebody.pk))
    followed(client, url("reactivate", somebody.pk))
    assert not use(link)


def test_a_link_opened_but_not_used_in_time_sets_nothing(client, admin, somebody):
    browser = Client()
    form = browser.get(link_in(followed(client, url("make_link", somebody.pk))))["Location"]
    followed(client, url("deactivate", somebody.pk))
    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    somebody.refresh_from_db()
    assert somebody.check_password(PASSWORD)


def test_setting_a_password_changes_nothing_else_and_is_recorded(client, admin, somebody):
    browser = Client()
    form = browser.get(link_in(followed(client, url("make_link", somebody.pk))))["Location"]
    Person.objects.filter(pk=somebody.pk).update(language="zh-hans")
    browser.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    somebody.refresh_from_db()
    assert somebody.language == "zh-hans"
    event = AuditEvent.objects.get(verb="person.password_set")
    assert (event.actor, event.subject, event.data) == ("somebody", "somebody", {})


@pytest.mark.parametrize("weak", ["short", "password123", "somebody12"])
def test_a_weak_password_is_refused_and_the_link_still_works(client, admin, somebody, weak):
    link = link_in(followed(client, url("make_link", somebody.pk)))
    browser = Client()
    form = browser.get(link)["Location"]
    answer = browser.post(form, {"password1": weak, "password2": weak})
    assert answer.status_code in (200, 422)
    assert use(link)


class TestSessions:
    @pytest.fixture
    def browser(self, somebody):
        browser = sign_in("somebody", PASSWORD)
        assert is_in(browser)
        return browser

    def test_end_at_once_when_their_person_is_deactivated_and_stay_ended(self, client, admin, somebody, browser):
        copy = Client()
        copy.cookies = browser.cookies
        followed(client, url("deactivate", somebody.pk))
        followed(client, url("reactivate", somebody.pk))
        assert not is_in(browser)
        assert not is_in(copy)
        assert is_in(sign_in("somebody", PASSWORD))

    def test_end_while_their_person_is_deactivated(self, client, admin, somebody, browser):
        followed(client, url("deactivate", somebody.pk))
        assert not is_in(browser)
        assert not is_in(sign_in("somebody", PASSWORD))

    def test_end_with_another_role(self, client, admin, somebody, browser):
        followed(client, url("change", somebody.pk), {"role": "manager", "every_shop": "on"})
        assert not is_in(browser)

    def test_go_on_with_other_shops(self, client, admin, somebody, browser):
        followed(client, url("change", somebody.pk), {"role": "agent"})
        assert is_in(browser)

    def test_end_with_a_new_link_and_with_a_new_password(self, client, admin, somebody, browser):
        followed(client, url("make_link", somebody.pk))
        assert not is_in(browser)
        again = sign_in("somebody", PASSWORD)
        assert is_in(again)
        assert use(link_in(followed(client, url("make_link", somebody.pk))))
        assert not is_in(again)

    def test_the_one_in_which_a_password_is_changed_goes_on_and_all_others_end(self, somebody, browser):
        other = sign_in("somebody", PASSWORD)
        given = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        browser.post(reverse("account_change_password"), given)
        assert is_in(browser)
        assert not is_in(other)
