"""What was handed in → rows with a verdict each. Writes nothing to any platform.

A chunk of rows and how far the plan is are written together: a worker that dies is taken over where it was, and of
two at once one gives way.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext_noop

from cancellations.audit import trail
from cancellations.batches import file_reading, handing_in, judging, matching, pasting
from cancellations.batches.given import Given, TooMuch
from cancellations.batches.models import MOST_GIVEN, Batch, BatchRow, Source
from cancellations.batches.states import READY, BatchState, Verdict
from cancellations.orders import sheet
from cancellations.orders.models import Order, OrderItem
from cancellations.shops.models import Shop
from cancellations.shops.scope import shops_of
from providers.registry import PROVIDERS

CHUNK = 400
MOST_CHOICES = 20
LEFTOVER_SECONDS = 3600

NO_SUCH = gettext_noop("No order of your shops is called so.")
SEVERAL = gettext_noop("Several orders are called so. Choose which is meant.")
TWICE = gettext_noop("It stands on line %(line)s already.")
NO_ITEM = gettext_noop("This order has no such item.")
WHOLE = gettext_noop("This platform cancels whole orders, not single items.")
_GONE = gettext_noop("What was handed in is not there any more. Hand it in again.")


class _Overtaken(Exception):
    """Another worker plans this batch, or it was discarded."""


def plan(batch_id: int) -> None:
    """Plan a batch, from where it was left."""
    batch = Batch.objects.select_related("requested_by", "reason").filter(pk=batch_id).first()
    if batch is None or batch.state != BatchState.PLANNING:
        return
    path = handing_in.folder() / batch.path
    faults: dict[str, Any] = {}
    try:
        with path.open("rb") as file:
            _write_rows(batch, file)
    except (sheet.Unreadable, TooMuch) as problem:
        faults = {"error": problem.sentence, "error_data": dict(problem.data)}
    except FileNotFoundError:
        faults = {"error": _GONE}
    except _Overtaken:
        return
    with transaction.atomic():
        if Batch.objects.select_for_update().get(pk=batch.pk).state != BatchState.PLANNING:
            return
        if faults:  # what can't be read to its end is not planned by half
            BatchRow.objects.filter(batch=batch).delete()
            faults["left_out"] = 0
        total = BatchRow.objects.filter(batch=batch).count()
        batch.move_to(
            BatchState.PLANNED,
            "batch.planned",
            by=trail.WORKER,
            data={"rows": total},
            plan_total=total,
            path="",
            **faults,
        )
    path.unlink(missing_ok=True)


def forget_leftovers() -> None:
    """Remove what was handed in and lies there though it is planned: a worker died between the two."""
    needed = set(Batch.objects.filter(state=BatchState.PLANNING).values_list("path", flat=True))
    for path in handing_in.folder().glob("*"):
        if path.name not in needed and path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
            path.unlink(missing_ok=True)


def _write_rows(batch: Batch, file: BinaryIO) -> None:
    planner = Planner(batch)
    place = batch.planned_to
    for some in planner.chunks(file, place):
        rows = planner.rows_of(some, place)
        with transaction.atomic():
            mine = Batch.objects.filter(pk=batch.pk, state=BatchState.PLANNING, planned_to=place)
            place += len(some)
            if not mine.update(planned_to=place, left_out=planner.left_out):
                raise _Overtaken
            BatchRow.objects.bulk_create(rows, batch_size=200)


class Planner:
    """One plan under way: the person's shops, what the reason means in each, and the units met so far."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        # A platform this version does not know can't be asked for anything.
        self.shops: list[Shop] = [one for one in shops_of(batch.requested_by) if one.platform in PROVIDERS]
        self.pickable = judging.pickable(self.shops, batch.reason_id)
        met = batch.rows.exclude(order=None).exclude(verdict=Verdict.DOUBLED).order_by("-pk")
        self.met: dict[tuple[int, str], int] = {
            (order, item): line
            for order, item, line in met.values_list("order", "item_ref", "line").iterator()
            if order
        }
        self.left_out = batch.left_out

    def chunks(self, file: BinaryIO, begin: int) -> Iterator[list[Any]]:
        """Yield what was given in chunks of bounded size, from a place on: ids of orders, or :class:`Given`."""
        given: Iterator[Any]
        if self.batch.source == Source.SELECTION:
            given = iter([int(one) for one in file.read().decode().split(",") if one])
        elif self.batch.source == Source.FILE:
            given = file_reading.rows_in(file)
        else:
            given = pasting.ids_in(_lines(file))
        given = islice(given, begin, None)  # read again from the start, for what stood before is remembered
        while some := list(islice(given, CHUNK)):
            yield some

    def rows_of(self, some: Sequence[Any], before: int) -> list[BatchRow]:
        """Return the rows of a chunk, the first one at the place after ``before``."""
        rows: list[BatchRow] = []
        selected = self.batch.source == Source.SELECTION
        found = matching.of_orders(some, self.shops) if selected else matching.find(some, self.shops)
        for place, one in enumerate(some, start=before + 1):
            made = self._selected(one, place, found) if selected else self._of(one, found)
            for row in made:
                row.place = place
            rows += made
        return rows

    def _selected(self, pk: int, place: int, found: matching.Found) -> list[BatchRow]:
        order = found.orders.get(pk)
        given = Given(place, order.number if order else str(pk))
        return self.of_order(given, order, found) if order else [self._row(given, Verdict.UNKNOWN, NO_SUCH)]

    def _of(self, given: Given, found: matching.Found) -> list[BatchRow]:
        if given.fault:
            return [self._row(given, Verdict.BAD, given.fault, given.data)]
        orders = found.meant(given)
        if not orders:
            if not given.sure:
                self.left_out += 1
                return []
            return [self._row(given, Verdict.UNKNOWN, NO_SUCH)]
        if given.first:
            return [self._row(given, Verdict.DOUBLED, TWICE, {"line": given.first})]
        if len(orders) > 1:
            choices = [one.pk for one in orders[:MOST_CHOICES]]
            return [self._row(given, Verdict.AMBIGUOUS, SEVERAL, choices=choices)]
        return self.of_order(given, orders[0], found)

    def of_order(self, given: Given, order: Order, found: matching.Found) -> list[BatchRow]:
        """Return the rows of what an id means of one order; at least one."""
        if found.means_part(order, given):
            return [self._row(given, Verdict.CANNOT, WHOLE, order=order)]
        units = found.units(order, given)
        if not units:
            return [self._row(given, Verdict.CANNOT, NO_ITEM, order=order)]
        return [self._of_unit(given, order, unit, found) for unit in units]

    def _of_unit(self, given: Given, order: Order, item: OrderItem | None, found: matching.Found) -> BatchRow:
        ref = item.ref if item else ""
        unit: Order | OrderItem = item or order
        more: dict[str, Any] = {
            "order": order,
            "item_ref": ref,
            "item_name": item.name if item else "",
            "amount": unit.amount,
            "currency": unit.currency or order.currency,
        }
        if (order.pk, ref) in self.met:
            return self._row(given, Verdict.DOUBLED, TWICE, {"line": self.met[order.pk, ref]}, **more)
        self.met[order.pk, ref] = given.line
        verdict, why, earlier = judging.judge(found, order, item, self.pickable)
        return self._row(given, verdict, why, cancellation=earlier, waits=verdict in READY, **more)

    def _row(
        self,
        given: Given,
        verdict: Verdict,
        why: str,
        data: Mapping[str, Any] | None = None,
        *,
        order: Order | None = None,
        **more: Any,
    ) -> BatchRow:
        placed: dict[str, Any] = {}
        if order:
            placed = {"shop": order.shop, "order": order, "order_key": order.key, "order_number": order.number}
        return BatchRow(
            batch=self.batch,
            line=given.line,
            given=given.text[:MOST_GIVEN],
            verdict=verdict,
            why=why,
            why_data=dict(data or {}),
            **placed,
            **more,
        )


def _lines(file: BinaryIO) -> Iterator[str]:
    return (line.decode("utf-8", "replace").rstrip("\r\n") for line in file)
