"""When a batch stops of its own accord: too much of what came back was refused, failed or is not known."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from cancellations.batches.models import Batch
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State

LOOKED_AT = 50
FEWEST = 10
BAD = (State.REJECTED, State.FAILED)

CANARY, FAILURES, DOUBTS = "canary", "failures", "doubts"


def judge(batch: Batch, requests: QuerySet[CancellationRequest]) -> tuple[str, dict[str, Any]]:
    """Return why to brake and the numbers behind it; "" to go on. What a person has seen already does not count."""
    since = requests.filter(state_since__gte=batch.state_since)
    if batch.canary and since.filter(Q(state__in=BAD) | Q(state=State.UNCERTAIN), batch_rows__wave=0).exists():
        return CANARY, {"canary": batch.canary}
    known = [State.SUCCEEDED, *BAD, State.UNCERTAIN]
    last = list(since.filter(state__in=known).order_by("-state_since").values_list("state", flat=True)[:LOOKED_AT])
    if len(last) < FEWEST:
        return "", {}
    bad, doubt = sum(one in BAD for one in last), last.count(State.UNCERTAIN)
    facts = {"looked at": len(last), "refused or failed": bad, "not known": doubt}
    if bad * 100 > settings.BULK_BRAKE_FAILED * len(last):
        return FAILURES, facts
    if doubt * 100 > settings.BULK_BRAKE_UNCERTAIN * len(last):
        return DOUBTS, facts
    return "", {}
