"""A file for spreadsheets computes nothing and rounds nothing."""

import csv
import io
import itertools

import pytest

from cancellations.spreadsheet import BOM, csv_lines, safe_cell

SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]
BEFORE = ["", " ", "   ", "\t", "\r", "\n", "\u00a0", "\u3000", "\ufeff", "\u200b"]
BODIES = ["1+1", 'HYPERLINK("http://x","y")']
FORMULAS = [before + sign + body for before, sign, body in itertools.product(BEFORE, SIGNS, BODIES)]


@pytest.mark.parametrize("cell", [*FORMULAS, "\ttext", "\rtext", "\ntext", "-", "=", "\x00=1+1"])
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(cell: str) -> None:
    kept = safe_cell(cell)
    assert kept.startswith("'")
    assert kept.replace("'", "") == cell.replace("'", "").replace("\x00", "")


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\n\t-1", "a\n\t'-1"),
        ("x|@y", "x|'@y"),
        ("a; b;1", "a; b;1"),
        ("{;=1", "{;'=1"),
        ("2026-\t+1", "2026-\t'+1"),
        ("3f2a|\u00a0@y", "3f2a|\u00a0'@y"),
        ("a\x00;\x00=1", "a;'=1"),
    ],
)
def test_what_would_be_computed_where_another_sign_parts_the_cells_gets_one_too(cell: str, kept: str) -> None:
    assert safe_cell(cell) == kept


@pytest.mark.parametrize("cell", ["1234567890123456789", "123456789012", "007", "12E5", "1.5e10", " 0042 "])
def test_ids_that_would_be_rounded_stay_text(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["", "agent", "LC-1001", "12345678901", "0", "a=b", "小猫", '{"a": "=1"}', "2026-01-31T00:00:00"]
)
def test_anything_else_stays_as_it_is(cell: str) -> None:
    assert safe_cell(cell) == cell


def test_a_file_has_a_mark_and_every_cell_in_quotes_and_reads_back() -> None:
    rows = [["a;b", 'say "x"', "two\nlines"], [None, 5, "=1"]]
    text = "".join(csv_lines(["one", "two", "three"], rows))
    assert text.startswith(BOM + '"one","two","three"\r\n')
    assert list(csv.reader(io.StringIO(text.removeprefix(BOM), newline=""))) == [
        ["one", "two", "three"],
        ["a;b", 'say "x"', "two\nlines"],
        ["", "5", "'=1"],
    ]
