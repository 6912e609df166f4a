"""Looks whether the record is whole and keeps the verdict, so that a page need not walk the record."""

import time
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from cancellations.audit.findings import Fault
from cancellations.audit.models import Verification
from cancellations.audit.verifying import verify

EVERY = timedelta(minutes=10)
MOST_SHARE = 20  # a walk that takes long is made seldom: at most one part in so many of the time
LONGEST = timedelta(hours=2)
KEPT = 1000
_UNDER_WAY = "audit-check"


def newest() -> Verification | None:
    """Return the last verdict."""
    return Verification.objects.order_by("-id").first()


def faults_of(found: Verification) -> list[Fault]:
    """Return the broken places of a verdict."""
    return [Fault(**one) for one in found.faults]


def is_due() -> bool:
    """Tell whether it is time to look again."""
    last = newest()
    return last is None or timezone.now() - last.at >= max(EVERY, timedelta(seconds=last.seconds * MOST_SHARE))


def check() -> Verification | None:
    """Walk the record and keep the verdict; ``None`` when a walk is under way already."""
    if not cache.add(_UNDER_WAY, 1, timeout=LONGEST.total_seconds()):
        return None
    try:
        begun = time.monotonic()
        found = verify()
        made = Verification.objects.create(
            at=timezone.now(),
            seconds=round(time.monotonic() - begun, 3),
            whole=found.whole,
            events=found.events,
            seals=found.seals,
            unsealed=found.unsealed,
            up_to=found.up_to,
            faults=[one.as_json() for one in found.faults],
        )
    finally:
        cache.delete(_UNDER_WAY)
    Verification.objects.filter(pk__lte=made.pk - KEPT).delete()
    return made
