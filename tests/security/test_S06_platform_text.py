"""S6: whatever a platform says is text. It adds no element, no attribute and no address to any page."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cancellations.orders import indexing
from cancellations.orders.models import Order
from cancellations.reasons import refreshing
from cancellations.requests import asking, delivery, reconciliation
from cancellations.shops import connection, health
from cancellations.shops.models import Shop, ShopHealth
from providers.contract import Buyer, PlatformItem, PlatformOrder, PlatformReason, Receipt, Standing, Status, Trace
from providers.errors import Advice, AuthFailed, OutcomeUnknown, RateLimited, Rejected, Unreachable
from tests.desk import person
from tests.security.hostile import Mouth, hostile_shop
from tests.security.payloads import MARK, PAYLOADS, Reader, read

pytestmark = pytest.mark.django_db
PLAIN = f"{MARK}plain"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def order_saying(text: str, number: int) -> PlatformOrder:
    """Return an order every string of which is the payload; its id is cut to what can be an id."""
    item = PlatformItem(
        ref=f"{number}{text}"[:110], name=text, sku=text, status=Status.OPEN, status_text=text, amount=Decimal(5),
        currency=text, standing=Standing(True, text), keys=(("waybill", text), (text, text)),
    )  # fmt: skip
    return PlatformOrder(
        ref={"order_id": f"{number}{text}"[:300].encode("utf-8", "replace").decode(), text: text}, number=text, status=Status.OPEN, status_text=text,
        placed_at=NOW, updated_at=NOW, amount=Decimal("12.50"), currency=text,
        buyer=Buyer(f"{text} {text}", f"{text}@x", f"{text}1234567"), items=(item,), keys=((text, text),),
        standing=Standing(True, text), traces=(Trace(NOW, text, text),), facts=((text, text), ("Fact", text)),
    )  # fmt: skip


ERRORS = {
    "rejected": lambda text: Rejected(text, text, advice=Advice(text, text), request_id=text),
    "uncertain": lambda text: OutcomeUnknown(text, text, advice=Advice(text, text), request_id=text),
    "unreachable": lambda text: Unreachable(text, text, advice=Advice(text, text), request_id=text),
    "limited": lambda text: RateLimited(text, text, advice=Advice(text, text), request_id=text),
    "accepted": lambda text: Receipt(False, False, text, text, text, text),
    "succeeded": lambda text: Receipt(True, False, text, text, text, text),
}


class Stage:
    """A hostile shop, somebody who looks at it, and what every page looked like with a plain text."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.mouth = hostile_shop(monkeypatch)
        self.by = person("admin", username="looker")
        self.browser = Client()
        self.browser.force_login(self.by)
        self.plain: dict[str, Reader] = {}
        self.faults: list[str] = []

    def put(self, text: str, number: int) -> Order:
        said = order_saying(text, number)
        self.mouth.orders[said.ref["order_id"].replace("\x00", "")] = said
        return indexing.put(self.shop, said, seen_at=timezone.now())

    def look(self, kind: str, url: str, text: str, **more: Any) -> None:
        """Open a page; it must be made as it was with a plain text."""
        answer = self.browser.get(url, **more)
        if answer.status_code != 200:
            self.faults.append(f"{kind} with {text[:40]!r}: {answer.status_code}")
            return
        page = read(answer)
        self.faults += [f"{kind} with {text[:40]!r}: {fault}" for fault in page.faults]
        plain = self.plain.setdefault(kind, page)
        if page.shape != plain.shape and len(text) < 100:  # a longer one is cut, and then differs from its neighbour
            pairs = enumerate(zip(page.shape, plain.shape, strict=False))
            at = next((at for at, pair in pairs if pair[0] != pair[1]), 0)
            odd = page.shape[at - 3 : at + 2], plain.shape[at - 3 : at + 2]
            self.faults.append(f"{kind} with {text[:40]!r}: other elements: {odd}")


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def test_S06_there_are_enough_payloads_and_the_reader_sees_an_attack() -> None:
    assert len(PAYLOADS) >= 60

    class Answer:
        content = b'<p>%s</p><a href="javascript:1" onclick="x">y</a>' % PAYLOADS[3].encode()

    assert len(read(Answer()).faults) >= 3


def test_S06_orders_are_shown_as_text_in_lists_pages_and_fragments(stage: Stage) -> None:
    for number, text in enumerate([PLAIN, *PAYLOADS]):
        order = stage.put(text, number)
        stage.look("order", f"/orders/{order.pk}/", text)
        stage.look("fresh", f"/orders/{order.pk}/fresh/", text, headers={"HX-Request": "true"})
    at = ""
    for _ in range(3):
        answer = stage.browser.get(f"/orders/?at={at}")
        stage.faults += read(answer).faults
        at = answer.context["results"].page.next
    assert not stage.faults, "\n".join(stage.faults)
    assert Order.objects.filter(shop=stage.shop).count() == len(PAYLOADS) + 1


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_S06_outcomes_and_evidence_are_shown_as_text(stage: Stage, kind: str) -> None:
    for number, text in enumerate([PLAIN, *PAYLOADS[::3], *PAYLOADS[1::6]]):
        order = stage.put(text, number)
        stage.mouth.outcome = ERRORS[kind](text)
        stage.mouth.body = json.dumps({"a": text}).encode() if number % 2 else text.encode("utf-8", "replace")
        stage.mouth.headers = {"x-request-id": text[:60].encode("ascii", "ignore").decode().translate(_PRINTABLE)}
        (asked,) = asking.request_cancellation(
            by=stage.by,
            order=order,
            units=[order.items.get().ref],
            reason_code="other",
            note=text.replace("\x00", "")[:2000],
        )
        ShopHealth.objects.filter(shop=stage.shop).update(wait_until=None, tokens=100, failures=0)
        delivery.drain(stage.shop.pk)
        assert asked.cancellation.attempts.get(kind="send").outcome == type(stage.mouth.outcome).__name__
        reconciliation.reconcile(asked.cancellation.pk)
        url = f"/cancellations/{asked.cancellation.pk}/"
        answer = stage.browser.get(url)
        assert MARK in answer.content.decode()
        for name, address in {"page": url, "status": f"{url}status/", "compact": f"{url}status/?compact=1"}.items():
            page = read(stage.browser.get(address, headers={"HX-Request": "true"} if name != "page" else {}))
            stage.faults += [f"{name} with {text[:40]!r}: {fault}" for fault in page.faults]
        stage.faults += [
            f"order with {text[:40]!r}: {f}" for f in read(stage.browser.get(f"/orders/{order.pk}/")).faults
        ]
    assert len(stage.mouth.cancels) >= 30
    for address in ("/", "/cancellations/", "/audit/", f"/shops/{stage.shop.name}/", "/shops/", "/reasons/"):
        stage.faults += [f"{address}: {fault}" for fault in read(stage.browser.get(address)).faults]
    assert not stage.faults, "\n".join(stage.faults[:40])


ADDRESSES = ("/orders/?q=", "/audit/?order=", "/orders/?shop=", "/orders/?currency=", "/cancellations/?person=",
             "/audit/?person=", "/people/?q=", "/orders/import/?shop=")  # fmt: skip
_PRINTABLE = dict.fromkeys([*range(32), 127], " ")


def test_S06_what_a_broken_connection_says_is_text_on_the_shops_page_and_at_a_look_up(stage: Stage) -> None:
    shop, mouth = stage.shop, stage.mouth
    for text in [PLAIN, *PAYLOADS]:
        advice = Advice(text, text) if text.isprintable() else None  # our own words hold no half characters
        mouth.failure = AuthFailed(text, text, advice=advice, request_id=text)
        with pytest.raises(AuthFailed) as refused:
            connection.connect(shop).client.ping()
        health.hold(shop, refused.value)
        stage.look("held", f"/shops/{shop.name}/", text)
        stage.look("asked", f"/orders/lookup/{shop.name}/?q=1234567", text)
        mouth.failure = Rejected(text, text, advice=advice)
        stage.look("refused", f"/orders/lookup/{shop.name}/?q=1234567", text)
        checked = stage.browser.post(f"/shops/{shop.name}/check/", headers={"HX-Request": "true"})
        stage.faults += [f"check with {text[:40]!r}: {fault}" for fault in read(checked).faults]
        assert checked.status_code == 200, text
        ShopHealth.objects.filter(shop=shop).update(held_since=None)
    for address in ("/", "/audit/", "/orders/pulls/", "/shops/"):
        stage.faults += [f"{address}: {fault}" for fault in read(stage.browser.get(address)).faults]
    assert not stage.faults, "\n".join(stage.faults[:40])


def test_S06_reasons_a_platform_lists_are_text(stage: Stage) -> None:
    stage.mouth.reasons = tuple(PlatformReason(text[:200], text[:200]) for text in PAYLOADS[:60])
    shop = Shop.objects.get(pk=stage.shop.pk)
    refreshing.refresh(shop)
    for address in ("/reasons/", "/reasons/lists/", "/reasons/other/"):
        answer = stage.browser.get(address)
        assert answer.status_code == 200
        stage.faults += [f"{address}: {fault}" for fault in read(answer).faults]
    assert not stage.faults, "\n".join(stage.faults[:40])


def test_S06_what_people_type_is_text_too(stage: Stage) -> None:
    for number, text in enumerate(one.encode("utf-8", "replace").decode() for one in PAYLOADS):
        for address in ADDRESSES if number % 4 == 0 else ADDRESSES[:2]:
            name = address.partition("?")[2][:-1]
            answer = stage.browser.get(address.partition("?")[0], {name: text[:500]})
            assert answer.status_code in (200, 422), (address, text[:40])
            stage.faults += [f"{address} with {text[:40]!r}: {fault}" for fault in read(answer).faults]
    assert not stage.faults, "\n".join(stage.faults[:40])


def test_S06_exports_hold_the_text_whole_and_compute_nothing(stage: Stage) -> None:
    for number, text in enumerate(PAYLOADS):
        order = stage.put(text.removeprefix(MARK), number)
        (_asked,) = asking.request_cancellation(
            by=stage.by, order=order, units=[order.items.get().ref], reason_code="other", note="x"
        )
    answer = stage.browser.post("/audit/export/csv/")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) > len(PAYLOADS)
    for row in rows:
        for cell in row:
            assert not cell.strip().startswith(("=", "+", "-", "@")), cell
    answer = stage.browser.post("/audit/export/jsonl/")
    lines = b"".join(answer.streaming_content).decode().removesuffix("\n").split("\n")
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_S06_nothing_marks_platform_text_as_safe(stage: Stage) -> None:
    """The mouth is what these tests stand on: it is asked through the real connection."""
    assert isinstance(stage.mouth, Mouth)
    stage.put("<b>", 1)
    assert "<b>" not in stage.browser.get("/orders/").content.decode().partition("<main")[2]
