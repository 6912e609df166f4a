"""The body of a seal: all its events in one piece, written out by the database itself and hashed at once.

A body that fits tells that every column of every row is as it was sealed, and costs an eighth of comparing marks. One
that doesn't tells nothing: the rows are then compared with their marks, one by one. So each kind of database may write
in its own way, and a way of writing that changes costs time and never truth; so does a body that somebody removed.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Sequence

from django.db import DatabaseError, connection
from psycopg import Cursor

from cancellations.audit.digests import FIELDS, Key, Runs, SealRow
from cancellations.audit.models import AuditEvent

PART = 1_000  # ids that are read as one value
PARTS_AT_ONCE = 200

# Every value stands at its place with its length or in quotes, and no setting has a say in how. The limits are there
# for PostgreSQL's planner, which would expect half a percent of the table from each part.
_SQL = {
    "postgresql": """
        SELECT (SELECT string_agg(line, ''::bytea) FROM (SELECT record_send(ROW({columns})) AS line
            FROM {table} WHERE id BETWEEN part.first AND part.last ORDER BY id LIMIT {part}) AS lines)
        FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY AS part (first, last, place) ORDER BY place""",
    "sqlite": """
        SELECT (SELECT CAST(group_concat(line, '') AS BLOB) FROM (SELECT json_array({columns}) AS line
            FROM {table} WHERE id BETWEEN json_extract(part.value, '$[0]') AND json_extract(part.value, '$[1]')
            ORDER BY id LIMIT {part}) AS lines)
        FROM json_each(%s) AS part ORDER BY part.key""",
}
# SQLite would round a number with a fraction; in the place of bytes, which JSON has none for, it is refused.
_NUMBERS = ("at", "actor_id", "shop_id")
_COLUMNS = {
    "postgresql": FIELDS,
    "sqlite": [f"CASE typeof({one}) WHEN 'real' THEN x'' ELSE {one} END" if one in _NUMBERS else one for one in FIELDS],
}

logger = logging.getLogger(__name__)


def made(key: Key, digest: str, runs: Runs) -> str:
    """Return the body of a seal of this digest: hex, or "" where the database can't write the rows out."""
    return _made([(key, digest, runs)])[0]


def fitting(seals: Sequence[tuple[SealRow, Key]]) -> set[int]:
    """Return the numbers of those sound seals whose events stand as they were sealed, all of them."""
    seals = [(one, key) for one, key in seals if one.body]
    bodies = _made([(key, one.digest, one.events) for one, key in seals])
    return {one.number for (one, _key), body in zip(seals, bodies, strict=True) if one.body == body}


def _made(seals: Sequence[tuple[Key, str, Runs]]) -> list[str]:
    bodies = [
        hmac.new(key.secret, json.dumps(["body", digest]).encode(), hashlib.sha256) for key, digest, _runs in seals
    ]
    parts = [(body, part) for body, (_key, _digest, runs) in zip(bodies, seals, strict=True) for part in _parts(runs)]
    try:
        for start in range(0, len(parts), PARTS_AT_ONCE):
            some = parts[start : start + PARTS_AT_ONCE]
            for (body, _part), text in zip(some, _read([part for _body, part in some]), strict=True):
                body.update(text)
    except DatabaseError as error:
        logger.warning("Events could not be read in one piece, so they are looked at one by one: %s", error)
        return ["" for _seal in seals]
    return [body.hexdigest() for body in bodies]


def _parts(runs: Runs) -> Iterator[tuple[int, int]]:
    for first, last in runs:
        for start in range(first, last + 1, PART):
            yield start, min(start + PART - 1, last)


def _read(parts: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """Yield the rows of each part as they are written out. Raises ``DatabaseError``."""
    vendor, table = connection.vendor, AuditEvent._meta.db_table
    sql = _SQL[vendor].format(columns=", ".join(_COLUMNS[vendor]), table=table, part=PART)
    if vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(sql, [json.dumps(parts)])
            for (text,) in cursor.fetchall():
                yield text or b""
        return
    connection.ensure_connection()
    if connection.connection.info.encoding != "utf-8":  # the one setting that has a say in the bytes of a text
        raise DatabaseError("the connection does not speak UTF-8")
    ends = [[part[0] for part in parts], [part[1] for part in parts]]
    # Django's own cursors take no bytes as they are. While a part is hashed here, PostgreSQL writes the next one.
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        for (text,) in cursor.stream(sql, ends, binary=True):
            yield text or b""
