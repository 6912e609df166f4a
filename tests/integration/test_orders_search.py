"""Search finds what it should in the shops a person may see, and never anything else."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cancellations.orders import indexing, matching, search
from cancellations.orders.filters import Filters
from cancellations.orders.models import Order, OrderKey
from cancellations.orders.rows import rows_of
from cancellations.people.models import Person
from cancellations.shops.models import Shop, ShopAccess
from providers.contract import Buyer, PlatformItem, Standing, Status
from tests.desk import person
from tests.integration.counter_platform import install, open_shop, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    install(monkeypatch)
    return open_shop()


@pytest.fixture
def agent(shop: Shop) -> Person:
    return person("agent")


def fill(shop: Shop, count: int, prefix: str = "Q", **more: Any) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    indexing.put_many(
        shop,
        [
            order(
                f"{prefix}{at:05}",
                **{"placed_at": start + timedelta(minutes=at // 2), "amount": Decimal(at), "items": (), **more},
            )
            for at in range(count)
        ],
        seen_at=timezone.now(),
    )


def found(person: Person, text: str = "", **more: Any) -> list[str]:
    return [row.number for row in search.search(person, Filters(text=text, **more)).page.rows]


@pytest.mark.parametrize(
    "typed",
    ["A-1001", "a1001", " a 10-01 ", "＃Ａ－１００１", "sf-a-1001", "SF A1001", "sku7", "i1"],
)
def test_an_order_is_found_by_any_of_its_numbers_however_they_are_typed(agent: Person, shop: Shop, typed: str) -> None:
    indexing.put_many(shop, [order(), order("B-2", keys=(), items=())], seen_at=timezone.now())
    assert found(agent, typed) == ["A-1001"]


@pytest.mark.parametrize(
    "typed",
    [
        "maria@example.com",
        "MARIA@example.com",
        "+34600004321",
        "600004321",
        "600 004 321",
        "4321",
        "garcia",
        "María García",
    ],
)
def test_an_order_is_found_by_its_buyer(agent: Person, shop: Shop, typed: str) -> None:
    other = order("B-2", keys=(), items=(), buyer=Buyer("Li Lei", "li@example.com", "13900000000"))
    indexing.put_many(shop, [order(), other], seen_at=timezone.now())
    assert found(agent, typed) == ["A-1001"]


def test_a_chinese_name_is_found_whole_and_without_the_surname(agent: Person, shop: Shop) -> None:
    indexing.put(shop, order(buyer=Buyer("王小明")), seen_at=timezone.now())
    assert found(agent, "王小明") == found(agent, "小明") == ["A-1001"]
    assert found(agent, "王小") == ["A-1001"]
    assert found(agent, "李小明") == []


def test_an_exact_number_comes_before_those_that_only_begin_so(agent: Person, shop: Shop) -> None:
    indexing.put_many(shop, [order("A-100", keys=()), order("A-1001", keys=())], seen_at=timezone.now())
    assert found(agent, "A-100") == ["A-100"]
    assert sorted(found(agent, "A-100", begins=True)) == ["A-100", "A-1001"]
    assert sorted(found(agent, "A-10")) == ["A-100", "A-1001"]


@pytest.mark.parametrize("typed", ["A%", "A_1001", "%", "_", "~", "*", "A\x001001'--"])
def test_wildcards_are_only_characters(agent: Person, shop: Shop, typed: str) -> None:
    indexing.put_many(shop, [order("A-1001", buyer=Buyer())], seen_at=timezone.now())
    assert found(agent, typed) == []


def test_an_order_whose_keys_tell_different_times_is_found_once(agent: Person, shop: Shop) -> None:
    fill(shop, 3, prefix="T")
    two = Order.objects.get(number="T00001").keys.order_by("pk")[:1]
    OrderKey.objects.filter(pk__in=list(two.values_list("pk", flat=True))).update(placed_at=timezone.now())
    assert sorted(found(agent, "T0000")) == ["T00000", "T00001", "T00002"]
    assert found(agent, "T00001") == ["T00001"]


def test_a_prefix_never_runs_into_the_hashes_of_buyers(agent: Person, shop: Shop) -> None:
    indexing.put(shop, order(keys=(), items=()), seen_at=timezone.now())
    hexadecimal = [f"{one}{other}" for one in "0123456789abcdef" for other in "0123456789abcdef" if one != "a"]
    assert not any(found(agent, two) for two in hexadecimal)


def test_people_find_only_what_is_in_their_shops(shop: Shop) -> None:
    other = open_shop("counter-2")
    indexing.put(shop, order(), seen_at=timezone.now())
    indexing.put(other, order(), seen_at=timezone.now())
    limited, nobody = person(every_shop=False), person(every_shop=False)
    ShopAccess.objects.create(person=limited, shop=other)
    for typed in ("A-1001", "A-1", "maria@example.com", ""):
        rows = search.search(limited, Filters(text=typed)).page.rows
        assert [row.shop_id for row in rows] == [Shop.objects.get(name="counter-2").pk], typed
        assert found(nobody, typed) == []
    assert found(limited, "A-1001", shop="counter-1") == []


def test_a_crowd_elsewhere_does_not_hide_what_a_person_may_see(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST", 20)
    fill(shop, 200)
    mine = open_shop("counter-2")
    indexing.put(mine, order("Q99999", items=()), seen_at=timezone.now())
    limited = person(every_shop=False)
    ShopAccess.objects.create(person=limited, shop=mine)
    assert found(limited, "Q0") == []
    assert found(limited, "Q9") == ["Q99999"]
    assert found(limited, "maria garcia") == ["Q99999"]
    everybody = search.search(person(), Filters(text="maria garcia"))
    assert everybody.capped
    assert {row.shop_id for row in everybody.page.rows} == {shop.pk, mine.pk}


@pytest.mark.parametrize("text", ["", "Q0"])
def test_filters_narrow_lists_and_searches_alike(agent: Person, shop: Shop, text: str) -> None:
    other = open_shop("counter-2")
    day = datetime(2026, 5, 4, 10, tzinfo=UTC)
    told = [
        order("Q01", status=Status.OPEN, standing=Standing(True), placed_at=day, amount=Decimal(10)),
        order("Q02", status=Status.OPEN, standing=Standing(False, "No."), placed_at=day, amount=Decimal(20)),
        order("Q03", status=Status.SHIPPED, standing=Standing(None, "?"), placed_at=day, amount=Decimal(30)),
        order("Q04", status=Status.OPEN, placed_at=day + timedelta(days=1), amount=Decimal(40), currency="CNY"),
    ]
    indexing.put_many(shop, told, seen_at=timezone.now())
    indexing.put(other, order("Q05", placed_at=day, amount=None, currency=""), seen_at=timezone.now())

    def those(**filters: Any) -> list[str]:
        return sorted(found(agent, text, **filters))

    assert those() == ["Q01", "Q02", "Q03", "Q04", "Q05"]
    assert those(status="shipped") == ["Q03"]
    assert those(cancellable="yes") == ["Q01", "Q04", "Q05"]
    assert those(cancellable="no") == ["Q02"]
    assert those(cancellable="unknown") == ["Q03"]
    assert those(status="open", cancellable="no") == ["Q02"]
    assert those(shop="counter-2") == ["Q05"]
    assert those(platform="counter") == those()
    assert those(platform="other") == []
    assert those(placed_to=date(2026, 5, 4)) == ["Q01", "Q02", "Q03", "Q05"]
    assert those(placed_from=date(2026, 5, 5)) == ["Q04"]
    assert those(amount_min=Decimal(20), amount_max=Decimal(30)) == ["Q02", "Q03"]
    assert those(currency="CNY") == ["Q04"]
    assert those(amount_min=Decimal(20), currency="EUR", status="open", shop="counter-1") == ["Q02"]


def pages(agent: Person, filters: Filters, size: int) -> Iterator[search.Results]:
    at = ""
    while True:
        results = search.search(agent, filters, at, size=size)
        yield results
        at = results.page.next
        if not at:
            return


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(text="Q0"),
        Filters(text="maria garcia"),
        Filters(status="open"),
        Filters(cancellable="yes"),
        Filters(currency="EUR"),
        Filters(text="Q0", amount_min=Decimal(1)),
        Filters(amount_min=Decimal(1)),
    ],
)
def test_turning_pages_shows_every_order_once_newest_first_and_back_again(
    agent: Person, shop: Shop, filters: Filters
) -> None:
    fill(shop, 23)
    indexing.put_many(open_shop("counter-2"), [order(f"Q9{at}", items=()) for at in range(8)], seen_at=timezone.now())
    through = [results.page for results in pages(agent, filters, 7)]
    rows = [row for page in through for row in page.rows]
    expected = Order.objects.order_by("-placed_at", "-pk")
    if filters.text == "Q0":
        expected = expected.filter(number__startswith="Q0")
    if filters.amount_min:
        expected = expected.filter(amount__gte=filters.amount_min)
    assert [row.pk for row in rows] == [row.pk for row in expected]
    assert [page.first for page in through] == [1 + 7 * at for at in range(len(through))]
    back = search.search(agent, filters, through[-1].previous, size=7).page
    assert [row.pk for row in back.rows] == [row.pk for row in through[-2].rows]
    assert back.first == through[-2].first
    assert search.search(agent, filters, through[1].previous, size=7).page.rows == through[0].rows


def test_orders_that_come_in_meanwhile_shift_no_page(agent: Person, shop: Shop) -> None:
    fill(shop, 10)
    first = search.search(agent, Filters(), size=5)
    indexing.put(shop, order("NEW", placed_at=timezone.now()), seen_at=timezone.now())
    second = search.search(agent, Filters(), first.page.next, size=5)
    assert not {row.pk for row in first.page.rows} & {row.pk for row in second.page.rows}
    assert "NEW" not in [row.number for row in second.page.rows]


@pytest.mark.parametrize("at", ["rubbish", "Zg", "x" * 300])
def test_a_broken_cursor_is_the_first_page(agent: Person, shop: Shop, at: str) -> None:
    fill(shop, 3)
    assert len(search.search(agent, Filters(), at).page.rows) == 3


def test_counting_stops_where_the_number_says_no_more(
    agent: Person, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shop, 30)
    monkeypatch.setattr(search, "MOST_COUNTED", 20)
    assert str(search.search(agent, Filters(), size=10).count) == "20+"
    assert str(search.search(agent, Filters(status="shipped")).count) == "0"
    monkeypatch.setattr(matching, "MOST", 20)
    results = search.search(agent, Filters(text="Q0"))
    assert (results.capped, str(results.count)) == (True, "20+")
    Order.objects.filter(number__gte="Q00015").delete()
    assert str(search.search(agent, Filters(), size=10).count) == "20+"  # what was seen a moment ago
    assert str(search.search(agent, Filters(), size=20).count) == "15"  # unless the page itself knows better


def test_an_amount_that_many_orders_have_is_looked_for_among_the_newest_only_and_said_so(
    agent: Person, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shop, 60)
    monkeypatch.setattr(matching, "MOST", 10)
    monkeypatch.setattr(search, "WINDOW", 30)
    results = search.search(agent, Filters(amount_max=Decimal(35)))
    assert results.looked == 30
    assert sorted(row.number for row in results.page.rows) == [f"Q{at:05}" for at in range(30, 36)]
    assert search.search(agent, Filters(amount_max=Decimal(35)), size=5).page.next
    assert search.search(agent, Filters(amount_max=Decimal(35), cancellable="yes", shop="counter-1")).looked == 30
    monkeypatch.setattr(search, "WINDOW", 1000)
    assert search.search(agent, Filters(amount_max=Decimal(35))).looked == 0


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(text="Q0"),
        Filters(text="Q00003"),
        Filters(text="garcia"),
        Filters(status="open", shop="counter-1"),
    ],
)
def test_a_page_takes_the_same_few_queries_whatever_its_length(agent: Person, shop: Shop, filters: Filters) -> None:
    fill(shop, 210, items=(PlatformItem("x", sku="Q00003"),))
    counts = set()
    for size in (10, 50, 200):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            results = search.search(agent, filters, size=size)
            assert list(rows_of(results.page.rows, results.shops))
        counts.add(len(asked))
    assert len(counts) == 1
    assert counts.pop() <= 5
