"""``record()``: the only way to write an event. Writers never wait for each other; sealing comes after."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from cancellations.audit.models import AuditEvent


@dataclass(frozen=True)
class Machine:
    """An actor that is no person."""

    kind: str
    name: str = ""


WORKER = Machine("worker", "worker")
SYSTEM = Machine("system")

# Where the act under way comes from: (origin, incident id). Set by the middleware and by commands.
_origin: ContextVar[tuple[str, str]] = ContextVar("origin", default=("", ""))


@contextmanager
def coming_from(origin: str, incident: str = "") -> Iterator[None]:
    """Let every event recorded inside say where it came from."""
    token = _origin.set((origin[:64], incident))
    try:
        yield
    finally:
        _origin.reset(token)


def record(verb: str, **facts: Any) -> AuditEvent:
    """Write one event, in the caller's transaction. Takes what :func:`event` takes."""
    written = event(verb, **facts)
    written.save(force_insert=True)
    return written


def record_all(events: Iterable[AuditEvent]) -> None:
    """Write many events at once, in the caller's transaction."""
    AuditEvent.objects.bulk_create(events)


def event(
    verb: str,
    *,
    by: Any,
    subject_kind: str,
    subject_id: object = "",
    subject: str = "",
    shop: Any = None,
    order_number: str = "",
    data: dict[str, Any] | None = None,
) -> AuditEvent:
    """Return one event, not written yet.

    Args:
        verb: ``thing.done``.
        by: A person, or a :class:`Machine`.
        subject_id, subject: Key and readable name of what it was done to.
        shop: The Shop it concerns, or ``None``.
        data: JSON facts. Never a secret, never a buyer's data in clear: the caller redacts.
    """
    origin, incident = _origin.get()
    machine = by if isinstance(by, Machine) else None
    return AuditEvent(
        at=timezone.now(),
        verb=verb,
        actor_id=None if machine else by.pk,
        actor=machine.name if machine else by.get_username(),
        actor_kind=machine.kind if machine else "person",
        origin=origin,
        incident=incident,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        subject=subject[:200],
        shop_id=shop.pk if shop else None,
        shop=shop.name if shop else "",
        order_number=order_number[:200],
        data=data or {},
    )
