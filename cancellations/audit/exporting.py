"""The record as a file: CSV for spreadsheets, JSONL exact. Writing one is an event itself."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from django.db.models import QuerySet

from cancellations.audit import trail
from cancellations.audit.models import AuditEvent
from cancellations.audit.searching import Filters
from cancellations.audit.wording import VERBS, sentence
from cancellations.downloads import CSV
from cancellations.pages import newest_first
from cancellations.spreadsheet import csv_lines

FORMATS = {"csv": CSV, "jsonl": "application/x-ndjson; charset=utf-8"}
AT_ONCE = 1000
COLUMNS = (
    "id", "uid", "at", "actor", "actor_kind", "actor_id", "verb", "what", "subject_kind", "subject_id", "subject",
    "shop_id", "shop", "order_number", "origin", "incident", "data",
)  # fmt: skip


def export(shape: str, found: QuerySet[AuditEvent], *, by: Any, filters: Filters, shop: Any = None) -> Iterator[str]:
    """Record that a file is written, and return its lines, newest event first; they are read while they are taken.

    Args:
        shape: A word of ``FORMATS``.
        shop: The Shop the filters name, if any, so that whoever may see its events sees this one.
    """
    lines = {"csv": _csv, "jsonl": _jsonl}[shape](found)
    data = {"format": shape, "filters": filters.as_json()}
    trail.record("audit.exported", by=by, subject_kind="audit", subject=shape, shop=shop, data=data)
    return lines


def _exact(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as it is kept, every column."""
    return {**event, "uid": str(event["uid"]), "at": event["at"].astimezone(UTC).isoformat(timespec="microseconds")}


def _jsonl(found: QuerySet[AuditEvent]) -> Iterator[str]:
    write = json.JSONEncoder(ensure_ascii=False).encode
    return (write(_exact(event)) + "\n" for event in newest_first(found.values(), "at", AT_ONCE))


def _csv(found: QuerySet[AuditEvent]) -> Iterator[str]:
    words = {verb: sentence(verb) for verb in VERBS}
    write = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

    def row(event: Mapping[str, Any]) -> list[object]:
        verb = event["verb"]
        values = {**_exact(event), "what": words.get(verb, verb), "data": write(event["data"])}
        return [values[name] for name in COLUMNS]

    return csv_lines(COLUMNS, (row(event) for event in newest_first(found.values(), "at", AT_ONCE)))
