"""What narrows a list of orders, and the SQL of it: runs of an index, and what is left for each row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from cancellations.orders.models import OrderStatus
from cancellations.shops.scope import Seen

ANSWERS = {"yes": "y", "no": "n", "unknown": "?"}

# An SQL text with %s and the values it takes.
Condition = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Filters:
    """What narrows a search; "" and ``None`` leave it open. Dates are days in the person's time zone, both included.

    Attributes:
        shop: A shop's name.
        cancellable: ``yes``, ``no`` or ``unknown``.
        begins: Look for numbers that begin like ``text`` although one is met exactly.
    """

    text: str = ""
    platform: str = ""
    shop: str = ""
    status: str = ""
    cancellable: str = ""
    placed_from: date | None = None
    placed_to: date | None = None
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    currency: str = ""
    begins: bool = False

    def includes(self, shop: Seen) -> bool:
        """Tell whether a shop is among those asked for."""
        return self.platform in ("", shop.platform) and self.shop in ("", shop.name)

    def conditions(self) -> list[Condition]:
        """Return everything but text, platform and shop, for a few orders already found."""
        shelves = self.shelves()
        found = [*self.placed(), *self.money()]
        if shelves:
            found.append((f"shelf IN ({', '.join(['%s'] * len(shelves))})", tuple(shelves)))
        return found

    def shelves(self) -> list[str]:
        """Return the words of ``Order.shelf`` asked for; none means all."""
        if not self.status and not self.cancellable:
            return []
        answers = [ANSWERS[self.cancellable]] if self.cancellable else list(ANSWERS.values())
        statuses = [self.status] if self.status else OrderStatus.values
        return [f"{status} {word}" for status in statuses for word in answers]

    def placed(self) -> list[Condition]:
        """Return the conditions on when an order was placed."""
        since, until = self._between()
        found: list[Condition] = []
        if since:
            found.append(("placed_at >= %s", (moment(since),)))
        if until:
            found.append(("placed_at < %s", (moment(until),)))
        return found

    def amounts(self) -> list[Condition]:
        """Return the conditions on the amount."""
        pairs = (("amount >= %s", self.amount_min), ("amount <= %s", self.amount_max))
        return [(text, (_decimal(value),)) for text, value in pairs if value is not None]

    def money(self) -> list[Condition]:
        """Return the conditions no index serves in the order of the page."""
        return [*self.amounts(), *([("currency = %s", (self.currency,))] if self.currency else [])]

    def _between(self) -> tuple[datetime | None, datetime | None]:
        return (
            _midnight(self.placed_from) if self.placed_from else None,
            _midnight(self.placed_to + timedelta(days=1)) if self.placed_to and self.placed_to < date.max else None,
        )


@dataclass(frozen=True)
class Asked:
    """A list as SQL.

    Attributes:
        runs: Column → values; every combination is a run of an index.
        placed: Conditions inside each run.
    """

    runs: dict[str, Sequence[Any]] = field(default_factory=dict)
    placed: Sequence[Condition] = ()

    @property
    def count(self) -> int:
        """How many runs that is."""
        number = 1
        for values in self.runs.values():
            number *= len(values)
        return number


def asked(filters: Filters, shop_ids: Sequence[int]) -> Asked:
    """Return the list a person asks for; no shops means all there are."""
    named: dict[str, Sequence[Any]] = {"shop_id": shop_ids, "shelf": filters.shelves()}
    runs = {name: values for name, values in named.items() if values}
    return Asked(runs, filters.placed())


def joined(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    """Return conditions as one, with all their values."""
    return " AND ".join(text for text, _ in conditions), [value for _, values in conditions for value in values]


def moment(at: datetime) -> Any:
    """Return a time as the database's own SQL takes it."""
    return connection.ops.adapt_datetimefield_value(at)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _decimal(amount: Decimal) -> Any:
    return connection.ops.adapt_decimalfield_value(amount, max_digits=20, decimal_places=4)
