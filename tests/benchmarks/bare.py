"""The floor: a page of the same rows made by psycopg and one template, and nothing else. Served by gunicorn."""

import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from django.template import Context, Engine
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

SQL = (
    "SELECT o.*, s.title FROM cancellations_order o JOIN cancellations_shop s ON s.id = o.shop_id"
    " WHERE o.id = ANY(%s) ORDER BY o.placed_at DESC, o.id DESC"
)
PAGE = Engine().from_string(
    "<!doctype html><html><body><table>{% for row in rows %}<tr>"
    "<td><a href='/orders/{{ row.id }}/'>{{ row.number }}</a></td><td>{{ row.status }}</td><td>{{ row.title }}</td>"
    "<td>{{ row.buyer }}</td><td>{{ row.amount }} {{ row.currency }}</td><td>{{ row.placed_at.isoformat }}</td>"
    "<td>{{ row.cancellable }} {{ row.why }}</td></tr>{% endfor %}</table></body></html>"
)
pool = ConnectionPool(os.environ["BARE_DATABASE"], min_size=1, max_size=4, kwargs={"row_factory": dict_row}, open=True)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the rows named in ``?ids=1,2,3``."""
    ids = [int(one) for one in parse_qs(environ["QUERY_STRING"]).get("ids", [""])[0].split(",") if one]
    with pool.connection() as connection:
        rows = connection.execute(SQL, [ids]).fetchall()
    body = PAGE.render(Context({"rows": rows}, use_l10n=False)).encode()
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
