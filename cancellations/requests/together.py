"""Many requests asked for, or taken back, at once: guards and events as one by one, in few statements.

Everybody takes the units in one order and their orders last, so that nobody waits in a circle.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from cancellations import ring
from cancellations.audit import trail
from cancellations.orders.models import Order, OrderItem
from cancellations.people.models import Person
from cancellations.requests import tasks
from cancellations.requests.asking import check, done_of, draft, facts_of
from cancellations.requests.decisions import take_back
from cancellations.requests.models import BULK, CancellationRequest, show_on_orders
from cancellations.requests.states import OPEN, UNSENT, State
from cancellations.shops.models import Shop

VIA = "bulk"
CHUNK = 500
MOST_TRIES = 5


@dataclass(frozen=True)
class Wanted:
    """One unit to be asked for, in one shop, with a key of its own: the same key again gives the same request."""

    order: Order
    item_ref: str
    item: OrderItem | None
    submission: uuid.UUID
    priority: int = BULK


def request_together(
    *, by: Person, shop: Shop, wanted: Iterable[Wanted], reason_code: str, note: str, batch: int
) -> dict[uuid.UUID, CancellationRequest]:
    """Ask for the cancellation of many units of one shop, in the caller's transaction or one of its own.

    Returns:
        By key: the request made, or the one that was there already (its ``batch`` is another, or none): open, or done.

    Raises:
        NotAsked: Nothing may be asked like this in this shop; nothing was written.
    """
    choice, note = check(by, shop, reason_code, note)
    left = {(one.order.key, one.item_ref): one for one in sorted(wanted, key=lambda one: (one.order.key, one.item_ref))}
    asked: dict[uuid.UUID, CancellationRequest] = {}
    with transaction.atomic():
        for attempt in range(MOST_TRIES):
            for unit, there in _earlier(shop, left).items():
                asked[left.pop(unit).submission] = there
            drafts = [
                draft(by, shop, one.order, one.item_ref, one.item, choice, note, one.submission, one.priority, batch)
                for one in left.values()
            ]
            try:
                with transaction.atomic():
                    made = CancellationRequest.objects.bulk_create(drafts)
                    # From here on nobody else can ask for them: what was done since they were judged is known.
                    done = _done(left)
                    if done:
                        transaction.set_rollback(True)
            except IntegrityError:  # somebody was faster with one of them: see with which, and ask for the others
                if attempt == MOST_TRIES - 1:
                    raise
                continue
            if done:
                asked |= {left.pop(unit).submission: there for unit, there in done.items()}
                continue
            trail.record_all([one.event("cancellation.requested", by=by, data=facts_of(one, VIA)) for one in made])
            show_on_orders(made)
            asked |= {one.submission: one for one in made if one.submission}
            if any(one.state == State.QUEUED for one in made):
                ring.ring(tasks.deliver, shop.pk)
            break
        else:
            raise RuntimeError("others were faster each time")
    return asked


def _earlier(shop: Shop, units: Mapping[tuple[str, str], Wanted]) -> dict[tuple[str, str], CancellationRequest]:
    """Return what was asked for before: with the same key, or open."""
    keys = {one.submission for one in units.values()}
    known = Q(state__in=OPEN) | Q(submission__in=keys)
    found = CancellationRequest.objects.filter(known, shop=shop, order_key__in={key for key, _item in units})
    # What came by the same key counts before what is merely open.
    by_unit = {(one.order_key, one.item_ref): one for one in sorted(found, key=lambda one: one.submission in keys)}
    return {unit: one for unit, one in by_unit.items() if unit in units}


def _done(units: Mapping[tuple[str, str], Wanted]) -> dict[tuple[str, str], CancellationRequest]:
    """Return what was cancelled from here: never a second time by many."""
    by_unit = {(one.order_key, one.item_ref): one for one in done_of(one.order for one in units.values())}
    return {unit: one for unit, one in by_unit.items() if unit in units}


def withdraw_together(requests: QuerySet[CancellationRequest], *, by: Any) -> int:
    """Take back what waits to be sent, chunk by chunk; what is under way is left alone. Returns how many.

    Args:
        by: A person who may, or a machine that finishes what a person decided.
    """
    count, last = 0, 0
    while True:
        with transaction.atomic():
            unsent = requests.filter(state__in=UNSENT, pk__gt=last).select_related("shop").order_by("pk")
            some = list(unsent.select_for_update(of=("self",))[:CHUNK])
            if not some:
                return count
            last = some[-1].pk
            for one in (one for one in some if one.doubt):
                count += take_back(one, by=by)
            count += _withdraw([one for one in some if not one.doubt], by)


def _withdraw(some: Sequence[CancellationRequest], by: Any) -> int:
    """Move locked rows; on a database without row locks the transaction holds the whole of it."""
    keys = [one.pk for one in some]
    changes = {"state": State.WITHDRAWN, "state_since": Now(), "due_at": None}
    moved = CancellationRequest.objects.filter(pk__in=keys, state__in=UNSENT, doubt=False).update(**changes)
    if moved != len(some):
        raise RuntimeError("a locked request moved")
    events = []
    for one in some:
        facts = {"from": one.state, "to": State.WITHDRAWN, "note": "", "via": VIA}
        one.state = State.WITHDRAWN
        events.append(one.event("cancellation.withdrawn", by=by, data=facts))
    trail.record_all(events)
    show_on_orders(some)
    return moved
