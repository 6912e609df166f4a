"""What was handed in → rows with a verdict each. Writes nothing to any platform; a worker that dies begins again."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from cancellations.audit import trail
from cancellations.batches import file_reading, handing_in, matching, pasting
from cancellations.batches.given import Given, TooMuch
from cancellations.batches.models import Batch, BatchRow, BatchState, Source, Verdict
from cancellations.orders import sheet
from cancellations.orders.models import Order, OrderItem, OrderStatus
from cancellations.reasons.choosing import reasons_by_shop
from cancellations.shops.models import Shop
from cancellations.shops.scope import shops_of

CHUNK = 400
LEASE = timedelta(minutes=5)

NO_SUCH = gettext_noop("No order of your shops is called so.")
SEVERAL = gettext_noop("Several orders are called so. Choose which is meant.")
TWICE = gettext_noop("It stands on line %(line)s already.")
NO_ITEM = gettext_noop("This order has no such item.")
ALREADY = gettext_noop("It is cancelled already.")
ASKED = gettext_noop("A cancellation has been asked for already.")
SHUT = gettext_noop("This shop is switched off. An admin can switch it on again.")
NO_REASON = gettext_noop("The reason chosen can't be picked in this shop.")
_GONE = gettext_noop("What was handed in is not there any more. Hand it in again.")


def unplanned() -> Any:
    """Return the batches that wait for a plan and that no worker holds."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return Batch.objects.filter(free, state=BatchState.PLANNING)


def plan(batch_id: int) -> None:
    """Plan a batch, unless another worker does."""
    if not unplanned().filter(pk=batch_id).update(lease_until=timezone.now() + LEASE):
        return
    batch = Batch.objects.select_related("requested_by", "reason").get(pk=batch_id)
    path = handing_in.folder() / batch.path
    BatchRow.objects.filter(batch=batch).delete()  # of a worker that died
    planner = Planner(batch)
    error: dict[str, Any] = {}
    try:
        with path.open("rb") as file:
            for chunk in planner.chunks(file):
                BatchRow.objects.bulk_create(chunk, batch_size=200)
                Batch.objects.filter(pk=batch.pk).update(lease_until=timezone.now() + LEASE)
    except (sheet.Unreadable, TooMuch) as problem:
        BatchRow.objects.filter(batch=batch).delete()
        error = {"error": problem.sentence, "error_data": problem.data}
    except FileNotFoundError:
        error = {"error": _GONE}
    total = BatchRow.objects.filter(batch=batch).count()
    with transaction.atomic():
        moved = batch.move_to(
            BatchState.PLANNED, "batch.planned", by=trail.WORKER, data={"rows": total}, plan_total=total, path="",
            lease_until=None, left_out=planner.left_out, **error,
        )  # fmt: skip
    if moved and batch.path == "":
        path.unlink(missing_ok=True)


class Planner:
    """One plan under way: the person's shops, what the reason means in each, and the units met so far."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.shops: list[Shop] = list(shops_of(batch.requested_by))
        choices = reasons_by_shop(self.shops)
        self.pickable = {
            pk: any(one.reason.pk == batch.reason_id and one.pickable for one in found) for pk, found in choices.items()
        }
        self.met: dict[tuple[int, str], int] = {}
        self.left_out = 0

    def chunks(self, file: BinaryIO) -> Iterator[list[BatchRow]]:
        """Yield rows in chunks of bounded size."""
        if self.batch.source == Source.SELECTION:
            ids = [int(one) for one in file.read().decode().split(",") if one]
            for at in range(0, len(ids), CHUNK):
                yield self.selected(ids[at : at + CHUNK], at)
            return
        given = file_reading.rows_in(file) if self.batch.source == Source.FILE else pasting.ids_in(_lines(file))
        while some := list(islice(given, CHUNK)):
            yield self.judged(some)

    def selected(self, ids: Sequence[int], before: int) -> list[BatchRow]:
        """Return the rows of selected orders; those a person may not see (any more) are unknown."""
        found, rows = matching.of_orders(ids, self.shops), []
        for number, pk in enumerate(ids, start=before + 1):
            order = found.orders.get(pk)
            given = Given(number, order.number if order else str(pk))
            rows += self.of_order(given, order, found) if order else [self._row(given, Verdict.UNKNOWN, NO_SUCH)]
        return rows

    def judged(self, some: Iterable[Given]) -> list[BatchRow]:
        """Return the rows of a chunk of ids."""
        some = list(some)
        found, rows = matching.find(some, self.shops), []
        for given in some:
            rows += self._of(given, found)
        return rows

    def _of(self, given: Given, found: matching.Found) -> list[BatchRow]:
        if given.fault:
            return [self._row(given, Verdict.CANNOT, given.fault, given.data)]
        orders = found.meant(given)
        if not orders:
            if not given.sure:
                self.left_out += 1
                return []
            return [self._row(given, Verdict.UNKNOWN, NO_SUCH)]
        if given.first:
            return [self._row(given, Verdict.DOUBLED, TWICE, {"line": given.first})]
        if len(orders) > 1:
            return [self._row(given, Verdict.AMBIGUOUS, SEVERAL)]
        return self.of_order(given, orders[0], found)

    def of_order(self, given: Given, order: Order, found: matching.Found) -> list[BatchRow]:
        """Return the rows of what an id means of one order; at least one."""
        units = found.units(order, given)
        if not units:
            return [self._row(given, Verdict.CANNOT, NO_ITEM, order=order)]
        return [self._of_unit(given, order, unit, found) for unit in units]

    def _of_unit(self, given: Given, order: Order, item: OrderItem | None, found: matching.Found) -> BatchRow:
        ref = item.ref if item else ""
        first = self.met.get((order.pk, ref), 0)
        unit: Order | OrderItem = item or order
        more: dict[str, Any] = {
            "order": order, "item_ref": ref, "amount": unit.amount, "currency": unit.currency or order.currency,
        }  # fmt: skip
        if first:
            return self._row(given, Verdict.DOUBLED, TWICE, {"line": first}, **more)
        self.met[order.pk, ref] = given.line
        running = found.running.get((order.shop_id, order.key, ref))
        if running:
            return self._row(given, Verdict.OPEN, ASKED, cancellation=running, **more)
        if unit.status == OrderStatus.CANCELLED:
            return self._row(given, Verdict.CANCELLED, ALREADY, **more)
        if not order.shop.active:
            return self._row(given, Verdict.CANNOT, SHUT, **more)
        if unit.cancellable is False:
            return self._row(given, Verdict.CANNOT, unit.why, **more)
        if not self.pickable.get(order.shop_id):
            return self._row(given, Verdict.CANNOT, NO_REASON, **more)
        verdict = Verdict.READY_APPROVAL if order.shop.needs_approval else Verdict.READY
        return self._row(given, verdict, unit.why if unit.cancellable is None else "", **more)

    def _row(
        self, given: Given, verdict: Verdict, why: str, data: Mapping[str, Any] | None = None, *,
        order: Order | None = None, **more: Any,
    ) -> BatchRow:  # fmt: skip
        placed = {"shop": order.shop, "order": order, "order_key": order.key} if order else {}
        return BatchRow(
            batch=self.batch, number=given.line, given=given.text[:200], verdict=verdict, why=why,
            why_data=dict(data or {}), **placed, **more,
        )  # fmt: skip


def _lines(file: BinaryIO) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="\n"))
