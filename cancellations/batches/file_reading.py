"""A CSV of ids, line by line: its columns, the good lines, and what is wrong with the others. Knows no database.

Only the column with the order is needed. Columns nobody asked for are left out, so that any export will do.
"""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext_noop

from cancellations.batches import noise
from cancellations.batches.given import MOST_LINES, SHORTENED, TOO_LONG, TOO_MANY, Given, TooMuch
from cancellations.batches.pasting import plain
from cancellations.orders import keys, sheet
from providers.registry import PROVIDERS

COLUMNS = ("order", "shop", "item")
_ALSO = {
    "order": ("order_id", "order_number", "order id", "order number", "number", "id", "waybill", "订单", "订单号"),
    "shop": ("shop_name", "店铺"),
    "item": ("item_id", "item id", "item_ref", "商品"),
}

NO_COLUMN = gettext_noop("No column is named “order”. The first line must name the columns: %(columns)s.")
NO_ORDER = gettext_noop("The order's id is empty.")


@dataclass(frozen=True)
class Layout:
    """Where in a line the cells stand; ``shop`` and ``item`` are -1 where the file has no such column."""

    delimiter: str
    width: int
    order: int
    shop: int = -1
    item: int = -1
    headed: bool = True


def template() -> bytes:
    """Return an empty file to fill in; the mark at its start tells spreadsheets that it is UTF-8."""
    return codecs.BOM_UTF8 + (",".join(COLUMNS) + "\r\n").encode()


def rows_in(file: BinaryIO) -> Iterator[Given]:
    """Yield every line of a file, good or bad; blank ones are left out. It is read in small pieces.

    Raises:
        sheet.Unreadable: The file as a whole: no text, or its first line names no usable columns.
        TooMuch: It has more lines than are taken.
    """
    met: dict[tuple[str, str, str], int] = {}
    layout: Layout | None = None
    for number, text in sheet.raw_lines(file, sheet.encoding_of(file)):
        if number > MOST_LINES + 1:
            raise TooMuch(TOO_MANY, most=MOST_LINES)
        if text is not None and not text.strip().strip(layout.delimiter if layout else ",;\t"):
            continue
        if layout is None:
            layout = layout_of(text)
            if layout.headed:
                continue
        one = _read(layout, number, text)
        if not one.fault:
            which = (one.shop.casefold(), one.key, keys.normalise(one.item))
            first = met.setdefault(which, number)
            if first != number:
                one = Given(number, one.text, first=first, shop=one.shop, item=one.item)
        yield one
    if layout is None:
        raise sheet.Unreadable(sheet.EMPTY)


def layout_of(text: str | None) -> Layout:
    """Read the first line. A single column needs no name. Raises :class:`sheet.Unreadable`."""
    if text is None:
        raise sheet.Unreadable(sheet.TOO_LONG)
    delimiter = max(",;\t", key=text.count)
    names = [plain(cell).strip().strip('"').strip().casefold() for cell in text.split(delimiter)]
    found = {column: _place(names, column) for column in COLUMNS}
    if found["order"] >= 0:
        return Layout(delimiter, len(names), found["order"], found["shop"], found["item"])
    if len(names) == 1 and any(one.isdigit() for one in names[0]):
        return Layout(delimiter, 1, 0, headed=False)
    raise sheet.Unreadable(NO_COLUMN, columns=", ".join(COLUMNS))


def _place(names: Sequence[str], column: str) -> int:
    """Return where a column stands: by its own name, by what platforms call it, by other words for it."""
    platforms = tuple(one.card.lookup[0].name for one in PROVIDERS.values()) if column == "order" else ()
    return next((names.index(name) for name in (column, *platforms, *_ALSO[column]) if name in names), -1)


def _read(layout: Layout, number: int, text: str | None) -> Given:
    if text is None:
        return Given(number, "", fault=sheet.TOO_LONG)
    if "\x00" in text:
        return Given(number, "", fault=sheet.NUL)
    try:
        cells = next(csv.reader([text], delimiter=layout.delimiter, strict=True))
    except csv.Error:
        return Given(number, "", fault=sheet.QUOTE)
    while len(cells) > layout.width and not cells[-1].strip():
        cells.pop()  # spreadsheets pad lines with empty cells
    if len(cells) > layout.width:  # a stray delimiter: which cell is the order's cannot be told
        return Given(number, "", fault=sheet.CELLS, data={"found": len(cells), "wanted": layout.width})
    order, shop, item = (_cell(cells, at) for at in (layout.order, layout.shop, layout.item))
    shown = order[: keys.MOST_CHARACTERS]
    if not keys.normalise(order):
        return Given(number, shown, fault=NO_ORDER)
    if len(order) > keys.MOST_CHARACTERS or len(item) > keys.MOST_CHARACTERS:
        return Given(number, shown, fault=TOO_LONG, data={"most": keys.MOST_CHARACTERS})
    if noise.SHORTENED.fullmatch(order):
        return Given(number, shown, fault=SHORTENED, data={"value": shown})
    return Given(number, order, shop=shop[: keys.MOST_CHARACTERS], item=item)


def _cell(cells: Sequence[str], at: int) -> str:
    return sheet.plain_cell(plain(cells[at])) if 0 <= at < len(cells) else ""
