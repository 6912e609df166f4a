"""Claim what goes first, so that of any number of workers one sends.

A claim is committed before a byte leaves. After it a crash leaves a trace: the row is *sending*, its attempt open.
"""

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from cancellations.audit import trail
from cancellations.requests import easing, pacing, restoring
from cancellations.requests.models import LEASE, Attempt, CancellationRequest, show_on_orders
from cancellations.requests.states import State
from cancellations.shops import health
from cancellations.shops.connection import rate_of
from cancellations.shops.models import Credential, Shop

# Nothing of a call goes on this close to the end of its lease.
SEND_SECONDS = LEASE.total_seconds() * 0.9


@dataclass(frozen=True)
class Claimed:
    """One request that is this worker's to send.

    Attributes:
        at: Reading of the monotonic clock before it was claimed.
        stored: The shop's credential as it was then.
    """

    cancellation: CancellationRequest
    attempt: Attempt
    at: float
    stored: Credential | None = None

    @property
    def send_by(self) -> float:
        """After this no byte may leave: others will have taken a worker that slept so long for lost."""
        return self.at + SEND_SECONDS


def claim_due(shop_id: int, most: int) -> tuple[list[Claimed], float | None]:
    """Claim at most so many of what is due in a shop, as far as its budget goes.

    Returns:
        What was claimed; and, where that is nothing, the seconds until the budget allows a call, or ``None`` when
        nothing is due or nothing may be sent.
    """
    shop = Shop.objects.select_related("health", "credential").annotate(clock=Now()).get(pk=shop_id)
    if not shop.active or health.held(shop) or not restoring.may_send():
        return [], None
    if easing.eased(rate_of(shop), getattr(shop, "health", None), shop.clock):
        most = _due(shop)[:most].count()
        if not most:
            return [], None
        most, wait = pacing.take_some(shop, most)
    else:
        wait = pacing.told_to_wait(shop, shop.clock)
    if wait:
        return [], wait
    begun = time.monotonic()
    stored = getattr(shop, "credential", None)
    claimed = [Claimed(one, attempt, begun, stored) for one, attempt in _claim_first(shop, most)]
    if claimed:
        restoring.note_claim(max((one.attempt for one in claimed), key=lambda attempt: attempt.pk))
    return claimed, None


def _due(shop: Shop) -> QuerySet[CancellationRequest]:
    queued = CancellationRequest.objects.filter(shop=shop, state=State.QUEUED, due_at__lte=Now())
    return queued.order_by("priority", "due_at", "id")


def _claim_first(shop: Shop, most: int) -> list[tuple[CancellationRequest, Attempt]]:
    """Claim what goes first of what nobody else is claiming at this moment."""
    with transaction.atomic():
        # The clock is read with the rows, so that an attempt is never dated before what its request went through.
        some = list(_due(shop).annotate(clock=Now()).select_for_update(skip_locked=True)[:most])
        for one in some:
            one.shop = shop
        return list(zip(some, claim_together(some, some[0].clock), strict=True)) if some else []


def claim(cancellation: CancellationRequest) -> Attempt | None:
    """Take one queued request, or return ``None`` because somebody else has it."""
    return next(iter(claim_together([cancellation])), None)


def claim_together(some: Sequence[CancellationRequest], clock: datetime | None = None) -> list[Attempt]:
    """Take queued requests; several only where their rows are locked. The row count of the UPDATE decides.

    Args:
        clock: What the database's clock just said. It is asked for each row where it is left out, which is slower.

    Returns:
        An attempt for each, or none at all because somebody else has it.
    """
    with transaction.atomic(savepoint=False):
        moved = sum(_move([one.pk for one in some if one.attempt_no == no], no) for no in {o.attempt_no for o in some})
        if not moved:
            return []
        if moved != len(some):
            raise RuntimeError("a locked request moved")
        events = []
        for one in some:
            facts = {"from": one.state, "to": State.SENDING, "attempt": one.attempt_no + 1}
            one.state, one.attempt_no = State.SENDING, one.attempt_no + 1
            one.seen_open_at, one.due_at, one.in_review = None, None, False
            events.append(one.event("cancellation.sending", by=trail.WORKER, data=facts))
        trail.record_all(events)
        show_on_orders(some)
        same = {"kind": Attempt.Kind.SEND, "worker": worker_name()} | ({"opened_at": clock} if clock else {})
        attempts = [Attempt(cancellation=one, number=one.attempt_no, **same) for one in some]
        return Attempt.objects.bulk_create(attempts)


def _move(keys: Sequence[int], number: int) -> int:
    return CancellationRequest.objects.filter(pk__in=keys, state=State.QUEUED, attempt_no=number).update(
        state=State.SENDING,
        state_since=Now(),
        attempt_no=F("attempt_no") + 1,
        lease_until=Now() + LEASE,
        sent_at=Now(),
        seen_open_at=None,
        due_at=None,
        in_review=False,
    )


def worker_name() -> str:
    """Return which thread of which process this is."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100000}"[:80]
