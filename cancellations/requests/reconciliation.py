"""Ask the platform what became of a request whose outcome is not known, ever later; never send.

What a reading proves is said in ``settling.py``.
"""

import time
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Case, When
from django.db.models.functions import Now

from cancellations import ring
from cancellations.orders.reading import clean
from cancellations.requests import pacing
from cancellations.requests.models import BULK, LEASE, ONE_BY_ONE, Attempt, CancellationRequest
from cancellations.requests.places import Places
from cancellations.requests.reading import Reading, read
from cancellations.requests.settling import CONFIRM_TRIES, LADDER_SECONDS, draw
from cancellations.requests.states import State
from cancellations.shops import health
from cancellations.shops.connection import capabilities_of
from cancellations.shops.models import Shop
from providers.errors import AuthFailed, Cause, ProviderError, RateLimited

__all__ = ["CHECKED", "CONFIRM_TRIES", "LADDER_SECONDS", "check_shop", "confirm", "reconcile"]

SLICE_SECONDS = 30.0
MOST_CHECKS = 500
# A bulk's check that gives way leaves the worker to others for so long.
STEP_BACK_SECONDS = 0.3
# What has been due for longer waits for something else than a call, so that nobody need give way to it.
SENT_BY_THEN = timedelta(seconds=10)
CHECKED = (State.ACCEPTED, State.UNCERTAIN, State.SUCCEEDED)

_places = Places(2)


def first_check_in() -> Any:
    """Return when the first check after an unclear send is due, by the database's clock."""
    return Now() + timedelta(seconds=LADDER_SECONDS[0])


def is_readable(shop: Shop) -> bool:
    """Tell whether the shop's orders can be read; those of a platform this version does not know cannot."""
    try:
        return capabilities_of(shop).get_order
    except ProviderError:
        return False


def unclear(shop: Shop) -> dict[str, Any]:
    """Return the columns of a request that becomes uncertain: read soon, or for a person to find out."""
    readable = is_readable(shop)
    return {"due_at": first_check_in() if readable else None, "in_review": not readable}


def check_shop(shop_id: int) -> bool:
    """Make the due checks of one shop until none is, its budget is spent, or the slice of time is over.

    Returns:
        Whether there may be more to do, so that the doorbell should be rung again.
    """
    if not _places.take(shop_id):
        return False
    more = False
    try:
        ends = time.monotonic() + SLICE_SECONDS
        due = CancellationRequest.objects.filter(shop=shop_id, state__in=CHECKED, due_at__lte=Now())
        # What is in doubt goes before what is only watched, and what somebody asked for alone before a bulk.
        watched = Case(When(state=State.SUCCEEDED, then=1), default=0)
        first = due.order_by(watched, "priority", "due_at", "id")
        for pk, priority in first.values_list("pk", "priority")[:MOST_CHECKS]:
            gives_way = partial(_gives_way, shop_id, priority)
            more = time.monotonic() >= ends or ring.is_ending()
            if more or not pacing.take_soon(Shop.objects.get(pk=shop_id), gives_way):
                if not more and gives_way():
                    more = True
                    time.sleep(STEP_BACK_SECONDS)
                break
            reconcile(pk)
    finally:
        more = _places.leave(shop_id) or more
    return more


def _gives_way(shop_id: int, priority: int) -> bool:
    """Tell whether a bulk's check lets a cancel go first that somebody waits for: both live on one budget."""
    if priority != BULK:
        return False
    alone = CancellationRequest.objects.filter(shop=shop_id, state=State.QUEUED, priority=ONE_BY_ONE)
    return alone.filter(due_at__lte=Now(), due_at__gt=Now() - SENT_BY_THEN).exists()


def reconcile(pk: int) -> None:
    """Make one due check of one request, unless another worker has it or it is not due."""
    cancellation = (
        CancellationRequest.objects.select_related("shop", "shop__health", "order")
        .filter(pk=pk, state__in=CHECKED, due_at__lte=Now())
        .first()
    )
    if not cancellation or health.held(cancellation.shop) or not cancellation.shop.active:
        return
    _check(cancellation)


def confirm(cancellation: CancellationRequest) -> None:
    """Read back what was just confirmed by the answer, to show it and to refresh the index."""
    if is_readable(cancellation.shop):
        _check(cancellation)


def _check(cancellation: CancellationRequest) -> None:
    attempt = _claim_check(cancellation)
    if attempt is not None:
        _conclude(cancellation, attempt, read(cancellation))


def _claim_check(cancellation: CancellationRequest) -> Attempt | None:
    """Take the check: the row count of one UPDATE decides; its due time moves on, so a crash only delays it."""
    with transaction.atomic():
        number = cancellation.checks + 1
        taken = CancellationRequest.objects.filter(
            pk=cancellation.pk, state=cancellation.state, attempt_no=cancellation.attempt_no, checks=cancellation.checks
        ).update(checks=number, due_at=Now() + LEASE)
        if not taken:
            return None
        cancellation.checks = number
        return Attempt.objects.create(cancellation=cancellation, number=number, kind=Attempt.Kind.CHECK)


def _conclude(cancellation: CancellationRequest, attempt: Attempt, reading: Reading) -> None:
    """Close the attempt and draw the one conclusion the reading allows."""
    # A permission to read that is lacking must not hold up sending.
    if isinstance(reading.error, AuthFailed) and reading.error.cause != Cause.PERMISSION:
        health.hold(cancellation.shop, reading.error)
    elif isinstance(reading.error, RateLimited):
        pacing.pause(cancellation.shop, reading.error)
    elif reading.error and reading.error.cause == Cause.NETWORK:
        health.note_failure(cancellation.shop, reading.error)
    elif reading.order:
        health.note_good(cancellation.shop)
    with transaction.atomic():
        attempt.close(
            outcome=type(reading.error).__name__ if reading.error else "Reading",
            exchanges=reading.exchanges,
            code=clean(reading.error.code, 64) if reading.error else "",
            message=clean(reading.error.message) if reading.error else "",
            reading={"status": reading.status or "", "word": reading.word},
        )
        draw(cancellation, reading, attempt.opened_at)
