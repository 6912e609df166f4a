"""The frame, the headers, incidents, language, sign-in and health, as a browser meets them."""

import io
import logging
import re
import time
from datetime import timedelta

import pytest
from allauth.account.forms import default_token_generator as tokens
from allauth.account.utils import user_pk_to_url_str
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path, reverse
from django.utils import timezone

from cancellations.access import ROLES, allowed
from cancellations.audit import trail
from cancellations.audit.models import AuditEvent
from cancellations.models import Person, Pulse, Shop, ShopAccess, ShopHealth
from cancellations.pages import render_page
from cancellations.shops import arming
from config import health, middleware
from config.logs import OneLine

pytestmark = pytest.mark.django_db


def breaks(request: HttpRequest, key: str) -> HttpResponse:
    raise RuntimeError("the sky fell")


def no_database(*_: object) -> None:
    raise OperationalError("gone")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def recorded(request: HttpRequest) -> HttpResponse:
    trail.record("test.done", by=trail.SYSTEM, subject_kind="test")
    return HttpResponse()


@allowed("search")
def page(request: HttpRequest) -> HttpResponse:
    return render_page(request, "404.html", "parts/skeleton.html", {})


handler500 = "config.faults.server_error"
urlpatterns = [
    path("breaks/<str:key>/", breaks),
    path("forbidden/", forbidden),
    path("recorded/", recorded),
    path("page/", page),
    path("", include("config.urls")),
]
here = pytest.mark.urls(__name__)


@pytest.fixture
def person():
    return Person.objects.create_user("maria", password="a long password 1", role="agent")


@pytest.fixture
def signed_in(client, person):
    client.force_login(person)
    return client


def shop(name: str, **more: object) -> Shop:
    return Shop.objects.create(
        **{"name": name, "title": name.title(), "platform": "p", "environment": "live", "base_url": "https://x", **more}
    )


@here
@pytest.mark.parametrize(
    "address", ["/accounts/login/", "/nothing/", "/forbidden/", "/breaks/k/", "/healthz/", "/page/"]
)
def test_every_answer_carries_the_strict_policy_and_its_incident(address, person):
    client = Client(raise_request_exception=False)
    for who in (None, person):
        if who:
            client.force_login(who)
        answer = client.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(answer.headers["X-Incident"]) == 36


@here
@pytest.mark.parametrize(
    "address", ["/accounts/login/", "/me/", "/accounts/password/change/", "/accounts/logout/", "/page/", "/nothing/"]
)
def test_no_page_holds_inline_script_style_or_handlers(signed_in, address):
    html = (Client() if "login" in address else signed_in).get(address).content.decode()
    assert "<html" in html
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|<script(?![^>]* src=)|javascript:", html)


@here
def test_a_broken_page_shows_the_incident_that_the_log_holds_with_the_traceback(person, caplog):
    client = Client(raise_request_exception=False)
    client.force_login(person)
    with caplog.at_level(logging.ERROR):
        answer = client.get("/breaks/one-time-key/")
    incident = answer.headers["X-Incident"]
    assert answer.status_code == 500
    assert incident in answer.content.decode()
    assert "the sky fell" not in answer.content.decode()
    lines = [record for record in caplog.records if incident in record.getMessage()]
    assert len(lines) == 1
    assert "the sky fell" in caplog.text
    assert "one-time-key" not in "".join(record.getMessage() for record in caplog.records)


def test_what_is_not_for_ones_role_is_one_line_of_the_log(person):
    client = Client()
    client.force_login(person)
    console = next(one for one in logging.getLogger().handlers if isinstance(one.formatter, OneLine))
    written, console.stream = console.stream, io.StringIO()
    try:
        assert client.get("/people/").status_code == 403
        said = console.stream.getvalue()
    finally:
        console.stream = written
    assert "Forbidden" in said
    assert said.count("\n") == 1


@here
def test_a_broken_page_is_shown_also_when_the_database_is_gone(monkeypatch, person):
    client = Client(raise_request_exception=False)
    with monkeypatch.context() as patch:
        patch.setattr("django.db.backends.utils.CursorWrapper.execute", no_database)
        assert client.get("/breaks/k/").status_code == 500


@here
def test_what_is_recorded_says_where_it_came_from_and_a_forwarded_address_counts_only_behind_a_proxy(client):
    answer = client.get("/recorded/", headers={"X-Forwarded-For": "9.9.9.9, 8.8.8.8"})
    event = AuditEvent.objects.get()
    assert (event.origin, event.incident) == ("127.0.0.1", answer.headers["X-Incident"])
    with override_settings(BEHIND_PROXY=True):
        client.get("/recorded/", headers={"X-Forwarded-For": "9.9.9.9, 8.8.8.8"})
        client.get("/recorded/", headers={"X-Forwarded-For": "<b>not an address"})
    assert list(AuditEvent.objects.order_by("id").values_list("origin", flat=True))[1:] == ["8.8.8.8", ""]


@here
def test_signed_in_pages_are_kept_by_no_cache(signed_in):
    assert "no-store" in signed_in.get("/page/").headers["Cache-Control"]


@here
def test_a_page_has_two_faces_and_caches_are_told(signed_in):
    whole, part = signed_in.get("/page/"), signed_in.get("/page/", headers={"HX-Request": "true"})
    assert "<html" in whole.content.decode()
    assert "<html" not in part.content.decode()
    assert "HX-Request" in whole.headers["Vary"]


@here
def test_an_expired_sign_in_inside_a_fragment_leads_the_whole_page_to_the_door(client):
    answer = client.get("/page/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/?q=1"})
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=%2Forders%2F%3Fq%3D1"
    assert client.get("/page/").status_code == 302


@here
def test_a_deactivated_person_is_signed_out_at_the_next_click(signed_in, person):
    assert signed_in.get("/page/").status_code == 200
    Person.objects.update(is_active=False)
    assert signed_in.get("/page/").headers["Location"].startswith("/accounts/login/")
    Person.objects.update(is_active=True)
    assert signed_in.get("/page/").status_code == 302


@here
def test_P04_a_page_costs_one_query_for_its_frame_and_a_fragment_none(signed_in, person, django_assert_num_queries):
    for name in ("one", "two"):
        pretend = shop(name, environment="sandbox", base_url="http://127.0.0.1:8765/x")
        ShopAccess.objects.create(shop=pretend, person=person)
    arming.standing()  # looked at every few seconds, not for every page
    with django_assert_num_queries(2 + 1):  # session and person, then the frame
        signed_in.get("/page/")
    with django_assert_num_queries(2):
        signed_in.get("/page/", headers={"HX-Request": "true"})


@here
def test_a_silent_worker_is_told_to_everybody_and_a_lively_one_to_nobody(signed_in):
    words = "No worker has been heard of"
    assert words in signed_in.get("/page/").content.decode()
    Pulse.objects.create(name="worker", at=timezone.now())
    assert words not in signed_in.get("/page/").content.decode()
    Pulse.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert words in signed_in.get("/page/").content.decode()


@here
def test_a_held_shop_is_told_to_whoever_may_act_on_it_and_to_nobody_else(signed_in, person):
    ours, theirs = shop("ours"), shop("theirs", environment="sandbox")
    for one in (ours, theirs):
        ShopHealth.objects.create(shop=one, held_since=timezone.now())
    ShopAccess.objects.create(shop=ours, person=person)
    html = signed_in.get("/page/").content.decode()
    assert "Ours is on hold" in html
    assert "Theirs" not in html
    assert "sandbox" not in html


@here
def test_what_is_said_of_a_sandbox_shop_is_true_of_where_it_points(signed_in, person):
    ShopAccess.objects.create(
        shop=shop("pretend", environment="sandbox", base_url="http://127.0.0.1:8765/x"), person=person
    )
    harmless, real = "nothing cancelled there is cancelled anywhere else", "what is cancelled there is real"
    html = signed_in.get("/page/").content.decode()
    assert harmless in html
    assert real not in html
    Shop.objects.update(base_url="https://api.example.com")
    html = signed_in.get("/page/").content.decode()
    assert harmless not in html
    assert real in html
    more = shop("second", environment="sandbox", base_url="http://127.0.0.1:8765/x")
    ShopAccess.objects.create(shop=more, person=person)
    html = signed_in.get("/page/").content.decode()
    assert "Pretend is marked as a sandbox" in html
    assert "The other sandboxes are for trying out" in html


@here
def test_what_is_said_of_a_held_shop_is_true_of_why(signed_in, person):
    held = shop("ours")
    ShopAccess.objects.create(shop=held, person=person)
    health_of = ShopHealth.objects.create(shop=held, held_since=timezone.now())
    for cause, words in {
        "keys": "its platform refuses our keys", "network": "its platform does not answer",
        "settings": "its connection has to be mended", "clock": "its connection has to be mended",
    }.items():  # fmt: skip
        ShopHealth.objects.filter(pk=health_of.pk).update(hold_cause=cause)
        assert words in signed_in.get("/page/").content.decode(), cause


@here
def test_the_rail_shows_only_where_one_may_go(client):
    shown = {}
    for role in ROLES:
        client.force_login(Person.objects.create_user(role, role=role))
        html = client.get("/page/").content.decode()
        shown[role] = re.findall(r'data-go="(.)"', html[html.index("<nav") : html.index("</nav>")])
    assert shown == {"agent": list("hocb"), "manager": list("hocba"), "admin": list("hocbasrp")}


@pytest.mark.usefixtures("compiled")
def test_what_is_drawn_once_for_all_pages_is_still_each_readers_own(client):
    def places(address: str) -> list[str]:
        html = client.get(address).content.decode()
        return re.findall(r'aria-current="page" data-go="(.)"', html[html.index("<nav") : html.index("</nav>")])

    for role in ROLES:
        for language, words in (("en", "Go to Orders"), ("zh-hans", "前往订单")):
            client.force_login(Person.objects.create_user(f"{role}-{language}", role=role, language=language))
            assert (places("/orders/"), places("/"), places("/me/")) == (["o"], ["h"], [])
            html = client.get("/").content.decode()
            assert words in html
            assert ("Go to People" in html or "前往人员" in html) == (role == "admin")


@pytest.mark.parametrize(
    "address",
    ["signup/", "email/", "password/reset/", "password/set/", "reauthenticate/", "confirm-email/", "login/code/", ""],
)
def test_doors_of_the_sign_in_library_that_this_house_does_not_have_are_closed(client, signed_in, address):
    for who in (Client(), signed_in):
        assert who.get(f"/accounts/{address}").status_code == 404


def test_a_one_time_link_sets_a_password_once(client):
    newcomer = Person.objects.create_user("newcomer", role="agent")
    link = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(newcomer), "key": tokens.make_token(newcomer)},
    )
    form = client.get(link, follow=True)
    assert "Set your password" in form.content.decode()
    assert tokens.make_token(newcomer) not in form.redirect_chain[-1][0]
    done = client.post(
        form.redirect_chain[-1][0], {"password1": "quiet harbour 77", "password2": "quiet harbour 77"}, follow=True
    )
    assert "Your password is set." in done.content.decode()
    assert Client().login(username="newcomer", password="quiet harbour 77")
    assert "This link is used up." in Client().get(link, follow=True).content.decode()


def test_the_language_is_the_persons_then_the_cookies_then_the_browsers(client, person):
    chinese = {"Accept-Language": "zh-CN,zh;q=0.9"}
    assert 'lang="zh-hans"' in client.get("/accounts/login/", headers=chinese).content.decode()
    client.post("/me/language/", {"language": "en", "next": "/accounts/login/"})
    assert 'lang="en"' in client.get("/accounts/login/", headers=chinese).content.decode()
    person.language = "zh-hans"
    person.save()
    client.force_login(person)
    assert 'lang="zh-hans"' in client.get("/me/").content.decode()


def test_choosing_a_language_never_leads_to_another_house(client):
    answer = client.post("/me/language/", {"language": "en", "next": "https://evil.example/x"})
    assert answer.headers["Location"] == "/"


def test_people_keep_their_own_language_and_zone_and_nobody_elses(signed_in, person):
    assert (
        signed_in.post("/me/", {"language": "zh-hans", "time_zone": "Asia/Shanghai", "role": "admin"}).status_code
        == 303
    )
    person.refresh_from_db()
    assert (person.language, person.time_zone, person.role) == ("zh-hans", "Asia/Shanghai", "agent")
    refused = signed_in.post("/me/", {"language": "xx", "time_zone": "Mars/Olympus"})
    assert refused.status_code == 422
    assert "id_language_error" in refused.content.decode()


def test_a_zone_nobody_knows_does_not_break_a_page(signed_in):
    Person.objects.update(time_zone="../etc/passwd", language="xx")
    assert signed_in.get("/me/").status_code == 200
    assert str(middleware.zone_of("Mars/Olympus")) == "UTC"


def test_health_names_what_does_not_answer_within_three_seconds_and_nothing_else(client, monkeypatch):
    assert client.get("/healthz/").json() == {"database": "ok", "broker": "ok"}

    def refuses() -> None:
        raise OSError("redis://:secret@10.0.0.1")

    monkeypatch.setitem(health.CHECKS, "broker", refuses)
    answer = client.get("/healthz/")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "broker": "no answer"})
    assert "secret" not in answer.content.decode()
    monkeypatch.setattr(health, "SECONDS", 0.2)
    monkeypatch.setitem(health.CHECKS, "broker", lambda: time.sleep(1))
    began = time.monotonic()
    assert client.get("/healthz/").status_code == 503
    assert time.monotonic() - began < 0.9


def test_a_form_from_before_the_sign_in_is_refused_in_words(person):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    answer = client.post("/me/", {"language": ""})
    assert answer.status_code == 403
    assert "This was not sent." in answer.content.decode()


def test_too_many_wrong_passwords_are_refused_in_words_even_when_the_next_is_right(client, person):
    cache.clear()
    for password in [*(f"wrong {number}" for number in range(5)), "a long password 1"]:
        answer = client.post("/accounts/login/", {"login": "maria", "password": password})
    assert "_auth_user_id" not in client.session
    assert "Too many failed" in answer.content.decode()
    cache.clear()


def test_zones_are_offered_one_by_one_under_their_area_and_the_own_one_is_chosen(client, person):
    person.time_zone = "Asia/Shanghai"
    person.save(update_fields=["time_zone"])
    client.force_login(person)
    page = client.get("/me/").content.decode()
    assert re.search(r'<optgroup label="Asia">.*<option value="Asia/Shanghai" selected>Shanghai</option>', page)
    assert "[(" not in page
    answer = client.post("/me/", {"language": "", "time_zone": "America/Argentina/Ushuaia"})
    assert answer.status_code == 303
    person.refresh_from_db()
    assert person.time_zone == "America/Argentina/Ushuaia"
