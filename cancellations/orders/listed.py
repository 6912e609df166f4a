"""What a list shows of an order, read with the statement that finds it: a second one would cost as much again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models.sql.compiler import SQLCompiler

from cancellations.orders.models import Order

TABLE = Order._meta.db_table


class Listed(NamedTuple):
    """What a list shows of an order: its columns."""

    pk: int
    shop_id: int
    number: str
    status: str
    desk_state: str
    placed_at: datetime
    placed_known: bool
    amount: Decimal | None
    currency: str
    buyer: str
    cancellable: bool | None
    why: str


COLUMNS = ", ".join(f"{TABLE}.{name}" for name in ("id", *Listed._fields[1:]))


def listed(rows: Iterable[Sequence[Any]]) -> list[Listed]:
    """Return rows of ``COLUMNS`` as what they are: SQLite has neither moments nor decimals of its own."""
    compiler, converters = _converters(connection.vendor)
    return [Listed._make(row) for row in (compiler.apply_converters(rows, converters) if converters else rows)]


@cache
def _converters(vendor: str) -> tuple[SQLCompiler, dict[int, Any]]:
    compiler = Order.objects.values_list(*Listed._fields).query.get_compiler(connection=connection)
    compiler.pre_sql_setup()
    return compiler, compiler.get_converters([column for column, *_rest in compiler.select])
