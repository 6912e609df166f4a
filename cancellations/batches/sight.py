"""Who may see a batch, and which of its rows."""

from typing import Any

from django.db.models import Q, QuerySet

from cancellations.access import may
from cancellations.batches.models import Batch, BatchRow
from cancellations.shops.scope import shops_of


def batches_of(person: Any) -> QuerySet[Batch]:
    """Return the batches a person may see: their own; those who approve and see every shop, all."""
    found = Batch.objects.select_related("requested_by", "reason")
    if may(person, "approve") and person.every_shop:
        return found
    return found.filter(requested_by=person) if getattr(person, "is_active", False) else found.none()


def rows_of(batch: Batch, person: Any) -> QuerySet[BatchRow]:
    """Return the rows of a batch without those of shops this person may not act on (any more)."""
    if person.every_shop:
        return BatchRow.objects.filter(batch=batch)
    return BatchRow.objects.filter(Q(shop=None) | Q(shop__in=shops_of(person).values("pk")), batch=batch)
