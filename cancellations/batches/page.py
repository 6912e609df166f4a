"""What the page of one batch shows: where it stands, its numbers, one page of its rows, and what may be done."""

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext

from cancellations.access import may
from cancellations.batches import decisions, listing, progress
from cancellations.batches.models import Batch, BatchRow
from cancellations.batches.progress import LIVE
from cancellations.batches.sight import rows_of
from cancellations.batches.states import READY, BatchState, Verdict
from cancellations.batches.wording import OUTCOMES, headline, verdicts_of
from cancellations.orders.models import Order
from cancellations.people.models import Person
from cancellations.requests.models import CancellationRequest
from cancellations.requests.states import State
from cancellations.shops.models import Shop
from cancellations.shops.scope import visible_to

UNTOUCHED = (BatchState.PLANNING, BatchState.PLANNED, BatchState.DISCARDED)
MOST_MEANT = 8
NO_OUTCOME = ("moving", "waits", "pending_approval", "uncertain")
# A large bulk is looked at less often, and those who look within the same second share what was counted.
_LARGE = 500
_POLLS = ((5_000, 10), (_LARGE, 5), (0, 2))  # from so many rows on, every so many seconds
_SHARED_SECONDS = 1.0
_counted: dict[tuple[int, str, int], tuple[float, progress.Numbers]] = {}


@dataclass(frozen=True)
class Line:
    """One row as the page shows it.

    Attributes:
        why: Translated.
        meant: Orders to choose from, where the id is ambiguous.
        cancellation: Its own, or the one that stands in the way.
        word: The verdict or outcome; "" where the cancellation's state says it.
    """

    row: BatchRow
    word: str
    tone: str
    why: str
    meant: list[Order]
    cancellation: CancellationRequest | None


def state_of(batch: Batch, person: Person) -> dict[str, Any]:
    """Return what is polled while a batch moves."""
    rows = rows_of(batch, person)
    context: dict[str, Any] = {"batch": batch, "poll": 0, "running": batch.state not in UNTOUCHED}
    if batch.state in UNTOUCHED:
        numbers = progress.of_plan(batch, rows)
        ready = sum(numbers.of(word) for word in READY)
        context["headline"] = headline(batch, ready)
        context["poll"] = 1 if batch.state == BatchState.PLANNING else 0
    else:
        numbers = _numbers_of(batch, person)
        ready = numbers.total
        ended = numbers.total - sum(numbers.of(word) for word in NO_OUTCOME)
        ends = batch.state == BatchState.STOPPED and not batch.finished_at
        moving = bool(numbers.of("moving") and batch.state != BatchState.DONE)
        moves = batch.state == BatchState.RUNNING or ends or moving
        left = partial(progress.seconds_left, batch, numbers)  # asked for by the template, not by a silent poll
        context |= {"ended": ended, "seconds_left": left, "poll": _pause(batch) if moves else 0}
        context["headline"] = headline(
            batch, ready, first=_canary_only(batch, numbers), approval=_waits_for_a_person(numbers)
        )
        context["held"] = partial(_held_among, numbers)
    mine = batch.requested_by_id == person.pk and may(person, "request")
    return context | {
        "numbers": numbers,
        "ready": ready,
        "large": ready > decisions.LARGE,
        "keys": [word for word, *_ in numbers.words],
        "moment": f"{batch.state} {batch.state_since.timestamp()} {bool(batch.finished_at)} "
        f"{[count for *_, count in numbers.words]}",
        "can": {
            "start": batch.state == BatchState.PLANNED and mine and ready,
            "discard": batch.state == BatchState.PLANNED and mine,
            "steer": batch.state in LIVE and may(person, "request"),
            "retry": batch.state in (BatchState.RUNNING, BatchState.DONE)
            and bool(numbers.of("failed"))
            and may(person, "resend"),
        },
    }


def _pause(batch: Batch) -> int:
    return next(seconds for rows, seconds in _POLLS if (batch.plan_total or 0) >= rows)


def _numbers_of(batch: Batch, person: Person) -> progress.Numbers:
    """Count the outcomes; of a large bulk not more than once a second for all who see the same shops."""
    key, now = (batch.pk, batch.state, 0 if person.every_shop else person.pk), time.monotonic()
    at, numbers = _counted.get(key, (0.0, None))
    if numbers and now < at + _SHARED_SECONDS:
        return numbers
    numbers = progress.of_run(batch, rows_of(batch, person), visible_to(person, CancellationRequest.objects.all()))
    for old in [one for one, (since, _numbers) in list(_counted.items()) if now > since + _SHARED_SECONDS]:
        _counted.pop(old, None)
    if (batch.plan_total or 0) > _LARGE:
        _counted[key] = now, numbers
    return numbers


def page_of(batch: Batch, person: Person, show: str, at: str) -> dict[str, Any]:
    """Return the whole page: the state, and one page of rows with the verdict or outcome asked for."""
    context = state_of(batch, person)
    rows = rows_of(batch, person)
    numbers = progress.of_plan(batch, rows) if context["running"] else context["numbers"]
    page = listing.page_of(listing.narrowed(batch, rows, show), at)
    tabs = [(word, label, count) for word, label, _tone, count in numbers.words]
    if context["running"]:
        outcomes = [(word, label, count) for word, label, _tone, count in context["numbers"].words]
        tabs = [*outcomes, *(one for one in tabs if one[0] not in READY)]
    mine = context["can"]["discard"]
    lines = [_line(batch, row, person if mine else None) for row in page.rows]
    return context | {"plan": numbers, "page": page, "lines": lines, "tabs": tabs, "show": show}


def _line(batch: Batch, row: BatchRow, chooser: Person | None) -> Line:
    plan = verdicts_of(batch)[row.verdict]
    why = gettext(row.why) % row.why_data if row.why and row.why_data else gettext(row.why) if row.why else ""
    meant = _meant(row, chooser) if chooser and row.verdict == Verdict.AMBIGUOUS else []
    if batch.state in UNTOUCHED or row.verdict not in READY:
        return Line(row, str(plan.label), plan.tone, why, meant, row.cancellation)
    if row.cancellation and not row.not_asked:
        ended = row.cancellation.state in (State.REJECTED, State.FAILED)
        return Line(row, "", "", row.cancellation.message if ended else "", [], row.cancellation)
    outcome = OUTCOMES["waits" if row.waits and batch.state in LIVE else "withdrawn"]
    return Line(row, str(outcome.label), outcome.tone, row.not_asked, [], row.cancellation)


def _meant(row: BatchRow, person: Person) -> list[Order]:
    """Return the orders an ambiguous id may mean; a page holds few such rows."""
    return list(visible_to(person, Order.objects.select_related("shop")).filter(pk__in=row.choices)[:MOST_MEANT])


def _held_among(numbers: progress.Numbers) -> list[Shop]:
    """Return the shops on hold that still have something to send."""
    waiting = [one.shop for one in numbers.shops if one.shop and one.counts["moving"] + one.counts["waits"]]
    return [shop for shop in waiting if getattr(shop, "health", None) and shop.health.held_since]


def _waits_for_a_person(numbers: progress.Numbers) -> bool:
    """Tell whether all that is left waits for the approval of what went first."""
    return bool(numbers.of("waits") and numbers.of("pending_approval") and not numbers.of("moving"))


def _canary_only(batch: Batch, numbers: progress.Numbers) -> bool:
    over = numbers.total - numbers.of("waits")
    return bool(batch.canary) and over <= batch.canary and numbers.of("waits") > 0
