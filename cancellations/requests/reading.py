"""Read one unit at its platform, to see what became of it; outside any transaction."""

import contextlib
import logging
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from cancellations.orders import indexing
from cancellations.orders.reading import Unindexable, clean
from cancellations.requests.models import CancellationRequest
from cancellations.shops.connection import Connection, card_of, connect
from providers.contract import PlatformOrder, Status
from providers.errors import ProviderError, Unreachable

log = logging.getLogger(__name__)

MOST_WORD = 120


@dataclass(frozen=True)
class Reading:
    """What one check saw.

    Attributes:
        status: The unit's status, or ``None`` when nothing could be read.
        word: The platform's own, in characters a database takes.
        error: Why nothing could be read.
    """

    status: Status | None
    word: str
    order: PlatformOrder | None
    error: ProviderError | None
    exchanges: list[dict[str, Any]]


def read(cancellation: CancellationRequest) -> Reading:
    """Read the unit at the platform, outside any transaction."""
    connection: Connection | None = None
    asked_at = timezone.now()
    try:
        connection = connect(cancellation.shop)
        order = connection.client.get_order(cancellation.ref)
    except ProviderError as error:
        return Reading(None, "", None, error, connection.exchanges if connection else [])
    except Exception as bug:
        log.exception("reading request %s met a fault of ours", cancellation.pk)
        ours = Unreachable("internal", f"a fault in this program ({type(bug).__name__})")
        return Reading(None, "", None, ours, connection.exchanges if connection else [])
    if card_of(cancellation.shop).identity(order.ref) != cancellation.order_key:
        wrong = Unreachable("another-order", "the platform answered with another order than the one asked for")
        return Reading(None, "", order, wrong, connection.exchanges)
    with contextlib.suppress(Unindexable):
        indexing.put(cancellation.shop, order, seen_at=asked_at)
    if not cancellation.item_ref:
        return Reading(order.status, clean(order.status_text, MOST_WORD), order, None, connection.exchanges)
    item = next((one for one in order.items if one.ref == cancellation.item_ref), None)
    if item is None:
        return Reading(None, "", order, None, connection.exchanges)
    return Reading(item.status, clean(item.status_text, MOST_WORD), order, None, connection.exchanges)
