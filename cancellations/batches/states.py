"""The states of a batch, the verdicts on its rows, and every move between them. Pure data; knows no database."""

from enum import StrEnum


class BatchState(StrEnum):
    """Where a batch stands."""

    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    DISCARDED = "discarded"


class Verdict(StrEnum):
    """What the plan says of one row. Only the first two will be asked for."""

    READY = "ready"
    READY_APPROVAL = "ready_approval"
    CANCELLED = "cancelled"
    CANNOT = "cannot"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    OPEN = "open"
    DOUBLED = "doubled"
    BAD = "bad"


class PauseCause(StrEnum):
    """Why a batch is paused: by a person, or by the brake."""

    PERSON = "person"
    CANARY = "canary"
    FAILURES = "failures"
    DOUBT = "doubt"


MOVES: dict[BatchState, frozenset[BatchState]] = {
    BatchState.PLANNING: frozenset({BatchState.PLANNED, BatchState.DISCARDED}),
    BatchState.PLANNED: frozenset({BatchState.RUNNING, BatchState.DISCARDED}),
    BatchState.RUNNING: frozenset({BatchState.PAUSED, BatchState.DONE, BatchState.STOPPED}),
    BatchState.PAUSED: frozenset({BatchState.RUNNING, BatchState.STOPPED}),
    BatchState.DONE: frozenset({BatchState.RUNNING}),  # what failed is sent again
    BatchState.STOPPED: frozenset(),
    BatchState.DISCARDED: frozenset(),
}

READY = (Verdict.READY, Verdict.READY_APPROVAL)
# A page looks again by itself while a batch is in one of these.
MOVING = (BatchState.PLANNING, BatchState.RUNNING)
