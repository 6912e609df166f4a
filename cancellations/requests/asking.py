"""Ask for a cancellation: the one way in, for pages and commands alike.

One transaction holds the rows, their events and what the person saw; the worker is rung once it is committed.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cancellations import ring
from cancellations.orders.models import Order, OrderItem
from cancellations.people.models import Person
from cancellations.reasons.choosing import Choice, reasons_for
from cancellations.requests import tasks
from cancellations.requests.models import ONE_BY_ONE, CancellationRequest
from cancellations.requests.refusals import NotAsked, require
from cancellations.requests.states import OPEN, State
from cancellations.shops.connection import card_of
from cancellations.shops.models import Shop

MOST_NOTE = 2000


@dataclass(frozen=True)
class Asked:
    """One unit's request, and whether this call made it or found it open."""

    cancellation: CancellationRequest
    fresh: bool


def request_cancellation(
    *,
    by: Person,
    order: Order,
    units: Sequence[str],
    reason_code: str,
    note: str = "",
    submission: uuid.UUID | None = None,
    via: str = "page",
    priority: int = ONE_BY_ONE,
    again: Collection[int] = (),
) -> list[Asked]:
    """Ask for the cancellation of one order, or of some of its items.

    Args:
        units: Item references where the platform cancels items; ``[""]`` for the whole order.
        submission: Key of the form; the same one again gives the first result again.
        via: ``page`` or ``command``, for the record.
        priority: ``BULK`` for many at once: those asked one by one are sent before them.
        again: Keys of the requests that cancelled it from here before, which the person has seen.

    Returns:
        One entry per unit, in order. A unit that has an open request already gives that one, and one that was
        cancelled from here since it was looked at the one that did.

    Raises:
        NotAsked: Reason, note or units do not fit; nothing was written.
    """
    shop = order.shop
    choice, note = check(by, shop, reason_code, note)
    items = _items(shop, order, units)
    asked: dict[str, Asked] = {}
    with transaction.atomic():
        # Everybody takes the units in one order and the order last, so that nobody waits in a circle.
        for item_ref, item in sorted(items, key=lambda pair: pair[0]):
            asked[item_ref] = _ask(by, shop, order, item_ref, item, choice, note, submission, via, priority, again)
        fresh = [one.cancellation for one in asked.values() if one.fresh]
        if fresh:
            Order.objects.filter(pk=order.pk).update(desk_state=fresh[-1].state)
        if any(one.state == State.QUEUED for one in fresh):
            ring.ring(tasks.deliver, shop.pk)
    return [asked[item_ref] for item_ref, _item in items]


def check(by: Person, shop: Shop, reason_code: str, note: str) -> tuple[Choice, str]:
    """Return what can be told without an order: the reason and the note as they are kept.

    Raises:
        NotAsked: Nothing may be asked like this in this shop, whatever the order.
    """
    require(by, "request", shop)
    if not shop.active:
        raise NotAsked(_("This shop is switched off. An admin can switch it on again."))
    choice = _reason(shop, reason_code)
    return choice, _note(choice, note)


def _ask(
    by: Person,
    shop: Shop,
    order: Order,
    item_ref: str,
    item: OrderItem | None,
    choice: Choice,
    note: str,
    submission: uuid.UUID | None,
    via: str,
    priority: int,
    again: Collection[int],
) -> Asked:
    unit = CancellationRequest.objects.filter(shop=shop, order_key=order.key, item_ref=item_ref)
    earlier = unit.filter(submission=submission).first() if submission else None
    earlier = earlier or unit.filter(state__in=OPEN).first()
    if earlier:
        if earlier.priority > priority:  # somebody waits for it now
            unit.filter(pk=earlier.pk).update(priority=priority)
        return Asked(earlier, fresh=False)
    try:
        with transaction.atomic():
            cancellation = draft(by, shop, order, item_ref, item, choice, note, submission, priority)
            cancellation.save(force_insert=True)
            # From here on nobody else can ask for it, so nothing can be done between this look and the send.
            done = done_of([order]).filter(item_ref=item_ref).exclude(pk__in=again).last()
            if done:
                transaction.set_rollback(True)
                return Asked(done, fresh=False)
            cancellation.refresh_from_db(fields=["requested_at", "state_since", "due_at"])  # by the database's clock
    except IntegrityError:  # somebody was faster: the database keeps one open request per unit
        there = unit.filter(submission=submission).first() if submission else None
        there = there or unit.filter(state__in=OPEN).first() or unit.order_by("-pk").first()
        if there is None:
            raise NotAsked(_("This form was sent for another order already. Open the order again.")) from None
        return Asked(there, fresh=False)
    cancellation.record("cancellation.requested", by=by, data=facts_of(cancellation, via))
    return Asked(cancellation, fresh=True)


def done_of(orders: Iterable[Order]) -> QuerySet[CancellationRequest]:
    """Return the requests that cancelled something of these orders from here, oldest first."""
    return CancellationRequest.objects.filter(order__in=orders, state=State.SUCCEEDED).order_by("pk")


def draft(
    by: Person,
    shop: Shop,
    order: Order,
    item_ref: str,
    item: OrderItem | None,
    choice: Choice,
    note: str,
    submission: uuid.UUID | None,
    priority: int,
    batch: int | None = None,
) -> CancellationRequest:
    """Return a new request about one unit, not written yet."""
    state = State.PENDING_APPROVAL if shop.needs_approval else State.QUEUED
    return CancellationRequest(
        shop=shop,
        order=order,
        ref=order.ref,
        order_key=order.key,
        order_number=order.number,
        item_ref=item_ref,
        item_name=item.name if item else "",
        reason=choice.reason,
        reason_value=choice.value,
        note=note,
        snapshot=snapshot_of(order, item),
        submission=submission,
        requested_by=by,
        requested_at=Now(),
        state=state,
        state_since=Now(),
        priority=priority,
        batch=batch,
        due_at=Now() if state == State.QUEUED else None,
    )


def facts_of(cancellation: CancellationRequest, via: str) -> dict[str, Any]:
    """Return what the event of asking tells."""
    return {
        "to": cancellation.state,
        "reason": cancellation.reason.code,
        "sent as": cancellation.reason_value,
        "note": cancellation.note,
        "item": cancellation.item_ref,
        "via": via,
        "seen": cancellation.snapshot,
    }


def snapshot_of(order: Order, item: OrderItem | None) -> dict[str, Any]:
    """Return what the person saw, as plain JSON."""
    unit: Order | OrderItem = item or order
    return {
        "status": unit.status,
        "status_text": unit.status_text,
        "cancellable": unit.cancellable,
        "why": unit.why,
        "amount": str(unit.amount) if unit.amount is not None else "",
        "currency": unit.currency,
        "seen_at": order.seen_at.isoformat(timespec="seconds"),
        "source": order.source,
        "version": order.version,
    }


def _reason(shop: Shop, code: str) -> Choice:
    if not code:
        raise NotAsked(_("Choose a reason."), "reason")
    choice = next((one for one in reasons_for(shop) if one.reason.code == code), None)
    if choice is None:
        raise NotAsked(_("There is no reason called “%(code)s”, or it was retired.") % {"code": code}, "reason")
    if not choice.pickable:
        raise NotAsked(
            _("“%(reason)s” can't be picked in this shop. %(why)s") % {"reason": choice.reason, "why": choice.why},
            "reason",
        )
    return choice


def _note(choice: Choice, note: str) -> str:
    note = note.replace("\x00", "").strip()
    if choice.reason.note_required and not note:
        raise NotAsked(_("“%(reason)s” needs a note: say in a sentence why.") % {"reason": choice.reason}, "note")
    if len(note) > MOST_NOTE:
        raise NotAsked(
            _("The note is %(length)s characters long; at most %(most)s fit.")
            % {"length": len(note), "most": MOST_NOTE},
            "note",
        )
    return note


def _items(shop: Shop, order: Order, units: Sequence[str]) -> list[tuple[str, OrderItem | None]]:
    wanted = list(dict.fromkeys(units))
    if card_of(shop).unit == "order":
        if wanted != [""]:
            raise NotAsked(_("This platform cancels whole orders, not single items."), "units")
        return [("", None)]
    if not wanted or "" in wanted:
        raise NotAsked(_("Choose at least one item: this platform cancels items one by one."), "units")
    known = {item.ref: item for item in order.items.all()}
    missing = [ref for ref in wanted if ref not in known]
    if missing and known:
        raise NotAsked(_("This order has no item %(item)s.") % {"item": missing[0]}, "units")
    return [(ref, known.get(ref)) for ref in wanted]
