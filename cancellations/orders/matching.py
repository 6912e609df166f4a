"""Which orders a text may mean, as SQL: keys met exactly, or numbers that begin so; always a bounded many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from cancellations.orders import runs
from cancellations.orders.filters import Asked, Condition, joined
from cancellations.orders.listed import COLUMNS, TABLE, Listed, listed
from cancellations.orders.models import MONEY, OrderKey
from cancellations.orders.understanding import Understanding

MOST = 2000
# With many shops each gives only its newest few, so that one shop's crowd does not hide all others.
FEWEST_PER_RUN = 10
_KEYS = OrderKey._meta.db_table


@dataclass(frozen=True)
class Source:
    """SQL of orders as ``order_id, placed_at``: of every run at most ``each``, together ``most`` (or MOST) are read.

    Attributes:
        gives: It never gives more rows than so many.
        by: The columns that tell the runs apart.
        once: It gives no order twice.
        carries: Further columns it gives, which hold all that its conditions ask for.
        whole: A part of them is of no use: where there are more than ``most``, no order is read.
    """

    sql: str
    params: list[Any]
    gives: int
    by: tuple[str, ...] = ()
    once: bool = False
    carries: tuple[str, ...] = ()
    each: int = 0
    most: int = 0
    whole: bool = False


class TooMany(Exception):
    """More orders match than are read of a source that is of use only as a whole."""


@dataclass(frozen=True)
class Matched:
    """A page of the orders found.

    Attributes:
        rows: Of the page, in its order.
        number: How many were found and fit the conditions.
        found: How many were found at all.
        capped: There are more than these.
    """

    rows: list[Listed]
    number: int
    found: int
    capped: bool


def exactly(understood: Understanding, shop_ids: Sequence[int]) -> Source:
    """Return the orders with one of the keys; no shops means all there are."""
    named: dict[str, Sequence[Any]] = {"shop_id": shop_ids, "value": understood.values}
    wanted = {name: values for name, values in named.items() if values}
    count = len(understood.values) * (len(shop_ids) or 1)
    each = _each(count)
    columns = ["order_id", "placed_at", *wanted]
    order = "placed_at DESC, order_id DESC"
    sql, params = runs.merged(_KEYS, columns, wanted, where="", params=(), order=order, limit=each)
    return Source(sql, params, each * count, tuple(wanted), each=each)


def beginning(understood: Understanding, shop_ids: Sequence[int]) -> Source:
    """Return the orders with a number that begins so; no shops means all there are."""
    # A range and not LIKE: it fits the index as it is, and a wildcard in what was typed is only a character.
    wanted = {"shop_id": shop_ids} if shop_ids else {}
    count = len(shop_ids) or 1
    each = _each(count)
    sql, params = runs.merged(
        _KEYS,
        ["order_id", "placed_at", *wanted],
        wanted,
        where="value >= %s AND value < %s",
        params=[understood.prefix, understood.prefix + "\U0010ffff"],
        order="value, placed_at DESC, order_id DESC",
        limit=each,
    )
    return Source(sql, params, each * count, tuple(wanted), each=each)


def of_amount(amounts: Sequence[Condition]) -> Source:
    """Return the orders of these amounts, in all shops."""
    where, params = joined(amounts)
    sql = f"SELECT id AS order_id, placed_at FROM {TABLE} WHERE {where} LIMIT {MOST + 1}"  # noqa: S608 - our own names
    return Source(sql, params, MOST + 1, once=True, whole=True)


def newest(wanted: Asked, most: int) -> Source:
    """Return the newest orders of a list, for conditions that no index serves in the order of the page."""
    # Only what the index holds: with more columns PostgreSQL takes the index without the runs for the cheaper one.
    where, params = joined(wanted.placed)
    each = max(most // wanted.count, FEWEST_PER_RUN)
    columns = ["placed_at", *MONEY, *wanted.runs]
    order = "placed_at DESC, id DESC"
    sql, params = runs.merged(TABLE, ["id", *columns], wanted.runs, where=where, params=params, order=order, limit=each)
    sql = f"SELECT id AS order_id, {', '.join(columns)} FROM ({sql}) AS merged"  # noqa: S608 - our own names
    return Source(sql, params, each * wanted.count, tuple(wanted.runs), once=True, carries=MONEY, each=each, most=most)


def page_of(
    source: Source, conditions: Sequence[Condition], cursor: Sequence[Condition], order: str, limit: int
) -> Matched:
    """Find, filter, sort and count in one statement: the orders found are bounded, so this is.

    Args:
        conditions: On the orders; they are counted.
        cursor: Where the page begins.

    Raises:
        TooMany: The source is ``whole``, and is not.
    """
    most = source.most or MOST
    fits, fit_params = joined(conditions)
    begins, cursor_params = joined(cursor)
    when = "placed_at" if source.once else "max(placed_at) AS placed_at"
    named = ", ".join(["order_id AS id", when, *source.carries])
    found = f"SELECT {named} FROM keys{'' if source.once else ' GROUP BY order_id'}"  # noqa: S608 - our own names
    if source.gives > 2 * (most + 1):  # else sorting them costs more than what is left out
        found += f" ORDER BY placed_at DESC, id DESC LIMIT {most + 1}"
    fit = _fitting(source, fits, most)
    groups = f" GROUP BY {', '.join(source.by)}" if source.by else ""
    page = f"SELECT id AS at_id FROM {'fit' if fit else 'found'}{runs.where_all(begins)} ORDER BY {order} LIMIT {limit}"  # noqa: S608 - our own names
    sql = f"""
        WITH keys AS MATERIALIZED ({source.sql}), found AS MATERIALIZED ({found}){fit}
        SELECT counts.fit, counts.found, counts.longest, {COLUMNS}
        FROM (SELECT (SELECT count(*) FROM {"fit" if fit else "found"}) AS fit, (SELECT count(*) FROM found) AS found,
              (SELECT max(n) FROM (SELECT count(*) AS n FROM keys{groups}) AS cut) AS longest) AS counts
        LEFT JOIN ({page}) AS page ON TRUE LEFT JOIN {TABLE} ON id = at_id ORDER BY {order}"""  # noqa: S608 - our own names
    rows = runs.fetch(sql, [*source.params, *fit_params, *cursor_params])
    number, met, longest = rows[0][:3]
    if source.whole and met > most:
        raise TooMany
    cut_short = bool(source.each) and (longest or 0) >= source.each
    page_rows = listed(row[3:] for row in rows if row[3] is not None)
    return Matched(page_rows, min(number, most), met, capped=met > most or cut_short)


def _fitting(source: Source, fits: str, most: int) -> str:
    """Return a further part of the statement: which of the orders found fit; "" when all do."""
    near = f"(SELECT count(*) FROM found) <= {most}" if source.whole else ""  # noqa: S608 - a number of ours
    if not fits and not near:
        return ""
    if not fits or source.carries:
        fit = f"SELECT id, placed_at FROM found{runs.where_all(near, fits)}"  # noqa: S608 - our own names
    else:
        # On PostgreSQL the array keeps the planner from reading the whole table for what it takes for many.
        read = f"SELECT id FROM found{runs.where_all(near)}"  # noqa: S608 - our own names
        among = f"= ANY(ARRAY({read}))" if connection.vendor == "postgresql" else f"IN ({read})"
        fit = f"SELECT id, placed_at FROM {TABLE} WHERE id {among} AND {fits}"  # noqa: S608 - our own names
    return f", fit AS MATERIALIZED ({fit})"


def _each(count: int) -> int:
    return max(FEWEST_PER_RUN, (MOST + 1) * 2 // count) if count > 1 else MOST + 1
