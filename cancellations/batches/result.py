"""The result file: a line for every row of a batch, whatever became of it. Streamed, and safe in a spreadsheet."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cancellations.batches.models import Batch, BatchRow
from cancellations.batches.states import READY
from cancellations.batches.wording import VERDICTS
from cancellations.requests.forms import STATE_LABELS
from cancellations.requests.states import State
from cancellations.spreadsheet import csv_lines

_CHUNK = 500


def lines(batch: Batch, rows: QuerySet[BatchRow]) -> Iterator[str]:
    """Yield the file line by line, in the reader's language; the two columns of codes are the same in any."""
    header = (
        _("Line"), _("Given"), _("Shop"), _("Order"), _("Item"), _("Amount"), _("Currency"), _("Verdict"),
        _("Outcome"), _("Why"), _("Code"), _("Asked"), _("Since"), "verdict", "outcome", "cancellation",
    )  # fmt: skip
    return csv_lines(header, (_cells(row) for row in _all(rows)))


def _all(rows: QuerySet[BatchRow]) -> Iterator[BatchRow]:
    """Read by key, a chunk at a time: no cursor is held open, however slowly the file is fetched."""
    last = 0
    rows = rows.select_related("shop", "cancellation").order_by("pk")
    while chunk := list(rows.filter(pk__gt=last)[:_CHUNK]):
        yield from chunk
        last = chunk[-1].pk


def _cells(row: BatchRow) -> tuple[object, ...]:
    asked = row.cancellation if row.verdict in READY and not row.not_asked else None
    why = row.not_asked or (asked.message if asked else "") or (_(row.why) % row.why_data if row.why else "")
    outcome = asked.state if asked else ""
    return (
        row.line, row.given, row.shop.title if row.shop else "", row.order_number, row.item_ref,
        "" if row.amount is None else f"{row.amount.normalize():f}", row.currency, str(VERDICTS[row.verdict].label),
        str(STATE_LABELS[State(outcome)]) if outcome else "", why, asked.code if asked else "",
        asked.requested_at.isoformat(timespec="seconds") if asked else "",
        asked.state_since.isoformat(timespec="seconds") if asked else "", row.verdict, outcome,
        row.cancellation_id or "",
    )  # fmt: skip
