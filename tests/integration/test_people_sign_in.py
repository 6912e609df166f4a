"""Comings and goings in the record, and the lock after too many wrong passwords."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from cancellations.audit.models import AuditEvent
from tests.desk import PASSWORD, person

pytestmark = pytest.mark.django_db
WRONG = "wrong-canary-0815"


def attempt(name: str, password: str = WRONG, browser: Client | None = None, **more: str) -> tuple[bool, str]:
    """Try to sign in; tell whether it worked, and what the page says."""
    answer = (browser or Client()).post(reverse("account_login"), {"login": name, "password": password}, **more)
    return answer.status_code == 302 and answer["Location"] == reverse("home"), answer.content.decode()


def record() -> list[tuple[str, str, str]]:
    return list(AuditEvent.objects.order_by("id").values_list("verb", "actor", "subject"))


def errors(page: str) -> list[str]:
    return [line.strip() for line in page.splitlines() if "<li>" in line or "field-error" in line]


def test_signing_in_and_out_is_recorded_with_where_from():
    person("agent", username="anna")
    browser = Client()
    assert attempt("anna", PASSWORD, browser, REMOTE_ADDR="192.0.2.7")[0]
    browser.post(reverse("account_logout"))
    assert record() == [("person.signed_in", "anna", "anna"), ("person.signed_out", "anna", "anna")]
    assert AuditEvent.objects.get(verb="person.signed_in").origin == "192.0.2.7"


def test_signing_out_when_nobody_is_signed_in_is_no_event():
    Client().post(reverse("account_logout"))
    assert record() == []


def test_a_wrong_password_is_recorded_under_the_name_and_never_itself():
    person("agent", username="anna")
    attempt("ANNA")
    assert record() == [("person.sign_in_failed", "", "anna")]
    assert WRONG not in repr(list(AuditEvent.objects.values()))


def test_a_name_nobody_has_is_not_recorded_for_it_may_be_a_password():
    attempt("my-password-typed-in-the-wrong-box")
    assert record() == [("person.sign_in_failed", "", "")]
    assert "wrong-box" not in repr(list(AuditEvent.objects.values()))


def test_somebody_deactivated_does_not_get_in_and_that_is_recorded():
    person("agent", username="anna", is_active=False)
    worked, _page = attempt("anna", PASSWORD)
    assert not worked
    assert record() == [("person.sign_in_failed", "", "anna")]
    assert AuditEvent.objects.get().data == {"why": "deactivated"}


def test_five_wrong_passwords_lock_the_name_for_the_right_one_too_and_for_nobody_else():
    person("agent", username="anna")
    person("agent", username="bert")
    for _ in range(5):
        assert not attempt("anna")[0]
    assert not attempt("anna", PASSWORD)[0]
    assert not attempt("Anna", PASSWORD, REMOTE_ADDR="192.0.2.9")[0]
    assert attempt("bert", PASSWORD)[0]
    assert [verb for verb, _actor, name in record() if name == "anna"] == [
        *["person.sign_in_failed"] * 5, "person.locked_out",
    ]  # fmt: skip


def test_four_wrong_passwords_lock_nothing():
    person("agent", username="anna")
    for _ in range(4):
        attempt("anna")
    assert attempt("anna", PASSWORD)[0]


def test_the_lock_ends_after_a_quarter_of_an_hour(monkeypatch):
    person("agent", username="anna")
    for _ in range(5):
        attempt("anna")
    assert not attempt("anna", PASSWORD)[0]
    real = time.time
    monkeypatch.setattr("allauth.core.internal.ratelimit.time.time", lambda: real() + 15 * 60 + 1)
    assert attempt("anna", PASSWORD)[0]


def test_whoever_sets_a_new_password_by_a_link_is_not_kept_out_by_the_old_ones():
    anna = person("agent", username="anna")
    for _ in range(5):
        attempt("anna")
    admin = Client()
    admin.force_login(person("admin"))
    page = admin.get(admin.post(reverse("people:make_link", args=[anna.pk]))["Location"]).content.decode()
    link = page.partition("<code>http://testserver")[2].partition("<")[0]
    browser = Client()
    browser.post(browser.get(link)["Location"], {"password1": "fresh-one-4711", "password2": "fresh-one-4711"})
    assert attempt("anna", "fresh-one-4711")[0]


def test_names_that_exist_and_names_that_do_not_are_answered_alike_before_and_after_the_lock():
    person("agent", username="anna")
    for turn in range(7):
        known, unknown = attempt("anna")[1], attempt("nobody1")[1]
        assert errors(known) == errors(unknown), turn
        assert errors(known)
