"""S6: two hundred payloads in every string of every platform's own answers, good and bad, read by the real clients."""

import itertools
import json
import random
import re
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from cancellations.orders import sync
from cancellations.orders.models import Order, Pull
from cancellations.reasons import refreshing
from cancellations.requests import asking, delivery, reconciliation
from cancellations.requests.models import CancellationRequest
from cancellations.requests.refusals import NotAsked
from cancellations.shops import connection
from cancellations.shops.models import Shop, ShopHealth
from providers.world import SandboxTransport
from tests.desk import Stall, learn_orders, person, stall, unit_of
from tests.security.payloads import MANY, MARK, read

pytestmark = pytest.mark.django_db
ROUNDS, SEED = 4, 6
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "huaweicloud": ("huaweicloud", {}),
    "wechat": ("wechat", {}),
    "sellercenter": ("sellercenter", {}),
    "sellercenter-xml": ("sellercenter", {"format": "xml"}),
    "shoplazza": ("shoplazza", {}),
    "taobao": ("taobao", {}),
    "taobao-xml": ("taobao", {"format": "xml"}),
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
# What of a payload stands in no page, if it was escaped.
_RAW = [text[: len(MARK) + 12] for text in MANY if re.match(rf"{MARK}\d+[\"']?>?<", text)]


class Poison(httpx.BaseTransport):
    """A platform that writes payloads into the strings of its answers: once into each, then into some, by a share.

    Attributes:
        fields: What was poisoned so far, as paths.
        used: The payloads that were put somewhere.
    """

    def __init__(self, inner: SandboxTransport) -> None:
        self.inner, self.luck, self.share = inner, random.Random(f"{SEED} {inner.world.slug}"), 0.0
        self.payloads = itertools.cycle(self.luck.sample(MANY, len(MANY)))
        self.fields: set[str] = set()
        self.used: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        body = answer.read()
        if self.share:
            body = self._poisoned(body)
        kept = {name: value for name, value in answer.headers.items() if name not in ("content-length",)}
        if self.share:
            kept |= {"x-request-id": self._word("header", "id").encode("ascii", "replace").decode().replace("\n", " ")}
            kept = {name: re.sub(r"[^\x20-\x7e]", " ", value) for name, value in kept.items()}
        return httpx.Response(answer.status_code, headers=kept, stream=httpx.ByteStream(body), request=request)

    def _word(self, path: str, value: str) -> str:
        if path in self.fields and self.luck.random() >= self.share:
            return value
        payload = next(self.payloads)
        self.fields.add(path)
        self.used.add(payload)
        return payload if self.luck.random() < 0.5 else value + payload

    def _poisoned(self, body: bytes) -> bytes:
        if body.lstrip()[:1] == b"<":
            tree = ElementTree.fromstring(body)  # noqa: S314 - of our own sandbox
            for node in tree.iter():
                if node.text and node.text.strip():
                    node.text = _NOT_XML.sub("", self._word(node.tag, node.text))
            return ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True)
        try:
            return json.dumps(self._in_json("", json.loads(body))).encode()
        except ValueError:
            return self._word("body", body.decode("utf-8", "replace")).encode("utf-8", "replace")

    def _in_json(self, path: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._in_json(f"{path}.{name}", one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._in_json(path, one) for one in value]
        return self._word(path, value) if isinstance(value, str) else value


class Stage:
    """Somebody who acts on a shop of a poisoned platform and looks at every page of it."""

    def __init__(self, made: Stall, poison: Poison) -> None:
        self.made, self.shop, self.poison = made, made.shop, poison
        self.by = person("admin", username="looker")
        self.browser = Client()
        self.browser.force_login(self.by)
        self.faults: list[str] = []
        self.pages = self.shown = 0

    def look(self, address: str, method: str = "get", **more: Any) -> None:
        answer = getattr(self.browser, method)(address, **more)
        if answer.status_code not in (200, 204, 303, 404, 409):
            self.faults.append(f"{address}: {answer.status_code}")
        if answer.status_code == 200:
            text = answer.content.decode()
            self.pages += 1
            self.shown += MARK in text
            self.faults += [f"{address}: {fault}" for fault in read(answer).faults]
            self.faults += [f"{address}: not escaped: {raw}" for raw in _RAW if raw in text]

    def act(self, order: Order) -> None:
        """Ask for a cancellation, have it sent and checked, and look at all that came of it."""
        fragment = {"HX-Request": "true"}
        self.look(f"/orders/{order.pk}/")
        self.look(f"/orders/{order.pk}/fresh/", headers=fragment)
        self.look(f"/orders/lookup/{self.shop.name}/?q={order.number}", headers=fragment)
        order.refresh_from_db()
        ShopHealth.objects.filter(shop=self.shop).update(held_since=None, wait_until=None, tokens=100, failures=0)
        try:
            asking.request_cancellation(by=self.by, order=order, units=[unit_of(order)], reason_code="out_of_stock")
        except (NotAsked, StopIteration):
            return
        delivery.drain(self.shop.pk)
        one = CancellationRequest.objects.filter(shop=self.shop).latest("pk")
        reconciliation.reconcile(one.pk)
        self.look(f"/cancellations/{one.pk}/")
        self.look(f"/cancellations/{one.pk}/status/", headers=fragment)


@pytest.mark.parametrize("way", WAYS)
def test_S06_payloads_in_every_string_of_a_platforms_answers_stay_text(way: str) -> None:
    slug, options = WAYS[way]
    made = stall(slug, count=24, learn=False)
    Shop.objects.filter(pk=made.shop.pk).update(options={**made.shop.options, **options})
    made.shop.refresh_from_db()
    inner = connection.TRANSPORTS[made.shop.base_url]
    assert isinstance(inner, SandboxTransport)
    poison = connection.TRANSPORTS[made.shop.base_url] = Poison(inner)
    learn_orders(made)
    stage, orders = Stage(made, poison), iter(made.orders())
    plans = ["", "error", "html", "limit", "auth", ""]
    for number in range(ROUNDS):
        order = next(orders)
        if plan := plans[number % len(plans)]:
            made.world.plan(order.key, plan)
        poison.share = (0.05, 0.2, 0.05, 1.0)[number % 4]
        stage.act(order)
        sync.pull(made.shop, pause=lambda _seconds: None)
        refreshing.refresh(made.shop)
        stage.look(f"/shops/{made.shop.name}/check/", "post", headers={"HX-Request": "true"})
        stage.look(f"/shops/{made.shop.name}/")
        Pull.objects.filter(shop=made.shop).update(finished_at=timezone.now())
    for page in ("/", "/orders/", "/cancellations/", "/audit/", "/shops/", "/reasons/", "/reasons/lists/",
                 "/orders/pulls/", "/operations/", *(f"/orders/{one.pk}/" for one in Order.objects.order_by("-pk")[:4])):  # fmt: skip
        stage.look(page)
    assert not stage.faults, "\n".join(stage.faults[:20])
    assert len(poison.fields) > 10
    assert len(poison.used) > 100
    assert stage.shown > 10, "hardly anything of it was shown, so this means nothing"
