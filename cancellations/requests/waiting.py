"""What a queued request waits for besides its shop: those before it, and a worker that is there at all."""

from dataclasses import dataclass

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Pulse


@dataclass(frozen=True)
class Wait:
    """How many requests of the shop go first, and whether anybody sends."""

    ahead: int
    worker: bool


def with_wait(requests: QuerySet[CancellationRequest]) -> QuerySet[CancellationRequest]:
    """Have :func:`wait_of` known for every row in the one query, for pages that show several."""
    before = (
        CancellationRequest.objects.filter(
            shop=OuterRef("shop"), state=State.QUEUED, due_at__lt=Coalesce(OuterRef("due_at"), OuterRef("requested_at"))
        )
        .order_by()
        .values("shop")
        .annotate(number=Count("pk"))
    )
    heard = Pulse.objects.filter(name="worker", at__gte=timezone.now() - Pulse.SILENCE)
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
    ahead = CancellationRequest.objects.filter(
        shop=cancellation.shop_id, state=State.QUEUED, due_at__lt=cancellation.due_at or cancellation.requested_at
    )
    return Wait(ahead.count(), Pulse.is_heard())
