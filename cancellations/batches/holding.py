"""What a paused or stopped batch holds back: what is not sent, and what a worker has now and may put back."""

from typing import Any

from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from cancellations import ring
from cancellations.batches.models import Batch, requests_of
from cancellations.batches.states import BatchState
from cancellations.requests import tasks
from cancellations.requests.states import UNSENT, State
from cancellations.requests.together import withdraw_together


def hold_back(batch: Batch) -> None:
    """Keep what is not sent yet from being sent: also what a worker has now and may put back."""
    _not_over(batch).filter(held_since=None).update(held_since=Now(), due_at=None)
    keep_held(batch)


def keep_held(batch: Batch) -> None:
    """Hold what a worker of the version before this one put back; it knows nothing of ``held_since``."""
    held = requests_of(batch).filter(state=State.QUEUED).exclude(held_since=None)
    held.exclude(due_at=None).update(due_at=None)


def let_go(batch: Batch) -> None:
    """Let what was held back be sent."""
    held = _not_over(batch)
    held.exclude(held_since=None).update(held_since=None)
    held.filter(state=State.QUEUED, due_at=None).update(due_at=Now())
    for shop in held.filter(state=State.QUEUED).order_by().values_list("shop", flat=True).distinct():
        ring.ring(tasks.deliver, shop)


def _not_over(batch: Batch) -> QuerySet[Any]:
    """Lock and return what is not sent, or being sent."""
    some: QuerySet[Any] = requests_of(batch).filter(state__in=(*UNSENT, State.SENDING))
    # In one order, as those who write what was sent do: else each might wait for the other.
    list(some.order_by("pk").select_for_update().values_list("pk", flat=True))
    return some


def withdraw_rest(batch: Batch, *, by: Any) -> int:
    """Take back what is unsent of a stopped batch; return how many.

    It is over once nothing of it is being sent: that may still come back, and is then taken back, too. What a person
    sent again since has its time, and goes.
    """
    count = withdraw_together(requests_of(batch).filter(due_at=None), by=by)
    may_come_back = requests_of(batch).filter(Q(state=State.SENDING) | Q(state__in=UNSENT, due_at=None))
    over = Batch.objects.filter(pk=batch.pk, state=BatchState.STOPPED, finished_at=None).exclude(Exists(may_come_back))
    over.update(finished_at=timezone.now())
    return count
