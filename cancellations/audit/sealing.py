"""Seals events in batches chained by a keyed hash, so that an alteration shows. Writers never wait for it.

An event is sealed a few seconds after its transaction is committed; one that is committed late is sealed by a later
batch, as long as its number was free for less than :data:`LATE`. Nothing is locked while digests are computed: of two
sealers that work at once the database takes one, by the seal's number.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from django.db import IntegrityError, transaction
from django.utils import timezone

from cancellations.audit import anchoring, bodies
from cancellations.audit.digests import (
    EventRow,
    Runs,
    audit_keys,
    digest_of,
    events_between,
    mark_of,
    moment_text,
    read_events,
)
from cancellations.audit.models import Seal

LATE = timedelta(minutes=30)  # also longer than two machines' clocks may be apart
MOST_EVENTS = 10_000


def seal() -> Seal | None:
    """Seal what is not sealed yet; ``None`` when there is nothing, or when another sealer was faster."""
    last = Seal.objects.order_by("-number").first()
    events = _unsealed(last)
    if not events:
        return None
    made = _make(last, events)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            transaction.on_commit(lambda: anchoring.note(made))
    except IntegrityError:
        return None
    return made


def runs_of(ids: Iterable[int]) -> Runs:
    """Return ascending numbers as runs: 1, 2, 3, 5 → [[1, 3], [5, 5]]."""
    runs: Runs = []
    for number in ids:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def numbers_of(runs: Runs) -> Iterator[int]:
    """Yield the numbers of runs."""
    for first, last in runs:
        yield from range(first, last + 1)


def _unsealed(last: Seal | None) -> list[EventRow]:
    if last is None:
        return read_events("id IS NOT NULL", [], MOST_EVENTS)
    found = list(events_between(_recent_gaps(last), MOST_EVENTS))
    return found + read_events("id > %s", [last.covered], MOST_EVENTS - len(found))


def _recent_gaps(last: Seal) -> list[tuple[int, int]]:
    """Return the numbers up to the highest sealed one that were still free a short while before the last seal."""
    first = Seal.objects.filter(at__gte=last.at - LATE).order_by("number").values_list("number", flat=True)[0]
    # From there on every seal, whatever its time: a machine whose clock is behind must not hide what it sealed.
    recent = list(Seal.objects.filter(number__gte=first).order_by("number").values_list("number", "events"))
    before = Seal.objects.filter(number=recent[0][0] - 1).values_list("covered", flat=True).first()
    runs = sorted(run for _number, events in recent for run in events)
    floor = min(0, runs[0][0] - 1) if before is None else before
    merged = [[floor, floor], *(run for run in runs if run[1] > floor)]
    return [(one[1] + 1, other[0] - 1) for one, other in pairwise(merged) if other[0] - one[1] > 1]


def _make(last: Seal | None, events: Sequence[EventRow]) -> Seal:
    key = next(iter(audit_keys().values()))
    number, previous, at = (last.number + 1 if last else 1), (last.digest if last else ""), timezone.now()
    runs = runs_of(event.id for event in events)
    marks = "".join(mark_of(event, key) for event in events)
    digest = digest_of(key, previous=previous, number=number, at=moment_text(at), runs=runs, marks=marks)
    backdated = last and min(event.at for event in events) < (last.at - LATE).isoformat()
    return Seal(
        number=number,
        at=at,
        events=runs,
        count=len(events),
        covered=max(events[-1].id, last.covered if last else events[-1].id),
        marks=marks,
        previous=previous,
        digest=digest,
        key_id=key.label,
        body="" if backdated else bodies.made(key, digest, runs),
    )
