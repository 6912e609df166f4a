"""A platform that answers whatever a test puts into its mouth, over the real wire and its evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from cancellations.shops import configuring, connection
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import Cancel, Capabilities, Page, PlatformOrder, PlatformReason, Provider, Receipt, Ref
from providers.errors import Rejected
from providers.wire import Wire
from tests.desk import person
from tests.integration.pretend import BASE_URL, CARD, CREDENTIAL

SLUG = "hostile"


@dataclass
class Mouth:
    """What the platform says next.

    Attributes:
        body, headers: Of every answer, as evidence keeps them.
        outcome: Of a cancel: a receipt, or an error to raise.
        orders: By order id, for single reads.
    """

    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    outcome: Receipt | Exception = field(default_factory=lambda: Receipt())
    failure: Exception | None = None
    orders: dict[str, PlatformOrder] = field(default_factory=dict)
    cancels: list[Cancel] = field(default_factory=list)
    reasons: tuple[PlatformReason, ...] = ()

    def answer(self, request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "application/json", **self.headers}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(self.body))


@dataclass
class _Client:
    mouth: Mouth
    wire: Wire

    def ping(self) -> None:
        self.wire.read("GET", "/ping")
        self._fail()

    def list_orders(self, _query: Any) -> Page:
        self.wire.read("GET", "/orders")
        self._fail()
        return Page(tuple(self.mouth.orders.values()))

    def get_order(self, ref: Ref) -> PlatformOrder:
        self.wire.read("GET", "/order")
        self._fail()
        if ref["order_id"] not in self.mouth.orders:
            raise Rejected("none", "there is no such order")
        return self.mouth.orders[ref["order_id"]]

    def list_reasons(self) -> tuple[PlatformReason, ...]:
        self._fail()
        return self.mouth.reasons

    def choices(self, _name: str) -> tuple[tuple[str, str], ...]:
        return ()

    def cancel(self, command: Cancel) -> Receipt:
        self.mouth.cancels.append(command)
        self.wire.write("POST", "/cancel", content=b'{"order": 1}')
        if isinstance(self.mouth.outcome, Exception):
            raise self.mouth.outcome
        return self.mouth.outcome

    def _fail(self) -> None:
        if self.mouth.failure:
            raise self.mouth.failure


def hostile_shop(monkeypatch: pytest.MonkeyPatch, unit: str = "item") -> tuple[Shop, Mouth]:
    """Make a shop on the hostile platform; its orders and cancels are what the mouth says."""
    mouth = Mouth()
    card = replace(CARD, slug=SLUG, unit=unit)

    def opened(*, wire: Wire, **_rest: Any) -> _Client:
        return _Client(mouth, wire)

    able: Callable[[Mapping[str, Any]], Capabilities] = lambda _options: Capabilities(  # noqa: E731 - one line says it
        get_order=True, list_orders=True, list_reasons=True
    )
    provider = Provider(card, opened, able, sandbox=None)  # type: ignore[arg-type]  # nothing here asks for one
    monkeypatch.setitem(registry.PROVIDERS, SLUG, provider)
    shop = configuring.create_shop(
        by=person("admin"), name="hostile", title="Hostile", platform=SLUG, environment="live", credential=CREDENTIAL
    )
    connection.TRANSPORTS[BASE_URL] = httpx.MockTransport(mouth.answer)
    return shop, mouth
