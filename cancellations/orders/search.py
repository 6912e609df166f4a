"""One line of text and filters → one page of orders, newest first. Reads only; every query is bounded."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.cache import caches

from cancellations.orders import matching, runs
from cancellations.orders.filters import Asked, Condition, Filters, asked, joined, moment
from cancellations.orders.listed import COLUMNS, TABLE, Listed, listed
from cancellations.orders.understanding import Understanding, understand
from cancellations.pages import Count, Cursor, Page
from cancellations.shops.scope import Seen, seen_by

SIZE = 50
MOST_COUNTED = 10_000
REMEMBERED_SECONDS = 60
# Amounts have no index in the order of the page: so many of the newest are looked through, and the page says so.
WINDOW = 5_000
_NEWEST = "placed_at DESC, id DESC"
_OLDEST = "placed_at, id"

# Where a page begins → one more row than it has; going back, oldest first.
Read = Callable[[Cursor | None], list[Listed]]


@dataclass(frozen=True)
class Results:
    """One page of what was found.

    Attributes:
        how: ``list`` without a text; else ``exact`` or ``prefix``.
        shops: All shops the person may see.
        understood: Of the text; ``None`` when there was none.
        capped: More orders match the text than are looked through.
        looked: The page holds only what is among so many newest orders; 0 when nothing was left out.
    """

    page: Page[Listed]
    count: Count
    how: str
    shops: tuple[Seen, ...]
    understood: Understanding | None = None
    capped: bool = False
    looked: int = 0


def search(
    person: Any, filters: Filters, at: str = "", *, size: int = SIZE, shops: Sequence[Seen] | None = None
) -> Results:
    """Return a page of the orders in the person's shops.

    Args:
        at: The cursor's text; "" is the first page.
        shops: The shops the person may see, where the caller has read them already.
    """
    shops = seen_by(person) if shops is None else tuple(shops)
    chosen = [one.pk for one in shops if filters.includes(one)]
    understood = understand(filters.text) if filters.text.strip() else None
    if not chosen or (understood and not understood.values):
        return Results(Page([]), Count(0), "exact" if understood else "list", shops, understood)
    cursor = Cursor.read(at) if at else None
    narrowed = [] if person.every_shop and len(chosen) == len(shops) else chosen  # none means everywhere
    if understood is None:
        return _list(shops, filters, narrowed, cursor, size)
    page, matched, how = _found(filters, understood, narrowed, cursor, size)
    return Results(page, Count(matched.number, matched.capped), how, shops, understood, capped=matched.capped)


def _found(
    filters: Filters,
    understood: Understanding,
    narrowed: Sequence[int],
    cursor: Cursor | None,
    size: int,
) -> tuple[Page[Listed], matching.Matched, str]:
    """Look for the text exactly; if nothing is so, for numbers that begin like it."""
    ways = [("exact", matching.exactly)] if not (filters.begins and understood.prefix) else []
    ways += [("prefix", matching.beginning)] if understood.prefix else []
    for how, way in ways:
        page, matched = _bounded(way(understood, narrowed), filters.conditions(), cursor, size)
        if matched.found or how == "prefix" or not understood.prefix:
            break
    return page, matched, how


def _list(
    shops: tuple[Seen, ...], filters: Filters, narrowed: Sequence[int], cursor: Cursor | None, size: int
) -> Results:
    if filters.amounts():
        here = [("shop_id", narrowed)] if narrowed else []
        others = [one for one in filters.conditions() if one not in filters.amounts()]
        conditions = [*others, *(_in(name, values) for name, values in here)]
        with suppress(matching.TooMany):
            page, matched = _bounded(matching.of_amount(filters.amounts()), conditions, cursor, size)
            return Results(page, Count(matched.number), "list", shops)
    wanted = asked(filters, narrowed)
    if filters.money():
        page, matched = _bounded(matching.newest(wanted, WINDOW), filters.money(), cursor, size)
        looked = WINDOW if matched.capped else 0
        return Results(page, Count(matched.number, matched.capped), "list", shops, looked=looked)
    page = _page(lambda at: listed(runs.fetch(*_newest(wanted, at, size + 1))), cursor, size)
    return Results(page, _number(wanted, page), "list", shops)


def _number(wanted: Asked, page: Page[Listed]) -> Count:
    """Count a list. That there is more than is counted costs most to see and hardly changes: it is remembered."""
    memory = caches["process"]
    key = hashlib.sha256(repr((wanted, MOST_COUNTED)).encode()).hexdigest()
    if page.next and memory.get(key):
        return Count(MOST_COUNTED, True)
    number: int = runs.fetch(*_counted(wanted))[0][0]
    if number > MOST_COUNTED:
        memory.set(key, True, REMEMBERED_SECONDS)
    return Count(min(number, MOST_COUNTED), number > MOST_COUNTED)


def _bounded(
    source: matching.Source,
    conditions: Sequence[Condition],
    cursor: Cursor | None,
    size: int,
) -> tuple[Page[Listed], matching.Matched]:
    last: list[matching.Matched] = []

    def read(at: Cursor | None) -> list[Listed]:
        begins, order = _begins(at)
        last.append(matching.page_of(source, conditions, begins, order, size + 1))
        return last[-1].rows

    return _page(read, cursor, size), last[-1]


def _page(read: Read, cursor: Cursor | None, size: int) -> Page[Listed]:
    """Read a page's rows. A page past an end, or short at the top, becomes the first."""
    rows = read(cursor)
    if cursor and len(rows) <= (size if cursor.back else 0):
        cursor, rows = None, read(None)
    more, rows = len(rows) > size, rows[:size]
    if not rows:
        return Page([])
    rows.sort(key=lambda one: (one.placed_at, one.pk), reverse=True)
    first, back = (cursor.first, cursor.back) if cursor else (1, False)
    after = Cursor(rows[-1].placed_at, rows[-1].pk, first + len(rows)).text()
    before = Cursor(rows[0].placed_at, rows[0].pk, max(1, first - size), back=True).text()
    return Page(rows, first, next=after if more or back else "", previous=before if cursor else "")


def _begins(cursor: Cursor | None) -> tuple[list[Condition], str]:
    """Return where a page begins, in the form an index serves at any depth, and the order to read it in."""
    if cursor is None:
        return [], _NEWEST
    sign, order = (">", _OLDEST) if cursor.back else ("<", _NEWEST)
    at = moment(cursor.at)
    return [
        (f"placed_at {sign}= %s", (at,)),
        (f"(placed_at {sign} %s OR id {sign} %s)", (at, cursor.pk)),
    ], order


def _newest(wanted: Asked, cursor: Cursor | None, limit: int) -> tuple[str, list[Any]]:
    begins, order = _begins(cursor)
    sql, params = _merged(wanted, [*wanted.placed, *begins], order, limit)
    page = f"SELECT id AS at_id FROM ({sql}) AS merged ORDER BY {order} LIMIT {limit}"  # noqa: S608 - our own names
    sql = f"SELECT {COLUMNS} FROM ({page}) AS page JOIN {TABLE} ON id = at_id ORDER BY {order}"  # noqa: S608 - our own names
    return sql, params


def _counted(wanted: Asked) -> tuple[str, list[Any]]:
    most = MOST_COUNTED + 1
    sql, params = _merged(wanted, wanted.placed, _NEWEST, most)
    return f"SELECT count(*) FROM (SELECT 1 FROM ({sql}) AS merged LIMIT {most}) AS counted", params  # noqa: S608 - our own names


def _merged(wanted: Asked, placed: Sequence[Condition], order: str, limit: int) -> tuple[str, list[Any]]:
    where, params = joined(placed)
    columns = ["id", "placed_at"]
    return runs.merged(TABLE, columns, wanted.runs, where=where, params=params, order=order, limit=limit)


def _in(name: str, values: Sequence[int]) -> Condition:
    return f"{name} IN ({', '.join(['%s'] * len(values))})", tuple(values)
