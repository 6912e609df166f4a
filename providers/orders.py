"""What a platform answers about its orders, as frozen values of ours."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from providers.card import Ref
from providers.errors import gettext_noop


class Status(StrEnum):
    """What an order or item is, in our five words; the platform's own word stands beside it."""

    OPEN = "open"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Standing:
    """The platform card's word on whether a unit can be cancelled now.

    Attributes:
        cancellable: ``True``, ``False``, or ``None`` when the platform's documents do not say.
        why: A sentence; required unless cancellable is plainly true.
    """

    cancellable: bool | None
    why: str = ""


CANNOT_TELL = Standing(None, gettext_noop("The platform does not say whether this can still be cancelled. Ask it."))


@dataclass(frozen=True)
class Buyer:
    """Personal data, in memory only: what is kept is masked or hashed."""

    name: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True)
class Trace:
    """One step of a parcel."""

    at: datetime | None
    kind: str
    text: str


@dataclass(frozen=True)
class PlatformItem:
    """One item of an order, as the platform answered just now."""

    ref: str
    name: str = ""
    sku: str = ""
    status: Status = Status.UNKNOWN
    status_text: str = ""
    quantity: int = 1
    amount: Decimal | None = None
    currency: str = ""
    standing: Standing = CANNOT_TELL
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PlatformOrder:
    """One order, as the platform answered just now.

    Attributes:
        ref: All look-up fields of the card that are known.
        number: The number people know it by.
        keys: Further (kind, value) pairs it can be found by, raw as given: ``id``, ``number``, ``item``,
            ``waybill``, ``sku``, ``other``.
        status_text: The platform's own word (never translated).
        standing: For order-unit platforms; for item-unit ones each item has its own.
        facts: Further (label, value) pairs worth showing; labels are marked for translation.
    """

    ref: Ref
    number: str
    status: Status = Status.UNKNOWN
    status_text: str = ""
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    amount: Decimal | None = None
    currency: str = ""
    buyer: Buyer = Buyer()
    items: tuple[PlatformItem, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    standing: Standing = CANNOT_TELL
    traces: tuple[Trace, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class OrderQuery:
    """What to list: orders changed since a moment, from a cursor.

    Attributes:
        since: Aware UTC; ``None`` asks for everything the platform lets one see.
        cursor: What the page before gave back; "" for the first.
        limit: Rows wanted on a page; a platform may give fewer.
    """

    since: datetime | None = None
    cursor: str = ""
    limit: int = 100


@dataclass(frozen=True)
class Page:
    """One page of changed orders; ``cursor`` is "" on the last, ``total`` ``None`` where it is not told."""

    orders: tuple[PlatformOrder, ...]
    cursor: str = ""
    total: int | None = None
