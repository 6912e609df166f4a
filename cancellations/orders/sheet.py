"""A file of orders, line by line: encoding, delimiter, columns, and what is wrong with a line. Knows no database.

One line is one order, also inside quotes: an unclosed quote spoils its own line and not the rest of the file.
"""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.utils.translation import gettext_noop

from cancellations.orders.cells import OPTIONAL, Fault, faults_in, order_of
from providers.contract import Card, PlatformOrder

MOST_LINE = 64 * 1024
_CHUNK = 32 * 1024

_NO_TEXT = gettext_noop("This is not a text file in UTF-8 or GB18030. Save it as “CSV UTF-8” and hand it in again.")
EMPTY = gettext_noop("The file is empty. Its first line must name the columns.")
_UNKNOWN_COLUMN = gettext_noop("The column “%(column)s” is not known here. The columns may be: %(columns)s.")
_TWICE = gettext_noop("The column “%(column)s” is there twice.")
_LACKING = gettext_noop("The column “%(column)s” is missing. The first line must name the columns: %(columns)s.")
TOO_LONG = gettext_noop("The line is longer than 64 KB.")
QUOTE = gettext_noop("A quotation mark is never closed, or stands in the middle of a cell.")
CELLS = gettext_noop("Cells in this line: %(found)s; in the first line: %(wanted)s.")
NUL = gettext_noop("The line holds a NUL character, which no text has.")


class Unreadable(Exception):
    """The whole file is refused: a sentence with ``%(name)s`` places, untranslated, and what goes there."""

    def __init__(self, sentence: str, **data: Any) -> None:
        super().__init__(sentence % data)
        self.sentence, self.data = sentence, data


@dataclass(frozen=True)
class Line:
    """One line of orders: its number in the file, and the order or all that is wrong."""

    number: int
    order: PlatformOrder | None = None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class _Layout:
    """How the file is written: its columns in order, and the delimiter."""

    card: Card
    columns: Sequence[str]
    delimiter: str


def columns_of(card: Card) -> tuple[str, ...]:
    """Return the columns a file of this platform may have, the look-up fields first."""
    return (*(one.name for one in card.lookup), *OPTIONAL)


def template(card: Card) -> bytes:
    """Return an empty file to fill in; the mark at its start tells spreadsheets that it is UTF-8."""
    return codecs.BOM_UTF8 + (",".join(columns_of(card)) + "\r\n").encode()


def lines(card: Card, file: BinaryIO) -> Iterator[Line]:
    """Yield every line of orders, good or bad; blank ones are left out. The file is read twice, in small pieces.

    Raises:
        Unreadable: The file as a whole: no text, or its first line names no usable columns.
    """
    encoding = encoding_of(file)
    numbered = raw_lines(file, encoding)
    first = next(((number, text) for number, text in numbered if text is None or text.strip()), None)
    if first is None or first[1] is None:
        raise Unreadable(EMPTY if first is None else TOO_LONG)
    layout = _layout(card, first[1])
    for number, text in numbered:
        if text is not None and not text.strip().strip(layout.delimiter):
            continue
        yield _line(layout, number, text)


def encoding_of(file: BinaryIO) -> str:
    """Return the encoding a file can be read in. Raises :class:`Unreadable` when there is none."""
    file.seek(0)
    marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        file.seek(0)
        try:
            while piece := file.read(_CHUNK):
                decoder.decode(piece)
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Unreadable(_NO_TEXT)


def raw_lines(file: BinaryIO, encoding: str) -> Iterator[tuple[int, str | None]]:
    """Yield (number, text) of every line, ``None`` for one that is too long, which is skipped and never held whole."""
    file.seek(0)
    decoder, number = codecs.getincrementaldecoder(encoding)(), 0
    rest, too_long = "", False
    while piece := file.read(_CHUNK):
        whole = (rest + decoder.decode(piece)).split("\n")
        rest = whole.pop()
        for text in whole:
            number += 1
            yield number, None if too_long or len(text) > MOST_LINE else text.rstrip("\r")
            too_long = False
        if len(rest) > MOST_LINE:
            rest, too_long = "", True
    if rest or too_long:
        yield number + 1, None if too_long else rest.rstrip("\r")


def _layout(card: Card, text: str) -> _Layout:
    known = columns_of(card)
    delimiter = max(",;\t", key=text.count)
    columns = [one.strip().strip('"').strip().lower() for one in text.split(delimiter)]
    listed = ", ".join(known)
    for at, column in enumerate(columns):
        if column not in known:
            raise Unreadable(_UNKNOWN_COLUMN, column=column[:60], columns=listed)
        if column in columns[:at]:
            raise Unreadable(_TWICE, column=column)
    needed = frozenset(one.name for one in card.lookup if one.required)
    for name in known:
        if name in needed and name not in columns:
            raise Unreadable(_LACKING, column=name, columns=listed)
    return _Layout(card, columns, delimiter)


def _line(layout: _Layout, number: int, text: str | None) -> Line:
    cells = _cells(layout, text)
    if isinstance(cells, Fault):
        return Line(number, faults=(cells,))
    faults = tuple(faults_in(layout.card, cells))
    return Line(number, faults=faults) if faults else Line(number, order=order_of(layout.card, cells))


def _cells(layout: _Layout, text: str | None) -> dict[str, str] | Fault:
    """Take a line apart, or say why even that can't be done."""
    if text is None:
        return Fault(TOO_LONG)
    if "\x00" in text:
        return Fault(NUL)
    try:
        row = next(csv.reader([text], delimiter=layout.delimiter, strict=True))
    except csv.Error:
        return Fault(QUOTE)
    while len(row) > len(layout.columns) and not row[-1].strip():
        row.pop()  # spreadsheets pad lines with empty cells
    if len(row) != len(layout.columns):
        return Fault(CELLS, {"found": len(row), "wanted": len(layout.columns)})
    return {column: plain_cell(value) for column, value in zip(layout.columns, row, strict=True)}


def plain_cell(value: str) -> str:
    """Undo what people do to keep a spreadsheet from shortening a number: ``="00123"`` and ``'00123``."""
    value = value.strip()
    if value.startswith('="') and value.endswith('"'):
        return value[2:-1].strip()
    return value.removeprefix("'").strip()
