"""Carry what is due to the platform: claim → send → conclude.

Between claim and conclusion no transaction is open. In doubt the outcome is *uncertain*; nothing here ever sends a
second time.
"""

import logging
import time
from collections.abc import Callable

from django.db import connection as database

from cancellations import ring
from cancellations.requests import pacing, silence
from cancellations.requests.claiming import Claimed, claim, claim_due
from cancellations.requests.concluding import Sent, conclude, conclude_patiently
from cancellations.requests.models import ONE_BY_ONE, CancellationRequest
from cancellations.requests.places import Places
from cancellations.requests.reconciliation import confirm
from cancellations.requests.states import State
from cancellations.shops import health
from cancellations.shops.connection import Connection, connect
from cancellations.shops.models import Credential, Shop
from providers.contract import Cancel
from providers.errors import AuthFailed, OutcomeUnknown, ProviderError, RateLimited, Rejected, Unreachable

__all__ = ["Sent", "claim", "conclude", "deliver", "drain", "send"]

log = logging.getLogger(__name__)

SLICE_SECONDS = 30.0

_places = Places(2)


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
    while time.monotonic() < ends and not ring.is_ending():
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
    claimed, wait = claim_due(shop_id, 1)
    for one in claimed:
        deliver(one)
    return 0.0 if claimed else wait


def deliver(claimed: Claimed, keep: Callable[[Claimed, Sent], None] | None = None) -> bool:
    """Send one claimed request and write down what came of it.

    Args:
        keep: Takes the outcome to be written later, instead of writing it here.

    Returns:
        Whether more may be sent in this shop, as far as this answer goes.
    """
    cancellation, attempt = claimed.cancellation, claimed.attempt
    sent = send(cancellation, claimed.send_by, claimed.stored)
    concluded = False
    try:
        _note_health(cancellation.shop, sent)  # first, so that no other worker tries refused keys meanwhile
    finally:
        if keep:
            keep(claimed, sent)
        else:
            concluded = conclude_patiently(cancellation, attempt, sent)
    # Nobody waits to see one of many confirmed: a check does it when its turn comes.
    one_by_one = cancellation.priority == ONE_BY_ONE
    if concluded and one_by_one and cancellation.state == State.SUCCEEDED and pacing.take_soon(cancellation.shop):
        confirm(cancellation)
    if sent.bug:
        log.error("attempt %s of request %s met a fault of ours", attempt.number, cancellation.pk, exc_info=sent.bug)
    return not isinstance(sent.error, AuthFailed | RateLimited) and not health.held(cancellation.shop)


def send(cancellation: CancellationRequest, send_by: float = 0.0, stored: Credential | None = None) -> Sent:
    """Make the one platform call, outside any transaction.

    Args:
        send_by: Reading of the monotonic clock after which no byte may leave: a worker that slept past its lease must
            not send what others have taken for lost. 0 for none.
        stored: The shop's credential, where it was read just now.
    """
    connection: Connection | None = None
    try:
        connection = connect(cancellation.shop, stored=stored)
        connection.wire.ends = send_by
        _lend_the_database()
        with silence.watched(cancellation.shop):
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
