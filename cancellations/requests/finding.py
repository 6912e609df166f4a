"""Which cancellations a list shows: by what they need, and by what was filled in."""

from typing import Any

from django.db.models import Q, QuerySet

from cancellations.access import may
from cancellations.people.models import Person
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import FINAL, MOVING, State
from providers.contract import Status


def needs(person: Person, queryset: QuerySet[CancellationRequest]) -> QuerySet[CancellationRequest]:
    """Narrow to what waits for this person's decision."""
    failed = Q(state=State.FAILED) & ~Q(last_reading=Status.CANCELLED)  # else there is nothing left to do
    own = Q(requested_by=person) & (failed | ~Q(alarm=""))
    if not may(person, "approve"):
        return queryset.filter(own | Q(requested_by=person, state=State.UNCERTAIN, in_review=True))
    waiting = Q(state=State.PENDING_APPROVAL) & ~Q(requested_by=person)
    return queryset.filter(own | waiting | Q(state=State.UNCERTAIN, in_review=True) | ~Q(alarm=""))


def in_tab(name: str, person: Person, queryset: QuerySet[CancellationRequest]) -> QuerySet[CancellationRequest]:
    """Narrow to what one tab of the list shows."""
    if name == "needs":
        return needs(person, queryset)
    if name == "moving":
        return queryset.filter(state__in=[*MOVING, State.PENDING_APPROVAL], in_review=False)
    if name == "review":
        return queryset.filter(state=State.UNCERTAIN, in_review=True)
    if name == "done":
        return queryset.filter(state__in=[*FINAL, State.FAILED])
    return queryset


def filtered(found: QuerySet[CancellationRequest], given: dict[str, Any]) -> QuerySet[CancellationRequest]:
    """Narrow by what was filled in above the list."""
    if given["state"]:
        found = found.filter(state=given["state"])
    if given["shop"]:
        found = found.filter(shop=given["shop"])
    if given["reason"]:
        found = found.filter(reason=given["reason"])
    if given["person"]:
        found = found.filter(requested_by__username__iexact=given["person"].strip())
    return found
