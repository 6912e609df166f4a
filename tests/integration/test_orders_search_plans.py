"""Pages of orders hold what they should whichever way PostgreSQL joins what it found to its orders."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from cancellations.orders import search
from cancellations.orders.filters import Filters
from cancellations.orders.models import Order
from tests.desk import person
from tests.integration.counter_platform import install, open_shop
from tests.integration.test_orders_search import fill, pages
from tests.throwaway import database

pytestmark = pytest.mark.services


@pytest.fixture
def postgres(tmp_path: Path, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), database("postgresql", tmp_path):
        yield


@pytest.mark.parametrize(
    "filters", [Filters(), Filters(text="Q0"), Filters(amount_min=Decimal(1)), Filters(currency="EUR")]
)
def test_turning_pages_loses_no_order_where_rows_are_not_joined_in_their_order(
    postgres: None, monkeypatch: pytest.MonkeyPatch, filters: Filters
) -> None:
    install(monkeypatch)
    shop = open_shop()
    fill(shop, 200)
    agent = person("agent")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET enable_nestloop = off; SET enable_mergejoin = off")
    through = [results.page for results in islice(pages(agent, filters, 7), 40)]  # else wrong pages never end
    expected = Order.objects.order_by("-placed_at", "-pk")
    if filters.amount_min:
        expected = expected.filter(amount__gte=filters.amount_min)
    assert [row.pk for page in through for row in page.rows] == [one.pk for one in expected]
    for before, page in pairwise(through):
        assert search.search(agent, filters, page.previous, size=7).page.rows == before.rows
