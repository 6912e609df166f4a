"""What the order page shows: the order, a verdict per unit, the cancel form, and everything that happened to it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from cancellations.audit.models import AuditEvent
from cancellations.orders.models import Order, OrderItem, OrderStatus
from cancellations.people.models import Person
from cancellations.requests.forms import CancelForm
from cancellations.requests.models import CancellationRequest
from cancellations.requests.progress import moment, next_look
from cancellations.requests.states import OPEN, State
from cancellations.requests.verdict import Verdict, verdict_on
from cancellations.requests.waiting import with_wait
from cancellations.requests.wording import VERBS, Headline, headline
from cancellations.shops import health
from cancellations.shops.connection import capabilities_of, card_of

MOST_HISTORY = 50
MOST_RUNNING = 50


@dataclass(frozen=True)
class Unit:
    """One unit of cancellation with its verdict."""

    item: OrderItem | None
    verdict: Verdict

    @property
    def ref(self) -> str:
        """The item's reference, or "" for the whole order."""
        return self.item.ref if self.item else ""


@dataclass(frozen=True)
class Running:
    """An open request as the panel shows it, its fragment polling for itself."""

    pk: int
    item_ref: str
    headline: Headline
    moment: str
    look_again: int

    @classmethod
    def of(cls, cancellation: CancellationRequest) -> "Running":
        """Word one request."""
        said = headline(cancellation)
        return cls(cancellation.pk, cancellation.item_ref, said, moment(cancellation, said), next_look(cancellation))


@dataclass(frozen=True)
class Happening:
    """One line of an order's history."""

    event: AuditEvent
    label: str


@dataclass(frozen=True)
class Whereabouts:
    """One word of where the parcel is."""

    at: datetime | None
    text: str


def units_of(order: Order) -> list[Unit]:
    """Judge every unit of an order; two queries whatever their number."""
    running: dict[str, CancellationRequest] = {}
    done: dict[str, CancellationRequest] = {}
    known = CancellationRequest.objects.filter(shop=order.shop, order_key=order.key, state__in=(*OPEN, State.SUCCEEDED))
    for one in known.select_related("shop", "requested_by").order_by("pk"):
        (running if one.is_open else done)[one.item_ref] = one
    units: list[Order | OrderItem] = [order] if card_of(order.shop).unit == "order" else [*order.items.all()]
    judged = []
    for unit in units:
        item = unit if isinstance(unit, OrderItem) else None
        ref = item.ref if item else ""
        judged.append(Unit(item, verdict_on(order.shop, order, unit, running.get(ref), done.get(ref))))
    return judged


def order_page(order: Order, person: Person, *, form: CancelForm | None = None, error: Any = None) -> dict[str, Any]:
    """Return the context of the order page.

    Args:
        form: The form as posted, with its errors; a fresh one when left out.
        error: Why the order could not be read just now, a ``ProviderError``.
    """
    card = card_of(order.shop)
    units = units_of(order)
    by_item = card.unit == "item"
    askable = [unit for unit in units if unit.verdict.can is not False]
    anyway = [unit for unit in units if unit.verdict.asks_anyway and not is_cancelled(order, unit)]
    refused = [*form.non_field_errors(), *form.errors.get("version", [])] if form else []
    if not askable and not anyway:
        form = None  # there is nothing to fill in any more
    elif form is None:
        form = CancelForm(
            order,
            by_item=by_item,
            initial={
                "submission": uuid.uuid4(),
                "version": order.version,
                "units": [unit.ref for unit in askable] if len(askable) == 1 else [],
            },
        )
    running = (
        with_wait(
            CancellationRequest.objects.filter(shop=order.shop, order_key=order.key).filter(
                Q(state__in=OPEN) | ~Q(alarm="")
            )
        )
        .select_related("shop", "shop__health", "requested_by")
        .order_by("-requested_at", "-id")
    )
    checked = set(form["units"].value() or []) if form and by_item else set()
    return {
        "order": order,
        "shop": order.shop,
        "card": card,
        "units": units,
        "by_item": by_item,
        "form": form,
        "checked": checked,
        "only_anyway": not askable and bool(anyway),
        "has_anyway": bool(anyway),
        "asks_again": any(unit.verdict.done for unit in anyway),
        "askable": askable,
        "panel_running": [Running.of(one) for one in running[:MOST_RUNNING]],
        "refused": [] if form else refused,
        "history": history_of(order),
        "readable": capabilities_of(order.shop).get_order,
        "hold": health.held(order.shop),
        "error": error,
        "facts": [(label, value) for label, value in order.facts if value not in order.ref.values()],
        "traces": [Whereabouts(parse_datetime(at) if at else None, text) for at, _kind, text in order.traces],
        "ref": [(one.label, order.ref[one.name], one.identity) for one in card.lookup if order.ref.get(one.name)],
    }


def is_cancelled(order: Order, unit: Unit) -> bool:
    """Tell whether a unit is plainly cancelled already, so that asking anyway makes no sense."""
    return (unit.item or order).status == OrderStatus.CANCELLED


def history_of(order: Order) -> list[Happening]:
    """Return what happened to this order, newest first."""
    events = AuditEvent.objects.filter(shop_id=order.shop_id, order_number=order.number).order_by("-id")
    return [Happening(one, str(VERBS.get(one.verb, one.verb))) for one in events[:MOST_HISTORY]]
