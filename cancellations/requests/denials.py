"""What was called not cancelled, and is cancelled after all: the outcome of then stays, and somebody is told."""

from typing import Any

from cancellations.audit import trail
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from providers.contract import Status

DENIABLE = (State.FAILED, State.REJECTED)


def is_denied(one: CancellationRequest) -> bool:
    """Tell whether it was called not cancelled, and has been seen cancelled since."""
    return one.state in DENIABLE and one.last_reading == Status.CANCELLED


def keep_late(late: CancellationRequest, facts: dict[str, Any], *, cancelled: bool) -> None:
    """Keep evidence that came too late to move a request; where it denies what is said of it, raise an alarm, once.

    Must be called inside a transaction.

    Args:
        late: As it stands now.
        cancelled: The evidence says that it is cancelled.
    """
    if cancelled:
        denied = CancellationRequest.objects.filter(pk=late.pk, state__in=DENIABLE, alarm="")
        if denied.exclude(last_reading=Status.CANCELLED).update(alarm="cancelled", last_reading=Status.CANCELLED):
            late.record("cancellation.cancelled_after_all", by=trail.WORKER, data=facts)
            return
    late.record("cancellation.late_answer", by=trail.WORKER, data=facts)
