"""The end of every bulk that came with a restored backup: its rows may have been asked for, and sent, since."""

from django.db import transaction
from django.utils import timezone

from cancellations.audit import trail
from cancellations.batches import holding
from cancellations.batches.models import Batch, requests_of
from cancellations.batches.states import BatchState
from cancellations.requests import restoring
from cancellations.shops import arming
from cancellations.shops.models import Arming

_PLANS = (BatchState.PLANNING, BatchState.PLANNED)
_FACTS = {"because": "restored from a backup"}


def end_what_was_restored() -> int:
    """Stop what ran and discard what was planned; what is unsent of it is in doubt. Returns how many."""
    row = Arming.objects.filter(pk=arming.ROW).exclude(disarmed_since=None).first()
    if row is None:
        return 0
    live = Batch.objects.filter(finished_at=None, requested_at__lte=row.disarmed_since)
    return sum(_end(pk) for pk in live.values_list("pk", flat=True))


def _end(pk: int) -> bool:
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=pk)
        if batch.state in _PLANS:
            now = timezone.now()
            return batch.move_to(BatchState.DISCARDED, "batch.discarded", by=trail.SYSTEM, data=_FACTS, finished_at=now)
        if batch.state not in (BatchState.RUNNING, BatchState.PAUSED):
            return False
        restoring.doubt(requests_of(batch))
        holding.hold_back(batch)  # a worker of before may still put one back
        return batch.move_to(
            BatchState.STOPPED, "batch.stopped", by=trail.SYSTEM, data=_FACTS, paused_why="", paused_at=None
        )
