"""S1: every route, by every method, for six kinds of people, against a table that is written out here."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from tests.security.ground import ROLES, ROUTES, build, told

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")

# Answers to: anonymous, outsider, agent, manager, admin, deactivated. ``in``: to the sign-in page. With real keys and,
# for posts, an empty form.
PAGE = "in 200 200 200 200 in"  # for everybody who is signed in
OWN = "in 404 200 200 200 in"  # for whoever may act on the shop
MANAGER = "in 403 403 200 200 in"
ADMIN = "in 403 403 403 200 in"
ALL = "200 200 200 200 200 200"
NONE = "404 404 404 404 404 404"

# What a route takes, and what it answers to each of the six by each of those.
TABLE: dict[str, dict[str, str]] = {
    "home": {"GET": PAGE},
    "me": {"GET": PAGE, "HEAD": PAGE, "POST": "in 303 303 303 303 in"},
    "language": {"POST": "303 303 303 303 303 303"},
    "health": {"GET": ALL, "HEAD": ALL},
    "account_login": {"GET": "200 302 302 302 302 200", "HEAD": "200 302 302 302 302 200",
                      "POST": "200 302 302 302 302 200"},
    "account_logout": {"GET": "302 200 200 200 200 302", "HEAD": "302 200 200 200 200 302",
                       "POST": "302 302 302 302 302 302"},
    "account_inactive": {"GET": ALL, "HEAD": ALL},
    "account_change_password": {"GET": PAGE, "HEAD": PAGE, "POST": PAGE},
    "account_reset_password_from_key": {"GET": ALL, "HEAD": ALL, "POST": ALL},
    "account_reset_password_from_key_done": {"GET": ALL, "HEAD": ALL},
    "account_signup": dict.fromkeys(METHODS, NONE),
    "account_set_password": dict.fromkeys(METHODS, NONE),
    "account_reauthenticate": dict.fromkeys(METHODS, NONE),
    "orders:list": {"GET": PAGE},
    "orders:pulls": {"GET": PAGE},
    "orders:lookup": {"GET": OWN},
    "orders:import": {"GET": MANAGER, "POST": "in 403 403 422 422 in"},
    "orders:imported": {"GET": MANAGER},
    "orders:refused": {"GET": "in 403 403 200 404 in"},  # the manager handed it in
    "orders:template": {"GET": MANAGER},
    "orders:order": {"GET": OWN},
    "orders:fresh": {"GET": OWN},
    "orders:cancel": {"POST": "in 404 422 422 422 in"},
    "requests:list": {"GET": PAGE},
    "requests:cancellation": {"GET": OWN},
    "requests:status": {"GET": OWN},
    "requests:approve": {"POST": "in 403 403 409 409 in"},
    "requests:decline": {"POST": "in 403 403 409 409 in"},
    "requests:withdraw": {"POST": "in 404 303 303 303 in"},
    "requests:check": {"POST": "in 404 409 409 409 in"},
    "requests:resend": {"POST": "in 404 409 409 409 in"},
    "requests:settle": {"POST": "in 403 403 422 422 in"},
    "requests:close_alarm": {"POST": "in 403 403 422 422 in"},
    "requests:picture": {"GET": OWN},
    "requests:export": {"POST": MANAGER},
    "operations": {"GET": ADMIN},
    "batches:list": {"GET": PAGE},
    "batches:new": {"GET": PAGE, "POST": "in 422 422 422 422 in"},
    "batches:selection": {"POST": "in 303 303 303 303 in"},
    "batches:template": {"GET": PAGE},
    "batches:batch": {"GET": OWN},
    "batches:progress": {"GET": OWN},
    "batches:result": {"GET": OWN},
    "batches:start": {"POST": "in 404 409 409 409 in"},
    "batches:discard": {"POST": "in 404 303 409 409 in"},
    "batches:pause": {"POST": "in 404 409 409 409 in"},
    "batches:resume": {"POST": "in 404 409 409 409 in"},
    "batches:stop": {"POST": "in 404 409 409 409 in"},
    "batches:retry": {"POST": "in 404 409 409 409 in"},
    "batches:choose": {"POST": "in 404 422 422 422 in"},
    "audit:list": {"GET": MANAGER},
    "audit:record": {"GET": MANAGER},
    "audit:check": {"POST": "in 403 403 303 303 in"},
    "audit:export": {"POST": MANAGER},
    "shops:list": {"GET": PAGE},
    "shops:shop": {"GET": OWN},
    "shops:choose": {"GET": ADMIN},
    "shops:new": {"GET": ADMIN},
    "shops:create": {"POST": "in 403 403 403 422 in"},
    "shops:check": {"POST": "in 403 403 403 303 in"},
    "shops:edit": {"GET": ADMIN},
    "shops:change": {"POST": "in 403 403 403 422 in"},
    "shops:keys": {"GET": ADMIN},
    "shops:replace_keys": {"POST": "in 403 403 403 422 in"},
    "shops:access": {"GET": ADMIN},
    "shops:set_access": {"POST": "in 403 403 403 303 in"},
    "shops:switch_on": {"POST": "in 403 403 403 303 in"},
    "shops:switch_off": {"POST": "in 403 403 403 303 in"},
    "reasons:list": {"GET": PAGE},
    "reasons:new": {"GET": ADMIN},
    "reasons:create": {"POST": "in 403 403 403 422 in"},
    "reasons:lists": {"GET": ADMIN},
    "reasons:read_list": {"POST": "in 403 403 403 303 in"},
    "reasons:reason": {"GET": PAGE},
    "reasons:edit": {"GET": ADMIN},
    "reasons:change": {"POST": "in 403 403 403 422 in"},
    "reasons:retire": {"POST": "in 403 403 403 303 in"},
    "reasons:restore": {"POST": "in 403 403 403 303 in"},
    "reasons:map": {"POST": "in 403 403 403 422 in"},
    "people:list": {"GET": ADMIN},
    "people:new": {"GET": ADMIN},
    "people:create": {"POST": "in 403 403 403 422 in"},
    "people:person": {"GET": ADMIN},
    "people:change": {"POST": "in 403 403 403 422 in"},
    "people:deactivate": {"POST": "in 403 403 403 303 in"},
    "people:reactivate": {"POST": "in 403 403 403 303 in"},
    "people:make_link": {"POST": "in 403 403 403 303 in"},
}  # fmt: skip


def spoken(answer: Any) -> str:
    """Return the status, or ``in`` for the way to the sign-in page."""
    if answer.status_code == 302 and answer.headers["Location"].startswith("/accounts/login/?next="):
        return "in"
    return str(answer.status_code)


def undone(act: Callable[[], Any]) -> Any:
    """Do something, and take it back."""
    with transaction.atomic():
        answer = act()
        if answer.streaming:
            list(answer.streaming_content)
        transaction.set_rollback(True)
    return answer


def test_S01_every_route_stands_in_the_table_and_nothing_else() -> None:
    assert set(TABLE) == set(ROUTES())


@pytest.mark.parametrize("role", ROLES)
def test_S01_each_route_answers_each_method_as_the_table_says(role: str) -> None:
    house = build()
    wrong = []
    for route, answers in TABLE.items():
        for method in METHODS:
            wanted = answers[method].split() if method in answers else ["405"] * len(ROLES)
            expected = wanted[ROLES.index(role)]
            browser = house.client(role)
            answer = undone(lambda: browser.generic(method, house.url(route)))  # noqa: B023 - done at once
            if spoken(answer) != expected:
                wrong.append(f"{method} {route}: {spoken(answer)} instead of {expected}")
            if method == "HEAD" and answer.content:
                wrong.append(f"HEAD {route}: a body")
    assert not wrong, "\n".join(wrong)


# Every route whose keys name something that belongs to a shop, with keys that name nothing.
OF_A_SHOP = {
    route: {"pk": 987654321} if "pk" in keys else {"name": "no-such-shop"}
    for route, keys in ROUTES().items()
    if {"pk", "name"} & set(keys) and not route.startswith("people:")
}


def same_but_for(text: str, *names: object) -> str:
    """Return a text in which the names that were asked for are alike."""
    for name in names:
        text = text.replace(str(name), "NAME")
    return text


@pytest.mark.parametrize("role", ["agent", "manager", "admin"])
@pytest.mark.parametrize("fragment", [False, True])
def test_S01_what_belongs_to_a_foreign_shop_is_answered_as_what_is_not_there(role: str, fragment: bool) -> None:
    assert len(OF_A_SHOP) >= 25
    house = build()
    house.promote("outsider", role)
    browser = house.client("outsider", headers={"HX-Request": "true"} if fragment else {})
    differ = []
    for route, absent in OF_A_SHOP.items():
        for method in (one for one in TABLE[route] if one in ("GET", "POST")):
            there, nowhere = house.url(route), house.url(route, **absent)
            foreign, nothing = browser.generic(method, there), browser.generic(method, nowhere)
            alike = same_but_for(told(foreign), there) == same_but_for(told(nothing), nowhere)
            if spoken(foreign) != spoken(nothing) or not alike:
                differ.append(f"{method} {route}: {spoken(foreign)} and {spoken(nothing)}")
            may = TABLE[route][method].split()[ROLES.index(role)] != "403"
            if spoken(foreign) != ("404" if may else "403"):
                differ.append(f"{method} {route}: {spoken(foreign)}")
    assert not differ, "\n".join(differ)


@pytest.mark.parametrize(
    "address",
    [
        "/orders/?shop={}", "/orders/?q=abc123&shop={}", "/cancellations/?shop={}", "/audit/?shop={}",
        "/orders/import/?shop={}", "/people/?shop={}", "/reasons/?shop={}", "/shops/?name={}",
    ],
)  # fmt: skip
def test_S01_a_foreign_shop_in_a_filter_is_answered_as_one_that_is_not_there(address: str) -> None:
    house = build()
    house.promote("outsider", "admin")
    browser = house.client("outsider")
    name = house.stall.shop.name
    foreign, nothing = browser.get(address.format(name)), browser.get(address.format("no-such-shop"))
    assert foreign.status_code == nothing.status_code
    assert same_but_for(told(foreign), name) == same_but_for(told(nothing), "no-such-shop")
    assert house.stall.shop.title not in told(foreign)


def test_S01_imports_and_exports_and_mappings_of_a_foreign_shop_are_refused_as_of_none() -> None:
    house = build()
    house.promote("outsider", "admin")
    browser = house.client("outsider")
    heard = {}
    for name in (house.stall.shop.name, "no-such-shop"):
        file = SimpleUploadedFile("orders.csv", b"order_id\n1\n", "text/csv")
        given = {"platform": house.stall.slug, "shop": name, "value": "x"}
        answers = [
            browser.post("/orders/import/", {"shop": name, "file": file}),
            browser.post(f"/audit/export/csv/?shop={name}"),
            browser.post(f"/cancellations/export/?shop={name}"),
            browser.post("/reasons/other/map/", given),
            browser.post("/people/new/create/", {"username": "newone", "role": "agent", "shops": [name]}),
        ]
        assert [one.status_code for one in answers] == [422, 303, 303, 422, 422]
        heard[name] = [same_but_for(told(one) + one.headers.get("Location", ""), name) for one in answers]
    first, second = heard.values()
    assert first == second
    assert not house.stall.shop.imports.exclude(pk=house.handed.pk).exists()


def test_S01_an_outsider_sees_nothing_of_the_shop_on_any_page_without_keys() -> None:
    """Lists, counts, home and filters: what the shop is called, its orders and its cancellations."""
    house = build()
    for role in ("agent", "manager", "admin"):
        house.promote("outsider", role)
        browser = house.client("outsider")
        for route, keys in ROUTES().items():
            if keys or "GET" not in TABLE[route] or role not in ("admin", "manager", "agent"):
                continue
            body = told(browser.get(house.url(route) + ("?q=" + house.order.number if route == "orders:list" else "")))
            body = body.replace(f'value="{house.order.number}"', "")  # what was typed oneself
            for secret in (house.stall.shop.name, house.stall.shop.title, house.cancellation.order_number):
                assert secret not in body, (role, route, secret)


def test_S01_two_units_of_shops_apart_cannot_be_cancelled_through_each_others_address() -> None:
    """The order in the address is what counts; a unit posted along with it must belong to it."""
    house = build("sellercenter")
    mine, other = house.stall.orders()[2:4]
    browser = house.client("agent")
    form = {"reason": "out_of_stock", "note": "x", "version": mine.version,
            "submission": "6f0d4f62-0a4d-4a0e-9d75-000000000001", "units": [other.items.all()[0].ref]}  # fmt: skip
    answer = browser.post(f"/orders/{mine.pk}/cancel/", form)
    assert answer.status_code == 422
    assert house.stall.shop.cancellations.count() == 1
