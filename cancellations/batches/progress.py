"""A batch in numbers: the plan by verdict, shop and currency; the run by outcome and shop. No row is read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from django.db.models import Case, CharField, Count, Max, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from cancellations.batches.models import UNASKED, Batch, BatchRow
from cancellations.batches.running import MOST_A_SECOND
from cancellations.batches.states import READY, BatchState
from cancellations.batches.wording import BUCKETS, HELD_BACK, OUTCOMES, Word, verdicts_of
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.connection import rate_of
from cancellations.shops.models import Pulse, Shop, ShopHealth
from providers.errors import ProviderError

RATE_OVER = timedelta(minutes=2)
LIVE = (BatchState.RUNNING, BatchState.PAUSED)
_ENDED = (State.SUCCEEDED, State.REJECTED, State.FAILED, State.UNCERTAIN)


@dataclass
class ShopSum:
    """What one shop has in a batch: counts by word, amounts by currency of what is to be cancelled."""

    shop: Shop | None = None
    counts: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return self.counts.total()

    @property
    def left(self) -> int:
        """Those of a run that have no outcome and wait for nobody."""
        return self.counts["moving"] + self.counts["waits"]


@dataclass(frozen=True)
class Numbers:
    """Counts of a batch.

    Attributes:
        words: The words that occur, in the order they are told: (word, label, tone, count).
        sums: The same by the key of the shop; what belongs to none under ``None``.
        amounts: Of what is to be cancelled, by currency.
        unpriced: How many of these have no known amount.
    """

    words: list[tuple[str, str, str, int]]
    sums: dict[int | None, ShopSum]
    amounts: list[tuple[str, Decimal]]
    unpriced: int = 0

    @cached_property
    def shops(self) -> list[ShopSum]:
        """The sums with their shops, the largest first, what belongs to none last; a silent poll never asks."""
        for known in Shop.objects.select_related("health").filter(pk__in=[pk for pk in self.sums if pk]):
            self.sums[known.pk].shop = known
        return sorted(self.sums.values(), key=lambda one: (one.shop is None, -one.total))

    @property
    def total(self) -> int:
        """All rows counted."""
        return sum(count for *_, count in self.words)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """For the chart and its table: (label, tone)."""
        return [(label, tone) for _, label, tone, _count in self.words]

    @property
    def parts(self) -> list[tuple[str, str, int]]:
        """For the one bar of all: (label, tone, number)."""
        return [(label, tone, count) for _, label, tone, count in self.words]

    @property
    def table(self) -> list[tuple["ShopSum", list[tuple[str, str, int]]]]:
        """For the chart by shop and its numbers: the shop, and (label, tone, count) in the words' order."""
        return [
            (one, [(label, tone, one.counts[word]) for word, label, tone, _count in self.words]) for one in self.shops
        ]

    @property
    def longest(self) -> int:
        """The largest total of a shop."""
        return max((one.total for one in self.shops), default=0)

    def of(self, word: str) -> int:
        """Return one count."""
        return next((count for key, _, _, count in self.words if key == word), 0)


def of_plan(batch: Batch, rows: QuerySet[BatchRow]) -> Numbers:
    """Count a plan by verdict."""
    shops: dict[int | None, ShopSum] = {}
    unpriced = 0
    grouped = rows.order_by().values_list("shop", "verdict", "currency")
    sums = grouped.annotate(n=Count("*"), priced=Count("amount"), total=Sum("amount"))
    for shop, verdict, currency, count, priced, amount in sums:
        one = shops.setdefault(shop, ShopSum())
        one.counts[verdict] += count
        if verdict in READY and amount is not None:
            one.amounts[currency] = one.amounts.get(currency, Decimal()) + amount
        unpriced += count - priced if verdict in READY else 0
    return replace(_numbers(shops, verdicts_of(batch)), unpriced=unpriced)


def of_run(batch: Batch, rows: QuerySet[BatchRow], requests: QuerySet[CancellationRequest]) -> Numbers:
    """Count what became of the rows that were to be cancelled: by their requests, and by the rows without one.

    Args:
        rows, requests: What the person may see; the requests of any batch.
    """
    asked = requests.filter(batch=batch.pk).order_by().values_list("shop", "state").annotate(n=Count("*"))
    waiting = Case(When(waits=True, then=Value("waits")), default=Value("withdrawn"), output_field=CharField())
    rest = rows.filter(UNASKED).order_by().annotate(word=waiting)
    grouped = asked.union(rest.values_list("shop", "word").annotate(n=Count("*")), all=True)
    shops: dict[int | None, ShopSum] = {}
    for shop, state, count in grouped:
        word = BUCKETS.get(state, state)
        if word == "waits" and batch.state not in LIVE:
            word = "withdrawn"
        shops.setdefault(shop, ShopSum()).counts[word] += count
    told = {**OUTCOMES, "moving": HELD_BACK} if batch.state == BatchState.PAUSED else OUTCOMES
    return _numbers(shops, told)


def _numbers(shops: dict[int | None, ShopSum], told: Mapping[str, Word]) -> Numbers:
    together: Counter[str] = Counter()
    amounts: dict[str, Decimal] = {}
    for one in shops.values():
        together.update(one.counts)
        for currency, amount in one.amounts.items():
            amounts[currency] = amounts.get(currency, Decimal()) + amount
    words = [(word, str(one.label), one.tone, together[word]) for word, one in told.items() if together[word]]
    return Numbers(words, shops, sorted(amounts.items()))


def seconds_left(batch: Batch, numbers: Numbers) -> float | None:
    """Estimate how long a running batch still takes; ``None`` while nothing can be said.

    The slowest shop decides: what is left there over the rate it was seen to have, or its budget. Where no worker is
    heard of, or one of its shops is on hold, there is no pace to go by.
    """
    if batch.state != BatchState.RUNNING or not batch.started_at or not Pulse.is_heard():
        return None
    busy = [(one.shop, left, one) for one in numbers.shops if one.shop and (left := one.left)]
    if ShopHealth.objects.filter(shop__in=[shop for shop, *_more in busy], held_since__isnull=False).exists():
        return None
    now = timezone.now()
    since = max(batch.started_at, now - RATE_OVER)
    own = Q(batch=batch.pk, state__in=_ENDED, state_since__gte=since)
    ended = CancellationRequest.objects.filter(own).order_by().values_list("shop")
    rates = {pk: (n, last) for pk, n, last in ended.annotate(n=Count("pk"), last=Max("state_since"))}
    longest = 0.0
    for shop, left, one in busy:
        if one.counts["pending_approval"] and not one.counts["moving"]:
            continue  # the rest of that shop waits for a person, and nobody knows how long
        count, last = rates.get(shop.pk, (0, None))
        seen = (last - since).total_seconds() if last else 0.0
        rate = count / seen if count > 4 and seen > 1 else _budget(shop)
        longest = max(longest, left / rate)
    return longest or None


def _budget(shop: Shop) -> float:
    try:
        return max(rate_of(shop) or MOST_A_SECOND, 0.01)
    except ProviderError:
        return 1.0
