"""S4: nothing is changed without a token, nothing by reading, and the browser's helper is kept on a short lead."""

import json
import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from cancellations.audit.models import AuditEvent
from tests.security.ground import ROUTES, build, changed_tables, tables
from tests.security.test_S01_routes import TABLE

pytestmark = pytest.mark.django_db

# What a GET may write, and why. Everything else in the database stays as it is.
ALWAYS = {"django_session"}  # when one was here last
ORDER = {"cancellations_order", "cancellations_orderitem", "cancellations_orderkey"}
MAY_WRITE = {
    "orders:fresh": ORDER,  # the platform is read, and the index is what it said
    "orders:lookup": ORDER | {"cancellations_auditevent"},  # the same; asking a platform for an order is recorded
}
VERBS = {"order.looked_up"}


def test_S04_every_post_without_a_token_is_refused_and_changes_nothing() -> None:
    house = build()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(house.people["admin"])
    before = tables()
    posts = [route for route, answers in TABLE.items() if "POST" in answers]
    assert len(posts) > 30
    for route in posts:
        for more in ({}, {"headers": {"HX-Request": "true"}}, {"headers": {"X-CSRFToken": "a" * 64}}):
            answer = browser.post(house.url(route), {"username": "x"}, **more)
            assert answer.status_code == 403, (route, more, answer.status_code)
    assert changed_tables(before) <= ALWAYS


def test_S04_a_token_of_another_house_or_from_the_address_is_none() -> None:
    house = build()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(house.people["admin"])
    page = browser.get("/me/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]  # type: ignore[index]
    url = house.url("requests:withdraw")
    assert browser.post(f"{url}?csrfmiddlewaretoken={token}").status_code == 403
    evil = {"Origin": "https://evil.example"}
    assert browser.post(url, {"csrfmiddlewaretoken": token}, headers=evil).status_code == 403
    assert browser.post(url, {"csrfmiddlewaretoken": token}).status_code == 303


@pytest.mark.parametrize("slug", ["shoplazza", "sellercenter"])
def test_S04_reading_every_page_in_every_way_changes_nothing(slug: str) -> None:
    house = build(slug)
    browser = house.client("admin")
    browser.get("/")
    wrote = []
    for route in ROUTES():
        extra = {"orders:lookup": f"?q={house.order.ref['order_id']}" if "order_id" in house.order.ref else "?q=12345"}
        for fragment in ({}, {"HX-Request": "true"}):
            for method in ("GET", "HEAD"):
                counted = {"cache"} if route.startswith("account_") else set()  # how often this address came of late
                before, last = tables(), AuditEvent.objects.count()
                browser.generic(method, house.url(route) + extra.get(route, ""), headers=fragment)
                if more := changed_tables(before) - ALWAYS - counted - MAY_WRITE.get(route, set()):
                    wrote.append(f"{method} {route}: {sorted(more)}")
                assert {*AuditEvent.objects.order_by("id").values_list("verb", flat=True)[last:]} <= VERBS
    assert not wrote, "\n".join(wrote)
    assert house.stall.called() == []  # and no platform was asked for a cancellation
    assert Session.objects.count() == 1


def test_S04_a_page_that_is_opened_with_the_words_of_a_post_does_nothing() -> None:
    """What a post would take, in an address instead."""
    house = build()
    browser = house.client("admin")
    browser.get("/")
    before = tables()
    for query in ("?note=x&cancelled=yes", "?language=zh-hans", "?role=admin&every_shop=on", "?_method=POST"):
        for route, answers in TABLE.items():
            if "GET" in answers and route not in MAY_WRITE and not route.startswith("account_"):
                browser.get(house.url(route) + query, headers={"X-HTTP-Method-Override": "POST"})
    assert changed_tables(before) <= ALWAYS


def test_S04_htmx_speaks_to_this_house_only_and_runs_and_keeps_nothing() -> None:
    page = build().client("admin").get("/").content.decode()
    config = json.loads(re.search(r"""name="htmx-config" content='([^']+)'""", page)[1])  # type: ignore[index]
    assert config["selfRequestsOnly"] is True
    assert config["allowEval"] is False
    assert config["allowScriptTags"] is False
    assert config["historyCacheSize"] == 0
    assert config["includeIndicatorStyles"] is False


def test_S04_every_form_on_every_page_carries_its_token_and_stays_in_the_house() -> None:
    house = build()
    browser = house.client("admin")
    bare = []
    seen = 0
    for route, answers in TABLE.items():
        if "GET" not in answers:
            continue
        page = browser.get(house.url(route)).getvalue().decode(errors="replace")
        for form in re.findall(r"<form\b.*?</form>", page, re.S):
            seen += 1
            action = re.search(r'^<form[^>]*\saction="([^"]*)"', form)
            if action and action[1] and not action[1].startswith(("/", "?")):
                bare.append(f"{route}: {action[1]}")
            if re.match(r'<form[^>]*method="post"', form) and "csrfmiddlewaretoken" not in form:
                bare.append(f"{route}: {form[:120]}")
            if not re.match(r'<form[^>]*method="(post|get|dialog)"', form):
                bare.append(f"{route}: {form[:120]}")
            if re.match(r'<form[^>]*method="get"', form) and "csrfmiddlewaretoken" in form:
                bare.append(f"{route}: a token that would get into the address: {form[:120]}")
    assert seen > 40
    assert not bare, "\n".join(bare)
