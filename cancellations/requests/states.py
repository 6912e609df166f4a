"""The states of a cancellation request and every move between them. Pure data; knows no database."""

from enum import StrEnum

from providers.errors import AuthFailed, OutcomeUnknown, ProviderError, RateLimited, Rejected, Unreachable


class State(StrEnum):
    """Where a request stands."""

    PENDING_APPROVAL = "pending_approval"
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


MOVES: dict[State, frozenset[State]] = {
    # Uncertain only where the database was restored from a backup: it may have been approved and sent since.
    State.PENDING_APPROVAL: frozenset({State.QUEUED, State.DECLINED, State.WITHDRAWN, State.UNCERTAIN}),
    # The last two only where a send is in doubt: late evidence, a resend that was taken back, a restored backup.
    State.QUEUED: frozenset({State.SENDING, State.WITHDRAWN, State.SUCCEEDED, State.UNCERTAIN}),
    State.SENDING: frozenset(
        {State.SUCCEEDED, State.ACCEPTED, State.REJECTED, State.FAILED, State.QUEUED, State.UNCERTAIN}
    ),
    State.ACCEPTED: frozenset({State.SUCCEEDED, State.REJECTED, State.UNCERTAIN}),
    State.UNCERTAIN: frozenset({State.SUCCEEDED, State.REJECTED, State.FAILED, State.QUEUED}),
    # Uncertain only where the database was restored from a backup: it may have been sent again since.
    State.FAILED: frozenset({State.QUEUED, State.UNCERTAIN}),
    State.SUCCEEDED: frozenset(),
    State.REJECTED: frozenset(),
    State.DECLINED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

# One open request per unit, kept by the database.
OPEN = (State.PENDING_APPROVAL, State.QUEUED, State.SENDING, State.ACCEPTED, State.UNCERTAIN)
# Nothing of it is on its way: it can be withdrawn.
UNSENT = (State.QUEUED, State.PENDING_APPROVAL)
# The page looks again by itself while a request is in one of these and not in review.
MOVING = (State.QUEUED, State.SENDING, State.ACCEPTED, State.UNCERTAIN)
FINAL = tuple(state for state in State if not MOVES[state])

MOST_UNREACHABLE = 8


def after(error: ProviderError, *, tries: int) -> State:
    """Return the state an error of a *send* leads to.

    Args:
        tries: How many sends in a row, this one included, provably never left.
    """
    if isinstance(error, Rejected):
        return State.REJECTED
    if isinstance(error, OutcomeUnknown):
        return State.UNCERTAIN
    if isinstance(error, Unreachable) and tries >= MOST_UNREACHABLE:
        return State.FAILED
    if isinstance(error, AuthFailed | RateLimited | Unreachable):
        return State.QUEUED
    raise TypeError(f"an error outside the taxonomy: {type(error).__name__}")
