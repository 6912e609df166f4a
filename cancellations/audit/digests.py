"""Keyed digests of events and seals, taken of what the database holds, read past the models.

Whatever somebody wrote into a column, be it no date and no JSON, gives a digest and no exception.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from cancellations.audit.models import AuditEvent, Seal

MARK = 16
LONGEST_NAME = 48
RANGES_AT_ONCE = 200
FIELDS = (
    "id", "uid", "at", "verb", "actor_id", "actor", "actor_kind", "origin", "incident", "subject_kind", "subject_id",
    "subject", "shop_id", "shop", "order_number", "data",
)  # fmt: skip
_SEAL_FIELDS = ("number", "at", "events", "count", "covered", "marks", "previous", "digest", "key_id", "body")
# As text whatever DateStyle and TimeZone are. to_char() takes no notice of BC, and makes nothing of infinity.
_AT = (
    "CASE WHEN at >= '0001-01-01 00:00:00+00' AND at < 'infinity' "
    "THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"') "
    "ELSE extract(epoch FROM at)::text END"
)
_encode = json.JSONEncoder(default=str, sort_keys=True, separators=(",", ":")).encode

Runs = list[list[int]]


class Key(NamedTuple):
    """One sealing key. The label tells it from another of the same id without giving it away."""

    label: str
    secret: bytes


class EventRow(NamedTuple):
    """An event as it is digested: every column in order, and those a finding speaks of.

    Attributes:
        at: ISO 8601 in UTC, or whatever stands there instead.
    """

    id: int
    at: str
    verb: str
    values: list[Any]


class SealRow(NamedTuple):
    """A seal as it stands in the database; an edited one may hold anything."""

    number: Any
    at: Any
    events: Any
    count: Any
    covered: Any
    marks: Any
    previous: Any
    digest: Any
    key_id: Any
    body: Any


def audit_keys() -> dict[str, Key]:
    """Return the sealing keys by id, newest first. Raises ``ValueError`` on one that is not written ``id:secret``."""
    keys = {}
    for entry in settings.AUDIT_KEYS:
        name, sign, secret = entry.partition(":")
        if not sign or not name or not secret or len(name) > LONGEST_NAME:
            raise ValueError(f"AUDIT_KEYS: each key is written id:secret, the id of at most {LONGEST_NAME} characters")
        print_ = hmac.digest(secret.encode(), b"which key is this", "sha256").hex()[:8]
        keys[name] = Key(f"{name}.{print_}", secret.encode())
    return keys


def mark_of(event: EventRow, key: Key) -> str:
    """Return an event's own digest: every column counts."""
    return hmac.digest(key.secret, _encode(event.values).encode(), hashlib.sha256).hex()[:MARK]


def digest_of(key: Key, *, previous: str, number: int, at: str, runs: Runs, marks: str) -> str:
    """Return a seal's digest, chained to the one before."""
    text = _encode([previous, number, at, key.label, runs, marks])
    return hmac.digest(key.secret, text.encode(), hashlib.sha256).hex()


def read_events(where: str, params: Sequence[Any], limit: int | None = None) -> list[EventRow]:
    """Return events by id, as they stand; ``where`` is SQL of our own."""
    table, last = AuditEvent._meta.db_table, "" if limit is None else f" LIMIT {limit:d}"
    sql = f"SELECT {{}} FROM {table} WHERE {where} ORDER BY id{last}"  # noqa: S608 - no text of others
    return [_event(row) for row in _fetch(sql, FIELDS, params)]


def events_among(ids: Sequence[int]) -> Iterator[EventRow]:
    """Yield the events of these ids that are there."""
    rest = iter(ids)
    while some := list(islice(rest, 500)):
        yield from read_events(f"id IN ({', '.join(['%s'] * len(some))})", some)


def events_between(ranges: Sequence[tuple[int | None, int]], most: int | None = None) -> Iterator[EventRow]:
    """Yield the events of these ranges of ids, the first ones where there are more than ``most``.

    ``None`` is the lowest id there is.
    """
    for start in range(0, len(ranges), RANGES_AT_ONCE):
        some = ranges[start : start + RANGES_AT_ONCE]
        where = " OR ".join("id <= %s" if first is None else "id BETWEEN %s AND %s" for first, _last in some)
        found = read_events(where, [end for one in some for end in one if end is not None], most)
        yield from found
        if most is not None and (most := most - len(found)) <= 0:
            return


def read_seals(after: int, limit: int) -> list[SealRow]:
    """Return the seals that follow a number, as they stand."""
    sql = f"SELECT {{}} FROM {Seal._meta.db_table} WHERE number > %s ORDER BY number LIMIT {limit:d}"  # noqa: S608
    return [_seal(row) for row in _fetch(sql, _SEAL_FIELDS, [after])]


def moment_text(value: Any) -> Any:
    """Return a time as ISO 8601 in UTC; what is none stays what it is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
        value = value if value.tzinfo else value.replace(tzinfo=UTC)  # SQLite keeps UTC without saying so
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _fetch(sql: str, fields: Sequence[str], params: Sequence[Any]) -> list[tuple[Any, ...]]:
    if connection.vendor != "sqlite":
        return _run(sql.format(", ".join(_AT if name == "at" else name for name in fields)), params)
    try:
        return _run(sql.format(", ".join(fields)), params)
    except (DatabaseError, ValueError):  # a value its own type cannot carry: read it as text
        shown = ["CAST(at AS TEXT)" if name == "at" else name for name in fields]
        assert connection.connection is not None
        kept = connection.connection.text_factory
        connection.connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            return _run(sql.format(", ".join(shown)), params)
        finally:
            connection.connection.text_factory = kept


def _run(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _event(row: tuple[Any, ...]) -> EventRow:
    values = list(row)
    values[1], values[2], values[-1] = _uid_text(row[1]), moment_text(row[2]), _data(row[-1])
    return EventRow(row[0], str(values[2]), str(row[3]), values)


def _seal(row: tuple[Any, ...]) -> SealRow:
    found = SealRow(*row)
    return found._replace(at=moment_text(found.at), events=_data(found.events))


def _uid_text(value: Any) -> str:
    try:
        return str(value if isinstance(value, UUID) else UUID(value))
    except (ValueError, TypeError, AttributeError):
        return str(value)


def _data(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
