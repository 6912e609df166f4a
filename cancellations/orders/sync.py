"""Pulls what changed in one shop since its watermark, page by page. A run cut short goes on where it stopped."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations import ring
from cancellations.orders import indexing
from cancellations.orders.models import Order, OrderStatus, Pull
from cancellations.shops import health
from cancellations.shops.connection import capabilities_of, connect, rate_of
from cancellations.shops.models import Shop
from providers.contract import OrderQuery, PlatformOrder
from providers.errors import AuthFailed, Cause, ProviderError, RateLimited, Rejected

logger = logging.getLogger(__name__)

# Clocks differ, and a platform may show a change late: every run looks back this far behind its watermark.
OVERLAP = timedelta(minutes=10)
LEASE = timedelta(seconds=90)
SLICE_SECONDS = 40.0
PAGE = 100
MOST_CURSOR = 500

CANNOT = gettext_noop(
    "This platform can neither list orders nor read many at once. Import them from a file, or look them up one by one."
)
STUCK = gettext_noop("The platform's pages could not be followed to their end. The next run begins anew.")


class Stuck(Exception):
    """The platform's paging does not come to an end."""


class Lost(Exception):
    """The lease ran out and another worker goes on."""


@dataclass(frozen=True)
class Step:
    """One page of a run: its orders, how many were asked about, where it goes on ("" at the end), how many in all."""

    orders: Sequence[PlatformOrder]
    seen: int
    cursor: str
    total: int | None
    asked_at: datetime


class Run:
    """A shop's run, held by one worker. Every write renews the lease and proves that it is still ours."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._lease: datetime | None = None

    def take(self) -> bool:
        """Take the shop, unless another worker holds it."""
        Pull.objects.get_or_create(shop=self.shop)
        now = timezone.now()
        free = Pull.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), shop=self.shop)
        self._lease = now + LEASE
        return bool(free.update(lease_until=self._lease, error=""))

    def state(self) -> Pull:
        """Return where the run stands; begins one where none is under way."""
        now = timezone.now()
        state = Pull.objects.get(shop=self.shop)
        if state.next_watermark is None:
            self.write(next_watermark=now, started_at=now, cursor="", seen=0, total=None)
            state.refresh_from_db()
        return state

    def write(self, *, held: bool = True, **changes: Any) -> None:
        """Change the row; ``held`` false gives the shop back.

        Raises:
            Lost: It is not ours any more.
        """
        lease = timezone.now() + LEASE if held else None
        if not Pull.objects.filter(shop=self.shop, lease_until=self._lease).update(lease_until=lease, **changes):
            raise Lost
        self._lease = lease

    def keep(self, state: Pull, step: Step) -> None:
        """Write a page and the place it ended at in one transaction."""
        with transaction.atomic():
            indexing.put_many(self.shop, step.orders, seen_at=step.asked_at)
            self.write(cursor=step.cursor, seen=state.seen + step.seen, total=step.total)

    def end(self, *, error: str = "", anew: bool = False, **changes: Any) -> None:
        """Give the shop back; ``anew`` forgets where the run stood."""
        changes |= {"next_watermark": None, "cursor": ""} if anew else {}
        try:
            self.write(held=False, finished_at=timezone.now(), error=error, **changes)
        except Lost:
            logger.info("Shop %s: another worker went on pulling meanwhile.", self.shop.name)


def pull(shop: Shop, *, seconds: float = SLICE_SECONDS, pause: Callable[[float], None] = time.sleep) -> bool:
    """Go on with a shop's run, or begin one, for so many seconds.

    A crash costs at most one page, read again. Errors end up as a sentence in :class:`Pull`; the next run is due after
    ``SYNC_SECONDS``.

    Args:
        pause: Waits between two pages, so that cancellations keep most of the platform's rate.

    Returns:
        Whether there is more to do at once.
    """
    run = Run(shop)
    if not run.take():
        return False
    try:
        return _go_on(run, time.monotonic() + seconds, pause)
    except Lost:
        logger.info("Shop %s: another worker goes on pulling.", shop.name)
    except Stuck:
        run.end(error=STUCK, anew=True)
    except ProviderError as error:
        _failed(run, error)
    return False


def due() -> QuerySet[Shop]:
    """Return the active, unheld shops whose last run ended long enough ago, or was cut short."""
    now = timezone.now()
    never = Q(pull=None) | Q(pull__finished_at=None)
    old = Q(pull__finished_at__lte=now - timedelta(seconds=settings.SYNC_SECONDS))
    cut = Q(pull__next_watermark__isnull=False, pull__error="")
    free = Q(pull=None) | Q(pull__lease_until=None) | Q(pull__lease_until__lt=now)
    held = Q(health__held_since__isnull=False)
    return Shop.objects.filter(never | old | cut, free, active=True).exclude(held).order_by("pk")


def _go_on(run: Run, end: float, pause: Callable[[float], None]) -> bool:
    capabilities = capabilities_of(run.shop)
    if not capabilities.list_orders and not capabilities.get_orders:
        run.end(error=CANNOT)
        return False
    read = _list if capabilities.list_orders else _reread
    while True:
        state = run.state()
        step = read(run.shop, state)
        run.keep(state, step)
        if not step.cursor:
            run.end(watermark=state.next_watermark, anew=True)
            health.note_good(run.shop)
            return False
        if time.monotonic() >= end or ring.is_ending():
            run.write(held=False)
            return True
        rate = rate_of(run.shop)
        pause(2 / rate if rate else 0.0)


def _list(shop: Shop, state: Pull) -> Step:
    since = state.watermark - OVERLAP if state.watermark else None
    asked_at = timezone.now()
    page = connect(shop).client.list_orders(OrderQuery(since, state.cursor, PAGE))
    if page.cursor and (page.cursor == state.cursor or len(page.cursor) > MOST_CURSOR):
        raise Stuck
    return Step(page.orders, len(page.orders), page.cursor, page.total, asked_at)


def _reread(shop: Shop, state: Pull) -> Step:
    """Read the next batch of orders still open; the cursor is the last row's number."""
    still_open = Order.objects.filter(shop=shop, status__in=[OrderStatus.OPEN, OrderStatus.UNKNOWN])
    connection = connect(shop)
    most = connection.capabilities.get_orders
    batch = list(still_open.filter(pk__gt=int(state.cursor or 0)).order_by("pk")[: most + 1])
    more, batch = len(batch) > most, batch[:most]
    asked_at = timezone.now()
    orders = connection.client.get_orders([order.ref for order in batch]) if batch else ()
    total = state.total if state.cursor else still_open.count()
    return Step(orders, len(batch), str(batch[-1].pk) if more else "", total, asked_at)


def _failed(run: Run, error: ProviderError) -> None:
    logger.warning("Shop %s: orders could not be pulled (%s %s).", run.shop.name, type(error).__name__, error.code)
    # A cursor may have run out meanwhile; after a refusal the next run begins anew.
    run.end(error=error.advice.admin or error.advice.agent, anew=isinstance(error, Rejected))
    lacking = isinstance(error, AuthFailed) and error.cause == Cause.PERMISSION
    if not lacking and not isinstance(error, Rejected | RateLimited):
        health.note_failure(run.shop, error)  # a missing permission to list must not hold up cancelling
