"""SQL over many runs of one index: per run only as many rows as the page needs, then the runs are merged.

A filter by shops, status and the like is a handful of runs, each already in the order wanted. Left to themselves, the
databases walk one index in order and throw away what does not fit, which takes a second where nothing fits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

# SQLite takes 500 terms in a compound; beyond these a plain IN has to do there.
MOST_TERMS = 400
MOST_ROWS = 20_000

Run = tuple[Any, ...]


def merged(
    table: str,
    columns: Sequence[str],
    runs: Mapping[str, Sequence[Any]],
    *,
    where: str,
    params: Sequence[Any],
    order: str,
    limit: int,
) -> tuple[str, list[Any]]:
    """Return SQL and parameters of the first ``limit`` rows of every run, one after the other, unsorted.

    Args:
        columns: What to select, by name.
        runs: Column → values; every combination is a run. Empty: one run without a condition.
        where, params: Further conditions inside each run, ``AND``-joined, or "".
        order: ``ORDER BY`` of the index, without the words.
    """
    named = ", ".join(columns)
    count = 1
    for values in runs.values():
        count *= len(values)
    if connection.vendor == "postgresql" and count > 1:
        sources = [f"unnest(%s::{_array_type(values)}) AS r{at}(v)" for at, values in enumerate(runs.values())]
        conditions = [f"{name} = r{at}.v" for at, name in enumerate(runs)]
        inner = _select(table, named, [*conditions, where], order, limit)
        sql = f"SELECT {named} FROM {' CROSS JOIN '.join(sources)} CROSS JOIN LATERAL ({inner}) AS run"  # noqa: S608 - our own names
        return sql, [*(list(values) for values in runs.values()), *params]
    if count > MOST_TERMS:
        conditions = [f"{name} IN ({', '.join(['%s'] * len(values))})" for name, values in runs.items()]
        inner = _select(table, named, [*conditions, where], order, min(limit * count, MOST_ROWS))
        given = [one for values in runs.values() for one in values]
        return f"SELECT {named} FROM ({inner}) AS run", [*given, *params]  # noqa: S608 - our own names
    terms: list[str] = []
    given = []
    for run in _product(list(runs.values())):
        inner = _select(table, named, [*(f"{name} = %s" for name in runs), where], order, limit)
        terms.append(f"SELECT {named} FROM ({inner}) AS run")  # noqa: S608 - our own names
        given += [*run, *params]
    return " UNION ALL ".join(terms), given


def fetch(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def where_all(*conditions: str) -> str:
    """Return the conditions that are not "" as a clause; "" without any."""
    given = [one for one in conditions if one]
    return f" WHERE {' AND '.join(given)}" if given else ""


def _select(table: str, named: str, conditions: Sequence[str], order: str, limit: int) -> str:
    return f"SELECT {named} FROM {table}{where_all(*conditions)} ORDER BY {order} LIMIT {int(limit)}"  # noqa: S608 - names are ours, values are parameters


def _array_type(values: Sequence[Any]) -> str:
    return "text[]" if isinstance(values[0], str) else "bigint[]"


def _product(values: list[Sequence[Any]]) -> list[Run]:
    runs: list[Run] = [()]
    for one in values:
        runs = [(*run, value) for run in runs for value in one]
    return runs
