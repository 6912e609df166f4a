"""Everything about one request in one column: decisions and attempts merged, oldest first."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from cancellations.audit.models import AuditEvent
from cancellations.requests.models import Attempt, CancellationRequest
from cancellations.requests.wording import VERBS

_TONES = {
    "cancellation.succeeded": ("good", "check"),
    "cancellation.confirmed": ("good", "check"),
    "cancellation.rejected": ("bad", "no-symbol"),
    "cancellation.failed": ("bad", "x-mark"),
    "cancellation.uncertain": ("warn", "question-mark-circle"),
    "cancellation.in_review": ("warn", "question-mark-circle"),
    "cancellation.contradicted": ("bad", "exclamation-triangle"),
    "cancellation.revived": ("bad", "exclamation-triangle"),
    "cancellation.cancelled_after_all": ("bad", "exclamation-triangle"),
    "cancellation.alarm_closed": ("good", "check"),
    "cancellation.approved": ("good", "hand-thumb-up"),
    "cancellation.declined": ("quiet", "hand-thumb-down"),
    "cancellation.withdrawn": ("quiet", "arrow-uturn-left"),
}
# What an attempt's own entry tells already.
_FOLDED = {"cancellation.sending", "cancellation.checked"}


@dataclass(frozen=True)
class Entry:
    """One line of the column; ``attempt`` or ``event`` is set."""

    at: datetime
    label: str
    tone: str
    icon: str
    who: str = ""
    note: str = ""
    event: AuditEvent | None = None
    attempt: Attempt | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def events_of(cancellation: CancellationRequest) -> QuerySet[AuditEvent]:
    """Return the request's own events, oldest first."""
    return AuditEvent.objects.filter(subject_kind="cancellation", subject_id=str(cancellation.pk)).order_by("id")


def timeline(cancellation: CancellationRequest) -> list[Entry]:
    """Return the column; two queries whatever its length.

    A send stands where its claim was recorded. A check stands by its own time, which the database may have cut to
    milliseconds: after what was recorded in the same one.
    """
    attempts = list(cancellation.attempts.all())
    sends = {one.number: one for one in attempts if one.kind == Attempt.Kind.SEND}
    checks = [one for one in attempts if one.kind == Attempt.Kind.CHECK]
    placed: list[tuple[tuple[datetime, bool], Entry]] = []
    for event in events_of(cancellation):
        send = sends.pop(event.data.get("attempt", 0), None) if event.verb == "cancellation.sending" else None
        if send:
            placed.append(((_to_the_millisecond(event.at), False), _attempt(send)))
        elif event.verb not in _FOLDED:
            placed.append(((_to_the_millisecond(event.at), False), _event(event)))
    for attempt in (*sends.values(), *checks):
        placed.append(((_to_the_millisecond(attempt.opened_at), True), _attempt(attempt)))
    return [entry for _place, entry in sorted(placed, key=lambda pair: pair[0])]


def _to_the_millisecond(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _event(event: AuditEvent) -> Entry:
    tone, icon = _TONES.get(event.verb, ("info", "chevron-right"))
    return Entry(
        at=event.at,
        label=str(VERBS.get(event.verb, event.verb)),
        tone=tone,
        icon=icon,
        who=event.actor if event.actor_kind == "person" else "",
        note=str(event.data.get("note", "")),
        event=event,
    )


def _attempt(attempt: Attempt) -> Entry:
    send = attempt.kind == Attempt.Kind.SEND
    return Entry(
        at=attempt.opened_at,
        label="",
        tone="info",
        icon="paper-airplane" if send else "magnifying-glass",
        attempt=attempt,
        facts=attempt.reading,
    )
