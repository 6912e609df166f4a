"""A platform of no company with thousands of orders, and a bulk driven by hand, step by step."""

import dataclasses
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from cancellations.batches import decisions, handing_in, planning, running
from cancellations.batches.models import Batch, BatchRow
from cancellations.batches.states import BatchState
from cancellations.orders.models import Order, OrderKey
from cancellations.people.models import Person
from cancellations.reasons.models import Reason
from cancellations.requests import delivery
from cancellations.requests.models import CancellationRequest
from cancellations.shops.models import Shop
from providers import registry
from providers.contract import Capabilities, Receipt, Status
from tests.desk import person
from tests.integration.counter_platform import CARD, CounterPlatform, open_shop, order


@dataclass
class Till(CounterPlatform):
    """The platform, which cancels.

    Attributes:
        answers: By order id: what a cancel of it raises.
        called, performed: Order ids, oldest first.
        hidden: Read back, a cancelled order still looks open.
    """

    answers: dict[str, Exception] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    performed: list[str] = field(default_factory=list)
    hidden: bool = False

    def open(self, **given: Any) -> "Till":
        return self

    def cancel(self, command: Any) -> Receipt:
        order_id = command.ref["order_id"]
        self.called.append(order_id)
        if order_id in self.answers:
            raise self.answers[order_id]
        self.performed.append(order_id)
        if order_id in self.orders and not self.hidden:
            self.orders[order_id] = dataclasses.replace(self.orders[order_id], status=Status.CANCELLED)
        return Receipt()


def install(monkeypatch: Any, **more: Any) -> Till:
    """Put the platform into the registry for one test."""
    platform = Till(**more)
    monkeypatch.setitem(registry.PROVIDERS, CARD.slug, platform.provider(CARD))
    return platform


def blind(monkeypatch: Any) -> Till:
    """The same, whose orders can't be read back."""
    return install(monkeypatch, can=Capabilities(get_order=False, list_orders=False))


def many_orders(
    shop: Shop, count: int, *, platform: Till | None = None, start: int = 100_000, **more: Any
) -> list[Order]:
    """Index so many open orders; with a platform, they are there, too. Their ids are numbers from ``start`` on."""
    now = timezone.now()
    ids = [f"{start + at}00{start + at}" for at in range(count)]
    orders = Order.objects.bulk_create(
        [
            Order(
                shop=shop, ref={"order_id": one}, key=one, number=one, status="open", placed_at=now, seen_at=now,
                amount=2, currency="EUR", cancellable=True, **more,
            )
            for one in ids
        ],
        batch_size=500,
    )  # fmt: skip
    OrderKey.objects.bulk_create(
        [OrderKey(shop=shop, order=one, kind="id", value=one.key) for one in orders], batch_size=500
    )
    if platform:
        platform.add(*(order(one) for one in ids))
    return orders


def hand_in(given: str | Iterable[str] | Sequence[Order], *, by: Person | None = None, **more: Any) -> Batch:
    """Hand in a text, its lines, or orders."""
    reason = Reason.objects.get(code=more.pop("reason", "out_of_stock"))
    told: dict[str, Any] = {"text": given}
    if not isinstance(given, str):
        given = list(given)
        orders = [one.pk for one in given if isinstance(one, Order)]
        told = {"orders": orders} if orders else {"text": "\n".join(map(str, given))}
    facts = {"note": "", "submission": uuid.uuid4(), **more}
    return handing_in.hand_in(by=by or person(), reason=reason, **told, **facts)


def planned(given: Any, **more: Any) -> Batch:
    """Hand in and plan."""
    batch = hand_in(given, **more)
    planning.plan(batch.pk)
    return fresh(batch)


def started(given: Any, **more: Any) -> Batch:
    """Hand in, plan and start."""
    batch = planned(given, **more)
    decisions.start(batch, by=batch.requested_by, typed=str(decisions.ready(batch)))
    return fresh(batch)


def fresh(batch: Batch) -> Batch:
    """Read it again."""
    return Batch.objects.select_related("requested_by", "reason").get(pk=batch.pk)


def run(batch: Batch, *, rounds: int = 30) -> Batch:
    """Let workers do all there is to do, until the batch runs no more or nothing more happens."""
    for _round in range(rounds):
        before = (fresh(batch).state, states(batch), waiting(batch))
        running.advance(batch.pk)
        for shop in requests(batch).values_list("shop", flat=True).distinct().order_by():
            delivery.drain(shop)
        if before == (fresh(batch).state, states(batch), waiting(batch)):
            break
    return fresh(batch)


def requests(batch: Batch) -> Any:
    """The requests the batch made."""
    return CancellationRequest.objects.filter(batch=batch.pk)


def states(batch: Batch) -> Counter[str]:
    """Its requests by state."""
    return Counter(requests(batch).values_list("state", flat=True))


def waiting(batch: Batch) -> int:
    """Rows that have not had their turn."""
    return BatchRow.objects.filter(batch=batch, waits=True).count()


def verdicts(batch: Batch) -> Counter[str]:
    """Its rows by verdict."""
    return Counter(batch.rows.values_list("verdict", flat=True))


def is_(batch: Batch, state: BatchState) -> bool:
    """Whether it stands there now."""
    return fresh(batch).state == state


__all__ = ["Till", "open_shop"]
