"""How far a request is: the dots, when its page looks again, who acts next and until when."""

import re
from datetime import datetime, timedelta
from hashlib import blake2s

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from cancellations.requests.denials import is_denied
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import MOVING, OPEN, UNSENT, State
from cancellations.requests.waiting import held_by_bulk
from cancellations.requests.wording import Headline
from cancellations.shops import health

# A person waits for what is on its way, less for what is looked at again; what waits for a person may take days.
AT_ONCE, SOON, LATER = 700, 2_000, 15_000  # milliseconds until a page looks again: who just asked sits before it
# What a worker does is overdue so long after its moment; what a person decides, so long after it began to wait.
WORKER_LATE, PERSON_LATE = timedelta(minutes=15), timedelta(hours=24)


def owner(cancellation: CancellationRequest) -> str:
    """Return who acts next, "" when nobody need."""
    state, shop = State(cancellation.state), cancellation.shop
    if cancellation.alarm:
        return _("a manager: look at the order, then close the alarm")
    if state == State.PENDING_APPROVAL or cancellation.in_review:
        person = {"person": cancellation.requested_by.get_username()}
        return _("a manager other than %(person)s") % person
    if state not in OPEN:
        return (
            _("%(person)s, if it should still be cancelled") % {"person": cancellation.requested_by.get_username()}
            if state == State.FAILED and not is_denied(cancellation)
            else ""
        )
    if held_by_bulk(cancellation):
        return _("whoever resumes bulk %(number)s") % {"number": cancellation.batch}
    if not shop.active or ((hold := health.held(shop)) and hold.hold_cause != "network"):
        return _("an admin: the shop has to be mended")
    return _("a worker, by itself")


def deadline(cancellation: CancellationRequest) -> datetime | None:
    """Return when somebody should ask why nothing happened; ``None`` when nothing has to happen."""
    if cancellation.state not in OPEN:
        return None
    if held_by_bulk(cancellation):
        return (cancellation.held_since or cancellation.state_since) + PERSON_LATE
    if cancellation.state == State.PENDING_APPROVAL or cancellation.in_review:
        return cancellation.state_since + PERSON_LATE
    return cancellation.lease_until or (cancellation.due_at or cancellation.state_since) + WORKER_LATE


def steps(cancellation: CancellationRequest) -> list[tuple[str, str]]:
    """Return the progress dots: (label, ``done now todo skipped bad unsure``)."""
    state = State(cancellation.state)
    sent = bool(cancellation.attempt_no) and state not in UNSENT  # what came back waits to be sent again
    answered = {
        State.SUCCEEDED: "done",
        State.ACCEPTED: "done",
        State.REJECTED: "bad",
        State.FAILED: "bad",
        State.UNCERTAIN: "unsure",
        State.SENDING: "now",
    }.get(state, "todo")
    confirmed = "done" if cancellation.confirmed_at else "todo"
    if state == State.SUCCEEDED and not cancellation.confirmed_at:
        confirmed = "now" if cancellation.due_at else "skipped"
    if state in (State.ACCEPTED, State.UNCERTAIN):
        confirmed = "now"
    over = state in (State.REJECTED, State.FAILED, State.DECLINED, State.WITHDRAWN)
    dots = [(pgettext("step", "Asked"), "done")]
    if cancellation.approved_by_id or state in (State.PENDING_APPROVAL, State.DECLINED):
        approved = {State.PENDING_APPROVAL: "now", State.DECLINED: "bad"}.get(state, "done")
        dots.append((pgettext("step", "Approved"), approved))
    dots.append(
        (
            pgettext("step", "Sent"),
            "done" if sent else ("now" if state == State.QUEUED else "skipped" if over else "todo"),
        )
    )
    dots.append((pgettext("step", "Answered"), answered if sent else ("skipped" if over else "todo")))
    dots.append((pgettext("step", "Confirmed"), "skipped" if over else confirmed))
    return dots


def moment(cancellation: CancellationRequest, said: Headline) -> str:
    """Return a text that changes whenever there is something new to show."""
    words = blake2s(f"{said.title} {said.text}".encode(), digest_size=6).hexdigest()
    review, confirmed = int(cancellation.in_review), int(bool(cancellation.confirmed_at))
    state = cancellation.alarm or cancellation.state
    return f"{state}-{cancellation.attempt_no}-{cancellation.checks}-{review}-{confirmed}-{words}"


def next_look(cancellation: CancellationRequest) -> int:
    """Return the milliseconds until a page should look again by itself; 0 when only a new act can change anything."""
    confirming = cancellation.state == State.SUCCEEDED and cancellation.due_at and not cancellation.confirmed_at
    if confirming or (cancellation.state in MOVING and not cancellation.in_review):
        return AT_ONCE if cancellation.state in (State.QUEUED, State.SENDING) else SOON
    return LATER if cancellation.state in OPEN else 0


def is_theirs(cancellation: CancellationRequest) -> bool:
    """Tell whether code and message are the platform's own; codes of ours are lower-case words with hyphens."""
    return bool(cancellation.code) and not re.fullmatch(r"[a-z]+(-[a-z]+)*", cancellation.code)
