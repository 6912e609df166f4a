"""The pages of the index: what they show, to whom, and that asking a platform leaks nothing."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.orders import importing, indexing
from cancellations.orders.models import FileImport, Order, Pull
from cancellations.shops.models import Shop, ShopAccess
from providers.contract import Buyer, Capabilities, Card, Field, Standing, Status
from providers.errors import AuthFailed, Cause, Unreachable
from tests.desk import person
from tests.integration.counter_platform import CARD, CounterPlatform, install, open_shop, order

pytestmark = pytest.mark.django_db
LIST = "/orders/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> CounterPlatform:
    return install(monkeypatch)


@pytest.fixture
def shop(platform: CounterPlatform) -> Shop:
    return open_shop()


def signed_in(role: str = "agent", **more: Any) -> Client:
    client = Client()
    client.force_login(person(role, **more))
    return client


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_list_shows_what_one_needs_to_decide(shop: Shop) -> None:
    told = order(standing=Standing(False, "The parcel has left."), status=Status.SHIPPED)
    kept = indexing.put(shop, told, seen_at=timezone.now())
    page = signed_in().get(LIST)
    assert page.status_code == 200
    for words in ("A-1001", "M••• G•••, •••• 4321", "12.50", "EUR", "Shipped", "The parcel has left.", "Counter-1"):
        assert words in text(page), words
    assert reverse("orders:order", args=[kept.pk]) in page.content.decode()
    assert "maria" not in page.content.decode().lower()


def test_P04_the_whole_page_takes_the_same_few_queries_for_few_orders_and_for_many(shop: Shop) -> None:
    client, prices = signed_in(), set()
    client.get(LIST)  # the first page of a sitting notes that it is used
    for upto in (10, 50, 200):
        more = [order(f"M-{number:05}") for number in range(upto)]
        indexing.put_many(shop, more, seen_at=timezone.now())
        for query in ({}, {"q": "M-0"}, {"q": "M-00003"}, {"status": "open"}):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                assert client.get(LIST, query).status_code == 200
            prices.add((str(query), len(asked)))
    assert len(prices) == 4, prices  # one for each query, however many there are
    assert max(price for _, price in prices) <= 8


def test_the_latest_request_shows_in_the_list(shop: Shop) -> None:
    indexing.put(shop, order(), seen_at=timezone.now())
    Order.objects.update(desk_state="uncertain")
    assert "Not sure" in text(signed_in().get(LIST))


def test_a_fragment_holds_only_the_results_and_sets_a_clean_address(shop: Shop) -> None:
    indexing.put(shop, order(), seen_at=timezone.now())
    fragment = signed_in().get(LIST + "?q=A-1001&status=&platform=", headers=HTMX)
    body = fragment.content.decode()
    assert body.lstrip().startswith('<div id="rows"')
    assert "<html" not in body
    assert fragment.headers["HX-Push-Url"] == "/orders/?q=A-1001"
    typed = signed_in().get(LIST + "?q=A-1001", headers={**HTMX, "HX-Trigger": "typing"})
    assert typed.headers["HX-Replace-Url"] == "/orders/?q=A-1001"


def test_every_filter_is_a_chip_whose_link_removes_it(shop: Shop) -> None:
    page = signed_in().get(LIST + "?q=A-1&status=open&shop=counter-1&amount_min=3.50&placed_from=2026-01-02")
    body = page.content.decode()
    for words in ("Search: A-1", "Status: Open", "Shop: Counter-1", "Amount from: 3.5"):
        assert words in text(page), words
    assert 'href="/orders/?q=A-1&amp;shop=counter-1&amp;amount_min=3.50&amp;placed_from=2026-01-02"' in body


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "shop=nowhere",
        "placed_from=yesterday",
        "amount_min=x",
        "amount_min=9&amount_max=3",
        "amount_min=NaN",
    ],
)
def test_a_filter_that_makes_no_sense_is_named_and_the_page_still_answers(shop: Shop, query: str) -> None:
    page = signed_in().get(f"{LIST}?{query}")
    assert page.status_code == 422
    assert "field-error" in page.content.decode()


def test_a_page_of_two_hundred_costs_the_same_queries_as_one_of_ten(shop: Shop) -> None:
    client, counts = signed_in(), []
    for start, count in ((0, 10), (10, 60)):
        indexing.put_many(shop, [order(f"A-{at}") for at in range(start, start + count)], seen_at=timezone.now())
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST + "?q=A", headers=HTMX)
            client.get(LIST + "?q=A-", headers=HTMX)
            client.get(LIST, headers=HTMX)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[0] <= 3 * 8


def test_nothing_found_says_what_it_looked_like_and_offers_to_ask(shop: Shop) -> None:
    page = signed_in().get(LIST + "?q=ZZ-777")
    body = page.content.decode()
    assert "Nothing found for “ZZ-777”" in text(page)
    assert "It looked like the number of an order" in text(page)
    assert 'hx-get="/orders/lookup/counter-1/?q=ZZ-777" hx-trigger="load"' in body


@pytest.mark.parametrize("typed", ["13912345678", "4321"])
def test_what_may_be_a_phone_is_told_to_a_platform_only_when_somebody_asks(shop: Shop, typed: str) -> None:
    body = signed_in().get(f"{LIST}?q={typed}").content.decode()
    assert f"/orders/lookup/counter-1/?q={typed}" in body
    assert f'q={typed}" hx-trigger="load"' not in body


@pytest.mark.parametrize("typed", ["anna@example.com", "Maria Garcia"])
def test_what_is_a_buyers_is_never_offered_to_a_platform(shop: Shop, platform: CounterPlatform, typed: str) -> None:
    client = signed_in()
    assert "/orders/lookup/" not in client.get(LIST, {"q": typed}).content.decode()
    answer = client.get("/orders/lookup/counter-1/", {"q": typed})
    assert "does not look like one" in text(answer)
    assert platform.asked == []
    assert not AuditEvent.objects.filter(verb="order.looked_up").exists()


def test_asking_a_shop_finds_indexes_and_leads_to_the_order(shop: Shop, platform: CounterPlatform) -> None:
    platform.add(order("ZZ-777"))
    fragment = signed_in().get("/orders/lookup/counter-1/?q=%23ZZ-777", headers=HTMX)
    kept = Order.objects.get()
    assert fragment.content.decode().lstrip().startswith('<div id="ask-counter-1"')
    assert reverse("orders:order", args=[kept.pk]) in fragment.content.decode()
    event = AuditEvent.objects.get(verb="order.looked_up")
    assert (event.order_number, event.data) == ("ZZ-777", {"kind": "number", "found": True})


def test_the_event_of_a_vain_search_does_not_say_what_was_typed(shop: Shop, platform: CounterPlatform) -> None:
    fragment = signed_in().get("/orders/lookup/counter-1/?q=13912345678", headers=HTMX)
    assert "no such order" in text(fragment)
    event = AuditEvent.objects.get(verb="order.looked_up")
    assert event.data == {"kind": "number phone", "found": False, "code": "404"}
    assert "13912345678" not in str(AuditEvent.objects.values())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unreachable("timeout", "read timed out"), "did not answer"),
        (AuthFailed("401", cause=Cause.KEYS), "An admin has to mend it"),
    ],
)
def test_a_shop_that_cannot_be_reached_says_so_and_may_be_asked_again(
    shop: Shop, platform: CounterPlatform, error: Exception, words: str
) -> None:
    platform.errors = [error]
    fragment = signed_in().get("/orders/lookup/counter-1/?q=ZZ-777", headers=HTMX)
    assert fragment.status_code == 200
    assert words in text(fragment)
    assert "Ask again" in text(fragment)


def test_an_answer_about_another_order_is_not_taken_for_the_one_asked_for(
    shop: Shop, platform: CounterPlatform
) -> None:
    platform.orders["ZZ-777"] = order("ZZ-778")
    assert "another order" in text(signed_in().get("/orders/lookup/counter-1/?q=ZZ-777"))
    assert not Order.objects.exists()


def test_a_number_may_stand_for_an_id(shop: Shop, platform: CounterPlatform) -> None:
    platform.orders["LC-9"] = order("555", number="LC-9")
    signed_in().get("/orders/lookup/counter-1/?q=LC-9")
    assert Order.objects.get().ref == {"order_id": "555"}


def test_a_platform_that_needs_more_than_a_number_gets_a_form_with_what_it_lists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    courier = Field("courier", "Courier", "Who carries it.")
    card = Card(**{**CARD.__dict__, "lookup": (CARD.lookup[0], courier)})
    platform = install(monkeypatch, card)
    platform.listed = (("SF", "SF Express"),)
    open_shop()
    client = signed_in()
    form = client.get("/orders/lookup/counter-1/?q=ZZ-777", headers=HTMX)
    assert 'name="courier"' in form.content.decode()
    assert '<option value="SF">SF Express</option>' in form.content.decode()
    platform.add(order("ZZ-777", ref={"order_id": "ZZ-777", "courier": "SF"}))
    client.get("/orders/lookup/counter-1/?q=ZZ-777&courier=SF", headers=HTMX)
    assert platform.asked == [{"order_id": "ZZ-777", "courier": "SF"}]
    assert Order.objects.exists()


def test_a_platform_that_cannot_be_asked_is_not_offered(shop: Shop, platform: CounterPlatform) -> None:
    platform.can = Capabilities(get_order=False)
    client = signed_in()
    assert "/orders/lookup/" not in client.get(LIST + "?q=ZZ-777").content.decode()
    assert "Import its orders" in text(client.get("/orders/lookup/counter-1/?q=ZZ-777"))
    assert platform.asked == []


def test_people_without_the_shop_find_nothing_and_may_not_ask(shop: Shop, platform: CounterPlatform) -> None:
    kept = indexing.put(shop, order(), seen_at=timezone.now())
    handed = FileImport.objects.create(shop=shop, by=person("manager"), name="a.csv", handed_in_at=timezone.now())
    Pull.objects.create(shop=shop, watermark=timezone.now())
    stranger = signed_in("manager", every_shop=False)
    for address in (LIST, LIST + "?q=A-1001", LIST + "?q=maria@example.com", "/orders/pulls/", "/orders/import/"):
        page = stranger.get(address)
        assert "A-1001</a>" not in page.content.decode(), address
        assert "Counter-1" not in text(page), address
    for address in (
        "/orders/lookup/counter-1/?q=A-1001",
        "/orders/import/counter-1.csv",
        f"/orders/import/{handed.pk}/",
        reverse("orders:order", args=[kept.pk]),
    ):
        assert stranger.get(address).status_code == 404, address
    upload = {"shop": "counter-1", "file": SimpleUploadedFile("a.csv", b"order_id\n1\n")}
    assert stranger.post("/orders/import/", upload).status_code == 422
    assert platform.asked == []


def test_agents_do_not_import(shop: Shop) -> None:
    client = signed_in("agent")
    assert client.get("/orders/import/").status_code == 403
    assert "/orders/import/" not in client.get(LIST).content.decode()


def test_a_manager_hands_a_file_in_and_sees_what_became_of_it(shop: Shop) -> None:
    client = signed_in("manager", every_shop=False)
    ShopAccess.objects.create(shop=shop, person_id=client.session["_auth_user_id"])
    assert "order_id, courier" in text(client.get("/orders/import/"))
    template = client.get("/orders/import/counter-1.csv")
    assert template.headers["Content-Disposition"] == 'attachment; filename="orders-counter-1.csv"'
    upload = SimpleUploadedFile("march.csv", b"order_id,amount\n1,2\n2,x\n")
    answer = client.post("/orders/import/", {"shop": "counter-1", "file": upload})
    assert answer.status_code == 303
    waiting = client.get(answer.headers["Location"])
    assert "Waiting for a worker" in text(waiting)
    assert "every 2s" in waiting.content.decode()
    importing.run(FileImport.objects.get().pk)
    done = client.get(answer.headers["Location"], headers=HTMX)
    assert "every 2s" not in done.content.decode()
    assert "“amount” is no amount" in text(done)


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        ({}, "Choose a file."),
        ({"file": SimpleUploadedFile("a.csv", b"")}, "The file is empty."),
        ({"file": SimpleUploadedFile("a.csv", b"x" * 100)}, "larger than"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_beside_its_field(
    shop: Shop, upload: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cancellations.orders.forms.MOST_BYTES", 50)
    answer = signed_in("manager").post("/orders/import/", {"shop": "counter-1", **upload})
    assert answer.status_code == 422
    assert words in text(answer)


def test_how_far_the_pulling_is_is_shown_while_it_runs_and_when_it_failed(shop: Shop) -> None:
    now = timezone.now()
    row = Pull.objects.create(shop=shop, lease_until=now + timedelta(minutes=1), seen=40, total=100)
    client = signed_in()
    fragment = client.get("/orders/pulls/", headers=HTMX)
    assert "40 of 100 orders" in text(fragment)
    assert "every 3s" in fragment.content.decode()
    Pull.objects.filter(pk=row.pk).update(lease_until=None, error="The platform cannot be reached.", finished_at=now)
    fragment = client.get("/orders/pulls/", headers=HTMX)
    assert "1 shop could not be pulled" in text(fragment)
    assert "every 3s" not in fragment.content.decode()
    assert "The platform cannot be reached." in text(client.get("/orders/pulls/"))


def test_text_from_a_platform_is_only_text(shop: Shop) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    told = order(number=evil, status_text=evil, buyer=Buyer(evil), standing=Standing(False, evil), currency="<b>")
    indexing.put(shop, told, seen_at=timezone.now())
    body = signed_in().get(LIST, {"q": "A-1001"}).content.decode()
    assert "<img src=x" not in body
    assert "&lt;img" in body
