"""What a send came to: its attempt is closed and the request moved on, in one transaction.

An answer speaks for its own attempt alone. While an earlier send is in doubt, that this one did nothing proves nothing.
"""

import random
import time
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from cancellations.audit import trail
from cancellations.orders.reading import clean
from cancellations.requests.denials import keep_late
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.pacing import LEAST_WAIT_SECONDS, wait_for
from cancellations.requests.reconciliation import first_check_in, is_readable, unclear
from cancellations.requests.states import State, after
from cancellations.requests.waiting import due_unless_held
from providers.contract import Receipt
from providers.errors import AuthFailed, ProviderError, RateLimited, Unreachable, gettext_noop

MOST_WORDS = 4000
CONFIRM_SECONDS = 15
PATIENCE_SECONDS = (0.5, 2.0, 5.0)

EARLIER_DOUBT = gettext_noop(
    "This attempt did nothing, but an earlier one may have been done. We look at the order to find out."
)
PERHAPS_OURS = gettext_noop("The platform says it is cancelled already; an earlier attempt of ours may have done it.")
# What an attempt is called that provably did nothing.
UNDONE = ("Unreachable", "NotBegun", "RateLimited", "AuthFailed", "Rejected")


@dataclass(frozen=True)
class Sent:
    """What became of one send: a receipt, or an error, and what went over the wire."""

    receipt: Receipt | None
    error: ProviderError | None
    exchanges: list[dict[str, Any]]
    bug: Exception | None = None

    @property
    def told(self) -> Receipt | ProviderError:
        """The one of the two there is."""
        told = self.receipt or self.error
        assert told is not None
        return told

    @property
    def outcome(self) -> str:
        """The word the attempt keeps."""
        return type(self.told).__name__

    def as_columns(self) -> dict[str, Any]:
        """Return what the attempt keeps of it."""
        return {
            "outcome": self.outcome,
            "exchanges": self.exchanges,
            "code": clean(self.told.code, 64),
            "message": clean(self.told.message, MOST_WORDS),
        }

    def as_facts(self, attempt: Attempt) -> dict[str, Any]:
        """Return what the event of the move keeps of it."""
        return {"attempt": attempt.number, "code": clean(self.told.code, 64)}


class NotBegun(Unreachable):
    """It was claimed, and this process did not come to send it: no try, so it does not count as one."""


def conclude_patiently(cancellation: CancellationRequest, attempt: Attempt, sent: Sent) -> bool:
    """Conclude, though the database may be away for a moment: an answer comes only once."""
    for pause in PATIENCE_SECONDS:
        tried = copy(cancellation)  # what a try that is rolled back changed must not be taken for done by the next
        try:
            moved = conclude(tried, attempt, sent)
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
            time.sleep(pause)
        else:
            vars(cancellation).update(vars(tried))
            return moved
    return conclude(cancellation, attempt, sent)


def conclude(cancellation: CancellationRequest, attempt: Attempt, sent: Sent) -> bool:
    """Close the attempt and move the state, in one transaction.

    A late answer (the lease ran out and the row became *uncertain*) still counts when it is definite and this is
    still the latest attempt; otherwise it is kept as evidence and moves nothing.

    Args:
        cancellation: As it was claimed.

    Returns:
        Whether the request moved by this answer.
    """
    with transaction.atomic():
        kept = attempt.close(**sent.as_columns())
        state, verb, changes = outcome_of(cancellation, sent)
        if not kept and Attempt.objects.get(pk=attempt.pk).outcome == sent.outcome:
            cancellation.refresh_from_db()  # concluded before: only the word that it was committed got lost
            return cancellation.state == state
        facts = sent.as_facts(attempt)
        if not kept:  # given up for lost and closed: the record keeps what the attempt cannot
            facts["exchanges"] = sent.exchanges
        if cancellation.move_to(state, verb, by=trail.WORKER, data=facts, **changes):
            return True
        late = CancellationRequest.objects.select_related("shop", "order").get(pk=cancellation.pk)
        if _counts(late, attempt, state) and late.move_to(
            state, verb, by=trail.WORKER, data={**facts, "late": True}, **changes
        ):
            cancellation.refresh_from_db()
            return True
        keep_late(late, {**facts, "outcome": sent.outcome}, cancelled=state == State.SUCCEEDED)
        return False


def _counts(late: CancellationRequest, attempt: Attempt, state: State) -> bool:
    """Tell whether a late answer may move the request: a yes also where it waits to be sent again."""
    if late.attempt_no != attempt.number:
        return False
    if late.state == State.QUEUED:
        return late.doubt and state == State.SUCCEEDED
    return late.state == State.UNCERTAIN and state in (State.SUCCEEDED, State.REJECTED)


def outcome_of(cancellation: CancellationRequest, sent: Sent) -> tuple[State, str, dict[str, Any]]:
    """Return the next state, its event, and the columns that go with it."""
    changes: dict[str, Any] = {
        "lease_until": None,
        "readings": 0,
        "equal_readings": 0,
        "last_reading": "",
        "in_review": False,
        "unsent": 0,
        "code": clean(sent.told.code, 64),
        "message": clean(sent.told.message, MOST_WORDS),
        "platform_request_id": clean(sent.told.request_id, 128),
    }
    error = sent.error
    if error is None:
        receipt = sent.receipt
        assert receipt is not None
        changes |= {"advice": receipt.advice, "already": receipt.already}
        if receipt.already and _may_be_ours(cancellation):
            changes |= {"advice": PERHAPS_OURS, "already": False}
        if receipt.final:
            # A worker that dies before the confirming read leaves it to the sweep.
            due = Now() + timedelta(seconds=CONFIRM_SECONDS) if is_readable(cancellation.shop) else None
            return State.SUCCEEDED, "cancellation.succeeded", {**changes, "due_at": due}
        return State.ACCEPTED, "cancellation.accepted", {**changes, "due_at": first_check_in()}
    changes["advice"] = error.advice.agent
    begun = not isinstance(error, NotBegun)
    never_left = cancellation.unsent + begun if isinstance(error, Unreachable) else 0
    changes["unsent"] = never_left
    ours = bool(sent.bug) and isinstance(error, Unreachable)
    state = State.FAILED if ours else after(error, tries=never_left)
    if state in (State.FAILED, State.REJECTED) and cancellation.doubt:
        state, changes["advice"] = State.UNCERTAIN, EARLIER_DOUBT
    if state == State.UNCERTAIN:
        changes |= unclear(cancellation.shop)
    else:
        changes["due_at"] = due_unless_held(_again_in(error, never_left)) if state == State.QUEUED else None
    verb = "cancellation.put_back" if state == State.QUEUED else f"cancellation.{state.value}"
    return state, verb, changes


def _may_be_ours(cancellation: CancellationRequest) -> bool:
    """Tell whether an earlier send may have done what this one found done."""
    sends = cancellation.attempts.filter(kind=Attempt.Kind.SEND, number__lt=cancellation.attempt_no)
    return sends.exclude(outcome__in=UNDONE).exists()


def _again_in(error: ProviderError, tries: int) -> Any:
    """Return when it goes again, by the database's clock."""
    if isinstance(error, AuthFailed | NotBegun):
        return Now()  # the shop is held; it goes once the hold is lifted
    if isinstance(error, RateLimited):
        return Now() + timedelta(seconds=wait_for(error))
    wait = LEAST_WAIT_SECONDS * 2 ** max(0, tries - 1)
    return Now() + timedelta(seconds=wait * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
