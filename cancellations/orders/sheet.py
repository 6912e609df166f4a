"""A file of orders, line by line: encoding, delimiter, columns, and what is wrong with a line. Knows no database.

One line is one order, also inside quotes: an unclosed quote spoils its own line and not the rest of the file.
"""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_noop

from cancellations.orders.models import OrderStatus
from providers.contract import CANNOT_TELL, Buyer, Card, PlatformOrder, Status

OPTIONAL = ("order_number", "placed_at", "status", "amount", "currency", "buyer_name", "buyer_email", "buyer_phone")
MOST_LINE = 64 * 1024
MOST_CELL = 255
_CHUNK = 32 * 1024
_SHORTENED = re.compile(r"\d[.,]\d+E\+\d+", re.I)
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,4})?")
_CURRENCY = re.compile(r"[A-Za-z]{3,8}")
_STATUSES = {one.value for one in OrderStatus}

_NO_TEXT = gettext_noop("This is not a text file in UTF-8 or GB18030. Save it as “CSV UTF-8” and hand it in again.")
EMPTY = gettext_noop("The file is empty. Its first line must name the columns.")
_UNKNOWN_COLUMN = gettext_noop("There is no column “%(column)s”. The columns may be: %(columns)s.")
_TWICE = gettext_noop("The column “%(column)s” is there twice.")
_LACKING = gettext_noop("The column “%(column)s” is missing. The first line must name the columns: %(columns)s.")
TOO_LONG = gettext_noop("The line is longer than 64 KB.")
QUOTE = gettext_noop("A quotation mark is never closed, or stands in the middle of a cell.")
CELLS = gettext_noop("The line has %(found)s cells, the first line has %(wanted)s.")
NUL = gettext_noop("The line holds a NUL character, which no text has.")
_MISSING = gettext_noop("“%(column)s” is empty. Every order needs it.")
_CELL_TOO_LONG = gettext_noop("“%(column)s” is longer than %(most)s characters.")
_SPREADSHEET = gettext_noop("A spreadsheet has shortened “%(column)s” to %(value)s. Format the column as text first.")
_DIGITS = gettext_noop("“%(column)s” must be digits only.")
_DATE = gettext_noop("“placed_at” is no date. Write it as 2026-11-30 or 2026-11-30 14:05.")
_NO_AMOUNT = gettext_noop("“amount” is no amount. Write it as 1234.50, without separators or a currency.")
_NO_CURRENCY = gettext_noop("“currency” must be a code as EUR.")
_NO_EMAIL = gettext_noop("“buyer_email” is no e-mail address.")


class Unreadable(Exception):
    """The whole file is refused: a sentence with ``%(name)s`` places, untranslated, and what goes there."""

    def __init__(self, sentence: str, **data: Any) -> None:
        super().__init__(sentence % data)
        self.sentence, self.data = sentence, data


class BadLine(Unreadable):
    """One line is refused."""


@dataclass(frozen=True)
class Line:
    """One line of orders: its number in the file, and the order or what is wrong."""

    number: int
    order: PlatformOrder | None = None
    fault: BadLine | None = None


@dataclass(frozen=True)
class _Layout:
    """How the file is written: its columns in order, and the delimiter."""

    card: Card
    columns: Sequence[str]
    delimiter: str
    needed: frozenset[str] = field(default_factory=frozenset)


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
        try:
            yield Line(number, order=_order(layout, text))
        except BadLine as fault:
            yield Line(number, fault=fault)


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
    return _Layout(card, columns, delimiter, needed)


def _order(layout: _Layout, text: str | None) -> PlatformOrder:
    cells = _cells(layout, text)
    ref = {one.name: cells.get(one.name, "") for one in layout.card.lookup}
    for one in layout.card.lookup:
        if one.kind == "integer" and ref[one.name] and not (ref[one.name].isascii() and ref[one.name].isdigit()):
            raise BadLine(_DIGITS, column=one.name)
    number = cells.get("order_number") or ref[layout.card.lookup[0].name]
    word = cells.get("status", "")
    email = cells.get("buyer_email", "")
    if email and "@" not in email:
        raise BadLine(_NO_EMAIL)
    currency = cells.get("currency", "")
    if currency and not _CURRENCY.fullmatch(currency):
        raise BadLine(_NO_CURRENCY)
    return PlatformOrder(
        ref={name: value for name, value in ref.items() if value},
        number=number,
        status=Status(word.lower()) if word.lower() in _STATUSES else Status.UNKNOWN,
        status_text=word,
        placed_at=_placed(cells.get("placed_at", "")),
        amount=_amount(cells.get("amount", "")),
        currency=currency.upper(),
        buyer=Buyer(cells.get("buyer_name", ""), email, cells.get("buyer_phone", "")),
        standing=CANNOT_TELL,
    )


def _cells(layout: _Layout, text: str | None) -> dict[str, str]:
    if text is None:
        raise BadLine(TOO_LONG)
    if "\x00" in text:
        raise BadLine(NUL)
    try:
        row = next(csv.reader([text], delimiter=layout.delimiter, strict=True))
    except csv.Error as error:
        raise BadLine(QUOTE) from error
    while len(row) > len(layout.columns) and not row[-1].strip():
        row.pop()  # spreadsheets pad lines with empty cells
    if len(row) != len(layout.columns):
        raise BadLine(CELLS, found=len(row), wanted=len(layout.columns))
    cells = {column: plain_cell(value) for column, value in zip(layout.columns, row, strict=True)}
    for column, value in cells.items():
        if not value and column in layout.needed:
            raise BadLine(_MISSING, column=column)
        if len(value) > MOST_CELL:
            raise BadLine(_CELL_TOO_LONG, column=column, most=MOST_CELL)
        if column not in OPTIONAL[1:] and _SHORTENED.fullmatch(value):
            raise BadLine(_SPREADSHEET, column=column, value=value)
    return cells


def plain_cell(value: str) -> str:
    """Undo what people do to keep a spreadsheet from shortening a number: ``="00123"`` and ``'00123``."""
    value = value.strip()
    if value.startswith('="') and value.endswith('"'):
        return value[2:-1].strip()
    return value.removeprefix("'").strip()


def _placed(text: str) -> datetime | None:
    """Read a time; without a zone it is in the desk's own."""
    if not text:
        return None
    plain = text.replace("/", "-")
    try:
        found = parse_datetime(plain)
        if found is None and (day := parse_date(plain)):
            found = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware below
        if found is None:
            raise BadLine(_DATE)
        found = found if timezone.is_aware(found) else timezone.make_aware(found, timezone.get_default_timezone())
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLine(_DATE) from error


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise BadLine(_NO_AMOUNT)
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise BadLine(_NO_AMOUNT) from error
