"""A batch under way: some rows of each shop first, then wave after wave; the brake; the pause and the stop.

Whatever is done is done while the batch's row is locked, and a wave's requests are written with the rows that led to
them: any number of workers may advance a batch at once, and be killed anywhere.
"""

import time
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_noop, override

from cancellations import ring
from cancellations.audit import trail
from cancellations.batches import brake, holding, judging, matching
from cancellations.batches.models import Batch, BatchRow, requests_of, waiting_rows
from cancellations.batches.states import BatchState, PauseCause, Verdict
from cancellations.requests.models import BULK, ONE_BY_ONE, CancellationRequest
from cancellations.requests.refusals import NotAsked
from cancellations.requests.states import UNSENT, State
from cancellations.requests.together import Wanted, request_together
from cancellations.shops.connection import rate_of
from cancellations.shops.models import Shop
from providers.registry import PROVIDERS

CANARY = 3
MOST_CANARY = 5
# As much of a batch waits in one shop as it sends in so many seconds, so that it never runs dry between two looks.
AHEAD_SECONDS = 10
LEAST_AHEAD = 200
# Where nothing limits a shop, so much is thought to be sent in a second at most.
MOST_A_SECOND = 300
CHUNK = 250
SLICE_SECONDS = 5.0

GONE = gettext_noop("The order is not known any more.")


def live() -> QuerySet[Batch]:
    """Return the batches a worker has something to do for."""
    return Batch.objects.filter(finished_at=None).exclude(state=BatchState.PLANNED)


def choose_canary(batch: Batch) -> int:
    """Choose the rows that go first: of every shop some, so that none gets its wave on another's word."""
    ready = waiting_rows(batch)
    shops = list(ready.order_by("shop").values_list("shop", flat=True).distinct())
    each = min(CANARY, max(1, MOST_CANARY // max(1, len(shops))))
    chosen = [pk for shop in shops for pk in ready.filter(shop=shop).order_by("pk").values_list("pk", flat=True)[:each]]
    return BatchRow.objects.filter(pk__in=chosen).update(wave=0)


def advance(batch_id: int) -> bool:
    """Do what can be done now; return whether there is more to do at once."""
    ends = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < ends and not ring.is_ending():
        if not _step(batch_id):
            return False
    return True


def _step(batch_id: int) -> bool:
    with transaction.atomic():
        batch = Batch.objects.select_for_update().filter(pk=batch_id).first()
        if batch is None:
            return False
        if batch.state == BatchState.PAUSED:
            holding.hold_back(batch)
        elif batch.state == BatchState.RUNNING:
            return _forward(batch)
        if batch.state != BatchState.STOPPED or batch.finished_at:
            return False
        holding.keep_held(batch)
    holding.withdraw_rest(batch, by=trail.SYSTEM)
    return False


def _forward(batch: Batch) -> bool:
    went_wrong, held, proven = (False, set[int](), set[int]()) if batch.canary_over else brake.canary(batch)
    cause, facts = (PauseCause.CANARY, {"canary": batch.canary}) if went_wrong else brake.judge(batch)
    if cause and _has_more(batch):
        batch.move_to(
            BatchState.PAUSED,
            "batch.braked",
            by=trail.WORKER,
            data={"because": cause, **facts},
            paused_why=cause,
            paused_at=timezone.now(),
            brake=facts,
        )
        holding.hold_back(batch)
        return False
    shops = Shop.objects.filter(pk__in=waiting_rows(batch).order_by().values("shop"))
    asked = 0
    for shop in shops:
        # Of what went first in a shop nothing may have been sent, as it was asked for elsewhere: others go first.
        unproven = not batch.canary_over and shop.pk not in held | proven
        asked += _ask_some(batch, shop, only_first=shop.pk in held, firsts=CANARY if unproven else None)
        if asked >= CHUNK:
            return True  # so that a pause or a stop finds the row unlocked
    if not asked:
        _finish(batch)
    return bool(asked)


def _has_more(batch: Batch) -> bool:
    """Tell whether there is something that a brake would keep from being sent."""
    unsent = requests_of(batch).filter(state__in=UNSENT)
    return unsent.exists() or waiting_rows(batch).exists()


def _ask_some(batch: Batch, shop: Shop, *, only_first: bool, firsts: int | None) -> int:
    """Ask for as many rows of one shop as it has room for; return how many were looked at."""
    if shop.platform not in PROVIDERS:
        return 0  # another version of this program asked for it: that one goes on
    rows = waiting_rows(batch).filter(shop=shop)
    if only_first:
        rows = rows.filter(wave=0)
    ahead = max(LEAST_AHEAD, int((rate_of(shop) or MOST_A_SECOND) * AHEAD_SECONDS))
    room = ahead - requests_of(batch).filter(shop=shop, state__in=(State.QUEUED, State.SENDING)).count()
    if room < min(CHUNK, ahead // 2):
        return 0  # asking for every single one that is sent would cost as much as sending them
    some = list(rows.order_by("wave", "pk")[: min(room, CHUNK)])
    if some:
        _ask(batch, shop, some, firsts)
    return len(some)


def _ask(batch: Batch, shop: Shop, rows: Sequence[BatchRow], firsts: int | None) -> None:
    """Ask for some rows of one shop; what keeps one from being asked is kept with it, and keeps no other.

    Args:
        firsts: Ask for so many at most, as the first of this shop; the others that are ready go on waiting.
    """
    wanted: dict[uuid.UUID, tuple[BatchRow, Wanted]] = {}
    found = matching.of_orders([row.order_id for row in rows if row.order_id], [shop])
    can_pick = judging.pickable([shop], batch.reason_id)
    for row in rows:
        order = found.orders.get(row.order_id or 0)
        item = next((one for one in found.items.get(row.order_id or 0, ()) if one.ref == row.item_ref), None)
        if order is None or (row.item_ref and item is None):
            _leave(row, GONE)
            continue
        verdict, why, earlier = judging.judge(found, order, item, can_pick)
        if verdict not in (Verdict.READY, Verdict.READY_APPROVAL):
            _leave(row, why, earlier)
            continue
        key = uuid.uuid5(batch.submission, str(row.pk))
        # The whole bulk waits for its first rows: they are sent, and read back, like what somebody waits for.
        priority = ONE_BY_ONE if row.wave == 0 or firsts else BULK
        wanted[key] = row, Wanted(order, row.item_ref, item, key, priority)
    try:
        with override(batch.requested_by.language or None):
            asked = request_together(
                by=batch.requested_by,
                shop=shop,
                wanted=[one for _row, one in list(wanted.values())[:firsts]],
                reason_code=batch.reason.code,
                note=batch.note,
                batch=batch.pk,
            )
    except NotAsked as refusal:
        for row, _wanted in wanted.values():
            _leave(row, str(refusal))
    else:
        for key, cancellation in asked.items():
            if cancellation.batch != batch.pk:
                why = judging.ALREADY if cancellation.state == State.SUCCEEDED else judging.ASKED
                _leave(wanted[key][0], why, cancellation)
        late = {row.pk for row, _wanted in list(wanted.values())[firsts:]} if firsts else set()
        rows = [row for row in rows if row.pk not in late]
    _write(batch, rows, 0 if firsts else 1)
    if firsts:
        batch.canary += sum(not row.not_asked for row in rows)
        Batch.objects.filter(pk=batch.pk).update(canary=batch.canary)


def _write(batch: Batch, rows: Sequence[BatchRow], wave: int) -> None:
    """Have the rows know their requests. Nearly all were asked for, and those take one statement."""
    left = [row for row in rows if row.not_asked]
    BatchRow.objects.bulk_update(left, ["cancellation", "not_asked"])
    made = requests_of(batch).filter(order=OuterRef("order"), item_ref=OuterRef("item_ref")).order_by("-pk")
    asked = BatchRow.objects.filter(pk__in=[row.pk for row in rows if not row.not_asked])
    asked.update(cancellation=Subquery(made.values("pk")[:1]), wave=Coalesce("wave", wave))
    BatchRow.objects.filter(pk__in=[row.pk for row in rows]).update(waits=False)


def _leave(row: BatchRow, why: str, earlier: CancellationRequest | None = None) -> None:
    row.not_asked, row.cancellation = why or judging.ALREADY, earlier


def _finish(batch: Batch) -> None:
    """Call it done once nothing of it moves any more; what is in review goes its own way."""
    moving = (*UNSENT, State.SENDING, State.ACCEPTED)
    still = requests_of(batch).filter(Q(state__in=moving) | Q(state=State.UNCERTAIN, in_review=False))
    if not still.exists() and not waiting_rows(batch).exists():
        batch.move_to(BatchState.DONE, "batch.done", by=trail.WORKER, finished_at=timezone.now())
