"""What people decide about a batch: start, pause, resume, stop, try again, discard, and which order was meant.

Each is one conditional move with its event. Refusals are :class:`NotAllowed` or :class:`NotAsked`, with a sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellations import ring
from cancellations.access import may
from cancellations.batches import holding, matching, planning, running, tasks
from cancellations.batches.given import Given
from cancellations.batches.models import Batch, BatchRow, requests_of, waiting_rows
from cancellations.batches.sight import batches_of
from cancellations.batches.states import BatchState, PauseCause, Verdict
from cancellations.people.models import Person
from cancellations.requests import decisions as singly
from cancellations.requests.models import BULK, CancellationRequest
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.states import State
from cancellations.templatetags.desk import grouped

# From more than so many on, the count has to be typed back.
LARGE = 50
MOST_RETRIED = 500


def ready(batch: Batch) -> int:
    """Return how many rows would be asked for."""
    return waiting_rows(batch).count()


def start(batch: Batch, *, by: Person, typed: str = "") -> None:
    """Let it run. A large one wants its count typed back; only who made it may start it."""
    _own(batch, by)
    with _held(batch, BatchState.PLANNED, by=by):
        count = ready(batch)
        if not count:
            raise NotAllowed(_("There is nothing in it that could be cancelled."))
        if count > LARGE and "".join(one for one in typed if one.isdecimal()) != str(count):
            raise NotAsked(
                _("Type how many would be cancelled, so that it is no slip: %(count)s.") % {"count": grouped(count)},
                "count",
            )
        first = running.choose_canary(batch)
        batch.move_to(
            BatchState.RUNNING,
            "batch.started",
            by=by,
            data={"rows": count},
            canary=first,
            canary_over=False,
            started_at=timezone.now(),
        )
        ring.ring(tasks.advance, batch.pk)


def discard(batch: Batch, *, by: Person) -> None:
    """Forget a plan; nothing was sent."""
    _own(batch, by)
    with _held(batch, BatchState.PLANNED, BatchState.PLANNING, by=by):
        batch.move_to(BatchState.DISCARDED, "batch.discarded", by=by, finished_at=timezone.now())


def pause(batch: Batch, *, by: Person) -> None:
    """Hold back what is not sent yet."""
    with _held(batch, BatchState.RUNNING, by=by):
        now = timezone.now()
        batch.move_to(BatchState.PAUSED, "batch.paused", by=by, paused_why=PauseCause.PERSON, paused_at=now, brake={})
        holding.hold_back(batch)


def resume(batch: Batch, *, by: Person) -> None:
    """Go on, also after a brake: a person has looked."""
    with _held(batch, BatchState.PAUSED, by=by):
        because = batch.paused_why
        batch.move_to(
            BatchState.RUNNING,
            "batch.resumed",
            by=by,
            data={"because": because},
            paused_why="",
            paused_at=None,
            brake={},
            canary_over=batch.canary_over or because == PauseCause.CANARY,
        )
        holding.let_go(batch)
        ring.ring(tasks.advance, batch.pk)


def stop(batch: Batch, *, by: Person) -> int:
    """End it: what is not sent is taken back, what is under way ends by itself. Returns how many were taken back."""
    with _held(batch, BatchState.RUNNING, BatchState.PAUSED, by=by):
        batch.move_to(BatchState.STOPPED, "batch.stopped", by=by, paused_why="", paused_at=None)
        holding.hold_back(batch)
        ring.ring(tasks.advance, batch.pk)
    return holding.withdraw_rest(batch, by=by)


def retry(batch: Batch, *, by: Person) -> int:
    """Send again what certainly was not done; return how many. Refused and unclear ones are for one by one."""
    with _held(batch, BatchState.RUNNING, BatchState.DONE, by=by):
        # Together with the bulk's move: who looks after it finds them waiting, and never nothing that moves.
        some = _failed(batch)
        if not some:
            raise NotAllowed(_("There is nothing in it that can safely be sent again."))
        if batch.state == BatchState.DONE:
            batch.move_to(BatchState.RUNNING, "batch.retried", by=by, data={"rows": len(some)}, finished_at=None)
        else:
            batch.record("batch.retried", by=by, data={"rows": len(some)})
        ring.ring(tasks.advance, batch.pk)
        return sum(_resend(one, by) for one in some)


def _failed(batch: Batch) -> list[CancellationRequest]:
    """Lock and return what may be sent again; what was cancelled otherwise since may not."""
    unit = CancellationRequest.objects.filter(order=OuterRef("order"), item_ref=OuterRef("item_ref"))
    failed = requests_of(batch).filter(~Exists(unit.filter(state=State.SUCCEEDED)), state=State.FAILED)
    some = failed.select_related("shop").order_by("pk").select_for_update(of=("self",))[:MOST_RETRIED]
    return sorted(some, key=lambda one: one.order_id or 0)  # everybody takes orders in this order


def _resend(cancellation: CancellationRequest, by: Person) -> bool:
    try:
        singly.resend(cancellation, by=by, priority=BULK)
    except NotAsked:
        return False  # the same unit was asked for anew
    return True


def choose(row: BatchRow, order_id: int, *, by: Person) -> None:
    """Say which order an ambiguous id means; the row gets the verdict on that order."""
    batch = row.batch
    _own(batch, by)
    with _held(batch, BatchState.PLANNED, by=by):
        locked = BatchRow.objects.get(pk=row.pk)
        planner = planning.Planner(batch)
        found = matching.of_orders([order_id], planner.shops)
        order = found.orders.get(order_id)
        if locked.verdict != Verdict.AMBIGUOUS or order_id not in locked.choices or order is None:
            raise NotAllowed(_("This has been decided already, or that order is not among those meant."))
        first, *more = planner.of_order(Given(locked.line, locked.given), order, found)
        first.pk = locked.pk
        for one in (first, *more):
            one.place = locked.place
        first.save(force_update=True)
        BatchRow.objects.bulk_create(more)
        batch.plan_total = BatchRow.objects.filter(batch=batch).count()
        Batch.objects.filter(pk=batch.pk).update(plan_total=batch.plan_total)
        batch.record("batch.chosen", by=by, data={"given": locked.given, "order": order.number})


@contextmanager
def _held(batch: Batch, *states: BatchState, by: Person) -> Iterator[None]:
    """Hold the batch while something is decided on it; it must be in one of these states still."""
    if not may(by, "request") or not batches_of(by).filter(pk=batch.pk).exists():
        raise NotAllowed(_("Your role does not permit this."))
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=batch.pk)
        batch.refresh_from_db()
        if batch.state not in states:
            raise NotAllowed(_("Somebody or something was faster: this bulk has moved on. Look at what it is now."))
        yield


def _own(batch: Batch, by: Person) -> None:
    if batch.requested_by_id != by.pk:
        raise NotAllowed(_("Only who made this plan can decide on it."))
