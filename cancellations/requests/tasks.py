"""Doorbells. Each says only that there is work; the rows say what. Lost, doubled or late, they do no harm."""

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task
from celery.signals import worker_shutdown

from cancellations import ring
from cancellations.requests import delivery, reconciliation, senders, sweeping
from cancellations.shops import arming
from cancellations.shops.models import Pulse

log = logging.getLogger(__name__)


@shared_task
def deliver(shop_id: int) -> None:
    """Send what is due in one shop: by the worker's senders, where it has such, else here."""
    if not senders.SENDERS.want(shop_id) and not ring.is_ending() and delivery.drain(shop_id):
        ring.ring(deliver, shop_id)


@shared_task
def reconcile(cancellation_id: int) -> None:
    """Check one request whose outcome is not known."""
    reconciliation.reconcile(cancellation_id)


@shared_task
def check(shop_id: int) -> None:
    """Check what is due to be checked in one shop."""
    if reconciliation.check_shop(shop_id):
        ring.ring(check, shop_id)


@shared_task
def probe(shop_id: int) -> None:
    """See whether a held shop works again."""
    if sweeping.probe(shop_id):
        ring.ring(deliver, shop_id)


@shared_task
def sweep(pause: float = 0.0) -> None:
    """Ring for everything that is due, and find what a dead worker left; not so soon after the last sweep."""
    if arming.standing() == arming.Standing.COPY:
        log.error("%s %s", arming.COPY_FOUND, arming.COPY_STEP)
        return
    if not Pulse.beat(pause=pause):
        return
    _apart(sweeping.restored)
    _apart(sweeping.lost_sends)
    _apart(sweeping.lost_attempts)
    for shop_id in _apart(sweeping.shops_with_work) or ():
        if not senders.SENDERS.want(shop_id):  # no message needed: sweeps come to all workers as messages would
            ring.ring(deliver, shop_id)
    for task, find in (
        (check, sweeping.shops_with_checks),
        (probe, sweeping.shops_to_probe),
    ):
        for shop_id in _apart(find) or ():
            ring.ring(task, shop_id)


@worker_shutdown.connect
def leave_the_rest_to_others(**_facts: Any) -> None:
    """End what is under way, and have the other workers take over what this one was rung for, put back or not begun."""
    senders.see_the_end()
    ring.ring(sweep)


def _apart(find: Callable[[], Any]) -> Any:
    """Do one part of the sweep: what goes wrong in it must not keep the other parts from being done."""
    try:
        return find()
    except Exception:
        log.exception("a part of the sweep failed: %s", find.__name__)
        return None
