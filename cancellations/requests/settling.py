"""What a reading proves about a request: the one writer of the conclusions drawn from looking.

A reading that shows it cancelled settles it. "Not cancelled" needs the settle window to have passed and two equal
readings after one another. When the readings are used up, or none can be made, it is *in review*: for a person.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from cancellations.audit import trail
from cancellations.requests.denials import keep_late
from cancellations.requests.models import CancellationRequest
from cancellations.requests.pacing import wait_for
from cancellations.requests.reading import Reading
from cancellations.requests.states import State
from cancellations.shops.connection import card_of
from providers.contract import Status
from providers.errors import AuthFailed, Cause, RateLimited, gettext_noop

LADDER_SECONDS = tuple(settings.CHECK_SECONDS)
WATCH = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))
CONFIRM_TRIES = 4
CLOCKS_APART = timedelta(minutes=15)
KNOWN = (Status.OPEN, Status.SHIPPED, Status.CLOSED)
ALIVE = (Status.OPEN, Status.SHIPPED)

READ_CANCELLED = gettext_noop("A reading after the attempt shows it cancelled at the platform.")
READ_BEFORE = gettext_noop("A reading shows it cancelled at the platform, since before it was asked for here.")
READ_NOT_CANCELLED = gettext_noop(
    "It is not cancelled: read twice after the platform had time to settle. You may send it again."
)
READ_GONE = gettext_noop("The order can't be read any more, so nobody can tell by looking. Somebody has to find out.")
IN_REVIEW = gettext_noop(
    "We have looked as often as makes sense and still can't tell. A person has to find out and settle it."
)


def settle_window(cancellation: CancellationRequest) -> timedelta:
    """Return how long after a send a reading may still be stale."""
    return timedelta(seconds=settings.SETTLE_SECONDS or card_of(cancellation.shop).settle_seconds)


def draw(cancellation: CancellationRequest, reading: Reading, asked_at: datetime) -> None:
    """Draw the one conclusion a reading allows; must be called inside a transaction.

    Args:
        cancellation: As it was when the check was taken; if it moved meanwhile, little is concluded.
        asked_at: When it was asked, by the database's clock: what is read is no younger.
    """
    if cancellation.state == State.SUCCEEDED:
        _confirmed(cancellation, reading, asked_at)
    elif reading.status == Status.CANCELLED:
        _succeed(cancellation, reading, asked_at)
    else:
        _still_unclear(cancellation, reading, asked_at)


def _update(cancellation: CancellationRequest, **changes: Any) -> None:
    """Set columns that are not the state, where nobody moved the state meanwhile."""
    CancellationRequest.objects.filter(
        pk=cancellation.pk, state=cancellation.state, attempt_no=cancellation.attempt_no
    ).update(**changes)


def _confirmed(cancellation: CancellationRequest, reading: Reading, now: datetime) -> None:
    if cancellation.alarm:  # raised once; the rest is a person's
        _update(cancellation, due_at=None)
        return
    facts: dict[str, Any] = {"read": reading.word, "status": reading.status or ""}
    if reading.status == Status.CANCELLED:
        verb = "cancellation.checked" if cancellation.confirmed_at else "cancellation.confirmed"
        due = next_watch(cancellation, now)
        _update(cancellation, confirmed_at=now, due_at=due, readings=0, last_reading=reading.status)
        cancellation.record(verb, by=trail.WORKER, data=facts)
        return
    if cancellation.confirmed_at:
        _watched(cancellation, reading, now, facts)
        return
    tries = cancellation.readings + (not _busy(reading))
    if reading.status in KNOWN and tries >= CONFIRM_TRIES:
        # The platform said yes and still shows otherwise: a final is never touched, but somebody must know.
        _update(cancellation, due_at=None, readings=tries, last_reading=reading.status, alarm="contradicted")
        cancellation.record("cancellation.contradicted", by=trail.WORKER, data=facts)
        return
    wait = float(LADDER_SECONDS[min(tries, 3)])
    if isinstance(reading.error, RateLimited):
        wait = max(wait, wait_for(reading.error))
    # Where it could not be read there is nothing against it either, and the watch goes on.
    again = next_watch(cancellation, now) if tries >= CONFIRM_TRIES else now + timedelta(seconds=wait)
    _update(cancellation, due_at=again, readings=tries, last_reading=reading.status or "")


def next_watch(cancellation: CancellationRequest, now: datetime) -> datetime | None:
    """Return when a confirmed cancellation is looked at again, ever more seldom; ``None`` once that was long enough."""
    ends = timedelta(days=settings.WATCH_DAYS)
    age = now - cancellation.state_since
    steps = [step for step in (*WATCH, *(WATCH[-1] * more for more in range(2, 60))) if age < step < ends]
    after = min([*steps, ends])
    return cancellation.state_since + after if after > age else None


def _watched(cancellation: CancellationRequest, reading: Reading, now: datetime, facts: dict[str, Any]) -> None:
    """Take a reading of what was seen cancelled before; alive again, twice, is an alarm, raised once."""
    if reading.status not in ALIVE:  # it can't be read, or was put away since: nothing against it
        _update(cancellation, due_at=next_watch(cancellation, now))
    elif reading.status != cancellation.last_reading:
        _update(cancellation, due_at=now + timedelta(seconds=LADDER_SECONDS[1]), last_reading=reading.status)
    else:
        _update(cancellation, due_at=None, alarm="revived")
        cancellation.record("cancellation.revived", by=trail.WORKER, data=facts)
        return
    cancellation.record("cancellation.checked", by=trail.WORKER, data=facts)


def _was_before(cancellation: CancellationRequest, reading: Reading) -> bool:
    """Tell whether what was read shows that it had been cancelled before anybody here asked."""
    changed = reading.order.updated_at if reading.order else None
    return cancellation.attempt_no <= 1 and bool(changed and changed < cancellation.requested_at - CLOCKS_APART)


def _succeed(cancellation: CancellationRequest, reading: Reading, now: datetime) -> None:
    facts: dict[str, Any] = {"how": "read back", "read": reading.word}
    changes: dict[str, Any] = {
        "due_at": now + WATCH[0] if settings.WATCH_DAYS else None,
        "in_review": False,
        "confirmed_at": now,
        "already": _was_before(cancellation, reading),
        "code": "read-back",
        "message": reading.word,
        "advice": READ_BEFORE if _was_before(cancellation, reading) else READ_CANCELLED,
        "last_reading": reading.status or "",
    }
    if cancellation.move_to(State.SUCCEEDED, "cancellation.succeeded", by=trail.WORKER, data=facts, **changes):
        return
    late = CancellationRequest.objects.select_related("shop").get(pk=cancellation.pk)
    waits = late.state == State.QUEUED and late.doubt and late.attempt_no == cancellation.attempt_no
    # What waits to be sent again need not be: it is done.
    if waits and late.move_to(State.SUCCEEDED, "cancellation.succeeded", by=trail.WORKER, data=facts, **changes):
        return
    keep_late(late, facts, cancelled=True)


def _still_unclear(cancellation: CancellationRequest, reading: Reading, now: datetime) -> None:
    changes: dict[str, Any] = {}
    readings, equal = cancellation.readings, 0
    if not _busy(reading):
        readings += 1
    ends = (cancellation.sent_at or now) + settle_window(cancellation)
    if reading.status in KNOWN:
        settled = now >= ends
        equal = (cancellation.equal_readings if reading.status == cancellation.last_reading else 0) + int(settled)
        changes |= {"last_reading": reading.status}
        if reading.status == Status.OPEN:
            changes["seen_open_at"] = now
        if settled and equal >= 2:
            _fail(cancellation, reading, now)
            return
    changes |= {"readings": readings, "equal_readings": equal}
    if readings > len(LADDER_SECONDS) - 1:
        gone = reading.error is not None or reading.status is None
        _review(cancellation, changes, READ_GONE if gone else IN_REVIEW)
        return
    due = now + timedelta(seconds=LADDER_SECONDS[readings] * random.uniform(0.9, 1.1))  # noqa: S311 - jitter
    if isinstance(reading.error, RateLimited):
        due = max(due, now + timedelta(seconds=wait_for(reading.error)))
    elif now < ends < due:
        due = ends
    elif equal == 1:
        due = min(due, now + timedelta(seconds=LADDER_SECONDS[1]))  # the second equal reading need not wait an hour
    _update(cancellation, due_at=due, **changes)
    cancellation.record(
        "cancellation.checked",
        by=trail.WORKER,
        data={
            "read": reading.word,
            "status": reading.status or "",
            "code": reading.error.code if reading.error else "",
        },
    )


def _busy(reading: Reading) -> bool:
    """Tell whether the platform does not let us look just now, which is no reading; never may is one."""
    if isinstance(reading.error, AuthFailed):
        return reading.error.cause != Cause.PERMISSION
    return isinstance(reading.error, RateLimited)


def _fail(cancellation: CancellationRequest, reading: Reading, now: datetime) -> None:
    if cancellation.state == State.ACCEPTED:  # the platform had said yes: only a person may call that a no
        _review(cancellation, {"seen_open_at": now} if reading.status == Status.OPEN else {}, IN_REVIEW)
        return
    cancellation.move_to(
        State.FAILED,
        "cancellation.failed",
        by=trail.WORKER,
        data={"how": "read twice", "read": reading.word},
        due_at=None,
        in_review=False,
        code="not-cancelled",
        message=reading.word,
        advice=READ_NOT_CANCELLED,
        last_reading=reading.status or "",
    )


def _review(cancellation: CancellationRequest, changes: dict[str, Any], advice: str) -> None:
    if cancellation.state == State.ACCEPTED:
        cancellation.move_to(
            State.UNCERTAIN,
            "cancellation.uncertain",
            by=trail.WORKER,
            due_at=None,
            in_review=True,
            advice=advice,
            **changes,
        )
        return
    _update(cancellation, due_at=None, in_review=True, advice=advice, **changes)
    cancellation.record("cancellation.in_review", by=trail.WORKER)
