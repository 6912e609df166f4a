"""When a batch stops of its own accord: too much of what came back was refused, failed or is not known."""

from typing import Any

from django.conf import settings

from cancellations.batches.models import Batch, BatchRow
from cancellations.batches.states import PauseCause
from cancellations.requests.models import CancellationRequest
from cancellations.requests.reconciliation import is_readable
from cancellations.requests.settling import CONFIRM_TRIES
from cancellations.requests.states import State

LOOKED_AT = 50
FEWEST = 10
BAD = (State.REJECTED, State.FAILED)
_ENDED = (State.SUCCEEDED, *BAD, State.UNCERTAIN)


def judge(batch: Batch) -> tuple[PauseCause | None, dict[str, Any]]:
    """Return why to pause and the figures behind it. What came before it last began to run was seen by a person."""
    since = CancellationRequest.objects.filter(batch=batch.pk, state__in=_ENDED, state_since__gte=batch.state_since)
    last = list(since.order_by("-state_since").values_list("state", flat=True)[:LOOKED_AT])
    if len(last) < FEWEST:
        return None, {}
    bad, doubt = sum(one in BAD for one in last), last.count(State.UNCERTAIN)
    facts = {"looked at": len(last), "refused or failed": bad, "not known": doubt}
    if bad * 100 > settings.BULK_BRAKE_FAILED * len(last):
        return PauseCause.FAILURES, facts
    if doubt * 100 > settings.BULK_BRAKE_UNCERTAIN * len(last):
        return PauseCause.DOUBT, facts
    return None, {}


def canary(batch: Batch) -> tuple[bool, set[int], set[int]]:
    """Look at the rows that went first.

    Returns:
        Whether one of them went wrong; the shops, by key, whose first rows have not all come through yet; and those of
        which one did come through.
    """
    first = BatchRow.objects.filter(batch=batch, wave=0)
    held = {pk for pk in first.filter(waits=True).values_list("shop", flat=True) if pk}
    requests = CancellationRequest.objects.filter(batch=batch.pk, batch_rows__in=first).select_related("shop")
    wrong, proven = False, set[int]()
    for one in requests:
        wrong = wrong or _went_wrong(one)
        if one.state == State.SUCCEEDED and _is_sure(one):
            proven.add(one.shop_id)
        elif one.state == State.SUCCEEDED or not one.is_final:
            held.add(one.shop_id)
    return wrong, held, proven


def _went_wrong(one: CancellationRequest) -> bool:
    if one.state == State.SUCCEEDED:  # said to be done, and not found so when read back
        return bool(one.alarm) or (not _is_sure(one) and (one.due_at is None or one.readings >= CONFIRM_TRIES))
    return one.state in (*BAD, State.UNCERTAIN)


def _is_sure(one: CancellationRequest) -> bool:
    return one.confirmed_at is not None or not is_readable(one.shop)
