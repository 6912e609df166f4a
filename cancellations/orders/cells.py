"""The cells of one line of orders: all that is wrong with them, and the order they make. Knows no file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_noop

from cancellations.orders.models import OrderStatus
from cancellations.orders.reading import MOST_KEY, key_of
from providers.contract import CANNOT_TELL, Buyer, Card, PlatformOrder, Ref, Status

OPTIONAL = ("order_number", "placed_at", "status", "amount", "currency", "buyer_name", "buyer_email", "buyer_phone")
MOST_CELL = 255
_SHORTENED = re.compile(r"\d[.,]\d+E\+\d+", re.I)
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,4})?")
_CURRENCY = re.compile(r"[A-Za-z]{3,8}")
_STATUSES = {one.value for one in OrderStatus}

_MISSING = gettext_noop("“%(column)s” is empty. Every order needs it.")
_CELL_TOO_LONG = gettext_noop("“%(column)s” is longer than %(most)s characters.")
_KEY_TOO_LONG = gettext_noop("%(columns)s are too long together: orders are told apart by at most %(most)s characters.")
_SPREADSHEET = gettext_noop("A spreadsheet has shortened “%(column)s” to %(value)s. Format the column as text first.")
_DIGITS = gettext_noop("“%(column)s” must be digits only.")
_DATE = gettext_noop("“placed_at” is no date. Write it as 2026-11-30 or 2026-11-30 14:05.")
_NO_AMOUNT = gettext_noop("“amount” is no amount. Write it as 1234.50, without separators or a currency.")
_NO_CURRENCY = gettext_noop("“currency” must be a code as EUR.")
_NO_EMAIL = gettext_noop("“buyer_email” is no e-mail address.")


@dataclass(frozen=True)
class Fault:
    """Something wrong with a line: a sentence with ``%(name)s`` places, untranslated, and what goes there."""

    sentence: str
    data: Mapping[str, Any] = field(default_factory=dict)


def faults_in(card: Card, cells: Mapping[str, str]) -> Iterator[Fault]:
    """Yield what is wrong with each cell, and with what they make together: a line has to be mended only once."""
    needed = {one.name for one in card.lookup if one.required}
    digits = {one.name for one in card.lookup if one.kind == "integer"}
    most = {one.name: one.max_length for one in card.lookup}
    for column, value in cells.items():
        if not value and column in needed:
            yield Fault(_MISSING, {"column": column})
        elif len(value) > most.get(column, MOST_CELL):
            yield Fault(_CELL_TOO_LONG, {"column": column, "most": most.get(column, MOST_CELL)})
        elif column not in OPTIONAL[1:] and _SHORTENED.fullmatch(value):
            yield Fault(_SPREADSHEET, {"column": column, "value": value})
        elif value and column in digits and not (value.isascii() and value.isdigit()):
            yield Fault(_DIGITS, {"column": column})
        elif value and column in _WRONG and _WRONG[column][0](value):
            yield Fault(_WRONG[column][1])
    ref = _ref(card, cells)
    if needed <= ref.keys() and not key_of(card, ref):
        names = ", ".join(one.name for one in card.lookup if one.identity)
        yield Fault(_KEY_TOO_LONG, {"columns": names, "most": MOST_KEY})


def order_of(card: Card, cells: Mapping[str, str]) -> PlatformOrder:
    """Return the order; nothing may be wrong with its cells."""
    ref = _ref(card, cells)
    word, amount = cells.get("status", ""), cells.get("amount", "")
    return PlatformOrder(
        ref=ref,
        number=cells.get("order_number") or ref.get(card.lookup[0].name, ""),
        status=Status(word.lower()) if word.lower() in _STATUSES else Status.UNKNOWN,
        status_text=word,
        placed_at=_placed(cells.get("placed_at", "")),
        amount=Decimal(amount) if amount else None,
        currency=cells.get("currency", "").upper(),
        buyer=Buyer(cells.get("buyer_name", ""), cells.get("buyer_email", ""), cells.get("buyer_phone", "")),
        standing=CANNOT_TELL,
    )


def _ref(card: Card, cells: Mapping[str, str]) -> Ref:
    return {one.name: value for one in card.lookup if (value := cells.get(one.name, ""))}


def _placed(text: str) -> datetime | None:
    """Read a time; without a zone it is in the desk's own. ``None`` when it is none."""
    plain = text.replace("/", "-")
    try:
        found = parse_datetime(plain)
        if found is None and (day := parse_date(plain)):
            found = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware below
        if found is None:
            return None
        found = found if timezone.is_aware(found) else timezone.make_aware(found, timezone.get_default_timezone())
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_WRONG = {
    "placed_at": (lambda text: _placed(text) is None, _DATE),
    "amount": (lambda text: not _AMOUNT.fullmatch(text), _NO_AMOUNT),
    "currency": (lambda text: not _CURRENCY.fullmatch(text), _NO_CURRENCY),
    "buyer_email": (lambda text: "@" not in text, _NO_EMAIL),
}
