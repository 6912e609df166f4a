"""What a queued request waits for besides its shop: those before it, and a worker that is there at all."""

from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now

from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Pulse


@dataclass(frozen=True)
class Wait:
    """How many requests of the shop go first, and whether anybody sends."""

    ahead: int
    worker: bool


def held_by_bulk(cancellation: CancellationRequest) -> bool:
    """Tell whether it is held back with its paused bulk, and goes on with it."""
    return bool(cancellation.state == State.QUEUED and cancellation.batch and not cancellation.due_at)


def due_unless_held(at: Any) -> Any:
    """Return when what comes to wait is due: at that time, but never while its bulk holds it back, by its row."""
    return Case(When(held_since=None, then=at), output_field=DateTimeField())


def with_wait(requests: QuerySet[CancellationRequest]) -> QuerySet[CancellationRequest]:
    """Have :func:`wait_of` known for every row in the one query, for pages that show several."""
    due = Coalesce(OuterRef("due_at"), OuterRef("requested_at"))
    before = _before(OuterRef("shop"), OuterRef("priority"), due).order_by().values("shop").annotate(number=Count("pk"))
    heard = Pulse.objects.filter(name="worker", at__gte=Now() - Pulse.SILENCE)
    return requests.annotate(
        wait_ahead=Case(
            When(state=State.QUEUED, then=Coalesce(Subquery(before.values("number")), 0)),
            default=Value(0),
            output_field=IntegerField(),
        ),
        wait_worker=Exists(heard),
    )


def wait_of(cancellation: CancellationRequest) -> Wait:
    """Return what a queued request waits for; asks the database unless :func:`with_wait` did."""
    known = cancellation.__dict__
    if "wait_ahead" in known:
        return Wait(known["wait_ahead"], known["wait_worker"])
    due = cancellation.due_at or cancellation.requested_at
    before = _before(cancellation.shop_id, cancellation.priority, due).exclude(pk=cancellation.pk)
    return Wait(before.count(), Pulse.is_heard())


def _before(shop: Any, priority: Any, due: Any) -> QuerySet[CancellationRequest]:
    """Return what one shop sends before a request of this priority that is due then."""
    first = Q(priority__lt=priority) | Q(priority=priority, due_at__lt=due)
    return CancellationRequest.objects.filter(first, shop=shop, state=State.QUEUED)
