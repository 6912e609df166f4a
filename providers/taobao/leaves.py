"""Single values of an answer, read tolerantly: what is missing or odd becomes nothing, never an error."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.taobao.auth import GATEWAY_ZONE, TIME_FORMAT


def text_of(value: Any) -> str:
    """Return a leaf as text that every database and page can hold; anything else is ""."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f") if -30 < value.adjusted() < 30 else ""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "").strip()
    return ""


def whole_of(value: Any) -> int | None:
    """Return a leaf as a whole number of at most 18 digits, or ``None``."""
    digits = text_of(value)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def time_of(value: Any) -> datetime | None:
    """Return a leaf as aware UTC. Assumed: the gateway's times are GMT+8 in answers too."""
    try:
        return datetime.strptime(text_of(value)[:19], TIME_FORMAT).replace(tzinfo=GATEWAY_ZONE).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def rows_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list, however it is wrapped: plain, or inside an object named after its element."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    yield from (row for row in (value if isinstance(value, list) else [value]) if isinstance(row, dict))


def words_of(value: Any) -> list[str]:
    """Return the non-empty leaves of a list, however it is wrapped."""
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return [word for word in map(text_of, value if isinstance(value, list) else [value]) if word]
