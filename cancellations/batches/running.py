"""A batch under way: its canary first, then wave after wave, each row through the one way in; the brake; the stop.

Any number of workers may advance a batch at once, and be killed anywhere: a row's submission key is made of the row,
so that it is never asked twice.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from cancellations import ring
from cancellations.audit import trail
from cancellations.batches import brake
from cancellations.batches.models import READY, Batch, BatchRow, BatchState, Verdict
from cancellations.orders.models import OrderStatus
from cancellations.requests import asking, tasks
from cancellations.requests.decisions import withdraw
from cancellations.requests.models import BULK, CancellationRequest
from cancellations.requests.refusals import NotAsked
from cancellations.requests.states import State

AHEAD = 200  # most requests of a batch that wait in one shop, so that pause and stop are quick
CHUNK = 50
WITHDRAWN_AT_ONCE = 100
LEASE = timedelta(seconds=15)
UNSENT = (State.QUEUED, State.PENDING_APPROVAL)


def moving() -> QuerySet[Batch]:
    """Return the batches that a worker has something to do for."""
    unsent = Q(state=BatchState.STOPPED, rows__verdict__in=READY, rows__cancellation__state__in=UNSENT)
    paused = Q(
        state=BatchState.PAUSED, rows__cancellation__state=State.QUEUED, rows__cancellation__due_at__isnull=False
    )
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return Batch.objects.filter(Q(state=BatchState.RUNNING) | unsent | paused, free).distinct()


def requests_of(batch: Batch) -> QuerySet[CancellationRequest]:
    """Return the requests this batch made; not those it only found open."""
    return CancellationRequest.objects.filter(batch_rows__batch=batch, batch_rows__verdict__in=READY)


def unasked(batch: Batch) -> QuerySet[BatchRow]:
    """Return the rows that are to be asked and have not been."""
    return BatchRow.objects.filter(batch=batch, verdict__in=READY, cancellation=None)


def advance(batch_id: int) -> bool:
    """Do what can be done now; return whether there is more to do at once."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    held = Batch.objects.filter(free, pk=batch_id).update(lease_until=timezone.now() + LEASE)
    if not held:
        return False
    try:
        batch = Batch.objects.select_related("requested_by", "reason").get(pk=batch_id)
        if batch.state == BatchState.STOPPED:
            return withdraw_some(batch)
        if batch.state == BatchState.PAUSED:
            hold_back(batch)
        return batch.state == BatchState.RUNNING and _forward(batch)
    finally:
        Batch.objects.filter(pk=batch_id).update(lease_until=None)


def _forward(batch: Batch) -> bool:
    why, facts = brake.judge(batch, requests_of(batch))
    if why:
        with transaction.atomic():
            if batch.move_to(BatchState.PAUSED, "batch.braked", by=trail.WORKER, data=facts, paused_why=why,
                             paused_at=timezone.now(), brake=facts):  # fmt: skip
                hold_back(batch)
        return False
    rows = _next(batch)
    asked = _ask(batch, rows)
    if asked or rows:
        return bool(_next(batch))
    _finish(batch)
    return False


def _next(batch: Batch) -> list[BatchRow]:
    """Return the rows to ask now: the canary's, then as many as the shops have room for."""
    rows = unasked(batch).select_related("shop", "order", "order__shop").order_by("pk")
    if batch.canary:
        canary = requests_of(batch).filter(batch_rows__wave=0)
        begun = canary.count()
        if begun < batch.canary:
            first = list(rows.filter(verdict=Verdict.READY)[: batch.canary - begun])
            if first:
                for row in first:
                    row.wave = 0
                return first
        if canary.exclude(state__in=[State.SUCCEEDED, *brake.BAD]).exists():
            return []
    waiting = dict(
        requests_of(batch).filter(state__in=[State.QUEUED, State.SENDING]).values_list("shop").annotate(n=Count("pk"))
    )
    room = {shop: AHEAD - waiting.get(shop, 0) for shop in rows.order_by().values_list("shop", flat=True).distinct()}
    open_shops = [shop for shop, left in room.items() if left > 0]
    chosen = []
    for row in rows.filter(shop__in=open_shops)[:CHUNK]:
        if room[row.shop_id] > 0:
            room[row.shop_id] -= 1
            row.wave = row.wave or 1
            chosen.append(row)
    return chosen


def _ask(batch: Batch, rows: Iterable[BatchRow]) -> int:
    asked = 0
    for row in rows:
        if not Batch.objects.filter(pk=batch.pk, state=BatchState.RUNNING).update(lease_until=timezone.now() + LEASE):
            break  # somebody paused or stopped it just now
        ask(batch, row)
        asked += 1
    return asked


def ask(batch: Batch, row: BatchRow) -> None:
    """Ask for one row, by the same way as a person does; what keeps it from being asked is kept with the row."""
    if row.order is None:
        _note(row, Verdict.UNKNOWN)
        return
    if row.order.status == OrderStatus.CANCELLED:
        _note(row, Verdict.CANCELLED)
        return
    key = uuid.uuid5(batch.submission, str(row.pk))
    try:
        with transaction.atomic():
            (found,) = asking.request_cancellation(
                by=batch.requested_by,
                order=row.order,
                units=[row.item_ref],
                reason_code=batch.reason.code,
                note=batch.note,
                submission=key,
                via="bulk",
                priority=BULK,
            )
            own = found.cancellation.submission == key
            changes: dict[str, Any] = {"cancellation": found.cancellation, "wave": row.wave}
            if not own:
                changes["verdict"] = Verdict.OPEN
            BatchRow.objects.filter(pk=row.pk, cancellation=None).update(**changes)
    except NotAsked as refusal:
        _note(row, Verdict.CANNOT, str(refusal))


def _note(row: BatchRow, verdict: Verdict, why: str = "") -> None:
    BatchRow.objects.filter(pk=row.pk, cancellation=None).update(verdict=verdict, why=why or row.why)


def _finish(batch: Batch) -> None:
    """Call it done once nothing of it moves any more; what waits for a person goes its own way."""
    still = Q(state__in=[State.QUEUED, State.SENDING, State.ACCEPTED]) | Q(state=State.UNCERTAIN, in_review=False)
    if unasked(batch).exists() or requests_of(batch).filter(still).exists():
        return
    with transaction.atomic():
        batch.move_to(BatchState.DONE, "batch.done", by=trail.WORKER, finished_at=timezone.now())


def hold_back(batch: Batch) -> None:
    """Keep what is not sent yet from being sent."""
    _queued(batch).update(due_at=None)


def let_go(batch: Batch) -> None:
    """Let what was held back be sent."""
    _queued(batch).filter(due_at=None).update(due_at=Now())
    for shop in requests_of(batch).filter(state=State.QUEUED).order_by().values_list("shop", flat=True).distinct():
        ring.ring(tasks.deliver, shop)


def _queued(batch: Batch) -> QuerySet[CancellationRequest]:
    # By the rows' column: an UPDATE takes no join.
    own = BatchRow.objects.filter(batch=batch, verdict__in=READY).values("cancellation")
    return CancellationRequest.objects.filter(pk__in=own, state=State.QUEUED)


def withdraw_some(batch: Batch) -> bool:
    """Take back what is unsent of a stopped batch, in the name of who asked; return whether there is more."""
    unsent = list(requests_of(batch).filter(state__in=UNSENT).select_related("shop")[:WITHDRAWN_AT_ONCE])
    for cancellation in unsent:
        try:
            withdraw(cancellation, by=batch.requested_by)
        except NotAsked:
            continue  # it was sent a moment ago
    return len(unsent) == WITHDRAWN_AT_ONCE
