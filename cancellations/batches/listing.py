"""The rows of a batch, page by page, in the order they were given."""

import re
from typing import Any

from django.db.models import Q, QuerySet

from cancellations.batches.models import UNASKED, Batch, BatchRow
from cancellations.batches.progress import LIVE
from cancellations.batches.states import READY
from cancellations.batches.wording import OUTCOMES, VERDICTS
from cancellations.pages import MOST_ID, Page
from cancellations.requests.states import State

SIZE = 50
_CURSOR = re.compile(r"([fb])(\d{1,18})-(\d{1,9})", re.ASCII)
_STATES: dict[str, tuple[str, ...]] = {
    "moving": (State.QUEUED, State.SENDING, State.ACCEPTED),
    "withdrawn": (State.WITHDRAWN, State.DECLINED),
}


def narrowed(batch: Batch, rows: QuerySet[BatchRow], word: str) -> QuerySet[BatchRow]:
    """Return the rows with one verdict, or one outcome; any other word leaves them all."""
    if word in VERDICTS:
        return rows.filter(verdict=word)
    if word not in OUTCOMES:
        return rows
    rows = rows.filter(verdict__in=READY)
    if word == "waits":
        return rows.filter(waits=True)
    asked = Q(not_asked="", cancellation__batch=batch.pk, cancellation__state__in=_STATES.get(word, (word,)))
    if word != "withdrawn":
        return rows.filter(asked)
    return rows.filter(asked | (~Q(not_asked="") if batch.state in LIVE else UNASKED))


def page_of(rows: QuerySet[BatchRow], at: str, size: int = SIZE) -> Page[BatchRow]:
    """Return one page; a cursor that is none gives the first."""
    found = _CURSOR.fullmatch(at)
    way, pk, first = (found[1], min(int(found[2]), MOST_ID), int(found[3])) if found else ("f", 0, 1)
    rows = rows.select_related("shop", "order", "cancellation", "cancellation__shop")
    if way == "b":
        before = list(rows.filter(pk__lt=pk).order_by("-pk")[: size + 1])
        if len(before) <= size:
            return page_of(rows, "", size)
        return _page(before[:size][::-1], max(1, first - size), size, more=True, back=True)
    read: list[Any] = list(rows.filter(pk__gt=pk).order_by("pk")[: size + 1])
    if pk and not read:
        return page_of(rows, "", size)
    return _page(read[:size], first, size, more=len(read) > size, back=bool(pk))


def _page(rows: list[BatchRow], first: int, size: int, *, more: bool, back: bool) -> Page[BatchRow]:
    if not rows:
        return Page([])
    after = f"f{rows[-1].pk}-{first + len(rows)}" if more else ""
    before = f"b{rows[0].pk}-{first}" if back else ""
    return Page(rows, first, next=after, previous=before)
