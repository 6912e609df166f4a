"""Which events a person may see, and which of them are asked for. Knows shops by their keys only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from cancellations.audit.models import AuditEvent
from cancellations.audit.wording import GROUPS

MACHINES = ("worker", "system")


@dataclass(frozen=True)
class Eyes:
    """Who looks.

    Attributes:
        shop_ids: The shops whose events may be seen; ``None`` for everything there is.
        person_id: Of what concerns no shop, only what this person did or what was done to them may be seen.
    """

    shop_ids: Sequence[int] | None = None
    person_id: int | None = None


@dataclass(frozen=True)
class Filters:
    """What is asked for; "" and ``None`` leave it open. Days are the reader's, both included.

    Attributes:
        person: A name as it stood then, or ``worker`` or ``system``.
        what: A word of ``wording.GROUPS``.
        shop, shop_id: A shop's short name, and its key, by which it is looked for.
        order: A whole order number.
    """

    person: str = ""
    what: str = ""
    shop: str = ""
    shop_id: int | None = None
    order: str = ""
    since: date | None = None
    until: date | None = None

    def as_json(self) -> dict[str, str]:
        """Return what is set, for the event of an export."""
        return {name: str(value) for name, value in vars(self).items() if value and name != "shop_id"}


def search(eyes: Eyes, filters: Filters) -> QuerySet[AuditEvent]:
    """Return the events asked for, without an order."""
    found = visible(eyes)
    if filters.person in MACHINES:
        found = found.filter(actor_kind=filters.person)
    elif filters.person:
        found = found.filter(actor=filters.person, actor_kind="person")
    if filters.what:
        found = found.filter(verb__in=sorted(GROUPS[filters.what][1]))
    if filters.shop_id is not None:
        found = found.filter(shop_id=filters.shop_id)
    if filters.order:
        found = found.filter(order_number=filters.order)
    if filters.since:
        found = found.filter(at__gte=_begin(filters.since))
    if filters.until:
        found = found.filter(at__lt=_begin(filters.until + timedelta(days=1)))
    return found


def visible(eyes: Eyes) -> QuerySet[AuditEvent]:
    """Return the events these eyes may see."""
    if eyes.shop_ids is None:
        return AuditEvent.objects.all()
    own = Q(actor_kind="person", actor_id=eyes.person_id) | Q(subject_kind="person", subject_id=str(eyes.person_id))
    return AuditEvent.objects.filter(Q(shop_id__in=eyes.shop_ids) | (Q(shop_id=None) & own))


def _begin(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
