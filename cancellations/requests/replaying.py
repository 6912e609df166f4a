"""Replays the events of every request: they must tell every state it was in, every send, and where it stands."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db import transaction

from cancellations.audit.models import AuditEvent
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.states import MOVES, State

CHUNK = 500
MOST_TOLD = 100


@dataclass
class Replay:
    """What a replay found: everything counted, the first differences as sentences."""

    requests: int = 0
    events: int = 0
    count: int = 0
    differences: list[str] = field(default_factory=list)


def replay() -> Replay:
    """Walk all requests, oldest first. What moves meanwhile is looked at once more while it can't."""
    found, last = Replay(), 0
    while keys := list(
        CancellationRequest.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        for pk, events, faults in _look(keys):
            if faults:
                with transaction.atomic():
                    list(CancellationRequest.objects.select_for_update().filter(pk=pk))
                    ((_pk, events, faults),) = _look([pk])
            found.requests, found.events, found.count = (
                found.requests + 1,
                found.events + events,
                found.count + len(faults),
            )
            found.differences += faults[: MOST_TOLD - len(found.differences)]
        last = keys[-1]
    return found


def _look(keys: list[int]) -> Iterator[tuple[int, int, list[str]]]:
    """Yield each request's key, how many events it has, and what does not fit."""
    events: dict[int, list[tuple[str, dict[str, object]]]] = defaultdict(list)
    told = AuditEvent.objects.filter(subject_kind="cancellation", subject_id__in=[str(pk) for pk in keys])
    for key, verb, data in told.order_by("id").values_list("subject_id", "verb", "data"):
        events[int(key)].append((verb, data))
    sends: dict[int, list[int]] = defaultdict(list)
    attempts = Attempt.objects.filter(cancellation__in=keys, kind=Attempt.Kind.SEND).order_by("number")
    for pk, number in attempts.values_list("cancellation", "number"):
        sends[pk].append(number)
    rows = CancellationRequest.objects.filter(pk__in=keys).order_by("pk")
    for pk, state, attempt_no in rows.values_list("pk", "state", "attempt_no"):
        faults = _faults(events[pk], state, attempt_no, sends[pk])
        yield pk, len(events[pk]), [f"request {pk}: {fault}" for fault in faults]


def _faults(
    events: Iterable[tuple[str, dict[str, object]]], state: str, attempt_no: int, sends: list[int]
) -> Iterator[str]:
    now, sent = "", 0
    for verb, data in events:
        if verb == "cancellation.requested":
            if now:
                yield "it is asked for twice"
            now = str(data.get("to", ""))
        elif "to" in data:
            old, new = str(data.get("from", "")), str(data["to"])
            if old != now:
                yield f"{verb} begins at {old or 'nothing'}, and it was {now or 'not asked for'}"
            elif old not in MOVES or new not in MOVES[State(old)]:
                yield f"{verb} goes from {old} to {new}, which is no move"
            now = new
            sent += new == State.SENDING
    if now != state:
        yield f"its events end at {now or 'nothing'}, and it is {state}"
    if sends != list(range(1, attempt_no + 1)) or sent != attempt_no:
        yield f"it was sent {attempt_no} times; there are attempts {sends} and {sent} events of sending"
