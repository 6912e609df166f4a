"""An event as a line of the page: who did what, to which, and what it opens to. Costs no query."""

from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from cancellations.access import may
from cancellations.audit.models import AuditEvent
from cancellations.audit.wording import Shown, name_of, sentence, value_of, who
from cancellations.marks import MARKS

# Kind of thing → the address of its page, the permission it takes, and which column names it there.
_PAGES = {
    "cancellation": ("requests:cancellation", "search", "subject_id"),
    "order": ("orders:order", "search", "subject_id"),
    "import": ("orders:imported", "import", "subject_id"),
    "shop": ("shops:shop", "search", "shop"),
    "person": ("people:person", "people", "subject_id"),
    "reason": ("reasons:reason", "reasons", "subject_id"),
}


@dataclass(frozen=True)
class Change:
    """One fact that became another."""

    name: str
    before: Shown
    after: Shown


@dataclass(frozen=True)
class Line:
    """One event, worded.

    Attributes:
        url: The page of what it was done to; "" where there is none for this reader.
        changes, facts: Before and after; and what else is known, as (name, value).
    """

    event: AuditEvent
    who: str
    what: str
    url: str
    changes: tuple[Change, ...]
    facts: tuple[tuple[str, Shown], ...]


def line(event: AuditEvent, reader: Any) -> Line:
    """Word one event for one reader."""
    data = event.data if isinstance(event.data, dict) else {"value": event.data}
    before, after = data.get("before"), data.get("after")
    if isinstance(before, dict) or isinstance(after, dict):
        rest = {name: value for name, value in data.items() if name not in ("before", "after")}
        changes = _changes(before or {}, after or {})
    elif "from" in data and "to" in data:
        rest = {name: value for name, value in data.items() if name not in ("from", "to")}
        changes = (Change(name_of("state"), _state(data["from"]), _state(data["to"])),)
    else:
        rest, changes = data, ()
    facts = tuple((name_of(name), value_of(value)) for name, value in rest.items() if value not in ("", None, [], {}))
    return Line(event, who(event), sentence(event.verb), _url(event, reader), changes, facts)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(name_of(name), value_of(before.get(name)), value_of(after.get(name)))
        for name in dict.fromkeys([*before, *after])
    )


def _state(word: str) -> Shown:
    return Shown(str(MARKS[word].label) if word in MARKS else word)


def _url(event: AuditEvent, reader: Any) -> str:
    view, permission, column = _PAGES.get(event.subject_kind, ("", "", ""))
    key = getattr(event, column) if column else ""
    if not key or not may(reader, permission):
        return ""
    try:
        return reverse(view, args=[key])
    except NoReverseMatch:
        return ""
