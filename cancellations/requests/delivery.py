"""Carry what is due to the platform: claim → send → conclude, one after the other.

The claim is one conditional UPDATE, so that of any number of workers one sends. Between claim and conclusion no
transaction is open. In doubt the outcome is *uncertain*; nothing here ever sends a second time.
"""

import logging
import os
import socket
import threading
import time

from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from cancellations.audit import trail
from cancellations.requests import pacing
from cancellations.requests.concluding import Sent, conclude, conclude_patiently
from cancellations.requests.models import LEASE, ONE_BY_ONE, Attempt, CancellationRequest
from cancellations.requests.places import Places
from cancellations.requests.reconciliation import confirm
from cancellations.requests.states import State
from cancellations.shops import health
from cancellations.shops.connection import Connection, connect, rate_of
from cancellations.shops.models import Shop
from providers.contract import Cancel
from providers.errors import AuthFailed, OutcomeUnknown, ProviderError, RateLimited, Rejected, Unreachable

__all__ = ["Sent", "claim", "conclude", "deliver", "drain", "send"]

log = logging.getLogger(__name__)

SLICE_SECONDS = 30.0
# Nothing of a call goes on this close to the end of its lease.
SEND_SECONDS = LEASE.total_seconds() * 0.9

_places = Places(2)


def worker_name() -> str:
    """Return which thread of which process this is."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 100000}"[:80]


def drain(shop_id: int) -> bool:
    """Send what is due in one shop until nothing is, its budget is spent, or the slice of time is over.

    Returns:
        Whether there may be more to do, so that the doorbell should be rung again.
    """
    if not _places.take(shop_id):
        return False
    more = False
    try:
        more = _send_what_is_due(shop_id)
    finally:
        more = _places.leave(shop_id) or more
    return more


def _send_what_is_due(shop_id: int) -> bool:
    ends = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < ends:
        wait = serve(shop_id)
        if wait is None or wait > pacing.LONGEST_PAUSE_SECONDS:
            return False  # the sweep rings again
        time.sleep(wait)
    return True


def serve(shop_id: int) -> float | None:
    """Send the one request of a shop that goes first.

    Returns:
        0 when there may be more to do, the seconds until the budget allows a call, or ``None`` when nothing is due or
        nothing may be sent.
    """
    shop = Shop.objects.select_related("health").annotate(clock=Now()).get(pk=shop_id)
    if not shop.active or health.held(shop):
        return None
    if rate_of(shop):
        if not _due(shop).exists():
            return None
        wait = pacing.take(shop)
    else:
        wait = pacing.told_to_wait(shop, shop.clock)
    if wait:
        return wait
    send_by = time.monotonic() + SEND_SECONDS
    claimed = _claim_first(shop)
    if claimed is None:
        return None
    deliver(*claimed, send_by)
    return 0.0


def _due(shop: Shop) -> QuerySet[CancellationRequest]:
    queued = CancellationRequest.objects.filter(shop=shop, state=State.QUEUED, due_at__lte=Now())
    return queued.order_by("priority", "due_at", "id")


def _claim_first(shop: Shop) -> tuple[CancellationRequest, Attempt] | None:
    """Claim what goes first of what nobody else is claiming at this moment."""
    with transaction.atomic():
        free = _due(shop).select_related("shop__health", "order").select_for_update(skip_locked=True, of=("self",))
        cancellation = free.first()
        attempt = claim(cancellation) if cancellation else None
    return (cancellation, attempt) if cancellation and attempt else None


def claim(cancellation: CancellationRequest) -> Attempt | None:
    """Take one queued request, or return ``None`` because somebody else has it.

    Once this is committed a crash leaves a trace: the row is *sending*, its attempt open.
    """
    with transaction.atomic(savepoint=False):
        number = cancellation.attempt_no + 1
        if not cancellation.move_to(
            State.SENDING,
            "cancellation.sending",
            by=trail.WORKER,
            data={"attempt": number},
            attempt_no=number,
            lease_until=Now() + LEASE,
            sent_at=Now(),
            seen_open_at=None,
            due_at=None,
            in_review=False,
        ):
            return None
        return Attempt.objects.create(
            cancellation=cancellation, number=number, kind=Attempt.Kind.SEND, worker=worker_name()
        )


def deliver(cancellation: CancellationRequest, attempt: Attempt, send_by: float) -> None:
    """Send one claimed request and write down what came of it."""
    sent = send(cancellation, send_by)
    try:
        _note_health(cancellation.shop, sent)  # first, so that no other worker tries refused keys meanwhile
    finally:
        concluded = conclude_patiently(cancellation, attempt, sent)
    # Nobody waits to see one of many confirmed: a check does it when its turn comes.
    one_by_one = cancellation.priority == ONE_BY_ONE
    if concluded and one_by_one and cancellation.state == State.SUCCEEDED and pacing.take_soon(cancellation.shop):
        confirm(cancellation)
    if sent.bug:
        log.error("attempt %s of request %s met a fault of ours", attempt.number, cancellation.pk, exc_info=sent.bug)


def send(cancellation: CancellationRequest, send_by: float = 0.0) -> Sent:
    """Make the one platform call, outside any transaction.

    Args:
        send_by: Reading of the monotonic clock after which no byte may leave: a worker that slept past its lease must
            not send what others have taken for lost. 0 for none.
    """
    connection: Connection | None = None
    try:
        connection = connect(cancellation.shop)
        connection.wire.ends = send_by
        _lend_the_database()
        receipt = connection.client.cancel(
            Cancel(
                ref=cancellation.ref,
                item_ref=cancellation.item_ref,
                reason=cancellation.reason_value,
                detail=cancellation.note,
            )
        )
        return Sent(receipt, None, connection.exchanges)
    except ProviderError as error:
        return Sent(None, error, connection.exchanges if connection else [])
    except Exception as bug:  # noqa: BLE001 - a fault of ours must not leave the row to a sweep
        writing = bool(connection and connection.wire.writing)
        kind = OutcomeUnknown if writing else Unreachable
        ours = kind("internal", f"a fault in this program ({type(bug).__name__})")
        return Sent(None, ours, connection.exchanges if connection else [], bug)


def _lend_the_database() -> None:
    """Give the connection back while the platform is asked, so that a small pool serves many threads."""
    if database.settings_dict["OPTIONS"].get("pool") and not database.in_atomic_block:
        database.close()


def _note_health(shop: Shop, sent: Sent) -> None:
    if isinstance(sent.error, AuthFailed):
        health.hold(shop, sent.error)
    elif isinstance(sent.error, RateLimited):
        pacing.pause(shop, sent.error)
    elif sent.receipt or isinstance(sent.error, Rejected):
        health.note_good(shop)
    elif sent.error and not sent.bug:
        health.note_failure(shop, sent.error)
