"""CSV that spreadsheets open without computing anything and without rounding ids."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

BOM = "\ufeff"
# What begins a formula, in ASCII and in full width; and what spreadsheets skip before it.
_SKIPPED = r"[\s\u00a0\u200b-\u200f\u2060\u3000\ufeff\x00-\x1f]*"
_SIGN = "[=+\\-@＝＋－＠﹢﹣﹦﹫−]"
_FORMULA = re.compile(f"^{_SKIPPED}{_SIGN}")
# Where a country's settings cut at something else than a comma, the quotes of all but the first cell hold nothing.
_CUT = re.compile(f"([;|\t\r\n](?:(?![\t\r\n]){_SKIPPED[:-1]})*)(?={_SIGN})")
_CONTROL = re.compile(r"^[\t\r\n]")
# What would be read as a number and shown as another: long, with leading zeros, or with an exponent.
_LOSSY = re.compile(r"^\s*(\d{12,}|0\d+|\d+(\.\d+)?[eE]\d+)\s*$")
# Nearly every cell: it begins as a word, JSON, a moment or a UUID does, and nothing in it parts cells: no rule fits it.
_PLAIN = re.compile(r"(?:[A-Za-z{]|[0-9a-f]{4,8}-)[^;|\t\r\n\x00]*")
_FEW_DIGITS = 10**11


def safe_cell(value: object) -> str:
    """Return a cell as text; an apostrophe goes before what a spreadsheet would compute or round."""
    if value is None or (type(value) is int and 0 <= value < _FEW_DIGITS):
        return "" if value is None else str(value)
    if type(value) is str and (not value or _PLAIN.fullmatch(value)):
        return value
    text = _CUT.sub(r"\1'", str(value).replace("\x00", ""))
    return f"'{text}" if _FORMULA.match(text) or _CONTROL.match(text) or _LOSSY.match(text) else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a file line by line, a byte-order mark first; every cell in quotes."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    yield BOM + buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
