"""A platform of no company, for tests of the index: orders a test makes up, paged, read one by one or in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cancellations.shops import configuring
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import (
    Buyer,
    Capabilities,
    Card,
    Field,
    OrderQuery,
    Page,
    PlatformItem,
    PlatformOrder,
    Provider,
    Ref,
    Standing,
    Status,
)
from providers.errors import Rejected
from tests.desk import person

BASE_URL = "https://api.counter.example"
CARD = Card(
    slug="counter",
    name="Counter",
    unit="order",
    base_url=BASE_URL,
    hosts=("api.counter.example",),
    options=(),
    credential=(Field("secret", "Secret", kind="secret"),),
    lookup=(
        Field("order_id", "Order ID"),
        Field("courier", "Courier", required=False, identity=False),
    ),
    reason="none",
    calls_per_second=1000,
)
PLACED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def order(order_id: str = "A-1001", **more: Any) -> PlatformOrder:
    """Make an order that says everything an order can say."""
    known: dict[str, Any] = {
        "ref": {"order_id": order_id},
        "number": order_id,
        "status": Status.OPEN,
        "status_text": "awaiting",
        "placed_at": PLACED,
        "amount": Decimal("12.50"),
        "currency": "EUR",
        "buyer": Buyer("Maria Garcia", "maria@example.com", "+34 600 004 321"),
        "items": (PlatformItem("i1", "Mug", "SKU-7", Status.OPEN, amount=Decimal("12.50"), currency="EUR"),),
        "keys": (("waybill", f"SF-{order_id}"),),
        "standing": Standing(True),
    }
    return PlatformOrder(**{**known, **more})


@dataclass
class CounterPlatform:
    """The platform and its only client.

    Attributes:
        orders: By order id, in the order they are listed.
        errors: Raised by the next calls, one each.
        asked: What was asked for, oldest first.
    """

    orders: dict[str, PlatformOrder] = field(default_factory=dict)
    can: Capabilities = field(default_factory=Capabilities)
    page: int = 2
    errors: list[Exception] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    listed: tuple[tuple[str, str], ...] = ()

    def open(self, **given: Any) -> "CounterPlatform":
        return self

    def add(self, *orders: PlatformOrder) -> None:
        self.orders.update({one.ref["order_id"]: one for one in orders})

    def _ask(self, what: Any) -> None:
        self.asked.append(what)
        if self.errors:
            raise self.errors.pop(0)

    def ping(self) -> None:
        self._ask("ping")

    def list_orders(self, query: OrderQuery) -> Page:
        self._ask(query)
        at = int(query.cursor or 0)
        found = list(self.orders.values())
        end = at + self.page
        return Page(tuple(found[at:end]), str(end) if end < len(found) else "", len(found))

    def get_order(self, ref: Ref) -> PlatformOrder:
        self._ask(dict(ref))
        if ref["order_id"] not in self.orders:
            raise Rejected("404", "no such order")
        return self.orders[ref["order_id"]]

    def get_orders(self, refs: Sequence[Ref]) -> tuple[PlatformOrder, ...]:
        self._ask([dict(ref) for ref in refs])
        return tuple(self.orders[ref["order_id"]] for ref in refs if ref["order_id"] in self.orders)

    def list_reasons(self) -> tuple[Any, ...]:
        return ()

    def choices(self, field_name: str) -> tuple[tuple[str, str], ...]:
        return self.listed

    def provider(self, card: Card = CARD) -> Provider:
        def capabilities(options: Mapping[str, Any]) -> Capabilities:
            return self.can

        return Provider(card, self.open, capabilities, sandbox=None)  # type: ignore[arg-type]


def open_shop(name: str = "counter-1", **more: Any) -> Shop:
    """Make a shop on the pretend platform, with keys."""
    given = {"title": name.title(), "platform": "counter", "environment": "live", "base_url": BASE_URL, **more}
    shop = Shop.objects.create(name=name, **given)
    configuring.replace_credential(shop, {"secret": "counter-secret-9f31"}, by=person("admin"))
    return shop


def install(monkeypatch: Any, card: Card = CARD) -> CounterPlatform:
    """Put the platform into the registry for one test."""
    platform = CounterPlatform()
    monkeypatch.setitem(registry.PROVIDERS, card.slug, platform.provider(card))
    return platform
