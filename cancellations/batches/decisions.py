"""What people decide about a batch: start, pause, resume, stop, try again, discard, and which order was meant.

Each is one conditional move with its event. Refusals are :class:`NotAllowed` or :class:`NotAsked`, with a sentence.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cancellations import ring
from cancellations.batches import matching, planning, running, tasks
from cancellations.batches.given import Given
from cancellations.batches.models import READY, Batch, BatchRow, BatchState, Verdict
from cancellations.people.models import Person
from cancellations.requests import decisions as singly
from cancellations.requests.models import BULK
from cancellations.requests.refusals import NotAllowed, NotAsked
from cancellations.requests.states import State
from cancellations.shops.scope import shops_of

CANARY = 3
# From so many on, the count has to be typed back.
LARGE = 50
MOST_RETRIED = 500


def ready(batch: Batch) -> int:
    """Return how many rows would be asked."""
    return BatchRow.objects.filter(batch=batch, verdict__in=READY).count()


def start(batch: Batch, *, by: Person, typed: str = "") -> None:
    """Let it run. A large one wants its count typed back; only who made it may start it."""
    _own(batch, by)
    _in(batch, BatchState.PLANNED)
    count = ready(batch)
    if not count:
        raise NotAllowed(_("There is nothing in it that could be cancelled."))
    if count > LARGE and "".join(one for one in typed if one.isdigit()) != str(count):
        raise NotAsked(_("Type how many would be cancelled, so that it is no slip: %(count)s.") % {"count": count},
                       "count")  # fmt: skip
    with transaction.atomic():
        canary = min(CANARY, count) if count > CANARY else 0
        _moved(batch.move_to(BatchState.RUNNING, "batch.started", by=by, data={"rows": count}, canary=canary,
                             started_at=timezone.now()))  # fmt: skip
        ring.ring(tasks.advance, batch.pk)


def discard(batch: Batch, *, by: Person) -> None:
    """Forget a plan; nothing was sent."""
    _own(batch, by)
    _in(batch, BatchState.PLANNED)
    with transaction.atomic():
        _moved(batch.move_to(BatchState.DISCARDED, "batch.discarded", by=by, finished_at=timezone.now()))


def pause(batch: Batch, *, by: Person) -> None:
    """Hold back what is not sent yet."""
    _in(batch, BatchState.RUNNING)
    with transaction.atomic():
        _moved(batch.move_to(BatchState.PAUSED, "batch.paused", by=by, paused_why="person", paused_at=timezone.now(),
                             brake={}))  # fmt: skip
        running.hold_back(batch)


def resume(batch: Batch, *, by: Person) -> None:
    """Go on, also after a brake: a person has looked."""
    _in(batch, BatchState.PAUSED)
    with transaction.atomic():
        _moved(batch.move_to(BatchState.RUNNING, "batch.resumed", by=by, data={"because": batch.paused_why},
                             paused_why="", paused_at=None))  # fmt: skip
        running.let_go(batch)
        ring.ring(tasks.advance, batch.pk)


def stop(batch: Batch, *, by: Person) -> None:
    """End it: what is not sent is taken back, what is under way ends by itself."""
    _in(batch, BatchState.RUNNING, BatchState.PAUSED)
    with transaction.atomic():
        _moved(batch.move_to(BatchState.STOPPED, "batch.stopped", by=by, finished_at=timezone.now()))
        running.hold_back(batch)
        ring.ring(tasks.advance, batch.pk)


def retry(batch: Batch, *, by: Person) -> int:
    """Send again what certainly was not done; return how many. Refused and unclear ones are for one by one."""
    _in(batch, BatchState.RUNNING, BatchState.DONE)
    failed = running.requests_of(batch).filter(state=State.FAILED).select_related("shop")[:MOST_RETRIED]
    count = 0
    for cancellation in failed:
        try:
            singly.resend(cancellation, by=by, priority=BULK)
        except NotAsked:
            continue
        count += 1
    if not count:
        raise NotAllowed(_("There is nothing in it that can safely be sent again."))
    with transaction.atomic():
        if batch.state == BatchState.DONE:
            _moved(batch.move_to(BatchState.RUNNING, "batch.retried", by=by, data={"rows": count}, finished_at=None))
        else:
            batch.record("batch.retried", by=by, data={"rows": count})
        ring.ring(tasks.advance, batch.pk)
    return count


def choose(row: BatchRow, order_id: int, *, by: Person) -> None:
    """Say which order an ambiguous id means; the row gets the verdict on that order."""
    batch = row.batch
    _own(batch, by)
    _in(batch, BatchState.PLANNED)
    given = Given(row.number, row.given)
    with transaction.atomic():
        locked = BatchRow.objects.select_for_update().get(pk=row.pk)
        found = matching.find([given], list(shops_of(by)))
        order = next((one for one in found.meant(given) if one.pk == order_id), None)
        if locked.verdict != Verdict.AMBIGUOUS or order is None:
            raise NotAllowed(_("This has been decided already, or that order is not among those meant."))
        planner = planning.Planner(batch)
        others = BatchRow.objects.filter(batch=batch, order=order)
        planner.met = {(order.pk, ref): number for ref, number in others.values_list("item_ref", "number")}
        first, *more = planner.of_order(given, order, found)
        first.pk = row.pk
        first.save()
        BatchRow.objects.bulk_create(more)
        Batch.objects.filter(pk=batch.pk).update(plan_total=BatchRow.objects.filter(batch=batch).count())
        batch.record("batch.chosen", by=by, data={"given": row.given, "order": order.number})


def _own(batch: Batch, by: Person) -> None:
    if batch.requested_by_id != by.pk:
        raise NotAllowed(_("Only who made this plan can decide on it."))


def _in(batch: Batch, *states: BatchState) -> None:
    if batch.state not in states:
        _moved(False)


def _moved(moved: bool) -> None:
    if not moved:
        raise NotAllowed(_("Somebody or something was faster: this bulk has moved on. Look at what it is now."))
