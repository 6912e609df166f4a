"""What a reading proves about a request: the one writer of the conclusions drawn from looking.

A reading that shows it cancelled settles it. "Not cancelled" needs the settle window to have passed and two equal
readings after one another. When the readings are used up, or none can be made, it is *in review*: for a person.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from cancellations.audit import trail
from cancellations.requests.models import CancellationRequest
from cancellations.requests.pacing import wait_for
from cancellations.requests.reading import Reading
from cancellations.requests.states import State
from cancellations.shops.connection import card_of
from providers.contract import Status
from providers.errors import AuthFailed, Cause, RateLimited, gettext_noop

LADDER_SECONDS = tuple(settings.CHECK_SECONDS)
CONFIRM_TRIES = 4
KNOWN = (Status.OPEN, Status.SHIPPED, Status.CLOSED)

READ_CANCELLED = gettext_noop("A reading after the attempt shows it cancelled at the platform.")
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
    if reading.status == Status.CANCELLED:
        _update(cancellation, confirmed_at=now, due_at=None, last_reading=reading.status)
        cancellation.record("cancellation.confirmed", by=trail.WORKER, data={"read": reading.word})
        return
    tries = cancellation.readings + 1
    if reading.status in KNOWN and tries >= CONFIRM_TRIES:
        # The platform said yes and still shows otherwise: a final is never touched, but somebody must know.
        _update(cancellation, due_at=None, readings=tries, last_reading=reading.status)
        cancellation.record(
            "cancellation.contradicted", by=trail.WORKER, data={"read": reading.word, "status": reading.status}
        )
        return
    again = None if tries >= CONFIRM_TRIES else now + timedelta(seconds=LADDER_SECONDS[min(tries, 3)])
    _update(cancellation, due_at=again, readings=tries, last_reading=reading.status or "")


def _succeed(cancellation: CancellationRequest, reading: Reading, now: datetime) -> None:
    facts: dict[str, Any] = {"how": "read back", "read": reading.word}
    changes: dict[str, Any] = {
        "due_at": None,
        "in_review": False,
        "confirmed_at": now,
        "code": "read-back",
        "message": reading.word,
        "advice": READ_CANCELLED,
        "last_reading": reading.status or "",
    }
    if cancellation.move_to(State.SUCCEEDED, "cancellation.succeeded", by=trail.WORKER, data=facts, **changes):
        return
    late = CancellationRequest.objects.select_related("shop").get(pk=cancellation.pk)
    waits = late.state == State.QUEUED and late.doubt and late.attempt_no == cancellation.attempt_no
    # What waits to be sent again need not be: it is done.
    if waits and late.move_to(State.SUCCEEDED, "cancellation.succeeded", by=trail.WORKER, data=facts, **changes):
        return
    late.record("cancellation.late_answer", by=trail.WORKER, data=facts)


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
