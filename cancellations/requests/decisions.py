"""What people decide about a request: approve, decline, withdraw, look again, resend, settle.

Each is one transaction with its event, and rings the worker once it is committed. Refusals are :class:`NotAllowed` or
:class:`NotAsked`, with a sentence for the person. Asking itself is in ``asking.py``.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cancellations import ring
from cancellations.people.models import Person
from cancellations.requests import tasks
from cancellations.requests.denials import is_denied
from cancellations.requests.models import ONE_BY_ONE, CancellationRequest
from cancellations.requests.pictures import Picture, keeping
from cancellations.requests.reconciliation import unclear
from cancellations.requests.refusals import NotAllowed, NotAsked, require
from cancellations.requests.states import UNSENT, State
from cancellations.requests.waiting import due_unless_held
from cancellations.shops.connection import capabilities_of

HOW_YOU_KNOW = gettext_noop("Say how you know: what you looked at, and when.")
TAKEN_BACK_IN_DOUBT = gettext_noop(
    "It was taken back and is not sent again, but what was sent before may have been done."
)


def _moved(moved: bool) -> None:
    if not moved:
        raise NotAllowed(_("Somebody or something was faster: this request has moved on. Look at what it is now."))


def approve(cancellation: CancellationRequest, *, by: Person, note: str = "") -> None:
    """Let a request through that waits for a second pair of eyes; never one's own."""
    _second_person(cancellation, by, "approve", State.PENDING_APPROVAL)
    with transaction.atomic():
        _moved(
            cancellation.move_to(
                State.QUEUED,
                "cancellation.approved",
                by=by,
                data={"note": note},
                approved_by=by,
                due_at=due_unless_held(Now()),
            )
        )
        ring.ring(tasks.deliver, cancellation.shop_id)


def decline(cancellation: CancellationRequest, *, by: Person, note: str) -> None:
    """Refuse a request that waits for approval, and say why; nothing is sent."""
    _second_person(cancellation, by, "approve", State.PENDING_APPROVAL)
    note = _said(note, _("Say why not: whoever asked for it reads this."))
    with transaction.atomic():
        _moved(cancellation.move_to(State.DECLINED, "cancellation.declined", by=by, data={"note": note}, due_at=None))


def _second_person(cancellation: CancellationRequest, by: Person, permission: str, state: State) -> None:
    require(by, permission, cancellation.shop)
    if cancellation.state != state:
        _moved(False)
    if cancellation.requested_by_id == by.pk:
        raise NotAllowed(_("You asked for this cancellation yourself: somebody else must decide."))


def withdraw(cancellation: CancellationRequest, *, by: Person, note: str = "") -> None:
    """Take a request back that waits; one that was sent before and is in doubt is uncertain again, not withdrawn."""
    require(by, "withdraw", cancellation.shop)
    if cancellation.state not in UNSENT:
        raise NotAllowed(_("It can't be withdrawn any more: it has been sent, or it is over."))
    with transaction.atomic():
        _moved(take_back(cancellation, by=by, note=note))


def take_back(cancellation: CancellationRequest, *, by: Any, note: str = "") -> bool:
    """Withdraw what waits, in the caller's transaction; what may be done already is uncertain again."""
    state = State.WITHDRAWN
    changes: dict[str, Any] = {"due_at": None}
    if cancellation.doubt:
        state, changes = State.UNCERTAIN, {**unclear(cancellation.shop), "advice": TAKEN_BACK_IN_DOUBT}
    return cancellation.move_to(state, "cancellation.withdrawn", by=by, data={"note": note}, **changes)


def check_now(cancellation: CancellationRequest, *, by: Person) -> None:
    """Have a worker read the order now instead of later."""
    require(by, "request", cancellation.shop)
    if cancellation.state not in (State.ACCEPTED, State.UNCERTAIN):
        raise NotAllowed(_("There is nothing to check: the outcome is known, or nothing was sent yet."))
    if not capabilities_of(cancellation.shop).get_order:
        raise NotAllowed(_("This shop's orders can't be read, so a person has to find out and settle it."))
    with transaction.atomic():
        CancellationRequest.objects.filter(pk=cancellation.pk, state=cancellation.state).update(due_at=Now())
        cancellation.record("cancellation.check_asked", by=by)
        ring.ring(tasks.reconcile, cancellation.pk)


def can_resend(cancellation: CancellationRequest) -> str:
    """Return "" when a person may send it again, else a sentence that says why not."""
    if cancellation.state == State.FAILED:
        return _("It was seen cancelled since: there is nothing to send again.") if is_denied(cancellation) else ""
    if cancellation.state != State.UNCERTAIN:
        return _("Only what certainly was not cancelled can be sent again.")
    seen, sent = cancellation.seen_open_at, cancellation.sent_at
    if not seen or (sent and seen <= sent):
        return _("First a check must have seen the order still open since it was last sent.")
    return ""


def resend(
    cancellation: CancellationRequest,
    *,
    by: Person,
    note: str = "",
    priority: int = ONE_BY_ONE,
    seen: int | None = None,
) -> None:
    """Send it again, by a person's word. From *uncertain* only after a check that saw it still open.

    Args:
        priority: ``BULK`` where many are sent again at once.
        seen: Number of the attempt the person decides about; ``None`` where it was read just now.
    """
    require(by, "resend", cancellation.shop)
    _moved(seen is None or seen == cancellation.attempt_no)
    why_not = can_resend(cancellation)
    if why_not:
        raise NotAllowed(why_not)
    try:
        with transaction.atomic():
            _moved(
                cancellation.move_to(
                    State.QUEUED,
                    "cancellation.resent",
                    by=by,
                    data={"note": note},
                    due_at=Now(),
                    held_since=None,
                    priority=priority,
                    unsent=0,
                    readings=0,
                    equal_readings=0,
                    last_reading="",
                    in_review=False,
                    advice="",  # it spoke of what was before
                )
            )
            # From here on nobody else can ask for the unit: what another request did by now is seen.
            if _done_since(cancellation):
                raise NotAllowed(_("Another request has cancelled it since: there is nothing to send again."))
            ring.ring(tasks.deliver, cancellation.shop_id)
    except IntegrityError as error:
        raise NotAllowed(_("Another cancellation of the same order is open already.")) from error


def _done_since(cancellation: CancellationRequest) -> bool:
    unit = CancellationRequest.objects.filter(
        shop=cancellation.shop_id, order_key=cancellation.order_key, item_ref=cancellation.item_ref
    )
    return unit.filter(pk__gt=cancellation.pk, state=State.SUCCEEDED).exists()


def settle(
    cancellation: CancellationRequest,
    *,
    by: Person,
    cancelled: bool,
    note: str,
    picture: Any = None,
    seen: int | None = None,
) -> None:
    """Decide an unclear outcome by a person's word, with evidence; never by the one who asked.

    Args:
        picture: An uploaded file that shows it, or ``None``.
        seen: Number of the attempt the person decides about; ``None`` where it was read just now.
    """
    _second_person(cancellation, by, "settle", State.UNCERTAIN)
    _moved(seen is None or seen == cancellation.attempt_no)
    note = _said(note, _(HOW_YOU_KNOW))
    state = State.SUCCEEDED if cancelled else State.FAILED
    shown: dict[str, Any] = {}
    with keeping(picture, cancellation.pk) as kept, transaction.atomic():
        if kept:
            shown = {"picture": Picture.objects.create(cancellation=cancellation, by=by, **kept).facts}
        _moved(
            cancellation.move_to(
                state,
                "cancellation.settled",
                by=by,
                data={"note": note, **shown},
                due_at=None,
                in_review=False,
                code="settled",
                message=note,
                advice="",
            )
        )


def close_alarm(cancellation: CancellationRequest, *, by: Person, note: str) -> None:
    """Say that somebody dealt with an order that came back to life; the outcome of then stays what it was."""
    require(by, "settle", cancellation.shop)
    note = _said(note, _(HOW_YOU_KNOW))
    with transaction.atomic():
        raised = CancellationRequest.objects.filter(pk=cancellation.pk, alarm=cancellation.alarm).exclude(alarm="")
        _moved(bool(raised.update(alarm="")))
        cancellation.record("cancellation.alarm_closed", by=by, data={"note": note, "alarm": cancellation.alarm})


def _said(note: str, else_say: str) -> str:
    note = note.strip()
    if not note:
        raise NotAsked(else_say, "note")
    return note
