"""What a page weighs on its way: at most 30 KB by itself, and 150 KB the first time, with everything it loads."""

import re
import uuid
from gzip import decompress
from urllib.parse import urljoin

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from whitenoise.compress import Compressor

from cancellations.batches import handing_in, planning
from cancellations.orders.models import Order
from cancellations.people.models import Person
from cancellations.reasons.models import Reason
from cancellations.requests import asking, delivery, reconciliation
from cancellations.requests.models import Attempt, CancellationRequest
from tests.desk import person, stall, unit_of

pytestmark = pytest.mark.django_db
LATER, FIRST = 30 * 1024, 150 * 1024
# Lists, and how many rows they show at once.
LISTS = {"/orders/": 50, "/cancellations/": 50, "/audit/": 50}
# What a browser fetches for a page, and for a style sheet.
_TAG = re.compile(r"<(?:script|img|link|source|image|use)\b[^>]*>")
_LOADED = re.compile(r'\s(?:src|href)="([^"#?]+)')
_INSIDE = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s;]+)""")
_SRCSET = re.compile(r'\ssrcset="([^"]+)"')


@pytest.fixture
def pages() -> tuple[Client, list[str]]:
    """An admin's browser, and every kind of page with as much on it as there can be."""
    made, admin = stall("shoplazza", count=150), person("admin")
    orders = made.orders()
    told = ask(admin, orders[0])
    delivery.drain(made.shop.pk)
    reconciliation.reconcile(told.pk)
    assert Attempt.objects.filter(cancellation=told).exclude(exchanges=[]).count() == 2
    for one in orders[1:60]:
        ask(admin, one)
    bulk = handing_in.hand_in(
        by=admin, reason=Reason.objects.get(code="out_of_stock"), note="", submission=uuid.uuid4(),
        text="\n".join(one.number for one in orders),
    )  # fmt: skip
    planning.plan(bulk.pk)
    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(admin)
    return client, [
        "/", f"/orders/?shop={made.shop.name}", f"/orders/{orders[-1].pk}/", "/cancellations/",
        f"/cancellations/{told.pk}/", "/bulk/", "/bulk/new/", f"/bulk/{bulk.pk}/", "/audit/", "/shops/",
        f"/shops/{made.shop.name}/", f"/shops/{made.shop.name}/edit/", "/reasons/", "/reasons/out_of_stock/",
        "/people/", "/me/", "/operations/",
    ]  # fmt: skip


def ask(by: Person, order: Order) -> CancellationRequest:
    (asked,) = asking.request_cancellation(by=by, order=order, units=[unit_of(order)], reason_code="out_of_stock")
    return asked.cancellation


def loaded_by(text: str, base: str) -> set[str]:
    """Return the addresses of what a document or a style sheet has the browser fetch."""
    if base.endswith(".css"):
        return {urljoin(base, one) for one in _INSIDE.findall(text) if not one.startswith("data:")}
    tags = " ".join(tag for tag in _TAG.findall(text))
    assert not _SRCSET.search(tags), "what is chosen by width has to be counted, too"
    return {*_LOADED.findall(tags)}


def weight_of(address: str) -> tuple[int, bytes]:
    """Return what a file weighs as it is served, and the file; only our own are loaded."""
    path = finders.find(address.removeprefix("/static/"))
    assert path, address
    with open(path, "rb") as file:
        body = file.read()
    return len(Compressor.compress_gzip(body) if Compressor().should_compress(path) else body), body


def test_a_later_page_weighs_at_most_30_kb(pages: tuple[Client, list[str]]) -> None:
    client, addresses = pages
    weights = {}
    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, "gzip"), address
        rows = decompress(answer.content).count(b"data-row")
        assert rows >= LISTS.get(address.partition("?")[0], 0), f"{address} shows only {rows} rows"
        weights[address] = len(answer.content)
    assert {address: weight for address, weight in weights.items() if weight > LATER} == {}


def test_the_first_page_weighs_at_most_150_kb_with_all_it_loads(pages: tuple[Client, list[str]]) -> None:
    client, addresses = pages
    weights, files = {}, {}
    for address in ("/accounts/login/", *addresses):
        browser = Client(headers={"Accept-Encoding": "gzip"}) if "login" in address else client
        answer = browser.get(address).content
        todo, seen = loaded_by(decompress(answer).decode(), address), set[str]()
        while todo:
            one = todo.pop()
            seen.add(one)
            files[one], body = weight_of(one)
            if one.endswith(".css"):
                todo |= loaded_by(body.decode(), one) - seen
        assert sum(one.endswith(".css") for one in seen) >= 4
        assert sum(one.endswith(".js") for one in seen) >= 3
        weights[address] = len(answer) + sum(files[one] for one in seen)
    assert {address: weight for address, weight in weights.items() if weight > FIRST} == {}
